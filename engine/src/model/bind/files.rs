//! Files as the data items of a problem read them: which rows `missing = drop` leaves out, and what is said on the way.
//!
//! A row is left out of everything that reads its file, and of all columns of a dataset, where any item with
//! `missing = drop` lacks a value in it: items of a file always have the same rows, whatever columns they select.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Binder;
use crate::data::{self, Header, HeaderRow, Numbers, OptionValue, ReadError, Source, Stored};
use crate::model::message;
use crate::model::problem::{DataOrigin, Kind, Problem};

/// What became of missing values.
#[derive(Clone, Debug, PartialEq)]
pub enum Gap {
    /// Rows of a file that were left out.
    Dropped {
        /// The file.
        path: String,
        /// How many.
        rows: usize,
    },
    /// Values of an item that are the mean of their column.
    Filled {
        /// The item.
        name: String,
        /// How many.
        values: usize,
    },
}

/// A file that an item reads.
struct Use<'a> {
    format: &'a str,
    path: &'a str,
    options: &'a [(String, OptionValue)],
}

impl<'a> Use<'a> {
    fn of(origin: &'a DataOrigin) -> Option<Use<'a>> {
        match origin {
            DataOrigin::File { format, path, options, .. } => Some(Use { format, path, options }),
            _ => None,
        }
    }
}

impl Binder<'_> {
    /// Finds the rows that are left out, per file. What cannot be read is reported when it is read for its values.
    pub(super) fn find_gaps(&mut self, source: &dyn Source) {
        let problem = self.problem;
        let mut gaps: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (name, file) in uses(problem) {
            if source.lent(&name).is_some() {
                continue;
            }
            let Some(format) = data::format(file.format) else { continue };
            let rows = format.gaps(source, file.path, file.options).unwrap_or_default();
            gaps.entry(source.same_file(file.path)).or_default().extend(rows);
        }
        gaps.retain(|_, rows| !rows.is_empty());
        if gaps.is_empty() {
            return;
        }
        let mut told = BTreeSet::new();
        for group in groups(problem, source) {
            let rows: BTreeSet<usize> = group.keys().filter_map(|file| gaps.get(file)).flatten().copied().collect();
            if rows.is_empty() {
                continue;
            }
            for (file, path) in group {
                if told.insert(file.clone()) {
                    self.gaps.push(Gap::Dropped { path: path.to_owned(), rows: rows.len() });
                }
                self.left_out.insert(file, rows.iter().copied().collect());
            }
        }
    }

    /// What a caller lends for an item called `name`; every number is looked at, as a reader would.
    ///
    /// # Errors
    /// A number that is not finite, and a label or a truth value that is none.
    pub(super) fn lent(
        &self,
        (name, kind, span): (&str, Kind, Span),
        source: &dyn Source,
    ) -> Result<Option<Numbers>, Box<Diagnostic>> {
        let Some(numbers) = source.lent(name) else { return Ok(None) };
        let fits = |v: f64| match kind {
            Kind::Real => v.is_finite(),
            Kind::Boolean => v == 0.0 || v == 1.0,
            Kind::Label(classes) => v >= 0.0 && v.fract() == 0.0 && classes.is_none_or(|n| v < n as f64),
        };
        match numbers.values().enumerate().find(|(_, v)| !fits(*v)) {
            None => Ok(Some(numbers.clone())),
            Some((at, value)) => {
                let last = |n: usize| format!("a class from 0 to {}", n.saturating_sub(1));
                let (what, help) = match kind {
                    Kind::Real => ("a finite number".to_owned(), "leave out rows that lack a value, or fill it in"),
                    Kind::Boolean => ("0 or 1".to_owned(), "write 0 for false and 1 for true"),
                    Kind::Label(n) => (n.map_or_else(|| "a class".to_owned(), last), "count classes from 0"),
                };
                Err(Box::new(message::lent_value(span, name, (at, &numbers.shape), value, (&what, help))))
            }
        }
    }

    /// Reads the file of an item called `name`.
    pub(super) fn load(
        &mut self,
        name: &str,
        origin: &DataOrigin,
        source: &dyn Source,
    ) -> Result<Stored, Box<Diagnostic>> {
        let DataOrigin::File { format, path, path_span, options } = origin else {
            unreachable!("the caller asks for a file")
        };
        let Some(format) = data::format(format) else { unreachable!("the checker looked `{format}` up") };
        let failed = |e: ReadError| Box::new(message::unreadable(*path_span, &e));
        if format.is_text
            && let Ok(header) = format.header(source, path, options)
        {
            let warnings = self.doubts(&header, path, *path_span);
            self.warnings.extend(warnings);
        }
        let left_out = self.left_out.get(&source.same_file(path)).map_or(&[][..], Vec::as_slice);
        let loaded = format.load(source, path, options, left_out).map_err(failed)?;
        if loaded.filled > 0 {
            self.gaps.push(Gap::Filled { name: name.to_owned(), values: loaded.filled });
        }
        Ok(loaded.stored)
    }

    /// What is doubtful about a file's first row or column; each file is doubted once.
    pub(super) fn doubts(&mut self, header: &Header, path: &str, span: Span) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let doubted = match header.header_row {
            HeaderRow::Suspected => Some(false),
            HeaderRow::Believed => Some(true),
            HeaderRow::Given | HeaderRow::Detected | HeaderRow::Absent => None,
        };
        if let Some(as_names) = doubted.filter(|_| self.doubted.insert((path.to_owned(), "names"))) {
            found.push(message::header_suspected(span, path, as_names));
        }
        if header.index_column && self.doubted.insert((path.to_owned(), "index")) {
            found.push(message::index_column(span, path, header.names.len()));
        }
        found
    }
}

/// All files that a problem names, with the item that reads each and its options.
fn uses(problem: &Problem) -> impl Iterator<Item = (String, Use<'_>)> {
    let datasets = &problem.tables.datasets;
    let columns = datasets.iter().flat_map(|d| d.columns.iter().map(|c| (column_name(&d.name, &c.name), &c.origin)));
    let items = problem.data.iter().map(|item| (item.name.clone(), &item.origin));
    columns.chain(items).filter_map(|(name, origin)| Some((name, Use::of(origin)?)))
}

/// A column of a dataset, as callers name it.
pub(super) fn column_name(dataset: &str, column: &str) -> String {
    format!("{dataset}.{column}")
}

/// Files whose rows belong together, each with its path as written first: the files of a dataset, and those of datasets
/// that share a file.
fn groups<'a>(problem: &'a Problem, source: &dyn Source) -> Vec<BTreeMap<String, &'a str>> {
    let file = |origin| Use::of(origin).map(|file| (source.same_file(file.path), file.path));
    let mut groups: Vec<BTreeMap<String, &str>> = Vec::new();
    let mut add = |files: &mut dyn Iterator<Item = (String, &'a str)>| {
        let mut group: BTreeMap<String, &'a str> = BTreeMap::new();
        for (file, path) in files {
            group.entry(file).or_insert(path);
        }
        let shares = |other: &BTreeMap<String, &str>| group.keys().any(|file| other.contains_key(file));
        let (shared, apart): (Vec<_>, Vec<_>) = std::mem::take(&mut groups).into_iter().partition(shares);
        for (file, path) in shared.into_iter().flatten() {
            // the first spelling of a file is the one that is shown
            group.insert(file, path);
        }
        groups = apart;
        groups.push(group);
    };
    for dataset in &problem.tables.datasets {
        add(&mut dataset.columns.iter().filter_map(|column| file(&column.origin)));
    }
    for item in &problem.data {
        if let Some(file) = file(&item.origin) {
            add(&mut std::iter::once(file));
        }
    }
    groups
}
