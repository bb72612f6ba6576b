//! From the end of a run to its [`Solution`]: values in the user's sign, arrays by name, distances to what the
//! literature knows.

use blo_engine::data::Array;
use blo_engine::model::problem::Level;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::Report;
use crate::machine::Machine;
use crate::message;
use crate::residual;
use crate::run::Run;
use crate::settings::Setting;
use crate::solution::{Failure, KnownError, LevelResult, Solution, Status, UsedOption};
use crate::trace::{Residuals, Row};

/// How a run ended.
pub(crate) struct Ending {
    pub(crate) status: Status,
    pub(crate) report: Report,
    /// The end point is the upper objective's own.
    pub(crate) ignored: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) failure: Option<Failure>,
}

impl<T: Scalar> Run<'_, T> {
    /// Gathers the result.
    pub(crate) fn solution(mut self, ending: Ending) -> Result<Solution, Box<Diagnostic>> {
        let errors = self.errors(&ending.report)?;
        let values = self.metrics();
        let mut warnings = self.settings.warnings.clone();
        if ending.ignored {
            warnings.push(message::lower_level_ignored());
        }
        let report = &ending.report;
        let (upper_sign, lower_sign) = (sign(&self.problem.upper), sign(&self.problem.lower));
        let chosen = self.control.chosen();
        let used = |s: &Setting| {
            let found = chosen.iter().find(|(name, _)| *name == s.entry.name).map(|(_, value)| value);
            let value = s.value.as_ref().or(found).cloned().expect("a run has no option without a value");
            UsedOption { name: s.entry.name, value, origin: s.origin }
        };
        let counts = self.iteration.counts.times(self.steps());
        Ok(Solution {
            problem: self.problem.name.clone(),
            method: self.settings.method.name,
            preset: self.settings.preset.clone(),
            status: ending.status,
            iterations: self.k,
            compile_seconds: 0.0,
            solve_seconds: 0.0,
            options: self.settings.options.iter().map(used).collect(),
            upper: LevelResult {
                objective: upper_sign * report.upper,
                smooth: upper_sign * report.upper,
                regularizer: 0.0,
                variables: self.variables(&self.problem.upper),
            },
            lower: LevelResult {
                objective: lower_sign * (report.smooth + report.regularizer),
                smooth: lower_sign * report.smooth,
                regularizer: lower_sign * report.regularizer,
                variables: self.variables(&self.problem.lower),
            },
            residuals: Residuals::from(report),
            metrics: self.problem.metrics.iter().map(|m| m.name.clone()).zip(values).collect(),
            errors,
            failure: ending.failure,
            rows: ending.rows,
            counts,
            warnings,
        })
    }

    fn variables(&self, level: &Level) -> Vec<(String, Array)> {
        let array = |formal: usize| {
            let values = self.step.input(formal).iter().map(|v| v.to_f64()).collect();
            Array::new(self.step.input_shape(formal).to_vec(), values)
        };
        level.variables.iter().map(|v| (v.name.clone(), array(v.formal))).collect()
    }

    /// Distances to what the literature knows, computed in f64.
    fn errors(&self, report: &Report) -> Result<Vec<KnownError>, Box<Diagnostic>> {
        let (function, names) = residual::known(self.problem);
        let mut machine = Machine::<f64>::new(&function, self.problem, self.data, self.threads)?;
        for v in self.problem.variables() {
            let values: Vec<f64> = self.step.input(v.formal).iter().map(|v| v.to_f64()).collect();
            machine.set(v.formal, &values);
        }
        machine.run();
        let mut errors = Vec::new();
        for (i, name) in names.into_iter().enumerate() {
            let (first, second) = (machine.scalar(2 * i), machine.scalar(2 * i + 1));
            let (dist, size) = match name.as_str() {
                // An objective: its known value, twice.
                "upper" => ((sign(&self.problem.upper) * report.upper - first).abs(), first.abs()),
                "lower" => {
                    let value = sign(&self.problem.lower) * (report.smooth + report.regularizer);
                    ((value - first).abs(), first.abs())
                }
                _ => (first, second),
            };
            errors.push(KnownError { name, dist, err: dist / size.max(1.0) });
        }
        Ok(errors)
    }
}

/// Minus one for `maximize`.
pub(crate) fn sign(level: &Level) -> f64 {
    if level.maximize { -1.0 } else { 1.0 }
}
