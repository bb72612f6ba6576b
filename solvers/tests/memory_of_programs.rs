//! What the programs of a run take at once: not much more than the largest of them, however many there are.

use blo_engine::data::Memory;
use blo_engine::model::{self, Bindings, Problem, bind};
use blo_solvers::{Request, Silent, plan, solve};

/// Data hyper-cleaning with a small network; every array of hidden values takes more than a page of the system's.
const TEXT: &str = "
    param m = 600
    param hidden = 30
    data A[m, 100] = normal(seed = 1)
    data b[m] = normal(seed = 2)
    data A_valid[m, 100] = normal(seed = 3)
    data b_valid[m] = normal(seed = 4)
    upper { var x[m]   minimize mean((tanh(A_valid*W)*v - b_valid).^2) }
    lower { var W[100, hidden]   var v[hidden]   minimize mean(sigmoid(x) .* (tanh(A*W)*v - b).^2) }
    start { W = 0.1;  v = 0.1 }";

/// The most that the programs of a run may take, against its largest stage. What a control estimates curvature with
/// throughout a run is kept between its runs, and a run in f32 is judged in f64.
const METHODS: [(&str, [f64; 2]); 4] =
    [("meha", [2.3, 3.1]), ("meha:auto", [5.2, 9.3]), ("bome:auto", [5.0, 8.9]), ("rhg:auto", [2.6, 4.1])];

fn problem() -> (Problem, Bindings) {
    let parsed = blo_grammar::parse(TEXT);
    assert!(parsed.is_sound(), "{:#?}", parsed.diagnostics);
    let outcome = model::check(&parsed.ast, TEXT, "test", &model::Settings::default());
    let problem = outcome.problem.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics));
    let data = bind(&problem, &Memory::new(), 0).expect("generated");
    (problem, data)
}

fn request(method: &str, precision: &str) -> Request {
    let stated: &[(&str, &str)] = match method {
        "meha" => &[("alpha", "0.1"), ("beta", "0.1"), ("eta", "0.01"), ("gamma", "10"), ("c", "1")],
        _ => &[],
    };
    let common = [("threads", "1"), ("max_iter", "2"), ("polish", "5"), ("precision", precision)];
    common.iter().chain(stated).fold(Request::new(method), |request, (name, value)| request.set(*name, *value))
}

#[test]
fn programs_of_a_run_share_what_they_take() {
    for (method, most) in METHODS {
        for (precision, most) in ["f64", "f32"].into_iter().zip(most) {
            let (problem, data) = problem();
            let request = request(method, precision);
            let plans = plan(&problem, &data.sizes, &request).expect("a plan");
            let step = plans.iter().map(|p| p.memory).max().expect("a step") as f64;
            solve(&problem, &data, &request, &mut Silent).expect("a run");
            let peak = data.arena.peak_bytes() as f64;
            assert_eq!(data.arena.held_bytes(), 0, "{method}: a run gives everything back");
            assert!(peak <= most * step, "{method} in {precision}: {peak} bytes, where its step takes {step}");
        }
    }
}
