//! What a point is worth: right, the end of a way down, or neither.

use super::truth::{Sample, Truth};

/// F is right within this, relative to `max(1, |F*|)`.
pub const UPPER: f64 = 1e-2;
/// f is least within this, relative to `max(1, |f*|)`.
pub const LOWER: f64 = 1e-5;
/// Differences of phi below this are those of the search.
const NOISE: f64 = 1e-8;

/// What a point is.
#[derive(Clone, Debug, PartialEq)]
pub enum Grade {
    /// A global solution within the tolerances.
    Right,
    /// A lower solution whose x is a local minimizer of the optimistic value.
    Local,
    /// Neither, with the reason.
    Wrong(String),
}

impl Truth {
    /// How far f at (x, y) is above its least value at x, relative to `max(1, |f*|)`; infinite outside of the sets and
    /// where the lower level has no solution.
    pub fn excess(&self, x: f64, y: f64) -> f64 {
        let inside = self.problem.x.holds(x) && self.problem.y.holds(y);
        let here = self.solved(x).filter(|_| inside);
        let above = |least: f64| (self.problem.lower_at(x, y) - least) / least.abs().max(1.0);
        here.map_or(f64::INFINITY, |s| above(s.least))
    }

    /// Grades the point (x, y).
    pub fn grade(&self, x: f64, y: f64) -> Grade {
        let p = &self.problem;
        if !(p.x.holds(x) && p.y.holds(y)) {
            return Grade::Wrong("outside of its set, or not a number".to_owned());
        }
        let Some(best) = self.best else { return Grade::Wrong("F has no least value".to_owned()) };
        let Some(here) = self.solved(x) else {
            return Grade::Wrong("the lower level has no solution at this x".to_owned());
        };
        let (f, upper) = (p.lower_at(x, y), p.upper.at(x, y));
        let excess = (f - here.least) / here.least.abs().max(1.0);
        if excess > LOWER {
            return Grade::Wrong(format!("f = {f:.6} is above its least value {:.6} at y = {:.4}", here.least, here.y));
        }
        // the point itself may have met a better x than the grid
        let least = best.phi.min(here.phi);
        let tolerance = UPPER * least.abs().max(1.0);
        if (upper - least).abs() <= tolerance {
            return Grade::Right;
        }
        if upper < here.phi - tolerance {
            return Grade::Wrong(format!("F = {upper:.6} is below {:.6}, the best of this x", here.phi));
        }
        let reached = self.downhill(Sample { x, y, phi: upper });
        if reached.phi >= upper - tolerance {
            return Grade::Local;
        }
        Grade::Wrong(format!("F = {upper:.6} falls to {:.6} on the way to x = {:.4}", reached.phi, reached.x))
    }

    /// Where a walk on the samples ends that never goes up. A plateau is crossed: its end decides.
    fn downhill(&self, from: Sample) -> Sample {
        let above = self.samples.partition_point(|s| s.x < from.x);
        let noise = NOISE * from.phi.abs().max(1.0);
        let walk = |ways: &mut dyn Iterator<Item = &Sample>| {
            let mut at = from;
            for next in ways {
                if next.phi > at.phi + noise {
                    break;
                }
                at = *next;
            }
            at
        };
        let right = walk(&mut self.samples[above..].iter());
        let left = walk(&mut self.samples[..above].iter().rev());
        if left.phi <= right.phi { left } else { right }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Expression::{X, Y};
    use super::super::{CI, Scalar, between};
    use super::*;

    #[test]
    fn minima_are_told_from_plateaus_and_maxima() {
        let double = (Y.power(2) - 1.0).power(2) + 0.1 * Y;
        let copied = Truth::new(Scalar::new(double, (Y - X).power(2), between(-2.0, 2.0), between(-3.0, 3.0)), CI);
        assert_eq!(copied.grade(-1.0123, -1.0123), Grade::Right);
        assert_eq!(copied.grade(0.99, 0.99), Grade::Local);
        assert!(matches!(copied.grade(0.0, 0.0), Grade::Wrong(_)));
        assert!(matches!(copied.grade(-1.0, -1.1), Grade::Wrong(_)));
        // y = clip(x - 1/2, 0, 1): every x below 1/2 has the same value, and the plateau leads down
        let lower = (Y - X).power(2) + Y;
        let dead = Truth::new(Scalar::new((Y - 1.0).power(2), lower, between(0.0, 2.0), between(0.0, 1.0)), CI);
        assert!(matches!(dead.grade(0.0, 0.0), Grade::Wrong(_)));
        assert_eq!(dead.grade(1.7, 1.0), Grade::Right);
    }
}
