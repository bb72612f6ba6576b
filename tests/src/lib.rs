//! What the suites share: finding programs and checking them as the command does, running methods on them and judging
//! what comes out against the literature or an independent solver.
// The bans keep the engine off files and screens; the suites read the programs they test and say what they skip.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

pub mod answer;
pub mod case;
mod draw;
pub mod families;
pub mod judge;
mod program;
pub mod random;
pub mod real_data;
pub mod reference;
mod repository;
pub mod scalar;
pub mod skipped;
pub mod suite;
pub mod variant;

pub use program::{Folder, Folders, Program, programs};
pub use repository::{root, say};
