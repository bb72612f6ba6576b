//! Functions of metrics and assertions: how far a variable or an objective is from what `known` says of it.

use super::Entry;
use super::call::Call;
use crate::elementwise;
use crate::graph::{NodeId, Reduction, all_axes};
use crate::model::checker::{Checked, Checker, Declared};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::shape::Shape;

pub(super) const DIST: Entry = Entry {
    name: "dist",
    signature: "dist(v)",
    doc: "in metrics and `expect`: Euclidean distance of a variable, or of `upper` or `lower`, to the nearest `known` point",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| Ok(number(of(c, call)?.0)),
};

pub(super) const ERR: Entry = Entry {
    name: "err",
    signature: "err(v)",
    doc: "in metrics and `expect`: `dist(v)/max(1, norm of that point)`",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let (distance, norm) = of(c, call)?;
        let one = c.graph.constant(1.0);
        let size = c.graph.elementwise(elementwise::MAX, &[one, norm]);
        Ok(number(c.graph.div(distance, size)))
    },
};

fn number(node: NodeId) -> Meaning {
    Meaning::Array(LoopArray::real(node, Vec::new(), Shape::scalar()))
}

/// The distance to the nearest known point, and the norm of that point.
fn of(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<(NodeId, NodeId)> {
    if !c.reporting.in_metric {
        return c.fail(message::distance_outside_metric(call.span, &call.function.text));
    }
    let e = call.positional()[0];
    let name = Checker::plain_name(e).unwrap_or_default();
    let level = ["upper", "lower"].iter().position(|level| *level == name);
    let (value, known) = match (level, c.names.globals.get(name)) {
        (Some(level), _) => (c.reporting.objectives[level], c.reporting.known_objectives[level]),
        (None, Some((Declared::Variable(formal), _))) => {
            let formal = *formal;
            let f = c.formals[formal].clone();
            (Some(c.graph.input(formal, f.shape, f.elem)), c.reporting.nearest.get(formal).copied().flatten())
        }
        _ => return c.fail(message::distance_of(e.span, &call.function.text)),
    };
    let Some(known) = known else { return c.fail(message::nothing_known(e.span, name)) };
    let Some(value) = value else { return Err(crate::model::checker::Reported) };
    let away = c.graph.sub(value, known);
    let norm = |c: &mut Checker<'_>, node: NodeId| {
        let axes = all_axes(c.graph.shape(node));
        if axes == 0 {
            return c.graph.elementwise(elementwise::ABS, &[node]);
        }
        c.graph.reduce(Reduction::Norm2, node, axes)
    };
    Ok((norm(c, away), norm(c, known)))
}
