//! From a point to a better one that the lower level agrees with: a solve of the relaxed KKT program with cuts, the lower
//! level solved at its x, and a further cut where that finds a better lower point.

use super::cuts::WithCuts;
use super::kkt::{Point, RELAXATIONS, WARM, is_good};
use super::search::Small;
use crate::lower::constrained::cost;
use crate::nlp::{self, Nlp as _};

/// Iterations of a solve without KKT rows.
const ITERATIONS: usize = 100;

/// Rounds of a refinement.
const ROUNDS: usize = 5;

/// A lower objective within this share of the least one ends the rounds.
const AGREED: f64 = 1e-4;

/// Cuts at once, and where the lower set moves, which makes each of them a solve per evaluation.
const CUTS: usize = 8;
const MOVING_CUTS: usize = 4;

/// Other starts of the lower level within a refinement.
pub(super) const OTHERS: usize = 6;

/// x, y and multipliers.
type Pair = (Vec<f64>, Vec<f64>, Option<Vec<f64>>);

/// How a refinement begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// With little relaxation: the point is near a solution.
    Warm,
    /// With much.
    Full,
    /// Without the KKT rows: cuts alone.
    Cuts,
}

impl Small {
    /// Refines from (x, y); `pool` has the lower points of all refinements so far. Returns whether the incumbent is better.
    pub(super) fn refine(&mut self, x: &[f64], y: &[f64], pool: &mut Vec<Vec<f64>>, mode: Mode) -> bool {
        let before = self.incumbent.as_ref().map(|i| i.upper);
        let (mut x, mut y) = (x.to_vec(), y.to_vec());
        for round in 0..ROUNDS {
            if self.lower.is_over() {
                break;
            }
            let most = if self.lower.facts.fixed { CUTS } else { MOVING_CUTS };
            let cuts: Vec<Vec<f64>> = pool[pool.len().saturating_sub(most)..].to_vec();
            let mode = if round > 0 && mode == Mode::Full { Mode::Warm } else { mode };
            let Some((at_x, at_y, multipliers)) = self.solve_from(&x, &y, &cuts, mode) else { break };
            let solutions = self.lower.solutions(&at_x, &[&at_y], OTHERS);
            self.offer(&at_x, &at_y, multipliers, &solutions);
            let Some(least) = solutions.first() else { break };
            let Some(there) = self.lower.measure(&at_x, &at_y) else { break };
            if there.lower - least.value <= AGREED * (1.0 + least.value.abs()) {
                break;
            }
            pool.push(least.y.clone());
            (x, y) = (at_x, least.y.clone());
        }
        match (before, self.incumbent.as_ref().map(|i| i.upper)) {
            (Some(before), Some(now)) => before - now > AGREED * (1.0 + now.abs()),
            (None, Some(_)) => true,
            _ => false,
        }
    }

    /// x, y and, of KKT points, the multipliers of rows.
    fn solve_from(&mut self, x: &[f64], y: &[f64], cuts: &[Vec<f64>], mode: Mode) -> Option<Pair> {
        let [n, m] = self.lower.values.entries();
        let (z, multipliers) = match mode {
            // without KKT rows there are no multipliers to read
            Mode::Cuts if self.lower.values.read_multipliers() => return None,
            Mode::Cuts => (self.master(&[x, y].concat(), cuts)?, None),
            Mode::Warm | Mode::Full => {
                let z = self.kkt.as_ref()?.begin(&mut self.lower, x, y);
                let relaxations = if mode == Mode::Warm { &RELAXATIONS[WARM..] } else { &RELAXATIONS[..] };
                let z = self.homotopy(&z, relaxations, cuts)?.z;
                let multipliers = z[self.kkt.as_ref()?.layout.multipliers.clone()].to_vec();
                (z, Some(multipliers))
            }
        };
        Some((z[..n].to_vec(), z[n..n + m].to_vec(), multipliers))
    }

    /// A solution path of the relaxed KKT program with cuts.
    pub(super) fn homotopy(&mut self, z: &[f64], relaxations: &[f64], cuts: &[Vec<f64>]) -> Option<Point> {
        let Small { kkt, lower, envelope, .. } = self;
        let kkt = kkt.as_mut()?;
        let (level, flops) = (kkt.layout.level, lower.values.flops());
        kkt.follow(z, relaxations, &mut |program, z, iterations| {
            if lower.is_over() {
                return None;
            }
            let limits = lower.limits(z.len() + program.row_bounds().len() + cuts.len(), iterations);
            let end = if cuts.is_empty() {
                nlp::solve(program, z, None, &limits)
            } else {
                nlp::solve(&mut WithCuts::new(program, level, lower, envelope, cuts), z, None, &limits)
            };
            lower.spent += cost(&end, flops);
            Some(end)
        })
    }

    /// A solution of the program of both levels' rows and the cuts, without KKT rows.
    fn master(&mut self, z: &[f64], cuts: &[Vec<f64>]) -> Option<Vec<f64>> {
        let Small { master, lower, envelope, .. } = self;
        let (level, flops) = (master.row_bounds().len() - 1, lower.values.flops());
        let limits = lower.limits(z.len() + master.row_bounds().len() + cuts.len(), ITERATIONS);
        let end = if cuts.is_empty() {
            nlp::solve(master, z, None, &limits)
        } else {
            nlp::solve(&mut WithCuts::new(master, level, lower, envelope, cuts), z, None, &limits)
        };
        lower.spent += cost(&end, flops);
        is_good(&end).then_some(end.z)
    }
}
