//! Which nodes are loop-invariant: those that no varying input reaches. They run once, in the prologue.

use crate::graph::{Function, Op};
use crate::program::role::Role;

/// Per node: true when it depends on invariant inputs only, or on none.
pub(super) fn invariant(f: &Function, roles: &[Role]) -> Vec<bool> {
    let g = f.graph();
    let mut invariant = vec![true; g.len()];
    for id in g.ids() {
        invariant[id.0 as usize] = match g.op(id) {
            Op::Input(position) => matches!(roles[*position as usize], Role::Invariant | Role::Lent),
            _ => g.args(id).iter().all(|a| invariant[a.0 as usize]),
        };
    }
    invariant
}
