//! Forward mode through the lower-level steps: Franceschi, Donini, Frasconi, Pontil, ICML 2017. Tangents
//! `Z = dy/dx` go along: `Z+ = (dPhi_k/dy) Z + dPhi_k/dx`, `G = F_x + Z' F_y`. Needs no states, but a product per step
//! and entry of x: for few upper variables.

use blo_engine::diff::jvp;
use blo_engine::graph::Function;
use blo_engine::model::problem::Problem;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::outline::Outline;
use super::{Derivatives, Ends, Estimator, Hypergradient, Setup};
use crate::formula::bound_program::BoundProgram;
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::dynamics::LowerStep;
use crate::lower::trajectory::Trajectory;
use crate::message;

/// Tangents take at most so many bytes.
const MOST: usize = 1 << 31;

pub(super) fn entry<T: Scalar>() -> Estimator<T> {
    Estimator {
        name: "forward",
        explicit: true,
        of_start: false,
        nonsmooth: true,
        only_steps: None,
        exact: true,
        second_derivatives: Derivatives::Products,
        read: |_| Box::new(|setup| Ok(Box::new(Forward::<T>::new(setup)?))),
        programs: |problem, lower| vec![super::ends(problem).0, push(problem, lower)],
        outline: |problem, lower, _| {
            Some(Outline::Forward { ends: super::ends(problem).0, push: push(problem, lower) })
        },
    }
}

struct Forward<T: Scalar> {
    ends: Ends<T>,
    push: BoundProgram<T>,
    /// Positions among the inputs: the lower step's state and scalars, tangents of the upper variables and of the state.
    state: Vec<usize>,
    scalars: Vec<usize>,
    tangents_x: Vec<usize>,
    tangents: Vec<usize>,
    /// The tangent of the state for every entry of x.
    z: Vec<Vec<T>>,
    products: u64,
}

impl<T: Scalar> Forward<T> {
    fn new(setup: &Setup<'_>) -> Result<Forward<T>, Box<Diagnostic>> {
        let Setup { problem, data, threads, lower } = *setup;
        let upper: Vec<usize> = problem.upper().variables.iter().map(|v| v.formal).collect();
        let first = lower.function.inputs.len();
        let tangents_x: Vec<usize> = (first..first + upper.len()).collect();
        let tangents: Vec<usize> = (first + upper.len()..first + upper.len() + lower.state.len()).collect();
        let push = BoundProgram::<T>::repeated(&push(problem, lower), problem, data, threads, &[], &upper)?;
        let size: usize = tangents.iter().map(|i| push.input(*i).len()).sum();
        let entries: usize = upper.iter().map(|i| push.input(*i).len()).sum();
        let fits = entries.checked_mul(size * size_of::<T>()).is_some_and(|bytes| bytes <= MOST);
        if !fits {
            return Err(Box::new(message::too_many_tangents(entries, size)));
        }
        Ok(Forward {
            ends: Ends::new(setup)?,
            push,
            state: lower.state.clone(),
            scalars: lower.scalars.clone(),
            tangents_x,
            tangents,
            z: vec![vec![T::default(); size]; entries],
            products: 0,
        })
    }
}

impl<T: Scalar> Hypergradient<T> for Forward<T> {
    fn ends(&mut self) -> &mut Ends<T> {
        &mut self.ends
    }

    fn gradient(&mut self, t: &mut Trajectory<T>, x: &mut [Vec<T>], start: &mut [Vec<T>]) {
        let Forward { ends, push, state, scalars, tangents_x, tangents, z, products } = self;
        for (variable, input) in ends.upper.iter().enumerate() {
            push.set(*input, t.x(variable));
        }
        push.refresh();
        z.iter_mut().for_each(|z| z.fill(T::default()));
        t.replay(&mut |_, t| {
            for (part, input) in state.iter().enumerate() {
                push.set(*input, t.part(part));
            }
            for (input, value) in scalars.iter().zip(t.scalars()) {
                push.set_scalar(*input, *value);
            }
            let mut columns = z.iter_mut();
            for input in tangents_x.iter() {
                push.input_mut(*input).fill(T::default());
                for entry in 0..push.input(*input).len() {
                    let column = columns.next().expect("one per entry of x");
                    push.input_mut(*input)[entry] = T::from_f64(1.0);
                    let mut rest = column.as_mut_slice();
                    for input in tangents.iter() {
                        let (part, after) = rest.split_at_mut(push.input(*input).len());
                        push.set(*input, part);
                        rest = after;
                    }
                    push.run();
                    let mut rest = column.as_mut_slice();
                    for output in 0..tangents.len() {
                        let values = push.output(output);
                        let (part, after) = rest.split_at_mut(values.len());
                        part.copy_from_slice(values);
                        rest = after;
                    }
                    push.input_mut(*input)[entry] = T::default();
                    *products += 1;
                }
            }
        });
        let mut columns = z.iter();
        for (variable, to) in x.iter_mut().enumerate() {
            for (to, direct) in to.iter_mut().zip(ends.upper(variable)) {
                let mut column = columns.next().expect("one per entry of x").iter();
                let mut sum = direct.to_f64();
                for lower in 0..start.len() {
                    let pairs = ends.lower(lower).iter().zip(&mut column);
                    sum += pairs.map(|(a, b)| a.to_f64() * b.to_f64()).sum::<f64>();
                }
                *to = T::from_f64(sum);
            }
        }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.ends.select(rows)?;
        self.push.select(rows)
    }

    fn counts(&self) -> Counts {
        self.ends.counts().plus(Counts { grad_lower: 1, hvp: 1, ..Counts::default() }.times(self.products))
    }
}

/// The tangent of a step: inputs of the step, tangents of the upper variables and of the state.
fn push(problem: &Problem, lower: &LowerStep) -> Function {
    let upper = problem.upper().variables.iter().map(|v| v.formal);
    let wrt: Vec<usize> = upper.chain(lower.state.iter().copied()).collect();
    jvp(&lower.function, &wrt)
}
