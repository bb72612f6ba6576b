//! The parts of a program, by how often they run.

/// When an instruction runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// Once per change of an invariant input.
    Prologue,
    /// Once per change of the state from outside: what the body expects from the run before.
    Fill,
    /// In every run.
    Body,
}

impl Section {
    /// All sections in order, with their names in listings.
    pub const NAMED: [(Section, &str); 3] =
        [(Section::Prologue, "prologue"), (Section::Fill, "fill"), (Section::Body, "body")];
}
