//! A compiled program: instructions over placed buffers. It is immutable and may be shared; what changes is in a
//! [`Workspace`](super::Workspace).

use super::step::Step;
use crate::kernel::dense;
use crate::program::plan::Plan;
use crate::program::scalar::Scalar;

/// An input or output.
#[derive(Clone, Debug)]
pub(in crate::program) struct Slot {
    /// Among the buffers and what is lent, or among the index buffers.
    pub(in crate::program) buffer: usize,
    pub(in crate::program) shape: Vec<usize>,
    pub(in crate::program) index: bool,
    /// Of an index input: positions are below; `usize::MAX` when nothing reads it.
    pub(in crate::program) bound: usize,
    /// Of an input: what is carried depends on it, and has to be filled again when it is set.
    pub(in crate::program) fills: bool,
}

/// A compiled program in one precision.
pub struct Program<T: Scalar> {
    pub(in crate::program) name: String,
    pub(in crate::program) inputs: Vec<Slot>,
    pub(in crate::program) outputs: Vec<Slot>,
    pub(in crate::program) steps: Vec<Step<T>>,
    /// How many of the steps are the prologue.
    pub(in crate::program) prologue: usize,
    /// Where the fill ends and the body begins.
    pub(in crate::program) filled: usize,
    /// Outputs and the inputs that they become.
    pub(in crate::program) state: Vec<(usize, usize)>,
    /// Buffers of carried values: what a run makes, and what the next one reads.
    pub(in crate::program) carried: Vec<(usize, usize)>,
    /// Elements per buffer.
    pub(in crate::program) buffers: Vec<usize>,
    /// Buffers whose numbers nobody reads after the run that has written them.
    pub(in crate::program) transient: Vec<usize>,
    /// Elements per array that is lent; these are numbered after the buffers.
    pub(in crate::program) lent: Vec<usize>,
    /// Elements per index buffer.
    pub(in crate::program) indices: Vec<usize>,
    /// The programs of Maps.
    pub(in crate::program) bodies: Vec<Program<T>>,
    pub(in crate::program) threads: usize,
    pub(in crate::program) plan: Plan,
}

impl<T: Scalar> Program<T> {
    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// The sizes of an input.
    pub fn input_shape(&self, position: usize) -> &[usize] {
        &self.inputs[position].shape
    }

    /// The sizes of an output.
    pub fn output_shape(&self, output: usize) -> &[usize] {
        &self.outputs[output].shape
    }

    /// The instructions, described.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Uses up to `threads` threads of the global rayon pool where it pays; set it before making a workspace. Results
    /// of everything but large matrix products do not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Program<T> {
        self.threads = threads.max(1);
        self
    }

    /// What a workspace takes: its buffers, registers, scratch and those of the bodies of Maps. What is lent to it is
    /// the caller's.
    pub fn memory_bytes(&self) -> u128 {
        let buffers: u128 = self.buffers.iter().map(|n| *n as u128).sum();
        let indices: u128 = self.indices.iter().map(|n| *n as u128).sum();
        let registers = (self.registers() * self.threads) as u128;
        let scratch = self.scratch() as u128;
        let kept = self.steps.iter().map(|step| match step {
            Step::Prox { memo: Some(_), args, n, .. } => (n + args.iter().map(|a| a.len).sum::<usize>()) as u128,
            _ => 0,
        });
        let kept: u128 = kept.sum();
        let size = size_of::<T>() as u128;
        (buffers + registers + scratch + kept) * size
            + 4 * indices
            + self.bodies.iter().map(Program::memory_bytes).sum::<u128>()
    }

    /// Elements of the block registers of a thread.
    pub(super) fn registers(&self) -> usize {
        let of = |s: &Step<T>| if let Step::Loop(l) = s { l.registers * l.span.min(l.n) } else { 0 };
        self.steps.iter().map(of).max().unwrap_or(0)
    }

    /// Elements that the step needs which needs most.
    pub(super) fn scratch(&self) -> usize {
        let of = |s: &Step<T>| match s {
            Step::Conv { geometry, .. } => geometry.scratch() * self.threads,
            Step::MatMul { a, b, m, k, n, .. } => dense::scratch::<T>([a.by_columns, b.by_columns], [*m, *k, *n]),
            _ => 0,
        };
        self.steps.iter().map(of).max().unwrap_or(0)
    }
}
