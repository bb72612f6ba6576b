//! Constraint sets of variables, and what they say of signs.

use blo_grammar::ast::{Domain, Expr, ExprKind, Name};
use blo_grammar::span::Span;

use crate::calculus::Analysis;
use crate::graph::{Function, NodeId};
use crate::model::checker::{Checked, Checker, Declared};
use crate::model::levels::build::number_of;
use crate::model::message;
use crate::model::problem::{SetUse, Variable};
use crate::set;
use crate::shape::Shape;
use crate::sign::Sign;

impl Checker<'_> {
    /// The constraint set of a variable.
    pub(crate) fn domain(&mut self, domain: &Domain, shape: &Shape, name: &Name, is_lower: bool) -> Checked<SetUse> {
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

    pub(crate) fn set_expression(&mut self, e: &Expr, shape: &Shape, name: &Name, is_lower: bool) -> Checked<SetUse> {
        match &e.kind {
            ExprKind::Paren(inner) => self.set_expression(inner, shape, name, is_lower),
            ExprKind::Array(ends) => {
                let [lo, hi] = ends.as_slice() else { return self.fail(message::interval_ends(e.span, ends.len())) };
                let lo = self.bound(lo, shape, name, is_lower)?;
                let hi = self.bound(hi, shape, name, is_lower)?;
                self.set_use("box", &[lo, hi], e.span)
            }
            ExprKind::Name(n) => match self.names.globals.get(n).cloned() {
                Some((Declared::Set(value), _)) => self.isolated(|c| c.set_expression(value, shape, name, is_lower)),
                Some((_, at)) => self.fail(message::not_a_set(n, e.span, Some(at))),
                None => {
                    if let Some((what, instead)) = crate::model::function::reserved(n) {
                        return self.fail(message::not_supported_yet(e.span, what, instead));
                    }
                    self.fail(message::not_a_set(n, e.span, None))
                }
            },
            ExprKind::Call { function, arguments } => {
                let Some(entry) = set::by_name(&function.text).filter(|s| !s.is_box) else {
                    if let Some((what, instead)) = crate::model::function::reserved(&function.text) {
                        return self.fail(message::not_supported_yet(function.span, what, instead));
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
    pub(crate) fn bound(&mut self, e: &Expr, shape: &Shape, name: &Name, is_lower: bool) -> Checked<NodeId> {
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

    pub(crate) fn set_use(&mut self, name: &str, parameters: &[NodeId], span: Span) -> Checked<SetUse> {
        let Some(set) = set::by_name(name) else { unreachable!("the set table has `{name}`") };
        let parameters = Function::new(name, &self.graph, self.formals.clone(), parameters);
        Ok(SetUse { set, parameters, span })
    }

    /// What is known of the sign of each formal, from its set.
    pub(crate) fn signs(&mut self, variables: &[Variable], is_lower: bool) -> Vec<Sign> {
        let mut signs = vec![Sign::Unknown; self.formals.len()];
        for v in variables {
            signs[v.formal] = v.set.as_ref().map_or(Sign::Unknown, |set| self.sign_of_members(set));
        }
        if is_lower {
            // The lower level also sees the upper variables, elaborated before it.
            for (i, sign) in self.notes.upper_signs.iter().enumerate() {
                signs[i] = *sign;
            }
        } else {
            self.notes.upper_signs = signs[..variables.len()].to_vec();
        }
        signs
    }

    pub(crate) fn sign_of_members(&self, set: &SetUse) -> Sign {
        let none = vec![Sign::Unknown; set.parameters.inputs.len()];
        let analysis = Analysis::new(&set.parameters, &none, &[]);
        let signs: Vec<Sign> = set
            .parameters
            .outputs()
            .iter()
            .map(|o| match number_of(&set.parameters, *o, &self.sizes) {
                Some(v) => Sign::of(v),
                None => analysis.sign(*o),
            })
            .collect();
        (set.set.sign)(&signs)
    }
}
