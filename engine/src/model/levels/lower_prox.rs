//! The proximal part of the lower level: its terms matched to the prox table, weights judged, kinks found where the smooth
//! part stands.

use blo_grammar::ast::{Expr, ExprKind, ItemKind, Sign as TermSign, StatementKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::calculus::Analysis;
use crate::graph::{Function, NodeId};
use crate::model::checker::{Checked, Checker, Reported, Statements};
use crate::model::levels::build::number_of;
use crate::model::message;
use crate::model::problem::{ProxUse, Variable};
use crate::prox;
use crate::sign::Sign;

impl<'a> Checker<'a> {
    /// Gives every variable the prox of its terms.
    pub(crate) fn attach_prox(
        &mut self,
        r: NodeId,
        variables: &mut [Variable],
        s: &Statements<'a>,
        signs: &[Sign],
    ) -> Checked<()> {
        let span = s.regularizers.iter().map(|e| e.span).reduce(Span::to).unwrap_or_default();
        let formals: Vec<usize> = variables.iter().map(|v| v.formal).collect();
        let variable = |g: &crate::graph::Graph, id: NodeId| match g.op(id) {
            crate::graph::Op::Input(i) if formals.contains(&(*i as usize)) => Some(*i as usize),
            _ => None,
        };
        let atoms = match prox::recognize(&mut self.graph, r, &variable) {
            Ok(atoms) => atoms,
            Err(rejection) => {
                let at = self.graph.span_of(rejection.node());
                let at = if span.contains(at) { at } else { span };
                return self.fail(match rejection {
                    prox::Rejection::OwnWeight { .. } => message::weight_depends_on_own(at),
                    _ => message::no_prox(at, &rejection),
                });
            }
        };
        let mut failed = false;
        for atom in &atoms {
            let weight = Function::new("weight", &self.graph, self.formals.clone(), &[atom.weight]);
            let mut signs = signs.to_vec();
            signs.resize(self.formals.len(), Sign::Unknown);
            let analysis = Analysis::new(&weight, &signs, &[]);
            if crate::calculus::depends(&weight, weight.outputs()[0], &formals) {
                self.diagnostics.push(message::weight_depends_on_own(atom.span));
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
                let d = message::unknown_combination(span, &v.name, &parts, set);
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

    pub(crate) fn constant_nonnegative(&self, weight: &Function) -> bool {
        number_of(weight, weight.outputs()[0], &self.sizes).is_some_and(|v| v >= 0.0)
    }

    /// A weight that may be negative: names the variable and, where a bound would do, the edit.
    pub(crate) fn negative_weight(&self, span: Span, weight: &Function, signs: &[Sign]) -> Diagnostic {
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
    pub(crate) fn kinks(&mut self, e: &Expr, objective: &Function, signs: &[Sign], own: &[usize]) {
        let mut signs = signs.to_vec();
        signs.resize(objective.inputs.len(), Sign::Unknown);
        let analysis = Analysis::new(objective, &signs, own);
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
