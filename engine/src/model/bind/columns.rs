//! Datasets: each column is read once and dropped once its rows have gone to the parts that use them, so no row is kept
//! that nobody uses. Images stay the bytes of their file: numbers take eight times their memory.

use std::collections::HashMap;
use std::ops::Range;

use blo_grammar::diagnostic::Diagnostic;

use super::files::column_name;
use super::{Binder, Bound, Wanted, shape_hint};
use crate::data::{self, Array, Noise, Source, Stored};
use crate::model::message;
use crate::model::problem::{Column, Corruption, DataItem, DataOrigin, Kind, Problem};
use crate::shape::{Dim, SizeError};

/// What a `corrupt` item did.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrupted {
    /// The column, as `train.v`.
    pub name: String,
    /// Labels that differ from the file's.
    pub wrong: usize,
    /// All labels.
    pub rows: usize,
    /// The fraction asked for.
    pub fraction: f64,
}

/// Which rows of its dataset a view holds, zero-based, in order.
#[derive(Clone, Debug)]
enum ViewRows {
    Range(Range<usize>),
    List(Vec<usize>),
}

impl ViewRows {
    fn len(&self) -> usize {
        match self {
            ViewRows::Range(r) => r.len(),
            ViewRows::List(l) => l.len(),
        }
    }

    fn at(&self, i: usize) -> usize {
        match self {
            ViewRows::Range(r) => r.start + i,
            ViewRows::List(l) => l[i],
        }
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        (0..self.len()).map(|i| self.at(i))
    }

    /// The rows at these places, through a permutation if there is one.
    fn part(&self, places: Range<usize>, order: Option<&[usize]>) -> ViewRows {
        match (self, order) {
            (ViewRows::Range(r), None) => ViewRows::Range(r.start + places.start..r.start + places.end),
            (_, None) => ViewRows::List(places.map(|i| self.at(i)).collect()),
            (_, Some(order)) => ViewRows::List(order[places].iter().map(|i| self.at(*i)).collect()),
        }
    }
}

impl Binder<'_> {
    /// Binds every column of every dataset that is used.
    pub(super) fn datasets(&mut self, source: &dyn Source, seed: u64) {
        let mut waiting: Vec<usize> = (0..self.problem.tables.datasets.len()).collect();
        while !waiting.is_empty() {
            let (mut ready, mut rest): (Vec<usize>, Vec<usize>) =
                waiting.into_iter().partition(|d| self.parts_known(*d));
            if ready.is_empty() {
                ready.append(&mut rest);
            }
            ready.iter().for_each(|d| self.dataset(*d, source, seed));
            waiting = rest;
        }
    }

    /// Whether the sizes of a dataset's parts wait for nothing but its own rows.
    fn parts_known(&self, d: usize) -> bool {
        let tables = &self.problem.tables;
        let own = |view: &usize| tables.views[*view].dataset == d;
        let rows = |symbol: &str| {
            (0..tables.views.len())
                .filter(own)
                .any(|view| tables.views[view].rows.as_symbol().is_some_and(|s| **s == *symbol))
        };
        let sizes = tables.splits.iter().filter(|s| own(&s.source)).flat_map(|s| &s.sizes);
        sizes.flat_map(Dim::symbols).all(|symbol| self.sizes.get(symbol).is_some() || rows(symbol))
    }

    fn dataset(&mut self, d: usize, source: &dyn Source, seed: u64) {
        let problem = self.problem;
        // Files first: they say how many rows there are.
        let columns = &problem.tables.datasets[d].columns;
        let name = &problem.tables.datasets[d].name;
        let is_lent = |c: &usize| source.lent(&column_name(name, &columns[*c].name)).is_some();
        let is_file = |c: &usize| matches!(columns[*c].origin, DataOrigin::File { .. }) || is_lent(c);
        let used = |c: &usize| users(problem, d, *c).next().is_some();
        let wanted: Vec<usize> = (0..columns.len()).filter(used).collect();
        let Some(first) = wanted.iter().copied().find(is_file).or_else(|| (0..columns.len()).find(is_file)) else {
            return;
        };
        if wanted.is_empty() && !problem.tables.datasets[d].counted {
            return;
        }
        let mut order = vec![first];
        order.extend(wanted.iter().copied().filter(|c| *c != first && is_file(c)));
        order.extend(wanted.iter().copied().filter(|c| !is_file(c)));
        let mut views = None;
        let mut counted = None;
        for c in order {
            let stored = match self.column(d, c, source, seed) {
                Ok(stored) => stored,
                Err(diagnostic) => {
                    self.diagnostics.push(*diagnostic);
                    continue;
                }
            };
            let found = (columns[c].name.as_str(), columns[c].span, stored.shape()[0]);
            match counted {
                None => counted = Some(found),
                Some(first) if first.2 != found.2 => {
                    self.diagnostics.push(message::rows_differ(first, found));
                    continue;
                }
                Some(_) => {}
            }
            if views.is_none() {
                views = self.views(d, found.2, seed);
            }
            match &views {
                Some(views) => self.hand_out(d, c, stored, views),
                None => break,
            }
        }
    }

    fn column(&mut self, d: usize, c: usize, source: &dyn Source, seed: u64) -> Result<Stored, Box<Diagnostic>> {
        let problem = self.problem;
        let dataset = &problem.tables.datasets[d];
        let column = &dataset.columns[c];
        let name = column_name(&dataset.name, &column.name);
        if let Some(numbers) = self.lent((&name, column.kind, column.span), source)? {
            let found: Vec<Option<usize>> = numbers.shape.iter().map(|n| Some(*n)).collect();
            self.match_column(&dataset.name, column, &found, None)?;
            return Ok(Stored::Lent(numbers.with_rank(column.shape.rank())));
        }
        match &column.origin {
            DataOrigin::File { path, .. } => {
                let stored = self.load(&name, &column.origin, source)?;
                let found: Vec<Option<usize>> = stored.shape().iter().map(|n| Some(*n)).collect();
                self.match_column(&dataset.name, column, &found, Some(path))?;
                Ok(stored)
            }
            DataOrigin::Generator { generator, stream, options } => {
                let shape = column.shape.sizes(&self.sizes);
                let shape = shape.map_err(|why| Box::new(message::bad_size(column.span, &why, &[])))?;
                let array = data::generate(generator, &shape, options, seed, stream);
                array.map(Stored::from).map_err(|e| Box::new(message::ungenerated(column.span, &e)))
            }
            _ => unreachable!("columns are files or generated"),
        }
    }

    /// The extents of a file, or of what the caller gives, against those of a column. The number of rows may differ from that of the columns before it:
    /// that has a message of its own.
    pub(super) fn match_column(
        &mut self,
        dataset: &str,
        column: &Column,
        found: &[Option<usize>],
        path: Option<&str>,
    ) -> Result<(), Box<Diagnostic>> {
        let source = match &column.origin {
            DataOrigin::File { path_span, .. } => *path_span,
            _ => column.span,
        };
        let (name, hint, lent) = (column_name(dataset, &column.name), shape_hint(&column.origin), path.is_none());
        let path = path.unwrap_or_default();
        let wanted = Wanted { name: &name, shape: &column.shape, span: column.span, source, hint, lent };
        let mut found = found.to_vec();
        if let (Some(rows), Ok(known)) = (found.first_mut(), column.shape.0[0].size(&self.sizes)) {
            *rows = rows.map(|_| known);
        }
        self.match_shape(&wanted, &found, path)
    }

    /// The rows of every view of a dataset; `None` when a split asks for more than there are.
    fn views(&mut self, dataset: usize, rows: usize, seed: u64) -> Option<HashMap<usize, ViewRows>> {
        self.derive_sizes();
        if !self.discharge() {
            return None;
        }
        let tables = &self.problem.tables;
        let of = |v: &usize| tables.views[*v].dataset == dataset;
        let whole = (0..tables.views.len()).find(|v| of(v) && tables.views[*v].parent.is_none());
        let mut views: HashMap<usize, ViewRows> = whole.map(|v| (v, ViewRows::Range(0..rows))).into_iter().collect();
        for split in tables.splits.iter().filter(|s| of(&s.source)) {
            let source = views.get(&split.source)?.clone();
            let name = format!("split {}", tables.views[split.source].name);
            let order = split.seed.map(|item_seed| data::permutation(source.len(), seed, item_seed, &name));
            let mut first = 0;
            for (part, size) in split.parts.iter().zip(&split.sizes) {
                let count = match size.size(&self.sizes) {
                    Ok(count) => count,
                    Err(SizeError::Unknown(_)) if !self.diagnostics.is_empty() => return None,
                    Err(SizeError::Unknown(_)) => {
                        let view = &tables.views[*part];
                        self.diagnostics.push(message::part_of_unknown_size(view.span, &view.name, &size.to_string()));
                        return None;
                    }
                    Err(why) => {
                        self.diagnostics.push(message::bad_size(tables.views[*part].span, &why, &[]));
                        return None;
                    }
                };
                views.insert(*part, source.part(first..first + count, order.as_deref()));
                first += count;
            }
        }
        Some(views)
    }

    /// Gives the rows of a column to the items that use them.
    fn hand_out(&mut self, dataset: usize, column: usize, stored: Stored, views: &HashMap<usize, ViewRows>) {
        let problem = self.problem;
        let tables = &problem.tables;
        let own = |c: &&Corruption| c.column == column && tables.views[c.view].dataset == dataset;
        for corruption in tables.corruptions.iter().filter(own) {
            let Some(rows) = views.get(&corruption.view) else { continue };
            let labels = stored.rows(rows.iter()).into_array();
            let wrong = noisy(corruption, rows, &labels).zip(&labels.values).filter(|(new, old)| new != *old).count();
            let name = tables.column_name(corruption.view, column);
            let (rows, fraction) = (rows.len(), corruption.fraction);
            self.corrupted.push(Corrupted { name, wrong, rows, fraction });
        }
        let users: Vec<&DataItem> = users(problem, dataset, column).collect();
        let mut stored = Some(stored);
        for (k, item) in users.iter().enumerate() {
            let (view, is_mask) = match item.origin {
                DataOrigin::Column { view, .. } => (view, false),
                DataOrigin::Mask { view, .. } => (view, true),
                _ => unreachable!("users are columns and masks"),
            };
            let rows = &views[&view];
            let noise = tables.corruption(view, column);
            if let (Some(Stored::Lent(numbers)), ViewRows::Range(range), None) = (&stored, rows, noise) {
                // what the caller lends is read where it is
                self.values[item.formal] = Some(Bound::Real(numbers.consecutive(range.clone())));
                continue;
            }
            let whole = matches!(rows, ViewRows::Range(r) if stored.as_ref().is_some_and(|s| *r == (0..s.shape()[0])));
            let part = match stored.take() {
                // The last user may have it all without a copy.
                Some(all) if whole && k + 1 == users.len() => all,
                Some(all) => {
                    let part = all.rows(rows.iter());
                    stored = Some(all);
                    part
                }
                None => unreachable!("only the last user takes it"),
            };
            let mut array = match part {
                Stored::Bytes(bytes) if item.kind == Kind::Real => {
                    self.values[item.formal] = Some(Bound::Real(bytes.into()));
                    continue;
                }
                Stored::Lent(numbers) if noise.is_none() => {
                    self.values[item.formal] = Some(Bound::Real(numbers));
                    continue;
                }
                part => part.into_array(),
            };
            if let Some(c) = noise {
                let noisy: Vec<f64> = noisy(&tables.corruptions[c], rows, &array).collect();
                if is_mask {
                    let marks = noisy.iter().zip(&array.values).map(|(new, old)| f64::from(u8::from(new != old)));
                    array.values = marks.collect();
                } else {
                    array.values = noisy;
                }
            }
            self.values[item.formal] = Some(array.into());
        }
    }
}

/// The data items that hold a column of a dataset, or mark its wrong labels.
fn users(problem: &Problem, dataset: usize, column: usize) -> impl Iterator<Item = &DataItem> {
    problem.data.iter().filter(move |item| match item.origin {
        DataOrigin::Column { view, column: c } | DataOrigin::Mask { view, column: c } => {
            c == column && problem.tables.views[view].dataset == dataset
        }
        _ => false,
    })
}

/// The labels of a view with the noise on them.
fn noisy<'a>(c: &Corruption, rows: &'a ViewRows, labels: &'a Array) -> impl Iterator<Item = f64> + use<'a> {
    let (fraction, replacement, seed) = (c.fraction, c.replacement, c.seed);
    let noise = Noise { fraction, replacement, seed, classes: c.classes as u64 };
    rows.iter().zip(&labels.values).map(move |(row, label)| noise.label(row as u64, *label as u64) as f64)
}
