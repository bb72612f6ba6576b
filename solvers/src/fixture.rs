//! Problems for tests, from text.

use blo_engine::data::Memory;
use blo_engine::model::{Bindings, Problem, Settings, bind, check};

use crate::options::request::Request;
use crate::pipeline::solve;
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::{Observer, Silent};
use crate::solution::Solution;

/// eq. (18) of [MEHA]: any y2 solves the lower level.
pub(crate) const MERELY_CONVEX: &str = "
    param n = 50
    upper { var x[n]   minimize 1/2*normsq(x - y2) + 1/2*normsq(y1 - 1) }
    lower { var y1[n]  var y2[n]   minimize 1/2*normsq(y1) - x'*y1 }
    known { x = ones(n);  y1 = ones(n);  y2 = ones(n);  upper = 0;  lower = -n/2 }
    method meha paper { alpha = 0.012;  beta = 0.1;  eta = 0.009;  gamma = 5;  c = 0.167;  p = 0.49 }
    method meha tuned { alpha = 0.554;  beta = 0.171;  eta = 0.353;  gamma = 6.68;  c = 0.1;  p = 0.454 }
    method meha slow { alpha = 0.1;  beta = 0.1;  eta = 0.25;  gamma = 1;  c = 0.2 }
    method bda { K = 16;  s_u = 0.7;  s_l = 0.2;  alpha = 0.5/k }
";

/// eq. (20) of [MEHA]: a weight per coordinate of the l1 norm is learnt.
pub(crate) const LASSO: &str = "
    param n = 2
    let h = n/2
    let v = [if i <= h then 1/n else -1/n for i in 1..n]
    upper { var x[n] in [0, 1]   minimize sum(y) }
    lower { var y[n]   minimize 1/2*normsq(y - v)   regularize sum(x[i]*abs(y[i]) for i in 1..n) }
    start { x = 0.5;  y = 1 }
    known { x[i] in [1/n, 1] for i in 1..h   x[i] = 0 for i in h+1..n   y[i] = 0 for i in 1..h
            y[i] = -1/n for i in h+1..n   upper = -1/2 }
    method meha paper { alpha = 0.1;  beta = 1e-5;  eta = 0.1;  gamma = 10;  c = 2;  p = 0.49 }
    method meha better { alpha = 0.1;  beta = 0.05;  eta = 0.25;  gamma = 1;  c = 10 }
";

/// Keeps the checkpoint of one iteration.
pub(crate) struct Keeper {
    pub(crate) at: u64,
    pub(crate) kept: Option<Checkpoint>,
}

impl Observer for Keeper {
    fn checkpoint_every(&self) -> u64 {
        self.at
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        if checkpoint.iteration() == self.at {
            self.kept = Some(checkpoint.clone());
        }
    }
}

/// The checked problem of a text.
pub(crate) fn problem(text: &str) -> Problem {
    let parsed = blo_grammar::parse(text);
    assert!(parsed.is_sound(), "{:#?}", parsed.diagnostics);
    let outcome = check(&parsed.ast, text, "test", &Settings::default());
    outcome.problem.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics))
}

/// Its data, without files.
pub(crate) fn data(problem: &Problem) -> Bindings {
    bind(problem, &Memory::new(), 0).unwrap()
}

/// Its solution, as the iterations leave it.
pub(crate) fn solved(text: &str, request: &Request) -> Solution {
    polished(text, &request.clone().set("polish", "0"))
}

/// Its solution, polished unless the request says otherwise.
pub(crate) fn polished(text: &str, request: &Request) -> Solution {
    let problem = problem(text);
    let solution = solve(&problem, &data(&problem), request, &mut Silent);
    solution.unwrap_or_else(|d| panic!("{d:#?}"))
}
