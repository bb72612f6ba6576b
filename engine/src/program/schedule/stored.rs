//! What reaches memory: operations move to their readers first, then whatever another item reads is stored.

use super::item::{Fused, Item, Maker, ProgramValue, Schedule};
use super::sink::sink;
use super::view::{Root, View, count};
use crate::program::section::Section;

/// Moves operations, and decides what is stored.
pub(super) fn settle(s: &mut Schedule) {
    sink_all(s);
    mark_stored(s);
}

fn sink_all(s: &mut Schedule) {
    let mut later = vec![false; s.values.len()];
    for view in s.fill.iter().chain(&s.body).flat_map(Item::reads) {
        if let Root::Value(v) = view.source {
            later[v] |= matches!(s.values[v].maker, Maker::Item(Section::Prologue, _));
        }
    }
    sink(&mut s.prologue, Section::Prologue, &mut s.values, &|v| later[v]);
    sink(&mut s.fill, Section::Fill, &mut s.values, &|_| false);
    sink(&mut s.body, Section::Body, &mut s.values, &|_| false);
}

fn mark_stored(s: &mut Schedule) {
    let Schedule { values, prologue, fill, body, .. } = s;
    for (section, items) in [(Section::Prologue, prologue), (Section::Fill, fill), (Section::Body, body)] {
        for (at, item) in items.iter().enumerate() {
            mark(item, Maker::Item(section, at), values);
        }
    }
    for value in values {
        value.stored |= value.kept;
    }
}

/// Marks what an item reads from memory, and what it always writes there.
fn mark(item: &Item, here: Maker, values: &mut [ProgramValue]) {
    match item {
        Item::Group(g) => {
            // An element that the group has just made is still in a register.
            let held = |v: &ProgramValue, view: &View| v.maker == here && view.count() == g.n && count(&v.shape) == g.n;
            for op in &g.ops {
                for view in op.reads() {
                    if let Root::Value(v) = view.source {
                        values[v].stored |= !held(&values[v], view);
                    }
                }
                if let Fused::Sum { out, .. } = op {
                    values[*out].stored = true;
                }
            }
        }
        Item::Call(c) => {
            for view in &c.args {
                if let Root::Value(v) = view.source {
                    values[v].stored = true;
                }
            }
            for v in &c.outs {
                values[*v].stored = true;
            }
        }
    }
}
