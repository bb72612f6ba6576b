//! A compiled function with its buffers: what the driver sets, runs and reads. Numbers cross this border as f64, the
//! working precision stays inside; advancing a state swaps buffers and converts nothing.

use blo_engine::graph::{Function, NodeId};
use blo_engine::limits::MEMORY;
use blo_engine::model::problem::Problem;
use blo_engine::model::{Bindings, Bound};
use blo_engine::profile::{Profiler, Record, lock};
use blo_engine::program::{Program, Role, Scalar, Section, Workspace, compile};
use blo_engine::shape::Sizes;
use blo_engine::stop::StopToken;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::iteration::{Clock, Context, Iteration, Repeat, Rows, Stage};
use crate::message;

/// Where the largest array of a function comes from, and what it is: the place to blame where memory is short.
pub(crate) fn largest_array(function: &Function, sizes: &Sizes) -> (Span, String) {
    let g = function.graph();
    let entries = |id: NodeId| {
        let known = g.shape(id).0.iter().filter_map(|d| d.value(sizes).ok());
        known.map(|v| *v.numer() as f64 / *v.denom() as f64).product::<f64>()
    };
    let placed = g.ids().filter(|id| g.span_of(*id) != Span::default());
    match placed.max_by(|a, b| entries(*a).total_cmp(&entries(*b))) {
        Some(id) => (g.span_of(id), format!("the largest array is {}", g.shape(id))),
        None => (Span::default(), "its arrays".to_owned()),
    }
}

/// A program in its workspace.
pub(crate) struct BoundProgram<T: Scalar> {
    program: Program<T>,
    workspace: Workspace<T>,
    inputs: usize,
    stop: StopToken,
    times: Option<Times>,
}

/// Where the times of a profiled program go.
struct Times {
    profiler: Profiler,
    record: Record,
}

impl<T: Scalar> BoundProgram<T> {
    /// Compiles a function whose first inputs are the formals of the problem, puts the data in place and computes what
    /// depends on data alone.
    pub(crate) fn new(
        function: &Function,
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<BoundProgram<T>, Box<Diagnostic>> {
        BoundProgram::compiled(function, &roles(function, problem), problem, data, threads)
    }

    /// The same for a function that has to be computed also where the work is to stop: without it there is no result.
    pub(crate) fn in_any_case(
        function: &Function,
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<BoundProgram<T>, Box<Diagnostic>> {
        let data = Bindings { stop: StopToken::default(), ..data.clone() };
        BoundProgram::new(function, problem, &data, threads)
    }

    /// A stage of an iteration, which may keep for its next run what is common to both.
    pub(crate) fn of_stage(
        iteration: &Iteration,
        stage: &Stage,
        context: &Context<'_>,
    ) -> Result<BoundProgram<T>, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let function = stage.function().expect("only graphs are compiled");
        let roles = stage_roles(iteration, stage, problem);
        BoundProgram::compiled(function, &roles, problem, data, options.threads)
    }

    /// A function that is run over and over: outputs `i` of `state` become its input `state[i]`, the inputs `kept` change
    /// seldom, and [`BoundProgram::refresh`] says when.
    pub(crate) fn repeated(
        function: &Function,
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        state: &[usize],
        kept: &[usize],
    ) -> Result<BoundProgram<T>, Box<Diagnostic>> {
        let mut roles = roles(function, problem);
        for (output, input) in state.iter().enumerate() {
            roles[*input] = Role::State(output);
        }
        for input in kept {
            roles[*input] = Role::Invariant;
        }
        BoundProgram::compiled(function, &roles, problem, data, threads)
    }

    /// After an input that changes seldom was set: computes again what depends on such inputs alone.
    pub(crate) fn refresh(&mut self) {
        match &self.times {
            None => self.program.prologue(&mut self.workspace),
            Some(Times { profiler, record }) => {
                self.program.timed_prologue(&mut self.workspace, &mut lock(record), profiler.clock());
            }
        }
    }

    fn compiled(
        function: &Function,
        roles: &[Role],
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<BoundProgram<T>, Box<Diagnostic>> {
        let fails = |why: &dyn std::fmt::Display| {
            let (span, largest) = largest_array(function, &data.sizes);
            Box::new(message::cannot_compile(&why.to_string(), (span, &largest)))
        };
        if data.stop.is_too_early() {
            return Err(Box::new(message::stopped_too_early()));
        }
        let program = compile::<T>(function, &data.sizes, roles).map_err(|why| fails(&why))?;
        let program = program.with_threads(threads as usize);
        let (needed, most) = (program.memory_bytes(), problem.limits.of(&MEMORY));
        if needed > u128::from(most) {
            let (span, largest) = largest_array(function, &data.sizes);
            let what = format!("a step of `{}`", function.name);
            return Err(Box::new(message::too_much_memory(span, &what, (needed as f64, most), &largest)));
        }
        let workspace = program.workspace_in(&data.arena).map_err(|why| fails(&why))?;
        let times = data.profiler.clone().map(|profiler| {
            let record = profiler.register(program.plan().untimed());
            Times { profiler, record }
        });
        let mut machine =
            BoundProgram { program, workspace, inputs: function.inputs.len(), stop: data.stop.clone(), times };
        machine.program.watch(&mut machine.workspace, &data.stop);
        let first = problem.variables().count();
        for (i, values) in data.values.iter().enumerate().take(function.inputs.len().saturating_sub(first)) {
            machine.bind(first + i, values, roles[first + i])?;
        }
        machine.refresh();
        Ok(machine)
    }

    fn bind(&mut self, input: usize, values: &Bound, role: Role) -> Result<(), Box<Diagnostic>> {
        match values {
            // What the function does not read is not converted for it.
            Bound::Real(_) if role == Role::Unread => Ok(()),
            Bound::Real(numbers) if role == Role::Lent => {
                self.program.lend(&mut self.workspace, input, &numbers.lend());
                Ok(())
            }
            Bound::Real(numbers) => {
                let input = self.program.input_mut(&mut self.workspace, input);
                input.iter_mut().zip(numbers.values()).for_each(|(slot, value)| *slot = T::from_f64(value));
                Ok(())
            }
            Bound::Index(positions) => {
                let set = self.program.set_index(&mut self.workspace, input, positions);
                set.map_err(|why| Box::new(message::cannot_select(&why.to_string())))
            }
        }
    }

    /// Replaces index inputs, and computes again what depends on data alone.
    ///
    /// # Errors
    /// When a position is outside of what the program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        for (input, positions) in rows.iter().filter(|(input, _)| *input < self.inputs) {
            let set = self.program.set_index(&mut self.workspace, *input, positions);
            set.map_err(|why| Box::new(message::cannot_select(&why.to_string())))?;
        }
        self.refresh();
        Ok(())
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

    /// True where the function has so many inputs.
    pub(crate) fn has_input(&self, input: usize) -> bool {
        input < self.inputs
    }

    /// Floating-point operations of a run, at least one.
    pub(crate) fn flops(&self) -> u128 {
        self.program.plan().flops(Section::Body).max(1)
    }

    /// Computes the outputs, unless the work is to stop: whoever uses them asks [`BoundProgram::is_stopped`] first.
    pub(crate) fn run(&mut self) {
        if self.stop.is_set() {
            return;
        }
        match &self.times {
            None => self.program.run(&mut self.workspace),
            Some(Times { profiler, record }) => {
                self.program.timed_run(&mut self.workspace, &mut lock(record), profiler.clock());
            }
        }
    }

    /// True where the work is to stop: the outputs are void then.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_set()
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

    /// Accepts the step that was run: its outputs become the state, without a copy. A step that is not accepted leaves
    /// the state as it was.
    pub(crate) fn accept(&mut self) {
        self.program.accept(&mut self.workspace);
    }
}

/// Data do not change within a run; everything else does, also the followers of other tasks.
pub(crate) fn roles(function: &Function, problem: &Problem) -> Vec<Role> {
    let data = problem.variables().count()..problem.formals.len();
    let solved = |i: usize| problem.is_solved_for(i) || problem.variables().any(|v| v.formal == i);
    let role = |i: usize| match data.contains(&i) && !solved(i) {
        true if function.depends_on(i) => Role::Lent,
        true => Role::Unread,
        false => Role::Varying,
    };
    (0..function.inputs.len()).map(role).collect()
}

/// Of a stage, whose outputs become parts of the state, one after the other. While a stage is repeated, what other stages
/// hold and the numbers of the iteration stay as they are.
pub(crate) fn stage_roles(iteration: &Iteration, stage: &Stage, problem: &Problem) -> Vec<Role> {
    let Some(function) = stage.function() else { return Vec::new() };
    let mut roles = roles(function, problem);
    if stage.repeat != Repeat::Once {
        let held = iteration.state.iter().map(|s| s.input);
        let numbers = iteration.scalars.iter().filter(|s| s.clock == Clock::Iteration).map(|s| s.input);
        let kept = held.chain(numbers).chain(iteration.parameters.iter().map(|p| p.input));
        for input in kept.filter(|input| *input < function.inputs.len()) {
            roles[input] = Role::Invariant;
        }
    }
    for (output, part) in stage.writes.iter().enumerate() {
        roles[iteration.state[*part].input] = Role::State(output);
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{LASSO, MERELY_CONVEX, data, problem};
    use crate::options::request::Request;
    use crate::options::run_options::RunOptions;
    use crate::pipeline::{Prepared, plan, prepare};

    /// A weight per row of the training data is learnt on validation data.
    const WEIGHTED_LEAST_SQUARES: &str = "
        param m = 20
        param n = 6
        data A[m, n] = normal(seed = 1)
        data b[m] = normal(seed = 2)
        data A_valid[m, n] = normal(seed = 3)
        data b_valid[m] = normal(seed = 4)
        upper { var x[m] in [0, 1]   minimize 1/2*normsq(A_valid*y - b_valid) }
        lower { var y[n]   minimize 1/2*sum(x .* (A*y - b).^2) }
        start { x = 0.5 }
        method meha { alpha = 0.01;  beta = 0.01;  eta = 0.02;  gamma = 10;  c = 1 }
    ";

    /// A lower level whose exponentials are common to two iterations.
    const LOGISTIC: &str = "
        param m = 30
        param n = 4
        data A[m, n] = normal(seed = 1)
        upper { var x[m]   minimize 1/2*normsq(y - 1) + 1/2*normsq(x) }
        lower { var y[n]   minimize sum(softplus(A[i, _]'*y - x[i]) for i in 1..m)
                regularize 0.01*norm1(y) }
        method meha { alpha = 0.05;  beta = 0.05;  eta = 0.05;  gamma = 1;  c = 2 }
    ";

    /// The step of MEHA on a problem, carrying or not, at a start where nothing vanishes.
    fn machine(text: &str, method: &str, carries: bool) -> (BoundProgram<f64>, Iteration) {
        let problem = problem(text);
        let data = data(&problem);
        let Prepared { settings, built, .. } = prepare(&problem, &Request::new(method).set("threads", "1")).unwrap();
        let (iteration, options) = (built.iteration, RunOptions::of(&settings));
        let context = Context { problem: &problem, data: &data, options: &options };
        let mut machine = match carries {
            true => BoundProgram::of_stage(&iteration, iteration.last(), &context),
            false => BoundProgram::new(iteration.last().function().unwrap(), &problem, &data, 1),
        }
        .unwrap();
        for state in &iteration.state {
            let n = machine.input(state.input).len();
            let start: Vec<f64> = (0..n).map(|i| 0.3 + 0.01 * i as f64).collect();
            machine.set(state.input, &start);
        }
        (machine, iteration)
    }

    fn accept(machine: &mut BoundProgram<f64>, iteration: &Iteration, carries: bool) {
        if carries {
            return machine.accept();
        }
        for (output, state) in iteration.state.iter().enumerate() {
            machine.program.advance(&mut machine.workspace, output, state.input);
        }
    }

    /// Every third step is rejected and tried again with other scalars; now and then a part of the state is set.
    #[test]
    fn carrying_changes_no_bit() {
        let problems = [
            (WEIGHTED_LEAST_SQUARES, "meha"),
            (LOGISTIC, "meha"),
            (LASSO, "meha:better"),
            (MERELY_CONVEX, "meha:tuned"),
        ];
        for (text, method) in problems {
            let [(mut with, iteration), (mut without, _)] = [true, false].map(|c| machine(text, method, c));
            for k in 1..300u64 {
                for (machine, carries) in [(&mut with, true), (&mut without, false)] {
                    let factor = if k % 3 == 0 { 0.5 } else { 1.0 };
                    for scalar in &iteration.scalars {
                        machine.set_scalar(scalar.input, factor * scalar.stated.as_ref().unwrap().at(k));
                    }
                    machine.run();
                    if k % 3 != 2 {
                        accept(machine, &iteration, carries);
                    }
                    if k % 50 == 0 {
                        let part = &iteration.state[(k / 50) as usize % iteration.state.len()];
                        let values = vec![0.25; machine.input(part.input).len()];
                        machine.set(part.input, &values);
                    }
                }
                for state in &iteration.state {
                    let [a, b] = [&with, &without].map(|m| m.input(state.input));
                    assert!(
                        a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()),
                        "{} of {method} at {k}",
                        state.name
                    );
                }
            }
        }
    }

    /// A program per gradient has 8 passes over a matrix; sharing leaves 7, since `f_x` and `f_y` both need `A y`.
    /// `A theta+` is `A theta` of the next iteration.
    #[test]
    fn weighted_least_squares_takes_six_products() {
        let problem = problem(WEIGHTED_LEAST_SQUARES);
        let sizes = data(&problem).sizes;
        let products = |plan: &blo_engine::program::Plan| {
            let body = plan.lines.iter().filter(|l| l.section == blo_engine::program::plan::Section::Body);
            body.flat_map(|l| &l.results).filter(|(_, formula)| formula.starts_with("A")).count()
        };
        let carrying = plan(&problem, &sizes, &Request::new("meha")).unwrap().remove(0);
        assert_eq!(products(&carrying), 6, "{carrying}");
        assert_eq!(carrying.carried.len(), 1, "{carrying}");
        let (without, _) = machine(WEIGHTED_LEAST_SQUARES, "meha", false);
        assert_eq!(products(without.program.plan()), 7, "{}", without.program.plan());
    }
}
