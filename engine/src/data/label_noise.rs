//! Label noise that any implementation can reproduce: whether a label is wrong, and which wrong one it becomes, is a
//! function of the seed and of the row's position in its file alone.

/// splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), modulo 2^64.
pub fn splitmix64(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Which label a row gets that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// One of the other classes: every row drawn ends up wrong.
    Other,
    /// Any class, its own among them.
    Any,
}

/// The rule: with r = splitmix64(i xor (seed << 32)) for row i, counted from 0, a label is replaced where
/// (r >> 11)/2^53 < fraction, by (label + 1 + splitmix64(r) mod (classes - 1)) mod classes or splitmix64(r) mod classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// The expected share of rows that are drawn, 0 to 1.
    pub fraction: f64,
    /// What they get.
    pub replacement: Replacement,
    /// The seed; its upper half has no effect.
    pub seed: u64,
    /// The number of classes, at least 2.
    pub classes: u64,
}

impl Noise {
    /// The label of a row after the noise.
    pub fn label(&self, row: u64, label: u64) -> u64 {
        let r = splitmix64(row ^ (self.seed << 32));
        if (r >> 11) as f64 / 9_007_199_254_740_992.0 >= self.fraction {
            return label;
        }
        match self.replacement {
            Replacement::Other => (label + 1 + splitmix64(r) % (self.classes - 1)) % self.classes,
            Replacement::Any => splitmix64(r) % self.classes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Noise = Noise { fraction: 0.5, replacement: Replacement::Other, seed: 0, classes: 10 };

    /// The first outputs of the published generator from state 0: it adds its increment before it mixes.
    #[test]
    fn the_mixer_is_the_published_one() {
        assert_eq!(splitmix64(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(splitmix64(0x9e37_79b9_7f4a_7c15), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn half_of_the_labels_of_five_thousand_rows() {
        let wrong = (0..5000u64).filter(|i| HALF.label(*i, i % 10) != i % 10).count();
        assert_eq!(wrong, 2524);
        // Computed by another implementation of the rule.
        let first: Vec<(u64, u64)> =
            (0..5000).map(|i| (i, HALF.label(i, i % 10))).filter(|(i, l)| *l != i % 10).take(5).collect();
        assert_eq!(first, [(3, 9), (4, 6), (5, 9), (7, 8), (10, 2)]);
        let seven = Noise { fraction: 0.3, seed: 7, ..HALF };
        let drawn: Vec<(u64, u64)> =
            (0..5000).map(|i| (i, seven.label(i, i % 10))).filter(|(i, l)| *l != i % 10).collect();
        assert_eq!(drawn.len(), 1522);
        assert_eq!(drawn[..3], [(1, 3), (9, 5), (10, 3)]);
        let any = Noise { replacement: Replacement::Any, ..HALF };
        let changed = (0..5000u64).filter(|i| any.label(*i, i % 10) != i % 10).count();
        assert!(changed < wrong && changed > 2524 * 8 / 10, "{changed}");
    }

    #[test]
    fn the_ends_of_the_range() {
        let none = Noise { fraction: 0.0, ..HALF };
        let all = Noise { fraction: 1.0, ..HALF };
        assert!((0..100).all(|i| none.label(i, 3) == 3));
        assert!((0..100).all(|i| all.label(i, 3) != 3 && all.label(i, 3) < 10));
        let two = Noise { fraction: 1.0, classes: 2, ..HALF };
        assert!((0..100).all(|i| two.label(i, i % 2) == 1 - i % 2));
    }
}
