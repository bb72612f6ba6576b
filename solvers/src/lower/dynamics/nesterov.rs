//! Accelerated (prox-)gradient descent: Nesterov 1983; Beck and Teboulle, SIAM J. Imaging Sci. 2009 (FISTA).
//! `y_k = prox_{s_l g~}(u_{k-1} - s_l f_y(x, u_{k-1}))`, `u_k = y_k + (t_k - 1)/t_{k+1} (y_k - y_{k-1})`, `u_0 = y_0`,
//! `t_1 = 1`, `t_{k+1} = (1 + sqrt(1 + 4 t_k^2))/2`.
//!
//! IAPTT eq. (9) prints `1 + t_k^2` under the root, with which the momentum tends to 1/4 and nothing is accelerated, and
//! forms u before the y that it is made of; the rule here is FISTA's.

use blo_engine::model::problem::LevelId;

use super::gradient::lower_step;
use super::{Dynamics, Parts, number};

pub(super) const NESTEROV: Dynamics = Dynamics {
    name: "nesterov",
    lower_only: true,
    step: |p| {
        let u = p.point("u", LevelId::LOWER);
        let (s_l, momentum) = (p.scalar("s_l"), p.scalar("momentum"));
        let (x, y) = (p.x(), p.y());
        let y_new = lower_step(p, &x, &u, &s_l.into(), "y+");
        let u_new = p.extrapolate(&y_new, &y, momentum, "u+");
        Parts { next: vec![y_new, u_new], memory: vec![u], scalars: vec![s_l, momentum] }
    },
    numbers: |settings, sizes, k, t, row| {
        let next = f64::midpoint(1.0, f64::sqrt(1.0 + 4.0 * *t * *t));
        row[0] = number(settings, "s_l", k, sizes.lower);
        row[1] = (*t - 1.0) / next;
        *t = next;
    },
};

#[cfg(test)]
mod tests {
    use super::super::{Sizes, by_name};
    use crate::options::request::Request;

    #[test]
    fn momentum_starts_at_zero_and_tends_to_one() {
        let problem = crate::fixture::problem("upper { var x  minimize x^2 }  lower { var y  minimize (y - x)^2 }");
        let request = Request::new("iagm_a").set("s_l", "0.25");
        let settings = crate::pipeline::prepare(&problem, &request).unwrap().settings;
        let mut table = vec![0.0; 2 * 3000];
        by_name("nesterov").fill(&settings, &Sizes::default(), 2, &mut table);
        let momentum: Vec<f64> = table.chunks_exact(2).map(|row| row[1]).collect();
        assert!(table.chunks_exact(2).all(|row| row[0] == 0.25) && momentum[0] == 0.0);
        assert!(momentum.windows(2).all(|m| m[0] < m[1]));
        // t_k grows like k/2, so that momentum is 1 - 3/k.
        for k in [300, 3000] {
            assert!((1.0 - momentum[k - 1] - 3.0 / k as f64).abs() < 0.2 / k as f64, "{k}: {}", momentum[k - 1]);
        }
    }
}
