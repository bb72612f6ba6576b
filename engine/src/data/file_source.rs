//! Where bytes come from: the caller's directories, or memory. The engine itself opens no file.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use crate::data::Numbers;
use crate::limits::Limits;

/// A place that holds named files.
pub trait Source {
    /// The bytes of `path`, as written in the problem: [`alternatives`] of which the first that is there counts. A missing
    /// file is [`io::ErrorKind::NotFound`].
    fn open(&self, path: &str) -> io::Result<Box<dyn Read>>;

    /// A name that all spellings of a path share, such as `m.csv` and `./m.csv`: they are one file.
    fn same_file(&self, path: &str) -> String {
        plain(path)
    }

    /// Names of files that could have been meant, for "did you mean"; may be empty.
    fn names(&self) -> Vec<String>;

    /// What a user should know where a file is missing, such as a folder that is not there either.
    fn remark(&self) -> Option<String> {
        None
    }

    /// Numbers in the place of what the problem states for a data item `A`, or for a column `d.u` of a dataset: they are
    /// read as they are, whatever options a file would have. `None` for an item that the caller leaves to the problem.
    fn lent(&self, name: &str) -> Option<&Numbers> {
        let _ = name;
        None
    }

    /// What a file may ask for.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// The names that a path of a problem lists, in the order in which they are looked for: `"full.gz | part.gz"`.
pub fn alternatives(path: &str) -> impl Iterator<Item = &str> {
    path.split(" | ").map(str::trim)
}

/// A path without what does not lead anywhere: `.` and doubled slashes.
fn plain(path: &str) -> String {
    let start = if path.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("{start}{}", parts.join("/"))
}

/// Files held in memory, for tests and embedding.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    /// No files.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Memory {
        self.0.insert(name.to_owned(), bytes.into());
        self
    }
}

impl Source for Memory {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read>> {
        match alternatives(path).find_map(|name| self.0.get(name)) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_gives_back_what_it_was_given() {
        let source = Memory::new().with("b", "two").with("a", "one");
        let mut text = String::new();
        source.open("b").expect("present").read_to_string(&mut text).expect("text");
        assert_eq!(text, "two");
        assert_eq!(source.names(), ["a", "b"]);
        assert_eq!(["./a", "a", ".//a", "b/./a", "/a"].map(|p| source.same_file(p)), ["a", "a", "a", "b/a", "/a"]);
        assert_eq!(source.open("c").err().map(|e| e.kind()), Some(io::ErrorKind::NotFound));
        source.open("c | b | a").expect("the second").read_to_string(&mut text).expect("text");
        assert_eq!(text, "twotwo");
        assert_eq!(source.open("c | d").err().map(|e| e.kind()), Some(io::ErrorKind::NotFound));
    }
}
