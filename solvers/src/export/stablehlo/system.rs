//! The linear system at the end of the lower steps, solved by conjugate gradients or a Neumann series, and the hypergradient
//! from its solution.

use std::collections::HashMap;

use super::block::{Block, Element, Value};
use super::body::Called;
use super::hypergradient::{Inside, Swept};
use super::program::Writer;
use super::sweeps::by_input;
use crate::export::kept::Refused;
use crate::hypergradient::outline::{SystemOutline, SystemSolver};

/// The products of the system: functions with what they read beside w.
struct Products {
    lower: Called,
    prox: Option<Called>,
    /// The inputs of w.
    adjoint: Vec<usize>,
    shapes: Vec<Vec<usize>>,
    /// Other inputs, with their values outside of the loop.
    inputs: Vec<usize>,
    values: Vec<Value>,
}

impl Products {
    fn call(&self, block: &mut Block, called: &Called, given: &[Value], w: &Value) -> Value {
        let parts = block.parts(w, &self.shapes);
        let mut found = by_input(&self.inputs, given);
        found.extend(by_input(&self.adjoint, &parts));
        let results = called.call(block, &|input| found[&input].clone());
        block.flat(&results)
    }

    /// `T_y' w`
    fn through_step(&self, block: &mut Block, given: &[Value], w: &Value) -> Value {
        self.call(block, &self.lower, given, w)
    }

    /// `P w`
    fn through_prox(&self, block: &mut Block, given: &[Value], w: &Value) -> Value {
        match &self.prox {
            Some(prox) => self.call(block, prox, given, w),
            None => w.clone(),
        }
    }

    /// `P (w - T_y' w)`
    fn product(&self, block: &mut Block, given: &[Value], w: &Value) -> Value {
        let through = self.through_step(block, given, w);
        let rest = block.binary("subtract", w, &through);
        self.through_prox(block, given, &rest)
    }
}

impl Writer<'_> {
    /// The system at the end of the steps.
    ///
    /// # Errors
    /// When an operation is refused.
    pub(super) fn system(&mut self, of: &SystemOutline, inside: &mut Inside<'_>) -> Result<Swept, Refused> {
        let lower = self.part("T_y product", "The transposed derivative of a lower step in y, times w.", &of.lower)?;
        let upper = self.part("T_x product", "The transposed derivative of a lower step in x, times w.", &of.upper)?;
        let prox = match &of.prox {
            Some(prox) => Some(self.part("prox product", "The Jacobian of the prox, times w.", prox)?),
            None => None,
        };
        let end = self.end_of_steps(inside);
        let (of_x, of_y) = self.gradients_at(&of.ends, inside, &end)?;
        let s = self.last_step_size(inside);
        let shapes = of_y.iter().map(|v| v.shape().to_vec()).collect();
        let mut products =
            Products { lower, prox, adjoint: of.adjoint.clone(), shapes, inputs: Vec::new(), values: Vec::new() };
        let called = [Some(products.lower.clone()), products.prox.clone()];
        for input in called.iter().flatten().flat_map(|c| c.inputs.iter().copied()) {
            if products.inputs.contains(&input) || products.adjoint.contains(&input) {
                continue;
            }
            let value = match inside.y.iter().position(|y| *y == input) {
                Some(place) => end[place].clone(),
                None if input == of.step => s.clone(),
                None => self.input(&mut inside.scope, input),
            };
            products.inputs.push(input);
            products.values.push(value);
        }
        let block = &mut inside.scope.block;
        let right = block.flat(&of_y);
        let w = match of.solver {
            SystemSolver::Conjugate { .. } => conjugate(block, &products, &right, of.solver),
            SystemSolver::Neumann { terms, small } => neumann(block, &products, &right, terms, small),
        };
        let parts = block.parts(&w, &products.shapes);
        let mut more: HashMap<usize, Value> = by_input(&products.adjoint, &parts);
        more.insert(of.step, s);
        let shares = self.call_at(inside, &upper, &end, &more);
        let block = &mut inside.scope.block;
        let gradient = of_x.iter().zip(&shares).map(|(a, b)| block.binary("add", a, b)).collect();
        Ok(Swept { end, gradient, of_start: Vec::new() })
    }

    /// The size of the last lower step.
    fn last_step_size(&self, inside: &mut Inside<'_>) -> Value {
        let composition = inside.composition;
        let input = composition.lower.scalars[composition.lower.lower_step];
        let block = &mut inside.scope.block;
        let j = block.whole(composition.steps.saturating_sub(1) as i64);
        let values = inside.outer.values.clone();
        inside.outer.at(block, &values, &j)[&input].clone()
    }
}

/// w with `product(w) = P right`; ends early at a direction without curvature.
fn conjugate(block: &mut Block, products: &Products, right: &Value, solver: SystemSolver) -> Value {
    let SystemSolver::Conjugate { rtol, atol, most, no_curvature, roundings } = solver else {
        unreachable!("it is called for conjugate gradients")
    };
    let right = products.through_prox(block, &products.values, right);
    let epsilon = if block.width.real == Element::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
    let norm_squared = block.inner(&right, &right);
    let norm = block.unary("sqrt", &norm_squared);
    let wanted = block.with_number("multiply", &norm, rtol.max(roundings * epsilon));
    let enough = block.with_number("maximum", &wanted, atol);
    let w = block.real(0.0, right.shape());
    let zero = block.real(0.0, &[]);
    let none = block.whole(0);
    let is_flat = block.compare("NE", &none, &none);
    // count, w, residual, direction, its squared norm, the largest curvature, whether there is none
    let carried = [none, w, right.clone(), right, norm_squared, zero, is_flat];
    let fixed = [std::slice::from_ref(&enough), products.values.as_slice()].concat();
    let width = carried.len();
    let results = block.repeat(
        (&carried, &fixed),
        |block, v| {
            let most = block.whole(i64::try_from(most).unwrap_or(i64::MAX));
            let more = block.compare("LT", &v[0], &most);
            let size = block.unary("sqrt", &v[4]);
            let large = block.compare("GT", &size, &v[width]);
            let finite = block.finite(&v[4]);
            let curved = block.unary("not", &v[6]);
            let first = block.both(&more, &large);
            let second = block.both(&finite, &curved);
            block.both(&first, &second)
        },
        |block, v| {
            let [w, r, p, rr, steepest] = [1, 2, 3, 4, 5].map(|i| v[i].clone());
            let image = products.product(block, &v[width + 1..], &p);
            let curved = block.inner(&p, &image);
            let length = block.inner(&p, &p);
            let curvature = block.binary("divide", &curved, &length);
            let size = block.unary("abs", &curvature);
            let steepest = block.binary("maximum", &steepest, &size);
            let least = block.with_number("multiply", &steepest, no_curvature);
            let is_flat = block.compare("LE", &curvature, &least);
            let one = block.real(1.0, &[]);
            let safe = block.select(&is_flat, &one, &curved);
            let ratio = block.binary("divide", &rr, &safe);
            let zero = block.real(0.0, &[]);
            let step = block.select(&is_flat, &zero, &ratio);
            let w = moved(block, &w, "add", &step, &p);
            let r = moved(block, &r, "subtract", &step, &image);
            let after = block.inner(&r, &r);
            let turn = block.binary("divide", &after, &rr);
            let p = moved(block, &r, "add", &turn, &p);
            let one = block.whole(1);
            let count = block.binary("add", &v[0], &one);
            vec![count, w, r, p, after, steepest, is_flat]
        },
    );
    results[1].clone()
}

/// `a + length b`, or `a - length b`.
fn moved(block: &mut Block, a: &Value, how: &str, length: &Value, b: &Value) -> Value {
    let lengths = block.filled(length, b.shape());
    let move_ = block.binary("multiply", &lengths, b);
    block.binary(how, a, &move_)
}

/// The sum of right, `T_y' right`, `T_y' T_y' right`, ...
fn neumann(block: &mut Block, products: &Products, right: &Value, terms: u64, small: f64) -> Value {
    let none = block.whole(0);
    let carried = [none, right.clone(), right.clone()];
    let width = carried.len();
    let results = block.repeat(
        (&carried, &products.values),
        |block, v| {
            let most = block.whole(i64::try_from(terms).unwrap_or(i64::MAX));
            let more = block.compare("LT", &v[0], &most);
            let zero = block.whole(0);
            let first = block.compare("EQ", &v[0], &zero);
            let term = block.inner(&v[2], &v[2]);
            let total = block.inner(&v[1], &v[1]);
            let least = block.with_number("multiply", &total, small * small);
            let large = block.compare("GT", &term, &least);
            let worth = block.binary("or", &first, &large);
            block.both(&more, &worth)
        },
        |block, v| {
            let term = products.through_step(block, &v[width..], &v[2]);
            let total = block.binary("add", &v[1], &term);
            let one = block.whole(1);
            let count = block.binary("add", &v[0], &one);
            vec![count, total, term]
        },
    );
    results[1].clone()
}
