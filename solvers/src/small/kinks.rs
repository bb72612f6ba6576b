//! A descent on `phi(x) = F(x, y(x))` over its kinks: where the set of active rows changes, hypergradients jump, and a
//! descent along that of one side stalls at points that are no minima. Gradients of points nearby are collected, and a step
//! minimizes the largest of their models in a region (a bundle method in a trust region: Schramm, Zowe, SIAM J. Optim. 2,
//! 1992), which is the minimum-norm element of their hull where they meet (gradient sampling: Burke, Lewis, Overton, SIAM J.
//! Optim. 15, 2005). Before the region shrinks, points of it are probed: along the gradients of neighbouring pieces, and at
//! random.
//!
//! Where x has room, curvature is learnt from the steps taken (BFGS, as Lewis and Overton use it, Math. Program. 141, 2013).
//! Every value is a solve of the lower level; a point that nothing of this improves, down to the smallest region, is as good
//! as first-order methods can tell.

use blo_engine::data::symmetric;

use super::refine::OTHERS;
use super::search::Small;
use crate::conic::QuadraticProgram;
use crate::lower::constrained::{STRICT, apart};
use crate::vectors::{dot, largest};

/// The region at first and at most, in widths of entries, and where it is small enough.
const FIRST: f64 = 0.05;
const WIDEST: f64 = 0.5;
const LAST: f64 = 1e-6;

/// What an entry is looked for in, where it has no bounds.
const SMALLER: f64 = 0.25;
const LARGER: f64 = 2.0;

/// Shares of the predicted decrease below which a region shrinks, and above which it grows.
const POOR: f64 = 0.25;
const GOOD: f64 = 0.7;

/// Steps in a row that lead nowhere, after which the region shrinks; a corner of n entries has n + 1 pieces at least.
const NOWHERE: usize = 5;
const PER_ENTRY: f64 = 0.5;

/// Neighbouring pieces and random directions that are probed, both ways.
const PIECES: usize = 4;
const RANDOM: u64 = 2;

/// Differences of F below this share are none.
const ROUNDING: f64 = 1e-9;

/// So many of them are a way, after which the region is probed again.
const FAR: f64 = 1e3;

/// Curvature that makes a step unique, as a share of the slope over the region.
const SLIGHT: f64 = 1e-3;

/// Gradients at once, beside two per entry, but no more than the second number of those.
const GRADIENTS: [usize; 2] = [10, 100];

/// With more entries no curvature is learnt.
const CURVED: usize = 200;

/// What a step's program costs, in flops: at all, and by pairs of entries and gradients.
const PROGRAM: f64 = 50_000.0;
const PER_PAIR: f64 = 200.0;

/// phi at a point with its gradient in widths of entries.
#[derive(Clone)]
struct Sample {
    x: Vec<f64>,
    y: Vec<f64>,
    value: f64,
    slope: Vec<f64>,
}

/// How a descent has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Descent {
    /// Points of x at which the lower level was solved.
    pub(crate) probes: u64,
    /// Nothing improves its end.
    pub(crate) verified: bool,
}

struct Walk {
    here: Sample,
    /// Samples near here, the last ones last.
    bundle: Vec<Sample>,
    radius: f64,
    widths: Vec<f64>,
    /// The learnt curvature, row by row.
    curvature: Option<Vec<Vec<f64>>>,
    nowhere: usize,
    probes: u64,
}

impl Small {
    /// Descends from a point; what is better on the way becomes the incumbent. It ends early where F has fallen by `enough`.
    pub(crate) fn over_kinks(&mut self, x: &[f64], y: &[f64], enough: f64) -> Descent {
        let widths: Vec<f64> = self.reach().iter().map(|[low, high]| high - low).collect();
        let Some(here) = self.sampled(x, y, &widths) else { return Descent::default() };
        let begun = here.value;
        let mut walk =
            Walk { bundle: vec![here.clone()], here, radius: FIRST, widths, curvature: None, nowhere: 0, probes: 1 };
        let mut probed = f64::INFINITY;
        while walk.radius > LAST && begun - walk.here.value < enough {
            if self.lower.is_over() {
                return Descent { probes: walk.probes, verified: false };
            }
            let noise = ROUNDING * (1.0 + walk.here.value.abs());
            if walk.radius < probed && walk.nowhere > 0 {
                probed = walk.radius;
                if self.probe(&mut walk, noise) {
                    continue;
                }
            }
            let (step, predicted) = self.model_step(&walk);
            let there = (predicted > noise).then(|| self.moved(&mut walk, &step)).flatten();
            match there {
                Some(there) if there.value < walk.here.value - noise => {
                    if there.value < walk.here.value - FAR * noise {
                        probed = f64::INFINITY;
                    }
                    walk.take(there, predicted);
                }
                Some(there) => {
                    walk.keep(there);
                    walk.stay();
                }
                // the pieces that are known promise nothing here; before the region shrinks, others are looked for
                None if probed > walk.radius => walk.nowhere += 1,
                None => walk.shrink(),
            }
        }
        Descent { probes: walk.probes, verified: walk.radius <= LAST }
    }

    /// phi at x with its gradient, the lower level solved from y.
    fn sampled(&mut self, x: &[f64], y: &[f64], widths: &[f64]) -> Option<Sample> {
        let solutions = self.lower.solutions(x, &[y], OTHERS);
        let chosen = self.lower.prefer(x, &solutions, STRICT)?;
        self.consider(x, chosen.y.clone(), solutions.first()?.value);
        let solved = solutions.iter().min_by(|a, b| apart(&a.y, &chosen.y).total_cmp(&apart(&b.y, &chosen.y)))?;
        let gradient = self.slope.as_mut()?;
        let active = solved.multipliers.iter().chain(&solved.bound_multipliers).filter(|v| **v != 0.0).count();
        self.lower.spent += gradient.flops(active);
        let slope = gradient.at(x, solved, 0).into_iter().next()?;
        let slope = slope.iter().zip(widths).map(|(g, w)| g * w).collect();
        chosen.merit.is_finite().then_some(Sample { x: x.to_vec(), y: chosen.y, value: chosen.merit, slope })
    }

    /// The sample at a step in widths of entries; `None` where it does not move.
    fn moved(&mut self, walk: &mut Walk, step: &[f64]) -> Option<Sample> {
        let bounds = &self.lower.upper_bounds;
        let ends = walk.here.x.iter().zip(step.iter().zip(&walk.widths)).zip(bounds);
        let x: Vec<f64> = ends.map(|((x, (s, w)), [low, high])| (x + s * w).clamp(*low, *high)).collect();
        if x == walk.here.x {
            return None;
        }
        walk.probes += 1;
        let y = walk.here.y.clone();
        self.sampled(&x, &y, &walk.widths)
    }

    /// Looks at points of the region; true where one of them is better, to which the walk goes.
    fn probe(&mut self, walk: &mut Walk, noise: f64) -> bool {
        let n = walk.here.x.len();
        let solved = self.lower.solutions(&walk.here.x, &[&walk.here.y], OTHERS).into_iter().next();
        let Some((solved, gradient)) = solved.zip(self.slope.as_mut()) else { return false };
        self.lower.spent += (1 + PIECES) as f64 * gradient.flops(solved.y.len() / 2);
        let pieces = gradient.at(&walk.here.x, &solved, PIECES);
        let down = |g: Vec<f64>| g.iter().zip(&walk.widths).map(|(g, w)| -g * w).collect::<Vec<f64>>();
        let mut directions: Vec<Vec<f64>> = pieces.into_iter().map(down).collect();
        for i in 0..RANDOM {
            let mut random = symmetric(self.seed, walk.probes + i, "directions over kinks");
            let direction: Vec<f64> = (0..n).map(|_| random()).collect();
            directions.push(direction.iter().map(|v| -v).collect());
            directions.push(direction);
        }
        let mut best: Option<Sample> = None;
        for direction in directions {
            let size = largest(&direction);
            if size == 0.0 || self.lower.is_over() {
                continue;
            }
            let step: Vec<f64> = direction.iter().map(|d| walk.radius * d / size).collect();
            let Some(there) = self.moved(walk, &step) else { continue };
            walk.keep(there.clone());
            if there.value < best.as_ref().map_or(walk.here.value - noise, |b| b.value) {
                best = Some(there);
            }
        }
        let Some(best) = best else { return false };
        walk.take(best, f64::INFINITY);
        true
    }

    /// The step that minimizes the model, and the decrease that it predicts.
    fn model_step(&mut self, walk: &Walk) -> (Vec<f64>, f64) {
        let (n, here) = (walk.here.x.len(), &walk.here);
        let rows: Vec<(Vec<f64>, f64)> = walk.bundle.iter().map(|s| walk.row(s)).collect();
        let size = largest(rows.iter().flat_map(|(row, _)| &row[..n]));
        if size == 0.0 {
            return (vec![0.0; n], 0.0);
        }
        self.lower.spent += PROGRAM + PER_PAIR * ((n + rows.len()) as f64).powi(2);
        let curvature = walk.curvature.as_ref().filter(|_| walk.nowhere == 0);
        let slight = SLIGHT * size / walk.radius;
        let mut hessian: Vec<Vec<f64>> = (0..=n)
            .map(|i| (0..=n).map(|j| if i < n && j < n { curvature.map_or(0.0, |c| c[i][j]) } else { 0.0 }).collect())
            .collect();
        (0..n).for_each(|i| hessian[i][i] += slight);
        let mut gradient = vec![0.0; n];
        gradient.push(1.0);
        let mut bounds: Vec<[f64; 2]> = Vec::new();
        for (i, [low, high]) in self.lower.upper_bounds.iter().enumerate() {
            let width = walk.widths[i].max(f64::MIN_POSITIVE);
            let [low, high] = [low, high].map(|end| (end - here.x[i]) / width);
            bounds.push([low.clamp(-walk.radius, 0.0), high.clamp(0.0, walk.radius)]);
        }
        let most = 2.0 * n as f64 * size * walk.radius;
        let least = rows.iter().fold(0.0, |m: f64, (_, room)| m.max(*room));
        bounds.push([-most - least, most]);
        let found = QuadraticProgram { hessian: &hessian, gradient: &gradient, rows: &rows, bounds: &bounds }.solve();
        let Some(mut step) = found else { return (vec![0.0; n], 0.0) };
        step.truncate(n);
        let model = |(row, room): &(Vec<f64>, f64)| dot(&row[..n], &step) - room;
        let predicted = -rows.iter().map(model).fold(f64::NEG_INFINITY, f64::max);
        (step, predicted)
    }
}

impl Walk {
    /// `g'd - t <= room` of a sample: with the room that its tangent leaves here.
    fn row(&self, sample: &Sample) -> (Vec<f64>, f64) {
        let back: Vec<f64> = self.between(sample);
        let room = (self.here.value - sample.value + dot(&sample.slope, &back)).abs();
        let mut row = sample.slope.clone();
        row.push(-1.0);
        (row, room)
    }

    /// From here to a sample, in widths.
    fn between(&self, sample: &Sample) -> Vec<f64> {
        let pairs = sample.x.iter().zip(&self.here.x).zip(&self.widths);
        pairs.map(|((a, b), w)| if *w > 0.0 { (a - b) / w } else { 0.0 }).collect()
    }

    /// Goes to a better point; the region follows what was predicted.
    fn take(&mut self, there: Sample, predicted: f64) {
        let step = self.between(&there);
        let share = (self.here.value - there.value) / predicted;
        if share < POOR {
            self.radius *= 0.5;
        } else if share > GOOD && largest(&step) > 0.9 * self.radius {
            self.radius = (LARGER * self.radius).min(WIDEST);
        }
        self.learn(&step, &there.slope);
        self.here = there.clone();
        self.keep(there);
        self.nowhere = 0;
    }

    /// Keeps a sample, and of all those that are near the last ones.
    fn keep(&mut self, sample: Sample) {
        self.bundle.push(sample);
        let [few, many] = GRADIENTS;
        let most = few + (2 * self.here.x.len()).min(many);
        let reach = LARGER * self.radius;
        let here = self.here.x.clone();
        let mut bundle = std::mem::take(&mut self.bundle);
        bundle.retain(|s| s.x == here || largest(&self.between(s)) <= reach);
        let first = bundle.len().saturating_sub(most);
        let own = bundle[..first].iter().position(|s| s.x == here);
        let own = own.map(|at| bundle[at].clone());
        self.bundle = own.into_iter().chain(bundle.split_off(first)).collect();
    }

    /// Counts a step that has led nowhere.
    fn stay(&mut self) {
        self.nowhere += 1;
        let most = NOWHERE + (PER_ENTRY * self.here.x.len() as f64) as usize;
        if self.nowhere > most {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.radius *= SMALLER;
        self.nowhere = 1;
        self.curvature = None;
    }

    /// Learns from a step and the slope at its end.
    fn learn(&mut self, step: &[f64], slope: &[f64]) {
        let n = step.len();
        if n > CURVED {
            return;
        }
        let change: Vec<f64> = slope.iter().zip(&self.here.slope).map(|(a, b)| a - b).collect();
        let (along, length) = (dot(&change, step), dot(step, step));
        if along <= ROUNDING * length.sqrt() * dot(&change, &change).sqrt() {
            return;
        }
        let first = dot(&change, &change) / along;
        let unit = || (0..n).map(|i| (0..n).map(|j| if i == j { first } else { 0.0 }).collect()).collect();
        let matrix: &mut Vec<Vec<f64>> = self.curvature.get_or_insert_with(unit);
        let image: Vec<f64> = matrix.iter().map(|row| dot(row, step)).collect();
        let bend = dot(&image, step);
        for i in 0..n {
            for j in 0..n {
                matrix[i][j] += change[i] * change[j] / along - image[i] * image[j] / bend;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use blo_engine::data::symmetric;
    use blo_engine::model::Bound;

    use crate::conic::{Affine, ConicProgram};
    use crate::fixture::{data, polished, problem};
    use crate::lower::constrained::ConstrainedLower;
    use crate::options::request::Request;
    use crate::solution::{Solution, Status};

    fn automatic(text: &str) -> Solution {
        polished(text, &Request::automatic("auto"))
    }

    /// `phi(x) = sum |R (x - a) + e|`: y is the absolute value, by two rows. Its least value is that of a linear program.
    #[test]
    fn absolute_values_end_at_the_value_of_a_linear_program() {
        for seed in [11, 21, 31] {
            let text = format!(
                "param n = 12  param m = 60
                 data R[m, n] = normal(seed = {seed})  data e[m] = normal(seed = 13)
                 upper {{ var x[n] in [-3, 3]  minimize sum(y) }}
                 lower {{ var y[m]  minimize 1/2*normsq(y)  subject to {{ y >= R*x + e;  y >= -(R*x + e) }} }}"
            );
            let bound = data(&problem(&text));
            let numbers = |i: usize| match &bound.values[i] {
                Bound::Real(numbers) => numbers.values().collect::<Vec<f64>>(),
                Bound::Index(_) => unreachable!("numbers"),
            };
            let (r, e) = (numbers(0), numbers(1));
            let mut program = ConicProgram::default();
            let (x, y) = (program.variables(12, 0.0), program.variables(60, 0.0));
            for (i, row) in r.chunks_exact(12).enumerate() {
                program.cost(&Affine::variable(y.start + i));
                for sign in [1.0, -1.0] {
                    let terms = row.iter().zip(x.clone()).map(|(v, j)| (j, sign * v));
                    let terms = terms.chain([(y.start + i, 1.0)]).collect();
                    program.nonnegative(Affine { terms, constant: sign * e[i] });
                }
            }
            for (j, sign) in x.flat_map(|j| [(j, 1.0), (j, -1.0)]) {
                program.nonnegative(Affine::constant(3.0).plus(sign, &Affine::variable(j)));
            }
            let least = program.solve().unwrap().value;
            let end = automatic(&text);
            assert_eq!(end.status, Status::Converged, "{seed}: {}", end.upper.objective);
            assert!((end.upper.objective - least).abs() <= 1e-5 * least, "{seed}: {} {least}", end.upper.objective);
        }
    }

    /// Lower levels that are convex quadratic programs, with x on the right sides: an end that is called converged is no
    /// higher than any of a thousand points around it. A descent along one side's gradient stalls at the values beside.
    #[test]
    fn quadratic_programs_end_where_nothing_around_is_better() {
        for (seed, p, upper, stalled) in [
            (7, 12, "normsq(y - d) + 0.05*normsq(x)", 73.18),
            (4, 20, "normsq(y - d) + 0.05*normsq(x)", 32.397),
            (1, 12, "w'*y + 0.05*normsq(x)", -48.28),
            (2, 12, "w'*y + 0.05*normsq(x)", -44.08),
        ] {
            let data_of = |i: u32| format!("normal(seed = {})", 100 * seed + i);
            let text = format!(
                "param n = 40  param k = 15  param p = {p}
                 data Q[n, n] = {}  data A[k, n] = {}  data T[k, p] = {}  data B[n, p] = {}
                 data c[n] = {}  data d[n] = {}  data w[n] = {}
                 upper {{ var x[p] in [-2, 2]  minimize {upper} }}
                 lower {{ var y[n]  minimize 1/2*normsq(Q*y)/n + 1/20*normsq(y) + c'*y - x'*(B'*y)/5
                   subject to {{ A*y <= 0.1 + T*x }} }}",
                data_of(1),
                data_of(2),
                data_of(3),
                data_of(4),
                data_of(5),
                data_of(6),
                data_of(7)
            );
            let end = automatic(&text);
            let value = end.upper.objective;
            assert_eq!(end.status, Status::Converged, "{seed}: {value}");
            assert!(value < stalled, "{seed}: {value}");
            let problem = problem(&text);
            let mut lower = ConstrainedLower::new(&problem, &data(&problem), 1, 0).unwrap();
            let [x, y] = ["x", "y"].map(|name| end.variable(name).unwrap().values.clone());
            for draw in 0..1000 {
                let mut random = symmetric(9, draw, "points around an end");
                let radius = 0.4 * 10f64.powf(-5.0 * random().abs());
                let beside: Vec<f64> = x.iter().map(|v| (v + radius * random()).clamp(-2.0, 2.0)).collect();
                let there = lower.solutions(&beside, &[&y], 1).remove(0);
                let upper = lower.measure(&beside, &there.y).unwrap().upper;
                assert!(upper > value - 1e-5 * (1.0 + value.abs()), "{seed}: {upper} {value} {radius}");
            }
        }
    }

    /// At a smooth minimum a few probes are enough.
    #[test]
    fn a_smooth_minimum_takes_few_probes() {
        let end = automatic(
            "data c[60] = normal(seed = 1)
             upper { var x[3] in [-2, 2]  minimize normsq(y - c) + normsq(x) }
             lower { var y[60]  minimize normsq(y - sum(x))  subject to { sum(y) <= 500 } }",
        );
        assert_eq!(end.status, Status::Converged);
        assert!(end.verdict.probes < 150, "{}", end.verdict.probes);
    }
}
