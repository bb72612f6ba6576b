//! Values that are too good. A search looks at hundreds of x with a few lower starts each, and prefers the very x at which
//! all of them missed the deepest well: its value is below the true one. So what a search would return is solved again from
//! many fresh starts, and what it has seen before is looked at again with the wells that are known by now.

use super::{Reduced, ReducedPoint};
use crate::lower::global::Effort;
use crate::tolerances::LOWER_SOLVED;

/// The streams of these starts are apart from those of a search, which counts its evaluations.
const STREAM: u64 = 1 << 40;

/// Points that a search starts from after one was too good, and how far apart they are, in lengths of steps.
const CHOSEN: usize = 3;
const APART: f64 = 0.2;

impl Reduced<'_> {
    /// The value at x with the lower level solved from many places.
    pub(crate) fn thorough(&mut self, x: &[f64], warm: &[&[Vec<f64>]], starts: usize) -> Option<ReducedPoint> {
        let effort = Effort { starts, stream: STREAM + self.evaluations };
        let found = self.choosing(x, warm, effort)?;
        let tried = self.lower.tried;
        let arrays = self.space.point(x);
        let better = self.lower.by_entries(&arrays, &found.y);
        let deeper = better.and_then(|better| self.at(x, &[&better.y], Effort { starts: 0, ..effort }));
        self.lower.tried = tried;
        Some(deeper.filter(|p| p.lower < found.lower).unwrap_or(found))
    }

    /// A point as it is, and true, or with the deeper y that many starts have found, and false. The wells are known from
    /// then on.
    pub(crate) fn tested(&mut self, point: &ReducedPoint, starts: usize) -> (ReducedPoint, bool) {
        if !self.lower.remembers() {
            return (point.clone(), true);
        }
        match self.thorough(&point.x, &[&point.y], starts) {
            Some(found) if self.is_deeper(&found, point) => (found, false),
            _ => (point.clone(), true),
        }
    }

    /// A point by what is known by now: with a deeper y where a known well has one.
    pub(crate) fn again(&mut self, point: &ReducedPoint) -> ReducedPoint {
        if point.wells == self.lower.wells_found() {
            return point.clone();
        }
        let effort = Effort { starts: 0, stream: 0 };
        match self.at(&point.x, &[&point.y], effort) {
            Some(found) if self.is_deeper(&found, point) => found,
            _ => ReducedPoint { wells: self.lower.wells_found(), ..point.clone() },
        }
    }

    /// The best of some points by what is known by now, apart from each other. The list keeps what was found.
    pub(super) fn chosen(&mut self, points: &mut [ReducedPoint], count: usize) -> Vec<ReducedPoint> {
        let mut far: Vec<ReducedPoint> = Vec::new();
        let mut open: Vec<usize> = (0..points.len()).collect();
        let mut checked = vec![!self.lower.remembers(); points.len()];
        while far.len() < count {
            let Some(best) = (0..open.len()).min_by(|a, b| points[open[*a]].order(&points[open[*b]])) else { break };
            let i = open[best];
            if far.iter().any(|p| self.apart(&p.x, &points[i].x) <= APART) {
                open.swap_remove(best);
            } else if checked[i] {
                far.push(points[i].clone());
                open.swap_remove(best);
            } else {
                points[i] = self.again(&points[i]);
                checked[i] = true;
            }
        }
        far
    }

    /// Goes on after a point was too good: all ends by what is known by now, and those of descents from the best points of
    /// the search.
    pub(crate) fn resumed(&mut self, ends: &[ReducedPoint]) -> Vec<ReducedPoint> {
        let mut ends: Vec<ReducedPoint> = ends.iter().map(|end| self.again(end)).collect();
        let mut seen = std::mem::take(&mut self.seen);
        seen.extend(ends.iter().cloned());
        let starts = self.chosen(&mut seen, CHOSEN);
        self.seen = seen;
        for start in starts {
            if !self.lower.is_over() {
                ends.push(self.descend(&start));
            }
        }
        ends.sort_by(ReducedPoint::order);
        ends.dedup_by(|b, a| self.apart(&a.x, &b.x) < 1e-3);
        ends
    }

    /// True where a lower objective is below that of a point at the same x.
    fn is_deeper(&mut self, found: &ReducedPoint, point: &ReducedPoint) -> bool {
        let enough = LOWER_SOLVED * self.drop_at(found).max(point.lower.abs());
        point.lower - found.lower > enough
    }
}
