//! Comprehensions and reductions over index sets as array operations: the variable of a loop stands for a whole axis, so
//! the body is elaborated once, and the number of nodes does not depend on the length.

use blo_grammar::ast::{Comprehension, Expr, Name};
use blo_grammar::span::Span;

use crate::elementwise;
use crate::graph::Reduction;
use crate::model::checker::{Checked, Checker, OpenLoop};
use crate::model::meaning::{IndexRange, Kind, LoopArray, LoopPosition, Meaning};
use crate::model::message;
use crate::shape::{Dim, Shape};

impl Checker<'_> {
    /// Opens a loop over an index set and binds its variable.
    pub(crate) fn open_loop(&mut self, name: &Name, set: &Expr) -> Checked<usize> {
        let value = self.expression(set)?;
        let each = self.loops.len();
        let over = if let Meaning::Episodes(e) = value { Some(e) } else { None };
        let (length, position, values) = match value {
            Meaning::Range(r) => {
                let values = self.range_values(&r).node;
                let position = LoopPosition::Affine { each, offset: r.start.clone(), stride: r.stride };
                (r.length, position, values)
            }
            Meaning::Indices(i) => {
                let range = IndexRange { start: Dim::constant(1), stride: 1, length: i.extent.clone() };
                let all = self.range_values(&range).node;
                let values = self.graph.gather(all, i.index, 0);
                (i.length, LoopPosition::Element { each, index: i.index, extent: i.extent }, values)
            }
            Meaning::Episodes(e) => {
                let length = self.rows.tables.episodes[e].tasks();
                let range = IndexRange { start: Dim::constant(1), stride: 1, length: length.clone() };
                let values = self.range_values(&range).node;
                (length, LoopPosition::Affine { each, offset: range.start, stride: 1 }, values)
            }
            other => return self.fail(message::not_an_index_set(set.span, &other.describe())),
        };
        self.loops.push(OpenLoop { length, over });
        let variable = LoopArray {
            node: values,
            loops: vec![each],
            shape: Shape::scalar(),
            kind: Kind::Real,
            dim: None,
            position: Some(position),
        };
        self.bind(&name.text, Meaning::Array(variable));
        Ok(each)
    }

    /// `sum(e for i in S if c)`, also mean, max, min.
    pub(crate) fn reduction(&mut self, function: &Name, c: &Comprehension, span: Span) -> Checked<LoopArray> {
        let name = function.text.as_str();
        if !["sum", "mean", "max", "min"].contains(&name) {
            return self.fail(message::not_a_reduction(function));
        }
        self.scoped(|c2| {
            let mut own = Vec::new();
            for (variable, set) in &c.generators {
                own.push(c2.open_loop(variable, set)?);
            }
            let body = c2.array(&c.body)?;
            let condition = c.condition.as_ref().map(|e| c2.condition(e)).transpose()?;
            c2.reduce_loops(name, &own, body, condition, span)
        })
    }

    fn reduce_loops(
        &mut self,
        name: &str,
        own: &[usize],
        body: LoopArray,
        condition: Option<LoopArray>,
        span: Span,
    ) -> Checked<LoopArray> {
        // A body free of a loop variable still counts once per step.
        let mut loops = union(&body.loops, own);
        if let Some(c) = &condition {
            loops = union(&loops, &c.loops);
        }
        let mask = loops.iter().enumerate().filter(|(_, l)| own.contains(l)).fold(0u8, |m, (i, _)| m | 1 << i);
        let mut node = self.align(&body, &loops, &body.shape, span)?;
        if let Some(c) = &condition {
            let neutral = if matches!(name, "max") {
                f64::NEG_INFINITY
            } else if name == "min" {
                f64::INFINITY
            } else {
                0.0
            };
            let neutral = self.graph.constant(neutral);
            let keep = self.align(c, &loops, &Shape::scalar(), span)?;
            let full = self.graph.shape(node).clone();
            let lead = ((1u16 << loops.len()) - 1) as u8;
            let keep = self.graph.broadcast(keep, lead, &full);
            node = self.graph.elementwise(elementwise::SELECT, &[keep, node, neutral]);
        }
        let needs = match name {
            "max" => Some("max"),
            "min" => Some("min"),
            "mean" => Some("mean"),
            _ => None,
        };
        if let Some(needs) = needs {
            let lengths = Shape(own.iter().map(|l| self.loops[*l].length.clone()).collect());
            self.require_some(&lengths, needs, span)?;
        }
        let node = match name {
            "max" => self.graph.reduce(Reduction::Max, node, mask),
            "min" => {
                let negative = self.graph.neg(node);
                let largest = self.graph.reduce(Reduction::Max, negative, mask);
                self.graph.neg(largest)
            }
            _ => self.graph.sum(node, mask),
        };
        let node = if name == "mean" {
            let count = match &condition {
                None => {
                    let total = own.iter().try_fold(Dim::constant(1), |t, l| t.mul(&self.loops[*l].length));
                    let Some(total) = total else { return self.fail(message::size_overflow(span)) };
                    self.graph.size(&total)
                }
                Some(c) => {
                    let keep = self.align(c, &loops, &Shape::scalar(), span)?;
                    self.graph.sum(keep, mask)
                }
            };
            let full = self.graph.shape(node).clone();
            let rest = self.graph.shape(count).rank();
            let count = self.graph.broadcast(count, ((1u16 << rest) - 1) as u8, &full);
            match &condition {
                // The condition may depend on the iterate, and a metric has a value at every one.
                Some(_) if self.reporting.in_metric => {
                    self.guarded_quotient(node, count, ("mean", "the condition holds nowhere"), span)
                }
                _ => self.graph.div(node, count),
            }
        } else {
            node
        };
        let rest: Vec<usize> = loops.into_iter().filter(|l| !own.contains(l)).collect();
        Ok(LoopArray::real(node, rest, body.shape))
    }

    /// `[e for i in S if c]`: an array, or with a filter an index array.
    pub(crate) fn comprehension(&mut self, c: &Comprehension, span: Span) -> Checked<Meaning> {
        if let Some(condition) = &c.condition {
            return self.filtered(c, condition, span);
        }
        self.scoped(|c2| {
            let mut own = Vec::new();
            for (variable, set) in &c.generators {
                own.push(c2.open_loop(variable, set)?);
            }
            let body = c2.array(&c.body)?;
            let loops = union(&body.loops, &own);
            let node = c2.align(&body, &loops, &body.shape, span)?;
            // The comprehension's own loops become leading axes of the result.
            let outer: Vec<usize> = loops.iter().copied().filter(|l| !own.contains(l)).collect();
            let mut shape: Vec<Dim> = own.iter().map(|l| c2.loops[*l].length.clone()).collect();
            shape.extend(body.shape.0.iter().cloned());
            if shape.len() > 4 {
                return c2.fail(message::rank_above_four(span));
            }
            let kind = body.kind;
            Ok(Meaning::Array(LoopArray { kind, ..LoopArray::real(node, outer, Shape(shape)) }))
        })
    }
}

/// Loops of both, in nesting order.
pub(crate) fn union(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut all: Vec<usize> = a.iter().chain(b).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}
