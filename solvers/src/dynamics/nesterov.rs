//! Accelerated (prox-)gradient descent: Nesterov 1983; Beck and Teboulle, SIAM J. Imaging Sci. 2009 (FISTA).
//! `y_k = prox_{s_l g~}(u_{k-1} - s_l f_y(x, u_{k-1}))`, `u_k = y_k + (t_k - 1)/t_{k+1} (y_k - y_{k-1})`, `u_0 = y_0`,
//! `t_1 = 1`, `t_{k+1} = (1 + sqrt(1 + 4 t_k^2))/2`.
//!
//! IAPTT eq. (9) prints `1 + t_k^2` under the root, with which the momentum tends to 1/4 and nothing is accelerated, and
//! forms u before the y that it is made of; the rule here is FISTA's.

use super::gradient::lower_step;
use super::{Dynamics, Parts, number};

pub(super) const NESTEROV: Dynamics = Dynamics {
    name: "nesterov",
    lower_only: true,
    step: |p| {
        let u = p.lower_state("u");
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
