//! Constraint sets of variables, and what they say of signs.

use blo_grammar::ast::{Domain, Expr, ExprKind, Name};
use blo_grammar::span::Span;

use crate::calculus::Analysis;
use crate::graph::{Function, NodeId, all_axes};
use crate::model::checker::{Checked, Checker, Declared, MovingEnd};
use crate::model::message;
use crate::model::problem::{SetUse, Variable, VariedParam};
use crate::model::size::number_of;
use crate::set::{self, ParameterShape, VariableShape};
use crate::shape::{Dim, Shape};
use crate::sign::Sign;

/// The set that `[lo, hi]`, `>= lo` and `<= hi` mean.
pub(super) const INTERVAL: &str = "box";

/// The variable that a set is for.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) name: &'a Name,
    /// The shape of its array; one of a follower has the axis of the followers in front.
    pub(crate) shape: &'a Shape,
    pub(crate) is_lower: bool,
    /// True in `lower for`, whose followers share one set.
    pub(crate) is_follower: bool,
    /// True where an end of an interval may depend on variables: it then is a row of the level.
    pub(crate) may_move: bool,
}

impl Member<'_> {
    /// The shape of what lies in the set: of a follower's variable, one follower's.
    fn own_shape(&self) -> Shape {
        Shape(self.shape.0.iter().skip(usize::from(self.is_follower)).cloned().collect())
    }
}

impl Checker<'_> {
    /// The constraint set of a variable.
    pub(crate) fn domain(&mut self, domain: &Domain, member: Member<'_>) -> Checked<Option<SetUse>> {
        let infinite = |c: &mut Self, sign: f64| c.number_literal(sign * f64::INFINITY).node;
        let set = match domain {
            Domain::AtLeast(e) => {
                let lo = self.end(e, 0, member)?;
                let hi = infinite(self, 1.0);
                self.set_use(INTERVAL, &[lo, hi], e.span)
            }
            Domain::AtMost(e) => {
                let lo = infinite(self, -1.0);
                let hi = self.end(e, 1, member)?;
                self.set_use(INTERVAL, &[lo, hi], e.span)
            }
            Domain::In(e) => self.set_expression(e, member),
        }?;
        // an interval of which only the moving end was finite bounds nothing by itself
        let ends = set.parameters.outputs().iter().map(|end| set.parameters.graph().as_const(*end));
        let open = ends.into_iter().all(|end| end.is_some_and(f64::is_infinite));
        Ok(Some(set).filter(|_| !open || self.notes.moving_ends.is_empty()))
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
                let lo = self.end(lo, 0, member)?;
                let hi = self.end(hi, 1, member)?;
                self.set_use(INTERVAL, &[lo, hi], e.span)
            }
            ExprKind::Name(n) => match self.names.globals.get(n).cloned() {
                Some((Declared::Set(value), at)) => self.within(n, e.span, at, |c| c.set_expression(value, member)),
                Some((_, at)) => self.fail(message::not_a_set(n, e.span, Some(at), None)),
                None => match set::by_name(n).filter(|s| !s.is_box) {
                    Some(entry) if entry.parameters.is_empty() => self.use_of(entry, &[], e.span, member),
                    Some(entry) => {
                        let names: Vec<&str> = entry.parameters.iter().map(|p| p.name).collect();
                        self.fail(message::set_without_arguments(entry.name, &names, e.span))
                    }
                    None => {
                        let near = self.nearest_set(n);
                        self.fail(message::not_a_set(n, e.span, None, near))
                    }
                },
            },
            ExprKind::Call { function, arguments } => {
                let Some(entry) = set::by_name(&function.text).filter(|s| !s.is_box) else {
                    let near = self.nearest_set(&function.text);
                    return self.fail(message::not_a_set(&function.text, function.span, None, near));
                };
                let expected = entry.parameters.len();
                if expected == 0 {
                    return self.fail(message::set_with_arguments(entry.name, e.span));
                }
                if arguments.len() != expected {
                    let d = message::argument_count(entry.name, e.span, arguments.len(), &expected.to_string());
                    return self.fail(d);
                }
                let arguments: Vec<&Expr> = arguments.iter().map(|a| &a.value).collect();
                self.use_of(entry, &arguments, e.span, member)
            }
            _ => self.fail(message::not_a_set(&self.text(e.span), e.span, None, None)),
        }
    }

    /// A set of the table with its arguments, for a variable of a shape that it takes.
    fn use_of(
        &mut self,
        entry: &'static set::Entry,
        arguments: &[&Expr],
        span: Span,
        member: Member<'_>,
    ) -> Checked<SetUse> {
        let own = member.own_shape();
        let fits = match entry.variable {
            VariableShape::Any => true,
            VariableShape::Column => own.rank() == 1,
            VariableShape::Square => own.rank() == 2 && self.same_dim(&own.0[0], &own.0[1])?,
        };
        if !fits {
            let found = if own.is_scalar() { "a number".into() } else { self.shape_text(&own) };
            return self.fail(message::set_of_other_shapes(span, entry, member.name, &found));
        }
        let mut nodes = Vec::new();
        for (i, argument) in arguments.iter().enumerate() {
            let before = i.checked_sub(1).map(|before| (arguments[before], nodes[before]));
            nodes.push(self.parameter(argument, entry, i, before, member)?);
        }
        match entry.as_box {
            None => self.set_use(entry.name, &nodes, span),
            Some(ends) => {
                let ends = ends(&mut self.graph, &nodes);
                self.set_use(INTERVAL, &ends, span)
            }
        }
    }

    /// An end of an interval.
    fn end(&mut self, e: &Expr, i: usize, member: Member<'_>) -> Checked<NodeId> {
        let Some(entry) = set::by_name(INTERVAL) else { unreachable!("the table has intervals") };
        let end = self.parameter(e, entry, i, None, member)?;
        Ok(match self.graph.shape(end).is_scalar() || !member.is_follower {
            true => end,
            false => self.graph.broadcast(end, all_axes(member.shape) & !1, member.shape),
        })
    }

    /// The i-th parameter of a set: free of variables, and of the shape that the set's table says. `before` is the one
    /// before it.
    fn parameter(
        &mut self,
        e: &Expr,
        entry: &'static set::Entry,
        i: usize,
        before: Option<(&Expr, NodeId)>,
        member: Member<'_>,
    ) -> Checked<NodeId> {
        let set = entry.name;
        let parameter = &entry.parameters[i];
        let a = self.array(e)?;
        let own = member.own_shape();
        // the rows of a matrix are as many as it has
        let matrix = before.map(|(e, node)| (e, self.graph.shape(node).clone()));
        let rows = matrix.as_ref().map_or_else(|| a.shape.0.first().cloned(), |(_, shape)| shape.0.first().cloned());
        let wanted = parameter.shape.array(&own, &rows.unwrap_or(Dim::constant(1)));
        let fits = (a.is_scalar() && parameter.shape.admits_number())
            || wanted.as_ref().is_some_and(|wanted| wanted.rank() == a.shape.rank())
                && wanted.as_ref().map_or(Ok(false), |wanted| self.same_shape(&a.shape, wanted))?;
        if !fits {
            let found = if a.is_scalar() { "a number".into() } else { self.shape_text(&a.shape) };
            let of = self.shape_text(&own);
            return self.fail(match (parameter.shape, matrix) {
                (ParameterShape::Scalar, _) => message::set_parameter(e.span, set, parameter, &found),
                (ParameterShape::Matrix, _) => {
                    message::set_matrix(e.span, (set, parameter.name), member.name, &found, &of)
                }
                (ParameterShape::PerRow, Some((matrix, shape))) => {
                    let name = (set, parameter.name, entry.parameters[i - 1].name);
                    message::set_right_side(e.span, name, &found, (matrix.span, &self.shape_text(&shape)))
                }
                _ => message::set_shape(e.span, member.name, &found, &of),
            });
        }
        if self.moves(a.node) {
            if set == INTERVAL && member.may_move {
                let is_above = i == 1;
                self.notes.moving_ends.push(MovingEnd { value: a, is_above, span: e.span });
                return Ok(self.number_literal(if is_above { f64::INFINITY } else { f64::NEG_INFINITY }).node);
            }
            let text = self.quoted(e.span);
            let sizes: Vec<String> = own.0.iter().map(ToString::to_string).collect();
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
        Ok(a.node)
    }

    /// True when a node needs a variable of the file, params that vary aside.
    pub(super) fn moves(&mut self, node: NodeId) -> bool {
        if !self.depends_on_variables(node) {
            return false;
        }
        let f = Function::new("end", &self.graph, self.formals.clone(), &[node]);
        (0..self.variable_count).any(|i| !self.varies(&self.formals[i].name) && f.depends_on(i))
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
