//! `cargo xtask bench --against REV`: the release build of the working tree and that of a revision on a fixed list of
//! runs, in turn. Times per iteration are differences of two run lengths, taken from the rows of the runs, so that only
//! iterations count; a ratio has both systems within the same second.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A run: its name, the arguments of `blo solve`, and whether it needs the files of [`data`].
struct Spec {
    name: &'static str,
    arguments: &'static [&'static str],
}

const EQ18: &str = "specs/meha_eq18.blo";
const EQ19: &str = "specs/meha_eq19.blo";
const CLEANING: &str = "benches/peers/cleaning_mlp.blo";
/// A softmax regression on generated rows, as benches/peers/cleaning_softmax.blo on files.
const SOFTMAX: &str = "benches/cleaning_softmax.blo";
const MEHA: [&str; 6] = ["alpha=0.1", "beta=0.15", "eta=1e-3", "gamma=100", "c=0.2", "p=0.25"];
