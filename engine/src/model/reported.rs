//! `metric` and `expect`: values that are reported or asserted of an iterate and never differentiated. In them `upper` and
//! `lower` are the objectives in the user's sign, and a metric may be named by those after it and by assertions.

use std::collections::HashMap;

use blo_grammar::ast::{Expr, ExprKind, ItemKind};
use blo_grammar::span::Span;

use crate::elementwise;
use crate::graph::{Elem, Function, NodeId};
use crate::model::checker::{Checked, Checker, Reported};
use crate::model::meaning::{Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::problem::{self as model, Assertion, Comparison, DataOrigin, Expectation, Metric, Quotient};
use crate::shape::Shape;

/// The residuals and the gap of a run, as traces call them.
pub const RESIDUALS: [&str; 4] = ["residual_upper", "residual_lower", "residual_method", "gap"];

impl Checker<'_> {
    /// Metrics, then assertions.
    pub(super) fn reported(&mut self) -> Checked<(Vec<Metric>, Vec<Expectation>)> {
        self.reporting.in_metric = true;
        let found = (self.metrics_of_file(), self.expectations());
        self.reporting.in_metric = false;
        match found {
            (Ok(metrics), Ok(expectations)) => Ok((metrics, expectations)),
            _ => Err(Reported),
        }
    }

    fn metrics_of_file(&mut self) -> Checked<Vec<Metric>> {
        let mut metrics: Vec<Metric> = Vec::new();
        let mut names: HashMap<&str, Span> = HashMap::new();
        let mut failed = false;
        for kind in self.items() {
            let ItemKind::Metric(b) = kind else { continue };
            let name = b.name.text.as_str();
            let taken = names.get(name).copied().or_else(|| self.names.globals.get(name).map(|(_, at)| *at));
            if let Some(first) = taken {
                self.diagnostics.push(message::declared_twice(name, b.name.span, first));
                failed = true;
                continue;
            }
            names.insert(name, b.name.span);
            let Ok(node) = self.isolated(|c| c.objective(&b.value)) else {
                failed = true;
                continue;
            };
            self.reporting.metrics.insert(name.to_string(), node);
            let value = Function::new(name, &self.graph, self.formals.clone(), &[node]);
            let quotients = std::mem::take(&mut self.reporting.quotients);
            metrics.push(Metric { name: name.to_string(), value, quotients, span: b.value.span });
        }
        if failed { Err(Reported) } else { Ok(metrics) }
    }

    fn expectations(&mut self) -> Checked<Vec<Expectation>> {
        let mut expectations = Vec::new();
        let mut failed = false;
        let items = &self.file.ast.items;
        for item in items {
            let ItemKind::Expect { method, preset, options, body } = &item.kind else { continue };
            let assertions: Vec<_> = body.iter().map(|e| self.isolated(|c| c.assertion(e))).collect();
            match assertions.into_iter().collect() {
                Ok(body) => expectations.push(Expectation {
                    method: method.clone(),
                    preset: preset.clone(),
                    options: options.clone(),
                    body,
                    span: item.span,
                }),
                Err(Reported) => failed = true,
            }
        }
        if failed { Err(Reported) } else { Ok(expectations) }
    }

    fn assertion(&mut self, e: &Expr) -> Checked<Assertion> {
        self.reporting.quotients.clear();
        let truth = self.array(e)?;
        if truth.kind != Kind::Boolean {
            return self.fail(message::expected_boolean(e.span, &Meaning::Array(truth).describe()));
        }
        let quotients = std::mem::take(&mut self.reporting.quotients);
        let (mut outputs, mut comparisons) = (vec![truth.node], Vec::new());
        for sides in leaves(e) {
            for side in sides {
                outputs.push(self.array(side)?.node);
            }
            let texts = sides.map(|side| self.text(side.span));
            comparisons.push(Comparison { spans: sides.map(|side| side.span), texts });
        }
        self.reporting.quotients.clear();
        let value = Function::new("assertion", &self.graph, self.formals.clone(), &outputs);
        Ok(Assertion { span: e.span, text: self.text(e.span), value, comparisons, quotients })
    }

    /// The objectives of a level, for later.
    pub(super) fn keep_objective(&mut self, smooth: NodeId, proximal: Option<NodeId>, maximize: bool, is_lower: bool) {
        // In the user's sign: `minimize + regularize`, or minus the sum of what is minimized.
        let value = match (proximal, maximize) {
            (None, false) => smooth,
            (None, true) => self.graph.neg(smooth),
            (Some(g), false) => self.graph.add(smooth, g),
            (Some(g), true) => {
                let sum = self.graph.add(smooth, g);
                self.graph.neg(sum)
            }
        };
        self.reporting.objectives[usize::from(is_lower)] = Some(value);
    }

    /// A name that has a meaning in metrics and assertions only.
    pub(super) fn reported_name(&mut self, name: &str) -> Option<Checked<Meaning>> {
        let objective = |node: Option<NodeId>| node.ok_or(Reported);
        let node = match name {
            "upper" => objective(self.reporting.objectives[0]),
            "lower" => objective(self.reporting.objectives[1]),
            _ => Ok(match self.reporting.metrics.get(name) {
                Some(metric) => *metric,
                None => self.residual(name)?,
            }),
        };
        Some(node.map(|node| Meaning::Array(LoopArray::real(node, Vec::new(), Shape::scalar()))))
    }

    /// A residual of the run, where these have names; a name of the file comes before.
    fn residual(&mut self, name: &str) -> Option<NodeId> {
        let known = RESIDUALS.contains(&name) && !self.names.globals.contains_key(name);
        if !self.file.settings.residuals || !known {
            return None;
        }
        let (scalar, origin) = (Shape::scalar(), DataOrigin::Residual);
        let node = self.formal(name.to_string(), scalar, Elem::Real, origin, model::Kind::Real, Span::default());
        self.reporting.metrics.insert(name.to_string(), node);
        Some(node)
    }

    /// `part/all`, 0 for 0/0, as usual tools report shares of nothing; the result says where that is so.
    pub(super) fn guarded_quotient(
        &mut self,
        part: NodeId,
        all: NodeId,
        (name, empty): (&'static str, &'static str),
        span: Span,
    ) -> NodeId {
        let quotient = self.graph.div(part, all);
        let shape = self.graph.shape(quotient).clone();
        let zero = self.graph.filled(0.0, &shape);
        let some = self.graph.elementwise(elementwise::NOT_EQUAL, &[zero, all]);
        let denominator = Function::new(name, &self.graph, self.formals.clone(), &[all]);
        let known = |q: &Quotient| q.span == span && q.denominator == denominator;
        if !self.reporting.quotients.iter().any(known) {
            self.reporting.quotients.push(Quotient { denominator, name, empty, span });
        }
        self.graph.elementwise(elementwise::SELECT, &[some, quotient, zero])
    }
}

/// The comparisons that a truth value is made of by `and`, `or` and `not`.
fn leaves(e: &Expr) -> Vec<[&Expr; 2]> {
    match &e.kind {
        ExprKind::Paren(inner) | ExprKind::Not(inner) => leaves(inner),
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().flat_map(leaves).collect(),
        ExprKind::Compare { left, right, .. } => vec![[left, right]],
        _ => Vec::new(),
    }
}
