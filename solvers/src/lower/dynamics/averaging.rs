//! The sequential averaging method: Sabach and Shtern, SIAM J. Optim. 2017 (BiG-SAM); unrolled in the improved bilevel
//! model of Li, Gu, Huang, 2020, Algorithm 5: `y+ = w_k (y - s F_y) + (1 - w_k)(y - t f_y)`, k from 1.
//!
//! The paper prints `alpha_k = k^-.25` on the *lower* step, against BiG-SAM and its own remark that alpha = 1 is gradient
//! descent. The upper weight `w_k` is the primitive here; `w = 1 - k^-.25` is what is printed.

use super::average::{Proposition, average};
use super::{Dynamics, Parts, StepRule, at};
use crate::lower::step_sizes::{EstimatedSteps, Wanted};
use crate::options::schedule::Schedule;
use crate::options::value::Value;

pub(super) const AVERAGING: Dynamics = Dynamics {
    name: "averaging",
    lower_only: false,
    step: |p| {
        let [s, t, w] = ["s", "t", "w"].map(|name| p.scalar(name));
        let next = vec![average(p, s, t, w)];
        Parts { next, memory: Vec::new(), scalars: vec![s, t, w], lower_step: t, weight: Some(w) }
    },
    rule: |settings| {
        let [s, t, w] = ["s", "t", "w"].map(|name| settings.stated(name).cloned());
        Box::new(Averaging { s, t, w, every: settings.integer("every"), proposition: Proposition::of(settings) })
    },
    automatic: |sizes| {
        vec![
            ("t", Value::Number(sizes.lower)),
            ("s", Value::Number(sizes.upper)),
            ("beta", Value::Number(sizes.contraction)),
            ("w", Value::Text("min(2/(k (1 - beta)), 1 - eps)")),
        ]
    },
};

struct Averaging {
    s: Option<Schedule>,
    t: Option<Schedule>,
    w: Option<Schedule>,
    every: u64,
    proposition: Proposition,
}

impl Averaging {
    /// `w_k`, zero in the steps that do not average.
    fn w(&self, sizes: &EstimatedSteps, k: u64) -> f64 {
        match k.is_multiple_of(self.every) {
            true => at(&self.w, k, self.proposition.weight(1.0, self.proposition.contraction(sizes), k)),
            false => 0.0,
        }
    }
}

impl StepRule for Averaging {
    fn wanted(&self) -> Wanted {
        Wanted { lower: self.t.is_none(), upper: self.s.is_none() || self.proposition.stated.is_none() }
    }

    fn scalars(&self, sizes: &EstimatedSteps, k: u64, _: &mut f64, row: &mut [f64]) {
        row[0] = at(&self.s, k, sizes.upper);
        row[1] = at(&self.t, k, sizes.lower);
        row[2] = self.w(sizes, k);
    }

    fn weight(&self, sizes: &EstimatedSteps, k: u64) -> Option<f64> {
        Some(self.proposition.or_weight(self.w(sizes, k), sizes, k))
    }
}
