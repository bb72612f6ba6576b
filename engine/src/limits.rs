//! Every limit on what a file or a command may ask for, in one table: its value, what it counts, why it is there, and
//! whether a user may raise it (`--limit NAME=VALUE`). It holds no check: the place that would pay compares, before it
//! allocates or starts.

use std::fmt;

/// A limit.
#[derive(Debug)]
pub struct Limit {
    /// Its name, as in `--limit memory=4e9`.
    pub name: &'static str,
    /// The most that is taken where nobody says otherwise.
    pub value: u64,
    /// What it counts.
    pub counts: &'static str,
    /// Why there is a limit, and why this one.
    pub reason: &'static str,
    /// True where a user may raise it.
    pub may_be_raised: bool,
}

/// Bytes of a problem file.
pub const TEXT: Limit = Limit {
    name: "text",
    value: blo_grammar::MAX_BYTES as u64,
    counts: "bytes of a problem file",
    reason: "data belong into files of their own; the largest program of the literature has some kilobytes",
    may_be_raised: false,
};

/// Calls of functions of a file.
pub const CALLS: Limit = Limit {
    name: "calls",
    value: 100_000,
    counts: "calls of a file's own functions, all inlined",
    reason: "each call is a copy of the body; functions that double one another reach any number in a few lines",
    may_be_raised: false,
};

/// Classes of labels.
pub const CLASSES: Limit = Limit {
    name: "classes",
    value: 1_000_000,
    counts: "classes of a column of labels",
    reason: "each class has a count, and a column of the scores that are compared with the labels",
    may_be_raised: false,
};

/// Operations of constants.
pub const CONSTANTS: Limit = Limit {
    name: "constants",
    value: 100_000_000,
    counts: "operations of the values that a check computes: params, sizes, exponents, options, ends of intervals",
    reason: "a check runs while somebody types; these take about a second and at most 1 GB",
    may_be_raised: true,
};

/// Names defined through one another.
pub const DEFINITIONS: Limit = Limit {
    name: "definitions",
    value: 200,
    counts: "names defined through one another before one of them has been seen",
    reason: "the check recurses once per name",
    may_be_raised: false,
};

/// Levels of expressions within one another.
pub const NESTING: Limit = Limit {
    name: "nesting",
    value: 2_000,
    counts: "levels of expressions within one another, through names and calls as well",
    reason: "the check recurses once per level, and a thread has one stack",
    may_be_raised: false,
};

/// Parts of formulas.
pub const PARTS: Limit = Limit {
    name: "parts",
    value: 300_000,
    counts: "names, numbers, operations and calls of all formulas, those of a function once per call",
    reason: "each is a node that every later pass walks over; a sum over data needs one term and an index",
    may_be_raised: false,
};

/// Items, statements and columns of a file.
pub const ITEMS: Limit = Limit {
    name: "items",
    value: 2_000,
    counts: "items of a file, with the statements, entries and columns in them",
    reason: "each metric or regularizer is a function of all variables and data; the largest program of the literature has 60",
    may_be_raised: false,
};

/// Messages that are shown.
pub const MESSAGES: Limit = Limit {
    name: "messages",
    value: 100,
    counts: "messages that a command prints about a file, errors first; a count of the rest follows",
    reason: "nobody reads more at once, and one mistake can give thousands",
    may_be_raised: false,
};

/// Entries of one array of a formula.
pub const ENTRIES: Limit = Limit {
    name: "entries",
    value: 1 << 31,
    counts: "entries of one array of a formula, stored or not",
    reason: "every evaluation passes over them: 2^31 take seconds",
    may_be_raised: true,
};

/// Cells of a line of a data file.
pub const CELLS: Limit = Limit {
    name: "cells",
    value: 1 << 20,
    counts: "cells of one line of a text table",
    reason: "a table has a column per quantity, genes of a chip are 50,000; more is a table written in one line",
    may_be_raised: true,
};

/// Bytes of a line of a data file.
pub const LINE: Limit = Limit {
    name: "line",
    value: 16 << 20,
    counts: "bytes of one line of a data file",
    reason: "a line is held whole before its cells are known: 2^20 columns of 16 characters",
    may_be_raised: true,
};

/// Numbers of one array of a file.
pub const NUMBERS: Limit = Limit {
    name: "numbers",
    value: 1 << 30,
    counts: "numbers that one file becomes",
    reason: "8 GB of memory; some text files become an array that is larger than themselves",
    may_be_raised: false,
};

/// How far a packed file may expand.
pub const EXPANSION: Limit = Limit {
    name: "expansion",
    value: 200,
    counts: "bytes that a byte of a packed data file becomes, where that is more than 64 MiB in all",
    reason: "tables of real data expand 3 to 20 times; 1000 times is a file made to fill memory",
    may_be_raised: true,
};

/// Bytes of memory.
pub const MEMORY: Limit = Limit {
    name: "memory",
    value: 16 << 30,
    counts: "bytes of variables, data and everything that a run keeps; `blo` takes what the machine has instead",
    reason: "a system that has promised more memory than it has ends the program without a word",
    may_be_raised: true,
};

/// Threads of a run.
pub const THREADS: Limit = Limit {
    name: "threads",
    value: 4096,
    counts: "threads of a run",
    reason: "each has memory of its own; more than there are cores only wait for one another",
    may_be_raised: false,
};

/// Bytes for people.
pub fn amount(bytes: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

/// All limits, by name.
pub const TABLE: &[&Limit] = &[
    &CALLS,
    &CELLS,
    &CLASSES,
    &CONSTANTS,
    &DEFINITIONS,
    &ENTRIES,
    &EXPANSION,
    &ITEMS,
    &LINE,
    &MEMORY,
    &MESSAGES,
    &NESTING,
    &NUMBERS,
    &PARTS,
    &TEXT,
    &THREADS,
];

/// The limits that hold for a command.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    set: Vec<(&'static str, u64)>,
}

/// Why a limit cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// No limit of the name.
    #[error("there is no limit `{0}`; those that can be raised are {names}", names = Names)]
    Unknown(String),
    /// A limit for everybody.
    #[error("the limit `{0}` cannot be raised; those that can are {names}", names = Names)]
    Fixed(&'static str),
}

/// The names of the limits that can be raised, for messages.
struct Names;

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = TABLE.iter().filter(|l| l.may_be_raised).map(|l| format!("`{}`", l.name)).collect();
        f.write_str(&names.join(", "))
    }
}

impl Limits {
    /// The value of a limit.
    pub fn of(&self, limit: &Limit) -> u64 {
        self.set.iter().rev().find(|(name, _)| *name == limit.name).map_or(limit.value, |(_, value)| *value)
    }

    /// True where somebody has set it.
    pub fn is_set(&self, limit: &Limit) -> bool {
        self.set.iter().any(|(name, _)| *name == limit.name)
    }

    /// Sets the limit of a name.
    ///
    /// # Errors
    /// When there is none, or it holds for everybody.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), LimitError> {
        let limit = TABLE.iter().find(|l| l.name == name).ok_or_else(|| LimitError::Unknown(name.to_owned()))?;
        if !limit.may_be_raised {
            return Err(LimitError::Fixed(limit.name));
        }
        self.set.push((limit.name, value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted_and_reasons_are_given() {
        assert!(TABLE.windows(2).all(|w| w[0].name < w[1].name));
        assert!(TABLE.iter().all(|l| l.value > 0 && !l.counts.is_empty() && !l.reason.is_empty()));
    }

    #[test]
    fn amounts_have_units() {
        assert_eq!([7.0, 1500.0, 2.5e7, 8e12].map(amount), ["7 bytes", "1.5 kB", "25.0 MB", "8000.0 GB"]);
    }

    #[test]
    fn the_last_value_holds() {
        let mut limits = Limits::default();
        assert_eq!(limits.of(&ENTRIES), ENTRIES.value);
        limits.set("entries", 7).unwrap();
        limits.set("entries", 8).unwrap();
        assert_eq!((limits.of(&ENTRIES), limits.is_set(&MEMORY)), (8, false));
        assert_eq!(limits.set("calls", 7), Err(LimitError::Fixed("calls")));
        assert!(limits.set("entry", 7).unwrap_err().to_string().contains("`entries`, `expansion`"));
    }
}
