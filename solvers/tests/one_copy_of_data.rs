//! A run holds its data once per precision, however many programs read them. Alone in its file: the allocator counts for
//! the whole process.
mod counting;

use blo_engine::data::Memory;
use blo_engine::model::{self, bind};
use blo_solvers::{Request, Silent, solve};

const ROWS: usize = 2500;
const COLUMNS: usize = 800;

/// `A` is nearly all of the data; the objectives and the metric read it.
const TEXT: &str = "
    param n = 800
    data A[2500, n] = normal(seed = 1)
    data b[2500] = normal(seed = 2)
    data B[20, n] = normal(seed = 3)
    upper { var x[n] in [-5, 5]   minimize mean((B*y - 1).^2) + 0.01*mean((A*y).^2) }
    lower { var y[n]   minimize 1/2*mean((A*y - b).^2) + 1/2*sum(exp(x) .* y.^2) }
    metric fit = mean((A*y - b).^2)";

/// The most bytes that a run takes beside the data.
fn beside_the_data(method: &str, precision: &str) -> usize {
    let parsed = blo_grammar::parse(TEXT);
    assert!(parsed.is_sound());
    let problem = model::check(&parsed.ast, TEXT, "test", &model::Settings::default()).problem.expect("sound");
    let data = bind(&problem, &Memory::new(), 0).expect("generated");
    let request = [("threads", "1"), ("max_iter", "1"), ("polish", "5"), ("precision", precision)];
    let request = request.iter().fold(Request::new(method), |r, (name, value)| r.set(*name, *value));
    let before = counting::start();
    solve(&problem, &data, &request, &mut Silent).expect("a run");
    counting::most() - before
}

#[test]
fn programs_share_the_data() {
    let data = ROWS * COLUMNS * size_of::<f64>();
    for method in ["meha:auto", "rhg:auto", "cg:auto"] {
        let f64s = beside_the_data(method, "f64");
        assert!(f64s < data / 4, "{method} takes {f64s} bytes beside {data} bytes of data");
        let f32s = beside_the_data(method, "f32");
        assert!(f32s < data / 2 + data / 4, "{method} in f32 takes {f32s} bytes beside {data} bytes of data");
    }
}
