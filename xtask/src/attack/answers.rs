//! Answers that are wrong: random problems and generated families, each run judged by a search that knows nothing of the
//! engine. Runs are in this process; only what claims to be right and is not counts as a fault.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use blo_solvers::{DEFAULT_METHOD, Observer, Request};
use blo_tests::families::{FAMILIES, Grade, Instance};
use blo_tests::random::{Tally, Trial};
use blo_tests::scalar::FINE;

use super::Seeds;

/// The most seconds of a run.
const LIMIT: &str = "10";

/// The clock that ends a run at its limit.
struct Clock(Instant);

impl Observer for Clock {
    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Applies `work` to every seed on all processors; results are in the order of the seeds.
fn on_all<T: Send>(seeds: Seeds, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(u64::from(seeds.start));
    let found = Mutex::new(Vec::new());
    let worker = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= u64::from(seeds.end) {
                return;
            }
            let result = work(seed);
            found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((seed, result));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(worker))));
    let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_by_key(|(seed, _)| *seed);
    found.into_iter().map(|(_, result)| result).collect()
}

/// Random problems times methods: the counts of each method and of all, and every silent wrong answer.
pub fn random(seeds: Seeds) -> (Vec<(String, Tally)>, Vec<String>) {
    let judged = on_all(seeds, |seed| {
        let trial = Trial::new(seed, FINE);
        let run = |method: &'static str| {
            let request = Request::automatic(method).set("max_time", LIMIT);
            let judged = trial.run(&request, &mut Clock(Instant::now()));
            let fault = match &judged {
                Ok(judged) if judged.is_silent_wrong() => Some(trial.shown(judged)),
                Ok(_) => None,
                Err(why) => Some(format!("seed {seed} {method}: {why}\n{}", trial.truth.problem.text())),
            };
            (method, judged, fault)
        };
        trial.methods().into_iter().map(run).collect::<Vec<_>>()
    });
    let mut tallies: Vec<(String, Tally)> = vec![("all".to_owned(), Tally::default())];
    let mut faults = Vec::new();
    for (method, judged, fault) in judged.into_iter().flatten() {
        faults.extend(fault);
        if !tallies.iter().any(|(name, _)| name == method) {
            tallies.push((method.to_owned(), Tally::default()));
        }
        tallies.iter_mut().filter(|(name, _)| name == "all" || name == method).for_each(|(_, t)| t.add(&judged));
    }
    tallies.rotate_left(1);
    (tallies, faults)
}

/// What the default method answers to the families.
#[derive(Debug, Default)]
pub struct Families {
    /// A line of counts per family.
    pub lines: Vec<String>,
    /// Every answer that is not right.
    pub missed: Vec<String>,
    /// How many of them claim to be.
    pub silent: usize,
}

/// The instances of every family with the default method.
pub fn families(seeds: Seeds) -> Families {
    let mut found = Families::default();
    for family in &FAMILIES {
        let judged = on_all(seeds.clone(), |seed| {
            let instance = (family.make)(seed);
            let request = Request::automatic(DEFAULT_METHOD).set("max_time", LIMIT);
            let begun = Instant::now();
            let (grade, shown) = grade(&instance, &request, begun);
            (grade, begun.elapsed().as_secs_f64(), shown)
        });
        let count = |wanted: Grade| judged.iter().filter(|(g, ..)| *g == wanted).count();
        let slowest = judged.iter().map(|(_, seconds, _)| *seconds).fold(0.0, f64::max);
        found.lines.push(format!(
            "{:<22} {} instances, {} right, {} said, {} silent; slowest {slowest:.2} s",
            family.name,
            judged.len(),
            count(Grade::Right),
            count(Grade::Said),
            count(Grade::Silent)
        ));
        found.silent += count(Grade::Silent);
        found.missed.extend(judged.into_iter().filter(|(g, ..)| *g != Grade::Right).map(|(.., shown)| shown));
    }
    found
}

fn grade(instance: &Instance, request: &Request, begun: Instant) -> (Grade, String) {
    match instance.ask(request, &mut Clock(begun)) {
        Ok(answer) => (instance.grade(&answer), instance.shown(&answer)),
        Err(why) => (Grade::Said, format!("{}: {why}", instance.name)),
    }
}
