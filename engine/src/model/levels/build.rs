//! Assembles the problem: declares what the file declares, elaborates the levels, and cuts functions out of the graph.

use std::rc::Rc;

use blo_grammar::ast::{Dimension, Expr, ExprKind, ItemKind, Name, Statement, StatementKind};
use blo_grammar::span::Span;

use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::model::checker::{Checked, Checker, Declared, Reported, Statements};
use crate::model::levels::variable_set::Member;
use crate::model::message;
use crate::model::problem::{Known, Level, Preset, Problem, Variable};
use crate::model::value::{Array, Kind, Value};
use crate::shape::{Dim, Shape};

impl<'a> Checker<'a> {
    /// The problem, if nothing is wrong with it.
    pub(crate) fn problem(&mut self, fallback: &str) -> Option<Problem> {
        let name = self.declare_items().unwrap_or_else(|| fallback.to_string());
        self.corruptions();
        let (upper, lower) = (self.upper_block(), self.lower_block());
        let (Some(upper), Some(lower)) = (upper, lower) else {
            self.resolve_rest();
            return None;
        };
        let shapes = self.declare_variables(&upper, &lower);
        // In the order of the file, so that long chains of definitions do not recurse.
        self.resolve_rest();
        let first = upper.variables.len();
        let upper_level = self.level(&upper, &(0..first).collect::<Vec<_>>(), false);
        let lower_level = self.level(&lower, &(first..shapes.len()).collect::<Vec<_>>(), true);
        self.meta_test.statements = Some(Rc::new(lower));
        let start = self.start(&shapes);
        let known = self.known(&shapes);
        let reported = self.reported();
        let (Ok(mut upper), Ok(mut lower), Ok(start), Ok(known), Ok((mut metrics, mut expectations))) =
            (upper_level, lower_level, start, known, reported)
        else {
            return None;
        };
        let mut other_tasks: Vec<_> =
            std::mem::take(&mut self.meta_test.levels).into_values().filter_map(Result::ok).collect();
        // Every function takes the final list of formals.
        for level in [&mut upper, &mut lower].into_iter().chain(other_tasks.iter_mut().map(|o| &mut o.lower)) {
            widen_level(level, &self.formals);
        }
        for other in &mut other_tasks {
            other.start = widen(&other.start, &self.formals);
        }
        let start = feasible(&widen(&start, &self.formals), &upper, &lower);
        let known = Known {
            nearest: known.nearest.iter().map(|f| f.as_ref().map(|f| widen(f, &self.formals))).collect(),
            upper: known.upper.as_ref().map(|f| widen(f, &self.formals)),
            lower: known.lower.as_ref().map(|f| widen(f, &self.formals)),
            ..known
        };
        let values = metrics.iter_mut().map(|m| (&mut m.value, &mut m.quotients));
        let assertions = expectations.iter_mut().flat_map(|e| &mut e.body).map(|a| (&mut a.value, &mut a.quotients));
        for (value, quotients) in values.chain(assertions) {
            *value = widen(value, &self.formals);
            quotients.iter_mut().for_each(|q| q.denominator = widen(&q.denominator, &self.formals));
        }
        let (presets, options) = self.runs();
        Some(Problem {
            name,
            formals: self.formals.clone(),
            levels: vec![upper, lower],
            data: std::mem::take(&mut self.rows.data),
            tables: std::mem::take(&mut self.rows.tables),
            sizes: self.sizes.clone(),
            derived_sizes: std::mem::take(&mut self.size_checks.derived),
            bounds: std::mem::take(&mut self.size_checks.subscripts),
            widths: self
                .widths
                .met
                .iter()
                .filter(|(s, d)| **d != Dim::symbol(s))
                .map(|(s, d)| (s.clone(), d.clone()))
                .collect(),
            declared_sizes: std::mem::take(&mut self.size_checks.declared),
            start,
            known,
            presets,
            options,
            expectations,
            metrics,
            other_tasks,
        })
    }

    /// Declares global names; returns the problem's name.
    fn declare_items(&mut self) -> Option<String> {
        let mut name: Option<(String, Span)> = None;
        for (position, item) in self.file.ast.items.iter().enumerate() {
            match &item.kind {
                ItemKind::Problem { name: n, options } => {
                    for o in options.iter().filter(|o| o.name.text != "edition") {
                        self.diagnostics.push(message::unknown_option_of(&o.name, "problem", &["edition"]));
                    }
                    match &name {
                        Some((_, at)) => self.diagnostics.push(message::declared_twice("problem", n.span, *at)),
                        None => name = Some((n.text.clone(), n.span)),
                    }
                }
                ItemKind::Param { name, dims, value } => self.declare(name, Declared::Param(dims, value)),
                ItemKind::Let(b) => self.declare(&b.name, Declared::Let(&b.value)),
                ItemKind::Function { name, params, body } => self.declare(name, Declared::Function(params, body)),
                ItemKind::Set { name, value, .. } => self.declare(name, Declared::Set(value)),
                ItemKind::Data(column) => self.declare(&column.name, Declared::Data(column)),
                ItemKind::Dataset { name, columns } => self.declare(name, Declared::Dataset(columns)),
                ItemKind::Episodes { name, .. } => self.declare(name, Declared::Episodes(position)),
                ItemKind::Split { parts, .. } => {
                    for (k, (part, _)) in parts.iter().enumerate() {
                        self.declare(part, Declared::Part(position, k));
                    }
                }
                ItemKind::Import(path) => {
                    self.diagnostics.push(message::not_supported_yet(
                        path.span,
                        "`import`",
                        "a problem is one file: copy what you need into it",
                    ));
                }
                _ => {}
            }
        }
        for (given, _) in &self.file.settings.params {
            if !matches!(self.names.globals.get(given), Some((Declared::Param(..), _))) {
                let params = self.names.globals.iter().filter(|(_, (d, _))| matches!(d, Declared::Param(..)));
                let params: Vec<&str> = params.map(|(n, _)| n.as_str()).collect();
                self.diagnostics.push(message::no_such_param(given, &params));
            }
        }
        name.map(|(n, _)| n)
    }

    fn upper_block(&mut self) -> Option<Statements<'a>> {
        let mut found: Option<Statements<'a>> = None;
        for item in &self.file.ast.items {
            if let ItemKind::Upper { pessimistic, body } = &item.kind {
                let keyword = Span { start: item.span.start, end: (item.span.start + 5).min(item.span.end) };
                if let Some(span) = pessimistic {
                    self.diagnostics.push(message::not_supported_yet(
                        *span,
                        "the pessimistic formulation",
                        "`upper { ... }` takes the best of the lower solutions; a lower level with one solution makes both the same, for example with `+ 1e-3*normsq(y)`",
                    ));
                }
                match &found {
                    Some(first) => self.diagnostics.push(message::second_level("upper", keyword, first.keyword)),
                    None => found = Some(self.sort(body, keyword)),
                }
            }
        }
        if found.is_none() {
            self.diagnostics.push(message::level_missing("upper", Span::default()));
        }
        found
    }

    fn lower_block(&mut self) -> Option<Statements<'a>> {
        let mut found: Option<Statements<'a>> = None;
        for kind in self.items() {
            if let ItemKind::Lower(lower) = kind {
                match &found {
                    Some(first) => self.diagnostics.push(message::second_level("lower", lower.keyword, first.keyword)),
                    None => {
                        let body = self.sort(&lower.body, lower.keyword);
                        found = Some(Statements { each: lower.each.as_ref(), ..body });
                    }
                }
            }
        }
        if found.is_none() && !self.items().any(|k| matches!(k, ItemKind::Lower(_))) {
            self.diagnostics.push(message::level_missing("lower", Span::default()));
        }
        found
    }

    fn sort(&mut self, body: &'a [Statement], keyword: Span) -> Statements<'a> {
        let mut s = Statements {
            variables: Vec::new(),
            objective: Vec::new(),
            regularizers: Vec::new(),
            lets: Vec::new(),
            each: None,
            keyword,
        };
        for statement in body {
            match &statement.kind {
                StatementKind::Var { name, dims, domain } => s.variables.push((name, dims, domain.as_ref())),
                StatementKind::Minimize(e) => s.objective.push((e, false, statement.span)),
                StatementKind::Maximize(e) => s.objective.push((e, true, statement.span)),
                StatementKind::Regularize(e) => s.regularizers.push(e),
                StatementKind::Let(b) => s.lets.push(b),
                StatementKind::SubjectTo(_) => {
                    self.diagnostics.push(message::not_supported_yet(
                        statement.span,
                        "`subject to`",
                        "bounds of a variable are its set: `var y[n] >= 0` or `in [lo, hi]`; of a coupling constraint `h(x, y) <= 0` write a penalty into the objective: `+ 10*sum(max(h, 0).^2)`",
                    ));
                }
                StatementKind::Lower(lower) => {
                    self.diagnostics.push(message::not_supported_yet(
                        lower.keyword,
                        "a nested `lower`",
                        "replace the innermost level by its optimality condition or by its solution, if that has a formula",
                    ));
                }
            }
        }
        s
    }

    /// Reserves the first formals for the variables, then finds their shapes.
    fn declare_variables(&mut self, upper: &Statements<'a>, lower: &Statements<'a>) -> Vec<Shape> {
        let all: Vec<_> = upper.variables.iter().chain(&lower.variables).collect();
        self.variable_count = all.len();
        for (name, ..) in &all {
            self.formals.push(Formal { name: name.text.clone(), shape: Shape::scalar(), elem: Elem::Real });
        }
        let steps = lower.each.map(|(_, set)| self.isolated(|c| c.follower_count(set)));
        for (i, (name, dims, _)) in all.iter().enumerate() {
            let own = dims.iter().map(|d| match d {
                Dimension::Size(e) => self.size(e),
                Dimension::Deferred(span) => self.fail(message::deferred_variable(*span)),
            });
            let mut sizes: Checked<Vec<Dim>> = own.collect();
            if let Some(steps) = steps.as_ref().filter(|_| i >= upper.variables.len()) {
                self.followers.variables.push(i);
                sizes = match (steps, sizes) {
                    (Ok(steps), Ok(sizes)) => Ok([steps.clone()].into_iter().chain(sizes).collect()),
                    _ => Err(Reported),
                };
            }
            if let Ok(sizes) = sizes {
                if sizes.len() > 4 {
                    self.diagnostics.push(message::rank_above_four(name.span));
                } else {
                    self.formals[i].shape = Shape(sizes);
                }
            }
        }
        // A variable may be named only once its shape is known: sizes cannot depend on variables.
        for (i, (name, ..)) in all.iter().enumerate() {
            self.declare(name, Declared::Variable(i));
        }
        self.formals[..all.len()].iter().map(|f| f.shape.clone()).collect()
    }

    /// How many followers `lower for` has.
    fn follower_count(&mut self, set: &Expr) -> Checked<Dim> {
        self.scoped(|c| {
            let each = c.open_loop(&Name { text: "step".into(), span: set.span }, set)?;
            c.followers.tasks = c.loops[each].over;
            Ok(c.loops[each].length.clone())
        })
    }

    /// Opens the loop over followers, in which their variables are plain arrays.
    fn follow(&mut self, s: &Statements<'a>, formals: &[usize]) -> Checked<Option<usize>> {
        let Some((name, set)) = s.each else { return Ok(None) };
        let each = self.open_loop(name, set)?;
        for ((variable, ..), formal) in s.variables.iter().zip(formals) {
            let full = self.formals[*formal].shape.clone();
            if full.is_scalar() {
                return Err(Reported);
            }
            let node = self.graph.input(*formal, full.clone(), Elem::Real);
            let own = Shape(full.0.into_iter().skip(1).collect());
            self.bind(&variable.text, Value::Array(Array::real(node, vec![each], own)));
        }
        Ok(Some(each))
    }

    /// A level whose variables are these formals.
    pub(crate) fn level(&mut self, s: &Statements<'a>, formals: &[usize], is_lower: bool) -> Checked<Level> {
        self.isolated(|c| c.scoped(|c| c.level_inner(s, formals, is_lower)))
    }

    fn level_inner(&mut self, s: &Statements<'a>, formals: &[usize], is_lower: bool) -> Checked<Level> {
        let mut failed = false;
        let each = self.follow(s, formals)?;
        for b in &s.lets {
            match self.expression(&b.value) {
                Ok(value) => self.bind(&b.name.text, value),
                Err(Reported) => failed = true,
            }
        }
        if is_lower && s.variables.is_empty() {
            self.diagnostics.push(message::lower_without_variables(s.keyword));
            failed = true;
        }
        let level = if is_lower { "lower" } else { "upper" };
        let objective = match s.objective.as_slice() {
            [] => {
                self.diagnostics.push(message::nothing_to_minimize(
                    level,
                    s.keyword,
                    s.regularizers.first().map(|e| e.span),
                ));
                Err(Reported)
            }
            [(e, maximize, _)] => self.objective_of_all(e, each).map(|node| (node, *maximize)),
            [(_, _, one), (_, _, two), ..] => self.fail(message::two_objectives(*two, *one)),
        };
        let mut variables = Vec::new();
        for ((name, _, domain), formal) in s.variables.iter().zip(formals) {
            let formal = *formal;
            let shape = self.formals[formal].shape.clone();
            let member = Member { name, shape: &shape, is_lower, is_follower: each.is_some() };
            let set = domain.map(|d| match each {
                None => self.domain(d, member),
                // Sets are the same for all followers: their loop variable is out of sight.
                Some(_) => self.isolated(|c| c.domain(d, member)),
            });
            let set = match set.transpose() {
                Ok(Some(set)) if each.is_some() && !set.set.is_box => self.fail(message::not_supported_yet(
                    set.span,
                    "a set other than an interval in `lower for`",
                    "an interval `[lo, hi]` is; `softmax` maps to the simplex",
                )),
                set => set,
            };
            match set {
                Ok(set) => {
                    variables.push(Variable {
                        name: name.text.clone(),
                        formal,
                        shape,
                        set,
                        prox: None,
                        span: name.span,
                    });
                }
                Err(Reported) => failed = true,
            }
        }
        let regularizer = self.regularizer(s, is_lower, each);
        let (Ok((node, maximize)), Ok(regularizer), false) = (objective, regularizer, failed) else {
            return Err(Reported);
        };
        let signs = self.signs(&variables, is_lower);
        if !is_lower && s.variables.is_empty() {
            self.diagnostics.push(message::simple_bilevel(s.keyword));
        }
        let letter = if is_lower { "f" } else { "F" };
        let node = if maximize { self.graph.neg(node) } else { node };
        let objective = Function::new(letter, &self.graph, self.formals.clone(), &[node]);
        if is_lower && self.meta_test.moved.is_none() {
            self.kinks(s.objective[0].0, &objective, &signs, formals);
        }
        let value = regularizer.map(|r| Function::new("g", &self.graph, self.formals.clone(), &[r]));
        if let Some(r) = regularizer {
            self.attach_prox(r, &mut variables, s, &signs)?;
        }
        if self.meta_test.moved.is_none() {
            self.keep_objective(node, regularizer, maximize, is_lower);
        }
        Ok(Level { variables, objective, maximize, regularizer: value })
    }

    pub(crate) fn objective(&mut self, e: &Expr) -> Checked<NodeId> {
        self.objective_of_all(e, None)
    }

    /// A number, summed over the followers if there are any.
    fn objective_of_all(&mut self, e: &Expr, each: Option<usize>) -> Checked<NodeId> {
        number_places(e, &mut self.notes.number_places);
        let a = self.array(e)?;
        if !a.is_scalar() {
            let shape = self.shape_text(&a.shape);
            return self.fail(message::objective_not_scalar(e.span, &shape));
        }
        if a.kind == Kind::Boolean {
            return self.fail(message::comparison_as_objective(e.span));
        }
        let Some(each) = each else { return Ok(a.node) };
        let all = self.align(&a, &[each], &Shape::scalar());
        Ok(self.graph.sum(all, 1))
    }

    /// The value of `regularize`, if any.
    fn regularizer(&mut self, s: &Statements<'a>, is_lower: bool, each: Option<usize>) -> Checked<Option<NodeId>> {
        let mut total: Option<NodeId> = None;
        for e in &s.regularizers {
            if !is_lower {
                return self.fail(message::not_supported_yet(
                    e.span,
                    "`regularize` in the upper level",
                    "write a smooth term into `minimize`, such as `sum(huber(x, 1/100))` for `norm1(x)`",
                ));
            }
            let node = self.objective_of_all(e, each)?;
            total = Some(match total {
                None => node,
                Some(sum) => self.graph.add(sum, node),
            });
        }
        Ok(total)
    }

    fn runs(&self) -> (Vec<Preset>, Vec<blo_grammar::ast::Assign>) {
        let (mut presets, mut options) = (Vec::new(), Vec::new());
        for kind in self.items() {
            match kind {
                ItemKind::Method { method, preset, options } => {
                    presets.push(Preset { method: method.clone(), preset: preset.clone(), options: options.clone() });
                }
                ItemKind::Option(a) => options.push(a.clone()),
                _ => {}
            }
        }
        (presets, options)
    }

    /// Elaborates what nothing used, so that its mistakes are reported too.
    fn resolve_rest(&mut self) {
        let mut names: Vec<(String, Span)> = self
            .names
            .globals
            .iter()
            .filter(|(_, (d, _))| !matches!(d, Declared::Function(..) | Declared::Set(_) | Declared::Variable(_)))
            .map(|(n, (_, at))| (n.clone(), *at))
            .collect();
        names.sort_by_key(|(_, at)| *at);
        for (name, at) in names {
            let _ = self.isolated(|c| c.name(&name, at));
        }
    }

    /// A param's value; a whole number is a size of the same name.
    pub(crate) fn param(&mut self, name: &str, dims: &[Dimension], value: &Expr, at: Span) -> Checked<Value> {
        let given = self.file.settings.params.iter().rev().find(|(n, _)| n == name).map(|(_, v)| *v);
        let a = self.array(value)?;
        if !dims.is_empty() {
            let sizes: Vec<Dim> = dims
                .iter()
                .map(|d| match d {
                    Dimension::Size(e) => self.size(e),
                    Dimension::Deferred(span) => self.fail(message::deferred_variable(*span)),
                })
                .collect::<Checked<_>>()?;
            let shape = Shape(sizes);
            if given.is_some() {
                return self.fail(message::array_param_given(name, at));
            }
            if !a.is_scalar() && !self.same_shape(&a.shape, &shape)? {
                let (found, wanted) = (self.shape_text(&a.shape), self.shape_text(&shape));
                return self.fail(message::declared_shape(value.span, name, &found, &wanted));
            }
            let node = self.align(&a, &[], &shape);
            return Ok(Value::Array(Array::real(node, Vec::new(), shape)));
        }
        if !a.is_scalar() {
            return self.fail(message::declared_shape(value.span, name, &a.shape.to_string(), "a number"));
        }
        let Some(number) = given.or_else(|| self.number(&a)) else {
            return self.fail(message::param_not_constant(name, value.span));
        };
        if number.fract() == 0.0 && number.abs() < 9e15 {
            self.sizes.set(name, number as i64);
            return Ok(Value::Array(self.dim_array(Dim::symbol(name))));
        }
        Ok(Value::Array(self.number_literal(number)))
    }
}

/// A constant output's value.
pub(crate) fn number_of(f: &Function, output: NodeId, sizes: &crate::shape::Sizes) -> Option<f64> {
    let g = f.graph();
    if let Some(c) = g.as_const(output) {
        return Some(c);
    }
    match g.op(output) {
        crate::graph::Op::Size(d) => {
            let v = d.value(sizes).ok()?;
            Some(*v.numer() as f64 / *v.denom() as f64)
        }
        crate::graph::Op::Broadcast(_) => number_of(f, g.args(output)[0], sizes),
        _ => None,
    }
}

/// The start moved into the sets: zero, which it is where nothing is said, need not be in them.
fn feasible(start: &Function, upper: &Level, lower: &Level) -> Function {
    let mut g = Graph::new();
    let formals = start.inputs.iter().enumerate();
    let nodes: Vec<NodeId> = formals.map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let mut values = start.instantiate(&mut g, &nodes);
    for (variable, value) in upper.variables.iter().chain(&lower.variables).zip(&mut values) {
        if let Some(set) = &variable.set {
            let parameters = set.parameters.instantiate(&mut g, &nodes);
            *value = (set.set.project)(&mut g, *value, &parameters);
        }
    }
    Function::new("start", &g, start.inputs.clone(), &values)
}

/// The same function over a longer list of formals.
fn widen(f: &Function, formals: &[Formal]) -> Function {
    Function::new(f.name.clone(), f.graph(), formals.to_vec(), f.outputs())
}

fn widen_level(level: &mut Level, formals: &[Formal]) {
    level.objective = widen(&level.objective, formals);
    level.regularizer = level.regularizer.as_ref().map(|f| widen(f, formals));
    for v in &mut level.variables {
        if let Some(set) = &mut v.set {
            set.parameters = widen(&set.parameters, formals);
        }
        if let Some(prox) = &mut v.prox {
            prox.weights = widen(&prox.weights, formals);
        }
    }
}

/// The operators of an objective whose results are its terms.
fn number_places(e: &Expr, found: &mut Vec<Span>) {
    match &e.kind {
        ExprKind::Sum(terms) => terms.iter().for_each(|(_, _, term)| number_places(term, found)),
        ExprKind::Negate(inner) | ExprKind::Paren(inner) => number_places(inner, found),
        ExprKind::Power { operator, .. } => found.push(*operator),
        ExprKind::Product(factors) => {
            found.extend(factors.iter().map(|(_, operator, _)| *operator));
            // a power beside numbers has to be one itself
            let plain = |e: &Expr| matches!(e.kind, ExprKind::Number { .. });
            for (k, (_, _, factor)) in factors.iter().enumerate() {
                if factors.iter().enumerate().all(|(other, (_, _, e))| other == k || plain(e)) {
                    number_places(factor, found);
                }
            }
        }
        _ => {}
    }
}
