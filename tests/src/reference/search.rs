//! Every local minimum of a function of one variable: a dense grid, then golden sections between the neighbors.

/// Where to search, and how densely.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// The lower end.
    pub from: f64,
    /// The upper end.
    pub to: f64,
    /// The grid's step.
    pub step: f64,
}

/// A local minimum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalMinimum {
    /// Where.
    pub x: f64,
    /// Its value.
    pub value: f64,
    /// True at an end of the interval.
    pub at_end: bool,
}

/// The local minima, the best one first. Dips shallower than 1e-10 of the value are rounding.
pub fn minima(value: &mut dyn FnMut(f64) -> f64, interval: Interval) -> Vec<LocalMinimum> {
    let count = ((interval.to - interval.from) / interval.step).round() as usize;
    let at = |i: usize| interval.from + (interval.to - interval.from) * i as f64 / count as f64;
    let values: Vec<f64> = (0..=count).map(|i| value(at(i))).collect();
    let mut found = Vec::new();
    for i in 0..=count {
        let higher = |j: usize| values[j] > values[i] + 1e-10 * values[i].abs();
        if (i > 0 && !higher(i - 1)) || (i < count && !higher(i + 1)) {
            continue;
        }
        found.push(if i == 0 || i == count {
            LocalMinimum { x: at(i), value: values[i], at_end: true }
        } else {
            let (x, value) = golden(value, at(i - 1), at(i + 1));
            LocalMinimum { x, value, at_end: false }
        });
    }
    found.sort_by(|a, b| a.value.total_cmp(&b.value));
    found
}

/// The minimum between two points, to about the square root of rounding.
fn golden(value: &mut dyn FnMut(f64) -> f64, mut low: f64, mut high: f64) -> (f64, f64) {
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_a, mut at_b) = (value(a), value(b));
    while high - low > 1e-10 {
        if at_a <= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - ratio * (high - low);
            at_a = value(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + ratio * (high - low);
            at_b = value(b);
        }
    }
    if at_a <= at_b { (a, at_a) } else { (b, at_b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_minima_are_found_and_the_best_is_first() {
        let mut wave = |x: f64| x.sin() + 0.1 * x;
        let found = minima(&mut wave, Interval { from: -10.0, to: 10.0, step: 0.05 });
        // cos(x) = -0.1 with sin(x) < 0
        let expected = -(-0.1f64).acos() - 2.0 * std::f64::consts::PI;
        assert!((found[0].x - expected).abs() < 1e-6, "{found:?}");
        assert_eq!(found.iter().filter(|m| !m.at_end).count(), 3);
    }
}
