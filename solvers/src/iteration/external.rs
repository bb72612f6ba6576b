//! Stages that no graph can hold: a proposal of a search with the lower level solved there, a conic subproblem.

use blo_grammar::diagnostic::Diagnostic;

use super::control::Iterate;
use crate::iteration::Rows;
use crate::iteration::counts::Counts;

/// The work of an external stage. It reads the state and writes the parts that its stage declares.
pub trait External {
    /// Runs iteration `k`, counted from 1. `stop` says that the run is to end soon; what is written then must be sound.
    fn run(&mut self, k: u64, iterate: &mut dyn Iterate, stop: &mut dyn FnMut() -> bool);

    /// Other tasks: positions for the problem's index inputs.
    ///
    /// # Errors
    /// When a position is outside of what a program selects from.
    fn select(&mut self, _: &Rows) -> Result<(), Box<Diagnostic>> {
        Ok(())
    }

    /// What it does, in words with their values: sizes, systems, limits. A plan shows it in the place of instructions.
    fn describe(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Evaluations so far.
    fn counts(&self) -> Counts {
        Counts::default()
    }

    /// Writes what it has learnt, beside the state, behind what is there. Does not allocate where there is room.
    fn save(&self, _: &mut Vec<u8>) {}

    /// Goes back to what `save` wrote.
    fn load(&mut self, _: &[u8]) {}
}
