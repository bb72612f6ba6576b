//! The programs that are mutated: all of the repository's.

use std::path::{Path, PathBuf};

use super::mutate;

/// Small files that stand beside every case.
pub(super) const FILES: [(&str, &str); 2] = [("a.csv", "1,2,0\n3,4,1\n5,6,0\n7,8,1\n"), ("b.csv", "y\n1\n2\n3\n4\n")];

/// Programs with the folder that their data are in, in the order of their paths.
pub(super) struct Corpus {
    all: Vec<(String, PathBuf)>,
    /// Those that no change has to mend first.
    sound: Vec<usize>,
}

/// Collections whose programs are alike.
const ALIKE: [&str; 2] = ["tests/suite/literature", "tests/suite/hock_schittkowski"];

/// The folder of programs with mistakes.
const BAD: &str = "bad";

/// A mutated program.
pub(super) struct Case {
    /// The program.
    pub(super) text: String,
    /// The folder of the data it may name.
    pub(super) data: PathBuf,
    /// What it was before a slip, where that is known.
    pub(super) meant: Option<String>,
}

impl Corpus {
    /// The programs of `specs` and `tests/suite`.
    pub(super) fn read(root: &Path) -> Result<Corpus, String> {
        let mut paths = Vec::new();
        for folder in ["specs", "tests/suite"] {
            programs(&root.join(folder), &mut paths)?;
        }
        paths.sort();
        // programs that are much alike would be most of the cases
        paths.retain(|path| !ALIKE.iter().any(|folder| path.ancestors().any(|a| a.ends_with(folder))));
        let read = |path: PathBuf| {
            let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let folder = path.parent().unwrap_or(root).to_owned();
            Ok((String::from_utf8_lossy(&bytes).into_owned(), folder))
        };
        let all = paths.into_iter().map(read).collect::<Result<Vec<_>, String>>()?;
        let sound = (0..all.len()).filter(|i| !all[*i].1.ends_with(BAD)).collect();
        Ok(Corpus { all, sound })
    }

    /// The case of a seed.
    pub(super) fn case(&self, seed: u32) -> Case {
        let n = seed as usize;
        // two of three cases begin with a sound program: they get farther
        let at = if n.is_multiple_of(3) { n / 3 % self.all.len() } else { self.sound[n % self.sound.len()] };
        let (text, data) = &self.all[at];
        let (other, _) = &self.all[(7 * n + 3) % self.all.len()];
        Case { text: mutate::program(text, other, seed), data: data.clone(), meant: None }
    }

    /// The case of a seed that is a sound program but for one slip, for half of the seeds; else as [`Corpus::case`].
    pub(super) fn slip(&self, seed: u32) -> Case {
        if seed.is_multiple_of(2) {
            return self.case(seed);
        }
        let (text, data) = &self.all[self.sound[seed as usize / 2 % self.sound.len()]];
        Case { text: mutate::slip(text, seed), data: data.clone(), meant: Some(text.clone()) }
    }
}

/// Adds the programs below a folder.
fn programs(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            programs(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "blo") {
            found.push(path);
        }
    }
    Ok(())
}
