//! Closed-form end points of [BDA] eq. (5): `y_K` is affine in x, so `F(x, y_K(x))` has an exact minimizer for every K.

use crate::fixture::{polished, solved};
use crate::options::request::Request;
use crate::solution::{Solution, Status};

fn counter_example(x0: f64, y0: f64) -> String {
    format!(
        "upper {{ var x in [-100, 100]   minimize 1/2*(x - y[2])^2 + 1/2*(y[1] - 1)^2 }}
         lower {{ var y[2]   minimize 1/2*y[1]^2 - x*y[1] }}
         start {{ x = {x0};  y = {y0} }}
         known {{ x = 1;  y = [1, 1] }}"
    )
}

fn x(s: &Solution) -> f64 {
    s.variable("x").unwrap().values[0]
}

fn run(y0: f64, method: &str, options: &[(&str, &str)]) -> Solution {
    let request = options.iter().fold(Request::new(method), |r, (name, value)| r.set(*name, *value));
    solved(&counter_example(0.0, y0), &request)
}

/// The minimizer of `F(x, y_K(x))`, by every estimator that is exact.
fn ends_at(y0: f64, method: &str, options: &[(&str, &str)], wanted: f64) {
    let s = run(y0, method, options);
    // K steps that do not solve the lower level lead to another x: the method has ended, and the problem is not solved
    assert!(matches!(s.status, Status::Converged | Status::Stalled), "{method} {options:?}: {s:#?}");
    assert!((x(&s) - wanted).abs() < 1e-5, "{method} {options:?} from {y0}: {} instead of {wanted}", x(&s));
}

#[test]
fn rhg_and_forward_mode_end_where_the_closed_form_does() {
    for method in ["rhg", "fhg"] {
        for (y0, k, wanted) in [(0.0, "8", 0.491685), (0.0, "16", 0.499796), (2.0, "16", 1.500204), (2.0, "64", 1.5)] {
            ends_at(y0, method, &[("K", k), ("s_l", "0.2")], wanted);
        }
    }
}

#[test]
fn bda_ends_where_the_closed_form_does() {
    let of = |k: &'static str, alpha: &'static str| [("K", k), ("s_l", "0.2"), ("s_u", "0.7"), ("alpha", alpha)];
    for (k, wanted) in [("8", 0.86292), ("16", 0.91676), ("64", 0.97090), ("256", 0.98923), ("512", 0.99338)] {
        ends_at(0.0, "bda", &of(k, "0.5/k"), wanted);
        let mirrored = run(2.0, "bda", &of(k, "0.5/k"));
        assert!((x(&mirrored) - (2.0 - wanted)).abs() < 1e-4, "{k}: {}", x(&mirrored));
    }
    ends_at(0.0, "bda", &of("256", "0.9/k"), 0.99984);
    let rule = [("K", "16"), ("s_l", "0.2"), ("s_u", "0.7"), ("beta", "sqrt(0.3)"), ("gamma", "1"), ("eps", "1e-3")];
    ends_at(2.0, "bda", &rule, 0.999983);
}

#[test]
fn the_weight_on_the_upper_objective_vanishes() {
    // At a fixed x = 3 the right weights send y1 to 3, exchanged ones to 1.
    let text = counter_example(3.0, 2.0).replace("[-100, 100]", "[3, 3]");
    let options = [("K", "4096"), ("s_l", "0.2"), ("s_u", "0.7"), ("alpha", "0.5/k"), ("max_iter", "1")];
    let s = solved(&text, &options.iter().fold(Request::new("bda"), |r, (n, v)| r.set(*n, *v)));
    let y = &s.variable("y").unwrap().values;
    assert!((y[0] - 3.0).abs() < 2e-3, "{y:?}");
}

#[test]
fn bigsam_has_the_upper_weight_as_its_primitive() {
    // h = .5 w1^2 - l w1, g = .5 (l - w2)^2 + .5 (w1 - 1)^2 at l = 3, t = s = .2, 100 steps from (2, 2).
    let text = counter_example(3.0, 2.0).replace("[-100, 100]", "[3, 3]");
    for (w, wanted) in [("k^-0.25", 2.361), ("1 - k^-0.25", 1.639)] {
        let options = [("K", "100"), ("s", "0.2"), ("t", "0.2"), ("w", w), ("max_iter", "1")];
        let s = solved(&text, &options.iter().fold(Request::new("bigsam"), |r, (n, v)| r.set(*n, *v)));
        let y = &s.variable("y").unwrap().values;
        assert!((y[0] - wanted).abs() < 1e-3, "{w}: {y:?}");
    }
}

#[test]
fn an_optimized_start_with_truncation_reaches_the_optimum() {
    let stated = [("K", "16"), ("s_l", "0.2"), ("alpha_x", "0.1"), ("alpha_z", "0.1"), ("max_iter", "1000")];
    let s = run(2.0, "iaptt", &stated);
    assert!((x(&s) - 1.0).abs() < 1e-3, "{}", x(&s));
    let automatic = run(2.0, "iaptt", &[("K", "16")]);
    assert!((x(&automatic) - 1.0).abs() < 1e-2, "{}", x(&automatic));
}

#[test]
fn implicit_hypergradients_report_a_singular_hessian() {
    let s = run(0.0, "cg", &[("K", "50")]);
    let found: Vec<_> = s.warnings.iter().filter(|w| w.code == "W0613").collect();
    assert_eq!(found.len(), 1, "{:#?}", s.warnings);
}

/// A ridge problem: strongly convex, with a weight to learn.
const RIDGE: &str = "
    param m = 12
    param n = 5
    data A[m, n] = normal(seed = 1)
    data b[m] = normal(seed = 2)
    data A_valid[m, n] = normal(seed = 3)
    data b_valid[m] = normal(seed = 4)
    upper { var x in [-10, 10]   minimize 1/2*normsq(A_valid*y - b_valid) }
    lower { var y[n]   minimize 1/2*normsq(A*y - b) + exp(x)/2*normsq(y) }";

/// A weight per coordinate of an l1 norm, and a box.
const WEIGHTS: &str = "
    param m = 12
    param n = 5
    data A[m, n] = normal(seed = 1)
    data b[m] = normal(seed = 2)
    data c[n] = normal(seed = 3)
    upper { var x[n] in [0, 2]   minimize 1/2*normsq(y - c) + 1/2*normsq(x - 1/2) }
    lower { var y[n] in [-1/2, 1]   minimize 1/2*normsq(A*y - b)   regularize sum(x[i]*abs(y[i]) for i in 1..n) }
    start { x = 1/2 }";

#[test]
fn every_estimator_finds_the_same_optimum_where_the_lower_level_is_solved() {
    for text in [RIDGE, WEIGHTS] {
        let best = polished(text, &Request::new("rhg").set("K", "1000"));
        for (method, options) in [
            ("fhg", &[("K", "500")][..]),
            ("rhg", &[("K", "50"), ("start", "warm")]),
            ("rhg", &[("K", "200"), ("dynamics", "nesterov")]),
            ("trhg", &[("K", "500"), ("h", "400")]),
            ("cg", &[]),
            ("neumann", &[]),
            ("unroll", &[("gradient", "cg"), ("dynamics", "nesterov"), ("start", "fixed"), ("K", "400")]),
        ] {
            let request = options.iter().fold(Request::new(method), |r, (name, value)| r.set(*name, *value));
            let s = polished(text, &request);
            let gap = (s.upper.objective - best.upper.objective) / best.upper.objective.abs();
            assert!(gap.abs() < 1e-5, "{method} {options:?}: F {gap:+.1e}, {:?} {:#?}", s.status, s.warnings);
        }
    }
}

#[test]
fn choices_that_do_not_go_together_name_those_that_do() {
    let fails = |options: &[(&str, &str)]| {
        let problem = crate::fixture::problem(RIDGE);
        let request = options.iter().fold(Request::new("unroll"), |r, (name, value)| r.set(*name, *value));
        crate::method::resolve::resolve(&problem, &request).unwrap_err()
    };
    let d = fails(&[("dynamics", "aggregate"), ("gradient", "cg")]);
    assert_eq!(d[0].code, "B0616");
    assert!(d[0].help[0].contains("gradient = reverse"), "{d:#?}");
    assert_eq!(fails(&[("start", "auxiliary"), ("gradient", "truncated")])[0].code, "B0616");
    assert_eq!(fails(&[("gradient", "one_stage")])[0].code, "B0616");
}

#[test]
fn hypergradients_agree_with_forward_mode_and_differences() {
    for text in [RIDGE, WEIGHTS, &counter_example(0.3, 0.7)] {
        let problem = crate::fixture::problem(text);
        let data = crate::fixture::data(&problem);
        for method in ["rhg", "fhg", "bda", "bigsam", "iagm", "iagm_a", "iaptt", "rhg(dynamics = nesterov)"] {
            let request = Request::new(method).set("K", "20");
            let found = crate::check_hypergradient(&problem, &data, &request, 0.1, 1).unwrap().unwrap();
            assert!(found.iter().all(|c| c.exact && c.agrees), "{method}: {found:#?}\n{text}");
        }
    }
}

#[test]
fn estimates_are_called_so_and_are_near_where_the_lower_level_is_solved() {
    let problem = crate::fixture::problem(WEIGHTS);
    let data = crate::fixture::data(&problem);
    for method in ["cg", "neumann", "trhg(h = 900)"] {
        let request = Request::new(method).set("K", "1000");
        let found = crate::check_hypergradient(&problem, &data, &request, 0.1, 1).unwrap().unwrap();
        assert!(found.iter().all(|c| !c.exact && c.difference_error < 1e-5), "{method}: {found:#?}");
    }
    let request = Request::new("darts");
    let found = crate::check_hypergradient(&problem, &data, &request, 0.1, 1).unwrap().unwrap();
    // The derivative of one step, where the mixed derivative is constant: what is left is the prox's.
    assert!(found.iter().all(|c| c.difference_error < 1e-5), "{found:#?}");
}

/// Where the lower steps start f is flat, where they lead its curvature is 12: steps that were right at the start alone
/// ran away.
#[test]
fn automatic_sizes_hold_where_the_lower_steps_lead() {
    let text = "
        upper { var x  minimize (y - 2)^2 }
        lower { var y  minimize 1/4*y^4 - x*y }
        start { x = 1 }";
    let problem = crate::fixture::problem(text);
    let data = crate::fixture::data(&problem);
    for method in ["rhg", "rhg(dynamics = nesterov)", "bda", "iaptt", "cg"] {
        let found = crate::check_hypergradient(&problem, &data, &Request::new(method), 0.1, 1).unwrap().unwrap();
        assert!(found.iter().all(|c| c.agrees), "{method}: {found:#?}");
        let s = solved(text, &Request::new(method));
        assert_eq!(s.status, Status::Converged, "{method}: {s:#?}");
        assert!((x(&s) - 8.0).abs() < 1e-3, "{method}: x = {}", x(&s));
    }
}

#[test]
fn a_memory_limit_changes_no_bit_and_is_kept() {
    let problem = crate::fixture::problem(RIDGE);
    let data = crate::fixture::data(&problem);
    let run = |memory: &str| {
        let request = Request::new("rhg").set("K", "400").set("max_iter", "5").set("memory", memory);
        crate::solve(&problem, &data, &request, &mut crate::run::observer::Silent).unwrap()
    };
    let (all, some) = (run("inf"), run("2000"));
    assert_eq!(all.variable("x"), some.variable("x"));
    assert_eq!(
        all.rows.iter().map(|r| r.upper).collect::<Vec<_>>(),
        some.rows.iter().map(|r| r.upper).collect::<Vec<_>>()
    );
    let (all, some) = (all.work.unwrap(), some.work.unwrap());
    assert_eq!((all.states, all.again), (400, 0));
    assert!(some.bytes <= 2000 && some.states == 50 && some.again > 0, "{some:?}");
}

/// Softmax regression on weighted rows: states of 7850 numbers, 25 MB for 400 of them.
#[test]
fn a_long_trajectory_of_a_large_lower_level_fits_into_4_mb() {
    let text = "
        param m = 40
        data U[m, 784] = normal(seed = 1)
        data Q[m, 784] = normal(seed = 2)
        let hot = [if j == 1 + i - 10*floor(i/10) then 1 else 0 for i in 1..m for j in 1..10]
        fn row(z, h) = logsumexp(z) - sum(h .* z)
        upper { var x[m]   minimize sum(row(dense(Q, W, b)[i, _], hot[i, _]) for i in 1..m)/m }
        lower { var W[784, 10]   var b[10]
          minimize sum(sigmoid(x[i])*row(dense(U, W, b)[i, _], hot[i, _]) for i in 1..m)/m }";
    let problem = crate::fixture::problem(text);
    let data = crate::fixture::data(&problem);
    let run = |memory: &str| {
        let request = Request::new("rhg").set("K", "400").set("max_iter", "2").set("memory", memory);
        crate::solve(&problem, &data, &request.set("polish", "0"), &mut crate::run::observer::Silent).unwrap()
    };
    let (all, some) = (run("inf"), run("4e6"));
    for name in ["x", "W", "b"] {
        assert_eq!(all.variable(name), some.variable(name));
    }
    let (all, some) = (all.work.unwrap(), some.work.unwrap());
    assert!(all.bytes > 25_000_000 && some.bytes <= 4_000_000, "{all:?} {some:?}");
    // 3 sqrt(400) = 60.
    assert!(some.states > 1 && some.states <= 60 && some.again > 0, "{some:?}");
}

#[test]
fn every_update_and_both_precisions_find_the_optimum() {
    let best = polished(RIDGE, &Request::new("rhg").set("K", "1000")).upper.objective;
    for options in [
        &[("update", "momentum")][..],
        &[("update", "adam"), ("max_iter", "2000")],
        &[("precision", "f32")],
        &[("alpha_x", "0.01"), ("max_iter", "2000")],
    ] {
        let request = options.iter().fold(Request::new("rhg").set("K", "200"), |r, (n, v)| r.set(*n, *v));
        let s = polished(RIDGE, &request);
        assert!((s.upper.objective - best).abs() < 1e-3 * best, "{options:?}: {} {best}", s.upper.objective);
    }
}

#[test]
fn the_least_norm_solution_of_a_simple_bilevel_problem_is_found() {
    // y1 + y2 = 2 has the least norm at (1, 1); plain descent from (3, 0) ends at (2.5, -0.5).
    let text = "upper { minimize 1/2*normsq(y) }  lower { var y[2]   minimize 1/2*(y[1] + y[2] - 2)^2 }
        start { y = [3, 0] }  known { y = [1, 1]; upper = 1 }";
    for method in ["bda", "bigsam"] {
        let s = solved(text, &Request::new(method).set("max_iter", "100000"));
        assert!(s.error("y").unwrap().err < 1e-2, "{method}: {:?}", s.variable("y"));
        assert!(s.counts.grad_upper >= 1000 || s.status == Status::Converged, "{:?} {:?}", s.status, s.counts);
    }
    // A step that leaves F out is no sign that F is at its least.
    for options in [&[("every", "1000")][..], &[("w", "0")]] {
        let request = options.iter().fold(Request::new("bigsam"), |r, (name, value)| r.set(*name, *value));
        let s = solved(text, &request.set("max_iter", "900"));
        assert_eq!(s.status, Status::IterationLimit, "{options:?}: {:?}", s.variable("y"));
    }
    let problem = crate::fixture::problem(text);
    let fails = |method| {
        let data = crate::fixture::data(&problem);
        crate::solve(&problem, &data, &Request::new(method), &mut crate::run::observer::Silent).unwrap_err()
    };
    let d = fails("rhg");
    assert_eq!(d[0].code, "B0617");
    assert!(d[0].message.contains("rhg") && d[0].help[0].contains("bigsam"), "{d:#?}");
}

#[test]
fn kept_states_stay_below_the_limit_of_memory_and_change_no_bit() {
    let text = "upper { var x in [-2, 2]  minimize (x - 1)^2 + normsq(y) }  lower { var y[3]  minimize normsq(y - x) }";
    for method in ["rhg", "trhg", "fhg", "cg", "bda", "iaptt"] {
        let run = |limit: u64| {
            let mut problem = crate::fixture::problem(text);
            problem.limits.set("memory", limit).unwrap();
            let data = crate::fixture::data(&problem);
            let request = Request::new(method).set("K", "5000").set("max_iter", "1");
            crate::solve(&problem, &data, &request, &mut crate::run::observer::Silent).unwrap()
        };
        let (all, some) = (run(1 << 30), run(100_000));
        assert_eq!(all.variable("x"), some.variable("x"), "{method}");
        let (all, some) = (all.work.unwrap(), some.work.unwrap());
        assert!(all.states == 5000 && some.states < 250, "{method}: {all:?} {some:?}");
    }
}

#[test]
fn followers_have_the_numbers_that_their_loop_runs_through() {
    let of = |numbers: &str, upper: &str| {
        let text = format!(
            "let odd = 1..7 by 3  upper {{ var x in [-4, 4]  minimize {upper} + x^2 }}
             lower for j in {numbers} {{ var y  minimize (y - j*x)^2 + y^2 }}  start {{ x = 1 }}"
        );
        solved(&text, &Request::new("cg")).upper.objective
    };
    let same = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} and {b}");
    same(of("2..4", "sum((y[j] - j)^2 for j in 2..4)"), of("1..4", "sum((y[j] - j)^2 for j in 2..4)"));
    same(of("2..4", "(y[3] - 4)^2"), of("1..4", "(y[3] - 4)^2"));
    same(of("2..6 by 2", "(y[4] - 4)^2"), of("1..4", "(y[4] - 4)^2"));
    same(of("2..6 by 2", "sum((y[j] - 1)^2 for j in 2..6 by 4)"), of("1..6", "sum((y[j] - 1)^2 for j in 2..6 by 4)"));
    same(of("odd", "sum((y[j] - j)^2 for j in odd)"), of("1..7", "sum((y[j] - j)^2 for j in 1..7 by 3)"));
}

#[test]
fn what_is_no_number_of_a_follower_is_said() {
    let said = |text: &str| {
        let outcome =
            blo_engine::model::check(&blo_grammar::parse(text).ast, text, "p", &blo_engine::model::Settings::default());
        outcome.diagnostics.into_iter().find(|d| d.is_error()).map(|d| d.message).unwrap_or_default()
    };
    let of = |upper: &str| {
        said(&format!("upper {{ var x  minimize {upper} }}  lower for j in 2..4 {{ var y  minimize (y - j*x)^2 }}"))
    };
    for upper in ["y[1]^2", "y[5]^2", "sum(y[j]^2 for j in 1..3)"] {
        assert_eq!(of(upper), "no follower has this number", "{upper}");
    }
    assert_eq!(of("y[2]^2"), "");
    let set = said("upper { var x  minimize y[1]^2 }  lower for j in 1..3 { var y in [0, j]  minimize (y - x)^2 }");
    assert_eq!(set, "a set cannot depend on `j`: all followers share one");
}

/// `y_i = d_i x/(d_i + .01)`, so that the optimum is `x = sum(a)/(sum(a^2) + .01)` with `a = d/(d + .01)`.
const ILL_CONDITIONED: &str = "
    param n = 5
    param d[n] = [10^((i - 3)/2) for i in 1..n]
    upper { var x   minimize 1/2*normsq(y - 1) + 0.005*x^2 }
    lower { var y[n]   minimize 1/2*normsq(y)/100 + 1/2*sum(d[i]*(y[i] - x)^2 for i in 1..n) }";

/// HOAG: few lower steps while x is far, and the end is the optimum.
#[test]
fn geometric_tolerances_end_at_the_optimum() {
    let a: Vec<f64> = (1..=5).map(|i| 10f64.powf(f64::from(i - 3) / 2.0)).map(|d| d / (d + 0.01)).collect();
    let optimum = a.iter().sum::<f64>() / (a.iter().map(|a| a * a).sum::<f64>() + 0.01);
    for method in ["cg", "neumann"] {
        let request = Request::new(method).set("K", "10").set("dynamics", "gradient").set("tol_l", "geometric");
        let s = solved(ILL_CONDITIONED, &request);
        assert!((x(&s) - optimum).abs() < 5e-4, "{method}: {} {optimum}", x(&s));
        let early = solved(ILL_CONDITIONED, &request.set("max_iter", "3")).work.unwrap().steps as f64 / 3.0;
        let later = s.work.unwrap().steps as f64 / s.iterations as f64;
        assert!(early < later, "{method}: {early} then {later} steps an iteration");
    }
}

/// With a stated upper step the lower steps are repeated too: the tolerance is the method's, not the line search's.
#[test]
fn geometric_tolerances_hold_with_a_stated_upper_step() {
    let run = |tolerance: &str| {
        let request = Request::new("cg").set("K", "1").set("dynamics", "gradient").set("alpha_x", "0.1");
        solved(ILL_CONDITIONED, &request.set("tol_l", tolerance).set("max_iter", "60").set("tol", "0"))
    };
    let (once, geometric) = (run("objective"), run("geometric"));
    let steps = [&once, &geometric].map(|s| s.work.unwrap().steps);
    assert!(steps[0] == 61 && steps[1] > 61, "{steps:?}");
    let residuals = [once.residuals.lower, geometric.residuals.lower];
    assert!(residuals[1] < 0.1 * residuals[0], "{residuals:?}");
}
