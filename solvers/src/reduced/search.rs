//! A search for the least value of the reduced objective, as `auto` makes it: a scan where x has few entries, local
//! descents from the best points that are known, random starts.

use super::{Reduced, ReducedPoint};

/// Points of a scan that a descent starts from.
const CHOSEN: usize = 3;

/// With more entries than this a scan says nothing.
const FEW: usize = 3;

/// With more entries than this a search along coordinates costs too much.
const COORDINATES: usize = 20;

impl Reduced<'_> {
    /// Distinct end points of descents, the best first. `random` is the number of starts from random points, `known` are
    /// points to start from, the best first, and `own` is the end of the method as it was, whose y may be a solution at an
    /// x nearby.
    pub(crate) fn search(&mut self, known: &[&ReducedPoint], own: &ReducedPoint, random: u64) -> Vec<ReducedPoint> {
        let mut starts: Vec<ReducedPoint> = known.iter().map(|p| (*p).clone()).collect();
        let mut scanned = Vec::new();
        if (1..=FEW).contains(&self.len()) || random > 0 {
            let chosen = if self.len() <= FEW { CHOSEN } else { 0 } + random as usize;
            let scan = self.scan(known);
            scanned = scan.sorted();
            starts.extend(self.chosen(&mut scanned, chosen));
            let mut ties = self.ties(&scan);
            ties.sort_by(ReducedPoint::order);
            starts.extend(ties.into_iter().take(CHOSEN));
        }
        scanned.extend(known.iter().map(|p| (*p).clone()));
        scanned.sort_by(ReducedPoint::order);
        self.seen.clone_from(&scanned);
        let mut regions = self.regions(&scanned);
        regions.sort_by(ReducedPoint::order);
        starts.extend(regions.into_iter().take(CHOSEN));
        starts.extend(self.tied(&own.x, &own.y, &own.y));
        starts = starts.iter().map(|start| self.again(start)).collect();
        starts.sort_by(ReducedPoint::order);
        let mut ends: Vec<ReducedPoint> = Vec::new();
        for start in starts {
            if self.lower.is_over() && !ends.is_empty() {
                break;
            }
            let end = self.descend(&start);
            let same = ends.iter_mut().find(|e| apart(&self.scales, &e.x, &end.x) < 1e-3);
            match same {
                Some(same) if end.is_better(same) => *same = end,
                Some(_) => {}
                None => ends.push(end),
            }
        }
        ends = ends.iter().map(|end| self.again(end)).collect();
        ends.sort_by(ReducedPoint::order);
        ends
    }

    /// The end of descents from a point: along hypergradients, then along coordinates where there are not too many.
    pub(crate) fn descend(&mut self, from: &ReducedPoint) -> ReducedPoint {
        let from = &self.again(from);
        let smooth = self.quasi_newton(from);
        let smooth = self.better_of(&smooth, from);
        if self.len() > COORDINATES {
            return smooth;
        }
        let share = if smooth.upper < from.upper { 1e-3 } else { 1.0 };
        self.pattern_search(&smooth, share)
    }

    /// The better one of an end and what it has come from, by what is known by now.
    pub(super) fn better_of(&mut self, end: &ReducedPoint, from: &ReducedPoint) -> ReducedPoint {
        let [end, from] = [end, from].map(|point| self.again(point));
        if end.is_better(&from) { end } else { from }
    }

    pub(super) fn apart(&self, a: &[f64], b: &[f64]) -> f64 {
        apart(&self.scales, a, b)
    }
}

/// The largest distance of entries in lengths of steps.
fn apart(scales: &[f64], a: &[f64], b: &[f64]) -> f64 {
    scales.iter().zip(a.iter().zip(b)).fold(0.0, |m, (s, (a, b))| m.max((a - b).abs() / s))
}
