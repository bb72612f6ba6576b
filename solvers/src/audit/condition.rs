//! An assertion that is judged at one iterate after the other: a measurement of a run, of which the run knows nothing. It is
//! computed in f64, on the tasks of the first draw, as assertions of a file are.

use blo_engine::model::problem::{Assertion, DataOrigin, Problem};
use blo_engine::model::{Bindings, RESIDUALS};
use blo_grammar::diagnostic::Diagnostic;

use super::expectation::first_failing;
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::solution::trace::Seen;

/// A compiled assertion.
pub struct Condition {
    machine: BoundProgram<f64>,
    /// Where the variables stand among the formals.
    variables: Vec<usize>,
    /// Where the residuals stand that it asks for, by their places in [`RESIDUALS`].
    residuals: Vec<(usize, usize)>,
    /// The truth, and the sides of the comparisons.
    outputs: usize,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Condition").field("residuals", &self.residuals).finish_non_exhaustive()
    }
}

impl Condition {
    /// Compiles an assertion of the problem ([`blo_engine::model::assert`]).
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub fn new(
        problem: &Problem,
        data: &Bindings,
        assertion: &Assertion,
        threads: u64,
    ) -> Result<Condition, Box<Diagnostic>> {
        let mut p = ProblemGraph::new(problem);
        let outputs = p.of_formals(&assertion.value);
        let function = p.function("until", &outputs);
        let machine = BoundProgram::in_any_case(&function, problem, data, threads)?;
        let residuals = problem.data.iter().filter(|item| matches!(item.origin, DataOrigin::Residual));
        let place = |name: &str| RESIDUALS.iter().position(|r| *r == name);
        let residuals = residuals.filter_map(|item| Some((item.formal, place(&item.name)?))).collect();
        let variables = problem.variables().map(|v| v.formal).collect();
        Ok(Condition { machine, variables, residuals, outputs: outputs.len() })
    }

    /// True where the lower level of other tasks would have to be solved to judge an assertion.
    pub fn needs_other_tasks(problem: &Problem, assertion: &Assertion) -> bool {
        let followers = problem.other_tasks.iter().flat_map(|other| &other.lower.variables);
        followers.into_iter().any(|v| assertion.value.depends_on(v.formal))
    }

    /// Whether it holds at an iterate, in every entry.
    pub fn holds(&mut self, seen: &Seen<'_>) -> bool {
        for (formal, values) in self.variables.iter().zip(seen.point) {
            self.machine.set(*formal, values);
        }
        let r = &seen.residuals;
        let values = [r.upper, r.lower, r.method, r.gap];
        for (formal, place) in &self.residuals {
            self.machine.set(*formal, &values[*place..=*place]);
        }
        self.machine.run();
        let values: Vec<&[f64]> = (0..self.outputs).map(|i| self.machine.output(i)).collect();
        first_failing(&values).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::data;
    use crate::options::request::Request;
    use crate::run::observer::{Follow, Look, Observer};
    use crate::solution::Status;
    use blo_engine::model::{Settings, assert};

    const TEXT: &str = "upper { var x  minimize (x - 1)^2 + (y - 1)^2 }  lower { var y[2]  minimize 1/2*normsq(y - x) }
        start { x = 3 }  known { x = 1 }  metric size = abs(x)
        method meha { alpha = 0.05;  beta = 0.2;  eta = 0.3;  gamma = 1;  c = 1 }";

    /// The looks of a run, and what it is asked to do at them.
    struct Looking {
        until: Option<Condition>,
        most: u64,
        seen: Vec<(u64, u64, bool)>,
        point: Vec<Vec<f64>>,
        now: f64,
        /// Seconds that a look takes.
        cost: f64,
    }

    impl Observer for Looking {
        fn seconds(&self) -> f64 {
            self.now
        }

        fn follows(&self) -> Follow {
            if self.until.is_some() { Follow::Iterates } else { Follow::Counts }
        }

        fn seen(&mut self, look: &Look<'_>) -> bool {
            let holds = self.until.as_mut().zip(look.iterate.as_ref()).is_some_and(|(until, seen)| until.holds(seen));
            self.point = look.iterate.map_or_else(Vec::new, |seen| seen.point.to_vec());
            self.seen.push((look.iteration, look.counts.gradients(), holds));
            assert!(look.seconds.abs() < 1e-12, "{}", look.seconds);
            self.now += self.cost;
            holds || look.counts.gradients() >= self.most
        }
    }

    fn text() -> String {
        TEXT.replace("(y - 1)^2", "normsq(y - 1)")
    }

    fn run(until: Option<&str>, most: u64, method: &str) -> (crate::Solution, Looking) {
        let text = text();
        let parsed = blo_grammar::parse(&text);
        let found = assert(&parsed.ast, &text, "p", &Settings::default(), until.unwrap_or("x < inf"));
        let problem = found.problem.unwrap_or_else(|| panic!("{:?}", found.in_text));
        let data = data(&problem);
        let assertion = &problem.expectations.last().unwrap().body[0];
        let until = until.map(|_| Condition::new(&problem, &data, assertion, 1).unwrap());
        let mut looking = Looking { until, most, seen: Vec::new(), point: Vec::new(), now: 0.0, cost: 1.0 };
        let request = Request::new(method).set("max_iter", "400");
        let solution = crate::solve(&problem, &data, &request, &mut looking).unwrap();
        (solution, looking)
    }

    #[test]
    fn a_run_ends_at_the_first_iterate_of_which_it_holds() {
        let (whole, _) = run(None, u64::MAX, "meha");
        assert!(whole.iterations > 20, "{}", whole.iterations);
        let (solution, looking) = run(Some("err(x) <= 0.1 and residual_lower < 9 and y > 0"), u64::MAX, "meha");
        assert_eq!(solution.status, Status::Stopped);
        let (last, before) = looking.seen.split_last().unwrap();
        assert!(last.2 && before.iter().all(|look| !look.2));
        // every iterate from the start on, once
        assert!(looking.seen.iter().map(|look| look.0).eq(0..=solution.iterations), "{:?}", looking.seen);
        assert!(looking.seen.is_sorted_by_key(|look| look.1));
        // the run ends where it held
        assert!((looking.point[0][0] - 1.0).abs() <= 0.1 && solution.variable("x").unwrap().values == looking.point[0]);
        // a clock that only looks move has not moved for the run
        assert_eq!(solution.solve_seconds, 0.0);
        assert!(looking.now >= 20.0);
    }

    #[test]
    fn looks_change_no_bit_of_a_run() {
        for method in ["meha", "meha:auto", "rhg", "cg", "bome", "auto"] {
            let plain = run(None, u64::MAX, method).0;
            let (followed, looking) = run(Some("x > 1e9"), u64::MAX, method);
            assert_eq!((plain.status, plain.iterations), (followed.status, followed.iterations), "{method}");
            assert_eq!(plain.variable("y"), followed.variable("y"), "{method}");
            assert!(looking.seen.len() as u64 > followed.iterations, "{method}");
        }
    }

    #[test]
    fn a_budget_of_evaluations_ends_a_run_within_an_iteration() {
        for method in ["meha", "rhg"] {
            let (solution, looking) = run(None, 50, method);
            assert_eq!(solution.status, Status::Stopped, "{method}");
            let (last, before) = looking.seen.split_last().unwrap();
            assert!(last.1 >= 50 && before.iter().all(|look| look.1 < 50), "{method}: {:?}", looking.seen);
            let polish = solution.polish.map_or(0, |p| p.counts.gradients());
            assert_eq!(solution.counts.gradients() - polish, last.1, "{method}");
        }
    }

    #[test]
    fn what_a_method_does_not_measure_never_holds() {
        let (solution, looking) = run(Some("not (gap > 1) and x < 9"), u64::MAX, "rhg");
        assert!(solution.residuals.gap.is_nan() && looking.seen.iter().all(|look| !look.2), "{:?}", looking.seen);
    }
}
