//! Methods on the value function of the lower level: `F + penalty * (f(x, y) - min f(x, .))` and its relatives.

pub(super) mod bamm;
pub(super) mod bome;
pub(super) mod f2sa;
mod gap;
pub(super) mod gpbgd;
pub(super) mod vpbgd;

use blo_engine::graph::NodeId;

use self::gap::Weight;
use crate::formula::problem_graph::{ProblemGraph, StartsAt};
use crate::iteration::{Built, Repeat, Stage};
use crate::method::continuation::Rule;
use crate::method::continuation::graph::{Companion, Number, Settling};
use crate::options::settings::Settings;

/// The iteration of lower steps of a copy of y, followed by a step of x and y, under the control of a continuation. `own`
/// are signals that the method's rule asks for beside those of the steps.
fn settled(
    mut p: ProblemGraph<'_>,
    settings: &Settings,
    name: &str,
    rule: Rule,
    own: impl FnOnce(&mut ProblemGraph<'_>, &Settling) -> Vec<NodeId>,
) -> Built {
    let now = Settling::declare(&mut p, Some(Companion { name: "yh", origin: StartsAt::Variables }));
    let Settling { x, y, companion: yh, .. } = &now;
    let (lambda, weight) = (now.number(Number::C), Weight::OnUpper(now.number(Number::C)));

    let ahead = now.companion_ahead(&mut p);
    let next = gap::lower_step(&mut p, x, &ahead, &now.by_companion(Number::Eta), "yh+");
    let turn = now.companion_turn(&mut p, &ahead, &next);
    let repeat = Repeat::Times(settings.integer("T"));
    let inner = Stage { repeat, ..p.stage("lower steps", &now.companion_pairs(&next), &[turn]) };

    let d = gap::d_x(&mut p, x, y, yh, weight);
    let moves = now.moves(&mut p, &d, false);
    let ahead = now.y_ahead(&mut p);
    let y_new = gap::y_step(&mut p, &moves.x, &ahead, &now.by_y(Number::Beta), weight);
    let of_y = now.y_signals(&mut p, &ahead, &y_new);
    let own = own(&mut p, &now);
    let mut pairs = now.y_pairs(&y_new).to_vec();
    pairs.extend(moves.pairs.iter().map(|(now, next)| (now, next)));
    let outer = p.stage(name, &pairs, &[&of_y[..], &moves.signals, &own].concat());
    let report = gap::report(&mut p, x, y, yh, lambda);
    let layout = now.layout(&mut p);
    Built { iteration: p.iteration(vec![inner, outer], report), control: rule.control(layout), most: None }
}

/// BDA eq. (5), on which the published methods have known end points.
#[cfg(test)]
mod counter_example {
    use crate::fixture::solved;
    use crate::options::request::Request;
    use crate::solution::Solution;

    pub(super) const TEXT: &str = "
        upper { var x in [-100, 100]   minimize 1/2*(x - y[2])^2 + 1/2*(y[1] - 1)^2 }
        lower { var y[2]   minimize 1/2*y[1]^2 - x*y[1] }
        known { x = 1;  y = 1 }";

    /// The largest distance of an entry to 1.
    pub(super) fn largest_error(s: &Solution) -> f64 {
        let of = |name: &str| s.variable(name).unwrap().values.iter().map(|v| (v - 1.0).abs()).fold(0.0, f64::max);
        of("x").max(of("y"))
    }

    /// The iterate after so many iterations.
    pub(super) fn after(text: &str, request: &Request, iterations: u64) -> Solution {
        solved(text, &request.clone().set("max_iter", iterations.to_string()).set("tol", "0"))
    }

    /// The first iteration after which every error is below 1e-3 is the expected one.
    pub(super) fn first_near(request: &Request, start: &str, expected: u64) {
        let text = format!("{TEXT}  start {{ {start} }}");
        let error = |k: u64| largest_error(&after(&text, request, k));
        let (before, then) = (error(expected - 1), error(expected));
        assert!(before >= 1e-3 && then < 1e-3, "iteration {expected}: {before:e}, then {then:e}");
    }
}
