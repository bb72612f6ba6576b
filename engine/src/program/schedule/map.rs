//! Maps: one call per body and operands, with all outputs that are needed. The body has a schedule of its own.

use std::sync::Arc;

use super::builder::Builder;
use super::item::{Call, Item, Maker, MapBody, MapOperand, What};
use super::view::{Root, View};
use crate::graph::{Elem, NodeId, Op};
use crate::program::role::Role;
use crate::program::section::Section;
use crate::shape::SizeError;

impl Builder<'_> {
    /// All outputs of one body over the same operands are one call.
    pub(super) fn map(&mut self, section: Section, id: NodeId) -> Result<(), SizeError> {
        let g = self.f.graph();
        let node = g.node(id);
        let Op::Map { body, mapped, .. } = &node.op else { unreachable!("called for Map nodes") };
        let same = |other: &NodeId| {
            let o = g.node(*other);
            o.args == node.args
                && matches!(&o.op, Op::Map { body: b, mapped: m, .. } if m == mapped && (Arc::ptr_eq(b, body) || b == body))
        };
        let wanted = |i: &NodeId| self.used[i.0 as usize] && self.views[i.0 as usize].is_none();
        let siblings: Vec<NodeId> = g.ids().filter(|i| *i >= id && wanted(i)).filter(same).collect();
        let outputs: Vec<usize> = siblings
            .iter()
            .map(|s| match g.op(*s) {
                Op::Map { output, .. } => *output as usize,
                _ => unreachable!("siblings are Map nodes"),
            })
            .collect();
        let lead = node.shape.sizes(self.sizes)?[0];
        let (mut args, mut operands, mut roles) = (Vec::new(), Vec::new(), Vec::new());
        for (a, mapped) in node.args.iter().zip(mapped.iter().copied()) {
            let mut role = if mapped { Role::Varying } else { Role::Invariant };
            if g.node(*a).elem == Elem::Index {
                let position = self.f.input_position(*a).expect("an index operand is an input");
                operands.push(MapOperand::Index { position, mapped });
            } else {
                let view = self.view(*a);
                let view = self.dense(section, &view, id);
                let lent = matches!(view.source, Root::Value(v) if self.s.lent.contains(&v));
                if lent && !mapped && self.is_whole(&view, view.count()) {
                    role = Role::Lent;
                }
                operands.push(MapOperand::Real { arg: args.len(), mapped, lent: role == Role::Lent });
                args.push(view);
            }
            roles.push(role);
        }
        let function = body.select(&outputs);
        let schedule = super::schedule(&function, self.sizes, &roles)?;
        for (k, a) in node.args.iter().enumerate().filter(|(_, a)| g.node(**a).elem == Elem::Index) {
            self.index(*a, schedule.bounds[k]);
        }
        let at = self.items(section).len();
        let mut outs = Vec::new();
        for s in &siblings {
            let shape = g.shape(*s).sizes(self.sizes)?;
            let out = self.value(*s, shape.clone(), Maker::Item(section, at));
            self.views[s.0 as usize] = Some(View::dense(Root::Value(out), &shape));
            outs.push(out);
        }
        let what = What::Map { body: self.s.bodies.len(), lead, operands };
        self.s.bodies.push(MapBody { function, roles, schedule });
        self.items(section).push(Item::Call(Call { what, args, outs }));
        Ok(())
    }
}
