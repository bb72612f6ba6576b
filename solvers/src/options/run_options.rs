//! The options that every method has, as the run reads them: made once from the settings.

use super::settings::Settings;

/// The options of every method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunOptions {
    /// Most iterations.
    pub max_iter: u64,
    /// What residuals have to fall below, against the start.
    pub tol: f64,
    /// Most seconds.
    pub max_time: f64,
    /// Numbers of the iteration.
    pub precision: Precision,
    /// Seed of the run.
    pub seed: u64,
    /// Threads of the kernels.
    pub threads: u64,
    /// Most evaluations of the polish; `None` lets the length of the run decide.
    pub polish: Option<u64>,
    /// Iterations between metrics; 0 is at the rows of the table.
    pub metric_every: u64,
    /// Iterations between draws of tasks; 0 keeps them.
    pub resample: u64,
    /// What `auto` searches after its method, if it is that.
    pub search: Option<SearchOptions>,
}

/// How hard `auto` searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchOptions {
    /// Against the normal amount of work.
    pub effort: f64,
    /// Random starts beside its own.
    pub starts: u64,
}

/// The numbers of an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 64 bits.
    Double,
    /// 32 bits.
    Single,
}

impl RunOptions {
    /// From complete settings.
    pub fn of(settings: &Settings) -> RunOptions {
        RunOptions {
            max_iter: settings.integer("max_iter"),
            tol: settings.number("tol"),
            max_time: settings.number("max_time"),
            precision: settings.precision(),
            seed: settings.integer("seed"),
            threads: settings.integer("threads"),
            polish: settings.get("polish").value.is_some().then(|| settings.integer("polish")),
            metric_every: settings.integer("metric_every"),
            resample: settings.integer("resample"),
            search: settings.has("effort").then(|| SearchOptions {
                effort: match settings.word("effort") {
                    "low" => 0.1,
                    "high" => 30.0,
                    _ => 1.0,
                },
                starts: settings.integer("starts"),
            }),
        }
    }
}
