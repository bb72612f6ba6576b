//! Why a run cannot go on, in the user's terms: the innermost piece of the program that is not finite at the start and
//! a start that would be, or what grew, since when, and with which steps.

use blo_engine::diff::reverse::gradient;
use blo_engine::finite::{Piece, first_not_finite};
use blo_engine::graph::Function;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::iteration::Start;
use crate::message;
use crate::run::state::Run;
use crate::solution::{Failure, Status};

/// Values that a start is tried with, the first that is finite everywhere is suggested.
const CANDIDATES: [f64; 7] = [1.0, 0.5, 0.1, 2.0, 10.0, -1.0, 0.0];

impl<T: Scalar> Run<'_, T> {
    /// The warning about a failure.
    pub(crate) fn diagnose(&mut self, status: Status, failure: &Failure) -> Diagnostic {
        if failure.iteration > 0 {
            return message::stopped_being_finite(
                status == Status::Diverged,
                &failure.quantity,
                (failure.since, failure.iteration),
                failure.largest,
                &failure.scalars,
                &self.runaway_advice(),
            );
        }
        // the state may hold what the first lower steps have made of it
        let point = self.start_point();
        let variables = &point[..self.problem.variables().count()];
        let Some(piece) = self.bad_piece(variables) else {
            return self.no_bad_piece(&failure.quantity);
        };
        let entry = piece.entry.map_or_else(String::new, |e| format!(" in entry {e}"));
        let label = format!("{} is {}{entry}", piece.formula, shown(piece.value));
        let d = message::start_not_finite(&failure.quantity, piece.span, &label);
        if let Some(start) = self.better_start(&piece, &point) {
            return d.help(format!("a start that is finite: `start {{ {start} }}`"));
        }
        let blamed = self.problem.variables().filter(|v| piece.inputs.contains(&v.formal));
        let blamed: Vec<String> = blamed.map(|v| format!("`{}`", v.name)).collect();
        match blamed.as_slice() {
            [] => d.help("no start of a variable changes this: look at the data and the params in the formula"),
            _ => d.help(format!(
                "choose another start of {}, inside the domain of the objectives; the few that were tried are not",
                blamed.join(", ")
            )),
        }
    }

    /// The start is sound, and nothing that a formula says of it is not finite.
    fn no_bad_piece(&self, quantity: &str) -> Diagnostic {
        if self.control.lower_steps().is_some() {
            return message::first_steps_run_away(quantity);
        }
        message::start_not_finite(quantity, Span::default(), "no single piece is to blame")
            .help("choose a start inside the domain of the objectives")
    }

    /// In the objectives, then in their gradients.
    fn bad_piece(&self, variables: &[Vec<f64>]) -> Option<Piece> {
        let (upper, lower) = (&self.problem.upper(), &self.problem.lower());
        let functions: Vec<&Function> = [Some(&upper.objective), Some(&lower.objective), lower.regularizer.as_ref()]
            .into_iter()
            .flatten()
            .collect();
        let find = |f: &Function| first_not_finite(f, &self.data, variables);
        let formals: Vec<usize> = self.problem.variables().map(|v| v.formal).collect();
        let slopes = functions.iter().map(|f| {
            let used: Vec<usize> = formals.iter().copied().filter(|v| f.depends_on(*v)).collect();
            gradient(f, &used)
        });
        functions.iter().find_map(|f| find(f)).or_else(|| slopes.into_iter().find_map(|f| find(&f)))
    }

    /// Values of the variables in the bad piece with which everything is finite, as a `start` block writes them. Candidates
    /// outside of the sets are moved into them.
    fn better_start(&mut self, piece: &Piece, point: &[Vec<f64>]) -> Option<String> {
        let problem = self.problem;
        let blamed: Vec<_> = problem.variables().filter(|v| piece.inputs.contains(&v.formal)).collect();
        if blamed.is_empty() {
            return None;
        }
        // each variable has one value in all of its entries
        let uniform = |values: &[f64]| values.iter().all(|v| *v == values[0]).then_some(values.first().copied());
        CANDIDATES.into_iter().find_map(|value| {
            let mut moved = point.to_vec();
            for (values, state) in moved.iter_mut().zip(&self.iteration.state) {
                if blamed.iter().any(|v| state.start == Start::Variable(v.formal)) {
                    values.fill(value);
                }
            }
            let inside = self.projected(&moved)?;
            let variables = inside.len();
            // copies of the variables start where these do
            for (values, state) in moved.iter_mut().zip(&self.iteration.state) {
                if let Start::Variable(variable) = state.start {
                    values.clone_from(&inside[variable]);
                }
            }
            let values: Option<Vec<f64>> = blamed.iter().map(|v| uniform(&moved[v.formal]).flatten()).collect();
            let values = values?;
            // a method's own numbers may be those of the start that is not finite
            let sound = self.report_at(&moved).is_ok_and(|report| report.first_bad().is_none())
                || self.bad_piece(&moved[..variables]).is_none();
            let assigned = || blamed.iter().zip(&values).map(|(v, value)| format!("{} = {value}", v.name));
            sound.then(|| assigned().collect::<Vec<_>>().join(";  "))
        })
    }

    /// The variables of a point, moved into their sets.
    fn projected(&self, point: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        let mut p = ProblemGraph::new(self.problem);
        let (x, y) = (p.x(), p.y());
        let (px, py) = (p.project_upper(&x.nodes, "x"), p.project_lower(&y.nodes, "y"));
        let function = p.function("into the sets", &[px.nodes, py.nodes].concat());
        let mut machine = BoundProgram::<f64>::new(&function, self.problem, &self.data, self.options.threads).ok()?;
        for v in self.problem.variables() {
            machine.set(v.formal, &point[v.formal]);
        }
        machine.run();
        Some((0..self.problem.variables().count()).map(|i| machine.output(i).to_vec()).collect())
    }
}

fn shown(value: f64) -> &'static str {
    match value {
        v if v.is_nan() => "not a number",
        v if v > 0.0 => "infinite",
        _ => "minus infinity",
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{polished, solved};
    use crate::options::request::Request;
    use crate::solution::Status;

    /// The curvature of the lower level is 200, so that steps of 1 grow 200 times each.
    const STEEP: &str = "upper { var x in [0, 10]  minimize (x - 1)^2 + normsq(y) }
        lower { var y[2]  minimize 100*normsq(y - x) }  start { y = 1 }";

    #[test]
    fn steps_that_are_too_large_are_blamed_and_not_the_start() {
        for (method, step) in [("cg", "1"), ("rhg", "1e300"), ("fhg", "1"), ("bda", "1"), ("neumann", "1")] {
            let s = solved(STEEP, &Request::new(method).set("s_l", step).set("K", "200"));
            assert_eq!(s.status, Status::NotFinite, "{method}");
            let d = &s.warnings[0];
            assert_eq!(d.code, "W0606", "{method}: {d:?}");
            assert!(d.message.contains("not finite after the first lower steps"), "{method}: {d:?}");
            assert!(d.help.iter().any(|h| h.contains("`s_l`")) && d.help.iter().all(|h| !h.contains("start {")));
            let own = solved(STEEP, &Request::new(method).set("K", "200"));
            let helps = matches!(own.status, Status::Converged | Status::Stalled);
            assert!(helps, "the advice, to leave the step out, does not help {method}: {:?}", own.status);
        }
    }

    #[test]
    fn a_convex_level_that_is_not_solved_has_no_local_minimizer() {
        const ILL: &str = "upper { var x in [0, 4]  minimize (x - 1)^2 + normsq(y - 1) }
            lower { var y[2]  minimize (y[1] - x)^2 + 1e-4*(y[2] - 2*x)^2 }";
        const TWO: &str = "upper { var x in [-1, 1]  minimize (x - 0.5)^2 + (y - 1)^2 }
            lower { var y in [-2, 2]  minimize (4*y^2 - 1)^2 + 0.3*y }  start { y = 1 }";
        let request = Request::new("rhg").set("polish", "0").set("tol", "1e-2");
        for (text, request, code) in
            [(ILL, request.clone().set("K", "3"), "W0604"), (TWO, request.set("K", "100"), "W0607")]
        {
            let s = solved(text, &request);
            let codes: Vec<&str> =
                s.warnings.iter().map(|d| d.code).filter(|c| ["W0604", "W0607"].contains(c)).collect();
            assert_eq!(codes, [code], "{:?}", s.warnings);
        }
    }

    #[test]
    fn a_run_that_goes_on_from_a_better_y_says_why() {
        const FLAT: &str = "upper { var x in [0, 4]  minimize (x - 1)^2 + normsq(y - 1) }
            lower { var y[3]  minimize (y[1] - x)^4 + 1e-4*(y[2] - 2*x)^4 + 1e-6*(y[3] - 3*x)^2 }";
        const TWO: &str = "upper { var x in [-1, 1]  minimize (x - 0.5)^2 + (y - 1)^2 }
            lower { var y in [-2, 2]  minimize (4*y^2 - 1)^2 + 0.3*y }  start { y = 1 }";
        let short = Request::new("rhg").set("K", "3").set("polish", "1").set("tol", "1e-2").set("max_iter", "60");
        let words = ["y did not solve the lower level", "y was a local minimizer"];
        for (text, request, why) in [(FLAT, short, words[0]), (TWO, Request::new("rhg"), words[1])] {
            let s = polished(text, &request);
            let note = s.warnings.iter().find(|d| d.code == "N0604").expect("the run went on");
            assert!(note.message.starts_with(why), "{note:?}");
        }
    }

    #[test]
    fn a_stalled_run_with_a_stated_step_is_told_of_it() {
        let s = solved(STEEP, &Request::new("rhg").set("s_l", "0.02"));
        let d = s.warnings.iter().find(|d| d.code == "W0612").expect("no step helps");
        assert!(d.help.iter().any(|h| h.contains("leave `s_l` out")), "{d:?}");
        assert!(d.help.iter().all(|h| !h.contains("increase `K`")), "{d:?}");
    }
}
