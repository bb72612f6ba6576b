//! Assembles the problem: declares what the file declares, elaborates the levels, and cuts functions out of the graph.

use std::rc::Rc;

use blo_grammar::EDITION;
use blo_grammar::ast::{Expr, ExprKind, ItemKind, Name, Statement, StatementKind};
use blo_grammar::span::Span;

use crate::graph::{Function, Graph, NodeId};
use crate::model::checker::{Checker, Declared, Statements};
use crate::model::meaning::Meaning;
use crate::model::message;
use crate::model::problem::{Known, Level, Preset, Problem};
use crate::shape::Dim;

impl<'a> Checker<'a> {
    /// The problem, if nothing is wrong with it.
    pub(crate) fn problem(&mut self, fallback: &str) -> Option<Problem> {
        let name = self.declare_items().unwrap_or_else(|| fallback.to_string());
        self.corruptions();
        let (upper, lower) = (self.upper_block(), self.lower_block());
        let (Some(mut upper), Some(lower)) = (upper, lower) else {
            self.resolve_rest();
            return None;
        };
        upper.variables.extend(self.varied().map(|(name, _)| (name, &[][..], None)));
        let shapes = self.declare_variables(&upper, &lower);
        let (first, lower) = (upper.variables.len(), Rc::new(lower));
        self.declare_rows(&upper, &lower);
        // In the order of the file, so that long chains of definitions do not recurse.
        self.resolve_rest();
        let upper_level = self.level(&upper, &(0..first).collect::<Vec<_>>(), false);
        let lower_level = self.level(&lower, &(first..shapes.len()).collect::<Vec<_>>(), true);
        self.meta_test.statements = Some(lower);
        let start = self.start(&shapes);
        let known = self.known(&shapes);
        let reported = self.reported();
        let (Ok(mut upper), Ok(mut lower), Ok(start), Ok(known), Ok((mut metrics, mut expectations))) =
            (upper_level, lower_level, start, known, reported)
        else {
            return None;
        };
        self.multipliers_in_place(&upper, &lower, &start, &known);
        let mut other_tasks: Vec<_> =
            std::mem::take(&mut self.meta_test.levels).into_values().filter_map(Result::ok).collect();
        // Every function takes the final list of formals.
        for level in [&mut upper, &mut lower].into_iter().chain(other_tasks.iter_mut().map(|o| &mut o.lower)) {
            level.widen(&self.formals);
        }
        for other in &mut other_tasks {
            other.start = other.start.widened(&self.formals);
        }
        let start = feasible(&start.widened(&self.formals), &upper, &lower);
        let known = Known {
            nearest: known.nearest.iter().map(|f| f.as_ref().map(|f| f.widened(&self.formals))).collect(),
            upper: known.upper.as_ref().map(|f| f.widened(&self.formals)),
            lower: known.lower.as_ref().map(|f| f.widened(&self.formals)),
            multipliers: known.multipliers.iter().map(|(n, f)| (n.clone(), f.widened(&self.formals))).collect(),
            ..known
        };
        let values = metrics.iter_mut().map(|m| (&mut m.value, &mut m.quotients));
        let assertions = expectations.iter_mut().flat_map(|e| &mut e.body).map(|a| (&mut a.value, &mut a.quotients));
        for (value, quotients) in values.chain(assertions) {
            *value = value.widened(&self.formals);
            quotients.iter_mut().for_each(|q| q.denominator = q.denominator.widened(&self.formals));
        }
        let (presets, options) = self.runs();
        let obligations = self.obligations().ok()?;
        Some(Problem {
            name,
            formals: self.formals.clone(),
            levels: vec![upper, lower],
            data: std::mem::take(&mut self.rows.data),
            tables: std::mem::take(&mut self.rows.tables),
            sizes: self.sizes.clone(),
            derived_sizes: std::mem::take(&mut self.size_checks.derived),
            obligations,
            doubts: self.doubts(),
            widths: self
                .widths
                .met
                .iter()
                .filter(|(s, d)| **d != Dim::symbol(s))
                .map(|(s, d)| (s.clone(), d.clone()))
                .collect(),
            start,
            known,
            presets,
            options,
            expectations,
            metrics,
            limits: self.file.settings.limits.clone(),
            other_tasks,
            varied: std::mem::take(&mut self.varied),
            batches: None,
        })
    }

    /// Declares global names; returns the problem's name.
    fn declare_items(&mut self) -> Option<String> {
        let mut name: Option<(String, Span)> = None;
        for (position, item) in self.file.ast.items.iter().enumerate() {
            match &item.kind {
                ItemKind::Problem { name: n, options } => {
                    for o in options {
                        match &o.value.kind {
                            _ if o.name.text != "edition" => {
                                self.diagnostics.push(message::unknown_option_of(&o.name, "problem", &["edition"]));
                            }
                            ExprKind::Number { value, .. } if *value == f64::from(EDITION) => {}
                            _ => self.diagnostics.push(message::other_edition(o.value.span)),
                        }
                    }
                    match &name {
                        Some((_, at)) => self.diagnostics.push(message::declared_twice("problem", n.span, *at)),
                        None => name = Some((n.text.clone(), n.span)),
                    }
                }
                ItemKind::Param { name, .. } if self.varies(&name.text) => {}
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
            if !self.varies(given) && !matches!(self.names.globals.get(given), Some((Declared::Param(..), _))) {
                let params = self.names.globals.iter().filter(|(_, (d, _))| matches!(d, Declared::Param(..)));
                let params: Vec<&str> = params.map(|(n, _)| n.as_str()).collect();
                self.diagnostics.push(message::no_such_param(given, &params));
            }
        }
        name.map(|(n, _)| n)
    }

    /// The values of params; `None` for one that has none.
    pub(in crate::model) fn values_of_params(&mut self, names: &[Name]) -> Vec<Option<f64>> {
        self.declare_items();
        let mut value = |name: &Name| {
            let number = self.isolated(|c| match c.name(&name.text, name.span)? {
                Meaning::Array(a) => c.number(&a),
                _ => Ok(None),
            });
            number.unwrap_or_default()
        };
        names.iter().map(&mut value).collect()
    }

    /// True for a param that is an upper variable in this check.
    pub(in crate::model) fn varies(&self, name: &str) -> bool {
        self.file.settings.varied.iter().any(|(varied, _)| varied == name)
    }

    /// The params that vary, with their values as written.
    pub(super) fn varied(&self) -> impl Iterator<Item = (&'a Name, &'a Expr)> + use<'a> {
        let varied = self.file.settings.varied.as_slice();
        self.items().filter_map(move |kind| match kind {
            ItemKind::Param { name, value, .. } if varied.iter().any(|(v, _)| *v == name.text) => Some((name, value)),
            _ => None,
        })
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
                    Some(first) => self.second_level("upper", keyword, first.keyword),
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
                    Some(first) => self.second_level("lower", lower.keyword, first.keyword),
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

    fn second_level(&mut self, level: &str, keyword: Span, first: Span) {
        self.notes.block_left_out = true;
        self.diagnostics.push(message::second_level(level, keyword, first));
    }

    fn sort(&mut self, body: &'a [Statement], keyword: Span) -> Statements<'a> {
        let mut s = Statements {
            variables: Vec::new(),
            objective: Vec::new(),
            regularizers: Vec::new(),
            lets: Vec::new(),
            rows: Vec::new(),
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
                StatementKind::SubjectTo(rows) => s.rows.extend(rows),
                StatementKind::Lower(lower) => {
                    self.notes.block_left_out = true;
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
}

/// The start projected onto the sets; the default, zero, may lie outside.
fn feasible(start: &Function, upper: &Level, lower: &Level) -> Function {
    let mut g = Graph::new();
    let formals = start.inputs.iter().enumerate();
    let nodes: Vec<NodeId> = formals.map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let mut values = start.instantiate(&mut g, &nodes);
    for (variable, value) in upper.variables.iter().chain(&lower.variables).zip(&mut values) {
        if let Some(set) = &variable.set {
            let parameters = set.parameters.instantiate(&mut g, &nodes);
            *value = set.project(&mut g, *value, &parameters);
        }
    }
    Function::new("start", &g, start.inputs.clone(), &values)
}
