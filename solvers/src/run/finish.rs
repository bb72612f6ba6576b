//! From the end of a run to its [`Solution`]: the polish, values in the user's sign, arrays by name, distances to what
//! the literature knows. All of it is computed in f64, whatever the run's precision.

use blo_engine::data::Array;
use blo_engine::graph::Function;
use blo_engine::model::RowStream;
use blo_engine::model::problem::{Level, LevelId};
use blo_engine::program::Scalar;
use blo_engine::stop::StopReason;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::known_distance::{errors, known_distances};
use crate::iteration::report::Report;
use crate::lower::solve::{LowerSolution, LowerStart};
use crate::message;
use crate::method::batches;
use crate::options::settings::Setting;
use crate::options::value::Value;
use crate::run::observer::Observer;
use crate::run::reported_metrics::Evaluated;
use crate::run::rows::judgement::Multipliers;
use crate::run::state::Run;
use crate::run::stop::{Reference, Watch};
use crate::solution::trace::{Residuals, Row};
use crate::solution::verdict::{Place, Verdict, Word};
use crate::solution::{Failure, KnownError, LevelResult, Polished, Solution, Status, UsedOption};
use crate::tolerances::{LOWER_SOLVED, POLISHED};

/// Evaluations that a polish may take after any run, unless the options state a number.
const MOST_POLISH: u64 = 20_000;

/// Evaluations that a polish may take after the shortest run.
const LEAST_POLISH: u64 = 200;

/// A polish that changes the upper objective by this share has changed the result.
const CHANGED: f64 = 0.1;

/// A difference of the upper objective below this share is not worth a word.
const SEEN: f64 = 1e-3;

/// A residual of this share of the point's size is rounding.
const ROUNDING: f64 = 1e-15;

/// A polish that makes the point this much larger than it was, or than 1, has run away.
const AWAY: f64 = 1e10;

/// How a run ended.
pub(crate) struct Ending {
    pub(crate) status: Status,
    /// Of the end point.
    pub(crate) report: Report,
    /// Of the iterate before the polish.
    pub(crate) before: Report,
    pub(crate) reference: Reference,
    /// The upper objective at the start.
    pub(crate) start_upper: f64,
    /// The end point is the upper objective's own.
    pub(crate) ignored: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) failure: Option<Failure>,
    /// The end point: one array per part of the state.
    pub(crate) point: Vec<Vec<f64>>,
    pub(crate) polish: Option<LowerSolution>,
    /// The direction of the variables of a level in which the upper objective falls forever, under the rows of both levels.
    pub(crate) upper_ray: Option<(LevelId, Vec<f64>)>,
    /// Upper variables with which some y meets the rows, where the run ends at an x with which none does.
    pub(crate) feasible_x: Option<String>,
    /// The direction in which the lower objective falls forever at the end point, where it does.
    pub(crate) ray: Option<Vec<f64>>,
    /// The lower variables before the polish.
    pub(crate) followed: Vec<Vec<f64>>,
    pub(crate) verdict: Verdict,
    /// y is at a local minimizer of the lower level, and a better one is known.
    pub(crate) local: bool,
    /// Multipliers of the rows of both levels, where they are known.
    pub(crate) multipliers: Multipliers,
    /// The lower level has other multipliers at the end, too: what is active depends on each other.
    pub(crate) many_multipliers: bool,
    /// The problem is not solved, by more than the last digits.
    pub(crate) doubtful: bool,
    /// The upper objective where the method ended, its lower level solved.
    pub(crate) polished: f64,
}

/// An option with its value, stated or among those that were chosen.
fn used(s: &Setting, chosen: &[(&'static str, Value)]) -> UsedOption {
    let found = chosen.iter().find(|(name, _)| *name == s.entry.name).map(|(_, value)| value);
    let value = s.value.as_ref().or(found).cloned().expect("a run has no option without a value");
    UsedOption { name: s.entry.name, value, origin: s.origin }
}

/// `y = 1`, `y = [1, -0.5, ...]`: a variable's name with its first entries.
fn named(name: &str, values: &[f64]) -> String {
    const SHOWN: usize = 4;
    let few: Vec<String> = values.iter().take(SHOWN).map(|v| message::few(*v + 0.0)).collect();
    match values.len() {
        1 => format!("{name} = {}", few[0]),
        n if n <= SHOWN => format!("{name} = [{}]", few.join(", ")),
        _ => format!("{name} = [{}, ...]", few.join(", ")),
    }
}

impl<T: Scalar> Run<'_, T> {
    /// Solves the lower level at the end point, where the run came to an end of its own.
    pub(crate) fn polish(
        &mut self,
        ending: &mut Ending,
        watch: &mut Watch,
        observer: &mut dyn Observer,
    ) -> Result<(), Box<Diagnostic>> {
        let limit = self.polish_limit();
        let ended = matches!(ending.status, Status::Converged | Status::IterationLimit | Status::Stopped);
        // with rows, the judgement solves the lower level
        if limit == 0 || !ended || self.problem.lower().variables.is_empty() || self.problem.has_rows() {
            return Ok(());
        }
        let variables = self.problem.variables().count();
        let start = LowerStart {
            point: &ending.point[..variables],
            reference: Some(ending.reference.lower()),
            tolerance: POLISHED,
            limit,
        };
        let (k, mut stopped) = (self.k, None);
        let polish = self.lower_solver()?.solve(&start, &mut || {
            stopped = watch.poll(k, observer);
            stopped.is_some()
        });
        let reason = self.given.stop.reason();
        if stopped == Some(Status::Interrupted) || reason == Some(StopReason::Interrupted) {
            ending.status = Status::Interrupted;
        }
        if reason.is_some() || stopped.is_some() {
            self.given.stop.finish();
        }
        let before = ending.point.clone();
        self.put_lower(&mut ending.point, &polish.values);
        let report = self.report_at(&ending.point)?;
        let runs_away = self.size(&ending.point) > AWAY * self.size(&before);
        if self.is_stopped()
            || runs_away
            || report.first_bad().is_some()
            || report.lower_residual >= ending.report.lower_residual
        {
            // The lower level has no minimum, rounding is all there was to remove, or the run ended in f32 beside a point
            // that f64 cannot improve.
            ending.point = before;
        } else {
            ending.report = Report {
                upper_residual: ending.report.upper_residual,
                method_residual: ending.report.method_residual,
                ..report
            };
        }
        ending.polish = Some(polish);
        Ok(())
    }

    /// The largest entry of the variables, or 1. What else is in a state (theta) may be of any size.
    fn size(&self, point: &[Vec<f64>]) -> f64 {
        let variables = &point[..self.problem.variables().count()];
        variables.iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()))
    }

    /// True before the limit of iterations.
    pub(crate) fn has_steps_left(&self) -> bool {
        self.steps() < self.options.max_iter
    }

    /// True where the run has taken all iterations that were asked for, and not only those that its method sets itself.
    pub(crate) fn is_at_its_limit(&self) -> bool {
        self.steps() >= self.asked
    }

    /// Most evaluations of the polish: what is asked for, else not more work than the run itself, whose steps may have
    /// looked at batches.
    fn polish_limit(&self) -> u64 {
        let steps = self.steps() / self.batches.as_ref().map_or(1, RowStream::batches);
        self.options.polish.unwrap_or_else(|| MOST_POLISH.min((2 * steps).max(LEAST_POLISH)))
    }

    /// Gathers the result.
    pub(crate) fn solution(mut self, ending: Ending, values: Evaluated) -> Result<Solution, Box<Diagnostic>> {
        let errors = self.errors(&ending)?;
        let constraints = self.constraints(&ending)?;
        let mut warnings = self.settings.warnings.clone();
        // rows that no y meets are a warning of their own
        if let Some(failure) = ending.failure.as_ref().filter(|failure| !failure.lower_is_empty) {
            warnings.push(self.diagnose(ending.status, failure));
        }
        // where the problem is solved, how the method came there gives no reason to doubt
        warnings.extend(ending.verdict.found_by.and_then(|place| self.replaced(&ending, place)));
        if ending.status == Status::Diverged
            && ending.failure.is_none()
            && let Some(far) = &ending.verdict.better
        {
            warnings.push(message::upper_objective_is_unbounded(far.upper));
        }
        match (&ending.ray, &ending.upper_ray) {
            (Some(ray), _) => warnings.push(self.unbounded(&ending.point, ray)),
            (None, Some((level, ray))) => {
                let direction = self.in_words(*level, &ending.point, ray);
                warnings.push(message::upper_objective_falls(&direction, *level == LevelId::UPPER));
            }
            (None, None) => self.explain_end(&ending, &mut warnings),
        }
        if ending.ray.is_none() {
            warnings.extend(self.rows_not_met(&ending, &constraints));
        }
        if ending.many_multipliers && ending.multipliers.lower.is_some() {
            warnings.push(message::many_multipliers(self.problem.upper_reads_multipliers()));
        }
        if !ending.doubtful {
            warnings.retain(|d| !message::DOUBTS.contains(&d.code));
        }
        warnings.extend(values.findings);
        warnings.extend(self.moved.iter().map(|m| message::went_on(&m.why, m.iteration)));
        let report = &ending.report;
        let (upper_sign, lower_sign) = (self.problem.upper().sign(), self.problem.lower().sign());
        let mut chosen = self.control.chosen();
        chosen.push(("polish", Value::Integer(self.polish_limit())));
        chosen.extend(batches::in_effect(self.settings));
        let polish_counts = ending.polish.as_ref().map(|p| p.counts).unwrap_or_default();
        let counts = self.stages.counts(self.iteration).plus(self.control.counts()).plus(polish_counts);
        let polish = ending.polish.as_ref().map(|p| Polished {
            iterations: p.evaluations,
            upper: upper_sign * ending.before.upper,
            lower: lower_sign * (ending.before.smooth + ending.before.regularizer),
            residual: ending.before.lower_residual,
            counts: p.counts,
        });
        Ok(Solution {
            problem: self.problem.name.clone(),
            method: self.settings.method.name,
            preset: self.settings.preset.clone(),
            status: ending.status,
            iterations: self.k,
            rejected: self.rejected,
            evaluated: !report.is_unknown(),
            compile_seconds: 0.0,
            solve_seconds: 0.0,
            look_seconds: 0.0,
            options: self.settings.options.iter().map(|s| used(s, &chosen)).collect(),
            upper: self.level(self.problem.upper(), [report.upper, 0.0], &ending.point),
            lower: self.level(self.problem.lower(), [report.smooth, report.regularizer], &ending.point),
            constraints,
            verdict: ending.verdict.clone(),
            residuals: Residuals::from(report),
            lower_reference: ending.reference.lower(),
            polish,
            metrics: self.problem.metrics.iter().map(|m| m.name.clone()).zip(values.metrics).collect(),
            followers: values.followers,
            errors,
            failure: ending.failure,
            rows: ending.rows,
            counts,
            work: self.control.work(),
            warnings,
            sensitivity: None,
        })
    }

    /// A level at the end: its smooth part and its proximal part, minimized, and where.
    fn level(&self, level: &Level, [smooth, regularizer]: [f64; 2], point: &[Vec<f64>]) -> LevelResult {
        let sign = level.sign();
        LevelResult {
            objective: sign * (smooth + regularizer),
            smooth: sign * smooth,
            regularizer: sign * regularizer,
            variables: self.variables(level, point),
        }
    }

    /// The warning about a lower level without a solution.
    fn unbounded(&self, point: &[Vec<f64>], ray: &[f64]) -> Diagnostic {
        let direction = self.in_words(LevelId::LOWER, point, ray);
        let x: Vec<String> = self.problem.upper().variables.iter().zip(point).map(|(v, x)| named(&v.name, x)).collect();
        let x = if x.is_empty() { "its start".to_owned() } else { x.join(", ") };
        message::lower_level_is_unbounded(&x, &direction)
    }

    /// Entries of the variables of a level by their names; `point` tells the lengths.
    fn in_words(&self, level: LevelId, point: &[Vec<f64>], entries: &[f64]) -> String {
        let mut rest = entries;
        let parts = self.problem.level(level).variables.iter().map(|v| {
            let (part, after) = rest.split_at(point[v.formal].len());
            rest = after;
            named(&v.name, part)
        });
        parts.collect::<Vec<String>>().join(", ")
    }

    /// Warnings that may explain why the problem is not solved.
    fn explain_end(&mut self, ending: &Ending, warnings: &mut Vec<Diagnostic>) {
        if ending.ignored {
            warnings.push(message::lower_level_ignored(self.control.penalty()));
        } else {
            warnings.extend(self.not_solved(ending));
        }
        if self.options.search.is_some() && ending.verdict.word != Word::None {
            // the search has left the iterate of the method behind
            return;
        }
        warnings.extend(self.too_few_steps(ending));
        if ending.verdict.found_by.is_none() {
            warnings.extend(self.doubts(ending));
        }
        if ending.status != Status::NotFinite {
            warnings.extend(self.control.warnings());
        }
        self.blame_steps(warnings);
    }

    /// Warnings where the lower level is solved, but perhaps not the one the run had in mind.
    fn doubts(&mut self, ending: &Ending) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if ending.failure.is_some() {
            return found;
        }
        let (before, after) = (ending.before.upper, ending.report.upper);
        if ending.polish.is_some()
            && (after - before).abs() > CHANGED * before.abs().max(after.abs()).max(ending.start_upper.abs())
        {
            let sign = self.problem.upper().sign();
            found.push(message::polish_changed_the_result(sign * before, sign * after, self.is_at_its_limit()));
        }
        let verdict = &ending.verdict;
        let settled = ending.report.lower_residual <= self.options.tol.max(LOWER_SOLVED) * ending.reference.lower();
        if verdict.word == Word::NotLowerOptimal && settled {
            let sign = self.problem.lower().sign();
            let value = ending.report.smooth + ending.report.regularizer;
            let (own, best) = (sign * value, sign * (value - verdict.lower_gap));
            found.push(match ending.local {
                true => message::lower_minimum_is_local(own, best),
                false => message::lower_objective_falls_on(own, best),
            });
        }
        found
    }

    /// A warning where a named method has ended at a worse point than the one that is returned.
    fn replaced(&self, ending: &Ending, place: Place) -> Option<Diagnostic> {
        let sign = self.problem.upper().sign();
        let (before, after) = (sign * ending.polished, sign * ending.report.upper);
        let changed = (after - before).abs() > SEEN * after.abs().max(before.abs());
        (changed && self.options.search.is_none())
            .then(|| message::another_point_is_better(place.text(), before, after, sign * after <= sign * before))
    }

    /// A warning where the iteration's own lower steps do not solve the lower level as well as the tolerance asks:
    /// whether the polish does or not, x was chosen for their end.
    fn too_few_steps(&self, ending: &Ending) -> Option<Diagnostic> {
        let steps = self.control.lower_steps()?;
        let (residual, reference) = (ending.before.lower_residual, ending.reference.lower());
        let tolerance = self.options.tol.max(LOWER_SOLVED);
        let doubtful = ending.failure.is_none() && residual > tolerance * reference;
        doubtful.then(|| message::steps_do_not_solve(steps, residual, reference))
    }

    /// A warning where y does not solve the lower level as well as the tolerance asks.
    fn not_solved(&self, ending: &Ending) -> Option<Diagnostic> {
        let (residual, reference) = (ending.report.lower_residual, ending.reference.lower());
        let tolerance = self.options.tol.max(LOWER_SOLVED);
        let small = (tolerance * reference).max(ROUNDING * self.size(&ending.point));
        // at a kink the residual says nothing
        if ending.failure.is_some() || residual <= small || ending.verdict.word.is_good() {
            return None;
        }
        if ending.report.is_unknown() {
            return Some(message::end_not_evaluated());
        }
        let limit = self.polish_limit();
        let help = match &ending.polish {
            Some(polish) if polish.evaluations >= limit => "allow the polish more steps with `--polish N`",
            Some(_) => "the polish cannot improve it: only rounding is left, or there is no minimum in reach",
            None if limit == 0 => "leave `--polish 0` out: the polish solves it at the final x",
            None => "the run stopped early, without a polish",
        };
        Some(message::lower_level_not_solved(residual, reference, help))
    }

    fn variables(&self, level: &Level, point: &[Vec<f64>]) -> Vec<(String, Array)> {
        let array = |formal: usize| Array::new(self.shape(formal), point[formal].clone());
        level.variables.iter().map(|v| (v.name.clone(), array(v.formal))).collect()
    }

    /// The sizes of a formal.
    pub(crate) fn shape(&self, formal: usize) -> Vec<usize> {
        let sizes = self.problem.formals[formal].shape.sizes(&self.data.sizes);
        sizes.expect("a variable of a run has sizes")
    }

    /// A function of the problem's formals at a point.
    fn value_at(&self, function: &Function, point: &[Vec<f64>]) -> Result<BoundProgram<f64>, Box<Diagnostic>> {
        let mut machine = BoundProgram::<f64>::new(function, self.problem, &self.data, self.options.threads)?;
        for v in self.problem.variables() {
            machine.set(v.formal, &point[v.formal]);
        }
        machine.run();
        Ok(machine)
    }

    /// Distances to what the literature knows.
    fn errors(&self, ending: &Ending) -> Result<Vec<KnownError>, Box<Diagnostic>> {
        let (function, names) = known_distances(self.problem);
        let machine = self.value_at(&function, &ending.point)?;
        if self.is_stopped() {
            let unknown = |name| KnownError { name, dist: f64::NAN, err: f64::NAN };
            return Ok(names.into_iter().map(unknown).collect());
        }
        let report = &ending.report;
        let upper = self.problem.upper().sign() * report.upper;
        let lower = self.problem.lower().sign() * (report.smooth + report.regularizer);
        Ok(errors(names, |i| machine.scalar(i), [upper, lower]))
    }
}
