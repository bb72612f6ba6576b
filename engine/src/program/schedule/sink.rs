//! Moves operations towards their only reader. Joining the first possible group makes few groups, but an operation
//! that waits in memory for a later group is better done there: one array less is written and read. An operation moves
//! when all its readers are in one later group and at most one of its operands has to be stored for it instead; that
//! operand then follows if it can. Tapes stay: their memory costs less than an instruction.

use super::item::{Fused, Item, Maker, ProgramValue};
use super::view::{Root, ValueId, View, count};
use crate::program::limits::{GROUP, WIDTH};
use crate::program::section::Section;

/// Sinks operations of one section. `elsewhere` says which values are read outside of it.
pub(super) fn sink(
    items: &mut Vec<Item>,
    section: Section,
    values: &mut [ProgramValue],
    elsewhere: &dyn Fn(ValueId) -> bool,
) {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); values.len()];
    for (at, item) in items.iter().enumerate() {
        for v in item.reads().filter_map(value) {
            readers[v].push(at);
        }
    }
    for from in (0..items.len()).rev() {
        let Item::Group(g) = &items[from] else { continue };
        let n = g.n;
        for i in (0..g.ops.len()).rev() {
            let Item::Group(g) = &items[from] else { unreachable!("a group stays a group") };
            let op = &g.ops[i];
            let out = op.out();
            let Some(to) = target(items, from, n, op, &readers[out]) else { continue };
            let whole = |view: &View| value(view) != Some(out) || is_whole(view, &values[out], n);
            let Item::Group(g) = &items[to] else { continue };
            let kept = values[out].kept || elsewhere(out);
            if kept || !g.ops.iter().flat_map(Fused::reads).all(whole) {
                continue;
            }
            let newly = |v: ValueId| {
                values[v].maker == Maker::Item(section, from)
                    && !values[v].kept
                    && !elsewhere(v)
                    && readers[v].iter().all(|r| *r == from)
            };
            let mut stored: Vec<ValueId> = op.reads().iter().filter_map(value).filter(|v| newly(*v)).collect();
            stored.dedup();
            if stored.len() > 1 {
                continue;
            }
            let Item::Group(g) = &mut items[from] else { unreachable!("a group stays a group") };
            let op = g.ops.remove(i);
            for v in op.reads().iter().filter_map(value) {
                if let Some(r) = readers[v].iter_mut().find(|r| **r == from) {
                    *r = to;
                }
            }
            values[out].maker = Maker::Item(section, to);
            if let Item::Group(g) = &mut items[to] {
                g.ops.insert(0, op);
            }
        }
    }
    drop_empty(items, section, values);
}

/// The one later group that holds all readers, if it has room.
fn target(items: &[Item], from: usize, n: usize, op: &Fused, readers: &[usize]) -> Option<usize> {
    let to = *readers.first()?;
    let moves = n > WIDTH && to != from && !matches!(op, Fused::Sum { .. }) && readers.iter().all(|r| *r == to);
    let room = matches!(&items[to], Item::Group(g) if g.n == n && g.ops.len() < GROUP);
    (moves && room).then_some(to)
}

fn value(view: &View) -> Option<ValueId> {
    match view.source {
        Root::Value(v) => Some(v),
        _ => None,
    }
}

fn is_whole(view: &View, value: &ProgramValue, n: usize) -> bool {
    view.count() == n && count(&value.shape) == n && view.offset == 0 && view.is_contiguous()
}

fn drop_empty(items: &mut Vec<Item>, section: Section, values: &mut [ProgramValue]) {
    let mut next = 0;
    let place: Vec<usize> = items
        .iter()
        .map(|item| {
            let empty = matches!(item, Item::Group(g) if g.ops.is_empty());
            next += usize::from(!empty);
            next.saturating_sub(1)
        })
        .collect();
    items.retain(|item| !matches!(item, Item::Group(g) if g.ops.is_empty()));
    for v in values {
        if let Maker::Item(p, at) = &mut v.maker
            && *p == section
        {
            *at = place[*at];
        }
    }
}
