//! The formulas of `gaffa` under the control of a continuation in c: theta, y and the multipliers z step while x waits for
//! its direction to settle. Steps follow curvature: that of the Lagrangian for theta, with `gamma2 |c_y|^2` on top for y,
//! and for z that of the dual function, `gamma1 |c_y|^2 + 1/gamma2`.

use super::{Steps, d_x, d_y, d_z, maximizer, report, theta_step, z_step};
use crate::formula::problem_graph::{ProblemGraph, StartsAt};
use crate::iteration::{Clock, Iteration};
use crate::method::continuation::graph::{Companion, Layout, Number, Settling};

/// The iteration. `stated_alpha`: x moves by `alpha d_x`.
pub(super) fn iteration(mut p: ProblemGraph<'_>, stated_alpha: bool, r: f64) -> (Iteration, Layout) {
    // the first inputs after the formals, as curvature has them
    let z = p.multipliers();
    let theta = Companion { name: "theta", origin: StartsAt::Variables };
    let now = Settling::declare(&mut p, Some(theta));
    let [gamma2, alpha_z] = ["gamma2", "alpha_z"].map(|name| p.number(name, None, Clock::Iteration));
    let Settling { x, y, companion: theta, .. } = &now;
    let s = Steps {
        eta: now.by_companion(Number::Eta),
        gamma1: now.by_companion(Number::Gamma),
        gamma2,
        c_k: now.number(Number::C).into(),
        r,
    };

    let ahead = now.companion_ahead(&mut p);
    let theta_new = theta_step(&mut p, (x, y), &z, &ahead, &s);
    let turn = now.companion_turn(&mut p, &ahead, &theta_new);

    let lam = maximizer(&mut p, (x, y), &z, &s);
    let d = d_x(&mut p, (x, y), &z, (&theta_new, &lam), &s);
    let moves = now.moves(&mut p, &d, stated_alpha);
    let d = d_z(&mut p, x, &z, (&theta_new, &lam), &s);
    let z_new = z_step(&mut p, &z, alpha_z, &d, r);

    let ahead = now.y_ahead(&mut p);
    let beta = now.by_y(Number::Beta);
    let lam = maximizer(&mut p, (x, &ahead), &z, &s);
    let direction = d_y(&mut p, (x, &ahead), (&theta_new, &lam), &s);
    let v = p.descend(&ahead, &beta, &direction);
    let y_new = p.prox(&v, &beta, &moves.x, "y+");
    let of_y = now.y_signals(&mut p, &ahead, &y_new);

    let mut pairs = [now.y_pairs(&y_new), now.companion_pairs(&theta_new)].concat();
    pairs.push((&z, &z_new));
    pairs.extend(moves.pairs.iter().map(|(now, next)| (now, next)));
    let signals = [&[turn], &of_y[..], &moves.signals].concat();
    let stage = p.stage("gaffa", &pairs, &signals);
    let report = report(&mut p, (x, y), &z, theta, &s);
    let mut layout = now.layout(&mut p);
    layout.multipliers = p.positions(&z);
    (p.iteration(vec![stage], report), layout)
}
