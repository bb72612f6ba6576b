//! Assembles the problem: declares what the file declares, elaborates the levels, and cuts functions out of the graph.

use blo_grammar::ast::{Dimension, Domain, Expr, ExprKind, ItemKind, Name, Sign as TermSign, Statement, StatementKind};
use blo_grammar::span::Span;

use super::calculus::Analysis;
use super::check::{Checked, Checker, Declared, Reported};
use super::message;
use super::problem::{Expectation, Known, Level, Metric, Preset, Problem, ProxUse, SetUse, Variable};
use super::shape::{Dim, Shape};
use super::sign::Sign;
use super::value::{Array, Kind, Value};
use crate::graph::{Elem, Formal, Function, NodeId};
use crate::{prox, set};

/// The statements of a level, sorted by what they are.
struct Statements<'a> {
    variables: Vec<(&'a Name, &'a [Dimension], Option<&'a Domain>)>,
    objective: Vec<(&'a Expr, bool, Span)>,
    regularizers: Vec<&'a Expr>,
    lets: Vec<&'a blo_grammar::ast::Binding>,
    keyword: Span,
}

impl<'a> Checker<'a> {
    /// The problem, if nothing is wrong with it.
    pub(super) fn problem(&mut self, fallback: &str) -> Option<Problem> {
        let name = self.declare_items().unwrap_or_else(|| fallback.to_string());
        let (upper, lower) = (self.upper_block(), self.lower_block());
        let (Some(upper), Some(lower)) = (upper, lower) else {
            self.resolve_rest();
            return None;
        };
        let shapes = self.declare_variables(&upper, &lower);
        // In the order of the file, so that long chains of definitions do not recurse.
        self.resolve_rest();
        let upper_level = self.level(&upper, 0, false);
        let lower_level = self.level(&lower, upper.variables.len(), true);
        let start = self.start(&shapes);
        let known = self.known(&shapes);
        let metrics = self.metrics();
        let (Ok(mut upper), Ok(mut lower), Ok(start), Ok(known), Ok(metrics)) =
            (upper_level, lower_level, start, known, metrics)
        else {
            return None;
        };
        // Every function takes the final list of formals.
        for level in [&mut upper, &mut lower] {
            widen_level(level, &self.formals);
        }
        let start = widen(&start, &self.formals);
        let known = Known {
            nearest: known.nearest.iter().map(|f| f.as_ref().map(|f| widen(f, &self.formals))).collect(),
            upper: known.upper.as_ref().map(|f| widen(f, &self.formals)),
            lower: known.lower.as_ref().map(|f| widen(f, &self.formals)),
        };
        let metrics =
            metrics.into_iter().map(|m| Metric { name: m.name, value: widen(&m.value, &self.formals) }).collect();
        let (presets, options, expectations) = self.runs();
        Some(Problem {
            name,
            formals: self.formals.clone(),
            upper,
            lower,
            data: std::mem::take(&mut self.data),
            sizes: self.sizes.clone(),
            derived_sizes: std::mem::take(&mut self.derived_sizes),
            bounds: std::mem::take(&mut self.bounds),
            widths: self
                .deferred
                .iter()
                .filter(|(s, d)| **d != Dim::symbol(s))
                .map(|(s, d)| (s.clone(), d.clone()))
                .collect(),
            declared_sizes: std::mem::take(&mut self.declared_sizes),
            start,
            known,
            presets,
            options,
            expectations,
            metrics,
        })
    }

    /// Declares global names; returns the problem's name.
    fn declare_items(&mut self) -> Option<String> {
        let mut name: Option<(String, Span)> = None;
        for item in &self.ast.items {
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
                ItemKind::Dataset { name, .. } => {
                    self.declare(name, Declared::Unsupported("datasets"));
                    self.diagnostics.push(message::not_supported_yet(name.span, "datasets"));
                }
                ItemKind::Episodes { name, .. } => {
                    self.declare(name, Declared::Unsupported("episodes"));
                    self.diagnostics.push(message::not_supported_yet(name.span, "episodes"));
                }
                ItemKind::Split { parts, .. } => {
                    for (part, _) in parts {
                        self.declare(part, Declared::Unsupported("splits of datasets"));
                    }
                }
                ItemKind::Corrupt { target, .. } => {
                    self.diagnostics.push(message::not_supported_yet(target.span, "label corruption"));
                }
                ItemKind::Import(path) => {
                    self.diagnostics.push(message::not_supported_yet(path.span, "`import`"));
                }
                _ => {}
            }
        }
        for (given, _) in &self.settings.params {
            if !matches!(self.globals.get(given), Some((Declared::Param(..), _))) {
                let params = self.globals.iter().filter(|(_, (d, _))| matches!(d, Declared::Param(..)));
                let params: Vec<&str> = params.map(|(n, _)| n.as_str()).collect();
                self.diagnostics.push(message::no_such_param(given, &params));
            }
        }
        name.map(|(n, _)| n)
    }

    fn upper_block(&mut self) -> Option<Statements<'a>> {
        let mut found: Option<Statements<'a>> = None;
        for item in &self.ast.items {
            if let ItemKind::Upper { pessimistic, body } = &item.kind {
                let keyword = Span { start: item.span.start, end: (item.span.start + 5).min(item.span.end) };
                if let Some(span) = pessimistic {
                    self.diagnostics.push(message::not_supported_yet(*span, "the pessimistic formulation"));
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
                if lower.each.is_some() {
                    self.diagnostics.push(message::not_supported_yet(lower.keyword, "`lower for`"));
                    continue;
                }
                match &found {
                    Some(first) => self.diagnostics.push(message::second_level("lower", lower.keyword, first.keyword)),
                    None => found = Some(self.sort(&lower.body, lower.keyword)),
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
                    self.diagnostics.push(message::not_supported_yet(statement.span, "`subject to`"));
                }
                StatementKind::Lower(lower) => {
                    self.diagnostics.push(message::not_supported_yet(lower.keyword, "a nested `lower`"));
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
        for (i, (name, dims, _)) in all.iter().enumerate() {
            let sizes: Checked<Vec<Dim>> = dims
                .iter()
                .map(|d| match d {
                    Dimension::Size(e) => self.size(e),
                    Dimension::Deferred(span) => self.fail(message::deferred_variable(*span)),
                })
                .collect();
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

    fn level(&mut self, s: &Statements<'a>, first: usize, is_lower: bool) -> Checked<Level> {
        self.isolated(|c| c.scoped(|c| c.level_inner(s, first, is_lower)))
    }

    fn level_inner(&mut self, s: &Statements<'a>, first: usize, is_lower: bool) -> Checked<Level> {
        let mut failed = false;
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
            [(e, maximize, _)] => self.objective(e).map(|node| (node, *maximize)),
            [(_, _, one), (_, _, two), ..] => self.fail(message::two_objectives(*two, *one)),
        };
        let mut variables = Vec::new();
        for (i, (name, _, domain)) in s.variables.iter().enumerate() {
            let formal = first + i;
            let shape = self.formals[formal].shape.clone();
            let set = domain.map(|d| self.domain(d, &shape, name, is_lower)).transpose();
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
        let regularizer = self.regularizer(s, is_lower);
        let (Ok((node, maximize)), Ok(regularizer), false) = (objective, regularizer, failed) else {
            return Err(Reported);
        };
        let signs = self.signs(&variables, s, first);
        if !is_lower && s.variables.is_empty() {
            self.diagnostics.push(message::simple_bilevel(s.keyword));
        }
        let letter = if is_lower { "f" } else { "F" };
        let node = if maximize { self.graph.neg(node) } else { node };
        let objective = Function::new(letter, &self.graph, self.formals.clone(), &[node]);
        if is_lower {
            self.kinks(s.objective[0].0, &objective, &signs, first..first + s.variables.len());
        }
        let value = regularizer.map(|r| Function::new("g", &self.graph, self.formals.clone(), &[r]));
        if let Some(r) = regularizer {
            self.attach_prox(r, &mut variables, s, &signs)?;
        }
        Ok(Level { variables, objective, maximize, regularizer: value })
    }

    fn objective(&mut self, e: &Expr) -> Checked<NodeId> {
        let a = self.array(e)?;
        if !a.is_scalar() {
            let shape = self.shape_text(&a.shape);
            return self.fail(message::objective_not_scalar(e.span, &shape));
        }
        if a.kind == Kind::Boolean {
            return self.fail(message::expected_numbers(e.span, "a truth value"));
        }
        Ok(a.node)
    }

    /// The value of `regularize`, if any.
    fn regularizer(&mut self, s: &Statements<'a>, is_lower: bool) -> Checked<Option<NodeId>> {
        let mut total: Option<NodeId> = None;
        for e in &s.regularizers {
            if !is_lower {
                return self.fail(message::not_supported_yet(e.span, "`regularize` in the upper level"));
            }
            let node = self.objective(e)?;
            total = Some(match total {
                None => node,
                Some(sum) => self.graph.add(sum, node),
            });
        }
        Ok(total)
    }

    /// The constraint set of a variable.
    fn domain(&mut self, domain: &Domain, shape: &Shape, name: &Name, is_lower: bool) -> Checked<SetUse> {
        let infinite = |c: &mut Self, sign: f64| c.number_literal(sign * f64::INFINITY).node;
        match domain {
            Domain::AtLeast(e) => {
                let lo = self.bound(e, shape, name, is_lower)?;
                let hi = infinite(self, 1.0);
                self.set_use("box", &[lo, hi], e.span)
            }
            Domain::AtMost(e) => {
                let lo = infinite(self, -1.0);
                let hi = self.bound(e, shape, name, is_lower)?;
                self.set_use("box", &[lo, hi], e.span)
            }
            Domain::In(e) => self.set_expression(e, shape, name, is_lower),
        }
    }

    pub(super) fn set_expression(&mut self, e: &Expr, shape: &Shape, name: &Name, is_lower: bool) -> Checked<SetUse> {
        match &e.kind {
            ExprKind::Paren(inner) => self.set_expression(inner, shape, name, is_lower),
            ExprKind::Array(ends) => {
                let [lo, hi] = ends.as_slice() else { return self.fail(message::interval_ends(e.span, ends.len())) };
                let lo = self.bound(lo, shape, name, is_lower)?;
                let hi = self.bound(hi, shape, name, is_lower)?;
                self.set_use("box", &[lo, hi], e.span)
            }
            ExprKind::Name(n) => match self.globals.get(n).cloned() {
                Some((Declared::Set(value), _)) => self.isolated(|c| c.set_expression(value, shape, name, is_lower)),
                Some((_, at)) => self.fail(message::not_a_set(n, e.span, Some(at))),
                None => {
                    if let Some(what) = super::function::reserved(n) {
                        return self.fail(message::not_supported_yet(e.span, what));
                    }
                    self.fail(message::not_a_set(n, e.span, None))
                }
            },
            ExprKind::Call { function, arguments } => {
                let Some(entry) = set::by_name(&function.text).filter(|s| !s.is_box) else {
                    if let Some(what) = super::function::reserved(&function.text) {
                        return self.fail(message::not_supported_yet(function.span, what));
                    }
                    return self.fail(message::not_a_set(&function.text, function.span, None));
                };
                if arguments.len() != entry.parameters.len() {
                    let d = message::argument_count(
                        entry.name,
                        e.span,
                        arguments.len(),
                        &entry.parameters.len().to_string(),
                    );
                    return self.fail(d);
                }
                let nodes: Vec<NodeId> =
                    arguments.iter().map(|a| self.bound(&a.value, shape, name, is_lower)).collect::<Checked<_>>()?;
                self.set_use(entry.name, &nodes, e.span)
            }
            _ => self.fail(message::not_a_set(&self.text(e.span), e.span, None)),
        }
    }

    /// A parameter of a set: a number or an array of the variable's shape, free of variables.
    fn bound(&mut self, e: &Expr, shape: &Shape, name: &Name, is_lower: bool) -> Checked<NodeId> {
        let a = self.array(e)?;
        if self.depends_on_variables(a.node) {
            return self.fail(message::set_depends_on_variable(e.span, &name.text, is_lower));
        }
        if !a.is_scalar() && !self.same_shape(&a.shape, shape)? {
            let (found, wanted) = (self.shape_text(&a.shape), self.shape_text(shape));
            return self.fail(message::set_shape(e.span, name, &found, &wanted));
        }
        Ok(a.node)
    }

    fn set_use(&mut self, name: &str, parameters: &[NodeId], span: Span) -> Checked<SetUse> {
        let Some(set) = set::by_name(name) else { unreachable!("the set table has `{name}`") };
        let parameters = Function::new(name, &self.graph, self.formals.clone(), parameters);
        Ok(SetUse { set, parameters, span })
    }

    /// What is known of the sign of each formal, from its set.
    fn signs(&mut self, variables: &[Variable], s: &Statements<'a>, first: usize) -> Vec<Sign> {
        let mut signs = vec![Sign::Unknown; self.formals.len()];
        for v in variables {
            signs[v.formal] = v.set.as_ref().map_or(Sign::Unknown, |set| self.sign_of_members(set));
        }
        if first > 0 || s.variables.is_empty() {
            // The lower level also sees the upper variables, elaborated before it.
            for (i, sign) in self.upper_signs.iter().enumerate() {
                signs[i] = *sign;
            }
        } else {
            self.upper_signs = signs[..variables.len()].to_vec();
        }
        signs
    }

    fn sign_of_members(&self, set: &SetUse) -> Sign {
        let none = vec![Sign::Unknown; set.parameters.inputs.len()];
        let analysis = Analysis::new(&set.parameters, &none, &[]);
        let signs: Vec<Sign> = set
            .parameters
            .outputs()
            .iter()
            .map(|o| match super::build::number_of(&set.parameters, *o, &self.sizes) {
                Some(v) => Sign::of(v),
                None => analysis.sign(*o),
            })
            .collect();
        (set.set.sign)(&signs)
    }

    /// Gives every variable the prox of its terms.
    fn attach_prox(
        &mut self,
        r: NodeId,
        variables: &mut [Variable],
        s: &Statements<'a>,
        signs: &[Sign],
    ) -> Checked<()> {
        let span = s.regularizers.iter().map(|e| e.span).reduce(Span::to).unwrap_or_default();
        let range = variables.iter().map(|v| v.formal).min().unwrap_or(0)..self.variable_count;
        let variable = |g: &crate::graph::Graph, id: NodeId| match g.op(id) {
            crate::graph::Op::Input(i) if range.contains(&(*i as usize)) => Some(*i as usize),
            _ => None,
        };
        let atoms = match prox::recognize(&mut self.graph, r, &variable) {
            Ok(atoms) => atoms,
            Err(rejection) => {
                let at = self.graph.span_of(rejection.node());
                let at = if span.contains(at) { at } else { span };
                return self.fail(message::no_prox(at, &rejection));
            }
        };
        let mut failed = false;
        for atom in &atoms {
            let weight = Function::new("weight", &self.graph, self.formals.clone(), &[atom.weight]);
            let mut signs = signs.to_vec();
            signs.resize(self.formals.len(), Sign::Unknown);
            let analysis = Analysis::new(&weight, &signs, &[]);
            if super::calculus::depends(&weight, weight.outputs()[0], &range.clone().collect::<Vec<_>>()) {
                self.diagnostics.push(message::weight_depends_on_own(atom.span, atom.entry.name));
                failed = true;
            } else if !analysis.sign(weight.outputs()[0]).is_nonnegative() && !self.constant_nonnegative(&weight) {
                let d = self.negative_weight(atom.span, &weight, signs.as_slice());
                self.diagnostics.push(d);
                failed = true;
            }
        }
        if failed {
            return Err(Reported);
        }
        for v in variables.iter_mut() {
            let own: Vec<&prox::Atom> = atoms.iter().filter(|a| a.variable == v.formal).collect();
            if own.is_empty() {
                continue;
            }
            let parts: Vec<&str> = own.iter().map(|a| a.entry.name).collect();
            let boxed = v.set.as_ref().is_some_and(|s| s.set.is_box);
            let entry = match (&v.set, boxed) {
                (Some(_), false) => None,
                (_, with_box) => prox::find(&parts, with_box),
            };
            let Some(entry) = entry else {
                let set = v.set.as_ref().map(|s| (s.set.name, s.span));
                let d = message::unknown_combination(span, &v.name, &parts, set, &prox::combinations());
                return self.fail(d);
            };
            let mut weights = Vec::new();
            let mut groups = None;
            for part in entry.parts {
                let Some(atom) = own.iter().find(|a| a.entry.name == *part) else {
                    unreachable!("`find` matched the parts")
                };
                weights.push(atom.weight);
                groups = groups.or(atom.groups.clone());
            }
            let weights =
                Function::new(format!("weights of {}", entry.name), &self.graph, self.formals.clone(), &weights);
            v.prox = Some(ProxUse { prox: entry, weights, groups, with_box: boxed, span });
        }
        Ok(())
    }

    fn constant_nonnegative(&self, weight: &Function) -> bool {
        number_of(weight, weight.outputs()[0], &self.sizes).is_some_and(|v| v >= 0.0)
    }

    /// A weight that may be negative: names the variable and, where a bound would do, the edit.
    fn negative_weight(&self, span: Span, weight: &Function, signs: &[Sign]) -> super::Diagnostic {
        let culprit = (0..self.variable_count).find(|i| weight.depends_on(*i) && !signs[*i].is_nonnegative());
        let declaration = culprit.and_then(|i| {
            let name = self.formals[i].name.clone();
            self.items().find_map(|kind| {
                let ItemKind::Upper { body, .. } = kind else { return None };
                body.iter().find_map(|s| match &s.kind {
                    StatementKind::Var { name: n, domain, .. } if n.text == name => {
                        Some((name.clone(), s.span, domain.is_none()))
                    }
                    _ => None,
                })
            })
        });
        message::negative_weight(span, declaration)
    }

    /// Kinks in the smooth part of the lower level: a registered term belongs to `regularize`; others are warned of.
    fn kinks(&mut self, e: &Expr, objective: &Function, signs: &[Sign], own: std::ops::Range<usize>) {
        let mut signs = signs.to_vec();
        signs.resize(objective.inputs.len(), Sign::Unknown);
        let variables: Vec<usize> = own.clone().collect();
        let analysis = Analysis::new(objective, &signs, &variables);
        let kinks = analysis.kinks(objective, objective.outputs()[0]);
        if kinks.is_empty() {
            return;
        }
        let mut reported: Vec<Span> = Vec::new();
        for (term, sign, cut) in top_terms(e) {
            let inside: Vec<_> =
                kinks.iter().filter(|(n, _)| term.span.contains(objective.graph().span_of(*n))).collect();
            if inside.is_empty() || reported.contains(&term.span) {
                continue;
            }
            reported.push(term.span);
            let outer = self.diagnostics.len();
            let atoms = self.objective(term).ok().and_then(|node| {
                let variable = |g: &crate::graph::Graph, id: NodeId| match g.op(id) {
                    crate::graph::Op::Input(i) if own.contains(&(*i as usize)) => Some(*i as usize),
                    _ => None,
                };
                prox::recognize(&mut self.graph, node, &variable).ok()
            });
            self.diagnostics.truncate(outer);
            let text = self.text(term.span);
            match atoms {
                Some(_) if sign == TermSign::Plus => {
                    let d = message::kink_has_prox(term.span, &text, cut, e.span);
                    self.diagnostics.push(d);
                }
                _ => {
                    let (node, convention) = inside[0];
                    let at = objective.graph().span_of(*node);
                    let name = objective.graph().op(*node).name();
                    self.diagnostics.push(message::kink_without_prox(at, &name, convention));
                }
            }
        }
    }

    /// Metrics that are numbers over variables and data.
    fn metrics(&mut self) -> Checked<Vec<Metric>> {
        let mut metrics = Vec::new();
        let mut failed = false;
        for kind in self.items() {
            let ItemKind::Metric(b) = kind else { continue };
            self.in_metric = true;
            let value = self.isolated(|c| c.objective(&b.value));
            self.in_metric = false;
            match value {
                Ok(node) => {
                    let value = Function::new(b.name.text.clone(), &self.graph, self.formals.clone(), &[node]);
                    metrics.push(Metric { name: b.name.text.clone(), value });
                }
                Err(Reported) => failed = true,
            }
        }
        if failed { Err(Reported) } else { Ok(metrics) }
    }

    fn runs(&self) -> (Vec<Preset>, Vec<blo_grammar::ast::Assign>, Vec<Expectation>) {
        let (mut presets, mut options, mut expectations) = (Vec::new(), Vec::new(), Vec::new());
        for kind in self.items() {
            match kind {
                ItemKind::Method { method, preset, options } => {
                    presets.push(Preset { method: method.clone(), preset: preset.clone(), options: options.clone() });
                }
                ItemKind::Option(a) => options.push(a.clone()),
                ItemKind::Expect { method, preset, options, body } => expectations.push(Expectation {
                    method: method.clone(),
                    preset: preset.clone(),
                    options: options.clone(),
                    body: body.clone(),
                }),
                _ => {}
            }
        }
        (presets, options, expectations)
    }

    /// Elaborates what nothing used, so that its mistakes are reported too.
    fn resolve_rest(&mut self) {
        let mut names: Vec<(String, Span)> = self
            .globals
            .iter()
            .filter(|(_, (d, _))| matches!(d, Declared::Param(..) | Declared::Let(_) | Declared::Data(_)))
            .map(|(n, (_, at))| (n.clone(), *at))
            .collect();
        names.sort_by_key(|(_, at)| *at);
        for (name, at) in names {
            let _ = self.isolated(|c| c.name(&name, at));
        }
    }

    /// A param's value; a whole number is a size of the same name.
    pub(super) fn param(&mut self, name: &str, dims: &[Dimension], value: &Expr, at: Span) -> Checked<Value> {
        let given = self.settings.params.iter().rev().find(|(n, _)| n == name).map(|(_, v)| *v);
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
pub(super) fn number_of(f: &Function, output: NodeId, sizes: &super::shape::Sizes) -> Option<f64> {
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

/// The additive terms of an expression with their signs, and the span to cut to remove each.
fn top_terms(e: &Expr) -> Vec<(&Expr, TermSign, Span)> {
    match &e.kind {
        ExprKind::Paren(inner) => top_terms(inner),
        ExprKind::Sum(terms) => {
            let cut = |i: usize| match i {
                0 if terms.len() > 1 => Span { start: terms[0].2.span.start, end: terms[1].2.span.start },
                0 => terms[0].2.span,
                _ => Span { start: terms[i - 1].2.span.end, end: terms[i].2.span.end },
            };
            terms.iter().enumerate().map(|(i, (sign, _, t))| (t, *sign, cut(i))).collect()
        }
        _ => vec![(e, TermSign::Plus, e.span)],
    }
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
