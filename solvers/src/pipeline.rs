//! The way of a run: a request becomes settings, the method builds its iteration, the run iterates, its end is polished,
//! evaluated and gathered as a solution.

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::program::{Plan, Role, Scalar, compile};
use blo_engine::shape::Sizes;
use blo_grammar::diagnostic::Diagnostic;

use crate::audit::assumption;
use crate::formula::bound_program::{largest_array, roles, stage_roles};
use crate::formula::problem_graph::ProblemGraph;
use crate::hypergradient::check::HypergradientCheck;
use crate::iteration::Built;
use crate::message;
use crate::method::batches;
use crate::method::gaffa;
use crate::method::resolve::resolve;
use crate::method::{Method, implementation, refusal, refusal_of_rows};
use crate::options::request::Request;
use crate::options::run_options::Precision;
use crate::options::settings::Settings;
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::Observer;
use crate::run::state::Run;
use crate::run::stop::Watch;
use crate::solution::Solution;
use crate::warm_start;

/// A method with its options on a problem, ready to run.
pub struct Prepared {
    /// The options.
    pub settings: Settings,
    /// The method.
    pub(crate) method: &'static dyn Method,
    /// The iteration and what drives it.
    pub built: Built,
    /// The problem with its batches, where the options ask for some: it takes the place of the other.
    pub(crate) on_batches: Option<Problem>,
}

/// The settings of a request and what its method makes of the problem.
///
/// # Errors
/// Mistakes in the request; a method that cannot take the problem.
pub fn prepare(problem: &Problem, request: &Request) -> Result<Prepared, Vec<Diagnostic>> {
    let on_rows = gaffa::takes_the_place(problem, request);
    let mut settings = resolve(problem, on_rows.as_ref().unwrap_or(request))?;
    settings.warnings.extend(on_rows.map(|_| message::gaffa_in_place_of_meha()));
    let method = implementation(settings.method);
    if let Some(refused) = refusal_of_rows(problem, method, settings.method.name, settings.span) {
        return Err(vec![refused]);
    }
    if let Some(unfit) = method.unfit(problem, &settings) {
        return Err(vec![refusal(problem, settings.method.name, settings.span, &unfit)]);
    }
    let on_batches = batches::problem(problem, method, &settings).map_err(|d| vec![*d])?;
    let built = method.build(ProblemGraph::of_steps(on_batches.as_ref().unwrap_or(problem)), &settings);
    Ok(Prepared { settings, method, built, on_batches })
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
    let Prepared { mut settings, built, on_batches, .. } = prepare(problem, request)?;
    let effort = (settings.integer("threads"), settings.number("max_time"));
    settings.warnings.extend(assumption::warnings(problem, data, settings.method, settings.span, effort)?);
    let (settings, built) = (&settings, &built);
    // where a run began is part of what goes on
    let began = checkpoint.map(|c| Bindings { start: warm_start::that_fit(&c.start, problem, data), ..data.clone() });
    let data = began.as_ref().unwrap_or(data);
    let problem = on_batches.as_ref().unwrap_or(problem);
    let data = batches::data(problem, data, settings).map_err(|d| vec![*d])?;
    let data = data.as_ref();
    let solution = match settings.precision() {
        Precision::Single => run::<f32>(problem, data, settings, built, checkpoint, observer),
        Precision::Double => run::<f64>(problem, data, settings, built, checkpoint, observer),
    };
    solution.map_err(|d| vec![*d])
}

fn run<T: Scalar>(
    problem: &Problem,
    data: &Bindings,
    settings: &Settings,
    built: &Built,
    checkpoint: Option<&Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Solution, Box<Diagnostic>> {
    let begun = observer.seconds();
    let mut run = Run::<T>::new(problem, data, settings, built)?;
    let compiled = observer.seconds();
    data.stop.begin();
    run.begin();
    let mut progress = match checkpoint {
        None => run.beginning(),
        Some(checkpoint) => run.resumed(checkpoint)?,
    };
    if checkpoint.is_none() && !data.start.is_empty() {
        warm_start::begin(&mut run, &mut progress, built)?;
    }
    let before = checkpoint.map_or(0.0, |c| c.seconds);
    let mut watch = Watch::new(observer, run.options.max_time, before);
    let ending = loop {
        let mut ending = run.iterate(&mut progress, &mut watch, observer);
        run.polish(&mut ending, &mut watch, observer)?;
        let Some(start) = run.judge(&mut ending)? else { break ending };
        run.begin_at(start);
        progress.goes_on(run.k, run.rare_looks(), ending.rows);
    };
    // A limit on time is for the iterations and the polish; what is reported of their end is bounded by itself.
    data.stop.finish();
    let evaluated = run.evaluate(&ending, &mut || observer.interrupted())?;
    let solved = observer.seconds();
    let mut solution = run.solution(ending, evaluated)?;
    solution.compile_seconds = compiled - begun;
    solution.solve_seconds = before + solved - compiled - watch.paused();
    solution.look_seconds = watch.paused();
    Ok(solution)
}

/// What a method runs on a problem, as instructions in order: programs beside the iteration, if it has any, and the
/// stages of the iteration.
///
/// # Errors
/// See [`solve`].
pub fn plan(problem: &Problem, sizes: &Sizes, request: &Request) -> Result<Vec<Plan>, Vec<Diagnostic>> {
    let Prepared { settings, method, built, on_batches } = prepare(problem, request)?;
    let problem = on_batches.as_ref().unwrap_or(problem);
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
