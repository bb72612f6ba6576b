//! Nodes to items: fused groups over `n` elements and kernel calls, in an order that can run. Each elementwise node
//! joins the first group of its length that comes after everything it reads; a sum over trailing axes joins the group
//! that makes its operand. Joining is always legal, since a node's readers are placed after it. What reaches memory is
//! decided last: only values that another item reads, or that are outputs.

mod builder;
mod carry;
mod hoist;
pub(super) mod item;
mod map;
mod node;
mod sink;
mod stored;
pub(super) mod view;

use super::role::Role;
use crate::graph::{Function, NodeId};
use crate::shape::{SizeError, Sizes};
use builder::Builder;
use carry::Carry;
use item::CarriedValue;

pub(super) use item::Schedule;

/// Orders a function's nodes.
pub(super) fn schedule(f: &Function, sizes: &Sizes, roles: &[Role]) -> Result<Schedule, SizeError> {
    let mut b = Builder::new(f, sizes, roles)?;
    let carried = carry::carried(f, sizes, roles)?;
    let nodes = |of: fn(&Carry) -> NodeId| carried.iter().map(of).collect::<Vec<NodeId>>();
    b.s.fills = f.graph().reachable(&nodes(|c| c.node))[..f.inputs.len()].to_vec();
    let filled = b.fill(&nodes(|c| c.node))?;
    let needed = [f.outputs(), &nodes(|c| c.image)].concat();
    b.nodes(&needed)?;
    b.s.outputs = f.outputs().iter().map(|id| b.keep(*id)).collect();
    for (c, (current, filled)) in carried.iter().zip(filled) {
        let next = b.keep(c.image);
        b.s.carried.push(CarriedValue { current, filled, next });
    }
    let mut schedule = b.s;
    stored::settle(&mut schedule);
    Ok(schedule)
}
