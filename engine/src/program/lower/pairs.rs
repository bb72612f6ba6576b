//! Which operators of a group go through a loop together: those whose results nothing but the next one reads.

use super::kernel::arith;
use crate::kernel::loops::block::Arith;
use crate::program::schedule::item::Fused;
use crate::program::schedule::view::{Root, ValueId, View};

/// An operation, and the one that it swallows: its operand with this number.
pub(super) struct Paired<'g> {
    pub(super) op: &'g Fused,
    /// Where the operation is among those of the group.
    pub(super) at: usize,
    pub(super) inner: Option<(&'g Fused, usize)>,
    /// Where the two are a step `d - s r`: what computes the direction `r`.
    pub(super) direction: Option<Box<Paired<'g>>>,
}

impl Paired<'_> {
    /// What the operations read from elsewhere.
    pub(super) fn reads(&self) -> Vec<&View> {
        let mut all: Vec<&View> = self.op.reads().iter().collect();
        if let Some((inner, operand)) = self.inner {
            all.remove(operand);
            all.extend(inner.reads());
        }
        if let Some(direction) = &self.direction {
            all.retain(|view| view.source != Root::Value(direction.op.out()));
            all.extend(direction.reads());
        }
        all
    }
}

impl Paired<'_> {
    /// One or two operators, and no quotient of blocks.
    fn is_direction(&self, one: &impl Fn(&View) -> bool) -> bool {
        let fits = |op: &Fused| match op {
            Fused::Apply { f, args, .. } => match arith(*f) {
                Some(Arith::Div) => one(&args[1]),
                Some(_) => !args.iter().all(one),
                None => false,
            },
            _ => false,
        };
        self.direction.is_none() && fits(self.op) && self.inner.is_none_or(|(inner, _)| fits(inner))
    }
}

/// Pairs from the first operation on, which is best for a chain; `stored` says whose result has to reach memory.
pub(super) fn pairs(ops: &[Fused], stored: impl Fn(ValueId) -> bool) -> Vec<Paired<'_>> {
    let own = |view: &View| ops.iter().position(|op| view.source == Root::Value(op.out()));
    let readers = |v: ValueId| ops.iter().flat_map(Fused::reads).filter(|r| r.source == Root::Value(v)).count();
    let one = |view: &View| view.is_uniform() && own(view).is_none();
    let mut all: Vec<Paired> = Vec::with_capacity(ops.len());
    for (at, op) in ops.iter().enumerate() {
        let mut paired = Paired { op, at, inner: None, direction: None };
        for operand in 0..op.reads().len() {
            let made = own(&op.reads()[operand]).and_then(|i| all.iter().position(|p| p.at == i && p.inner.is_none()));
            let Some(made) = made else { continue };
            let inner = all[made].op;
            let alone = !stored(inner.out()) && readers(inner.out()) == 1;
            if alone && may_pair(inner, op, operand, &one) {
                paired.inner = Some((inner, operand));
                all.remove(made);
                break;
            }
        }
        all.push(paired);
    }
    for step in (0..all.len()).rev() {
        let Some(r) = direction_of(&all[step], &one) else { continue };
        let made = own(r).and_then(|i| all.iter().position(|p| p.at == i));
        let alone = |v: ValueId| !stored(v) && readers(v) == 1;
        let Some(made) = made.filter(|made| alone(all[*made].op.out()) && all[*made].is_direction(&one)) else {
            continue;
        };
        let direction = all.remove(made);
        // It came before.
        all[step - 1].direction = Some(Box::new(direction));
    }
    all
}

/// The `r` of a pair `d - s r` with a number `s`.
fn direction_of<'g>(pair: &Paired<'g>, one: &impl Fn(&View) -> bool) -> Option<&'g View> {
    let (Some((Fused::Apply { f: first, args: a, .. }, 1)), Fused::Apply { f: second, args: b, .. }) =
        (pair.inner, pair.op)
    else {
        return None;
    };
    if arith(*first) != Some(Arith::Mul) || arith(*second) != Some(Arith::Sub) || one(&b[0]) {
        return None;
    }
    match [one(&a[0]), one(&a[1])] {
        [true, false] => Some(&a[1]),
        [false, true] => Some(&a[0]),
        _ => None,
    }
}

fn may_pair(inner: &Fused, op: &Fused, operand: usize, one: &impl Fn(&View) -> bool) -> bool {
    let (Fused::Apply { f: first, args: a, .. }, Fused::Apply { f: second, args: b, .. }) = (inner, op) else {
        return false;
    };
    let (Some(first), Some(second)) = (arith(*first), arith(*second)) else { return false };
    // Of divisions, only those by a number; not two, which would need a choice between four loops.
    let divides = |f: Arith| f == Arith::Div;
    let inner_fits = !divides(first) || one(&a[1]) && !one(&a[0]);
    let outer_fits = !divides(second) || operand == 0 && one(&b[1]);
    inner_fits && outer_fits && !(divides(first) && divides(second)) && !a.iter().all(one)
}
