//! A compiled function with its buffers: what the driver sets, runs and reads. Numbers cross this border as f64, the
//! working precision stays inside; advancing a state swaps buffers and converts nothing.

use blo_engine::graph::Function;
use blo_engine::model::problem::Problem;
use blo_engine::model::{Bindings, Bound};
use blo_engine::program::{Program, Role, Scalar, Workspace, compile};
use blo_grammar::diagnostic::Diagnostic;

use crate::message;

/// A program in its workspace.
pub(crate) struct Machine<T: Scalar> {
    program: Program<T>,
    workspace: Workspace<T>,
}

impl<T: Scalar> Machine<T> {
    /// Compiles a function whose first inputs are the formals of the problem, puts the data in place and computes what
    /// depends on data alone.
    pub(crate) fn new(
        function: &Function,
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<Machine<T>, Box<Diagnostic>> {
        Machine::at(function, problem, data, threads, &[])
    }

    /// The same with some inputs fixed to values: what depends on them and on data alone is computed here, once.
    pub(crate) fn at(
        function: &Function,
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        fixed: &[(usize, &[T])],
    ) -> Result<Machine<T>, Box<Diagnostic>> {
        let mut roles = roles(function, problem);
        for (input, _) in fixed {
            roles[*input] = Role::Invariant;
        }
        let program = compile::<T>(function, &data.sizes, &roles)
            .map_err(|why| Box::new(message::cannot_compile(&why.to_string())))?
            .with_threads(threads as usize);
        let workspace = program.workspace().map_err(|why| Box::new(message::cannot_compile(&why.to_string())))?;
        let mut machine = Machine { program, workspace };
        let first = problem.variables().count();
        for (i, values) in data.values.iter().enumerate().take(function.inputs.len().saturating_sub(first)) {
            machine.bind(first + i, values)?;
        }
        for (input, values) in fixed {
            machine.set(*input, values);
        }
        machine.program.prologue(&mut machine.workspace);
        Ok(machine)
    }

    fn bind(&mut self, input: usize, values: &Bound) -> Result<(), Box<Diagnostic>> {
        match values {
            Bound::Real(array) => {
                let input = self.program.input_mut(&mut self.workspace, input);
                for (slot, value) in input.iter_mut().zip(&array.values) {
                    *slot = T::from_f64(*value);
                }
                Ok(())
            }
            Bound::Index(positions) => {
                let set = self.program.set_index(&mut self.workspace, input, positions);
                set.map_err(|why| Box::new(message::cannot_compile(&why.to_string())))
            }
        }
    }

    /// Sets a scalar input.
    pub(crate) fn set_scalar(&mut self, input: usize, value: f64) {
        self.program.input_mut(&mut self.workspace, input)[0] = T::from_f64(value);
    }

    /// Sets an input that is not data.
    pub(crate) fn set(&mut self, input: usize, values: &[T]) {
        self.program.set_input(&mut self.workspace, input, values);
    }

    /// An input's values.
    pub(crate) fn input(&self, input: usize) -> &[T] {
        self.program.input(&self.workspace, input)
    }

    /// An input's values, to be written.
    pub(crate) fn input_mut(&mut self, input: usize) -> &mut [T] {
        self.program.input_mut(&mut self.workspace, input)
    }

    /// The sizes of an input.
    pub(crate) fn input_shape(&self, input: usize) -> &[usize] {
        self.program.input_shape(input)
    }

    /// Computes the outputs.
    pub(crate) fn run(&mut self) {
        self.program.run(&mut self.workspace);
    }

    /// An output's values after a run.
    pub(crate) fn output(&self, output: usize) -> &[T] {
        self.program.output(&self.workspace, output)
    }

    /// A scalar output after a run.
    pub(crate) fn scalar(&self, output: usize) -> f64 {
        self.output(output)[0].to_f64()
    }

    /// Makes an output the input of the next run, without a copy.
    pub(crate) fn advance(&mut self, output: usize, input: usize) {
        self.program.advance(&mut self.workspace, output, input);
    }
}

/// Data do not change within a run; everything else does.
pub(crate) fn roles(function: &Function, problem: &Problem) -> Vec<Role> {
    let data = problem.variables().count()..problem.formals.len();
    (0..function.inputs.len()).map(|i| if data.contains(&i) { Role::Invariant } else { Role::Varying }).collect()
}
