use blo_engine::data::Memory;
use blo_engine::model::{Bindings, Problem, bind};

use crate::fixture::{Keeper, problem};
use crate::method::METHODS;
use crate::method::batches::BatchUse;
use crate::options::request::Request;
use crate::pipeline::{prepare, resume, solve};
use crate::run::observer::Silent;
use crate::solution::Solution;

/// A ridge weight is learnt on nine rows for a regression on 21.
const RIDGE: &str = "
    dataset d { u = csv(\"d.csv\", columns = 1..3)  v = csv(\"d.csv\", column = 4) }
    split d into train: 21, val: 9
    upper { var x  minimize mean((val.u*y - val.v).^2) + 0.01*x^2 }
    lower { var y[3]  minimize 1/2*mean((train.u*y - train.v).^2) + 1/2*exp(x)*normsq(y) }
    start { x = -0.2  y = 0.3 }";

fn row(i: u32) -> [f64; 4] {
    let i = f64::from(i);
    let u = [(1.7 * i).sin(), (0.9 * i).cos(), (2.3 * i + 1.0).sin()];
    [u[0], u[1], u[2], u[0] - 0.5 * u[1] + 0.3 * (5.1 * i).sin()]
}

fn bound(text: &str) -> (Problem, Bindings) {
    let problem = problem(text);
    let line = |i| row(i).map(|v| v.to_string()).join(",") + "\n";
    let csv = (0..30).map(line).fold(String::from("a,b,c,v\n"), |text, line| text + &line);
    let data = bind(&problem, &Memory::new().with("d.csv", csv), 0).unwrap();
    (problem, data)
}

/// Requests with other lower steps and upper updates than a method's own.
const OTHER_STEPS: [&str; 3] = [
    "rhg:auto(K = 4, alpha_x = 0.1, start = warm, update = adam, precision = f32)",
    "fhg:auto(K = 4, alpha_x = 0.1, dynamics = nesterov)",
    "bda:auto(K = 4, alpha_x = 0.1, update = momentum)",
];

/// Every method that may look at batches, with the options stated that it needs for that, and few lower steps.
fn with_batches() -> Vec<String> {
    let problem = problem(RIDGE);
    let of_table = METHODS.iter().filter_map(|m| {
        let BatchUse::Stated(needed) = m.method.batches(&problem) else { return None };
        let has_several = |name: &str| m.entry.option(name).is_some_and(|o| o.default != Some("1"));
        let steps = ["K", "h"].into_iter().zip(["4", "2"]).filter(|(name, _)| has_several(name));
        let number = |name: &'static str| {
            let is_step = m.entry.option(name).is_some_and(|o| o.step.is_some());
            (name, if is_step { "0.05" } else { "2" })
        };
        let options: Vec<String> =
            steps.chain(needed.iter().map(|name| number(name))).map(|(name, v)| format!("{name} = {v}")).collect();
        Some(format!("{}:auto({})", m.entry.name, options.join(", ")))
    });
    of_table.chain(OTHER_STEPS.map(str::to_owned)).collect()
}

fn request(method: &str, lower: usize, upper: usize) -> Request {
    let request = Request::new(method).set("max_iter", "30").set("polish", "0").set("tol", "0");
    request.set("batch_lower", lower.to_string()).set("batch_upper", upper.to_string())
}

fn solved(text: &str, request: &Request) -> Solution {
    let (problem, data) = bound(text);
    solve(&problem, &data, request, &mut Silent).unwrap_or_else(|d| panic!("{request:?}: {d:#?}"))
}

fn end(s: &Solution) -> Vec<f64> {
    ["x", "y"].iter().flat_map(|name| s.variable(name).unwrap().values.clone()).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn a_batch_of_all_rows_is_no_batch() {
    for method in &with_batches() {
        let plain = Request::new(method).set("max_iter", "30").set("polish", "0").set("tol", "0");
        let (all, some) = (solved(RIDGE, &plain), solved(RIDGE, &request(method, 21, 9)));
        let rounding = if method.contains("f32") { 1e-4 } else { 1e-11 };
        let far = distance(&end(&all), &end(&some));
        assert!(far < rounding, "{method}: {far:e}");
        let row = |s: &Solution| (s.rows.len(), s.iterations);
        assert_eq!(row(&all), row(&some), "{method}");
    }
}

#[test]
fn a_seed_gives_the_same_bits_with_one_thread_and_two_and_after_a_checkpoint() {
    let (problem, data) = bound(RIDGE);
    for method in &with_batches() {
        let request = request(method, 4, 2);
        let run = |request: &Request| solve(&problem, &data, request, &mut Silent).unwrap();
        let whole = run(&request.clone().set("threads", "1"));
        assert_eq!(end(&whole), end(&run(&request.clone().set("threads", "2"))), "{method}");
        assert_ne!(end(&whole), end(&run(&request.clone().set("seed", "1"))), "{method}");
        for at in [1, 5, 6, 11] {
            let mut keeper = Keeper { at, kept: None };
            solve(&problem, &data, &request, &mut keeper).unwrap();
            let checkpoint = keeper.kept.unwrap_or_else(|| panic!("{method}: nothing at {at}"));
            let resumed = resume(&problem, &data, &request, &checkpoint, &mut Silent).unwrap();
            assert_eq!(end(&resumed), end(&whole), "{method} from {at}");
            assert_eq!(format!("{:?}", resumed.rows), format!("{:?}", whole.rows), "{method} from {at}");
        }
    }
}

#[test]
fn what_is_reported_looks_at_all_rows() {
    for method in &with_batches() {
        let s = solved(RIDGE, &request(method, 4, 2));
        let (x, y) = (s.variable("x").unwrap().values[0], s.variable("y").unwrap().values.clone());
        let error = |i: u32| (0..3).map(|j| row(i)[j] * y[j]).sum::<f64>() - row(i)[3];
        let mean = |rows: std::ops::Range<u32>| {
            let n = f64::from(rows.end - rows.start);
            rows.map(|i| error(i).powi(2)).sum::<f64>() / n
        };
        let lower = 0.5 * mean(0..21) + 0.5 * x.exp() * y.iter().map(|v| v * v).sum::<f64>();
        let upper = mean(21..30) + 0.01 * x * x;
        let near = |a: f64, b: f64| (a - b).abs() < 1e-5 * b.abs();
        let (found_upper, found_lower) = (s.upper.objective, s.lower.objective);
        assert!(near(found_upper, upper) && near(found_lower, lower), "{method}: {found_upper} {upper}");
        let last = s.rows.last().unwrap();
        assert!(near(last.upper, upper) && near(last.lower, lower), "{method}");
    }
}

/// With steps that fall like 1/k the noise of the batches dies out: the end is the solution on all rows, which no single
/// batch has. The directions of both methods are linear in the derivatives of the level that has batches.
#[test]
fn falling_steps_reach_the_solution_on_all_rows() {
    let best = solved(RIDGE, &Request::new("rhg:auto").set("K", "200").set("tol", "1e-9"));
    let rhg = "rhg:auto(K = 40, s_l = 0.5, alpha_x = 60/(k + 30), start = warm)";
    let bamm = "bamm:auto(rule = strong, beta = 5/(k + 10), eta = 5/(k + 10), alpha = 40/(k + 100))";
    for (method, lower, upper) in [(rhg, 21, 4), (bamm, 5, 4)] {
        let far = |iterations: &str| {
            distance(&end(&solved(RIDGE, &request(method, lower, upper).set("max_iter", iterations))), &end(&best))
        };
        let (early, late) = (far("60"), far("6000"));
        assert!(late < 1e-3 && late < early / 50.0, "{method}: {early:.2e}, then {late:.2e}");
    }
}

#[test]
fn methods_that_compare_objectives_refuse_and_name_those_that_do_not() {
    let (problem, _) = bound(RIDGE);
    let name = |text: &str| text.split(':').next().unwrap().to_string();
    let with: Vec<String> = with_batches().iter().map(|text| name(text)).collect();
    for listed in METHODS {
        let method = listed.entry.name;
        let automatic = Request::automatic(method).set("batch", "4");
        // some refuse this problem for other reasons
        let Err(found) = prepare(&problem, &automatic) else { panic!("{method} was taken") };
        let refused = found.iter().find(|d| d.code == "B0633");
        if prepare(&problem, &Request::automatic(method)).is_ok() {
            let refused = refused.unwrap_or_else(|| panic!("{method}: {found:#?}"));
            assert_eq!(refused.message.contains("as it is printed"), with.contains(&method.to_string()), "{method}");
        }
        if let Some(text) = refused.and_then(|d| d.help.first()).filter(|text| text.starts_with("methods that can")) {
            for name in &with {
                assert!(text.contains(name.as_str()), "{text}");
            }
            assert!(!text.contains("gpbgd") && !text.contains("tpe"), "{text}");
        }
    }
}

#[test]
fn bad_batches_are_located() {
    let found = |lower: &str, batch: (&str, &str)| {
        let text = RIDGE.replace("1/2*mean((train.u*y - train.v).^2) + 1/2*exp(x)*normsq(y)", lower);
        let (problem, data) = bound(&text);
        let request = Request::new(&with_batches()[0]).set(batch.0, batch.1);
        let d = solve(&problem, &data, &request, &mut Silent).unwrap_err().remove(0);
        let span = d.primary.span;
        (d.code, text[span.start as usize..span.end as usize].to_string())
    };
    let sound = "mean((train.u*y - train.v).^2) + exp(x)*normsq(y)";
    assert_eq!(found(sound, ("batch", "0")), ("B0604", String::new()));
    assert_eq!(found(sound, ("batch", "10")), ("B0635", String::new()));
    assert_eq!(found(sound, ("batch_lower", "22")), ("B0635", String::new()));
    let without = "normsq(y - x)";
    assert_eq!(found(without, ("batch_lower", "2")), ("B0634", without.to_string()));
    let root = "sqrt(mean((train.u*y - train.v).^2) + 1) + exp(x)*normsq(y)";
    assert_eq!(found(root, ("batch_lower", "2")), ("B0634", "sqrt(mean((train.u*y - train.v).^2) + 1)".to_string()));
    let both = "mean((train.u*y - train.v).^2) + mean((val.u*y).^2) + exp(x)*normsq(y)";
    assert_eq!(found(both, ("batch_lower", "2")), ("B0634", both.to_string()));
}
