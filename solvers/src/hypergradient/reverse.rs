//! Reverse mode through the lower-level steps: Franceschi, Donini, Frasconi, Pontil, ICML 2017.
//! `a = F_y(x, y_K)`, `G = F_x`; for k = K-1, ..., 0: `G += (dPhi_k/dx)' a`, `a = (dPhi_k/dy)' a`, where Phi_k is the step
//! from y_k; a ends as the derivative in the start of the steps. Only states are stored, the inside of a step is computed
//! again in its vector-Jacobian product.
//!
//! Truncated (Shaban, Cheng, Hatch, Boots, AISTATS 2019): only the last h steps. Pessimistic (Liu, Liu, Zeng, Zhang,
//! NeurIPS 2021, Algorithm 1): from the step `argmax_{1<=k<=K} F(x, y_k)`, whose F is the objective.

use blo_engine::diff::vjp;
use blo_engine::graph::{Elem, Formal, Function};
use blo_engine::model::problem::Problem;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::outline::{Outline, ReverseOutline};
use super::{Derivatives, Ends, Estimator, Hypergradient, MakeEstimator, Setup};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::dynamics::LowerStep;
use crate::lower::trajectory::Trajectory;
use crate::options::settings::Settings;

pub(super) fn reverse<T: Scalar>() -> Estimator<T> {
    Estimator {
        name: "reverse",
        explicit: true,
        of_start: true,
        nonsmooth: true,
        only_steps: None,
        exact: true,
        second_derivatives: Derivatives::Products,
        read: |_| Box::new(|setup| Ok(Box::new(Reverse::<T>::new(setup, None, false)?))),
        programs,
        outline: |problem, lower, _| Some(outline(problem, lower, None, false)),
    }
}

pub(super) fn truncated<T: Scalar>() -> Estimator<T> {
    let read = |settings: &Settings| -> MakeEstimator<T> {
        let back = settings.integer("h");
        Box::new(move |setup| Ok(Box::new(Reverse::<T>::new(setup, Some(back), false)?)))
    };
    Estimator {
        name: "truncated",
        of_start: false,
        exact: false,
        read,
        outline: |problem, lower, settings| Some(outline(problem, lower, Some(settings.integer("h")), false)),
        ..reverse()
    }
}

pub(super) fn pessimistic<T: Scalar>() -> Estimator<T> {
    let read =
        |_: &Settings| -> MakeEstimator<T> { Box::new(|setup| Ok(Box::new(Reverse::<T>::new(setup, None, true)?))) };
    let outline: fn(&Problem, &LowerStep, &Settings) -> Option<Outline> =
        |problem, lower, _| Some(outline(problem, lower, None, true));
    Estimator { name: "pessimistic", read, outline, ..reverse() }
}

struct Reverse<T: Scalar> {
    ends: Ends<T>,
    sweep: BoundProgram<T>,
    places: SweepInputs,
    /// Steps that the sweep goes back at most.
    back: Option<u64>,
    /// F after every step, where the largest is looked for.
    pessimist: Option<Pessimist<T>>,
    products: u64,
}

/// Finds the largest F of a trajectory.
struct Pessimist<T: Scalar> {
    value: BoundProgram<T>,
    /// The lower point of the largest F, and the number of steps to it.
    y: Vec<Vec<T>>,
    at: u64,
}

/// Positions among the inputs of the sweep.
#[derive(Clone, Debug)]
struct SweepInputs {
    upper: Vec<usize>,
    state: Vec<usize>,
    scalars: Vec<usize>,
    /// Adjoints of the state, then the accumulated gradients: they become the outputs.
    carried: Vec<usize>,
}

impl<T: Scalar> Reverse<T> {
    fn new(setup: &Setup<'_>, back: Option<u64>, pessimistic: bool) -> Result<Reverse<T>, Box<Diagnostic>> {
        let Setup { problem, data, threads, lower } = *setup;
        let (function, places) = sweep(problem, lower);
        let sweep = BoundProgram::repeated(&function, problem, data, threads, &places.carried, &places.upper)?;
        let pessimist = pessimistic.then(|| {
            let mut p = ProblemGraph::new(problem);
            let (x, y) = (p.x(), p.y());
            let value = p.value(Part::Upper, &x, &y);
            let value = BoundProgram::new(&p.function("upper objective", &[value]), problem, data, threads)?;
            let y = problem.lower().variables.iter().map(|v| value.input(v.formal).to_vec()).collect();
            Ok::<_, Box<Diagnostic>>(Pessimist { value, y, at: 0 })
        });
        Ok(Reverse { ends: Ends::new(setup)?, sweep, places, back, pessimist: pessimist.transpose()?, products: 0 })
    }
}

impl<T: Scalar> Pessimist<T> {
    fn objective(&mut self, t: &mut Trajectory<T>, start: &[Vec<T>], ends: &Ends<T>) -> f64 {
        for (variable, input) in ends.upper.iter().enumerate() {
            self.value.set(*input, t.x(variable));
        }
        let mut largest = f64::NEG_INFINITY;
        self.at = t.steps();
        t.go(start, &mut |k, t| {
            for (variable, input) in ends.lower.iter().enumerate() {
                self.value.set(*input, t.y(variable));
            }
            self.value.run();
            let value = self.value.scalar(0);
            // NaN wins: it shows that the trajectory diverged.
            if largest < value || value.is_nan() {
                (largest, self.at) = (value, k);
                self.y.iter_mut().enumerate().for_each(|(variable, to)| to.copy_from_slice(t.y(variable)));
            }
        });
        largest
    }
}

impl<T: Scalar> Hypergradient<T> for Reverse<T> {
    fn ends(&mut self) -> &mut Ends<T> {
        &mut self.ends
    }

    fn objective(&mut self, t: &mut Trajectory<T>, start: &[Vec<T>]) -> f64 {
        match &mut self.pessimist {
            None => {
                t.go(start, &mut |_, _| {});
                self.ends.at_end(t)
            }
            Some(pessimist) => {
                pessimist.objective(t, start, &self.ends);
                self.ends.at(t, &pessimist.y)
            }
        }
    }

    fn gradient(&mut self, t: &mut Trajectory<T>, x: &mut [Vec<T>], start: &mut [Vec<T>]) {
        let Reverse { ends, sweep, places, products, .. } = self;
        for (variable, input) in places.upper.iter().enumerate() {
            sweep.set(*input, t.x(variable));
        }
        sweep.refresh();
        let (adjoints, gradients) = places.carried.split_at(places.state.len());
        for (part, input) in adjoints.iter().enumerate() {
            if part < start.len() {
                sweep.set(*input, ends.lower(part));
            } else {
                sweep.input_mut(*input).fill(T::default());
            }
        }
        for (variable, input) in gradients.iter().enumerate() {
            sweep.set(*input, ends.upper(variable));
        }
        let from = self.pessimist.as_ref().map_or(t.steps(), |p| p.at);
        let to = self.back.map_or(0, |h| from.saturating_sub(h));
        t.back(from, to, &mut |_, state, numbers| {
            let mut rest = state;
            for input in &places.state {
                let (part, after) = rest.split_at(sweep.input(*input).len());
                sweep.set(*input, part);
                rest = after;
            }
            for (input, value) in places.scalars.iter().zip(numbers) {
                sweep.set_scalar(*input, *value);
            }
            sweep.run();
            sweep.accept();
            *products += 1;
        });
        for (to, input) in x.iter_mut().zip(gradients) {
            to.copy_from_slice(sweep.input(*input));
        }
        // The memory of the dynamics starts where y does.
        let variables = start.len();
        for (part, input) in adjoints.iter().enumerate() {
            let to = &mut start[part % variables];
            if part < variables {
                to.copy_from_slice(sweep.input(*input));
            } else {
                to.iter_mut().zip(sweep.input(*input)).for_each(|(to, v)| *to += *v);
            }
        }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.ends.select(rows)?;
        self.sweep.select(rows)?;
        self.pessimist.as_mut().map_or(Ok(()), |p| p.value.select(rows))
    }

    fn counts(&self) -> Counts {
        // A vector-Jacobian product computes the step's gradient again and multiplies with its second derivatives.
        self.ends.counts().plus(Counts { grad_lower: 1, hvp: 1, ..Counts::default() }.times(self.products))
    }
}

fn programs(problem: &Problem, lower: &LowerStep) -> Vec<Function> {
    vec![super::ends(problem).0, sweep(problem, lower).0]
}

fn outline(problem: &Problem, lower: &LowerStep, back: Option<u64>, pessimistic: bool) -> Outline {
    let (sweep, places) = sweep(problem, lower);
    Outline::Reverse(ReverseOutline { ends: super::ends(problem).0, sweep, carried: places.carried, back, pessimistic })
}

/// One step of the sweep: inputs are those of the lower step, an adjoint per part of its state, and a gradient per upper
/// variable; outputs the adjoints before the step and the gradients with the step's share.
fn sweep(problem: &Problem, lower: &LowerStep) -> (Function, SweepInputs) {
    let upper: Vec<usize> = problem.upper().variables.iter().map(|v| v.formal).collect();
    let wrt: Vec<usize> = lower.state.iter().chain(&upper).copied().collect();
    let product = vjp(&lower.function, &wrt);
    let mut graph = product.graph().clone();
    let mut inputs = product.inputs.clone();
    let parts = lower.state.len();
    let mut outputs = product.outputs()[..parts].to_vec();
    let adjoints = lower.function.inputs.len()..inputs.len();
    // Inputs come first in a function's arena; `Function::new` puts the new ones there.
    let first = inputs.len();
    let mut sums = Vec::new();
    for (i, v) in problem.upper().variables.iter().enumerate() {
        let formal = Formal { name: format!("G.{}", v.name), shape: v.shape.clone(), elem: Elem::Real };
        let input = graph.input(first + i, v.shape.clone(), Elem::Real);
        inputs.push(formal);
        sums.push(graph.add(input, product.outputs()[parts + i]));
    }
    outputs.extend(sums);
    let carried = adjoints.chain(first..inputs.len()).collect();
    let places = SweepInputs { upper, state: lower.state.clone(), scalars: lower.scalars.clone(), carried };
    (Function::new("reverse step", &graph, inputs, &outputs), places)
}
