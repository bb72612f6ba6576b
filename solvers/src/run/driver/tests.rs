//! How runs end.

use blo_engine::stop::StopToken;

use super::*;
use crate::fixture::{LASSO, MERELY_CONVEX, data, problem, solved};
use crate::method::METHODS;
use crate::options::request::Request;
use crate::pipeline::{resume, solve};
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::Silent;
use crate::solution::Solution;

fn largest_error(s: &Solution) -> f64 {
    ["x", "y1", "y2"].iter().map(|v| s.error(v).unwrap().err).fold(0.0, f64::max)
}

fn codes(s: &Solution) -> Vec<&'static str> {
    s.warnings.iter().map(|w| w.code).collect()
}

#[test]
fn a_run_to_the_end_converges_and_says_so() {
    let s = solved(MERELY_CONVEX, &Request::new("meha:tuned"));
    assert_eq!(s.status, Status::Converged, "{:?}", s.residuals);
    assert!(largest_error(&s) < 1e-5);
    assert!(s.error("upper").unwrap().dist < 1e-8 && s.error("lower").unwrap().err < 1e-5);
    assert_eq!(codes(&s), ["W0609"]);
    assert_eq!(s.rows.last().unwrap().iteration, s.iterations);
    assert_eq!(s.counts.grad_upper, 2 * s.iterations);
}

#[test]
fn slow_divergence_is_called_so() {
    let s = solved(MERELY_CONVEX, &Request::new("meha:paper"));
    assert_eq!(s.status, Status::Diverged);
    let failure = s.failure.clone().unwrap();
    assert_eq!(s.iterations, failure.iteration);
    assert!(failure.largest > FAR);
    assert!(s.variable("x").unwrap().values.iter().all(|v| v.is_finite()));
    assert!(s.rows.windows(2).all(|r| r[0].iteration < r[1].iteration));
}

#[test]
fn overflow_is_traced_to_its_iteration_and_the_iterate_before_it_is_kept() {
    // Sane steps up to iteration 26, then one whose objective overflows; the checks are at 26 and 28.
    let request = Request::new("meha:tuned").set("beta", "0.1*(1 + 1e300*max(0, k - 26))");
    let s = solved(MERELY_CONVEX, &request);
    assert_eq!((s.status, s.iterations), (Status::Diverged, 26));
    let failure = s.failure.clone().unwrap();
    assert_eq!((failure.quantity.as_str(), failure.iteration), ("the upper objective", 27));
    assert!(s.variable("y1").unwrap().values.iter().all(|v| v.is_finite()));
    let warning = &s.warnings[0];
    assert!(warning.code == "W0606" && warning.message.contains("in iteration 27"), "{warning:?}");
    assert!(warning.help[0].contains("alpha = 5.540e-1"), "{warning:?}");
    let before = solved(MERELY_CONVEX, &request.set("max_iter", "26"));
    assert_eq!(before.variable("y1"), s.variable("y1"));
}

#[test]
fn a_start_outside_the_domain_is_not_finite() {
    let text = "upper { var x  minimize (x - 1)^2 }  lower { var y  minimize (y - log(x))^2 }  start { x = -1 }
        method meha { alpha = 0.1;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 1 }";
    let s = solved(text, &Request::new("meha"));
    assert_eq!((s.status, s.iterations), (Status::NotFinite, 0));
    assert_eq!(s.failure.unwrap().quantity, "the lower objective");
    let d = &s.warnings[0];
    assert_eq!((d.code, d.message.as_str()), ("W0605", "the lower objective is not finite at the start"));
    assert_eq!(&text[d.primary.span.range()], "log(x)");
    assert_eq!(d.primary.text, "`log(-1)` is not a number");
    assert_eq!(d.help, ["a start that is finite: `start { x = 1 }`"]);
}

/// What a warning about a start outside of the domain says to do.
fn advice_on_start(text: &str, method: &str) -> String {
    let s = solved(text, &Request::new(method));
    let d = s.warnings.iter().find(|w| w.code == "W0605").unwrap_or_else(|| panic!("{method}: {:?}", s.warnings));
    assert_eq!(d.help.len(), 1, "{method}: {d:?}");
    d.help[0].clone()
}

#[test]
fn a_start_is_found_where_the_lower_steps_of_the_method_have_run_from_a_bad_one() {
    let lower = "lower { var y  minimize (y - log(x))^2 }";
    for method in ["auto", "cg", "rhg", "meha"] {
        let text = format!("upper {{ var x in [0, 5]  minimize (y - 1)^2 + x }}  {lower}");
        assert_eq!(advice_on_start(&text, method), "a start that is finite: `start { x = 1 }`", "{method}");
    }
}

#[test]
fn a_start_is_looked_for_within_the_sets_and_else_its_variable_is_named() {
    let lower = "lower { var y  minimize (y - log(x - 4))^2 }";
    let text = format!("upper {{ var x in [3, 5]  minimize (y - 1)^2 }}  {lower}");
    assert_eq!(advice_on_start(&text, "cg"), "a start that is finite: `start { x = 5 }`");
    let text = format!("upper {{ var x in [3, 4]  minimize (y - 1)^2 }}  {lower}");
    assert!(advice_on_start(&text, "cg").starts_with("choose another start of `x`, inside the domain"));
}

#[test]
fn what_runs_away_is_told_in_words_of_the_problem() {
    let text = "upper { var x in [0, 1]  minimize x + y }  lower { var y  minimize x*y - y }";
    let s = solved(text, &Request::new("meha"));
    assert_eq!(s.status, Status::Diverged);
    assert_eq!(s.failure.unwrap().quantity, "a copy of `y` that meha keeps");
}

#[test]
fn a_start_without_a_derivative_names_the_piece_and_stays_in_the_sets() {
    let text = "upper { var x in [2, 4]  minimize x }  lower { var y[3] in [0, 9]  minimize x*sum(1./y) }
        start { x = 3;  y = [if i == 2 then 0 else i for i in 1..3] }
        method meha { alpha = 0.1;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 1 }";
    let s = solved(text, &Request::new("meha"));
    let d = &s.warnings[0];
    assert_eq!((d.code, &text[d.primary.span.range()]), ("W0605", "1./y"));
    assert_eq!(d.primary.text, "`1 / 0` is infinite in entry 2");
    assert_eq!(d.help, ["a start that is finite: `start { y = 1 }`"]);
}

/// The slope at the start is infinite, so that the first step of a hypergradient is no number; the residual there is
/// finite, since the projection bounds it.
#[test]
fn no_method_returns_what_is_not_a_number() {
    for upper in ["-sqrt(x)", "-x^0.3", "-sqrt(x) + x^2", "log(x + 1e-320)", "-sqrt(x*y)"] {
        let lower = "lower { var y  minimize (y - x)^2 }  start { x = 0 }";
        let problem = problem(&format!("upper {{ var x in [0, 4]  minimize {upper} }}  {lower}"));
        for method in METHODS.iter().map(|m| m.entry.name) {
            let request = Request::new(method).set("max_iter", "100");
            let Ok(s) = solve(&problem, &data(&problem), &request, &mut Silent) else { continue };
            let point = ["x", "y"].map(|name| s.variable(name).unwrap().values[0]);
            let sound = point.iter().all(|v| v.is_finite()) && s.upper.objective.is_finite();
            assert!(sound, "{upper} by {method}: {:?}, {point:?}, {}", s.status, s.upper.objective);
            let failed = matches!(s.status, Status::NotFinite | Status::Diverged);
            assert_eq!(failed, s.failure.is_some(), "{upper} by {method}");
            assert_eq!(failed, codes(&s).iter().any(|c| ["W0605", "W0606"].contains(c)), "{upper} by {method}");
        }
    }
}

#[test]
fn the_same_request_gives_the_same_bits() {
    let request = Request::new("meha:better").set("max_iter", "500");
    let (a, b) = (solved(LASSO, &request), solved(LASSO, &request));
    assert_eq!(a.rows, b.rows);
    assert_eq!(a.variable("y"), b.variable("y"));
}

#[test]
fn maximize_is_shown_in_the_users_sign() {
    let text = "upper { var x in [0, 3]  maximize 4*x - x^2 - (y - 1)^2 }  lower { var y  minimize (y - x)^2 }";
    let request = ["alpha=0.1", "beta=0.1", "eta=0.2", "gamma=1", "c=1"]
        .iter()
        .fold(Request::new("meha"), |r, o| r.set(o.split_once('=').unwrap().0, o.split_once('=').unwrap().1));
    let s = solved(text, &request.set("tol", "0"));
    assert_eq!(s.status, Status::IterationLimit);
    // With y = x: 4 x - x^2 - (x - 1)^2 is largest at 3/2, where it is 3.5.
    assert!((s.upper.objective - 3.5).abs() < 0.05, "{:?}", s.upper);
    assert!((s.variable("x").unwrap().values[0] - 1.5).abs() < 0.05);
}

#[test]
fn a_lower_level_that_was_ignored_is_reported() {
    let text = "upper { var x  minimize x^2 + (y - 1)^2 }  lower { var y  minimize (y - x)^2 }
        method meha { alpha = 1e-10;  beta = 1e-10;  eta = 0.2;  gamma = 1;  c = 1e-9;  p = 0 }";
    let s = solved(text, &Request::new("meha").set("max_iter", "200"));
    assert_eq!(codes(&s), ["W0603", "W0609"], "{s:#?}");
}

#[test]
fn single_precision_runs_the_same_iteration() {
    let request = Request::new("meha:tuned").set("max_iter", "120").set("precision", "f32");
    assert!(largest_error(&solved(MERELY_CONVEX, &request)) <= 1e-3);
}

#[test]
fn the_clock_and_the_key_stop_a_run() {
    struct Impatient(std::cell::Cell<f64>, bool);
    impl Observer for Impatient {
        fn seconds(&self) -> f64 {
            self.0.set(self.0.get() + 0.01);
            self.0.get()
        }
        fn interrupted(&self) -> bool {
            self.1
        }
    }
    let problem = problem(MERELY_CONVEX);
    let run = |pressed, limit: &str| {
        let request = Request::new("meha:tuned").set("tol", "0").set("max_time", limit);
        solve(&problem, &data(&problem), &request, &mut Impatient(Default::default(), pressed)).unwrap()
    };
    assert_eq!(run(false, "0.5").status, Status::TimeLimit);
    let s = run(true, "inf");
    assert_eq!((s.status, s.iterations), (Status::Interrupted, 1));
}

#[test]
fn what_cannot_run_says_why() {
    let problem = problem(MERELY_CONVEX);
    let fails = |request: &Request| solve(&problem, &data(&problem), request, &mut Silent).unwrap_err();
    assert_eq!(fails(&Request::new("maha"))[0].help, ["did you mean `meha`?"]);
    assert_eq!(fails(&Request::new("meha:tunde"))[0].code, "B0602");
}

/// Sets the token at a row, and keeps the last checkpoint.
struct Stopper {
    token: StopToken,
    at: u64,
    every: u64,
    saved: Option<Checkpoint>,
}

impl Observer for Stopper {
    fn row_every(&self) -> u64 {
        1
    }
    fn wants_variables(&self) -> bool {
        true
    }
    fn row(&mut self, row: &Row) {
        if row.iteration == self.at {
            self.token.stop(StopReason::TimeLimit);
        }
    }
    fn checkpoint_every(&self) -> u64 {
        self.every
    }
    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.saved = Some(checkpoint.clone());
    }
}

#[test]
fn a_stop_within_a_step_goes_back_to_a_sound_iterate_and_the_run_can_go_on() {
    let problem = problem(LASSO);
    for method in ["meha:better", "meha:auto", "bda", "rhg", "cg", "random"] {
        let request = Request::new(method).set("tol", "0").set("max_iter", "60").set("polish", "20");
        let whole = solve(&problem, &data(&problem), &request, &mut Silent).unwrap();
        for at in [0, 1, 7, 13] {
            let data = data(&problem);
            let mut stopper = Stopper { token: data.stop.clone(), at, every: 1_000_000, saved: None };
            let s = solve(&problem, &data, &request, &mut stopper).unwrap();
            if whole.iterations <= at {
                continue;
            }
            assert_eq!(s.status, Status::TimeLimit, "{method} {at}");
            assert!(s.iterations <= at && s.rows.iter().all(|r| r.iteration <= s.iterations), "{method} {at}");
            assert!(s.variable("x").unwrap().values.iter().all(|v| v.is_finite()));
            assert!(s.upper.objective.is_finite() && s.rows.last().unwrap().variables.len() == 2);
            let Some(saved) = stopper.saved else {
                assert_eq!(s.iterations, 0, "{method}");
                continue;
            };
            let data = super::tests::data(&problem);
            let resumed = resume(&problem, &data, &request, &saved, &mut Silent).unwrap();
            assert_eq!((resumed.variable("x"), resumed.variable("y")), (whole.variable("x"), whole.variable("y")));
            assert_eq!((resumed.counts, resumed.work, resumed.status), (whole.counts, whole.work, whole.status));
        }
    }
}

#[test]
fn a_stop_before_there_is_an_iterate_is_an_error() {
    let problem = problem(LASSO);
    for method in ["meha:auto", "rhg", "bda", "cg"] {
        let data = data(&problem);
        data.stop.stop(StopReason::Interrupted);
        let found = solve(&problem, &data, &Request::new(method), &mut Silent).unwrap_err();
        assert_eq!(found[0].code, "B0627", "{method}");
    }
}

#[test]
fn a_row_is_of_no_consequence() {
    let problem = problem(MERELY_CONVEX);
    let request = Request::new("meha:tuned").set("polish", "0");
    let plain = solved(MERELY_CONVEX, &request);
    let mut watcher = Stopper { token: StopToken::default(), at: u64::MAX, every: 0, saved: None };
    let watched = solve(&problem, &data(&problem), &request, &mut watcher).unwrap();
    let metrics = solved(MERELY_CONVEX, &request.clone().set("metric_every", "1"));
    for s in [watched, metrics] {
        assert_eq!((s.iterations, s.status, s.counts), (plain.iterations, plain.status, plain.counts));
        assert_eq!((s.variable("x"), s.variable("y2")), (plain.variable("x"), plain.variable("y2")));
        assert_eq!(s.rows.len() as u64, s.iterations + 1);
    }
}
