//! A method on the problem of the page: rows and a picture while it runs, the report and both pictures at its end.

use blo::output::number::few;
use blo::output::report;
use blo_engine::stop::{StopReason, StopToken};
use blo_grammar::diagnostic::counted;
use blo_solvers::landscape::has_landscape;
use blo_solvers::solution::trace::Row;
use blo_solvers::{Observer, Request, Solution, Status};
use std::cell::Cell;

use super::events::{self, How, Part, Which};
use super::job::{PAGE, Task};
use crate::clock;
use crate::command::pictures::Pictures;
use crate::exit::Failure;
use crate::output::console::Console;
use crate::output::iterations::Iterations;
use crate::picture::curves::{Caption, compare};
use crate::picture::of_run::{curves, quantity};

/// Seconds between rows that the page asks for, and between pictures.
const ROWS: f64 = 0.1;
const PICTURES: f64 = 0.25;

/// Solves, and tells how that has ended.
///
/// # Errors
/// When nothing can run; the reasons have been shown.
pub(super) fn run(task: &Task, console: &mut Console) -> Result<(How, String), Failure> {
    let model = &task.model;
    let method = task.job.methods.first().map_or(blo_solvers::DEFAULT_METHOD, String::as_str);
    let request = Request::new(method);
    let rejected = |console: &mut Console, found: &[_]| console.reject(&model.document, found);
    let settings = blo_solvers::resolve(&model.problem, &request).map_err(|found| rejected(console, &found))?;
    let mut data = model.bind(&task.arguments, settings.integer("seed"), console)?;
    // the file's own limit, where it is the sooner one
    let own = clock::watch(clock::elapsed(), settings.number("max_time").min(task.left()), true);
    data.stop = own.token();
    let landscape = has_landscape(&model.problem, &data.sizes);
    let metrics = blo_solvers::row_metrics(&model.problem, &settings);
    let pictures = Pictures { plots: &[], model, arguments: &task.arguments, data: &data };
    let mut live = Live {
        begun: clock::elapsed(),
        stop: own.token(),
        table: Iterations::new(&metrics, PAGE),
        variables: landscape || pictures.want_variables(),
        rows: Vec::new(),
        last_row: Cell::new(f64::NEG_INFINITY),
        last_picture: f64::NEG_INFINITY,
        name: format!("{}: {method}", model.problem.name),
    };
    let solution = blo_solvers::solve(&model.problem, &data, &request, &mut live);
    let solution = solution.map_err(|found| rejected(console, &found))?;
    console.diagnostics(&model.document, &solution.warnings);
    events::text(Part::Report, &report::summary(&solution, false, PAGE));
    let reject = |console: &mut Console, d: Box<_>| console.reject(&model.document, &[*d]);
    let after = blo_engine::model::Bindings { stop: StopToken::default(), ..data.clone() };
    match pictures.curves(&solution, &after, compare) {
        Ok(svg) => events::picture(Which::Curves, &svg, &in_words(&solution.rows, &report::status(&solution))),
        Err(why) => drop(reject(console, why)),
    }
    if landscape {
        match pictures.landscape(&solution, &after) {
            Ok(svg) => events::picture(Which::Landscape, &svg, &walk_in_words(&solution)),
            Err(why) => drop(reject(console, why)),
        }
    }
    Ok(ended(task, &solution))
}

/// How the page says the end of a run.
fn ended(task: &Task, solution: &Solution) -> (How, String) {
    let how = match solution.status {
        Status::Interrupted => How::Cancelled,
        Status::TimeLimit => task.told().unwrap_or(How::Unsolved),
        Status::Diverged | Status::NotFinite | Status::Unbounded | Status::Infeasible => How::Failed,
        Status::Converged => How::Done,
        Status::Stalled | Status::IterationLimit | Status::Stopped => How::Unsolved,
    };
    let message = match how {
        How::Cancelled | How::Limit => task.why(how),
        // the answer in a line: the report may be in another tab
        How::Done | How::Unsolved => {
            let [upper, lower] = [&solution.upper, &solution.lower].map(|level| few(level.objective, 6));
            format!("{}: upper {upper}, lower {lower}", report::status(solution))
        }
        How::Failed | How::Refused => report::status(solution),
    };
    (how, message)
}

/// A picture of curves for those who do not see it.
fn in_words(rows: &[Row], status: &str) -> String {
    let Some(last) = rows.last() else { return format!("No iteration yet: {status}.") };
    let r = &last.residuals;
    let parts = [("upper", r.upper), ("lower", r.lower), ("method", r.method), ("gap", r.gap)];
    let parts = parts.into_iter().filter(|(_, value)| !value.is_nan());
    let parts: Vec<String> = parts.map(|(name, value)| format!("{name} {}", few(value, 2))).collect();
    let iterations = counted(last.iteration, "iteration", "iterations");
    format!("Residuals over {iterations}, at last {}: {status}.", parts.join(", "))
}

/// A landscape for those who do not see it.
fn walk_in_words(solution: &Solution) -> String {
    let of = |level: &blo_solvers::solution::LevelResult| {
        let named = level.variables.first().map(|(name, array)| (name.clone(), array.values.first().copied()));
        named.map_or_else(String::new, |(name, value)| format!("{name} = {}", few(value.unwrap_or(f64::NAN), 4)))
    };
    format!(
        "The lower objective over x and y, its solutions, and the iterates, which end at {}, {}.",
        of(&solution.upper),
        of(&solution.lower)
    )
}

/// Shows a run while it goes on.
struct Live {
    begun: f64,
    stop: StopToken,
    table: Iterations,
    variables: bool,
    rows: Vec<Row>,
    last_row: Cell<f64>,
    last_picture: f64,
    name: String,
}

impl Observer for Live {
    fn seconds(&self) -> f64 {
        clock::elapsed() - self.begun
    }

    fn interrupted(&self) -> bool {
        self.stop.reason() == Some(StopReason::Interrupted)
    }

    /// Rows by the clock: those of the table are ever further apart, and a curve that moves wants more.
    fn row_every(&self) -> u64 {
        u64::from(clock::elapsed() - self.last_row.get() > ROWS)
    }

    fn wants_variables(&self) -> bool {
        self.variables
    }

    fn row(&mut self, row: &Row) {
        if self.rows.is_empty() {
            events::row(&self.table.title());
        }
        events::row(&self.table.marked(row));
        let mut kept = row.clone();
        kept.variables.clear();
        self.rows.push(kept);
        let now = clock::elapsed();
        self.last_row.set(now);
        if now - self.last_picture > PICTURES {
            self.last_picture = now;
            let caption = Caption(vec![format!("{}, running", self.name)]);
            let svg = compare(&curves(&self.rows, None, &[]), &quantity(), &caption);
            events::picture(Which::Curves, &svg, &in_words(&self.rows, "running"));
        }
    }
}
