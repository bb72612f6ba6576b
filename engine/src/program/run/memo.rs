//! Operations that remember: a factor of data would be computed again whenever the prologue runs for another reason, such
//! as new upper variables.

use crate::kernel::precision::{BlockFn, Precision};

/// The last operands of an operation, and their result.
pub(super) struct Memo<T> {
    value: usize,
    operands: Vec<Vec<T>>,
    result: Vec<T>,
}

impl<T: Precision> Memo<T> {
    /// The one of a value, by its number in the program.
    pub(super) fn of(memos: &mut Vec<Memo<T>>, value: usize) -> &mut Memo<T> {
        let place = memos.iter().position(|memo| memo.value == value).unwrap_or_else(|| {
            memos.push(Memo { value, operands: Vec::new(), result: Vec::new() });
            memos.len() - 1
        });
        &mut memos[place]
    }

    /// The result, computed where the operands are others. NaN is never the same, so that it is computed again.
    pub(super) fn apply(&mut self, apply: BlockFn<T>, out: &mut [T], operands: &[&[T]]) {
        let same = self.operands.len() == operands.len()
            && self.operands.iter().zip(operands).all(|(kept, now)| kept.as_slice() == *now)
            && self.result.len() == out.len();
        if !same {
            apply(out, operands);
            self.operands = operands.iter().map(|o| o.to_vec()).collect();
            self.result = out.to_vec();
            return;
        }
        out.copy_from_slice(&self.result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its result tells that it ran: it adds to what is there.
    fn count(out: &mut [f64], operands: &[&[f64]]) {
        out[0] = out[0].floor() + 1.0 + operands[0][0] / 8.0;
    }

    #[test]
    fn it_computes_for_other_operands_only() {
        let mut memos = Vec::new();
        let mut out = [0.0];
        for (operand, wanted) in [(1.0, 1.125), (1.0, 1.125), (2.0, 2.25), (2.0, 2.25), (1.0, 3.125)] {
            Memo::of(&mut memos, 7).apply(count, &mut out, &[&[operand]]);
            assert_eq!(out, [wanted]);
        }
        Memo::of(&mut memos, 8).apply(count, &mut out, &[&[1.0]]);
        assert_eq!((out, memos.len()), ([4.125], 2));
        // what was in the result's place does not matter
        out[0] = -9.0;
        Memo::of(&mut memos, 8).apply(count, &mut out, &[&[1.0]]);
        assert_eq!(out, [4.125]);
    }
}
