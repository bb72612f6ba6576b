//! Items to instructions: views become ranges and strides, values become buffers and registers.

mod address;
mod call;
mod fused;
mod kernel;
mod pairs;
mod tape;

use super::limits::WIDTH;
use super::place::Placement;
use super::plan::Plan;
use super::role::Role;
use super::run::step::Step;
use super::run::{Program, Slot};
use super::scalar::Scalar;
use super::schedule::Schedule;
use super::schedule::item::Item;
use super::schedule::view::{ValueId, count};
use crate::graph::{Elem, Function};
use crate::kernel::loops::vectors::Vectors;
use crate::shape::{SizeError, Sizes};
use address::Lowering;

/// Lowers everything.
pub(super) fn lower<T: Scalar>(
    f: &Function,
    s: Schedule,
    placement: Placement,
    plan: Plan,
    bodies: Vec<Program<T>>,
    sizes: &Sizes,
    roles: &[Role],
) -> Result<Program<T>, SizeError> {
    let Schedule { values, prologue, fill, body, inputs, outputs, carried, fills, bounds, .. } = s;
    let mut indices = Vec::new();
    let mut slots = Vec::new();
    for (position, formal) in f.inputs.iter().enumerate() {
        let shape = formal.shape.sizes(sizes)?;
        let buffer = match inputs[position] {
            Some(v) => placement.of[v].expect("inputs have buffers"),
            None => {
                indices.push(count(&shape));
                indices.len() - 1
            }
        };
        let (bound, fills) = (bounds[position], fills[position]);
        slots.push(Slot { buffer, shape, index: formal.elem == Elem::Index, bound, fills });
    }
    let shapes: Vec<Vec<usize>> = values.iter().map(|v| v.shape.clone()).collect();
    let stored: Vec<bool> = values.iter().map(|v| v.stored).collect();
    let l = Lowering { shapes, stored, of: placement.of, own: placement.buffers.len(), inputs: &slots };
    let swaps = carried.iter().map(|c| (l.buffer(c.next), l.buffer(c.current))).collect();
    let (prologue_steps, fill_steps) = (prologue.len(), fill.len());
    let items = prologue.into_iter().chain(fill).chain(body);
    let steps: Vec<Step<T>> = items
        .zip(&placement.partials)
        .map(|(item, partials)| match item {
            Item::Group(g) if g.n <= WIDTH => Step::Tape(tape::lower(&l, &g)),
            Item::Group(g) => Step::Loop(fused::lower(&l, &g, partials, Vectors::best())),
            Item::Call(c) => l.call(c),
        })
        .collect();
    let output = |(k, v): (usize, &ValueId)| {
        let shape = f.output_shape(k).sizes(sizes)?;
        Ok(Slot { buffer: l.of[*v].expect("outputs have buffers"), shape, index: false, bound: 0, fills: false })
    };
    let outputs = outputs.iter().enumerate().map(output).collect::<Result<Vec<_>, SizeError>>()?;
    let state = roles.iter().enumerate().filter_map(|(position, role)| match role {
        Role::State(output) => Some((*output, position)),
        _ => None,
    });
    let state = state.collect();
    Ok(Program {
        name: f.name.clone(),
        inputs: slots,
        outputs,
        steps,
        prologue: prologue_steps,
        filled: prologue_steps + fill_steps,
        state,
        carried: swaps,
        buffers: placement.buffers,
        transient: placement.transient,
        lent: placement.lent,
        indices,
        bodies,
        threads: 1,
        plan,
    })
}
