//! The modulus of weak convexity of the proximal part at an upper point: the least rho for which `g + rho/2 normsq` is
//! convex in y. It varies with x through the weights.

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;

/// A compiled modulus.
pub(crate) struct TermModulus {
    program: Option<BoundProgram<f64>>,
    terms: usize,
    variables: Vec<usize>,
    /// Working memory.
    values: Vec<f64>,
    now: f64,
}

impl TermModulus {
    /// Compiles for a problem. Terms without a modulus count as convex: `Problem::terms_without_modulus` names them.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<TermModulus, Box<Diagnostic>> {
        let function = problem.regularizer_moduli();
        let terms = function.as_ref().map_or(0, |f| f.outputs().len());
        let program = function.map(|f| BoundProgram::<f64>::new(&f, problem, data, threads)).transpose()?;
        let variables = problem.upper_inputs();
        Ok(TermModulus { program, terms, variables, values: Vec::new(), now: 0.0 })
    }

    /// True where the modulus is zero at every point.
    pub(crate) fn is_zero(&self) -> bool {
        self.program.is_none()
    }

    /// Goes to an upper point.
    pub(crate) fn go_to(&mut self, read: &mut dyn FnMut(usize, &mut [f64])) {
        let Some(program) = &mut self.program else { return };
        for input in &self.variables {
            self.values.resize(program.input(*input).len(), 0.0);
            read(*input, &mut self.values);
            program.set(*input, &self.values);
        }
        program.run();
        self.now = (0..self.terms).map(|i| program.scalar(i).max(0.0)).sum();
    }

    /// The modulus there.
    pub(crate) fn value(&self) -> f64 {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};

    fn modulus(terms: &str, x: f64) -> (bool, f64) {
        let text = format!(
            "upper {{ var x in [0, 9]  minimize x^2 }}  lower {{ var y[2]  var z[2]  minimize normsq(y) + normsq(z)
             regularize {terms} }}"
        );
        let p = problem(&text);
        let mut modulus = TermModulus::new(&p, &data(&p), 1).expect("little memory");
        modulus.go_to(&mut |_, values| values.fill(x));
        (modulus.is_zero(), modulus.value())
    }

    #[test]
    fn moduli_follow_the_weights() {
        assert_eq!(modulus("x*norm1(y)", 3.0), (true, 0.0));
        assert_eq!(modulus("x*mcp(y, 2)", 3.0), (false, 1.5));
        assert_eq!(modulus("x*scad(y, 3, 1/2)", 3.0), (false, 1.5));
        assert_eq!(modulus("sum(i*x*mcp(y[i], 2) for i in 1..2)", 3.0), (false, 3.0));
        assert_eq!(modulus("x*mcp(y, 2) + scad(z, 5/2)", 4.0), (false, 2.0 + 1.0 / 1.5));
    }
}
