//! What a program may assume of an input.

/// How often an input changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Between runs: what depends on it is computed in every run.
    Varying,
    /// It becomes this output when a step is accepted ([`Program::accept`](crate::program::Program::accept)), and is seldom set otherwise: what the run
    /// before has computed of it already is not computed again.
    State(usize),
    /// Seldom: what depends on such inputs only is computed by the prologue.
    Invariant,
    /// Seldom as well, and the program only reads it: the caller lends the array ([`Program::lend`](crate::program::Program::lend)), which takes no
    /// memory in the workspace and may serve other programs at the same time. Positions are copied all the same: they
    /// are few.
    Lent,
    /// Never: no output depends on it, and it takes no memory.
    Unread,
}
