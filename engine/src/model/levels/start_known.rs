//! `start` and `known`. A start is one array per variable. What is known of a variable becomes the nearest known point
//! as a function of the variable: facts about parts of it are put into a lower and an upper bound per entry.

use std::collections::HashMap;

use blo_grammar::ast::{Argument, Assign, Expr, ExprKind, Fact, FactRelation, ItemKind, Name, Subscript};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::elementwise;
use crate::graph::{Elem, Formal, Function, NodeId, all_axes};
use crate::model::checker::{Checked, Checker, Declared, Reported};
use crate::model::levels::row_names::CONSTANT;
use crate::model::levels::variable_set::Member;
use crate::model::meaning::{LoopArray, LoopPosition, Meaning};
use crate::model::message;
use crate::model::problem::{DataItem, Kind, Known, SetUse};
use crate::shape::{Dim, Shape};

/// Bounds collected for one variable.
struct Facts {
    lo: NodeId,
    hi: NodeId,
    /// The projection onto a set that is not a box; it concerns the whole variable.
    projected: Option<NodeId>,
}

/// A region of one axis: zero-based first, stride, length.
struct Region {
    start: Dim,
    stride: u32,
    length: Dim,
    each: Option<usize>,
}

impl Region {
    /// The first one-based position.
    fn first(&self) -> Option<Dim> {
        self.start.add(&Dim::constant(1))
    }

    /// The last one.
    fn last(&self) -> Option<Dim> {
        self.length.sub(&Dim::constant(1))?.mul(&Dim::constant(i64::from(self.stride)))?.add(&self.first()?)
    }
}

impl Checker<'_> {
    /// The start point; zeros where nothing is said.
    pub(crate) fn start(&mut self, shapes: &[Shape]) -> Checked<Function> {
        let mut given: Vec<Option<&Assign>> = vec![None; shapes.len()];
        let mut failed = false;
        for kind in self.items() {
            let ItemKind::Start(assigns) = kind else { continue };
            for a in assigns {
                match self.names.globals.get(&a.name.text) {
                    Some((Declared::Variable(i), _)) => match given[*i] {
                        Some(first) => {
                            self.diagnostics.push(message::given_twice(&a.name.text, a.name.span, first.name.span));
                            failed = true;
                        }
                        None => given[*i] = Some(a),
                    },
                    _ => {
                        let d = self.not_a_variable(&a.name.text, a.name.span);
                        self.diagnostics.push(d);
                        failed = true;
                    }
                }
            }
        }
        let mut outputs = Vec::new();
        for (shape, assign) in shapes.iter().zip(given) {
            let node = match assign {
                None => Ok(self.graph.filled(0.0, shape)),
                Some(a) => self.start_value(a, shape),
            };
            match node {
                Ok(node) => outputs.push(node),
                Err(Reported) => failed = true,
            }
        }
        if failed {
            return Err(Reported);
        }
        Ok(Function::new("start", &self.graph, self.formals.clone(), &outputs))
    }

    pub(crate) fn start_value(&mut self, a: &Assign, shape: &Shape) -> Checked<NodeId> {
        if let ExprKind::Call { function, arguments } = &a.value.kind
            && crate::data::generator(&function.text).is_some()
            && !self.names.globals.contains_key(&function.text)
        {
            let origin = self.generator(function, arguments, &format!("start {}", a.name.text))?;
            let formal = self.formals.len();
            let name = format!("start of {}", a.name.text);
            self.formals.push(Formal { name: name.clone(), shape: shape.clone(), elem: Elem::Real });
            let (kind, span) = (Kind::Real, a.value.span);
            self.rows.data.push(DataItem { formal, name, shape: shape.clone(), origin, kind, span });
            return Ok(self.graph.input(formal, shape.clone(), Elem::Real));
        }
        let value = self.without_multipliers(CONSTANT, |c| c.isolated(|c| c.array(&a.value)))?;
        if self.depends_on_variables(value.node) {
            return self.fail(message::constant_needed(a.value.span, "a start"));
        }
        if !value.is_scalar() && !self.same_shape(&value.shape, shape)? {
            if let Some(node) = self.start_of_shape(&value, a, shape)? {
                return Ok(node);
            }
            let (found, wanted) = (self.shape_text(&value.shape), self.shape_text(shape));
            return self.fail(message::declared_shape(a.value.span, &a.name.text, &found, &wanted));
        }
        self.align(&value, &[], shape, a.value.span)
    }

    /// A start that is written for one follower and holds for each, or whose sizes have the variable's values in other
    /// words: a start is no formula that has to hold for all sizes.
    fn start_of_shape(&mut self, value: &LoopArray, a: &Assign, shape: &Shape) -> Checked<Option<NodeId>> {
        let is_follower = matches!(self.names.globals.get(&a.name.text),
            Some((Declared::Variable(i), _)) if self.followers.variables.contains(i));
        if is_follower && value.shape.rank() + 1 == shape.rank() {
            let own = Shape(shape.0[1..].to_vec());
            let fits = self.same_shape(&value.shape, &own)?;
            return Ok(fits.then(|| self.graph.broadcast(value.node, all_axes(shape) & !1, shape)));
        }
        let sizes = |s: &Shape| s.sizes(&self.sizes).ok();
        if value.shape.rank() != shape.rank() || sizes(shape).is_none() || sizes(&value.shape) != sizes(shape) {
            return Ok(None);
        }
        let mut node = value.node;
        for (axis, length) in shape.0.iter().enumerate().filter(|(axis, d)| value.shape.0[*axis] != **d) {
            node = self.graph.slice(node, axis, &Dim::constant(0), 1, length);
        }
        Ok(Some(node))
    }

    fn not_a_variable(&self, name: &str, span: Span) -> Diagnostic {
        let variables = self.formals[..self.variable_count].iter().map(|f| f.name.as_str());
        let near = blo_grammar::diagnostic::did_you_mean(name, variables).map(str::to_string);
        message::not_a_variable(name, span, near)
    }

    /// What is known of the optimum.
    pub(crate) fn known(&mut self, shapes: &[Shape]) -> Checked<Known> {
        let mut facts: Vec<Option<Facts>> = shapes.iter().map(|_| None).collect();
        let mut known = Known { spans: vec![Span::default(); shapes.len()], ..Known::default() };
        let mut failed = false;
        let mut targets: HashMap<String, Span> = HashMap::new();
        for kind in self.items() {
            let ItemKind::Known(list) = kind else { continue };
            for fact in list {
                // entries within a loop may be given one by one
                let target = self.text(fact.target.span).replace(' ', "");
                let at = fact.target.span;
                if let Some(first) = targets.insert(target.clone(), at).filter(|_| fact.each.is_none()) {
                    self.diagnostics.push(message::given_twice(&target, at, first));
                    failed = true;
                }
                known.span = if known.span == Span::default() { fact.span } else { known.span.to(fact.span) };
                let result = self.without_multipliers(CONSTANT, |c| {
                    c.isolated(|c| c.scoped(|c| c.fact(fact, shapes, &mut facts, &mut known)))
                });
                failed |= result.is_err();
            }
        }
        if failed {
            return Err(Reported);
        }
        for (i, f) in facts.into_iter().enumerate() {
            let nearest = f.map(|f| {
                let v = self.graph.input(i, shapes[i].clone(), Elem::Real);
                let node = f.projected.unwrap_or_else(|| {
                    let raised = self.graph.elementwise(elementwise::MAX, &[v, f.lo]);
                    self.graph.elementwise(elementwise::MIN, &[raised, f.hi])
                });
                let name = format!("nearest known {}", self.formals[i].name);
                (node, Function::new(name, &self.graph, self.formals.clone(), &[node]))
            });
            self.reporting.nearest.push(nearest.as_ref().map(|n| n.0));
            let nearest = nearest.map(|n| n.1);
            known.nearest.push(nearest);
        }
        Ok(known)
    }

    fn fact(&mut self, fact: &Fact, shapes: &[Shape], facts: &mut [Option<Facts>], known: &mut Known) -> Checked<()> {
        if let Some(level) = Checker::plain_name(&fact.target).filter(|n| ["upper", "lower"].contains(n)) {
            let value = self.scalar(&fact.value, "an objective's value")?;
            if self.depends_on_variables(value.node) || fact.relation == FactRelation::In {
                return self.fail(message::constant_needed(fact.value.span, "a known value"));
            }
            let f = Function::new(format!("known {level}"), &self.graph, self.formals.clone(), &[value.node]);
            let at = usize::from(level == "lower");
            self.reporting.known_objectives[at] = Some(value.node);
            known.objective_spans[at] = fact.span;
            *(if at == 0 { &mut known.upper } else { &mut known.lower }) = Some(f);
            return Ok(());
        }
        if let ExprKind::Call { function, arguments } = &fact.target.kind {
            return self.known_multiplier(fact, function, arguments, known);
        }
        let (name, subscripts, at) = match &fact.target.kind {
            ExprKind::Name(n) => (n, &[][..], fact.target.span),
            ExprKind::Index { base, indices } => match &base.kind {
                ExprKind::Name(n) => (n, indices.as_slice(), base.span),
                _ => return self.fail(message::fact_target(fact.target.span)),
            },
            _ => return self.fail(message::fact_target(fact.target.span)),
        };
        let Some((Declared::Variable(i), _)) = self.names.globals.get(name).cloned() else {
            let d = self.not_a_variable(name, at);
            return self.fail(d);
        };
        let shape = shapes[i].clone();
        let each = fact.each.as_ref().map(|(v, set)| self.open_loop(v, set)).transpose()?;
        if !subscripts.is_empty() && subscripts.len() != shape.rank() {
            return self.fail(message::subscript_count(fact.target.span, subscripts.len(), &shape, name));
        }
        let regions = self.regions(subscripts, &shape, self.followers.variables.contains(&i))?;
        if each.is_some_and(|each| !regions.iter().any(|r| r.each == Some(each))) {
            return self.fail(message::fact_target(fact.span));
        }
        let entry = match facts[i].take() {
            Some(f) => f,
            None => Facts {
                lo: self.graph.filled(f64::NEG_INFINITY, &shape),
                hi: self.graph.filled(f64::INFINITY, &shape),
                projected: None,
            },
        };
        let first = known.spans[i];
        known.spans[i] = if first == Span::default() { fact.span } else { first.to(fact.span) };
        let updated = self.tighten(entry, fact, i, &shape, &regions);
        facts[i] = Some(updated?);
        Ok(())
    }

    /// `multiplier(demand) = 3`
    fn known_multiplier(&mut self, fact: &Fact, function: &Name, row: &[Argument], known: &mut Known) -> Checked<()> {
        let name = match row {
            [Argument { name: None, value }] if function.text == "multiplier" => Checker::plain_name(value),
            _ => None,
        };
        let Some(name) = name.filter(|_| fact.relation == FactRelation::Equals && fact.each.is_none()) else {
            return self.fail(message::fact_target(fact.target.span));
        };
        if !self.notes.rows.contains_key(name) {
            // says what rows there are
            return self.expression(&fact.target).map(drop);
        }
        let shape = self.row_shape(name)?;
        let value = self.array(&fact.value)?;
        if self.depends_on_variables(value.node) {
            return self.fail(message::constant_needed(fact.value.span, "a known value"));
        }
        let symbol = shape.0.first().and_then(Dim::as_symbol).is_some_and(|s| s.starts_with('|'));
        let filtered = symbol && value.shape.rank() == 1 && shape.rank() == 1 && value.shape != shape;
        if filtered {
            self.require_within(&Dim::constant(1), &value.shape.0[0], &shape.0[0], fact.value.span)?;
        } else if !value.is_scalar() && !self.same_shape(&value.shape, &shape)? {
            let (found, wanted) = (self.shape_text(&value.shape), self.shape_text(&shape));
            return self.fail(message::declared_shape(fact.value.span, name, &found, &wanted));
        }
        let node = match filtered {
            // how many rows a filter keeps is known with the data: the slice is judged then
            true => self.graph.slice(value.node, 0, &Dim::constant(0), 1, &shape.0[0]),
            false => self.align(&value, &[], &shape, fact.value.span)?,
        };
        let f = Function::new(format!("known multiplier of {name}"), &self.graph, self.formals.clone(), &[node]);
        known.multipliers.push((name.to_string(), f));
        Ok(())
    }

    fn tighten(&mut self, f: Facts, fact: &Fact, i: usize, shape: &Shape, regions: &[Region]) -> Checked<Facts> {
        let ends: Vec<&Expr> = match (fact.relation, &fact.value.kind) {
            (FactRelation::Equals, _) => vec![&fact.value, &fact.value],
            (FactRelation::In, ExprKind::Array(ends)) if ends.len() == 2 => ends.iter().collect(),
            (FactRelation::In, _) => {
                let whole = regions.iter().all(|r| r.each.is_none());
                let name = blo_grammar::ast::Name { text: self.formals[i].name.clone(), span: fact.target.span };
                let is_follower = self.followers.variables.contains(&i);
                let member = Member { name: &name, shape, is_lower: false, is_follower, may_move: false };
                let set = SetUse { each: is_follower, ..self.set_expression(&fact.value, member)? };
                if !whole {
                    return self.fail(message::fact_target(fact.span));
                }
                let formals: Vec<NodeId> = self
                    .formals
                    .clone()
                    .iter()
                    .enumerate()
                    .map(|(k, f)| self.graph.input(k, f.shape.clone(), f.elem))
                    .collect();
                let parameters = set.parameters.instantiate(&mut self.graph, &formals[..set.parameters.inputs.len()]);
                let v = formals[i];
                let projected = set.project(&mut self.graph, v, &parameters);
                return Ok(Facts { projected: Some(projected), ..f });
            }
        };
        let lo = self.placed(f.lo, ends[0], shape, regions)?;
        let hi = self.placed(f.hi, ends[1], shape, regions)?;
        Ok(Facts { lo, hi, ..f })
    }

    /// `old` with the entries of a region replaced by an expression.
    fn placed(&mut self, old: NodeId, e: &Expr, shape: &Shape, regions: &[Region]) -> Checked<NodeId> {
        let value = self.array(e)?;
        if self.depends_on_variables(value.node) {
            return self.fail(message::constant_needed(e.span, "a known value"));
        }
        let each: Vec<usize> = regions.iter().filter_map(|r| r.each).collect();
        let full = Shape(regions.iter().map(|r| r.length.clone()).collect());
        // Axes that are neither the loop's nor a single index are the value's own.
        let own: Vec<usize> =
            (0..regions.len()).filter(|k| regions[*k].each.is_none() && !regions[*k].length.is_one()).collect();
        let wanted = Shape(own.iter().map(|k| full.0[*k].clone()).collect());
        if !value.is_scalar() && !self.same_shape(&value.shape, &wanted)? {
            let (found, wanted) = (self.shape_text(&value.shape), self.shape_text(&wanted));
            return self.fail(message::declared_shape(e.span, "", &found, &wanted));
        }
        let aligned = self.align(&value, &each, &wanted, e.span)?;
        // Bring the loop's axis to its place among the own ones.
        let mut order: Vec<u8> = Vec::new();
        let mut next = each.len() as u8;
        for r in regions {
            if r.each.is_some() {
                order.push(0);
            } else if !r.length.is_one() {
                order.push(next);
                next += 1;
            }
        }
        let ordered = self.graph.permute(aligned, &order);
        let mut values = self.graph.reshape(ordered, &full);
        let mut mask = self.graph.filled(1.0, &full);
        for (k, r) in regions.iter().enumerate() {
            if r.length != shape.0[k] || r.stride != 1 {
                values = self.graph.pad(values, k, &r.start, r.stride, &shape.0[k]);
                mask = self.graph.pad(mask, k, &r.start, r.stride, &shape.0[k]);
            }
        }
        Ok(self.graph.elementwise(elementwise::SELECT, &[mask, values, old]))
    }

    fn regions(&mut self, subscripts: &[Subscript], shape: &Shape, is_follower: bool) -> Checked<Vec<Region>> {
        let whole = |d: &Dim| Region { start: Dim::constant(0), stride: 1, length: d.clone(), each: None };
        if subscripts.is_empty() {
            return Ok(shape.0.iter().map(whole).collect());
        }
        let mut regions = Vec::new();
        for (axis, (s, extent)) in subscripts.iter().zip(&shape.0).enumerate() {
            let Subscript::At(e) = s else {
                regions.push(whole(extent));
                continue;
            };
            let less_one = |d: &Dim| d.sub(&Dim::constant(1));
            let value = self.expression(e)?;
            let value = if is_follower && axis == 0 { self.place_of_follower(value, e.span)? } else { value };
            let region = match value {
                Meaning::Range(r) => less_one(&r.start).map(|start| Region {
                    start,
                    stride: r.stride as u32,
                    length: r.length,
                    each: None,
                }),
                Meaning::Array(a) => match &a.position {
                    Some(LoopPosition::Affine { each, offset, stride }) => {
                        let length = self.loops[*each].length.clone();
                        less_one(offset).map(|start| Region {
                            start,
                            stride: *stride as u32,
                            length,
                            each: Some(*each),
                        })
                    }
                    Some(LoopPosition::Element { .. }) => None,
                    None => {
                        let at = self.dim_of(&a, e.span, "an index")?;
                        less_one(&at).map(|start| Region { start, stride: 1, length: Dim::constant(1), each: None })
                    }
                },
                _ => None,
            };
            let Some(region) = region else { return self.fail(message::fact_target(e.span)) };
            let (Some(first), Some(last)) = (region.first(), region.last()) else {
                return self.fail(message::size_overflow(e.span));
            };
            self.require_within(&first, &last, extent, e.span)?;
            regions.push(region);
        }
        Ok(regions)
    }
}
