//! Values to buffers. Inputs, outputs, what is carried from run to run and what the prologue leaves for the body have a
//! buffer of their own. Every other value takes the free buffer that fits best, from its definition to its last reader. A
//! result never shares the buffer of an operand of the same item: kernels read and write disjoint slices.

use super::limits::BLOCK;
use super::schedule::item::{Fused, Item, Maker, Schedule};
use super::schedule::view::{Root, ValueId, count};
use super::section::Section;

/// Where values live.
pub(super) struct Placement {
    /// Elements per buffer.
    pub(super) buffers: Vec<usize>,
    /// Buffers whose numbers nobody reads after the run that has written them.
    pub(super) transient: Vec<usize>,
    /// Elements per array that is lent; numbered after the buffers.
    pub(super) lent: Vec<usize>,
    /// The buffer of each stored value.
    pub(super) of: Vec<Option<usize>>,
    /// Buffers of partial sums, per item and operation within it; live during the item only.
    pub(super) partials: Vec<Vec<Option<usize>>>,
}

/// Places all stored values.
pub(super) fn place(s: &Schedule) -> Placement {
    let items: Vec<(&Item, Section)> = s.items().collect();
    // Where each value is read last; one that nobody reads dies where it is made.
    let mut last: Vec<usize> = vec![0; s.values.len()];
    for (at, (item, section)) in items.iter().enumerate() {
        for v in item.writes() {
            last[v] = last[v].max(at);
        }
        for view in item.reads() {
            if let Root::Value(v) = view.source {
                let kept =
                    *section != Section::Prologue && matches!(s.values[v].maker, Maker::Item(Section::Prologue, _));
                last[v] = if kept { usize::MAX } else { last[v].max(at) };
            }
        }
    }
    let mut dying = vec![Vec::new(); items.len()];
    for (v, value) in s.values.iter().enumerate() {
        let temporary = value.stored && !value.kept && matches!(value.maker, Maker::Item(..));
        if temporary && last[v] < items.len() {
            dying[last[v]].push(v);
        }
    }
    let mut p = Placement {
        buffers: Vec::new(),
        transient: Vec::new(),
        lent: Vec::new(),
        of: vec![None; s.values.len()],
        partials: Vec::new(),
    };
    let filled: Vec<ValueId> = s.carried.iter().map(|c| c.filled).collect();
    for (v, value) in s.values.iter().enumerate() {
        if s.lent.contains(&v) {
            continue;
        }
        if !matches!(value.maker, Maker::Item(..)) || (value.kept && !filled.contains(&v)) {
            p.buffers.push(if s.unread.contains(&v) { 0 } else { count(&value.shape) });
            p.of[v] = Some(p.buffers.len() - 1);
        }
    }
    for c in &s.carried {
        p.of[c.filled] = p.of[c.current];
    }
    let mut free: Vec<usize> = Vec::new();
    for (at, (item, _)) in items.iter().enumerate() {
        for v in item.writes() {
            if s.values[v].stored && p.of[v].is_none() {
                p.of[v] = Some(take(&mut p.buffers, &mut free, count(&s.values[v].shape)));
            }
        }
        let scratch: Vec<Option<usize>> =
            partial_sums(item).iter().map(|n| (*n > 0).then(|| take(&mut p.buffers, &mut free, *n))).collect();
        free.extend(scratch.iter().flatten());
        p.partials.push(scratch);
        free.extend(dying[at].iter().filter_map(|v| p.of[*v]));
    }
    // what the prologue leaves for the body never dies, so that its buffer is not free again
    p.transient = free;
    p.transient.sort_unstable();
    for v in &s.lent {
        p.of[*v] = Some(p.buffers.len() + p.lent.len());
        p.lent.push(count(&s.values[*v].shape));
    }
    p
}

/// The smallest free buffer that fits without waste, else a free one that has to grow little, else a new one.
fn take(buffers: &mut Vec<usize>, free: &mut Vec<usize>, length: usize) -> usize {
    let near = |b: &usize| (length / 2..=length.saturating_mul(2).saturating_add(64)).contains(&buffers[*b]);
    let waste = |b: &usize| (buffers[*b] < length, buffers[*b].abs_diff(length), *b);
    let found = (0..free.len()).filter(|i| near(&free[*i])).min_by_key(|i| waste(&free[*i]));
    match found {
        Some(i) => {
            let b = free.swap_remove(i);
            buffers[b] = buffers[b].max(length);
            b
        }
        None => {
            buffers.push(length);
            buffers.len() - 1
        }
    }
}

/// Lengths of the arrays of block sums that an item needs, per operation; 0 for none.
fn partial_sums(item: &Item) -> Vec<usize> {
    let Item::Group(g) = item else { return Vec::new() };
    let length = |op: &Fused| match op {
        Fused::Sum { length, .. } if *length > BLOCK => g.n / length * length.div_ceil(BLOCK),
        _ => 0,
    };
    g.ops.iter().map(length).collect()
}
