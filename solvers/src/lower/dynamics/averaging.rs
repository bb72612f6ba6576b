//! The sequential averaging method: Sabach and Shtern, SIAM J. Optim. 2017 (BiG-SAM); unrolled in the improved bilevel
//! model of Li, Zhang, Liu, Yuan, Zeng 2020, Algorithm 5: `y+ = w_k (y - s F_y) + (1 - w_k)(y - t f_y)`, k from 1.
//!
//! The paper prints `alpha_k = k^-.25` on the *lower* step, against BiG-SAM and its own remark that alpha = 1 is gradient
//! descent. The upper weight `w_k` is the primitive here; `w = 1 - k^-.25` is what is printed.

use super::aggregate::{average, contraction, proposition};
use super::{Dynamics, Parts, number};

pub(super) const AVERAGING: Dynamics = Dynamics {
    name: "averaging",
    lower_only: false,
    step: |p| {
        let [s, t, w] = ["s", "t", "w"].map(|name| p.scalar(name));
        Parts { next: vec![average(p, s, t, w)], memory: Vec::new(), scalars: vec![s, t, w] }
    },
    numbers: |settings, sizes, k, _, row| {
        let beta = contraction(settings, sizes);
        let averaged = k.is_multiple_of(settings.integer("every"));
        row[0] = number(settings, "s", k, sizes.upper);
        row[1] = number(settings, "t", k, sizes.lower);
        row[2] = if averaged { number(settings, "w", k, proposition(settings, 1.0, beta, k)) } else { 0.0 };
    },
};
