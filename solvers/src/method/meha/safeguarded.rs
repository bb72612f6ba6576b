//! Algorithm 1 with safeguards, as a graph. The formulas are those of `meha`; theta and y step from extrapolated points in
//! a diagonal metric, and x moves when the control says so (`method/continuation`).

use super::{Steps, d_x, d_y, report, theta_step};
use crate::formula::problem_graph::{ProblemGraph, StartsAt};
use crate::iteration::Iteration;
use crate::method::continuation::graph::{Companion, Layout, Number, Settling};

/// The iteration. `stated_alpha`: x moves by `alpha d_x`, as in eq. (11).
pub(super) fn iteration(mut p: ProblemGraph<'_>, stated_alpha: bool) -> (Iteration, Layout) {
    let theta = Companion { name: "theta", origin: StartsAt::Variables };
    let now = Settling::declare(&mut p, Some(theta));
    let Settling { x, y, companion: theta, .. } = &now;
    let s = Steps {
        beta: now.by_y(Number::Beta),
        eta: now.by_companion(Number::Eta),
        gamma: now.by_companion(Number::Gamma),
        c_k: now.number(Number::C).into(),
    };

    let ahead = now.companion_ahead(&mut p);
    let theta_new = theta_step(&mut p, x, y, &ahead, &s);
    let turn = now.companion_turn(&mut p, &ahead, &theta_new);

    let d = d_x(&mut p, x, y, &theta_new, &s);
    let moves = now.moves(&mut p, &d, stated_alpha);

    let ahead = now.y_ahead(&mut p);
    let direction = d_y(&mut p, &moves.x, &ahead, &theta_new, &s);
    let v = p.descend(&ahead, &s.beta, &direction);
    let y_new = p.prox(&v, &s.beta, &moves.x, "y+");
    let of_y = now.y_signals(&mut p, &ahead, &y_new);

    let mut pairs = [now.y_pairs(&y_new), now.companion_pairs(&theta_new)].concat();
    pairs.extend(moves.pairs.iter().map(|(now, next)| (now, next)));
    let signals = [&[turn], &of_y[..], &moves.signals].concat();
    let stage = p.stage("meha", &pairs, &signals);
    let report = report(&mut p, x, y, theta, &s);
    let layout = now.layout(&mut p);
    (p.iteration(vec![stage], report), layout)
}

#[cfg(test)]
mod tests {
    use crate::fixture::{LASSO, MERELY_CONVEX, solved};
    use crate::options::request::Request;

    /// Without momentum and metric and with every step stated, the safeguarded iteration is Algorithm 1.
    #[test]
    fn with_every_safeguard_off_it_is_algorithm_1() {
        for (text, preset) in [(LASSO, "meha:better"), (MERELY_CONVEX, "meha:slow")] {
            let bare = Request::new(preset).set("max_iter", "60").set("tol", "0");
            let off = bare.clone().set("momentum", "none").set("metric", "none");
            let (bare, off) = (solved(text, &bare), solved(text, &off));
            assert_eq!((bare.iterations, off.iterations), (60, 60));
            let pairs = bare.upper.variables.iter().chain(&bare.lower.variables);
            for ((name, a), (_, b)) in pairs.zip(off.upper.variables.iter().chain(&off.lower.variables)) {
                let close = a.values.iter().zip(&b.values).all(|(a, b)| (a - b).abs() <= 1e-12 * a.abs().max(1.0));
                assert!(close, "{name}: {a:?} {b:?}");
            }
        }
    }
}
