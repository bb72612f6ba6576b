//! The iteration of a method under a clock: what each of its instructions takes, and what lies between them. The
//! iteration runs as it does in a run but without looks at the iterate, which are rare in a long run and are measured
//! apart.

use blo_engine::machine::{Rates, rates};
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::profile::{Clock, Profiler, Timed};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::control::Next;
use crate::method::batches;
use crate::options::request::{Override, Request};
use crate::options::run_options::Precision;
use crate::pipeline::{Prepared, prepare};
use crate::run::state::Run;

/// What a number of steps took.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Steps: iterations, and those that were taken back.
    pub steps: u64,
    /// Seconds of all of them.
    pub seconds: f64,
    /// Programs that ran in them; none where instructions were not timed.
    pub programs: Vec<Timed>,
}

/// The profile of an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Steps whose instructions were timed.
    pub timed: Measured,
    /// Steps without timing.
    pub plain: Measured,
    /// Looks at the iterate: objectives and residuals.
    pub looks: Measured,
    /// Seconds of one reading of the clock.
    pub reading: f64,
    /// The iterate had finite numbers at the end.
    pub finite: bool,
    /// The method, its precision and its threads.
    pub method: &'static str,
    /// `f64` or `f32`.
    pub precision: &'static str,
    /// Threads of the kernels.
    pub threads: u64,
    /// What the machine reaches in this precision with these threads.
    pub rates: Rates,
}

/// Looks that are timed.
const LOOKS: u64 = 3;

/// Readings of the clock that are timed.
const READINGS: u32 = 10_000;

/// Steps between two looks at the clock are so many that they take about this long.
const BATCH: f64 = 0.01;

/// Runs the iteration for `seconds`, or for as many steps as the request states, first without timing and then with it.
///
/// # Errors
/// As [`solve`](crate::solve).
pub fn profile(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    seconds: f64,
    clock: Clock,
) -> Result<Profile, Vec<Diagnostic>> {
    let prepared = prepare(problem, request)?;
    let problem = prepared.replaced.as_ref().unwrap_or(problem);
    let data = prepared.data(data);
    let data = batches::data(problem, &data, &prepared.settings).map_err(|d| vec![*d])?;
    let data = data.as_ref();
    // a default is no limit here: the time is
    let stated = request.overrides.iter().any(|o| matches!(o, Override::Flag { name, .. } if name == "max_iter"));
    let most = if stated { prepared.settings.integer("max_iter") } else { u64::MAX };
    let limit = Limit { seconds, most, clock };
    let profiled = match prepared.settings.precision() {
        Precision::Single => measured::<f32>(problem, data, &prepared, limit),
        Precision::Double => measured::<f64>(problem, data, &prepared, limit),
    };
    profiled.map_err(|d| vec![*d])
}

/// How long steps are measured.
#[derive(Clone, Copy)]
struct Limit {
    seconds: f64,
    most: u64,
    clock: Clock,
}

fn measured<T: Scalar>(
    problem: &Problem,
    data: &Bindings,
    prepared: &Prepared,
    limit: Limit,
) -> Result<Profile, Box<Diagnostic>> {
    let settings = &prepared.settings;
    let mut run = Run::<T>::new(problem, data, settings, &prepared.built)?;
    let (steps, seconds) = iterate(&mut run, limit);
    let plain = Measured { steps, seconds, programs: Vec::new() };
    drop(run);

    let profiler = Profiler::new(limit.clock);
    let data = Bindings { profiler: Some(profiler.clone()), ..data.clone() };
    let mut run = Run::<T>::new(problem, &data, settings, &prepared.built)?;
    profiler.take();
    let (steps, seconds) = iterate(&mut run, limit);
    let timed = Measured { steps, seconds, programs: profiler.take() };

    let begun = (limit.clock)();
    let reports: Vec<_> = (0..LOOKS).map(|_| run.report()).collect();
    let looks = Measured { steps: LOOKS, seconds: (limit.clock)() - begun, programs: profiler.take() };
    let finite = reports.iter().all(|r| r.upper.is_finite() && r.lower_residual.is_finite());
    let threads = run.options.threads;
    let begun = (limit.clock)();
    (0..READINGS).for_each(|_| {
        std::hint::black_box((limit.clock)());
    });
    let reading = ((limit.clock)() - begun) / f64::from(READINGS);
    Ok(Profile {
        timed,
        plain,
        looks,
        reading,
        finite,
        method: settings.method.name,
        precision: T::NAME,
        threads,
        rates: rates::<T>(threads as usize, limit.clock),
    })
}

/// Steps from the start, again from there where the method ends; steps and seconds of all but the first, in which pages
/// of memory are touched for the first time.
fn iterate<T: Scalar>(run: &mut Run<'_, T>, limit: Limit) -> (u64, f64) {
    run.given.stop.begin();
    run.begin();
    let step = |run: &mut Run<'_, T>| {
        if let Next::EndOfPass { .. } = run.attempt(&mut || false) {
            run.begin();
        }
    };
    step(run);
    if let Some(profiler) = &run.given.profiler {
        profiler.take();
    }
    let (mut done, mut batch) = (0, 1);
    let begun = (limit.clock)();
    let mut seen = begun;
    while done < limit.most && !run.is_stopped() {
        let steps = batch.min(limit.most - done);
        (0..steps).for_each(|_| step(run));
        done += steps;
        let now = (limit.clock)();
        if now - begun >= limit.seconds {
            return (done, now - begun);
        }
        if now - seen < BATCH / 2.0 {
            batch *= 2;
        }
        seen = now;
    }
    (done.max(1), (limit.clock)() - begun)
}
