//! One iteration of some programs: `cargo bench -p blo-solvers`. The time of a short run is taken off that of a longer
//! one, so that checking, compiling and the end of a run are not counted.

use std::path::Path;
use std::time::{Duration, Instant};

use blo_engine::data::Memory;
use blo_engine::model::{self, Bindings, Problem, bind};
use blo_solvers::{Request, Silent, solve};
use criterion::{Criterion, criterion_group, criterion_main};

/// A number per row of the training data is learnt on validation data.
const WEIGHTS: &str = "
    data A[2000, 100] = normal(seed = 1)
    data b[2000] = normal(seed = 2)
    data A_valid[500, 100] = normal(seed = 3)
    data b_valid[500] = normal(seed = 4)
    upper { var x[2000] in [0, 1]   minimize 1/2*normsq(A_valid*y - b_valid) }
    lower { var y[100]   minimize 1/2*mean(x .* (A*y - b).^2) }
    start { x = 0.5 }
    method meha { alpha = 0.01;  beta = 0.01;  eta = 0.02;  gamma = 10;  c = 1 }";

/// Programs of `specs/` with a method whose steps are stated.
const SPECS: [(&str, &str, &str); 4] = [
    ("eq18", "meha_eq18.blo", "meha:tuned"),
    ("eq19", "meha_eq19.blo", "meha:tuned"),
    ("eq77", "meha_eq77.blo", "meha:tuned"),
    ("eq21", "meha_eq21.blo", "meha:paper"),
];

/// Programs, each with its name and its method.
#[allow(clippy::disallowed_methods)]
fn programs() -> Vec<(&'static str, String, &'static str)> {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let read = |file: &str| std::fs::read_to_string(specs.join(file)).expect("a file of the repository");
    let mut all: Vec<_> = SPECS.iter().map(|(name, file, method)| (*name, read(file), *method)).collect();
    all.push(("weights of 2000 rows", WEIGHTS.to_owned(), "meha"));
    all
}

/// Iterations of the short run.
const SHORT: u64 = 20;

fn bound(text: &str) -> (Problem, Bindings) {
    let parsed = blo_grammar::parse(text);
    let problem =
        model::check(&parsed.ast, text, "bench", &model::Settings::default()).problem.expect("a sound program");
    let data = bind(&problem, &Memory::new(), 0).expect("generated data");
    (problem, data)
}

#[allow(clippy::disallowed_methods)]
fn seconds(problem: &Problem, data: &Bindings, method: &str, iterations: u64) -> Duration {
    let options = [("threads", "1"), ("tol", "0"), ("polish", "0"), ("max_iter", &iterations.to_string())];
    let request = options.iter().fold(Request::new(method), |request, (name, value)| request.set(*name, *value));
    let start = Instant::now();
    let solution = solve(problem, data, &request, &mut Silent).expect("the method runs");
    let taken = start.elapsed();
    assert_eq!(solution.iterations, iterations, "the run has its length");
    taken
}

fn iterations(c: &mut Criterion) {
    let mut group = c.benchmark_group("iteration");
    group.sample_size(20);
    for (name, text, method) in programs() {
        let (problem, data) = bound(&text);
        group.bench_function(name, |b| {
            b.iter_custom(|n| {
                let [long, short] = [SHORT + n, SHORT].map(|k| seconds(&problem, &data, method, k));
                // A difference of nothing would be an infinite speed.
                long.saturating_sub(short).max(Duration::from_nanos(1))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, iterations);
criterion_main!(benches);
