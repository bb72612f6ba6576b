//! The run on a command line: a method with its options. `plan`, `graph`, `check`, `grad` and `compare` take the options
//! that `solve` takes, so that one may be tried with the command line of another.

use blo_solvers::DEFAULT_METHOD;
use blo_solvers::{Override, Request};
use clap::Args;
use std::time::Duration;

use super::value::{assignment, bytes, seconds, whole};

/// A method with its options.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The method; `meha:paper` is a preset of the file, `meha:auto` uses none
    #[arg(short, long, value_name = "NAME[:PRESET]", default_value = DEFAULT_METHOD)]
    method: String,
    #[command(flatten)]
    options: OptionArguments,
}

impl RunArguments {
    /// See [`OptionArguments::max_time`].
    pub(crate) fn max_time(&self) -> Option<Duration> {
        self.options.max_time()
    }

    /// What the solvers are asked for.
    pub(crate) fn request(&self) -> Request {
        self.options.apply(Request::new(&self.method))
    }

    /// A flag of the command line that is about a method; the seed is one of the data, too.
    pub(crate) fn stated(&self) -> Option<&'static str> {
        let options =
            || self.request().overrides.iter().any(|o| matches!(o, Override::Flag { name, .. } if name != "seed"));
        match self.method.as_str() {
            DEFAULT_METHOD if self.options.set.is_empty() && !options() => None,
            DEFAULT_METHOD if self.options.set.is_empty() => Some("options of a run"),
            DEFAULT_METHOD => Some("--set"),
            _ => Some("--method"),
        }
    }

    /// The seed of the run, 0 unless it is given.
    pub(crate) fn seed(&self) -> u64 {
        self.options.seed.unwrap_or(0)
    }
}

/// The options of a run; those that every method has are flags of their own.
#[derive(Debug, Args)]
pub(crate) struct OptionArguments {
    /// Sets an option of the method: `--set alpha=0.1`, `--set alpha=1/k`
    #[arg(long, value_name = "OPTION=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// Stop after this many iterations
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole)]
    max_iter: Option<u64>,
    /// Stop this long after the command has begun: 90, 60s, 5m, 2h
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = seconds)]
    max_time: Option<Duration>,
    /// The method ends when all its residuals are this small against the start
    #[arg(long, value_name = "TOL", allow_negative_numbers = true)]
    tol: Option<f64>,
    /// Seed of the run, part of every generator's stream
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole)]
    pub(crate) seed: Option<u64>,
    /// Numbers of the iteration
    #[arg(long, value_name = "f64|f32")]
    precision: Option<String>,
    /// Threads; without the flag one per core
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole)]
    threads: Option<u64>,
    /// Most steps to solve the lower level with at the final x; 0 leaves the last iterate as it is
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole)]
    polish: Option<u64>,
    /// How hard `auto` searches: low, normal, high
    #[arg(long, value_name = "EFFORT")]
    effort: Option<String>,
    /// Random starts of the search of `auto`
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole)]
    starts: Option<u64>,
    /// Most memory for states of unrolled lower-level steps: 4MB, 1GiB; what does not fit is computed again
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    memory: Option<u64>,
}

impl OptionArguments {
    /// The request with every option that was given; flags of their own win over `--set`.
    pub(crate) fn apply(&self, request: Request) -> Request {
        let request = self.set.iter().fold(request, |request, (name, value)| request.set(name, value));
        self.apply_common(request)
    }

    /// The request with the flags of every method, without what `--set` says.
    pub(crate) fn apply_common(&self, request: Request) -> Request {
        let flags = [
            ("max_iter", self.max_iter.map(|v| v.to_string())),
            ("max_time", self.max_time.map(|v| v.as_secs_f64().to_string())),
            ("tol", self.tol.map(|v| v.to_string())),
            ("seed", self.seed.map(|v| v.to_string())),
            ("precision", self.precision.clone()),
            ("threads", self.threads.map(|v| v.to_string())),
            ("polish", self.polish.map(|v| v.to_string())),
            ("effort", self.effort.clone()),
            ("starts", self.starts.map(|v| v.to_string())),
            ("memory", self.memory.map(|v| v.to_string())),
        ];
        let given = flags.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.fold(request, |request, (name, value)| request.set(name, value))
    }

    /// The options that a command line states, but the seed, as `K = 20`.
    pub(crate) fn stated(&self) -> Vec<String> {
        let flag = |o: Override| match o {
            Override::Flag { name, text } if name != "seed" => Some(format!("{name}\u{a0}=\u{a0}{text}")),
            _ => None,
        };
        self.apply(Request::new(DEFAULT_METHOD)).overrides.into_iter().filter_map(flag).collect()
    }

    /// The limit on iterations, as a flag states it.
    pub(crate) fn max_iter(&self) -> Option<u64> {
        self.max_iter
    }

    /// True where the command line gives an option of every method, by a flag of its own or by `--set`.
    pub(crate) fn states(&self, option: &str) -> bool {
        let request = self.apply(Request::new(DEFAULT_METHOD));
        request.overrides.iter().any(|o| matches!(o, Override::Flag { name, .. } if name == option))
    }

    /// The limit on time, as a flag states it.
    pub(crate) fn max_time(&self) -> Option<Duration> {
        self.max_time
    }

    /// True when at least one option was given.
    pub(crate) fn any(&self) -> bool {
        !self.apply(Request::new(DEFAULT_METHOD)).overrides.is_empty()
    }
}
