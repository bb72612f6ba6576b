//! Values for the data of a problem: reads files, runs generators, evaluates filters, and checks what could not be
//! checked before: shapes against files, wholeness of sizes, subscripts within their axes, empty sets.

mod columns;
mod doubts;
mod episodes;
mod files;
mod headers;
mod start;

use std::collections::{HashMap, HashSet};

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::arena::Arena;
use crate::data::{self, Array, Numbers, Source, Stored};
use crate::graph::{Elem, Function};
use crate::limits::MEMORY;
use crate::model::message;
use crate::model::problem::{Claim, DataItem, DataOrigin, Kind, Obligation, Problem, Verdict, well_formed};
use crate::model::rows::data_item::source_span;
use crate::oracle::{self, Tensor, Value};
use crate::profile::Profiler;
use crate::shape::{Dim, Shape, SizeError, Sizes};
use crate::stop::StopToken;

pub use columns::Corrupted;
use doubts::OF_VALUES;
pub use episodes::{has_tasks, redraw};
pub use files::Gap;
pub use headers::{FILE_NOT_THERE, headers};
pub use start::StartError;

/// The values of a problem's data.
#[derive(Clone, Debug)]
pub struct Bindings {
    /// Values of all sizes.
    pub sizes: Sizes,
    /// Per data formal, in the order of the formals after the variables.
    pub values: Vec<Bound>,
    /// What label noise did, per item in the order of the file.
    pub corrupted: Vec<Corrupted>,
    /// Values that variables start from instead of what the file states, by their formals.
    pub start: Vec<(usize, Vec<f64>)>,
    /// Stops what is computed of these data. The caller replaces it by its own.
    pub stop: StopToken,
    /// What programs of these data share.
    pub arena: Arena,
    /// Takes the times of programs of these data, where a run is profiled.
    pub profiler: Option<Profiler>,
    /// What became of missing values.
    pub gaps: Vec<Gap>,
    /// Doubts about what was read.
    pub warnings: Vec<Diagnostic>,
}

/// The values of one data formal.
#[derive(Clone, Debug)]
pub enum Bound {
    /// Numbers, which every program reads in place.
    Real(Numbers),
    /// Zero-based positions.
    Index(Vec<usize>),
}

impl From<Array> for Bound {
    fn from(array: Array) -> Bound {
        Bound::Real(array.into())
    }
}

impl Bound {
    /// As an input of the oracle.
    pub fn value(&self) -> Value<f64> {
        match self {
            Bound::Real(numbers) => Value::Real(Tensor::new(numbers.shape.clone(), numbers.values().collect())),
            Bound::Index(positions) => Value::Index(positions.clone()),
        }
    }
}

/// Reads and generates the data of a problem. `seed` is the run seed.
///
/// # Errors
/// Every mistake found, located where the data item is written, and what is doubtful about the files.
pub fn bind(problem: &Problem, source: &dyn Source, seed: u64) -> Result<Bindings, Vec<Diagnostic>> {
    let mut binder = Binder::new(problem);
    binder.check_memory();
    if !binder.diagnostics.is_empty() {
        return Err(binder.diagnostics);
    }
    binder.find_gaps(source);
    // parts of datasets may be as long as a file
    let first: Vec<&DataItem> = problem.data.iter().filter(|item| binder.states_a_part(item)).collect();
    binder.items(&first, source, seed);
    binder.datasets(source, seed);
    let rest: Vec<&DataItem> = problem.data.iter().filter(|item| binder.values[item.formal].is_none()).collect();
    binder.items(&rest, source, seed);
    binder.derive_sizes();
    if binder.discharge() {
        binder.nothing_is_open();
    }
    if binder.diagnostics.is_empty() {
        binder.check_sets(f64::INFINITY);
        let doubts = binder.doubts_of_values(OF_VALUES);
        binder.warnings.extend(doubts);
    }
    if !binder.diagnostics.is_empty() {
        // a doubt about a file may be the reason for the rest
        binder.diagnostics.append(&mut binder.warnings);
        binder.diagnostics.sort_by_key(|d| d.primary.span);
        // both shares of episodes draw the same rows
        binder.diagnostics.dedup();
        return Err(binder.diagnostics);
    }
    let first = problem.variables().count();
    let values = binder.values.into_iter().skip(first).flatten().collect();
    let Binder { sizes, corrupted, gaps, warnings, .. } = binder;
    Ok(Bindings {
        sizes,
        values,
        corrupted,
        gaps,
        warnings,
        start: Vec::new(),
        stop: StopToken::default(),
        arena: Arena::default(),
        profiler: None,
    })
}

struct Binder<'a> {
    problem: &'a Problem,
    sizes: Sizes,
    values: Vec<Option<Bound>>,
    corrupted: Vec<Corrupted>,
    diagnostics: Vec<Diagnostic>,
    /// What must hold and is not decided yet.
    open: Vec<&'a Obligation>,
    warnings: Vec<Diagnostic>,
    gaps: Vec<Gap>,
    /// Rows that `missing = drop` leaves out, per file.
    left_out: HashMap<String, Vec<usize>>,
    /// Files that there is a doubt about, and which.
    doubted: HashSet<(String, &'static str)>,
}

/// A declared array that a file must match.
struct Wanted<'a> {
    name: &'a str,
    shape: &'a Shape,
    /// The declaration.
    span: Span,
    /// Where the file is named.
    source: Span,
    /// What helps where the shape is another.
    hint: &'static str,
    /// The caller gives it, and no file.
    lent: bool,
}

impl<'a> Wanted<'a> {
    fn of(item: &'a DataItem) -> Wanted<'a> {
        let hint = shape_hint(&item.origin);
        Wanted { name: &item.name, shape: &item.shape, span: item.span, source: source_span(item), hint, lent: false }
    }

    fn lent(item: &'a DataItem) -> Wanted<'a> {
        Wanted { lent: true, ..Wanted::of(item) }
    }
}

fn shape_hint(origin: &DataOrigin) -> &'static str {
    match origin {
        DataOrigin::File { format, .. } => data::format(format).map_or("", |f| f.shape_hint),
        _ => "",
    }
}

/// `None` when an earlier mistake is the reason.
type Failure = Option<Box<Diagnostic>>;

impl Binder<'_> {
    fn new(problem: &Problem) -> Binder<'_> {
        Binder {
            problem,
            sizes: problem.sizes.clone(),
            values: vec![None; problem.formals.len()],
            corrupted: Vec::new(),
            diagnostics: Vec::new(),
            open: problem.obligations.iter().collect(),
            warnings: Vec::new(),
            gaps: Vec::new(),
            left_out: HashMap::new(),
            doubted: HashSet::new(),
        }
    }

    /// Whether the rows of a file are the size of a part of a dataset.
    fn states_a_part(&self, item: &DataItem) -> bool {
        let parts = || self.problem.tables.splits.iter().flat_map(|s| &s.sizes).flat_map(Dim::symbols);
        let open = |symbol: &str| self.sizes.get(symbol).is_none() && parts().any(|s| **s == *symbol);
        matches!(item.origin, DataOrigin::File { .. })
            && item.shape.0.iter().filter_map(Dim::as_symbol).any(|symbol| open(symbol))
    }

    /// Values of items that are not columns of datasets, in their order, as far as nothing is wrong.
    fn items(&mut self, items: &[&DataItem], source: &dyn Source, seed: u64) {
        for item in items {
            self.derive_sizes();
            if matches!(item.origin, DataOrigin::Column { .. } | DataOrigin::Mask { .. }) {
                continue;
            }
            if !self.discharge() || !self.diagnostics.is_empty() && matches!(item.origin, DataOrigin::Filter { .. }) {
                break;
            }
            match self.item(item, source, seed) {
                Ok(value) => self.values[item.formal] = Some(value),
                Err(Some(diagnostic)) => self.diagnostics.push(*diagnostic),
                Err(None) => {}
            }
        }
    }

    /// The values of an item that is not a column of a dataset.
    fn item(&mut self, item: &DataItem, source: &dyn Source, seed: u64) -> Result<Bound, Failure> {
        let boxed = |d: Diagnostic| Some(Box::new(d));
        if let DataOrigin::File { .. } | DataOrigin::Generator { .. } = &item.origin
            && let Some(numbers) = self.lent((&item.name, item.kind, item.span), source).map_err(Some)?
        {
            let found: Vec<Option<usize>> = numbers.shape.iter().map(|n| Some(*n)).collect();
            self.match_shape(&Wanted::lent(item), &found, "").map_err(Some)?;
            return Ok(Bound::Real(numbers.with_rank(item.shape.rank())));
        }
        match &item.origin {
            DataOrigin::File { path, .. } => {
                let stored = self.load(&item.name, &item.origin, source).map_err(Some)?;
                let found: Vec<Option<usize>> = stored.shape().iter().map(|n| Some(*n)).collect();
                self.match_shape(&Wanted::of(item), &found, path).map_err(Some)?;
                // Labels and truth values are few, and read as numbers.
                let numbers = match stored {
                    Stored::Bytes(bytes) if item.kind == Kind::Real => Numbers::from(bytes),
                    stored => stored.into_array().into(),
                };
                Ok(Bound::Real(numbers.with_rank(item.shape.rank())))
            }
            DataOrigin::Generator { generator, stream, options } => {
                let shape = item.shape.sizes(&self.sizes).map_err(|e| self.size_failure(item, &e))?;
                let array = data::generate(generator, &shape, options, seed, stream);
                array.map(Bound::from).map_err(|e| boxed(message::ungenerated(item.span, &e)))
            }
            DataOrigin::TaskRows { episodes, share, labels } => {
                self.task_rows(*episodes, *share, *labels, seed).map_err(Some)?.ok_or(None)
            }
            DataOrigin::Followers { .. } => {
                let shape = item.shape.sizes(&self.sizes).map_err(|e| self.size_failure(item, &e))?;
                let zeros = vec![0.0; shape.iter().product()];
                Ok(Array::new(shape, zeros).into())
            }
            DataOrigin::Multiplier { .. } => {
                let shape = item.shape.sizes(&self.sizes).map_err(|e| self.size_failure(item, &e))?;
                let unknown = vec![f64::NAN; shape.iter().product()];
                Ok(Array::new(shape, unknown).into())
            }
            DataOrigin::Residual => Ok(Array::new(Vec::new(), vec![f64::NAN]).into()),
            DataOrigin::TaskLabels { episodes, share } => Ok(self.task_labels(*episodes, *share).into()),
            DataOrigin::Column { .. } | DataOrigin::Mask { .. } => {
                unreachable!("columns are bound with their datasets")
            }
            DataOrigin::Filter { condition, start, step, .. } => {
                self.problem.affords(condition, &self.sizes, 1.0).map_err(Some)?;
                let kept = self.evaluate(condition).ok_or(None)?;
                let start = start.place(kept.len(), &self.sizes).map_err(|e| self.size_failure(item, &e))?;
                let held = kept.iter().enumerate().filter(|(_, v)| **v != 0.0);
                let positions: Vec<usize> = held.map(|(i, _)| start + i * *step as usize).collect();
                if positions.is_empty() {
                    return Err(boxed(message::empty_filter(item.span, &item.name, kept.len())));
                }
                if let Some(symbol) = item.shape.0[0].as_symbol() {
                    self.found_length(symbol, positions.len() as i64, item.span);
                }
                Ok(Bound::Index(positions))
            }
        }
    }

    fn size_failure(&self, item: &DataItem, why: &SizeError) -> Failure {
        match why {
            SizeError::Unknown(_) if !self.diagnostics.is_empty() => None,
            _ => Some(Box::new(message::bad_size(item.span, why, &[]))),
        }
    }

    /// The file's shape, as far as it is known, against the declared one; symbols without a value take it from the file.
    fn match_shape(&mut self, wanted: &Wanted<'_>, found: &[Option<usize>], path: &str) -> Result<(), Box<Diagnostic>> {
        // One column read without naming it is as good as a rank-1 array.
        let found = match found {
            [rows, Some(1)] if wanted.shape.rank() == 1 => &[*rows][..],
            _ => found,
        };
        let mismatch = |sizes: &Sizes| {
            let declared = wanted.shape.0.iter().map(|d| match d.value(sizes) {
                Ok(v) if d.as_integer().is_none() => format!("{d} = {v}"),
                _ => d.to_string(),
            });
            let declared = format!("[{}]", declared.collect::<Vec<_>>().join(", "));
            let shown = found.iter().map(|n| n.map_or("?".to_string(), |n| n.to_string()));
            let shown = format!("[{}]", shown.collect::<Vec<_>>().join(", "));
            if wanted.lent {
                return Box::new(message::lent_shape(wanted.span, wanted.name, &shown, &declared));
            }
            Box::new(message::file_shape(
                wanted.source,
                wanted.name,
                path,
                &shown,
                (&declared, wanted.span),
                wanted.hint,
            ))
        };
        if found.len() != wanted.shape.rank() {
            return Err(mismatch(&self.sizes));
        }
        for (d, n) in wanted.shape.0.iter().zip(found) {
            let Some(n) = n else { continue };
            match d.size(&self.sizes) {
                Ok(size) if size == *n => {}
                Ok(_) => return Err(mismatch(&self.sizes)),
                Err(_) => match d.as_symbol() {
                    Some(symbol) => self.sizes.set(symbol, *n as i64),
                    None => return Err(mismatch(&self.sizes)),
                },
            }
        }
        Ok(())
    }

    /// Sizes that no machine holds are refused before anything is allocated.
    fn check_memory(&mut self) {
        let items = self.problem.data.iter().map(|d| (&d.name, &d.shape, d.span));
        let all: Vec<_> = self.problem.variables().map(|v| (&v.name, &v.shape, v.span)).chain(items).collect();
        let count = |shape: &Shape| {
            let known = shape.0.iter().filter_map(|d| d.value(&self.sizes).ok());
            known.map(|v| *v.numer() as f64 / *v.denom() as f64).product::<f64>()
        };
        let total: f64 = all.iter().map(|(_, shape, _)| count(shape)).sum();
        let most = self.problem.limits.of(&MEMORY) as f64;
        if total * size_of::<f64>() as f64 > most {
            let largest = all.iter().max_by(|a, b| count(a.1).total_cmp(&count(b.1)));
            if let Some((name, shape, span)) = largest {
                self.diagnostics.push(message::too_much_memory(*span, name, &shape.to_string(), total, most));
            }
        }
    }

    /// Every size has a value when all data are bound, but for the rows of a dataset that nothing reads.
    fn nothing_is_open(&mut self) {
        let needed = |o: &&&Obligation| !matches!(o.claim, Claim::Parts { .. });
        let Some(open) = self.open.iter().find(needed).filter(|_| self.diagnostics.is_empty()) else { return };
        let unknown = open.claim.dims().into_iter().find_map(|d| d.value(&self.sizes).err());
        debug_assert!(false, "{} is open", open.words());
        let why = unknown.unwrap_or_else(|| SizeError::Unknown(open.words()));
        self.diagnostics.push(message::bad_size(open.span, &why, &[]));
    }

    fn derive_sizes(&mut self) {
        for d in &self.problem.derived_sizes {
            if let Ok(reach) = d.reach.value(&self.sizes) {
                let n = reach.floor().to_integer().max(0) as i64;
                self.found_length(&d.symbol, (n + d.stride - 1) / d.stride, d.span);
            }
        }
    }

    /// The length of an index array; a width that was left to a file may have met it before it was known.
    fn found_length(&mut self, symbol: &str, length: i64, span: Span) {
        if let Some(expected) = self.sizes.get(symbol).filter(|expected| *expected != length) {
            let uses = |item: &&DataItem| {
                matches!(item.origin, DataOrigin::File { .. } | DataOrigin::Column { .. })
                    && item.shape.0.iter().flat_map(Dim::symbols).any(|s| **s == *symbol)
            };
            let user = self.problem.data.iter().find(uses).map(|item| (item.name.as_str(), item.span));
            self.diagnostics.push(message::other_length(span, length, expected, user));
        }
        self.sizes.set(symbol, length);
    }

    /// Judges what is still open. False when something does not hold: then nothing may be evaluated. What nodes take for
    /// granted follows from what was written, so that it is blamed only where nothing else is.
    fn discharge(&mut self) -> bool {
        let mut broken = Vec::new();
        let mut open = Vec::new();
        for o in std::mem::take(&mut self.open) {
            if o.of_node && !broken.is_empty() {
                break;
            }
            match o.judge(&self.sizes, &self.problem.limits) {
                Verdict::Holds => {}
                Verdict::Open => open.push(o),
                Verdict::Broken(diagnostic) => broken.push(*diagnostic),
            }
        }
        self.open = open;
        let holds = broken.is_empty();
        self.diagnostics.extend(broken);
        holds
    }

    /// Judges the sets whose parameters take at most so many operations.
    fn check_sets(&mut self, most: f64) {
        for v in self.problem.variables() {
            let Some(set) = &v.set else { continue };
            let f = &set.parameters;
            if !well_formed(f, &self.sizes, &self.problem.limits) || oracle::operations(f, &self.sizes) > most {
                continue;
            }
            if let Err(why) = self.problem.affords(f, &self.sizes, 1.0) {
                self.diagnostics.push(*why);
                continue;
            }
            let Some(parameters) = self.evaluate_all(f) else { continue };
            let slices: Vec<&[f64]> = parameters.iter().map(Vec::as_slice).collect();
            if let Err((entry, why)) = (set.set.check)(&slices) {
                let entry = entry.filter(|_| !v.shape.is_scalar());
                let d = message::empty_set(set.span, &v.name, entry, &why);
                self.diagnostics.push(d);
            }
        }
    }

    fn evaluate(&self, f: &Function) -> Option<Vec<f64>> {
        self.evaluate_all(f).map(|mut all| all.swap_remove(0))
    }

    /// A function of data alone.
    fn evaluate_all(&self, f: &Function) -> Option<Vec<Vec<f64>>> {
        let mut inputs = Vec::new();
        for (i, formal) in f.inputs.iter().enumerate() {
            inputs.push(match self.values.get(i).and_then(Option::as_ref) {
                // Not needed: anything will do, and the data are not copied for it.
                _ if !f.depends_on(i) && formal.elem == Elem::Index => Value::Index(Vec::new()),
                _ if !f.depends_on(i) => Value::Real(Tensor::scalar(0.0)),
                Some(bound) => bound.value(),
                None => return None,
            });
        }
        Some(oracle::evaluate::<f64>(f, &self.sizes, &inputs).into_iter().map(|t| t.values).collect())
    }
}
