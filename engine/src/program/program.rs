//! A compiled program: instructions over placed buffers. It is immutable and may be shared; what changes is in a
//! [`Workspace`].

use super::plan::Plan;
use super::scalar::Scalar;
use super::step::{Loop, Step};
use super::workspace::{OutOfMemory, Workspace};

/// An input or output.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Among the buffers and what is lent, or among the index buffers.
    pub(super) buffer: usize,
    pub(super) shape: Vec<usize>,
    pub(super) index: bool,
    /// Of an index input: positions are below.
    pub(super) bound: usize,
    /// Of an input: what is carried depends on it, and has to be filled again when it is set.
    pub(super) fills: bool,
}

/// A compiled program in one precision.
pub struct Program<T: Scalar> {
    pub(super) name: String,
    pub(super) inputs: Vec<Slot>,
    pub(super) outputs: Vec<Slot>,
    pub(super) steps: Vec<Step<T>>,
    /// How many of the steps are the prologue.
    pub(super) prologue: usize,
    /// Where the fill ends and the body begins.
    pub(super) filled: usize,
    /// Outputs and the inputs that they become.
    pub(super) state: Vec<(usize, usize)>,
    /// Buffers of carried values: what a run makes, and what the next one reads.
    pub(super) carried: Vec<(usize, usize)>,
    /// Elements per buffer.
    pub(super) buffers: Vec<usize>,
    /// Elements per array that is lent; these are numbered after the buffers.
    pub(super) lent: Vec<usize>,
    /// Elements per index buffer.
    pub(super) indices: Vec<usize>,
    pub(super) threads: usize,
    pub(super) plan: Plan,
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
        let registers = (self.registers().0 * self.registers().1 * self.threads) as u128;
        let scratch = (self.scratch() * self.threads) as u128;
        let size = size_of::<T>() as u128;
        (buffers + registers + scratch) * size + 4 * indices + self.bodies().map(Program::memory_bytes).sum::<u128>()
    }

    /// A workspace with zeros in all inputs; those that are lent are to be lent before anything runs.
    ///
    /// # Errors
    /// When the system refuses the memory.
    pub fn workspace(&self) -> Result<Workspace<T>, OutOfMemory> {
        Workspace::new(self)
    }

    /// Of an index input: positions must be below; `usize::MAX` when nothing reads it.
    pub(super) fn bound(&self, position: usize) -> usize {
        self.inputs[position].bound
    }

    /// Number of block registers per thread and their length.
    pub(super) fn registers(&self) -> (usize, usize) {
        let loops = || {
            self.steps.iter().filter_map(|s| match s {
                Step::Loop(l) => Some(l),
                _ => None,
            })
        };
        let length = loops().map(|l: &Loop<T>| l.span.min(l.n)).max().unwrap_or(0);
        (loops().map(|l| l.registers).max().unwrap_or(0), length)
    }

    /// Elements that a thread needs for the largest convolution.
    pub(super) fn scratch(&self) -> usize {
        let of = |s: &Step<T>| if let Step::Conv { geometry, .. } = s { geometry.scratch() } else { 0 };
        self.steps.iter().map(of).max().unwrap_or(0)
    }

    /// The programs of Maps, in the order of their workspaces.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &Program<T>> {
        self.steps.iter().filter_map(|s| match s {
            Step::Map(m) => Some(&*m.body),
            _ => None,
        })
    }
}
