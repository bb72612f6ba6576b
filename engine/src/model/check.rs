//! The checker: from syntax tree to a [`Problem`]. Global names are resolved on demand, so items may stand in any
//! order; mistakes are collected, and an expression that failed is not reported twice. A data width that is not
//! declared is bound by the first dimension it meets: the check then starts again with that width known.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use blo_grammar::ast::{Ast, Expr, ExprKind, ItemKind, Name};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::elementwise::Elementwise;
use crate::graph::{Formal, Function, Graph, NodeId};
use crate::model::levels::build::Statements;
use crate::model::message;
use crate::model::problem::{DataItem, DerivedSize, OtherTasks, Problem, Quotient, Tables};
use crate::model::value::{Array, Kind, Value};
use crate::oracle;
use crate::shape::{Dim, Shape, Sizes};

/// How many names may be defined through one another before one has been seen; lets in the order of the file do not count.
const DEPTH: usize = 200;

/// How many calls of the file's own functions are inlined: `f(u) = g(u) + g(u)` doubles with every level.
pub(super) const CALLS: usize = 100_000;

/// The result of a part of the check; the reason for an error is among the diagnostics.
pub(super) type Checked<T> = Result<T, Reported>;

/// The mistake has been reported already, or the check must start again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reported;

/// What a check finds.
#[derive(Debug)]
pub struct Outcome {
    /// The problem, when there is no error.
    pub problem: Option<Problem>,
    /// Everything found, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Settings of a check.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Values of scalar params from the command line, instead of the file's.
    pub params: Vec<(String, f64)>,
    /// True when pieces of the file could not be parsed: what may be missing only for that reason is not reported.
    pub partial: bool,
}

/// A loop of a comprehension.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub(super) length: Dim,
    /// The episodes it runs through.
    pub(super) over: Option<usize>,
}

/// Positions that must lie within an axis once sizes are known.
#[derive(Clone, Debug)]
pub struct Bound {
    /// First one-based position.
    pub first: Dim,
    /// Last position.
    pub last: Dim,
    /// Length of the axis.
    pub extent: Dim,
    /// The subscript.
    pub span: Span,
}

impl Bound {
    /// The mistake, when values are known and some position lies outside.
    pub fn judge(&self, sizes: &Sizes) -> Option<Diagnostic> {
        if self.first.is_one() && self.last == self.extent {
            return None;
        }
        let (first, last) = (self.first.value(sizes).ok()?, self.last.value(sizes).ok()?);
        let extent = self.extent.value(sizes).ok()?;
        let one = crate::shape::Rational::from_integer(1);
        let bad = if first < one { first } else { last };
        (first < one || last > extent).then(|| message::out_of_range(self.span, &bad.to_string(), &extent.to_string()))
    }
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

/// The state of a check.
pub(super) struct Checker<'a> {
    pub(super) source: &'a str,
    pub(super) ast: &'a Ast,
    pub(super) settings: &'a Settings,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) graph: Graph,
    pub(super) formals: Vec<Formal>,
    pub(super) variable_count: usize,
    pub(super) globals: BTreeMap<String, (Declared<'a>, Span)>,
    values: HashMap<String, Checked<Value>>,
    resolving: Vec<String>,
    pub(super) current_let: Option<String>,
    pub(super) calls: Vec<String>,
    pub(super) inlined: usize,
    scopes: Vec<HashMap<String, Value>>,
    pub(super) loops: Vec<Loop>,
    pub(super) data: Vec<DataItem>,
    pub(super) tables: Tables,
    /// The views of each split that has been looked at, by its position in the file.
    pub(super) split_views: HashMap<usize, Checked<Vec<usize>>>,
    /// Columns that have been looked at, by view or share of episodes, and name.
    pub(super) fields: HashMap<(String, String), Checked<Value>>,
    /// The variables of which every follower of a `lower for` has one.
    pub(super) followers: Vec<usize>,
    /// The episodes that the followers belong to.
    pub(super) follower_tasks: Option<usize>,
    /// The lower level, once it has been elaborated.
    pub(super) lower_statements: Option<Rc<Statements<'a>>>,
    /// The lower level on the tasks of other episodes.
    pub(super) other_tasks: BTreeMap<usize, Checked<OtherTasks>>,
    /// While the lower level is put on other tasks: its own episodes, and those that their name stands for.
    pub(super) moved: Option<(usize, usize)>,
    /// What names mean then.
    pub(super) moved_values: HashMap<String, Checked<Value>>,
    /// The upper and the lower objective in the user's sign.
    pub(super) objectives: [Option<NodeId>; 2],
    /// Per variable the nearest known point, and the known values of the objectives.
    pub(super) nearest: Vec<Option<NodeId>>,
    pub(super) known_objectives: [Option<NodeId>; 2],
    /// The values of the metrics so far.
    pub(super) metrics: HashMap<String, NodeId>,
    /// The quotients of counts in the metric or assertion at hand.
    pub(super) quotients: Vec<Quotient>,
    /// Masks of label noise that failed: their absence is not reported again.
    pub(super) lost_masks: Vec<String>,
    pub(super) sizes: Sizes,
    pub(super) declared_sizes: Vec<(Dim, Span, String)>,
    pub(super) derived_sizes: Vec<DerivedSize>,
    pub(super) bounds: Vec<Bound>,
    /// Widths left to the data, with the dimension they met in an earlier round.
    pub(super) deferred: HashMap<String, Dim>,
    pub(super) restart: bool,
    /// Operators whose result is a term of an objective, so that only a number fits.
    pub(super) number_places: Vec<Span>,
    /// In a metric, which is never differentiated: conditions may depend on variables.
    pub(super) in_metric: bool,
    /// Signs of the upper variables, for the lower level.
    pub(super) upper_signs: Vec<crate::sign::Sign>,
}

/// Checks a syntax tree. `source` is the text it was parsed from; `fallback` names a problem without a name.
pub fn check(ast: &Ast, source: &str, fallback: &str, settings: &Settings) -> Outcome {
    let mut deferred = HashMap::new();
    loop {
        let mut checker = Checker::new(ast, source, settings, std::mem::take(&mut deferred));
        let problem = checker.problem(fallback);
        if checker.restart {
            deferred = checker.deferred;
            continue;
        }
        let mut diagnostics = checker.diagnostics;
        if settings.partial || diagnostics.iter().any(message::leaves_a_block_out) {
            diagnostics.retain(|d| !message::may_be_missing(d.code));
        }
        diagnostics.sort_by_key(|d| d.primary.span);
        let mut seen = Vec::new();
        diagnostics.retain(|d| {
            let key = (d.code, d.primary.span, d.message.clone());
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        let problem = problem.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
        return Outcome { problem, diagnostics };
    }
}

impl<'a> Checker<'a> {
    fn new(ast: &'a Ast, source: &'a str, settings: &'a Settings, deferred: HashMap<String, Dim>) -> Checker<'a> {
        Checker {
            source,
            ast,
            settings,
            diagnostics: Vec::new(),
            graph: Graph::new(),
            formals: Vec::new(),
            variable_count: 0,
            globals: BTreeMap::new(),
            values: HashMap::new(),
            resolving: Vec::new(),
            current_let: None,
            calls: Vec::new(),
            inlined: 0,
            scopes: Vec::new(),
            loops: Vec::new(),
            data: Vec::new(),
            tables: Tables::default(),
            split_views: HashMap::new(),
            fields: HashMap::new(),
            followers: Vec::new(),
            follower_tasks: None,
            lower_statements: None,
            other_tasks: BTreeMap::new(),
            moved: None,
            moved_values: HashMap::new(),
            objectives: [None; 2],
            nearest: Vec::new(),
            known_objectives: [None; 2],
            metrics: HashMap::new(),
            quotients: Vec::new(),
            number_places: Vec::new(),
            lost_masks: Vec::new(),
            sizes: Sizes::new(),
            declared_sizes: Vec::new(),
            derived_sizes: Vec::new(),
            bounds: Vec::new(),
            deferred,
            restart: false,
            in_metric: false,
            upper_signs: Vec::new(),
        }
    }

    /// Reports a mistake.
    pub(super) fn fail<T>(&mut self, diagnostic: Diagnostic) -> Checked<T> {
        self.diagnostics.push(diagnostic);
        Err(Reported)
    }

    /// The source text of a span.
    pub(super) fn text(&self, span: Span) -> String {
        self.source.get(span.range()).unwrap_or_default().to_string()
    }

    /// Runs with a scope of names of its own; loops opened inside stay numbered, so that nesting order is kept.
    pub(super) fn scoped<T>(&mut self, body: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        self.scopes.push(HashMap::new());
        let result = body(self);
        self.scopes.pop();
        result
    }

    /// Binds a name in the innermost scope.
    pub(super) fn bind(&mut self, name: &str, value: Value) {
        self.scopes.last_mut().expect("names are bound within `scoped`").insert(name.to_string(), value);
    }

    /// Runs without the local names of the caller, for the bodies of global items.
    pub(super) fn isolated<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let scopes = std::mem::take(&mut self.scopes);
        let result = body(self);
        self.scopes = scopes;
        result
    }

    /// The meaning of a name.
    pub(super) fn name(&mut self, name: &str, span: Span) -> Checked<Value> {
        if let Some(value) = self.scopes.iter().rev().find_map(|s| s.get(name)) {
            return Ok(value.clone());
        }
        if self.in_metric
            && let Some(value) = self.reported_name(name)
        {
            return value;
        }
        if let Some((from, to)) = self.moved {
            return self.moved_name(name, span, from, to);
        }
        if let Some(value) = self.values.get(name) {
            return value.clone();
        }
        let Some((declared, at)) = self.globals.get(name).cloned() else {
            return match name {
                "pi" => Ok(Value::Array(self.number_literal(std::f64::consts::PI))),
                "inf" => Ok(Value::Array(self.number_literal(f64::INFINITY))),
                _ => {
                    let d = self.unknown_name(name, span);
                    self.fail(d)
                }
            };
        };
        if self.resolving.iter().any(|n| n == name) {
            let cycle = self.resolving.clone();
            return self.fail(message::cycle(name, span, at, &cycle));
        }
        if self.resolving.len() >= DEPTH {
            return self.fail(message::too_deep(span, at, DEPTH));
        }
        self.resolving.push(name.to_string());
        let outer = self.current_let.replace(name.to_string());
        let value = self.isolated(|c| c.global(name, &declared, span, at));
        self.current_let = outer;
        self.resolving.pop();
        self.values.insert(name.to_string(), value.clone());
        if let Ok(Value::Array(a)) = &value {
            self.graph.label(a.node, name);
        }
        value
    }

    fn global(&mut self, name: &str, declared: &Declared<'a>, span: Span, at: Span) -> Checked<Value> {
        match declared {
            Declared::Param(dims, value) => self.param(name, dims, value, at),
            Declared::Let(value) => self.expression(value),
            Declared::Data(column) => self.data_item(column).map(Value::Array),
            Declared::Dataset(columns) => self.dataset(name, columns, at),
            Declared::Part(item, part) => self.part(*item, *part),
            Declared::Episodes(item) => self.episodes(*item),
            Declared::Variable(formal) => {
                let f = self.formals[*formal].clone();
                let node = self.graph.input(*formal, f.shape.clone(), f.elem);
                let array = Array::real(node, Vec::new(), f.shape);
                if self.followers.contains(formal) && array.is_scalar() {
                    // Its loop has failed, so it has no axis for the followers.
                    return Err(Reported);
                }
                Ok(if self.followers.contains(formal) { Value::Stack(array) } else { Value::Array(array) })
            }
            Declared::Function(..) => self.fail(message::function_as_value(name, span, at)),
            Declared::Set(_) => self.fail(message::set_as_value(name, span, at)),
        }
    }

    /// Records a global name, or reports that it is taken.
    pub(super) fn declare(&mut self, name: &Name, declared: Declared<'a>) {
        if let Some((_, at)) = self.globals.get(&name.text) {
            self.diagnostics.push(message::declared_twice(&name.text, name.span, *at));
            return;
        }
        if Elementwise::by_name(&name.text).is_some() || crate::function::by_name(&name.text).is_some() {
            self.diagnostics.push(message::shadows_function(&name.text, name.span));
        }
        self.globals.insert(name.text.clone(), (declared, name.span));
    }

    fn unknown_name(&mut self, name: &str, span: Span) -> Diagnostic {
        let functions = crate::function::TABLE.iter().map(|f| f.name);
        if functions.chain(crate::elementwise::TABLE.iter().map(|f| f.name)).any(|f| f == name) {
            return message::function_without_arguments(name, span);
        }
        let locals: Vec<String> = self.scopes.iter().flat_map(|s| s.keys().cloned()).collect();
        let near = blo_grammar::diagnostic::did_you_mean(
            name,
            self.globals.keys().map(String::as_str).chain(locals.iter().map(String::as_str)),
        );
        let at = near.and_then(|n| self.globals.get(n)).map(|(_, s)| *s);
        message::unknown_name(name, span, near.map(str::to_string), at)
    }

    /// A scalar's value, when it needs no data and no variable.
    pub(super) fn number(&self, a: &Array) -> Option<f64> {
        if !a.loops.is_empty() || !a.is_scalar() {
            return None;
        }
        let used = self.graph.reachable(&[a.node]);
        if self.graph.ids().any(|id| used[id.0 as usize] && matches!(self.graph.op(id), crate::graph::Op::Input(_))) {
            return None;
        }
        let f = Function::new("constant", &self.graph, Vec::new(), &[a.node]);
        if !sizes_known(&f, &self.sizes) {
            return None;
        }
        Some(oracle::evaluate::<f64>(&f, &self.sizes, &[])[0].values[0])
    }

    /// True when two dimensions agree; a width left to the data is bound to what it meets.
    pub(super) fn same_dim(&mut self, a: &Dim, b: &Dim) -> Checked<bool> {
        if a == b {
            return Ok(true);
        }
        for (symbol, other) in [(a, b), (b, a)] {
            if let Some(s) = symbol.as_symbol().filter(|s| self.is_deferred(s)) {
                self.deferred.insert(s.to_string(), other.clone());
                self.restart = true;
                return Err(Reported);
            }
        }
        Ok(false)
    }

    fn is_deferred(&self, symbol: &str) -> bool {
        self.deferred.get(symbol).is_some_and(|d| *d == Dim::symbol(symbol))
    }

    /// True when two shapes agree.
    pub(super) fn same_shape(&mut self, a: &Shape, b: &Shape) -> Checked<bool> {
        if a.rank() != b.rank() {
            return Ok(false);
        }
        for (x, y) in a.0.iter().zip(&b.0) {
            if !self.same_dim(x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn shape_mismatch(&self, f: Elementwise, a: &Array, b: &Array, spans: (Span, Span)) -> Diagnostic {
        let shapes = (self.shape_text(&a.shape), self.shape_text(&b.shape));
        let texts = (self.text(spans.0), self.text(spans.1));
        let d = message::shape_mismatch(f.entry().name, &shapes, &texts, spans);
        self.with_declarations(d, spans)
    }

    pub(super) fn product_mismatch(&self, a: &Array, b: &Array, operator: Span, spans: (Span, Span)) -> Diagnostic {
        let shapes = (self.shape_text(&a.shape), self.shape_text(&b.shape));
        let texts = (self.text(spans.0), self.text(spans.1));
        let fits = |x: &Shape, y: &Shape| x.0.last() == y.0.first();
        let flipped = |s: &Shape| Shape(s.0.iter().rev().cloned().collect());
        let transpose = if a.shape.rank() == 2 && fits(&flipped(&a.shape), &b.shape) {
            Some((spans.0, format!("{}'*{}", texts.0, texts.1)))
        } else if b.shape.rank() == 2 && fits(&a.shape, &flipped(&b.shape)) {
            Some((spans.1, format!("{}*{}'", texts.0, texts.1)))
        } else {
            None
        };
        let d = message::product_mismatch(operator, &shapes, &texts, spans, transpose);
        self.with_declarations(d, spans)
    }

    /// A shape as written and, where values are known, as numbers.
    pub(super) fn shape_text(&self, shape: &Shape) -> String {
        let symbolic = shape.0.iter().any(|d| d.as_integer().is_none());
        let numbers: Option<Vec<String>> =
            shape.0.iter().map(|d| d.value(&self.sizes).ok().map(|v| v.to_string())).collect();
        match numbers {
            Some(n) if symbolic => format!("{shape} = [{}]", n.join(", ")),
            _ => shape.to_string(),
        }
    }

    /// Adds where the names in two spans are declared.
    fn with_declarations(&self, mut d: Diagnostic, spans: (Span, Span)) -> Diagnostic {
        for span in [spans.0, spans.1] {
            let text = self.text(span);
            let name = text.trim_end_matches(['\'', 'ᵀ']);
            if let Some((_, at)) = self.globals.get(name) {
                d = d.with(*at, format!("`{name}` is declared here"));
            }
        }
        d
    }

    /// Adds the declaration of a plain name.
    pub(super) fn declared_at(&self, e: &Expr, d: Diagnostic) -> Diagnostic {
        match &e.kind {
            ExprKind::Name(n) => match self.globals.get(n) {
                Some((_, at)) => d.with(*at, format!("`{n}` is declared here")),
                None => d,
            },
            _ => d,
        }
    }

    /// A declared size, as a dimension that must turn out whole.
    pub(super) fn size(&mut self, e: &Expr) -> Checked<Dim> {
        let a = self.scalar(e, "a size")?;
        if a.kind != Kind::Real {
            return self.fail(message::expected_scalar(e.span, "a size", &a.shape));
        }
        let dim = self.dim_of(&a, e.span, "a size")?;
        if let Some(d) = self.judge_size(&dim, e.span) {
            return self.fail(d);
        }
        self.declared_sizes.push((dim.clone(), e.span, self.text(e.span)));
        Ok(dim)
    }

    fn judge_size(&self, dim: &Dim, span: Span) -> Option<Diagnostic> {
        let origins: Vec<(String, Span, Option<i64>)> = dim
            .symbols()
            .filter_map(|s| self.globals.get(&**s).map(|(_, at)| (s.to_string(), *at, self.sizes.get(s))))
            .collect();
        match dim.size(&self.sizes) {
            Ok(_) | Err(crate::shape::SizeError::Unknown(_)) => None,
            Err(why) => Some(message::bad_size(span, &why, &origins)),
        }
    }

    /// The items of the file.
    pub(super) fn items(&self) -> impl Iterator<Item = &'a ItemKind> + use<'a> {
        self.ast.items.iter().map(|i| &i.kind)
    }
}

/// True when every size that a function needs has a value.
fn sizes_known(f: &Function, sizes: &Sizes) -> bool {
    let g = f.graph();
    g.ids().all(|id| {
        let known = |d: &Dim| d.value(sizes).is_ok();
        let op = match g.op(id) {
            crate::graph::Op::Size(d) => known(d),
            crate::graph::Op::Slice { start, .. } | crate::graph::Op::Pad { start, .. } => known(start),
            _ => true,
        };
        op && g.shape(id).0.iter().all(|d| d.size(sizes).is_ok())
            && g.shape(id).sizes(sizes).is_ok_and(|s| s.iter().product::<usize>() < 1 << 24)
    })
}
