//! What the tests leave out on this machine: they pass without the data sets, so somebody has to say how many did.

use std::collections::BTreeSet;

use crate::program::programs;
use crate::real_data;
use crate::variant::{Change, DATA_PROBLEMS};

/// Folders of the data sets that `tests/real_data.rs` reads.
pub const DATA_SETS: [&str; 3] = ["fashion-mnist", "a9a", "colon"];

/// Every program and data set that the tests skip, with the file that is not there.
pub fn skipped() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let folders = ["specs", "tests/suite/learn", "tests/suite/check"];
    for program in folders.iter().flat_map(|folder| programs(folder)) {
        if let Err(file) = program.files(&[]) {
            found.insert(format!("{}: no file {file}", program.name));
        }
    }
    for data_problem in &DATA_PROBLEMS {
        found.extend(data_problem.task(Change::Original).err());
    }
    for name in DATA_SETS.iter().filter(|name| !real_data::folder().join(name).is_dir()) {
        found.insert(format!("{name}: no folder"));
    }
    found
}
