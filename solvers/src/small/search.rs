//! The search for the least upper objective, phase by phase: KKT points from a few starts, a refinement with cuts, a scan
//! over x, refinements from its best points, a direct search in a few variables. What it has found at any time is its
//! incumbent, a point that the lower level agrees with.

use blo_engine::calculus::{Verdict, rounded};
use blo_engine::data::symmetric;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use super::cuts::Envelope;
use super::kkt::{Kkt, RELAXATIONS, relaxations};
use super::nelder_mead;
use super::refine::{Mode, OTHERS};
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::rows::{Rows, is_beyond_rows, rows};
use crate::formula::set_bounds::within_reach;
use crate::hypergradient::active_rows::at_point::RowsGradient;
use crate::lower::constrained::{ConstrainedLower, JOINTLY, STRICT, Solved, TIE, apart, cost, ends};
use crate::nlp::functions::FunctionNlp;
use crate::nlp::{self, Status};

/// A lower solution this near to a point is what the point stands for.
const STANDS_FOR: f64 = 1e-2;

/// With more entries of both levels there are too many KKT conditions to be solved as one program.
pub(crate) const SMALL: usize = 50;

/// A point whose gap and violation are within the first share owes nothing to tolerances; they are worth the second share
/// of F, about their root.
const EXACT: f64 = 1e-7;
const WORTH: f64 = 1e-2;

/// Other starts of the lower level before a point counts: per entry of y, at least and at most.
pub(crate) const PER_LOWER_ENTRY: usize = 4;
pub(crate) const STARTS: usize = 12;
pub(crate) const MOST_STARTS: usize = 60;

/// Random starts of the first phase.
const RANDOM: usize = 4;

/// How far from zero an entry of x without bounds is looked for.
const REACH: f64 = 10.0;

/// With more entries of x their ranges are not looked for.
const RANGED: usize = 10;

/// Samples of x in a scan: so many per entry beside a first few, up to a limit.
const PER_ENTRY: usize = 20;
const FIRST: usize = 10;
const MOST_SAMPLES: usize = 60;

/// Every so many samples have entries moved to bounds: optima lie on faces and corners.
const SNAPPED: usize = 5;

/// Samples that refinements start from, and how far apart they are, in widths.
const CHOSEN: usize = 3;
const APART: f64 = 0.05;

/// Refinements without progress that end their phase.
const IDLE: usize = 6;

/// With more entries of x a direct search says nothing; its evaluations per entry, and its first step in widths.
const DIRECT: usize = 3;
const EVALUATIONS: usize = 40;
const FIRST_STEP: f64 = 0.02;

/// What is known around a point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// Multipliers of the rows of the upper level, where the KKT conditions have a solution; NaN if it is elsewhere.
    pub(crate) multipliers: Option<Vec<f64>>,
    /// Points of x at which the lower level was solved.
    pub(crate) probes: u64,
    /// All points were tried that have to be.
    pub(crate) complete: bool,
}

/// Steps of probes in widths of an entry's interval, and the entries that are probed.
const PROBES: [f64; 4] = [1e-3, -1e-3, 5e-2, -5e-2];
const MOST_PROBED: usize = 20;

/// The relaxations that are left at a solution.
const AT_THE_END: usize = 6;

/// True where the search cannot take a problem: it needs a lower objective without kinks and sets that are rows. A quotient
/// that is not proved smooth has no kink.
pub(crate) fn is_out_of_reach(problem: &Problem) -> bool {
    let [_, _, smooth, _] = problem.proofs().map(|p| p.verdict == Verdict::Proved);
    let kinked = !smooth && rounded(&problem.lower().objective).is_some();
    problem.lower().regularizer.is_some() || kinked || problem.variables().any(is_beyond_rows)
}

/// A point that the lower level agrees with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Incumbent {
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    /// Multipliers of the lower level's rows, where the upper level reads them and a KKT point has brought them.
    pub(crate) multipliers: Option<Vec<f64>>,
    /// F there.
    pub(crate) upper: f64,
}

/// What a search has to remember between its phases.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    incumbent: Option<Incumbent>,
    phase: usize,
    /// Lower points of the refinements.
    pool: Vec<Vec<f64>>,
    /// Where the refinements of the last but one phase start.
    chosen: Vec<(Vec<f64>, Vec<f64>)>,
    idle: usize,
    spent: f64,
    /// Of the samples of the lower level.
    stream: u64,
    vanishing: Option<Vec<bool>>,
    ranges: Option<Vec<[f64; 2]>>,
}

/// A small problem.
pub(crate) struct Small {
    pub(crate) lower: ConstrainedLower,
    /// The KKT conditions, where there are not too many of them.
    pub(super) kkt: Option<Kkt>,
    pub(super) master: FunctionNlp,
    pub(super) envelope: Envelope,
    /// Hypergradients, where there are too many KKT conditions, and no rows of the upper level beside F.
    pub(super) slope: Option<RowsGradient>,
    range: Option<(FunctionNlp, Vec<(usize, usize)>)>,
    pub(crate) incumbent: Option<Incumbent>,
    memory: Memory,
    upper_lengths: Vec<usize>,
    start: [Vec<f64>; 2],
    pub(super) seed: u64,
}

/// Phases before the refinements from samples.
const SAMPLING: usize = RANDOM + 2;
const REFINING: usize = SAMPLING + 1;
const MODES: [Mode; 3] = [Mode::Warm, Mode::Full, Mode::Cuts];
const POLISHING: usize = REFINING + (CHOSEN + 1) * MODES.len();

impl Small {
    /// The number of phases.
    pub(crate) const PHASES: usize = POLISHING + 2;

    /// Compiles all programs of a search from (x, y).
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
        start: [Vec<f64>; 2],
    ) -> Result<Small, Box<Diagnostic>> {
        let lower = ConstrainedLower::new(problem, data, threads, seed)?;
        let entries: usize = lower.values.entries().iter().sum();
        let kkt = (entries <= SMALL).then(|| Kkt::new(problem, data, threads, &lower)).transpose()?;
        let [above, below] = [LevelId::UPPER, LevelId::LOWER].map(|level| rows(problem, level));
        let slopes = kkt.is_none() && !lower.upper_bounds.is_empty() && !lower.values.read_multipliers();
        let slopes = slopes && above.is_empty();
        let slope = slopes.then(|| RowsGradient::new(problem, data, threads)).transpose()?;
        let f = &problem.lower().objective;
        let of = |rows: &[Rows]| rows.iter().map(|r| r.value.clone()).collect::<Vec<Function>>();
        let both: Vec<usize> = problem.variables().map(|v| v.formal).collect();
        let functions = [of(&below), of(&above), vec![f.clone()]].concat();
        let mut master = FunctionNlp::new(problem, data, threads, &problem.upper().objective, &functions, &both)?;
        let bounds = [&lower.upper_bounds[..], &lower.bounds].concat();
        let kinds: Vec<bool> = below.iter().chain(&above).map(|r| r.equality).collect();
        let lengths = master.row_lengths().to_vec();
        let row_ends: Vec<[f64; 2]> = kinds.iter().zip(&lengths).flat_map(|(e, n)| vec![ends(*e); *n]).collect();
        master.set_bounds(&bounds);
        master.set_row_bounds(&[&row_ends[..], &[[f64::NEG_INFINITY, f64::INFINITY]]].concat());
        let inputs: Vec<(usize, usize)> = problem.lower_inputs().into_iter().map(|i| (i, master.length(i))).collect();
        let envelope = FunctionNlp::new(problem, data, threads, f, &of(&below), &problem.upper_inputs())?;
        let n = lower.upper_bounds.len();
        let range = if n > 0 && n <= RANGED && lower.upper_bounds.iter().flatten().any(|v| v.is_infinite()) {
            let mut p = ProblemGraph::new(problem);
            let weights = p.point("weight", LevelId::UPPER);
            let x = p.x();
            let [left, right] = [&weights, &x].map(|b| b.nodes.iter().copied().map(Some).collect());
            let along = p.dot(&left, &right);
            let objective = p.function("an entry of x", &[along]);
            let functions = [of(&below), of(&above)].concat();
            let mut program = FunctionNlp::new(problem, data, threads, &objective, &functions, &both)?;
            program.set_bounds(&bounds);
            program.set_row_bounds(&row_ends);
            let inputs = p.positions(&weights).into_iter().zip(problem.upper_inputs());
            Some((program, inputs.map(|(w, x)| (w, master.length(x))).collect()))
        } else {
            None
        };
        Ok(Small {
            lower,
            kkt,
            master,
            envelope: Envelope { program: envelope, inputs },
            slope,
            range,
            incumbent: None,
            memory: Memory::default(),
            upper_lengths: lengths[below.len()..below.len() + above.len()].to_vec(),
            start,
            seed,
        })
    }

    /// The search in words with their values, for plans.
    pub(crate) fn describe(&self) -> Vec<(&'static str, String)> {
        let samples = (FIRST + PER_ENTRY * self.lower.upper_bounds.len()).min(MOST_SAMPLES);
        let convex =
            if self.lower.facts.convex { "one solve, as it is proved convex" } else { "solves from several starts" };
        let mut all = vec![
            (
                "phases",
                format!(
                    "{} at most: {SAMPLING} from starts, a scan, {} refinements, a polish",
                    Self::PHASES,
                    (CHOSEN + 1) * MODES.len()
                ),
            ),
            ("budget", format!("{:.0e} flops", self.lower.budget)),
            ("scan", format!("{samples} points of x at most, the lower level solved at each")),
            ("agreement", format!("a point counts where the lower level agrees: {convex}")),
        ];
        if let Some(kkt) = &self.kkt {
            all.push(("eps", relaxations()));
            all.extend(kkt.describe());
        }
        all
    }

    /// What the search has to remember.
    pub(crate) fn memory(&self) -> Memory {
        Memory {
            incumbent: self.incumbent.clone(),
            spent: self.lower.spent,
            stream: self.lower.stream,
            vanishing: self.kkt.as_ref().and_then(|kkt| kkt.vanishing.clone()),
            ..self.memory.clone()
        }
    }

    /// Goes on from what was remembered.
    pub(crate) fn remember(&mut self, memory: Memory) {
        self.incumbent.clone_from(&memory.incumbent);
        (self.lower.spent, self.lower.stream) = (memory.spent, memory.stream);
        if let Some(kkt) = &mut self.kkt {
            kkt.vanishing.clone_from(&memory.vanishing);
        }
        self.memory = memory;
    }

    /// Entries of each array of rows of the upper level.
    pub(crate) fn upper_row_lengths(&self) -> &[usize] {
        &self.upper_lengths
    }

    /// A search in x alone, from a point: the scan, and the direct search around the best point.
    pub(crate) fn search_in_x(&mut self, x: &[f64], y: &[f64]) {
        self.propose(x, y);
        if x.len() <= DIRECT {
            self.sample();
            self.direct();
        }
    }

    /// Offers a point from elsewhere.
    pub(crate) fn propose(&mut self, x: &[f64], y: &[f64]) {
        let solutions = self.lower.solutions(x, &[y], OTHERS);
        self.offer(x, y, None, &solutions);
    }

    /// Looks around a point that the lower level agrees with: it, what the KKT conditions lead to from it, and points of x
    /// nearby and farther away are offered. Without KKT conditions a descent over kinks tells whether the point is a local
    /// minimizer; it ends early where F has fallen by `enough`.
    pub(crate) fn around(&mut self, x: &[f64], y: &[f64], enough: f64) -> Around {
        self.propose(x, y);
        let mut around = Around::default();
        if let Some(z) = self.kkt.as_ref().map(|kkt| kkt.begin(&mut self.lower, x, y))
            && let Some(point) = self.homotopy(&z, &RELAXATIONS[AT_THE_END..], &[])
        {
            // those of another point say nothing of this one
            let same = apart(&point.z[..x.len() + y.len()], &[x, y].concat()) <= STANDS_FOR;
            let known = |v: f64| if same { v } else { f64::NAN };
            let multipliers = point.upper_multipliers.iter().map(|v| known(*v));
            around.multipliers = point.ended_well.then(|| multipliers.collect());
            self.refine(x, y, &mut Vec::new(), Mode::Warm);
        }
        let widths: Vec<f64> = self.reach().iter().map(|[low, high]| high - low).collect();
        let bounds = self.lower.upper_bounds.clone();
        let entries = (0..x.len()).take(MOST_PROBED);
        around.complete = self.lower.is_choice_made() && (x.len() <= MOST_PROBED || self.slope.is_some());
        for (i, step) in entries.flat_map(|i| PROBES.map(|step| (i, step))) {
            let mut beside = x.to_vec();
            beside[i] = (x[i] + step * widths[i]).clamp(bounds[i][0], bounds[i][1]);
            if beside[i] == x[i] {
                continue;
            }
            if self.lower.is_over() {
                around.complete = false;
                break;
            }
            around.probes += 1;
            self.value(&beside, y, STRICT);
        }
        if self.slope.is_some() && around.complete {
            let descent = self.over_kinks(x, y, enough);
            around.probes += descent.probes;
            around.complete = descent.verified;
        }
        around
    }

    /// The next phase. False where there is none, or nothing may be spent any more.
    pub(crate) fn step(&mut self) -> bool {
        let phase = self.memory.phase;
        self.memory.phase += 1;
        if phase >= Small::PHASES || self.lower.is_over() && self.incumbent.is_some() {
            return false;
        }
        let mut pool = self.memory.pool.clone();
        let known = pool.len();
        match phase {
            0..=RANDOM => self.first_point(phase),
            p if p < SAMPLING => {
                let [x, y] = self.start.clone();
                let y = self.lower.solutions(&x, &[&y], OTHERS).into_iter().next().map_or(y, |s| s.y);
                self.refine(&x, &y, &mut pool, Mode::Full);
            }
            SAMPLING => self.sample(),
            p if p < POLISHING => {
                let (place, mode) = ((p - REFINING) / MODES.len(), MODES[(p - REFINING) % MODES.len()]);
                if self.memory.idle < IDLE
                    && let Some((x, y)) = self.memory.chosen.get(place).cloned()
                {
                    let better = self.refine(&x, &y, &mut pool, mode);
                    self.memory.idle = if better { 0 } else { self.memory.idle + 1 };
                }
            }
            POLISHING => {
                if let Some(Incumbent { x, y, .. }) = self.incumbent.clone() {
                    self.refine(&x, &y, &mut pool, Mode::Warm);
                }
            }
            _ => {
                self.direct();
                self.sharpen();
            }
        }
        self.memory.pool.extend(pool.split_off(known));
        true
    }

    /// Takes a point, and what the upper level prefers at its x, for the incumbent where the lower level agrees. Where the
    /// upper level reads multipliers, they are those of the point, if it has some.
    pub(super) fn offer(&mut self, x: &[f64], y: &[f64], multipliers: Option<Vec<f64>>, solutions: &[Solved]) {
        let Some(least) = solutions.first().map(|s| s.value) else { return };
        if self.lower.values.read_multipliers() {
            self.lower.pinned = multipliers;
            self.consider(x, y.to_vec(), least);
            self.lower.pinned = None;
            return;
        }
        let preferred = self.lower.prefer(x, solutions, TIE).map(|c| c.y);
        self.lower.put(x);
        for point in [Some(y.to_vec()), preferred].into_iter().flatten() {
            let near = solutions.iter().find(|s| apart(&s.y, &point) <= STANDS_FOR).map(|s| s.y.clone());
            let near = near.or_else(|| self.lower.descend(&point).map(|s| s.y));
            let near = near.filter(|s| apart(s, &point) <= STANDS_FOR);
            for candidate in near.into_iter().chain([point]) {
                if self.consider(x, candidate, least) {
                    break;
                }
            }
        }
    }

    /// True where both levels agree with the point. Before it counts, the lower level is solved from more starts: what is
    /// found lower is a cut of the next solves.
    pub(super) fn consider(&mut self, x: &[f64], y: Vec<f64>, least: f64) -> bool {
        let Some(m) = self.lower.measure(x, &y) else { return false };
        if m.violation() > JOINTLY || m.lower - least > self.lower.tolerance(least) || !m.upper.is_finite() {
            return false;
        }
        if self.incumbent.as_ref().is_some_and(|i| m.upper >= i.upper) {
            return true;
        }
        if self.lower.values.read_multipliers() {
            self.lower.put(x);
            let read = self.lower.pinned.clone().unwrap_or_else(|| self.lower.multipliers(&y).0);
            if !self.lower.fits(&y, &read) {
                return false;
            }
        }
        if !self.lower.facts.convex {
            let pinned = self.lower.pinned.take();
            let more = self.lower.solutions(x, &[&y], (PER_LOWER_ENTRY * y.len()).clamp(STARTS, MOST_STARTS));
            self.lower.pinned = pinned;
            if let Some(deeper) = more.first().filter(|s| m.lower - s.value > self.lower.tolerance(s.value)) {
                self.memory.pool.push(deeper.y.clone());
                return false;
            }
        }
        let multipliers = self.lower.pinned.clone();
        self.incumbent = Some(Incumbent { x: x.to_vec(), y, multipliers, upper: m.upper });
        true
    }

    /// A KKT point from the start, or from a random x.
    fn first_point(&mut self, number: usize) {
        let [mut x, y] = self.start.clone();
        if number > 0 {
            if x.is_empty() {
                return;
            }
            let mut random = symmetric(self.seed, number as u64, "upper starts");
            let reach = self.reach();
            x = reach.iter().map(|[low, high]| low + (high - low) * f64::midpoint(1.0, random())).collect();
        }
        let solutions = self.lower.solutions(&x, &[&y], OTHERS);
        let y = self.lower.prefer(&x, &solutions, TIE).map_or(y, |c| c.y);
        if !solutions.is_empty() {
            self.offer(&x, &y, None, &solutions);
        }
        let Some(kkt) = &self.kkt else { return };
        let z = kkt.begin(&mut self.lower, &x, &y);
        let layout = kkt.layout.clone();
        let Some(point) = self.homotopy(&z, &RELAXATIONS, &[]) else { return };
        let [x, y, multipliers] = [&layout.x, &layout.y, &layout.multipliers].map(|r| point.z[r.clone()].to_vec());
        let solutions = self.lower.solutions(&x, &[&y], OTHERS);
        self.offer(&x, &y, Some(multipliers), &solutions);
    }

    /// Where entries of x without bounds are looked for.
    pub(super) fn reach(&self) -> Vec<[f64; 2]> {
        self.lower.upper_bounds.iter().map(|b| within_reach(*b, REACH)).collect()
    }

    /// The interval of each entry of x over all points that meet the rows, within reach.
    fn ranges(&mut self) -> Vec<[f64; 2]> {
        let mut reach = self.reach();
        let Some((program, inputs)) = &mut self.range else { return reach };
        let z = self.start.concat();
        let flops = self.lower.values.flops();
        for (i, ends) in reach.iter_mut().enumerate() {
            for (side, sign) in [1.0, -1.0].into_iter().enumerate() {
                if self.lower.upper_bounds[i][side].is_finite() {
                    continue;
                }
                let mut weights = (0..self.lower.upper_bounds.len()).map(|j| if i == j { sign } else { 0.0 });
                for (input, length) in inputs.iter() {
                    program.set(*input, &weights.by_ref().take(*length).collect::<Vec<f64>>());
                }
                let end = nlp::solve(program, &z, None, &self.lower.limits);
                self.lower.spent += cost(&end, flops);
                let found = matches!(end.status, Status::Solved | Status::Acceptable) && end.violation < JOINTLY;
                if found && end.z[i].abs() < 1e3 {
                    ends[side] = end.z[i];
                }
            }
            if ends[0] > ends[1] {
                *ends = within_reach(self.lower.upper_bounds[i], REACH);
            }
        }
        reach
    }

    /// The value at x with the lower level solved, a penalty for what it violates in it, and the lower point.
    fn value(&mut self, x: &[f64], warm: &[f64], tie: f64) -> (f64, Option<Vec<f64>>) {
        let solutions = self.lower.solutions(x, &[warm], OTHERS);
        let Some(chosen) = self.lower.prefer(x, &solutions, tie) else { return (f64::INFINITY, None) };
        if let Some(least) = solutions.first().map(|s| s.value) {
            self.consider(x, chosen.y.clone(), least);
        }
        (chosen.merit, Some(chosen.y))
    }

    /// A scan over x: the points that refinements start from.
    fn sample(&mut self) {
        let n = self.start[0].len();
        let ranges = self.ranges();
        let count = (PER_ENTRY * n + FIRST).min(MOST_SAMPLES);
        let mut random = symmetric(self.seed, 0, "samples of x");
        let mut found: Vec<(f64, Vec<f64>, Vec<f64>)> = Vec::new();
        let warm = self.incumbent.as_ref().map_or_else(|| self.start[1].clone(), |i| i.y.clone());
        for sample in 0..if n == 0 { 0 } else { count } {
            if self.lower.is_over() {
                break;
            }
            let share = |random: &mut dyn FnMut() -> f64| match n {
                1 => sample as f64 / (count - 1) as f64,
                _ => f64::midpoint(1.0, random()),
            };
            let mut x: Vec<f64> = ranges.iter().map(|[low, high]| low + (high - low) * share(&mut random)).collect();
            if n > 1 && sample % SNAPPED == 0 {
                for (v, [low, high]) in x.iter_mut().zip(&ranges) {
                    let draw = random();
                    *v = if draw < -1.0 / 3.0 {
                        *low
                    } else if draw > 1.0 / 3.0 {
                        *high
                    } else {
                        *v
                    };
                }
            }
            let (value, y) = self.value(&x, &warm, TIE);
            found.extend(y.map(|y| (value, x, y)));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let width = |i: usize| (ranges[i][1] - ranges[i][0]).max(f64::MIN_POSITIVE);
        let far =
            |a: &[f64], b: &[f64]| a.iter().zip(b).enumerate().any(|(i, (a, b))| (a - b).abs() > APART * width(i));
        let mut chosen: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        for (_, x, y) in found {
            if chosen.len() < CHOSEN && chosen.iter().all(|(c, _)| far(c, &x)) {
                chosen.push((x, y));
            }
        }
        let [x, y] = self.start.clone();
        let y = self.lower.solutions(&x, &[&y], OTHERS).into_iter().next().map_or(y, |s| s.y);
        chosen.push((x, y));
        self.memory.chosen = chosen;
        self.memory.ranges = Some(ranges);
    }

    /// Gives back what the incumbent owes to the tolerance of its lower level, by a solve of the KKT conditions from it. F may
    /// lose as much as the tolerance is worth.
    fn sharpen(&mut self) {
        let Some(Incumbent { x, y, upper, .. }) = self.incumbent.clone() else { return };
        let Some(z) = self.kkt.as_ref().map(|kkt| kkt.begin(&mut self.lower, &x, &y)) else { return };
        let budget = std::mem::replace(&mut self.lower.budget, f64::INFINITY);
        let point = self.homotopy(&z, &RELAXATIONS[AT_THE_END..], &[]);
        self.lower.budget = budget;
        let (Some(point), Some(kkt)) = (point, &self.kkt) else { return };
        let layout = kkt.layout.clone();
        let [at_x, at_y, multipliers] =
            [&layout.x, &layout.y, &layout.multipliers].map(|r| point.z[r.clone()].to_vec());
        let near = apart(&x, &at_x) <= STANDS_FOR && apart(&y, &at_y) <= STANDS_FOR;
        let Some(least) = self.lower.solutions(&at_x, &[&at_y], OTHERS).first().map(|s| s.value) else { return };
        let reads = self.lower.values.read_multipliers();
        self.lower.pinned = reads.then(|| multipliers.clone());
        let there = self.lower.measure(&at_x, &at_y);
        self.lower.pinned = None;
        let Some(m) = there.filter(|_| near && point.ended_well) else { return };
        let exact = m.lower - least <= EXACT * (1.0 + least.abs()) && m.violation() <= EXACT;
        if exact && (m.upper - upper).abs() <= WORTH * (1.0 + upper.abs()) {
            let multipliers = reads.then_some(multipliers);
            self.incumbent = Some(Incumbent { x: at_x, y: at_y, multipliers, upper: m.upper });
        }
    }

    /// A direct search around the incumbent.
    fn direct(&mut self) {
        let n = self.start[0].len();
        let Some(Incumbent { x, y, .. }) = self.incumbent.clone() else { return };
        if n == 0 || n > DIRECT {
            return;
        }
        let ranges = self.memory.ranges.clone().unwrap_or_else(|| self.reach());
        let steps: Vec<f64> = ranges.iter().map(|[low, high]| (FIRST_STEP * (high - low)).max(1e-6)).collect();
        let bounds = self.lower.upper_bounds.clone();
        let mut value = |x: &[f64]| if self.lower.is_over() { f64::INFINITY } else { self.value(x, &y, STRICT).0 };
        nelder_mead::minimize(&x, &steps, &bounds, EVALUATIONS * n, 1e-7, &mut value);
    }
}
