//! The way of a run: a request becomes settings, the method builds its iteration, the run iterates, its end is polished,
//! evaluated and gathered as a solution.

use std::borrow::Cow;

use blo_engine::graph::Function;
use blo_engine::model::problem::Problem;
use blo_engine::model::{Augmented, Bindings};
use blo_engine::program::{Plan, Role, Scalar, compile};
use blo_engine::shape::Sizes;
use blo_grammar::diagnostic::Diagnostic;

use crate::audit::assumption;
use crate::formula::bound_program::{largest_array, roles, stage_roles};
use crate::formula::problem_graph::ProblemGraph;
use crate::hypergradient::check::HypergradientCheck;
use crate::iteration::{Built, Context, Stage, Work};
use crate::message;
use crate::method::batches;
use crate::method::gaffa::{self, MEHA};
use crate::method::resolve::resolve;
use crate::method::{Method, implementation, refusal, refusal_of_rows, relaxation};
use crate::options::request::Request;
use crate::options::run_options::{Precision, RunOptions};
use crate::options::settings::Settings;
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::Observer;
use crate::run::rows::passes::{InPass, PassLimits, passes};
use crate::run::state::Run;
use crate::run::stop::Watch;
use crate::solution::trace::PassStart;
use crate::solution::{Solution, Status};
use crate::warm_start;

/// A method with its options on a problem, ready to run.
pub struct Prepared {
    /// The options.
    pub settings: Settings,
    /// The method.
    pub(crate) method: &'static dyn Method,
    /// The iteration and what drives it.
    pub built: Built,
    /// The problem with its batches, where the options ask for some, or with terms for the rows of the upper level: it takes
    /// the place of the other.
    pub(crate) replaced: Option<Problem>,
    /// Those terms.
    relaxed: Option<Augmented>,
}

impl Prepared {
    /// The data of the problem that takes the place of the given one: with the first multipliers of its rows.
    pub(crate) fn data<'a>(&self, data: &'a Bindings) -> Cow<'a, Bindings> {
        match &self.relaxed {
            Some(relaxed) => Cow::Owned(relaxed.bound(data, None, 1.0)),
            None => Cow::Borrowed(data),
        }
    }
}

/// The settings of a request and what its method makes of the problem.
///
/// # Errors
/// Mistakes in the request; a method that cannot take the problem.
pub fn prepare(problem: &Problem, request: &Request) -> Result<Prepared, Vec<Diagnostic>> {
    let on_rows = gaffa::takes_the_place(problem, request);
    let in_place = on_rows.is_some();
    let told = |found: Vec<Diagnostic>| -> Vec<Diagnostic> {
        let tell = |d: Diagnostic| if in_place { d.help(message::GAFFA_FOR_MEHA) } else { d };
        found.into_iter().map(tell).collect()
    };
    let mut settings = resolve(problem, on_rows.as_ref().unwrap_or(request)).map_err(told)?;
    settings.warnings.extend(on_rows.map(|_| message::gaffa_in_place_of_meha()));
    let method = implementation(settings.method);
    // what the user has named
    let name = if in_place { MEHA } else { settings.method.name };
    if let Some(refused) = refusal_of_rows(problem, method, name, settings.span) {
        return Err(told(vec![refused]));
    }
    let relaxed = relaxation(problem, method);
    let seen = relaxed.as_ref().map_or(problem, |r| &r.problem);
    if let Some(unfit) = method.unfit(seen, &settings) {
        return Err(told(vec![refusal(problem, name, settings.span, &unfit)]));
    }
    let on_batches = match &relaxed {
        Some(_) => batches::refused(problem, &settings).map(|()| None),
        None => batches::problem(problem, method, &settings),
    };
    let on_batches = on_batches.map_err(|d| vec![*d])?;
    let replaced = on_batches.or_else(|| relaxed.as_ref().map(|r| r.problem.clone()));
    let built = method.build(ProblemGraph::of_steps(replaced.as_ref().unwrap_or(problem)), &settings);
    Ok(Prepared { settings, method, built, replaced, relaxed })
}

/// Solves a problem with a method.
///
/// # Errors
/// Mistakes in the request, all of them; nothing is an error once iteration 0 has started.
pub fn solve(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    run_from(problem, data, request, None, observer)
}

/// Continues a run from a checkpoint, as if it had not stopped: only `max_time` starts again.
///
/// # Errors
/// As [`solve`], and when the checkpoint is of another run.
pub fn resume(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    checkpoint: &Checkpoint,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    run_from(problem, data, request, Some(checkpoint), observer)
}

fn run_from(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    checkpoint: Option<&Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    let Prepared { mut settings, built, replaced, relaxed, method } = prepare(problem, request)?;
    let effort = (settings.integer("threads"), settings.number("max_time"));
    settings.warnings.extend(assumption::warnings(problem, data, settings.method, settings.span, effort)?);
    let (settings, built) = (&settings, &built);
    // where a run began is part of what goes on
    let began = checkpoint.map(|c| Bindings { start: warm_start::that_fit(c.began(), problem, data), ..data.clone() });
    let data = began.as_ref().unwrap_or(data);
    if let Some(relaxed) = &relaxed {
        let original = method.build(ProblemGraph::of_steps(problem), settings);
        let both = [built, &original];
        let solution = match settings.precision() {
            Precision::Single => in_passes::<f32>((problem, relaxed), data, settings, both, checkpoint, observer),
            Precision::Double => in_passes::<f64>((problem, relaxed), data, settings, both, checkpoint, observer),
        };
        return solution.map_err(|d| vec![*d]);
    }
    let problem = replaced.as_ref().unwrap_or(problem);
    let data = batches::data(problem, data, settings).map_err(|d| vec![*d])?;
    let data = data.as_ref();
    let solution = match settings.precision() {
        Precision::Single => run::<f32>(problem, data, settings, built, (checkpoint, None), observer),
        Precision::Double => run::<f64>(problem, data, settings, built, (checkpoint, None), observer),
    };
    solution.map_err(|d| vec![*d])
}

fn run<T: Scalar>(
    problem: &Problem,
    data: &Bindings,
    settings: &Settings,
    built: &Built,
    (checkpoint, most): (Option<&Checkpoint>, Option<u64>),
    observer: &mut dyn Observer,
) -> Result<Solution, Box<Diagnostic>> {
    let begun = observer.seconds();
    let mut run = Run::<T>::new(problem, data, settings, built)?;
    run.limit(most.unwrap_or(u64::MAX));
    let compiled = observer.seconds();
    data.stop.begin();
    run.begin();
    let mut progress = match checkpoint {
        None => run.beginning(),
        Some(checkpoint) => run.resumed(checkpoint)?,
    };
    // a checkpoint at the start does not say that the start is a solution
    if checkpoint.is_none_or(|c| c.iteration == 0) && !data.start.is_empty() {
        warm_start::begin(&mut run, &mut progress, built)?;
    }
    let before = checkpoint.map_or(0.0, |c| c.seconds);
    let mut watch = Watch::new(observer, run.options.max_time, before);
    let mut ending = loop {
        let mut ending = run.iterate(&mut progress, &mut watch, observer);
        run.polish(&mut ending, &mut watch, observer)?;
        let Some(start) = run.judge(&mut ending)? else { break ending };
        run.begin_at(start);
        progress.goes_on(run.k, run.rare_looks(), ending.rows);
    };
    // A limit on time is for the iterations and the polish; what is reported of their end is bounded by itself.
    data.stop.finish();
    run.settle_multipliers(&mut ending)?;
    let evaluated = run.evaluate(&ending, &mut || observer.interrupted())?;
    let solved = observer.seconds();
    let mut solution = run.solution(ending, evaluated)?;
    solution.compile_seconds = compiled - begun;
    solution.solve_seconds = before + solved - compiled - watch.paused();
    solution.look_seconds = watch.paused();
    Ok(solution)
}

/// Runs passes on terms for the rows of the upper level, and judges their end as that of a run of the problem itself.
fn in_passes<T: Scalar>(
    (problem, relaxed): (&Problem, &Augmented),
    data: &Bindings,
    settings: &Settings,
    [of_passes, built]: [&Built; 2],
    checkpoint: Option<&Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Solution, Box<Diagnostic>> {
    let begun = observer.seconds();
    let limits = PassLimits { most: settings.stated_most(), max_time: settings.number("max_time") };
    let options = (data, settings.integer("threads"), limits);
    let passed =
        passes((problem, relaxed), options, checkpoint, observer, &mut |bound, checkpoint, most, observer| {
            data.stop.go_on();
            run::<T>(&relaxed.problem, bound, settings, of_passes, (checkpoint, most), observer)
        })?;
    // the last pass has offered what can be gone on from
    let last = passed.rows.last().map_or(0, |row| row.pass);
    let observer = &mut InPass::new(observer, passed.iterations, (last, PassStart::End), None);
    let data = Bindings { start: passed.start.clone(), ..data.clone() };
    let mut run = Run::<T>::new(problem, &data, settings, built)?;
    run.options.max_iter = 0;
    if passed.at_limit || passed.stopped == Some(Status::IterationLimit) {
        run.asked = 0;
    }
    data.stop.begin();
    run.begin();
    let mut progress = run.beginning();
    if !data.start.is_empty() {
        warm_start::begin(&mut run, &mut progress, built)?;
    }
    let mut watch = Watch::new(observer, run.options.max_time, 0.0);
    let mut ending = run.iterate(&mut progress, &mut watch, observer);
    ending.multipliers.upper = Some(passed.multipliers);
    if let Some(status) = passed.stopped {
        ending.status = status;
    }
    run.judge(&mut ending)?;
    data.stop.finish();
    run.settle_multipliers(&mut ending)?;
    let evaluated = run.evaluate(&ending, &mut || observer.interrupted())?;
    let mut solution = run.solution(ending, evaluated)?;
    (solution.iterations, solution.rejected) = (passed.iterations, passed.rejected);
    solution.counts = solution.counts.plus(passed.counts);
    solution.rows = passed.rows;
    solution.solve_seconds = observer.seconds() - begun;
    Ok(solution)
}

/// What a method runs on a problem, as instructions in order: programs beside the iteration, if it has any, and the
/// stages of the iteration.
///
/// # Errors
/// See [`solve`].
pub fn plan(problem: &Problem, sizes: &Sizes, request: &Request) -> Result<Vec<Plan>, Vec<Diagnostic>> {
    let Prepared { settings, method, built, replaced, .. } = prepare(problem, request)?;
    let problem = replaced.as_ref().unwrap_or(problem);
    let compiled = |function: &Function, roles: &[Role]| {
        let plan = match settings.precision() {
            Precision::Single => compile::<f32>(function, sizes, roles).map(|p| p.plan().clone()),
            Precision::Double => compile::<f64>(function, sizes, roles).map(|p| p.plan().clone()),
        };
        plan.map_err(|why| {
            let (span, largest) = largest_array(function, sizes);
            vec![message::cannot_compile(&why.to_string(), (span, &largest))]
        })
    };
    let beside = method.programs(problem.in_steps(), &settings);
    let mut plans: Vec<Plan> = beside.iter().map(|f| compiled(f, &roles(f, problem))).collect::<Result<_, _>>()?;
    for stage in &built.iteration.stages {
        if let Some(function) = stage.function() {
            plans.push(compiled(function, &stage_roles(&built.iteration, stage, problem))?);
        }
    }
    Ok(plans)
}

/// The stages of a method that are no instructions: their names, and what they do in words with their values.
///
/// # Errors
/// See [`solve`].
pub fn external_stages(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
) -> Result<Vec<ExternalStage>, Vec<Diagnostic>> {
    let Prepared { settings, built, replaced, .. } = prepare(problem, request)?;
    let problem = replaced.as_ref().unwrap_or(problem);
    let context = Context { problem, data, options: &RunOptions::of(&settings) };
    let described = |stage: &Stage| match &stage.work {
        Work::External(make) => Some(make(&context).map(|made| (stage.name.clone(), made.describe()))),
        Work::Graph(_) => None,
    };
    let all: Result<Vec<ExternalStage>, _> = built.iteration.stages.iter().filter_map(described).collect();
    all.map_err(|d| vec![*d])
}

/// The name of a stage, and words with their values.
pub type ExternalStage = (String, Vec<(&'static str, String)>);

/// A method's hypergradient at the start, moved by noise of size `spread`, against forward mode and central differences;
/// `None` for a method that has none.
///
/// # Errors
/// See [`solve`].
pub fn check_hypergradient(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    spread: f64,
    seed: u64,
) -> Result<Option<Vec<HypergradientCheck>>, Vec<Diagnostic>> {
    let Prepared { settings, method, .. } = prepare(problem, request)?;
    method.check_hypergradient(problem, data, &settings, (spread, seed)).map_err(|d| vec![*d])
}
