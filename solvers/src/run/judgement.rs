//! What is known of the end of a run, tested in one place for every method: y against the lower level solved from
//! elsewhere, x against points around it and against the start, all by the reduced objective (`reduced`). `converged` is
//! what these tests say of the problem; that a method has met its own stop is not enough, and not needed.
//!
//! A run never returns less than it has seen: where the start with its lower level solved is better than the end, it is
//! the result.

use blo_engine::model::problem::LevelId;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::report::Report;
use crate::lower::global::Effort;
use crate::options::run_options::SearchOptions;
use crate::reduced::{Around, Reduced, ReducedPoint};
use crate::run::finish::Ending;
use crate::run::rows::judgement::ROUNDS;
use crate::run::state::{MovedStart, Run};
use crate::small::search::{SMALL, Small, is_out_of_reach};
use crate::solution::Status;
use crate::solution::verdict::{Entry, Flat, Open, Place, Remark, Verdict, Word, entry_name};
use crate::tolerances::LOWER_SOLVED;

/// The budget of the tests in flops, whatever the run has cost, and as a share of its work.
pub(super) const LEAST: f64 = 3e7;
const SHARE: f64 = 0.1;
const OF_CONVEX: f64 = 0.4;

/// Evaluations that a short solve of the lower level takes.
const SOLVE: f64 = 10.0;

/// The budget of a search in flops, and as a share of the run's work after an end that is certified already.
const SEARCH: f64 = 1.5e8;
const FEW: f64 = 4e6;
const CERTIFIED: f64 = 0.2;

/// The budget of a search over KKT points in flops.
const CONDITIONS: f64 = 3e8;

/// Share of it that a look around what the search has found may take.
const LOOK: f64 = 0.3;

/// The budget of the look around the end of a search where that was cut short, in budgets of a search.
const LAST_LOOK: f64 = 4.0;

/// A look that this many solves of the lower level do not fit in is not begun.
const FEW_SOLVES: f64 = 40.0;

/// Looks around the end of a search, each followed by a descent from what it finds.
const LOOKS: usize = 4;

/// How often a search goes on after its end was too good, and the share of its budget that it has each time.
const AGAIN: usize = 6;
const REST: f64 = 0.2;

/// How often a method goes on from another point.
const MOST_STARTS: usize = 3;

/// Local solves that look for another lower solution at a point that a run may return: so many and some per lower entry,
/// up to a limit. The evaluations that the budget has to hold for each of them, and the solves at other points.
const STARTS: usize = 20;
const PER_ENTRY: usize = 10;
const MOST_LOWER_STARTS: usize = 100;
const OF_A_START: f64 = 1000.0;
const OTHERS: usize = 6;

/// What a better point has to gain to be worth warnings, as a share of the range of values.
const VISIBLE: f64 = 1e-3;

/// What a search has to gain for its point to take the place of the method's, as a share of the range of values.
const DIGITS: f64 = 1e-9;

/// The least tolerance for the upper objective: what a point nearby may gain, as a share of the range of values met.
const UPPER_SOLVED: f64 = 1e-5;

/// What the tests have found.
struct Findings {
    /// The end of the method, by the reduced objective.
    end: ReducedPoint,
    /// Local solves that look for another lower solution at a point that may be returned.
    starts: usize,
    /// Those that have looked for one at the best point.
    tried: usize,
    /// How far the lower objective falls there from where y starts.
    drop: f64,
    /// The best point that the run may return.
    best: ReducedPoint,
    /// Where it is from, if it is not the end.
    place: Option<Place>,
    /// Points around it that are better by more than the tolerance.
    around: Around,
    /// x is where it started.
    still: bool,
    /// Entries of x with their values at the start.
    x_start: Vec<f64>,
    distinct: Vec<ReducedPoint>,
    /// y is at a local minimizer: a solve that begins there ends there, above the best one known.
    local: bool,
}

/// What is missing of a verdict; `kept`: a lower solution that counts and that the run may not go to.
fn open(complete: bool, kept: Option<Place>) -> Option<Open> {
    match kept {
        Some(Place::Preferred) => Some(Open::Preferred),
        _ => (!complete).then_some(Open::CutShort),
    }
}

impl Findings {
    /// A difference of the lower objective that counts.
    fn enough(&self) -> f64 {
        LOWER_SOLVED * self.drop.max(self.end.lower.abs())
    }

    /// True where a lower objective is above the least one that was found at the end.
    fn is_deeper(&self, value: f64) -> bool {
        value - self.end.lower > self.enough()
    }
}

impl<'a, T: Scalar> Run<'a, T> {
    /// Judges the end of the run, and moves it to a better point where one is known and the run may return it.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn judge(&mut self, ending: &mut Ending) -> Result<Option<MovedStart>, Box<Diagnostic>> {
        ending.polished = ending.report.upper;
        let own_end = matches!(ending.status, Status::Converged | Status::IterationLimit);
        let failed = matches!(ending.status, Status::Diverged | Status::NotFinite);
        let searches = self.options.search.is_some();
        if ending.status == Status::NotFinite && !searches && self.given.stop.reason().is_none() {
            self.explain_by_lower_rows(ending)?;
        }
        let wanted = own_end || failed && searches;
        let stopped = self.given.stop.reason().is_some();
        if !wanted || self.resamples() || stopped || self.is_too_short_to_judge() && !self.problem.has_rows() {
            ending.status = self.without_judgement(ending.status);
            return Ok(None);
        }
        self.release_programs();
        if self.problem.has_rows() {
            self.judge_rows(ending, ROUNDS)?;
            if ending.status == Status::NotFinite {
                self.explain_by_lower_rows(ending)?;
            }
            return Ok(None);
        }
        let mut reduced = Reduced::new(self.problem, self.given, self.options.threads, self.options.seed)?;
        let tested = self.test(&mut reduced, ending);
        let stopped = self.given.stop.reason();
        if stopped.is_some() {
            // what was computed last is void
            self.given.stop.finish();
        }
        let Some(findings) = tested.filter(|_| stopped.is_none()) else {
            let far = reduced.far_away.take().filter(|_| stopped.is_none());
            ending.status = match (&ending.ray, far) {
                (Some(_), _) => Status::Unbounded,
                (None, Some(far)) => self.gone_to(ending, &far),
                (None, None) => self.without_judgement(ending.status),
            };
            return Ok(None);
        };
        let new_start = self.new_start(ending, &findings);
        if new_start.is_none() {
            self.conclude(&mut reduced, ending, findings)?;
        }
        Ok(new_start)
    }

    /// True where the budget of the tests, a share of the run, does not hold a single solve of the lower level.
    fn is_too_short_to_judge(&self) -> bool {
        let solve = SOLVE * self.report.flops() as f64;
        solve > LEAST && OF_CONVEX * (self.gradients() as f64) < SOLVE && self.options.search.is_none()
    }

    /// Where a method goes on from, if its end shows that it could not see where to go, or followed another lower
    /// solution.
    fn new_start(&self, ending: &Ending, found: &Findings) -> Option<MovedStart> {
        if !self.is_refined()
            || self.options.search.is_some()
            || !self.has_steps_left()
            || self.moved.len() >= MOST_STARTS
        {
            return None;
        }
        let beside = found.around.clone().best().filter(|_| found.still);
        let (to, why) = match beside {
            Some(to) if found.around.flat => (to, "the upper objective is flat at the start and better elsewhere"),
            Some(to) => (to, "the start is stationary, and no minimizer"),
            None if found.is_deeper(self.lower_value(ending)) => {
                let why = match found.local {
                    true => "y was a local minimizer of the lower level, and a better one is known",
                    false => "y did not solve the lower level, and a better y is known",
                };
                (found.end.clone(), why)
            }
            None => return None,
        };
        let mut point = self.start_point();
        self.put(&mut point, &to);
        Some(MovedStart { point, why: why.to_owned(), iteration: self.k })
    }

    /// Makes the tests.
    fn test(&self, reduced: &mut Reduced<'a>, ending: &mut Ending) -> Option<Findings> {
        let search = self.options.search;
        let work = self.gradients() as f64 * reduced.lower.cost();
        // solves of a convex level are short, and the tests have to be complete to say anything
        let share = if reduced.lower.facts.convex { OF_CONVEX } else { SHARE };
        let budget = LEAST.max(share * work);
        reduced.lower.budget = budget;
        let [upper, lower] = [LevelId::UPPER, LevelId::LOWER].map(|level| self.problem.range(level));
        let start = self.start_point();
        let [x_start, x_end] = [&start, &ending.point].map(|p| p[upper.clone()].concat());
        reduced.scale_by(&[&x_start, &x_end]);
        let starts = self.other_starts(reduced);
        let y_end = ending.point[lower.clone()].to_vec();
        reduced.reach_from(&x_end, &y_end);
        let end = reduced.thorough(&x_end, &[&y_end], starts);
        let tried = reduced.lower.tried;
        let effort = Effort { starts: starts.min(OTHERS), stream: 1 };
        let ray = reduced.lower.ray.take();
        let begun = reduced.choosing(&x_start, &[&start[lower.clone()]], effort);
        if end.is_none() && (search.is_none() || begun.is_none()) {
            ending.ray = ray;
        }
        let end = end.or_else(|| begun.clone().filter(|_| search.is_some()))?;
        [Some(&end), begun.as_ref()].into_iter().flatten().for_each(|p| reduced.see(p));
        reduced.calibrate(&end);
        let own = ReducedPoint { x: x_end.clone(), y: ending.followed.clone(), ..end.clone() };
        let drop = reduced.drop_at(&end);
        let still = x_start == x_end;
        let mut found = Findings {
            best: end.clone(),
            starts,
            tried,
            drop,
            place: None,
            around: Around::default(),
            still,
            x_start,
            distinct: Vec::new(),
            local: false,
            end,
        };
        if found.is_deeper(self.lower_value(ending)) {
            let own = reduced.solved_from(&x_end, &y_end);
            found.local = own.is_some_and(|own| found.is_deeper(own));
        }
        found.around = reduced.around(&found.best);
        let met = self.incumbent.as_ref().filter(|met| met.point[upper.clone()].concat() != x_end);
        let met = met.and_then(|met| reduced.at(&met.point[upper].concat(), &[&met.point[lower]], effort));
        for (point, place) in [(begun, Place::Start), (met, Place::Met)] {
            let Some(point) = point.filter(|p| self.gains(reduced, &found.best, p)) else { continue };
            let (point, _) = reduced.tested(&point, starts);
            if self.gains(reduced, &found.best, &point) {
                (found.best, found.place, found.tried) = (point, Some(place), reduced.lower.tried);
            }
        }
        if found.place.is_some() {
            found.around = reduced.around(&found.best);
        }
        if let Some(search) = search {
            self.search(reduced, &mut found, &own, search, work);
        }
        let budget = search.map_or(budget, |search| search.effort * LAST_LOOK * SEARCH);
        if !found.around.complete && budget > FEW_SOLVES * SOLVE * reduced.lower.cost() {
            // the budget of the tests ended before they did: the look around the end has one of its own, if it can end in it
            reduced.lower.budget = reduced.lower.spent + budget;
            found.around = reduced.around(&found.best);
        }
        let gains = |p: &ReducedPoint| self.gains(reduced, &found.best, p);
        let Around { near, far, .. } = found.around.clone();
        found.around = Around { near: near.filter(gains), far: far.filter(gains), ..found.around };
        Some(found)
    }

    /// Searches from the best point so far, and looks around what it finds. `work` is what the run has cost.
    fn search(
        &self,
        reduced: &mut Reduced<'a>,
        found: &mut Findings,
        own: &ReducedPoint,
        search: SearchOptions,
        work: f64,
    ) {
        let best_around = found.around.clone().best().filter(|p| self.gains(reduced, &found.best, p));
        let facts = reduced.lower.facts;
        let unique = !facts.linear && !facts.chooses();
        let certified = facts.convex && unique && found.best.solved && found.around.complete && best_around.is_none();
        // a certified end leaves little to look for
        let (least, share) = if certified { (FEW, CERTIFIED) } else { (SEARCH, SHARE) };
        let budget = search.effort * least.max(share * work);
        reduced.lower.budget = reduced.lower.spent + budget;
        let known: Vec<&ReducedPoint> = [&found.best, &found.end].into_iter().chain(&best_around).collect();
        found.distinct = reduced.search(&known, own, search.starts);
        if !certified {
            found.distinct.extend(self.by_conditions(reduced, &found.best, search));
            found.distinct.sort_by(ReducedPoint::order);
        }
        self.settle(reduced, found, budget);
    }

    /// Takes the best end of a search that many lower starts confirm.
    fn settle(&self, reduced: &mut Reduced<'a>, found: &mut Findings, budget: f64) {
        let mut sure = (found.best.clone(), found.place, found.around.clone(), found.tried);
        for round in 0..=AGAIN {
            self.look_beyond(reduced, found, budget);
            if !reduced.lower.remembers() || found.best.x == sure.0.x {
                return;
            }
            reduced.lower.budget = reduced.lower.spent + budget.max(LEAST);
            let (tested, holds) = reduced.tested(&found.best, found.starts);
            found.tried = reduced.lower.tried;
            if holds {
                return;
            }
            // the value was too good, and others may be, too
            reduced.lower.budget = reduced.lower.spent + REST * budget.max(LEAST);
            found.end = reduced.again(&found.end);
            sure.0 = reduced.again(&sure.0);
            if self.gains(reduced, &sure.0, &tested) {
                let around = reduced.around(&tested);
                sure = (tested.clone(), Some(Place::Search), around, found.tried);
            }
            (found.best, found.place, found.around, found.tried) = sure.clone();
            if round < AGAIN {
                found.distinct.push(tested);
                found.distinct = reduced.resumed(&found.distinct);
            }
        }
    }

    /// Looks around the best end of a search, where it is better than the best point so far.
    fn look_beyond(&self, reduced: &mut Reduced<'a>, found: &mut Findings, budget: f64) {
        let Some(mut best) = found.distinct.first().cloned().filter(|p| p.is_better(&found.best)) else { return };
        best = self.settled(reduced, best);
        if self.gains(reduced, &found.best, &best) {
            found.place = Some(Place::Search);
            for look in 0..=LOOKS {
                reduced.lower.budget = reduced.lower.spent + LOOK * budget.max(LEAST);
                found.around = reduced.around(&best);
                // what a look finds is used, or said where it is the last one
                let better = found.around.clone().best().filter(|p| self.gains(reduced, &best, p));
                let Some(better) = better.filter(|_| look < LOOKS) else { break };
                best = reduced.descend(&better);
            }
        }
        found.best = best;
    }

    /// What a search over KKT points of the lower level finds, for small problems that it can take: where the lower level is
    /// not convex, or its solutions jump, the reduced objective has ends that no step along it leaves.
    fn by_conditions(
        &self,
        reduced: &mut Reduced<'a>,
        best: &ReducedPoint,
        search: SearchOptions,
    ) -> Option<ReducedPoint> {
        let entries = best.x.len() + best.y.iter().map(Vec::len).sum::<usize>();
        if entries > SMALL || is_out_of_reach(self.problem) || self.given.stop.is_set() {
            return None;
        }
        let (threads, seed) = (self.options.threads, self.options.seed);
        let mut start = self.start_point();
        let lower = start.drain(self.problem.range(LevelId::UPPER).end..).take(best.y.len()).collect::<Vec<_>>();
        let mut small = Small::new(self.problem, self.given, threads, seed, [start.concat(), lower.concat()]).ok()?;
        small.lower.budget = search.effort * CONDITIONS;
        small.propose(&best.x, &best.y.concat());
        while small.step() {}
        let found = small.incumbent?;
        let mut entries = found.y.as_slice();
        let part = |part: &Vec<f64>| {
            let (values, rest) = entries.split_at(part.len());
            entries = rest;
            values.to_vec()
        };
        let y: Vec<Vec<f64>> = best.y.iter().map(part).collect();
        reduced.lower.budget = reduced.lower.spent + LEAST;
        let effort = Effort { starts: self.other_starts(reduced).min(OTHERS), stream: 2 };
        reduced.at(&found.x, &[&y], effort)
    }

    /// True where the second point is better than the first by more than the tolerance.
    pub(super) fn gains(&self, reduced: &Reduced<'_>, from: &ReducedPoint, to: &ReducedPoint) -> bool {
        let enough = reduced.noticeable(from, self.options.tol.max(UPPER_SOLVED));
        // a solve that was cut short proves nothing
        to.solved && (!from.solved || from.upper - to.upper > enough)
    }

    /// Local solves beside those from known points.
    fn other_starts(&self, reduced: &Reduced<'_>) -> usize {
        if reduced.lower.facts.convex {
            return 0;
        }
        let affordable = reduced.lower.budget / (OF_A_START * reduced.lower.cost());
        (affordable as usize).clamp(1, (STARTS + PER_ENTRY * reduced.lower.entries()).min(MOST_LOWER_STARTS))
    }

    /// Why the y of the method is another one than that of the end, where the lower objective does not tell.
    fn other_y(&self, reduced: &Reduced<'_>, own: &ReducedPoint, end: &ReducedPoint) -> Option<Place> {
        match () {
            () if self.gains(reduced, own, end) => Some(Place::Preferred),
            // the lower objective hardly tells the two apart, and F does
            () if reduced.lower.is_delicate() && self.gains(reduced, end, own) => Some(Place::Deeper),
            () => None,
        }
    }

    /// Status, verdict and the point that is returned.
    fn conclude(
        &mut self,
        reduced: &mut Reduced<'a>,
        ending: &mut Ending,
        found: Findings,
    ) -> Result<(), Box<Diagnostic>> {
        let (deeper, enough) = (found.is_deeper(self.lower_value(ending)), found.enough());
        ending.local = found.local;
        let own = ReducedPoint { upper: ending.report.upper, ..found.end.clone() };
        let elsewhere = if deeper { Some(Place::Deeper) } else { self.other_y(reduced, &own, &found.end) };
        let Findings { end, best, mut place, around, distinct, tried, x_start, .. } = found;
        let searched = self.options.search.is_some();
        let failed = searched && ending.failure.is_some();
        let moves = self.is_refined();
        // a better point that the run may not return is still one
        let left = place.filter(|_| !moves).map(|_| best.clone());
        place = match place.or(elsewhere) {
            Some(_) if !moves => None,
            Some(_) if searched => Some(Place::Search),
            // the method itself has no end point
            None if failed => Some(Place::Search),
            other => other,
        };
        // the last digits are worth a move, and rounding is not
        let refined = searched && own.upper - best.upper > reduced.noticeable(&best, DIGITS);
        let failed = failed || searched && self.is_far(reduced, ending);
        let best = if place.is_some() || refined || failed {
            self.move_to(ending, &best)?;
            best
        } else {
            end
        };
        let (best, last) = self.last_look(reduced, ending, best)?;
        let gap = self.lower_value(ending) - best.lower;
        let word = match () {
            () if gap > enough => Word::NotLowerOptimal,
            () if !best.solved || last.remark == Some(Remark::RunsAway) => Word::None,
            () if reduced.lower.facts.convex => Word::Certified,
            () => Word::Plausible,
        };
        let far_away = reduced.far_away.clone().filter(|far| self.gains(reduced, &best, far));
        let runaway = last.on_a_ray.or(far_away);
        let known = |p: &ReducedPoint| self.known(p);
        let (complete, flat_entries) = (around.complete, around.flat_entries.clone());
        let better =
            [around.best(), left].into_iter().flatten().min_by(ReducedPoint::order).or_else(|| runaway.clone());
        let solved = word.is_good() && complete && better.is_none() && (moves || elsewhere.is_none());
        ending.verdict = Verdict {
            word,
            lower_gap: gap.max(0.0),
            starts: tried as u64,
            probes: reduced.evaluations,
            better: better.as_ref().map(known),
            distinct: distinct.iter().map(known).collect(),
            found_by: place,
            open: open(complete, elsewhere.filter(|_| !moves)),
            at_bounds: reduced.at_bounds(&best.x).into_iter().map(|i| self.upper_entry(i, best.x[i])).collect(),
            flat: Vec::new(),
            remark: last.remark,
        };
        reduced.lower.budget = reduced.lower.spent + LEAST;
        for i in flat_entries {
            let beyond = reduced.flat_beyond(&best, i, x_start[i]);
            ending.verdict.flat.push(Flat { entry: self.upper_entry(i, best.x[i]), beyond });
        }
        let own = ReducedPoint { upper: ending.report.upper, ..best.clone() };
        let little = |p: &ReducedPoint| own.upper - p.upper <= reduced.noticeable(&own, VISIBLE);
        let kept = !moves && elsewhere.is_some();
        ending.doubtful = !word.is_good() || !complete || kept || !better.as_ref().is_none_or(little);
        if solved && searched {
            ending.failure = None;
        }
        ending.status = match (solved, runaway) {
            (true, _) => Status::Converged,
            (false, Some(_)) => Status::Diverged,
            (false, None) => self.without_judgement(ending.status),
        };
        Ok(())
    }

    /// An entry of the upper variables, counted over all of them.
    fn upper_entry(&self, mut i: usize, value: f64) -> Entry {
        let shapes = self.problem.upper().variables.iter().map(|v| (&v.name, self.shape(v.formal)));
        for (name, shape) in shapes {
            let length: usize = shape.iter().product();
            if i < length {
                return Entry { name: entry_name(name, &shape, i), value };
            }
            i -= length;
        }
        unreachable!("an entry of x belongs to a variable")
    }

    /// False where the result has to be the method's own iterate, as it is.
    pub(crate) fn is_refined(&self) -> bool {
        self.options.search.is_some() || self.options.polish != Some(0)
    }

    /// The status of an end that the tests do not confirm.
    pub(crate) fn without_judgement(&self, status: Status) -> Status {
        let searched = self.control.leaves_the_start();
        let gave_up = status == Status::IterationLimit && (!self.is_at_its_limit() || searched);
        if status == Status::Converged || gave_up { Status::Stalled } else { status }
    }

    fn lower_value(&self, ending: &Ending) -> f64 {
        ending.report.smooth + ending.report.regularizer
    }

    /// Makes a point of the reduced objective the end.
    pub(super) fn move_to(&mut self, ending: &mut Ending, to: &ReducedPoint) -> Result<(), Box<Diagnostic>> {
        self.put(&mut ending.point, to);
        let report = self.report_at(&ending.point)?;
        // what the method measures belongs to its own iterate
        ending.report = Report { upper_residual: None, method_residual: None, gap: None, ..report };
        Ok(())
    }

    /// Puts the values of the variables into a point.
    fn put(&self, point: &mut [Vec<f64>], from: &ReducedPoint) {
        let mut entries = from.x.as_slice();
        for part in &mut point[self.problem.range(LevelId::UPPER)] {
            let (values, rest) = entries.split_at(part.len());
            part.copy_from_slice(values);
            entries = rest;
        }
        self.put_lower(point, &from.y);
    }
}
