//! The checked problem: what the solvers see. Names, shapes and levels are resolved; every mathematical piece is a
//! [`Function`] over one common list of formals (upper variables, then lower variables, then data), so that a method
//! instantiates all of them with the same list of nodes.

mod batch;
mod doubt;
mod level;
mod obligation;
mod proved;
mod tables;

use std::ops::Range;
use std::sync::Arc;

pub use batch::{Batches, LevelBatch};
pub use doubt::{About, Doubt};
pub use level::{Constraint, ConstraintClass, ConstraintKind, Level, LevelId, ProxUse, ProximalTerm, SetUse, Variable};
pub use obligation::{Claim, Need, Obligation, Verdict};
pub(in crate::model) use obligation::{of_nodes, well_formed};
pub use tables::{Column, Corruption, Dataset, DatasetView, Episodes, Share, Split, Tables};

use blo_grammar::ast::{Assign, Name};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::data::OptionValue;
use crate::graph::{Formal, Function, NodeId};
use crate::limits::{Limits, MEMORY};
use crate::model::message;
use crate::oracle;
use crate::shape::{Dim, Shape, Sizes};

/// A checked bilevel problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its name; the file's name where none is declared.
    pub name: String,
    /// Inputs of every function: upper variables, lower variables, data.
    pub formals: Vec<Formal>,
    /// The levels, from the outermost: `min F`, then `min f + g`. [`LevelId`] names a place in it.
    pub levels: Vec<Level>,
    /// Where each data formal gets its values; in the order in which they can be computed.
    pub data: Vec<DataItem>,
    /// Datasets, their parts and their label noise.
    pub tables: Tables,
    /// Values of the params that are whole numbers; sizes from data are added when it is read.
    pub sizes: Sizes,
    /// Lengths of strided ranges, computed once data sizes are known.
    pub derived_sizes: Vec<DerivedSize>,
    /// What must hold of sizes that only data tell; what a person wrote first, then what nodes take for granted.
    pub obligations: Vec<Obligation>,
    /// What values of data may show, which a warning says once they are known.
    pub doubts: Vec<Doubt>,
    /// Data widths that were left open and the dimension they met.
    pub widths: Vec<(String, Dim)>,
    /// The start point: one output per variable, upper then lower.
    pub start: Function,
    /// What the literature knows of the optimum.
    pub known: Known,
    /// Presets of methods, unjudged: the solvers own their options.
    pub presets: Vec<Preset>,
    /// File-wide defaults, unjudged.
    pub options: Vec<Assign>,
    /// What `expect` items assert.
    pub expectations: Vec<Expectation>,
    /// Reported values.
    pub metrics: Vec<Metric>,
    /// What the problem may ask for.
    pub limits: Limits,
    /// The lower level put on other tasks than its own, where metrics or assertions need it solved there.
    pub other_tasks: Vec<OtherTasks>,
    /// Params that are upper variables, its last ones; none but in a problem that [`vary`](crate::model::vary) makes.
    pub varied: Vec<VariedParam>,
    /// The objectives on a batch of rows, where the steps of a method do not look at all of them; nothing but in a problem
    /// that [`with_batches`](crate::model::with_batches) makes.
    pub batches: Option<Arc<Batches>>,
}

/// Where a data formal gets its values.
#[derive(Clone, Debug)]
pub struct DataItem {
    /// Its position among the formals.
    pub formal: usize,
    /// Its name.
    pub name: String,
    /// Its declared shape; symbols without a value are bound by reading it.
    pub shape: Shape,
    /// The origin.
    pub origin: DataOrigin,
    /// What its numbers stand for.
    pub kind: Kind,
    /// The declaration.
    pub span: Span,
}

/// What the numbers of an array stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Real,
    /// Truth values, 0 or 1.
    Boolean,
    /// Class labels from 0, and how many classes there are where that is known.
    Label(Option<usize>),
}

impl Kind {
    /// True for class labels.
    pub fn is_label(self) -> bool {
        matches!(self, Kind::Label(_))
    }
}

/// The origin of data.
#[derive(Clone, Debug)]
pub enum DataOrigin {
    /// A file.
    File {
        /// Reader, a name of `data::format::FORMATS`.
        format: String,
        /// The path as written.
        path: String,
        /// Where the path is written.
        path_span: Span,
        /// The reader's options.
        options: Vec<(String, OptionValue)>,
    },
    /// A generator.
    Generator {
        /// A name of `data::generate::GENERATORS`.
        generator: String,
        /// The stream's name.
        stream: String,
        /// The generator's options.
        options: Vec<(String, OptionValue)>,
    },
    /// The zero-based positions where `condition` (rank 1, over the formals) is not zero, mapped through `start + step i`.
    Filter {
        /// One output: the condition per candidate, 0 or 1.
        condition: Function,
        /// Zero-based position of the first candidate.
        start: Dim,
        /// Distance of candidates.
        step: u32,
        /// One-based position of the last candidate.
        extent: Dim,
    },
    /// A column of a view of a dataset, with the noise on it: positions in `Problem::tables`.
    Column {
        /// The view.
        view: usize,
        /// The column of its dataset.
        column: usize,
    },
    /// Zero-based positions of the rows of all tasks: an index input.
    TaskRows {
        /// The position in `Problem::tables`.
        episodes: usize,
        /// Which rows.
        share: Share,
        /// The formal that holds the labels of the view.
        labels: usize,
    },
    /// The labels 0 to ways - 1 of the rows of all tasks.
    TaskLabels {
        /// The position in `Problem::tables`.
        episodes: usize,
        /// Which rows.
        share: Share,
    },
    /// A lower variable of the followers of other tasks: what solving the lower level there gives. Nothing is read;
    /// until it is solved, zeros.
    Followers {
        /// The position in `Problem::tables`.
        episodes: usize,
    },
    /// A residual of the run, in the assertion of a caller. Nothing is read; who judges the assertion writes it.
    Residual,
    /// The multiplier of a row, in the sign that is reported. Nothing is read; a run that has multipliers writes it, and
    /// until then it is not a number.
    Multiplier {
        /// The level of the row.
        level: LevelId,
        /// The row's name.
        name: String,
    },
    /// 1 where noise made the label of a row of a view wrong, 0 elsewhere.
    Mask {
        /// The view.
        view: usize,
        /// The column of its dataset.
        column: usize,
    },
}

/// What the literature knows of the optimum.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Per variable (upper then lower): the nearest known point, as a function of the formals.
    pub nearest: Vec<Option<Function>>,
    /// The upper objective's value in the user's sign: a function of data.
    pub upper: Option<Function>,
    /// The lower objective's value.
    pub lower: Option<Function>,
    /// The multipliers of rows by name: functions of data, each of its row's shape, in the sign that is reported.
    pub multipliers: Vec<(String, Function)>,
    /// Per variable, where its facts are written; and the same of the two objectives.
    pub spans: Vec<Span>,
    /// Of `upper` and `lower`.
    pub objective_spans: [Span; 2],
    /// From the first to the last fact; empty where nothing is known.
    pub span: Span,
}

impl Known {
    /// True where neither a point nor a value of an objective is known.
    pub fn is_empty(&self) -> bool {
        self.nearest.iter().all(Option::is_none) && self.upper.is_none() && self.lower.is_none()
    }
}

/// The lower level of a `lower for` put on the tasks of other episodes: followers that the upper level does not know.
#[derive(Clone, Debug)]
pub struct OtherTasks {
    /// The position in `Problem::tables`.
    pub episodes: usize,
    /// The level. Its variables are data formals of the problem with [`DataOrigin::Followers`].
    pub lower: Level,
    /// The start of its variables: one output each.
    pub start: Function,
    /// The first place that needs it.
    pub span: Span,
}

/// A method block.
#[derive(Clone, Debug)]
pub struct Preset {
    /// The method.
    pub method: Name,
    /// The preset's name.
    pub preset: Option<Name>,
    /// Its options.
    pub options: Vec<Assign>,
}

/// An `expect` item.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The method, if the item names one.
    pub method: Option<Name>,
    /// The preset.
    pub preset: Option<Name>,
    /// Overrides.
    pub options: Vec<Assign>,
    /// Assertions.
    pub body: Vec<Assertion>,
    /// The item.
    pub span: Span,
}

/// An assertion about the end point of a run.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Where it is written.
    pub span: Span,
    /// Its text.
    pub text: String,
    /// Over the formals: whether it holds, for each entry of an array, then the two sides of each comparison.
    pub value: Function,
    /// The comparisons that it is made of.
    pub comparisons: Vec<Comparison>,
    /// The quotients in it.
    pub quotients: Vec<Quotient>,
}

/// A comparison within an assertion.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Where its two sides are written.
    pub spans: [Span; 2],
    /// Their texts.
    pub texts: [String; 2],
}

/// A metric over the formals.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// One scalar output.
    pub value: Function,
    /// The quotients of counts in it.
    pub quotients: Vec<Quotient>,
    /// Where its value is written.
    pub span: Span,
}

/// A quotient that is 0 by convention where its denominator is 0.
#[derive(Clone, Debug)]
pub struct Quotient {
    /// Its denominator, over the formals: one output, an array where the quotient is one of several.
    pub denominator: Function,
    /// What it is, such as `precision`.
    pub name: &'static str,
    /// What a denominator of 0 means.
    pub empty: &'static str,
    /// Where it is written.
    pub span: Span,
}

impl Problem {
    /// A level.
    pub fn level(&self, id: LevelId) -> &Level {
        &self.levels[id.index()]
    }

    /// The upper level: `min F`.
    pub fn upper(&self) -> &Level {
        self.level(LevelId::UPPER)
    }

    /// The lower level: `min f + g`.
    pub fn lower(&self) -> &Level {
        self.level(LevelId::LOWER)
    }

    /// The rows of a level: what limits its variables beside their sets.
    pub fn rows(&self, id: LevelId) -> &[Constraint] {
        &self.level(id).constraints
    }

    /// True where a level has rows, which a method must state that it takes.
    pub fn has_rows(&self) -> bool {
        self.levels.iter().any(|level| !level.constraints.is_empty())
    }

    /// The inputs that hold multipliers, each with the level and the name of its row.
    pub fn multiplier_inputs(&self) -> impl Iterator<Item = (&DataItem, LevelId, &str)> {
        self.data.iter().filter_map(|item| match &item.origin {
            DataOrigin::Multiplier { level, name } => Some((item, *level, name.as_str())),
            _ => None,
        })
    }

    /// True where the upper objective or an upper row holds a multiplier of the lower level.
    pub fn upper_reads_multipliers(&self) -> bool {
        self.multiplier_inputs().any(|(item, ..)| self.upper().functions().any(|f| f.depends_on(item.formal)))
    }

    /// Positions of a level's variables among the formals.
    pub fn range(&self, id: LevelId) -> Range<usize> {
        let first = self.levels[..id.index()].iter().map(|l| l.variables.len()).sum();
        first..first + self.level(id).variables.len()
    }

    /// The variables of all levels, from the outermost; variable `i` is formal `i`.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.levels.iter().flat_map(|l| &l.variables)
    }

    /// Positions of the upper variables among the formals.
    pub fn upper_inputs(&self) -> Vec<usize> {
        self.upper().variables.iter().map(|v| v.formal).collect()
    }

    /// Positions of the lower variables among the formals.
    pub fn lower_inputs(&self) -> Vec<usize> {
        self.lower().variables.iter().map(|v| v.formal).collect()
    }
}

impl Problem {
    /// Compares the memory that the oracle takes for a function with what there is; `factor` counts the numbers of an
    /// entry.
    ///
    /// # Errors
    /// When it is more, with the place of the largest array.
    pub fn affords(&self, f: &Function, sizes: &Sizes, factor: f64) -> Result<(), Box<Diagnostic>> {
        let (needed, most) = (factor * oracle::bytes(f, sizes), self.limits.of(&MEMORY) as f64);
        if needed <= most {
            return Ok(());
        }
        let g = f.graph();
        let entries = |id: &NodeId| g.shape(*id).sizes(sizes).map_or(0, |s| s.iter().product::<usize>());
        let placed = g.ids().filter(|id| g.span_of(*id) != Span::default());
        let (span, shape) =
            placed.max_by_key(entries).map_or_else(Default::default, |id| (g.span_of(id), g.shape(id).to_string()));
        Err(Box::new(message::too_much_to_evaluate(span, &f.name, &shape, (needed, most))))
    }

    /// The problem with the lower level of other tasks in the place of its own.
    #[must_use]
    pub fn on_tasks(&self, other: &OtherTasks) -> Problem {
        let mut problem = Problem { other_tasks: Vec::new(), batches: None, ..self.clone() };
        problem.levels[LevelId::LOWER.index()] = other.lower.clone();
        problem
    }

    /// True where a formal holds what only a run knows, followers of other tasks, a multiplier or a residual: nothing of it
    /// is read.
    pub fn is_solved_for(&self, formal: usize) -> bool {
        let residual = |item: &DataItem| {
            item.formal == formal && matches!(item.origin, DataOrigin::Residual | DataOrigin::Multiplier { .. })
        };
        self.other_tasks.iter().any(|o| o.lower.variables.iter().any(|v| v.formal == formal))
            || self.data.iter().any(residual)
    }
}

/// A param that is an upper variable.
#[derive(Clone, Debug)]
pub struct VariedParam {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// What it is defined by, over the variables: other params may be among them.
    pub definition: Function,
}

/// The length of a strided range: `ceil(reach/stride)`.
#[derive(Clone, Debug)]
pub struct DerivedSize {
    /// Its symbol.
    pub symbol: String,
    /// Positions from the first to the end of the range.
    pub reach: Dim,
    /// The stride.
    pub stride: i64,
    /// Where it is written.
    pub span: Span,
}
