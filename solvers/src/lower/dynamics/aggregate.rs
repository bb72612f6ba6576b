//! Bilevel descent aggregation: R. Liu, Mu, Yuan, Zeng, Zhang, ICML 2020, eq. (10):
//! `y+ = y - (alpha_k s_u F_y + (1 - alpha_k) s_l f_y)`, k from 1.
//!
//! With a proximal part or a set, `alpha_k Proj_Y(y - s_u F_y) + (1 - alpha_k) prox_{s_l g~}(y - s_l f_y)`, which is
//! eq. (10) where there is neither, and stays in a convex Y. The paper's eq. (13) prints the weights the other way
//! round, so that the vanishing one falls on the lower level, which would be forgotten; the weight on F vanishes here.

use super::average::{Proposition, average};
use super::{Dynamics, Parts, StepRule, at};
use crate::lower::step_sizes::{EstimatedSteps, Wanted};
use crate::options::schedule::Schedule;
use crate::options::value::Value;

/// Weight on F where neither it nor the contraction factor is stated: the paper's.
const WEIGHT: f64 = 0.5;

pub(super) const AGGREGATE: Dynamics = Dynamics {
    name: "aggregate",
    lower_only: false,
    step: |p| {
        let [s_u, s_l, alpha] = ["s_u", "s_l", "alpha"].map(|name| p.scalar(name));
        let next = vec![average(p, s_u, s_l, alpha)];
        Parts { next, memory: Vec::new(), scalars: vec![s_u, s_l, alpha], lower_step: s_l, weight: Some(alpha) }
    },
    rule: |settings| {
        let [s_u, s_l, alpha] = ["s_u", "s_l", "alpha"].map(|name| settings.stated(name).cloned());
        Box::new(Aggregate { s_u, s_l, alpha, gamma: settings.number("gamma"), proposition: Proposition::of(settings) })
    },
    automatic: |sizes| {
        vec![
            ("s_l", Value::Number(sizes.lower)),
            ("s_u", Value::Number(sizes.upper)),
            ("beta", Value::Number(sizes.contraction)),
            ("alpha", Value::Text("0.5/k, or by beta")),
        ]
    },
};

struct Aggregate {
    s_u: Option<Schedule>,
    s_l: Option<Schedule>,
    alpha: Option<Schedule>,
    gamma: f64,
    proposition: Proposition,
}

impl Aggregate {
    /// `alpha_k`.
    fn alpha(&self, k: u64) -> f64 {
        let automatic = match self.proposition.stated {
            None => WEIGHT / k as f64,
            Some(beta) => self.proposition.weight(self.gamma, beta, k),
        };
        at(&self.alpha, k, automatic)
    }
}

impl StepRule for Aggregate {
    fn wanted(&self) -> Wanted {
        Wanted { lower: self.s_l.is_none(), upper: self.s_u.is_none() }
    }

    fn scalars(&self, sizes: &EstimatedSteps, k: u64, _: &mut f64, row: &mut [f64]) {
        row[0] = at(&self.s_u, k, sizes.upper);
        row[1] = at(&self.s_l, k, sizes.lower);
        row[2] = self.alpha(k);
    }

    fn weight(&self, sizes: &EstimatedSteps, k: u64) -> Option<f64> {
        Some(self.proposition.or_weight(self.alpha(k), sizes, k))
    }
}
