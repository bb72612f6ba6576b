//! A hypergradient against forward mode through the same steps and against central differences of the objective
//! `F(x, y_K(x))`, whose lower steps keep their sizes.

use blo_engine::gradient_check::point;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::oracle::Value;
use blo_grammar::diagnostic::Diagnostic;

use crate::hypergradient::check::{HypergradientCheck, compare};
use crate::hypergradient::{self, Hypergradient, Setup};
use crate::lower::step_sizes::{LowerStepSizes, MOST_REFITS, PointKind, Wanted};
use crate::lower::trajectory::Trajectory;
use crate::method::StepsStart;
use crate::method::descent::choice::Choice;
use crate::options::settings::Settings;

/// Relative step of the differences.
const STEP: f64 = 1e-5;

type Arrays = Vec<Vec<f64>>;

/// Compares the hypergradient of the settings' method.
pub(super) fn check(
    problem: &Problem,
    data: &Bindings,
    settings: &Settings,
    spread: f64,
    seed: u64,
) -> Result<Vec<HypergradientCheck>, Box<Diagnostic>> {
    let choice = Choice::<f64>::of(settings);
    let lower = choice.axes.dynamics.on(problem);
    let exact = choice.axes.estimator::<f64>().exact;
    let (threads, seed_of_run) = (settings.integer("threads"), settings.integer("seed"));
    let setup = Setup { problem, data, threads, lower: &lower };
    let mut own = (choice.estimator)(&setup)?;
    // Forward mode has another objective where the method looks at another step than the last.
    let comparable = exact && choice.axes.gradient == "reverse";
    let mut forward =
        comparable.then(|| hypergradient::by_name::<f64>("forward").read(settings)(&setup)).transpose()?;
    let mut t = choice.trajectory(&setup, f64::INFINITY)?;
    let (mut x, mut start) = at(problem, data, spread, seed);

    let solves = !problem.lower().constraints.is_empty();
    let wanted = if solves { Wanted::default() } else { choice.rule.wanted() };
    let mut step_sizes = LowerStepSizes::new(problem, data, wanted, threads, seed_of_run)?;
    size_lower_steps(&mut step_sizes, &mut *own, &mut t, (&x, &start));

    let gradient = |from: &mut dyn Hypergradient<f64>, t: &mut Trajectory<f64>, x: &Arrays, start: &Arrays| {
        let (mut of_x, mut of_start) = (x.clone(), start.clone());
        objective(from, t, x, start);
        from.gradient(t, &mut of_x, &mut of_start);
        (of_x, of_start)
    };
    let (of_x, of_start) = gradient(&mut *own, &mut t, &x, &start);
    let tangents = forward.as_mut().map(|forward| gradient(&mut **forward, &mut t, &x, &start).0);

    let mut found = Vec::new();
    for (i, v) in problem.upper().variables.iter().enumerate() {
        let forward = tangents.as_ref().map(|g| g[i].as_slice());
        let mut difference = |j: usize, h: f64| {
            x[i][j] += h;
            let value = objective(&mut *own, &mut t, &x, &start);
            x[i][j] -= h;
            value
        };
        let values = of_x[i].clone();
        let steps: Vec<f64> = at(problem, data, spread, seed).0[i].iter().map(|v| STEP * v.abs().max(1.0)).collect();
        found.push(compare(v.name.clone(), &values, forward, &steps, exact, &mut difference));
    }
    if choice.axes.start == StepsStart::Auxiliary {
        for (i, v) in problem.lower().variables.iter().enumerate() {
            let steps: Vec<f64> = start[i].iter().map(|v| STEP * v.abs().max(1.0)).collect();
            let mut difference = |j: usize, h: f64| {
                start[i][j] += h;
                let value = objective(&mut *own, &mut t, &x, &start);
                start[i][j] -= h;
                value
            };
            found.push(compare(format!("z of {}", v.name), &of_start[i], None, &steps, exact, &mut difference));
        }
    }
    Ok(found)
}

/// Chooses the sizes of the lower steps from a point, until they fit where the steps end.
fn size_lower_steps(
    step_sizes: &mut LowerStepSizes,
    own: &mut dyn Hypergradient<f64>,
    t: &mut Trajectory<f64>,
    (x, start): (&Arrays, &Arrays),
) {
    let upper = x.len();
    let mut sizes = step_sizes.at(PointKind::First, &mut |input, to| {
        to.copy_from_slice(if input < upper { &x[input] } else { &start[input - upper] });
    });
    for _ in 0..MOST_REFITS {
        t.set_sizes(sizes);
        objective(own, t, x, start);
        let mut end = |input: usize, to: &mut [f64]| {
            to.copy_from_slice(if input < upper { &x[input] } else { t.y(input - upper) });
        };
        if step_sizes.fit_end(&mut end) {
            break;
        }
        sizes = step_sizes.sizes();
    }
}

/// The point: arrays of the upper and of the lower variables.
fn at(problem: &Problem, data: &Bindings, spread: f64, seed: u64) -> (Arrays, Arrays) {
    let values = point(problem, data, spread, seed);
    let array = |formal: usize| match &values[formal] {
        Value::Real(tensor) => tensor.values.clone(),
        Value::Index(_) => unreachable!("variables hold numbers"),
    };
    let [upper, lower] =
        [problem.upper(), problem.lower()].map(|l| l.variables.iter().map(|v| array(v.formal)).collect());
    (upper, lower)
}

fn objective(from: &mut dyn Hypergradient<f64>, t: &mut Trajectory<f64>, x: &Arrays, start: &Arrays) -> f64 {
    for (variable, values) in x.iter().enumerate() {
        t.set_x(variable).copy_from_slice(values);
    }
    from.objective(t, start)
}
