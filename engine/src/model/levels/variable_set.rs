//! Constraint sets of variables, and what they say of signs.

use blo_grammar::ast::{Domain, Expr, ExprKind, Name};
use blo_grammar::span::Span;

use crate::calculus::Analysis;
use crate::graph::{Function, NodeId, all_axes};
use crate::model::checker::{Checked, Checker, Declared};
use crate::model::message;
use crate::model::problem::{SetUse, Variable, VariedParam};
use crate::model::size::number_of;
use crate::set;
use crate::shape::Shape;
use crate::sign::Sign;

/// The set that `[lo, hi]`, `>= lo` and `<= hi` mean.
const INTERVAL: &str = "box";

/// The variable that a set is for.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) name: &'a Name,
    /// The shape of its array; one of a follower has the axis of the followers in front.
    pub(crate) shape: &'a Shape,
    pub(crate) is_lower: bool,
    /// True in `lower for`, whose followers share one set.
    pub(crate) is_follower: bool,
}

impl Checker<'_> {
    /// The constraint set of a variable.
    pub(crate) fn domain(&mut self, domain: &Domain, member: Member<'_>) -> Checked<SetUse> {
        let infinite = |c: &mut Self, sign: f64| c.number_literal(sign * f64::INFINITY).node;
        match domain {
            Domain::AtLeast(e) => {
                let lo = self.parameter(e, INTERVAL, 0, member)?;
                let hi = infinite(self, 1.0);
                self.set_use(INTERVAL, &[lo, hi], e.span)
            }
            Domain::AtMost(e) => {
                let lo = infinite(self, -1.0);
                let hi = self.parameter(e, INTERVAL, 1, member)?;
                self.set_use(INTERVAL, &[lo, hi], e.span)
            }
            Domain::In(e) => self.set_expression(e, member),
        }
    }

    /// Numbers near a param that varies, for what they say of its sign.
    pub(crate) fn set_of_varied(&mut self, name: &Name, definition: &Expr) -> Checked<SetUse> {
        let settings = self.file.settings;
        let value = settings.varied.iter().find(|(n, _)| *n == name.text).map_or(f64::NAN, |(_, value)| *value);
        let given = settings.params.iter().any(|(n, _)| *n == name.text);
        let node = match given {
            true => self.number_literal(value).node,
            false => self.isolated(|c| c.array(definition))?.node,
        };
        let formals = self.formals[..self.variable_count].to_vec();
        let definition = Function::new(&name.text, &self.graph, formals, &[node]);
        self.varied.push(VariedParam { name: name.text.clone(), value, definition });
        let [lo, hi] = match value {
            v if v > 0.0 => [value / 2.0, 2.0 * value],
            v if v < 0.0 => [2.0 * value, value / 2.0],
            _ => [0.0, f64::INFINITY],
        };
        let ends = [lo, hi].map(|end| self.number_literal(end).node);
        self.set_use(INTERVAL, &ends, name.span)
    }

    /// The set of the language or of the file that a word is a misspelling of.
    fn nearest_set(&self, word: &str) -> Option<String> {
        let own =
            self.names.globals.iter().filter(|(_, (d, _))| matches!(d, Declared::Set(_))).map(|(n, _)| n.as_str());
        let known = set::TABLE.iter().filter(|s| !s.is_box).map(|s| s.name);
        blo_grammar::diagnostic::did_you_mean(word, known.chain(own)).map(str::to_owned)
    }

    pub(crate) fn set_expression(&mut self, e: &Expr, member: Member<'_>) -> Checked<SetUse> {
        match &e.kind {
            ExprKind::Paren(inner) => self.set_expression(inner, member),
            ExprKind::Array(ends) => {
                let [lo, hi] = ends.as_slice() else { return self.fail(message::interval_ends(e.span, ends.len())) };
                let lo = self.parameter(lo, INTERVAL, 0, member)?;
                let hi = self.parameter(hi, INTERVAL, 1, member)?;
                self.set_use(INTERVAL, &[lo, hi], e.span)
            }
            ExprKind::Name(n) => match self.names.globals.get(n).cloned() {
                Some((Declared::Set(value), at)) => self.within(n, e.span, at, |c| c.set_expression(value, member)),
                Some((_, at)) => self.fail(message::not_a_set(n, e.span, Some(at), None)),
                None => {
                    if let Some((what, instead)) = crate::model::function::planned(n) {
                        return self.fail(message::not_supported_yet(e.span, what, instead));
                    }
                    if let Some(entry) = set::by_name(n).filter(|s| !s.is_box) {
                        let names: Vec<&str> = entry.parameters.iter().map(|p| p.name).collect();
                        return self.fail(message::set_without_arguments(entry.name, &names, e.span));
                    }
                    let near = self.nearest_set(n);
                    self.fail(message::not_a_set(n, e.span, None, near))
                }
            },
            ExprKind::Call { function, arguments } => {
                let Some(entry) = set::by_name(&function.text).filter(|s| !s.is_box) else {
                    if let Some((what, instead)) = crate::model::function::planned(&function.text) {
                        return self.fail(message::not_supported_yet(function.span, what, instead));
                    }
                    let near = self.nearest_set(&function.text);
                    return self.fail(message::not_a_set(&function.text, function.span, None, near));
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
                let nodes: Vec<NodeId> = (arguments.iter().enumerate())
                    .map(|(i, a)| self.parameter(&a.value, entry.name, i, member))
                    .collect::<Checked<_>>()?;
                self.set_use(entry.name, &nodes, e.span)
            }
            _ => self.fail(message::not_a_set(&self.text(e.span), e.span, None, None)),
        }
    }

    /// The i-th parameter of a set: free of variables, and of the shape that the set's table says.
    fn parameter(&mut self, e: &Expr, set: &str, i: usize, member: Member<'_>) -> Checked<NodeId> {
        let Some(entry) = set::by_name(set) else { unreachable!("the set table has `{set}`") };
        let parameter = &entry.parameters[i];
        let a = self.array(e)?;
        let own = Shape(member.shape.0.iter().skip(usize::from(member.is_follower)).cloned().collect());
        let fits = match parameter.shape {
            shape if a.is_scalar() && shape.admits_number() => true,
            shape => match shape.array(&own) {
                Some(array) => self.same_shape(&a.shape, &array)?,
                None => false,
            },
        };
        if !fits {
            let found = if a.is_scalar() { "a number".into() } else { self.shape_text(&a.shape) };
            let own = self.shape_text(&own);
            return self.fail(match parameter.shape.array(member.shape) {
                None => message::set_parameter(e.span, entry.name, parameter, &found),
                Some(_) => message::set_shape(e.span, member.name, &found, &own),
            });
        }
        // without params that vary, this text has no set that depends on a variable
        if self.depends_on_variables(a.node) && self.file.settings.varied.is_empty() {
            let text = self.quoted(e.span);
            let dims = &member.shape.0[usize::from(member.is_follower).min(member.shape.rank())..];
            let sizes: Vec<String> = dims.iter().map(ToString::to_string).collect();
            let declared = if sizes.is_empty() { "u".to_owned() } else { format!("u[{}]", sizes.join(", ")) };
            let scaled = match set {
                INTERVAL if sizes.is_empty() => None,
                INTERVAL if a.is_scalar() => Some((format!("var {declared} in [0, 1]"), format!("{text}*u"))),
                INTERVAL => Some((format!("var {declared} in [0, 1]"), format!("{text}.*u"))),
                _ if i == 0 && a.is_scalar() && entry.parameters.len() == 1 => {
                    Some((format!("var {declared} in {set}(1)"), format!("{text}*u")))
                }
                _ => Some((String::new(), String::new())),
            };
            return self.fail(message::set_depends_on_variable(e.span, &member.name.text, member.is_lower, scaled));
        }
        match a.is_scalar() || !member.is_follower {
            true => Ok(a.node),
            false => Ok(self.graph.broadcast(a.node, all_axes(member.shape) & !1, member.shape)),
        }
    }

    pub(crate) fn set_use(&mut self, name: &str, parameters: &[NodeId], span: Span) -> Checked<SetUse> {
        let Some(set) = set::by_name(name) else { unreachable!("the set table has `{name}`") };
        let parameters = Function::new(name, &self.graph, self.formals.clone(), parameters);
        Ok(SetUse { set, parameters, each: false, span })
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
