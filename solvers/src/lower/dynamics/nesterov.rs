//! Accelerated (prox-)gradient descent: Nesterov 1983; Beck and Teboulle, SIAM J. Imaging Sci. 2009 (FISTA).
//! `y_k = prox_{s_l g~}(u_{k-1} - s_l f_y(x, u_{k-1}))`, `u_k = y_k + (t_k - 1)/t_{k+1} (y_k - y_{k-1})`, `u_0 = y_0`,
//! `t_1 = 1`, `t_{k+1} = (1 + sqrt(1 + 4 t_k^2))/2`.
//!
//! IAPTT eq. (9) prints `1 + t_k^2` under the root, with which the momentum tends to 1/4 and nothing is accelerated, and
//! forms u before the y that it is made of; the rule here is FISTA's.

use super::gradient::lower_step;
use super::{Dynamics, Parts, StepRule, at};
use crate::lower::step_sizes::{EstimatedSteps, Wanted};
use crate::options::schedule::Schedule;
use crate::options::value::Value;
use blo_engine::model::problem::LevelId;

pub(super) const NESTEROV: Dynamics = Dynamics {
    name: "nesterov",
    lower_only: true,
    step: |p| {
        let u = p.point("u", LevelId::LOWER);
        let (s_l, momentum) = (p.scalar("s_l"), p.scalar("momentum"));
        let (x, y) = (p.x(), p.y());
        let y_new = lower_step(p, &x, &u, &s_l.into(), "y+");
        let u_new = p.extrapolate(&y_new, &y, momentum, "u+");
        let (next, scalars) = (vec![y_new, u_new], vec![s_l, momentum]);
        Parts { next, memory: vec![u], scalars, lower_step: s_l, weight: None }
    },
    rule: |settings| Box::new(Nesterov { s_l: settings.stated("s_l").cloned() }),
    automatic: |sizes| vec![("s_l", Value::Number(sizes.lower))],
};

struct Nesterov {
    s_l: Option<Schedule>,
}

impl StepRule for Nesterov {
    fn wanted(&self) -> Wanted {
        Wanted { lower: self.s_l.is_none(), upper: false }
    }

    fn scalars(&self, sizes: &EstimatedSteps, k: u64, t: &mut f64, row: &mut [f64]) {
        let next = f64::midpoint(1.0, f64::sqrt(1.0 + 4.0 * *t * *t));
        row[0] = at(&self.s_l, k, sizes.lower);
        row[1] = (*t - 1.0) / next;
        *t = next;
    }
}

#[cfg(test)]
mod tests {
    use super::super::FIRST_CARRIED;
    use super::*;

    #[test]
    fn momentum_starts_at_zero_and_tends_to_one() {
        let rule = Nesterov { s_l: Some(Schedule::Constant(0.25)) };
        let mut table = vec![0.0; 2 * 3000];
        let mut carried = FIRST_CARRIED;
        for (row, k) in table.chunks_exact_mut(2).zip(1..) {
            rule.scalars(&EstimatedSteps::default(), k, &mut carried, row);
        }
        let momentum: Vec<f64> = table.chunks_exact(2).map(|row| row[1]).collect();
        assert!(table.chunks_exact(2).all(|row| row[0] == 0.25) && momentum[0] == 0.0);
        assert!(momentum.windows(2).all(|m| m[0] < m[1]));
        // t_k grows like k/2, so that momentum is 1 - 3/k.
        for k in [300, 3000] {
            assert!((1.0 - momentum[k - 1] - 3.0 / k as f64).abs() < 0.2 / k as f64, "{k}: {}", momentum[k - 1]);
        }
    }
}
