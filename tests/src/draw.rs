//! Numbers of the generated problems: splitmix64 from a stated seed, so that an instance is made from its seed alone.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The stream of a seed; streams of near seeds have nothing in common.
    pub(crate) fn new(seed: u64) -> Draw {
        Draw(mixed(seed ^ 0x5bd1_e995_0b10_0b10))
    }

    /// 64 random bits.
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number of an interval.
    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// A number of an interval with two decimals: it is the same number in the program's text.
    pub(crate) fn decimal(&mut self, low: f64, high: f64) -> f64 {
        // the sum turns -0 into 0
        (100.0 * self.within(low, high)).round() / 100.0 + 0.0
    }

    /// As [`Draw::decimal`], and at least `least` away from zero.
    pub(crate) fn away(&mut self, least: f64, most: f64) -> f64 {
        self.decimal(least, most) * if self.one_in(2) { -1.0 } else { 1.0 }
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.bits() % count.max(1) as u64) as usize
    }

    /// True once in so many.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of a list.
    pub(crate) fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    /// Nearly normal: the sum of twelve uniform numbers.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.within(-0.5, 0.5)).sum()
    }
}

/// The output of splitmix64 (Steele, Lea, Flood 2014).
fn mixed(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
