//! The real data sets beside the repository, as tables of text: read without the engine's readers, because what is
//! computed from them judges the engine. They may not be copied into the repository, so tests run without them too.
// The bans keep the engine off files; this is where the suites read theirs.
#![allow(clippy::disallowed_methods)]

use std::path::PathBuf;

use crate::repository::root;

/// A data set as text.
#[derive(Clone, Debug)]
pub struct Table {
    /// The file's name, as programs write it.
    pub file: &'static str,
    /// The header row, if the file has one.
    pub header: Option<Vec<String>>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
}

/// Names of the folder, the file, and whether the file has a header.
const FILES: [(&str, &str, bool); 3] =
    [("diabetes", "diabetes.csv", true), ("prostate", "prostate.csv", true), ("sonar", "sonar.csv", false)];

/// Where the data sets are looked for.
pub fn folder() -> PathBuf {
    root().join("../shared/data")
}

/// A data set by the name of its folder.
///
/// # Errors
/// What is missing, as a sentence.
pub fn table(name: &str) -> Result<Table, String> {
    let Some((folder_name, file, header)) = FILES.iter().find(|f| f.0 == name) else {
        unreachable!("`{name}` is a data set of the suite")
    };
    let path = folder().join(folder_name).join(file);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{file} cannot be read from {path:?}: {e}"))?;
    let cells = |line: &str| line.split(',').map(|c| c.trim().to_string()).collect::<Vec<_>>();
    let mut rows: Vec<Vec<String>> = text.lines().filter(|l| !l.trim().is_empty()).map(cells).collect();
    let header = header.then(|| rows.remove(0));
    Ok(Table { file, header, rows })
}

/// The bytes of a file in the folder of a data set.
///
/// # Errors
/// What is missing, as a sentence.
pub fn bytes(name: &str, file: &str) -> Result<Vec<u8>, String> {
    let path = folder().join(name).join(file);
    std::fs::read(&path).map_err(|e| format!("{file} cannot be read from {path:?}: {e}"))
}

impl Table {
    /// The number in a cell.
    ///
    /// # Panics
    /// When it holds no number: the data sets are fixed.
    pub fn number(&self, row: usize, column: usize) -> f64 {
        self.rows[row][column].parse().expect("a number")
    }

    /// The table with each of the first columns multiplied by its factor.
    #[must_use]
    pub fn scaled(mut self, factors: &[f64]) -> Table {
        for row in 0..self.rows.len() {
            for (column, factor) in factors.iter().enumerate() {
                self.rows[row][column] = format!("{:?}", self.number(row, column) * factor);
            }
        }
        self
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self.header.iter().chain(&self.rows).map(|r| r.join(",")).collect();
        lines.join("\n") + "\n"
    }
}
