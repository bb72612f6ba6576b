//! Directions in which the lower objective falls without end. A solve that has gone far from its start looks along the way
//! it has come: where the objective keeps falling, by more at every doubling of the distance, there is no minimum.
//! A linear function falls twice as much each time, a concave quadratic one four times, `-sqrt` by the root of two;
//! `-log` and all that has a lower bound fall by ever less, and are not taken for unbounded.

use super::LowerSolver;

/// How far from the start, in lengths of the start and of its first step, a solve looks for a ray; then a hundred times
/// farther each time.
pub(super) const FAR: f64 = 1e4;
const FARTHER: f64 = 100.0;

/// Doublings of the distance that are looked at.
const DOUBLINGS: i32 = 10;

/// How much more the objective falls at every doubling.
const MORE: f64 = 1.3;

/// Drops below this part of the objective are rounding.
const ROUNDING: f64 = 1e-12;

/// A point that its set moves by more than this part of its length is not in it.
const INSIDE: f64 = 1e-6;

impl LowerSolver {
    /// Where the solve has gone far: true where that never ends.
    pub(super) fn goes_away(&mut self) -> bool {
        if self.distance(&self.here.y, &self.origin) <= self.far {
            return false;
        }
        self.far *= FARTHER;
        self.was_far = true;
        let found = self.ray();
        if !found {
            self.look_here();
            self.keep();
        }
        found
    }

    /// At the end of a solve that has gone far: the way there may have left the ray by more than the end does, where a step
    /// is as long as rounding lets it be.
    pub(super) fn look_back(&mut self) {
        if self.was_far {
            self.ray();
        }
    }

    /// Looks along the way from the start to `here.y`. If the objective falls there without end, the point becomes the
    /// end of the solve.
    pub(super) fn ray(&mut self) -> bool {
        for ((d, y), from) in self.direction.iter_mut().zip(&self.here.y).zip(&self.origin) {
            *d = y - from;
        }
        let found = self.falls();
        if found {
            // the parts that stay where they are belong to no ray
            let whole = self.distance(&self.here.y, &self.origin);
            let largest = self.direction.iter().fold(0.0, |m: f64, d| m.max(d.abs()));
            let entries = self.direction.iter().zip(&self.map.root);
            let ray = entries.map(|(d, q)| if (d / q).abs() < INSIDE * whole { 0.0 } else { d / largest });
            self.unbounded = Some(ray.collect());
            self.here.t.clone_from(&self.here.y);
            self.best.copy(&self.here);
        }
        found
    }

    /// True where the objective falls along `direction` from `here.y`, more and more.
    fn falls(&mut self) -> bool {
        let step = std::mem::replace(&mut self.step, 0.0);
        let (mut before, mut drop) = (f64::NAN, 0.0);
        let mut falls = true;
        for doubling in 0..=DOUBLINGS {
            let way = f64::powi(2.0, doubling) - 1.0;
            for ((to, y), d) in self.there.y.iter_mut().zip(&self.here.y).zip(&self.direction) {
                *to = y + way * d;
            }
            // With a step of 0 the map is the projection.
            self.evaluate();
            if doubling > 0 && self.there.smooth == f64::NEG_INFINITY {
                break;
            }
            let total = self.there.total;
            let inside = self.distance(&self.there.y, &self.there.t) <= INSIDE * self.length(&self.there.y);
            if doubling > 0 {
                let fallen = before - total;
                falls = inside && fallen >= MORE * drop && fallen > ROUNDING * before.abs();
                drop = fallen;
            }
            if !falls {
                break;
            }
            before = total;
        }
        self.step = step;
        falls
    }
}
