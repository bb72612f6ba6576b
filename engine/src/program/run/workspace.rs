//! All memory of a running program but for what is lent to it and what it borrows from an [`Arena`]. Made once; running
//! allocates nothing.

use super::loan::Loans;
use super::memo::Memo;
use super::memory::Memory;
use super::program::Program;
use super::step::{MapInput, Step};
use crate::arena::Arena;
use crate::data::Shared;
use crate::kernel::loops::array::Array;
use crate::kernel::loops::frame::Table;
use crate::program::scalar::Scalar;
use crate::program::section::Section;
use crate::stop::StopToken;

/// Operations from which a run looks at its token: a few milliseconds of work. Shorter runs are their caller's to stop.
const LASTS: u128 = 1 << 22;

/// The system refuses the memory of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot allocate {bytes} bytes of memory")]
pub struct OutOfMemory {
    /// What the workspace takes.
    pub bytes: u128,
}

/// A position that points outside the axis it selects from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {value} (zero-based) at place {place} is not below {bound}")]
pub struct BadIndex {
    /// Where it stands in the index array.
    pub place: usize,
    /// The position.
    pub value: usize,
    /// Length of the axis.
    pub bound: usize,
}

/// Buffers of a program.
pub struct Workspace<T: Scalar> {
    pub(super) memory: Memory<T>,
    pub(super) indices: Vec<Vec<u32>>,
    /// Block registers, an array per thread.
    pub(super) registers: Vec<Array<T>>,
    /// Places of the operands of a loop, per thread.
    pub(super) tables: Vec<Table<T>>,
    /// For convolutions, thread after thread, and for products.
    pub(super) scratch: Vec<T>,
    /// Buffers that a step writes, taken out of `memory` meanwhile.
    pub(super) taken: Vec<Array<T>>,
    /// Single numbers: slots of a tape or uniform operands of a loop.
    pub(super) numbers: Vec<T>,
    /// What operations that remember have computed last.
    pub(super) memos: Vec<Memo<T>>,
    /// True when what is carried is not of the present state: it has been set since the last run.
    pub(super) stale: bool,
    /// True when the prologue was cut short: the next run begins with it.
    pub(super) unprepared: bool,
    /// What it borrows while it runs, with what the bodies of its Maps do; `None` in those.
    pub(super) loans: Option<Loans>,
    /// Workspaces of the bodies of Maps, in their order.
    pub(super) maps: Vec<Workspace<T>>,
    /// Ends a run that lasts; `None` where none does.
    pub(super) stop: Option<StopToken>,
}

impl<T: Scalar> Workspace<T> {
    pub(super) fn new(program: &Program<T>, arena: &Arena) -> Result<Workspace<T>, OutOfMemory> {
        let loans = Loans::of(program, arena)?;
        let workspace = Workspace::beside(program, &loans, &mut Vec::new())?;
        Ok(Workspace { loans: Some(loans), ..workspace })
    }

    /// All of a workspace but what is borrowed: that of a program, or of the body of a Map to which `way` leads.
    fn beside(program: &Program<T>, loans: &Loans, way: &mut Vec<usize>) -> Result<Workspace<T>, OutOfMemory> {
        let failed = || OutOfMemory { bytes: program.memory_bytes() };
        let zeros = |n: &usize| Array::zeros(*n).ok_or_else(failed);
        let array = |(buffer, n)| if loans.holds(way, buffer) { Ok(Array::default()) } else { zeros(n) };
        let own = program.buffers.iter().enumerate().map(array).collect::<Result<Vec<_>, _>>()?;
        let lent = program.lent.iter().map(|_| Shared::default()).collect();
        let indices = program.indices.iter().map(|n| reserve::<u32>(*n).ok_or_else(failed));
        let indices = indices.collect::<Result<Vec<_>, _>>()?;
        let length = program.registers();
        let registers = (0..program.threads).map(|_| zeros(&length)).collect::<Result<Vec<_>, _>>()?;
        let scratch = reserve::<T>(program.scratch()).ok_or_else(failed)?;
        let mut numbers = 0;
        let mut taken = 0;
        let mut places = 0;
        for step in &program.steps {
            match step {
                Step::Tape(t) => numbers = numbers.max(t.numbers()),
                Step::Loop(l) => {
                    numbers = numbers.max(l.uniforms.len());
                    taken = taken.max(l.outs.len() + l.sums.len());
                    places = places.max(l.places());
                }
                _ => {}
            }
        }
        let mut maps = Vec::new();
        for (i, body) in program.bodies.iter().enumerate() {
            way.push(i);
            maps.push(Workspace::beside(body, loans, way)?);
            way.pop();
        }
        Ok(Workspace {
            memory: Memory { own, lent },
            indices,
            registers,
            tables: (0..program.threads).map(|_| Table::with_capacity(places)).collect(),
            scratch,
            taken: Vec::with_capacity(taken),
            numbers: vec![T::default(); numbers],
            memos: Vec::new(),
            stale: true,
            unprepared: false,
            loans: None,
            maps,
            stop: None,
        })
    }
}

impl<T: Scalar> Workspace<T> {
    fn watch(&mut self, token: &StopToken) {
        self.stop = Some(token.clone());
        self.maps.iter_mut().for_each(|map| map.watch(token));
    }

    /// True where a run is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(StopToken::is_set)
    }
}

fn reserve<E: Default + Clone>(n: usize) -> Option<Vec<E>> {
    let mut v = Vec::new();
    v.try_reserve_exact(n).ok()?;
    v.resize(n, E::default());
    Some(v)
}

impl<T: Scalar> Program<T> {
    /// A workspace with zeros in all inputs; those that are lent are to be lent before anything runs.
    ///
    /// # Errors
    /// When the system refuses the memory.
    pub fn workspace(&self) -> Result<Workspace<T>, OutOfMemory> {
        self.workspace_in(&Arena::default())
    }

    /// The same, with all that only a run needs in an arena that other programs use between its runs.
    ///
    /// # Errors
    /// When the system refuses the memory.
    pub fn workspace_in(&self, arena: &Arena) -> Result<Workspace<T>, OutOfMemory> {
        Workspace::new(self, arena)
    }

    /// Lets a token end the runs of a program that last. The outputs of such a run mean nothing.
    pub fn watch(&self, ws: &mut Workspace<T>, token: &StopToken) {
        let lasts = [Section::Prologue, Section::Fill, Section::Body].iter().any(|s| self.plan.flops(*s) >= LASTS);
        if lasts {
            ws.watch(token);
        }
    }

    /// Copies an input's elements, in row-major order; none of an input that is not read.
    pub fn set_input(&self, ws: &mut Workspace<T>, position: usize, values: &[T]) {
        self.input_mut(ws, position).copy_from_slice(values);
    }

    /// An input's elements; none of one that is not read.
    pub fn input<'w>(&self, ws: &'w Workspace<T>, position: usize) -> &'w [T] {
        assert!(!self.inputs[position].index, "input {position} holds positions");
        ws.memory.array(self.inputs[position].buffer)
    }

    /// An input's elements, to be written.
    pub fn input_mut<'w>(&self, ws: &'w mut Workspace<T>, position: usize) -> &'w mut [T] {
        assert!(!self.inputs[position].index, "input {position} holds positions");
        ws.stale |= self.inputs[position].fills;
        let own = ws.memory.own.get_mut(self.inputs[position].buffer);
        own.unwrap_or_else(|| unreachable!("input {position} of {} is lent and not written", self.name))
    }

    /// Lends an input of [`Role::Lent`](crate::program::Role::Lent) its elements, in row-major order; the caller and other programs may go on
    /// reading them.
    pub fn lend(&self, ws: &mut Workspace<T>, position: usize, values: &Shared<T>) {
        let slot = &self.inputs[position];
        let at = slot.buffer.checked_sub(self.buffers.len()).filter(|_| !slot.index);
        let at = at.unwrap_or_else(|| unreachable!("input {position} of {} is not lent", self.name));
        assert_eq!(values.len(), self.lent[at], "elements of input {position} of {}", self.name);
        ws.stale |= slot.fills;
        ws.memory.lent[at] = values.clone();
        for step in &self.steps {
            let Step::Map(m) = step else { continue };
            for (k, operand) in m.operands.iter().enumerate() {
                if matches!(operand, MapInput::Lent { buffer } if *buffer == slot.buffer) {
                    self.bodies[m.body].lend(&mut ws.maps[m.body], k, values);
                }
            }
        }
    }

    /// Sets an index input to zero-based positions.
    ///
    /// # Errors
    /// When a position is outside an axis that the program selects from; the input is unchanged then.
    pub fn set_index(&self, ws: &mut Workspace<T>, position: usize, values: &[usize]) -> Result<(), BadIndex> {
        let slot = &self.inputs[position];
        assert!(slot.index, "input {position} holds numbers");
        let bound = slot.bound.min(u32::MAX as usize);
        if let Some(place) = values.iter().position(|v| *v >= bound) {
            return Err(BadIndex { place, value: values[place], bound });
        }
        ws.stale |= slot.fills;
        let index = &mut ws.indices[slot.buffer];
        assert_eq!(index.len(), values.len(), "positions of input {position}");
        for (i, v) in index.iter_mut().zip(values) {
            *i = *v as u32;
        }
        Ok(())
    }

    /// An output's elements after a run, in row-major order.
    pub fn output<'w>(&self, ws: &'w Workspace<T>, output: usize) -> &'w [T] {
        &ws.memory.own[self.outputs[output].buffer]
    }

    /// Accepts the step that the last run made: swaps all parts of the state with their next values, without a copy,
    /// and with them what is carried. The outputs hold the old state until the next run, so that accepting again takes
    /// the step back. A step that is not accepted leaves everything as it was.
    pub fn accept(&self, ws: &mut Workspace<T>) {
        for (output, position) in &self.state {
            ws.memory.own.swap(self.outputs[*output].buffer, self.inputs[*position].buffer);
        }
        for (next, current) in &self.carried {
            ws.memory.own.swap(*next, *current);
        }
    }

    /// Swaps one output with an input, without a copy: the next run reads what this one wrote. The output holds the old
    /// input until then, so that swapping again takes the step back. For a whole state, see [`Program::accept`].
    pub fn advance(&self, ws: &mut Workspace<T>, output: usize, position: usize) {
        let (from, to) = (&self.outputs[output], &self.inputs[position]);
        assert!(!to.index && from.shape == to.shape, "output {output} has the shape of input {position}");
        ws.stale |= to.fills;
        ws.memory.own.swap(from.buffer, to.buffer);
    }
}
