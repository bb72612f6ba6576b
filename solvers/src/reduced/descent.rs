//! Descent on the reduced objective without derivatives: pattern search (Hooke, Jeeves, "Direct search solution of
//! numerical and statistical problems", JACM 1961), which moves along coordinates, goes on where a move has helped, and
//! shortens its steps where none does. It stops at kinks and jumps as it does in smooth valleys.

use super::{Reduced, ReducedPoint};

/// The first step against the scales, the factor between steps, and the last one.
const FIRST: f64 = 0.25;
const SHORTER: f64 = 0.25;
const LAST: f64 = 1e-10;

impl Reduced<'_> {
    /// The end of a pattern search from a point, whose first steps have this share of the usual length.
    pub(crate) fn pattern_search(&mut self, from: &ReducedPoint, share: f64) -> ReducedPoint {
        let mut best = from.clone();
        let mut step = FIRST * share;
        let mut known = self.lower.wells_found();
        while step > LAST && !self.lower.is_over() {
            let before = best.clone();
            for i in 0..best.x.len() {
                for sign in [1.0, -1.0] {
                    let mut x = best.x.clone();
                    x[i] += sign * step * self.scales[i];
                    if self.try_point(&x, &mut best) {
                        break;
                    }
                }
            }
            if best.upper == before.upper && best.solved == before.solved {
                step *= SHORTER;
                if self.lower.wells_found() > known {
                    // no step helps where the value is too good
                    best = self.better_of(&best, from);
                    known = self.lower.wells_found();
                }
                continue;
            }
            let further: Vec<f64> = best.x.iter().zip(&before.x).map(|(b, a)| 2.0 * b - a).collect();
            self.try_point(&further, &mut best);
        }
        best
    }

    fn try_point(&mut self, x: &[f64], best: &mut ReducedPoint) -> bool {
        let mut helps = false;
        for point in self.beside(best, x) {
            if point.is_better(best) {
                (*best, helps) = (point, true);
            }
        }
        helps
    }
}
