//! The hypergradient at a point that solves a lower level with rows, whatever has found it; also those of the pieces beside
//! it, where a row or bound that is nearly active is held, or one whose multiplier is nearly zero is let go.

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use super::{Active, ActiveRows, Solver};
use crate::hypergradient::Setup;
use crate::hypergradient::conjugate::Stop;
use crate::lower::constrained::Solved;
use crate::lower::dynamics::by_name;
use crate::nlp::Nlp;

/// The residual of a large system against its right side, and its products.
const SOLVED: f64 = 1e-10;
const PRODUCTS: u64 = 1000;

/// A row is nearly active up to this value, and so is one with a multiplier up to this share of the largest.
const NEARLY: f64 = 0.05;

/// The hypergradient through active rows, in f64.
pub(crate) struct RowsGradient {
    system: ActiveRows<f64>,
    /// Entries of each variable.
    lengths: [Vec<usize>; 2],
}

/// What a neighbouring piece changes.
enum Change {
    Row(usize, bool),
    Entry(usize, bool),
}

impl RowsGradient {
    /// Compiles for a problem.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<RowsGradient, Box<Diagnostic>> {
        let lower = by_name("gradient").on(problem);
        let setup = Setup { problem, data, threads, lower: &lower };
        let stop = Stop { rtol: SOLVED, atol: 0.0, most: PRODUCTS };
        let system = ActiveRows::new(&setup, Solver::Conjugate(stop))?;
        let upper = system.products.upper_lengths().iter().map(|(_, n)| *n).collect();
        let lengths = [upper, system.products.lower_lengths()];
        Ok(RowsGradient { system, lengths })
    }

    /// What a hypergradient costs beside the solve, in flops, with so many active rows.
    pub(crate) fn flops(&self, active: usize) -> f64 {
        let n = self.lengths[1].iter().sum::<usize>();
        let free = n.saturating_sub(active).min(self.system.dense);
        let products = free as f64 * self.system.products.flops();
        products + 4.0 * (n * active * active) as f64 + (free * free * (n + free / 3)) as f64
    }

    /// The hypergradient at x and its lower solution, then up to `beside` of neighbouring pieces, the nearest first; none
    /// where numbers are not finite or curvature is missing.
    pub(crate) fn at(&mut self, x: &[f64], solved: &Solved, beside: usize) -> Vec<Vec<f64>> {
        let system = &mut self.system;
        system.lower.put(x);
        let arrays = [(x, &self.lengths[0]), (&solved.y[..], &self.lengths[1])].map(|(entries, lengths)| {
            let mut rest = entries;
            let part = |n: &usize| {
                let (part, after) = rest.split_at(*n);
                rest = after;
                part.to_vec()
            };
            lengths.iter().map(part).collect::<Vec<Vec<f64>>>()
        });
        system.ends.at_point(&arrays[0], &arrays[1]);
        system.products.go_to(x, &solved.y, &solved.multipliers);
        let mut active = system.active(solved);
        let mut found = Vec::new();
        let changes = if beside == 0 { Vec::new() } else { nearly(system, solved, &active, beside) };
        found.extend(gradient(system, &active, x.len()));
        for change in changes {
            system.apply(&mut active, &change);
            found.extend(gradient(system, &active, x.len()));
            system.apply(&mut active, &change.undone());
        }
        found
    }
}

impl Change {
    fn undone(&self) -> Change {
        match self {
            Change::Row(i, held) => Change::Row(*i, !held),
            Change::Entry(j, held) => Change::Entry(*j, !held),
        }
    }
}

impl ActiveRows<f64> {
    fn apply(&mut self, active: &mut Active, change: &Change) {
        match change {
            Change::Row(i, true) => {
                let gradient = self.products.row(*i);
                active.rows.push((*i, gradient));
            }
            Change::Row(i, false) => active.rows.retain(|(row, _)| row != i),
            Change::Entry(j, true) => active.entries.push(*j),
            Change::Entry(j, false) => active.entries.retain(|entry| entry != j),
        }
    }
}

fn gradient(system: &mut ActiveRows<f64>, active: &Active, entries: usize) -> Option<Vec<f64>> {
    system.seen.witness = None;
    let through = system.through(active);
    let partial = (0..).map_while(|variable| (variable < system.products.upper_lengths().len()).then_some(variable));
    let partial: Vec<f64> = partial.flat_map(|variable| system.ends.upper(variable).to_vec()).collect();
    let total: Vec<f64> = partial.iter().zip(&through).map(|(p, t)| p - t).collect();
    (system.seen.witness.is_none() && total.len() == entries && total.iter().all(|v| v.is_finite())).then_some(total)
}

/// The changes of one row or entry that are nearest.
fn nearly(system: &mut ActiveRows<f64>, solved: &Solved, active: &Active, most: usize) -> Vec<Change> {
    let mut values = vec![0.0; system.lower.equalities.len()];
    system.lower.program.values(&solved.y, &mut values);
    let multipliers = solved.multipliers.iter().chain(&solved.bound_multipliers);
    let unit = multipliers.fold(f64::MIN_POSITIVE, |m: f64, v| m.max(v.abs()));
    let mut found: Vec<(f64, Change)> = Vec::new();
    for (i, value) in values.iter().enumerate().filter(|(i, _)| !system.lower.equalities[*i]) {
        let held = active.rows.iter().any(|(row, _)| *row == i);
        let distance = if held { solved.multipliers[i].abs() / unit } else { -value };
        found.push((distance, Change::Row(i, !held)));
    }
    for (j, [low, high]) in system.lower.bounds.iter().enumerate().filter(|(_, [low, high])| low < high) {
        let held = active.entries.contains(&j);
        let room = (high - solved.y[j]).min(solved.y[j] - low);
        let distance = if held { solved.bound_multipliers[j].abs() / unit } else { room };
        found.push((distance, Change::Entry(j, !held)));
    }
    found.retain(|(distance, _)| *distance <= NEARLY);
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.into_iter().take(most).map(|(_, change)| change).collect()
}
