//! Where the operands of a fused loop are while it runs. An operation names its operands by place, and finding one is an
//! index and a sum: over a hundred elements an operation takes some nanoseconds, and borrowing each operand anew took
//! twice as long.
//!
//! A frame is made of slices that it borrows, checks every access against their lengths, and gives what an operation
//! writes to nobody else meanwhile, so that its users need no unsafe code.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use crate::kernel::precision::Precision;

/// One operand: an array of which a block is seen, a register, or a number.
#[derive(Clone, Copy)]
struct Place<T> {
    first: *mut T,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Written,
    Register,
    Number,
}

impl<T> Place<T> {
    /// The block of an operand.
    #[inline(always)]
    fn at(self, block: Block) -> (*mut T, usize) {
        let moves = matches!(self.kind, Kind::Read | Kind::Written);
        let start = if moves { block.start } else { 0 };
        // SAFETY: a block begins within the arrays of its frame (`Frame::go_to`).
        (unsafe { self.first.add(start) }, if self.kind == Kind::Number { 1 } else { block.len })
    }
}

/// The memory of a table of places, kept from loop to loop.
pub(crate) struct Table<T>(Vec<Place<T>>);

// SAFETY: pointers of a table are read through a `Frame` alone, which empties it first and borrows it while it is used.
unsafe impl<T: Send> Send for Table<T> {}
// SAFETY: as above; a shared table can do nothing.
unsafe impl<T: Sync> Sync for Table<T> {}

impl<T> Table<T> {
    /// Room for so many places.
    pub(crate) fn with_capacity(places: usize) -> Table<T> {
        Table(Vec::with_capacity(places))
    }
}

/// The operands of a loop over so many elements, by place in the order in which they were added, and the block of them
/// that is worked on.
pub(crate) struct Frame<'a, T> {
    places: &'a mut Vec<Place<T>>,
    /// Elements of every array.
    elements: usize,
    /// Elements of every register.
    span: usize,
    block: Block,
    borrowed: PhantomData<&'a mut T>,
}

// SAFETY: a frame is some slices: shared ones of `Sync` and mutable ones of `Send` numbers.
unsafe impl<T: Send + Sync> Send for Frame<'_, T> {}

/// A block: its first element and its length.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: usize,
    len: usize,
}

impl<'a, T: Precision> Frame<'a, T> {
    /// No operands yet, of a loop over some elements in blocks of at most `span`.
    pub(crate) fn new(table: &'a mut Table<T>, elements: usize, span: usize) -> Frame<'a, T> {
        table.0.clear();
        Frame { places: &mut table.0, elements, span, block: Block { start: 0, len: 0 }, borrowed: PhantomData }
    }

    /// An array that is read.
    #[inline]
    pub(crate) fn read(&mut self, x: &'a [T]) {
        assert!(x.len() >= self.elements, "an operand has all elements of the loop");
        self.places.push(Place { first: x.as_ptr().cast_mut(), kind: Kind::Read });
    }

    /// An array that is written, and read where it has been written.
    #[inline]
    pub(crate) fn write(&mut self, x: &'a mut [T]) {
        assert!(x.len() >= self.elements, "a result has all elements of the loop");
        self.places.push(Place { first: x.as_mut_ptr(), kind: Kind::Written });
    }

    /// Registers, one after the other in an array.
    #[inline]
    pub(crate) fn registers(&mut self, all: &'a mut [T], count: usize) {
        assert!(self.span * count <= all.len(), "registers lie in their array");
        let first = all.as_mut_ptr();
        for r in 0..count {
            // SAFETY: within `all`, by the assertion.
            let first = unsafe { first.add(r * self.span) };
            self.places.push(Place { first, kind: Kind::Register });
        }
    }

    /// Numbers that are operands, a place each.
    #[inline]
    pub(crate) fn numbers(&mut self, all: &'a [T]) {
        for x in all {
            self.places.push(Place { first: std::ptr::from_ref(x).cast_mut(), kind: Kind::Number });
        }
    }

    /// The operands from an element on for another thread, which has registers of its own.
    pub(crate) fn split_at(&mut self, at: usize, table: &'a mut Table<T>, registers: &'a mut [T]) -> Frame<'a, T> {
        assert!(at <= self.elements, "a loop is split within its arrays");
        let rest = Frame::new(table, self.elements - at, self.span);
        let mut free = registers.chunks_exact_mut(self.span.max(1));
        for place in self.places.iter() {
            let first = match place.kind {
                // SAFETY: within the array, by the assertion. The halves do not overlap, since blocks of `self` end
                // before the element from now on.
                Kind::Read | Kind::Written => unsafe { place.first.add(at) },
                Kind::Register => free.next().expect("registers lie in their array").as_mut_ptr(),
                Kind::Number => place.first,
            };
            rest.places.push(Place { first, kind: place.kind });
        }
        self.elements = at;
        self.go_to(0, 0);
        rest
    }

    /// Makes a block the one that is worked on.
    #[inline]
    pub(crate) fn go_to(&mut self, start: usize, len: usize) {
        let ends = start <= self.elements && len <= self.elements - start;
        assert!(ends && len <= self.span, "a block lies in the arrays and fits the registers");
        self.block = Block { start, len };
    }

    /// An operand's block, or its number.
    #[inline(always)]
    pub(crate) fn block(&self, place: usize) -> &[T] {
        let (first, len) = self.places[place].at(self.block);
        // SAFETY: elements of a slice that is borrowed (`go_to`); it is written through `&mut self` only.
        unsafe { std::slice::from_raw_parts(first, len) }
    }

    /// Calls `f` with the block to be written, and with all that may be read meanwhile.
    #[inline(always)]
    pub(crate) fn apply<R>(&mut self, place: usize, f: impl FnOnce(&mut [T], &Others<'_, T>) -> R) -> R {
        let to = self.places[place];
        assert!(matches!(to.kind, Kind::Written | Kind::Register), "it may be written");
        let (first, len) = to.at(self.block);
        // SAFETY: elements of a slice that was borrowed mutably (`go_to`), and `Others` refuses to read it. Places that
        // are written do not overlap with any other place: they came as mutable slices.
        let out = unsafe { std::slice::from_raw_parts_mut(first, len) };
        f(out, &Others { places: self.places, place, block: self.block })
    }
}

/// What an operation may read while it writes.
pub(crate) struct Others<'f, T> {
    places: &'f [Place<T>],
    place: usize,
    block: Block,
}

impl<T: Precision> Others<'_, T> {
    /// An operand's block, or its number.
    #[inline(always)]
    pub(crate) fn block(&self, place: usize) -> &[T] {
        assert!(place != self.place, "an operation does not read what it writes");
        let (first, len) = self.places[place].at(self.block);
        // SAFETY: elements of a slice that is borrowed (`Frame::go_to`), and not of the one that is written.
        unsafe { std::slice::from_raw_parts(first, len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(frame: &mut Frame<'_, f64>, [a, b, to]: [usize; 3]) {
        frame.apply(to, |out, x| {
            let b = x.block(b);
            out.iter_mut().zip(x.block(a)).enumerate().for_each(|(i, (o, a))| *o = a + b[i % b.len()]);
        });
    }

    /// `out = x + 1 + 2` by blocks of 4, in a register first, on two threads.
    #[test]
    fn blocks_registers_and_numbers_are_where_they_were_put() {
        let x: Vec<f64> = (0..18).map(f64::from).collect();
        let (mut out, mut own, mut others) = (vec![0.0; 18], vec![0.0; 4], vec![0.0; 4]);
        let numbers = [1.0, 2.0];
        let [mut table, mut second] = [Table::with_capacity(5), Table::with_capacity(5)];
        let mut low = Frame::new(&mut table, 18, 4);
        low.read(&x);
        low.write(&mut out);
        low.registers(&mut own, 1);
        low.numbers(&numbers);
        let high = low.split_at(8, &mut second, &mut others);
        std::thread::scope(|scope| {
            for (mut frame, n) in [(low, 8), (high, 10)] {
                scope.spawn(move || {
                    for start in (0..n).step_by(4) {
                        frame.go_to(start, 4.min(n - start));
                        add(&mut frame, [0, 3, 2]);
                        add(&mut frame, [2, 4, 1]);
                        assert_eq!(frame.block(1)[0], frame.block(0)[0] + 3.0);
                    }
                });
            }
        });
        assert!(out.iter().zip(&x).all(|(o, x)| *o == x + 3.0));
    }

    #[test]
    #[should_panic(expected = "does not read what it writes")]
    fn what_is_written_is_not_read() {
        let (mut table, mut out) = (Table::with_capacity(1), [0.0f64; 4]);
        let mut frame = Frame::new(&mut table, 4, 4);
        frame.write(&mut out);
        add(&mut frame, [0, 0, 0]);
    }

    #[test]
    #[should_panic(expected = "may be written")]
    fn what_is_lent_to_read_is_not_written() {
        let (mut table, x) = (Table::with_capacity(2), [0.0f64; 4]);
        let mut frame = Frame::new(&mut table, 4, 4);
        frame.read(&x);
        frame.read(&x);
        add(&mut frame, [0, 0, 1]);
    }

    #[test]
    #[should_panic(expected = "lies in the arrays")]
    fn a_block_past_the_end_is_refused() {
        let mut table = Table::<f64>::with_capacity(1);
        Frame::new(&mut table, 4, 4).go_to(3, 2);
    }

    #[test]
    #[should_panic(expected = "lies in the arrays")]
    fn after_a_split_the_other_half_is_out_of_reach() {
        let [mut table, mut other] = [Table::<f64>::with_capacity(1), Table::with_capacity(1)];
        let mut frame = Frame::new(&mut table, 4, 4);
        let _high = frame.split_at(2, &mut other, &mut []);
        frame.go_to(1, 2);
    }

    #[test]
    #[should_panic(expected = "all elements")]
    fn an_array_that_is_too_short_is_refused() {
        let (mut table, x) = (Table::with_capacity(1), [0.0f64; 3]);
        Frame::new(&mut table, 4, 4).read(&x);
    }
}
