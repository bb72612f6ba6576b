//! Cuts: rows `f(x, y) <= v_j(x)` behind those of a program, where `v_j` is the lower objective at a lower point that was
//! found elsewhere: at the point itself where the lower set does not move with x, else at the local solution that it has
//! become at x. A KKT point of the lower level that is no solution does not meet them.

use crate::lower::constrained::{ConstrainedLower, Solved};
use crate::nlp::Nlp;
use crate::nlp::functions::FunctionNlp;

/// What a cut allows beyond its value.
const ALLOWED: f64 = 1e-6;

/// The value of a cut that says nothing here.
const NONE: f64 = 1e20;

/// `v_j` at some x.
#[derive(Clone, Debug)]
struct Value {
    value: f64,
    slope: Vec<f64>,
    /// The lower point and its multipliers.
    at: Vec<f64>,
    multipliers: Vec<f64>,
}

/// A program with cuts.
pub(super) struct WithCuts<'a> {
    /// One of its rows, `level`, is f.
    pub(super) program: &'a mut FunctionNlp,
    pub(super) level: usize,
    pub(super) lower: &'a mut ConstrainedLower,
    /// f and the rows of the lower level as functions of x.
    pub(super) envelope: &'a mut Envelope,
    /// Lower points.
    pub(super) points: &'a [Vec<f64>],
    ends: Vec<[f64; 2]>,
    /// The values of all cuts at the last x.
    last: Option<(Vec<f64>, Vec<Option<Value>>)>,
}

/// f and the rows of the lower level in x, at a lower point.
pub(super) struct Envelope {
    pub(super) program: FunctionNlp,
    /// The inputs of y, with their lengths.
    pub(super) inputs: Vec<(usize, usize)>,
}

impl Envelope {
    fn put(&mut self, y: &[f64]) {
        let mut rest = y;
        for (input, length) in &self.inputs {
            let (part, after) = rest.split_at(*length);
            self.program.set(*input, part);
            rest = after;
        }
    }

    fn value(&mut self, x: &[f64], solved: &Solved) -> Option<Value> {
        self.put(&solved.y);
        let (n, count) = (x.len(), self.program.row_bounds().len());
        let (mut rows, mut gradient, mut jacobian) = (vec![0.0; count], vec![0.0; n], vec![0.0; n * count]);
        let value = self.program.values(x, &mut rows);
        self.program.slopes(x, &mut gradient, &mut jacobian);
        for (row, lam) in jacobian.chunks_exact(n.max(1)).zip(&solved.multipliers) {
            gradient.iter_mut().zip(row).for_each(|(g, c)| *g += lam * c);
        }
        let finite = value.is_finite() && gradient.iter().all(|g| g.is_finite());
        let (at, multipliers) = (solved.y.clone(), solved.multipliers.clone());
        finite.then_some(Value { value, slope: gradient, at, multipliers })
    }
}

impl<'a> WithCuts<'a> {
    pub(super) fn new(
        program: &'a mut FunctionNlp,
        level: usize,
        lower: &'a mut ConstrainedLower,
        envelope: &'a mut Envelope,
        points: &'a [Vec<f64>],
    ) -> WithCuts<'a> {
        let mut ends = program.row_bounds().to_vec();
        ends.extend(vec![[f64::NEG_INFINITY, 0.0]; points.len()]);
        WithCuts { program, level, lower, envelope, points, ends, last: None }
    }

    /// The values of all cuts at x.
    fn cuts(&mut self, x: &[f64]) -> &[Option<Value>] {
        if self.last.as_ref().is_none_or(|(at, _)| at != x) {
            self.lower.put(x);
            let mut values = Vec::with_capacity(self.points.len());
            for y in self.points {
                let solved = if self.lower.facts.fixed {
                    let count = self.lower.equalities.len();
                    Some(Solved {
                        y: y.clone(),
                        value: 0.0,
                        multipliers: vec![0.0; count],
                        bound_multipliers: Vec::new(),
                    })
                } else {
                    self.lower.descend(y)
                };
                values.push(solved.and_then(|s| self.envelope.value(x, &s)));
            }
            self.last = Some((x.to_vec(), values));
        }
        self.last.as_ref().map_or(&[], |(_, values)| values)
    }
}

impl Nlp for WithCuts<'_> {
    fn bounds(&self) -> &[[f64; 2]] {
        self.program.bounds()
    }

    fn row_bounds(&self) -> &[[f64; 2]] {
        &self.ends
    }

    fn values(&mut self, z: &[f64], rows: &mut [f64]) -> f64 {
        let (own, cuts) = rows.split_at_mut(self.ends.len() - self.points.len());
        let value = self.program.values(z, own);
        let (n, level) = (self.lower.upper_bounds.len(), own[self.level]);
        for (row, cut) in cuts.iter_mut().zip(self.cuts(&z[..n])) {
            *row = cut.as_ref().map_or(-NONE, |c| level - c.value - ALLOWED * (1.0 + c.value.abs()));
        }
        value
    }

    fn slopes(&mut self, z: &[f64], gradient: &mut [f64], jacobian: &mut [f64]) {
        let own = (self.ends.len() - self.points.len()) * z.len();
        let (own, cuts) = jacobian.split_at_mut(own);
        self.program.slopes(z, gradient, own);
        let n = self.lower.upper_bounds.len();
        let level = own[self.level * z.len()..(self.level + 1) * z.len()].to_vec();
        for (row, cut) in cuts.chunks_exact_mut(z.len()).zip(self.cuts(&z[..n])) {
            match cut {
                None => row.fill(0.0),
                Some(cut) => {
                    row.copy_from_slice(&level);
                    row.iter_mut().zip(&cut.slope).for_each(|(r, s)| *r -= s);
                }
            }
        }
    }

    fn hessian(&mut self, z: &[f64], factor: f64, multipliers: &[f64], hessian: &mut [f64]) {
        let (own, of_cuts) = multipliers.split_at(self.ends.len() - self.points.len());
        let mut own = own.to_vec();
        let n = self.lower.upper_bounds.len();
        let cuts: Vec<(f64, Value)> =
            self.cuts(&z[..n]).iter().zip(of_cuts).filter_map(|(c, m)| Some((*m, c.clone()?))).collect();
        own[self.level] += cuts.iter().map(|(m, _)| m).sum::<f64>();
        self.program.hessian(z, factor, &own, hessian);
        let mut block = vec![0.0; n * n];
        for (weight, cut) in cuts.iter().filter(|(m, _)| *m != 0.0) {
            self.envelope.put(&cut.at);
            self.envelope.program.hessian(&z[..n], 1.0, &cut.multipliers, &mut block);
            for (i, row) in block.chunks_exact(n.max(1)).enumerate() {
                for (j, h) in row.iter().enumerate().filter(|(_, h)| h.is_finite()) {
                    hessian[i * z.len() + j] -= weight * h;
                }
            }
        }
    }
}
