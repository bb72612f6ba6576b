//! New tasks while a run goes on: the option `resample` puts other rows into the index inputs, and the programs stay.
//! Which draw an iteration has depends on its number alone, so a run that is resumed or traced back has the same tasks.
//! Followers of new tasks begin at the start, since those of the old ones classify other things. Programs beside the
//! iteration are the control's, which hands the rows on.

mod batch;

use blo_engine::model::{Bound, has_tasks, redraw};
use blo_engine::program::Scalar;

use crate::run::state::Run;

impl<T: Scalar> Run<'_, T> {
    /// True when tasks are drawn anew.
    pub(crate) fn resamples(&self) -> bool {
        self.every() > 0 && has_tasks(self.problem)
    }

    fn every(&self) -> u64 {
        self.options.resample
    }

    /// The draw of an iteration, counted from 1.
    pub(crate) fn draw_of(&self, k: u64) -> u64 {
        (k - 1) / self.every()
    }

    /// The draw that is in place after an iteration: its own, or that of the next one where the control looks ahead.
    pub(crate) fn draw_after(&self, k: u64) -> u64 {
        self.draw_of(if self.control.looks_ahead() { k + 1 } else { k.max(1) })
    }

    /// Puts a draw in place; `anew`: the followers go back to their start.
    pub(crate) fn resample(&mut self, draw: u64, anew: bool) {
        if draw == self.draw {
            return;
        }
        let rows = redraw(self.problem, &self.data, self.options.seed, draw);
        let rows = rows.unwrap_or_else(|_| unreachable!("the first draw found enough rows of every class"));
        if anew {
            for (part, (state, values)) in self.iteration.state.iter().zip(&self.start).enumerate() {
                if self.is_lower(state) {
                    self.stages.part_mut(part).copy_from_slice(values);
                }
            }
        }
        let run = [self.stages.select(&rows), self.report.select(&rows), self.metrics.select(&rows)];
        for set in run.into_iter().chain([self.control.select(&rows), self.select_lower(&rows)]) {
            assert!(set.is_ok(), "rows of the dataset that the first draw chose from");
        }
        let first = self.problem.variables().count();
        let data = self.data.to_mut();
        for (formal, positions) in rows {
            data.values[formal - first] = Bound::Index(positions);
        }
        self.exact = None;
        self.draw = draw;
    }
}

#[cfg(test)]
mod tests {
    use blo_engine::data::Memory;
    use blo_engine::model::{Bindings, Bound, Problem, bind, redraw};

    use crate::fixture::{Keeper, problem};
    use crate::options::request::Request;
    use crate::solution::Solution;
    use crate::{resume, solve};

    const TASKS: &str = "
        dataset d {
          u = csv(\"d.csv\", columns = 1..2)
          v = csv(\"d.csv\", column = 3, classes = [\"0\", \"1\", \"2\", \"3\"])
        }
        episodes D from d (tasks = 3, ways = 2, shots = 2, query = 2, seed = 5)
        episodes T from d (tasks = 2, ways = 2, shots = 2, query = 2, seed = 6)
        upper { var x  minimize sum(mean(xent(D.val.u[j]*y[j], D.val.v[j])) for j in D) + 0.1*x^2 }
        lower for j in D { var y[2, 2]  minimize mean(xent(D.tr.u[j]*y, D.tr.v[j])) + 0.1*exp(x)*normsq(y) }
        metric own = sum(normsq(y[j]) for j in D)
        metric others = sum(normsq(y[j]) for j in T)
        method meha { alpha = 0.05;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 1;  metric_every = 5 }
    ";

    /// A program on rows of four classes.
    fn tasks(text: &str) -> (Problem, Bindings) {
        let problem = problem(text);
        let mut csv = String::from("a,b,c\n");
        for i in 0..32 {
            let class = i % 4;
            let i = f64::from(i);
            csv += &format!("{:.3},{:.3},{class}\n", (1.7 * i).sin() + f64::from(class), (0.9 * i).cos());
        }
        let data = bind(&problem, &Memory::new().with("d.csv", csv), 0).unwrap();
        (problem, data)
    }

    fn request(resample: &str) -> Request {
        Request::new("meha").set("resample", resample).set("max_iter", "40").set("polish", "0")
    }

    fn end(s: &Solution) -> (Vec<f64>, Vec<f64>, Vec<(String, f64)>) {
        (s.variable("x").unwrap().values.clone(), s.variable("y").unwrap().values.clone(), s.metrics.clone())
    }

    #[test]
    fn new_tasks_change_the_run_and_nothing_else_does() {
        let (problem, data) = tasks(TASKS);
        let solved = |resample: &str| solve(&problem, &data, &request(resample), &mut crate::Silent).unwrap();
        let (never, late, often) = (solved("0"), solved("1000"), solved("7"));
        assert_eq!(end(&never), end(&late));
        assert_ne!(end(&never).0, end(&often).0);
        assert_eq!(end(&often), end(&solved("7")));
        // Rows until the first new draw are those of the plain run.
        let until = |s: &Solution, k: u64| s.rows.iter().filter(|r| r.iteration <= k).cloned().collect::<Vec<_>>();
        assert_eq!(until(&never, 7), until(&often, 7));
        assert_ne!(until(&never, 10), until(&often, 10));
    }

    #[test]
    fn a_resumed_run_has_the_same_tasks() {
        let (problem, data) = tasks(TASKS);
        for at in [6, 7, 8, 20, 21] {
            let mut keeper = Keeper { at, kept: None };
            let whole = solve(&problem, &data, &request("7"), &mut keeper).unwrap();
            let checkpoint = keeper.kept.expect("a checkpoint");
            let resumed = resume(&problem, &data, &request("7"), &checkpoint, &mut crate::Silent).unwrap();
            assert_eq!(end(&resumed), end(&whole), "from {at}");
            assert_eq!(resumed.rows, whole.rows, "from {at}");
        }
    }

    /// Methods whose lower steps, hypergradients and curvature are programs of their own.
    const COMPOSED: [&str; 9] = [
        "rhg:auto(K = 4, tol = 0)",
        "rhg:auto(K = 4, tol = 0, start = warm, alpha_x = 0.05)",
        "rhg:auto(K = 4, tol = 0, update = adam, precision = f32)",
        "fhg:auto(K = 4, tol = 0, dynamics = nesterov)",
        "bda:auto(K = 4, tol = 0, update = momentum)",
        "unroll:auto(K = 4, tol = 0, start = auxiliary, gradient = pessimistic)",
        "cg:auto(K = 8, tol = 0)",
        "neumann:auto(K = 8, tol = 0, start = fixed)",
        "darts:auto(tol = 0)",
    ];

    #[test]
    fn composed_methods_draw_new_tasks_and_resume_with_the_same_bits() {
        let (problem, data) = tasks(TASKS);
        for method in COMPOSED {
            let request = |resample: &str| {
                Request::new(method).set("resample", resample).set("max_iter", "60").set("polish", "0")
            };
            let never = solve(&problem, &data, &request("0"), &mut crate::Silent).unwrap();
            for every in ["1", "7"] {
                for at in [1, 6, 7, 8] {
                    let mut keeper = Keeper { at, kept: None };
                    let whole = solve(&problem, &data, &request(every), &mut keeper).unwrap();
                    assert_ne!(end(&whole).0, end(&never).0, "{method}");
                    // Rejected steps come between, but not so many.
                    let checkpoint = keeper.kept.unwrap_or_else(|| panic!("{method}: nothing at {at}"));
                    let resumed = resume(&problem, &data, &request(every), &checkpoint, &mut crate::Silent).unwrap();
                    assert_eq!(end(&resumed), end(&whole), "{method} every {every} from {at}");
                    let shown = |s: &Solution| format!("{:?} {:?}", s.rows, s.residuals);
                    assert_eq!(shown(&resumed), shown(&whole), "{method} every {every} from {at}");
                }
            }
        }
    }

    /// With steps too short to move x, a run with new tasks ends where a run that began with them begins: no program has
    /// kept the old ones.
    #[test]
    fn every_program_has_the_new_tasks() {
        let (problem, data) = tasks(TASKS);
        let mut moved = data.clone();
        let first = problem.variables().count();
        for (formal, rows) in redraw(&problem, &data, 0, 1).unwrap() {
            moved.values[formal - first] = Bound::Index(rows);
        }
        for gradient in ["reverse", "truncated", "pessimistic", "forward", "cg", "neumann", "rank1", "one_stage"] {
            let steps = if gradient == "one_stage" { "1" } else { "5" };
            let request = Request::new("unroll:auto").set("gradient", gradient).set("K", steps).set("polish", "0");
            let request = request.set("alpha_x", "1e-300").set("s_l", "0.3").set("max_iter", "1");
            let old = solve(&problem, &data, &request, &mut crate::Silent).unwrap();
            let new = solve(&problem, &data, &request.clone().set("resample", "1"), &mut crate::Silent).unwrap();
            let there = solve(&problem, &moved, &request, &mut crate::Silent).unwrap();
            let shown = |s: &Solution| {
                let row = s.rows.last().unwrap();
                (row.upper, row.lower, row.residuals.upper, row.residuals.lower, end(s).1)
            };
            assert_eq!(shown(&new), shown(&there), "{gradient}");
            assert_ne!(shown(&new), shown(&old), "{gradient}");
        }
    }

    /// `y[j]` of other tasks is what the lower level has there: a program with those tasks below agrees at the same x.
    #[test]
    fn followers_of_other_tasks_are_those_of_a_program_for_them() {
        let (problem, data) = tasks(TASKS);
        let fixed = Request::new("meha").set("max_iter", "0").set("polish", "0");
        let others = solve(&problem, &data, &fixed, &mut crate::Silent).unwrap();
        let moved = TASKS.replace("D.", "T.").replace("in D", "in T");
        let (swapped, data) = tasks(&moved);
        let request = Request::new("meha").set("max_iter", "1").set("alpha", "1e-300").set("polish", "20000");
        let direct = solve(&swapped, &data, &request, &mut crate::Silent).unwrap();
        let value = |s: &Solution, name: &str| s.metrics.iter().find(|m| m.0 == name).unwrap().1;
        let (a, b) = (value(&others, "others"), value(&direct, "own"));
        assert!(a > 0.0 && (a - b).abs() <= 1e-4 * b, "{a} {b}");
        assert!(others.warnings.iter().all(|w| w.code != "W0621"), "{:?}", others.warnings);
    }
}
