//! What rows of `subject to` have at a solution: their multipliers, and how far they are violated.

use super::Entry;
use super::call::Call;
use crate::elementwise;
use crate::graph::{Elem, NodeId, Reduction, all_axes};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::problem::{ConstraintKind, DataOrigin, LevelId};
use crate::shape::Shape;

pub(super) const MULTIPLIER: Entry = Entry {
    name: "multiplier",
    signature: "multiplier(row)",
    doc: "in metrics, `expect`, the upper objective and upper rows: the multiplier of a row with a name, of its shape; \
          of `a == b` it is d(least value)/d(b), of a chain that of the upper side minus that of the lower",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let name = row_of(c, call)?;
        // before anything is looked up: the shape of the row that holds the call is not known
        if let Some(place) = c.reporting.no_multipliers {
            return c.fail(message::multiplier_out_of_place(call.span, &name, place));
        }
        if let Some(node) = c.reporting.multipliers.get(&name) {
            return Ok(array(c, *node));
        }
        let level = c.notes.rows[&name].0;
        if level == LevelId::UPPER && !c.reporting.in_metric {
            let d = message::multiplier_of_own_level(call.span, &name);
            return c.fail(d);
        }
        let shape = c.row_shape(&name)?;
        let origin = DataOrigin::Multiplier { level, name: name.clone() };
        let label = format!("multiplier of {name}");
        let node = c.formal(label, shape, Elem::Real, origin, Kind::Real, call.span);
        c.reporting.multipliers.insert(name, node);
        Ok(array(c, node))
    },
};

pub(super) const VIOLATION: Entry = Entry {
    name: "violation",
    signature: "violation(row)",
    doc: "in metrics and `expect`: the largest violation among the entries of a row with a name; 0 where all hold",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        if !c.reporting.in_metric {
            return c.fail(message::violation_outside_metric(call.span));
        }
        let name = row_of(c, call)?;
        c.row_shape(&name)?;
        let zero = c.graph.constant(0.0);
        let mut largest = zero;
        for (kind, less, more) in c.notes.row_sides[&name].clone() {
            let difference = c.graph.sub(less, more);
            let away = match kind {
                ConstraintKind::Inequality => difference,
                ConstraintKind::Equality => c.graph.elementwise(elementwise::ABS, &[difference]),
            };
            let axes = all_axes(c.graph.shape(away));
            let top = if axes == 0 { away } else { c.graph.reduce(Reduction::Max, away, axes) };
            largest = c.graph.elementwise(elementwise::MAX, &[largest, top]);
        }
        Ok(Meaning::Array(LoopArray::real(largest, Vec::new(), Shape::scalar())))
    },
};

fn array(c: &Checker<'_>, node: NodeId) -> Meaning {
    Meaning::Array(LoopArray::real(node, Vec::new(), c.graph.shape(node).clone()))
}

/// The name of the row that a call is about.
fn row_of(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<String> {
    let e = call.positional()[0];
    let name = Checker::plain_name(e).unwrap_or_default();
    if c.notes.rows.contains_key(name) {
        return Ok(name.to_string());
    }
    let near = blo_grammar::diagnostic::did_you_mean(name, c.notes.rows.keys().map(String::as_str));
    let known: Vec<&str> = c.notes.rows.keys().map(String::as_str).collect();
    let text = c.quoted(e.span);
    let d = message::no_such_row(e.span, (&call.function.text, &text), near, &known);
    c.fail(d)
}
