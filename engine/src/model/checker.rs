//! The state of a check and what it is made of. The rooms beside this file add their part of the check to [`Checker`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use blo_grammar::ast::{Ast, Dimension, Domain, Expr, ItemKind, Name, Row};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::graph::{Formal, Graph, NodeId};
use crate::limits::Limits;
use crate::model::first_input::FirstInput;
use crate::model::meaning::{LoopArray, LoopPosition, Meaning};
use crate::model::problem::{
    About, ConstraintKind, DataItem, DerivedSize, LevelId, Obligation, OtherTasks, Quotient, Tables, VariedParam,
};
use crate::shape::{Dim, Sizes};
use crate::sign::Sign;

/// No more mistakes than this are kept; readers print far fewer.
pub(super) const MAX_ERRORS: usize = blo_grammar::MAX_ERRORS;

/// For this many unknown names the nearest known one is looked for: each search reads all names of the file.
pub(super) const SUGGESTIONS: usize = 100;

/// The result of a part of the check; the reason for an error is among the diagnostics.
pub(super) type Checked<T> = Result<T, Reported>;

/// The mistake has been reported already, or the check must start again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reported;

/// Settings of a check.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Values of scalar params from the command line, instead of the file's.
    pub params: Vec<(String, f64)>,
    /// Scalar params that are upper variables of the problem, with their values; see [`vary`](super::vary).
    pub varied: Vec<(String, f64)>,
    /// True when pieces of the file could not be parsed: what may be missing only for that reason is not reported.
    pub partial: bool,
    /// The names of residuals have a meaning in metrics and assertions: see [`assert`](super::assert).
    pub residuals: bool,
    /// What a file may ask for.
    pub limits: Limits,
}

/// A loop of a comprehension.
#[derive(Clone, Debug)]
pub(super) struct OpenLoop {
    pub(super) length: Dim,
    /// The episodes it runs through.
    pub(super) over: Option<usize>,
}

/// A global name.
#[derive(Clone, Debug)]
pub(super) enum Declared<'a> {
    Param(&'a [blo_grammar::ast::Dimension], &'a Expr),
    Let(&'a Expr),
    Function(&'a [Name], &'a Expr),
    Set(&'a Expr),
    Data(&'a blo_grammar::ast::Column),
    Dataset(&'a [blo_grammar::ast::Column]),
    /// A part of a split: the item's position in the file, and the part's in the item.
    Part(usize, usize),
    Episodes(usize),
    Variable(usize),
}

/// The statements of a level, sorted by what they are.
pub(super) struct Statements<'a> {
    pub(super) variables: Vec<(&'a Name, &'a [Dimension], Option<&'a Domain>)>,
    pub(super) objective: Vec<(&'a Expr, bool, Span)>,
    pub(super) regularizers: Vec<&'a Expr>,
    pub(super) lets: Vec<&'a blo_grammar::ast::Binding>,
    pub(super) rows: Vec<&'a Row>,
    /// `for j in D`: each variable stands for one array per step.
    pub(super) each: Option<&'a (Name, Expr)>,
    pub(super) keyword: Span,
}

/// What is checked.
pub(super) struct File<'a> {
    pub(super) source: &'a str,
    pub(super) ast: &'a Ast,
    pub(super) settings: &'a Settings,
}

/// What names mean, and how deep the check is in their definitions.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) globals: BTreeMap<String, (Declared<'a>, Span)>,
    /// The global names that have been looked at.
    pub(super) values: HashMap<String, Checked<Meaning>>,
    /// The global names whose definitions the check is in, outermost first.
    pub(super) resolving: Vec<String>,
    pub(super) current_let: Option<String>,
    /// The `let`s of levels that have been looked at.
    pub(super) of_levels: Vec<(&'a Name, Meaning)>,
    /// Local names, innermost scope last.
    pub(super) scopes: Vec<HashMap<String, Meaning>>,
    /// The file's functions whose bodies the check is in.
    pub(super) calls: Vec<String>,
    /// How many calls have been inlined so far.
    pub(super) inlined: usize,
    /// Calls whose bodies have failed: the function, whether in a metric, and what its arguments are like.
    pub(super) failed_calls: HashSet<(String, bool, Vec<String>)>,
    /// Places of names that are unknown: a place within a function is reached by each of its calls.
    pub(super) unknown: HashSet<Span>,
    /// Levels of expressions that the check is in.
    pub(super) depth: usize,
    /// Parts of formulas so far.
    pub(super) parts: usize,
}

/// Data items and datasets found so far.
#[derive(Default)]
pub(super) struct FoundRows {
    pub(super) data: Vec<DataItem>,
    pub(super) tables: Tables,
    /// The views of each split that has been looked at, by its position in the file.
    pub(super) split_views: HashMap<usize, Checked<Vec<usize>>>,
    /// Columns that have been looked at, by view or share of episodes, and name.
    pub(super) fields: HashMap<(String, String), Checked<Meaning>>,
    /// Masks of label noise that failed: their absence is not reported again.
    pub(super) lost_masks: Vec<String>,
}

/// The followers of a `lower for`.
#[derive(Default)]
pub(super) struct Followers {
    /// The variables of which every follower has one.
    pub(super) variables: Vec<usize>,
    /// The episodes that the followers belong to.
    pub(super) tasks: Option<usize>,
    /// What `j` runs through; `y[j]` is the follower of that j, wherever it stands in the array.
    pub(super) numbers: Option<LoopPosition>,
    /// How many there are.
    pub(super) count: Option<Dim>,
    /// While sets are found: the loop variable, which they may not hold.
    pub(super) hidden: Option<String>,
}

/// The lower level put on the tasks of other episodes (the meta-test); nothing else needs this.
#[derive(Default)]
pub(super) struct MetaTest<'a> {
    /// The lower level, once it has been elaborated.
    pub(super) statements: Option<Rc<Statements<'a>>>,
    /// The level on the tasks of each of the other episodes.
    pub(super) levels: BTreeMap<usize, Checked<OtherTasks>>,
    /// While the level is put on other tasks: its own episodes, and those that their name stands for.
    pub(super) moved: Option<(usize, usize)>,
    /// What names mean then.
    pub(super) values: HashMap<String, Checked<Meaning>>,
}

/// What metrics and assertions may refer to.
#[derive(Default)]
pub(super) struct Reporting {
    /// The check is in a metric, which is never differentiated: conditions may depend on variables.
    pub(super) in_metric: bool,
    /// While the check is where no multiplier may stand: what to call that place.
    pub(super) no_multipliers: Option<&'static str>,
    /// The upper and the lower objective in the user's sign.
    pub(super) objectives: [Option<NodeId>; 2],
    /// Per variable the nearest known point.
    pub(super) nearest: Vec<Option<NodeId>>,
    /// The known values of the objectives.
    pub(super) known_objectives: [Option<NodeId>; 2],
    /// The inputs that hold multipliers of rows.
    pub(super) multipliers: HashMap<String, NodeId>,
    /// The values of the metrics so far.
    pub(super) metrics: HashMap<String, NodeId>,
    /// The quotients of counts in the metric or assertion at hand.
    pub(super) quotients: Vec<Quotient>,
}

/// What must hold of sizes once data are read.
#[derive(Default)]
pub(super) struct SizeChecks {
    pub(super) derived: Vec<DerivedSize>,
    pub(super) open: Vec<Obligation>,
    /// What has been stated: a formula that is used many times states it each time.
    pub(super) stated: HashSet<Obligation>,
    /// Operations of the values that the check has computed so far.
    pub(super) computed: f64,
}

/// Widths that declarations leave to the data.
#[derive(Default)]
pub(super) struct OpenWidths {
    /// The dimension that each met, in an earlier round or in this one.
    pub(super) met: HashMap<String, Dim>,
    /// A width met its dimension in this round, so that the check must start again.
    pub(super) restart: bool,
}

/// A relation of a row, before the calculus has seen it.
#[derive(Clone)]
pub(super) struct Sided {
    pub(super) name: String,
    pub(super) named: bool,
    pub(super) kind: ConstraintKind,
    /// As a constraint of the problem has it.
    pub(super) sign: f64,
    /// The two sides, `less <= more` or `less == more`, of one shape.
    pub(super) less: NodeId,
    pub(super) more: NodeId,
    /// The row.
    pub(super) span: Span,
}

/// The end of a variable's interval that depends on other variables.
pub(super) struct MovingEnd {
    /// The end.
    pub(super) value: LoopArray,
    /// True for the upper end.
    pub(super) is_above: bool,
    /// Where it is written.
    pub(super) span: Span,
}

/// What the elaboration of the levels leaves for later steps.
#[derive(Default)]
pub(super) struct LevelNotes<'a> {
    /// A block was left out as not supported: the names that it declares are unknown, which is not another mistake.
    pub(super) block_left_out: bool,
    /// Operators whose result is a term of an objective, so that only a number fits.
    pub(super) number_places: HashSet<Span>,
    /// Signs of the upper variables, for the lower level.
    pub(super) upper_signs: Vec<Sign>,
    /// The rows of `subject to` with a name, of both levels.
    pub(super) rows: BTreeMap<String, (LevelId, Span)>,
    /// The two sides of each relation of these rows, once they are known.
    pub(super) row_sides: HashMap<String, Vec<(ConstraintKind, NodeId, NodeId)>>,
    /// Rows that have been looked at before their level, by their places.
    pub(super) rows_ahead: HashMap<Span, Vec<Sided>>,
    /// The row that is looked at ahead now, and how many names were being resolved when that began.
    pub(super) row_ahead: Option<(String, usize)>,
    /// The lower level with the formals of its variables, for its rows that the upper level names.
    pub(super) lower: Option<(Rc<Statements<'a>>, Vec<usize>)>,
    /// The ends of the set at hand that depend on variables.
    pub(super) moving_ends: Vec<MovingEnd>,
    /// Values that are to be looked at once data are read: what for, their node and their place.
    pub(super) doubts: Vec<(About, NodeId, Span)>,
}

/// The state of a check.
pub(super) struct Checker<'a> {
    pub(super) file: File<'a>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) graph: Graph,
    pub(super) first_input: FirstInput,
    pub(super) formals: Vec<Formal>,
    /// The first formals are the variables.
    pub(super) variable_count: usize,
    pub(super) names: Names<'a>,
    /// The loops of comprehensions opened so far.
    pub(super) loops: Vec<OpenLoop>,
    pub(super) rows: FoundRows,
    pub(super) followers: Followers,
    pub(super) meta_test: MetaTest<'a>,
    pub(super) reporting: Reporting,
    /// The sizes whose values are known.
    pub(super) sizes: Sizes,
    pub(super) size_checks: SizeChecks,
    pub(super) widths: OpenWidths,
    pub(super) notes: LevelNotes<'a>,
    /// The params that vary, so far.
    pub(super) varied: Vec<VariedParam>,
}

impl<'a> Checker<'a> {
    /// A check that has seen nothing; `met` are the open widths that earlier rounds have bound.
    pub(super) fn new(ast: &'a Ast, source: &'a str, settings: &'a Settings, met: HashMap<String, Dim>) -> Checker<'a> {
        Checker {
            file: File { source, ast, settings },
            diagnostics: Vec::new(),
            graph: Graph::new(),
            first_input: FirstInput::default(),
            formals: Vec::new(),
            variable_count: 0,
            names: Names::default(),
            loops: Vec::new(),
            rows: FoundRows::default(),
            followers: Followers::default(),
            meta_test: MetaTest::default(),
            reporting: Reporting::default(),
            sizes: Sizes::new(),
            size_checks: SizeChecks::default(),
            widths: OpenWidths { met, restart: false },
            notes: LevelNotes::default(),
            varied: Vec::new(),
        }
    }

    /// Reports a mistake.
    pub(super) fn fail<T>(&mut self, diagnostic: Diagnostic) -> Checked<T> {
        if !self.enough() {
            self.diagnostics.push(diagnostic);
        }
        Err(Reported)
    }

    /// True when so many mistakes are known that no more are looked for.
    pub(super) fn enough(&self) -> bool {
        self.diagnostics.len() >= MAX_ERRORS && self.diagnostics.last().is_some_and(Diagnostic::is_error)
    }

    /// Takes back what has been reported since there were `before` findings. What failed then is reported again elsewhere.
    pub(super) fn take_back(&mut self, before: usize) -> Vec<Diagnostic> {
        self.names.failed_calls.clear();
        self.names.unknown.clear();
        self.diagnostics.split_off(before.min(self.diagnostics.len()))
    }

    /// The source text of a span.
    pub(super) fn text(&self, span: Span) -> String {
        self.file.source.get(span.range()).unwrap_or_default().to_string()
    }

    /// The beginning of the source text of a span, for messages.
    pub(super) fn quoted(&self, span: Span) -> String {
        const LENGTH: usize = 200;
        let text = self.file.source.get(span.range()).unwrap_or_default();
        text.char_indices().nth(LENGTH).map_or(text, |(end, _)| &text[..end]).to_string()
    }

    /// The items of the file.
    pub(super) fn items(&self) -> impl Iterator<Item = &'a ItemKind> + use<'a> {
        self.file.ast.items.iter().map(|i| &i.kind)
    }
}
