//! How memory grows with the number of lower steps K and of iterations: with checkpoints like `3 sqrt(K)` states, and not at
//! all for methods without a trajectory. Alone in its file: the allocator counts for the whole process.
mod counting;

use blo_engine::data::Memory;
use blo_engine::model::{self, bind};
use blo_solvers::solution::trace::Row;
use blo_solvers::{Observer, Request, Solution, solve};

/// Numbers of a state.
const N: usize = 1000;
const STATE: usize = N * size_of::<f64>();

const TEXT: &str = "
    param n = 1000
    data a[n] = normal(seed = 1)
    upper { var x[n] in [0, 1]   minimize 1/2*normsq(y - 1) + 1/2*normsq(x - 1/2) }
    lower { var y[n]   minimize sum(sqrt(1 + (y - a).^2)) + 1/2*sum(x .* y.^2) }
    method meha { alpha = 0.1;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 2 }";

/// Sees the most bytes until the last iteration is done: how the end is judged takes memory, too.
struct Meter(usize);

impl Observer for Meter {
    fn row(&mut self, _: &Row) {
        self.0 = counting::most();
    }
}

/// A run, and the most bytes that its iterations took beside the data.
fn run(method: &str, options: &[(&str, &str)]) -> (Solution, usize) {
    let parsed = blo_grammar::parse(TEXT);
    let problem = model::check(&parsed.ast, TEXT, "test", &model::Settings::default()).problem.expect("sound");
    let data = bind(&problem, &Memory::new(), 0).expect("generated");
    let start = Request::new(method).set("threads", "1").set("polish", "0").set("tol", "0");
    let request = options.iter().fold(start, |r, (name, value)| r.set(*name, *value));
    let before = counting::start();
    let mut meter = Meter(0);
    let solution = solve(&problem, &data, &request, &mut meter).expect("a run");
    (solution, meter.0 - before)
}

/// The bits of a variable at the end.
fn bits(solution: &Solution, name: &str) -> Vec<u64> {
    solution.variable(name).expect("a variable").values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn memory_grows_with_the_root_of_the_steps_or_not_at_all() {
    // with checkpoints: as many states as `3 sqrt(K)`, the same hypergradient, and nothing else that grows
    let steps = [10, 100, 1000];
    let reverse = |k: usize, memory: &str| {
        let k = k.to_string();
        run("rhg", &[("K", &k), ("s_l", "0.1"), ("alpha_x", "0.1"), ("max_iter", "1"), ("memory", memory)])
    };
    let mut beside = Vec::new();
    for k in steps {
        let kept = 3.0 * (k as f64).sqrt();
        let room = if k == 10 { 9 * STATE } else { kept as usize * STATE };
        let (all, _) = reverse(k, "inf");
        let (some, bytes) = reverse(k, &room.to_string());
        for name in ["x", "y"] {
            assert_eq!(bits(&all, name), bits(&some, name), "{name} for K = {k}");
        }
        let (all, some) = (all.work.expect("steps"), some.work.expect("steps"));
        assert_eq!((all.states, all.again), (k as u64, 0));
        assert!(some.states as f64 <= kept && some.bytes <= (kept as usize * STATE) as u64, "K = {k}: {some:?}");
        assert!(some.again > 0 && some.again <= 2 * some.steps, "K = {k}: {some:?}");
        beside.push(bytes - some.bytes as usize);
    }
    assert!(beside.iter().all(|b| b.abs_diff(beside[0]) <= 2 * STATE), "beside the states: {beside:?}");

    // without a trajectory: iterations leave rows of a table, which are logarithmically many; the automatic rule keeps
    // some iterates once its first stage is over
    for (method, once) in [("meha", 1), ("meha:auto", 16)] {
        let most = steps.map(|k| run(method, &[("max_iter", &k.to_string())]).1);
        assert!(most[1].abs_diff(most[0]) <= once * STATE, "{method}: {most:?}");
        assert!(most[2].abs_diff(most[1]) <= STATE, "{method}: {most:?}");
    }
}
