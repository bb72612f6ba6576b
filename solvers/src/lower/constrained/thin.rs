//! Starts of the lower level where its rows leave little room: equalities, which no sample meets, and thin bands. A sample is
//! moved onto the rows before it is judged by its objective, by Gauss-Newton steps on what it violates; and where the
//! equalities leave a curve, points all along it take the place of samples.

use super::ConstrainedLower;
use crate::nlp::Nlp;
use crate::nlp::dense::Qr;
use crate::nlp::residual::violation;
use crate::vectors::norm;

/// A set is thin that holds less than this share of samples.
const THIN: f64 = 0.05;

/// Steps onto the rows, the shares of one that are tried, and the violation that is none.
const STEPS: usize = 12;
const SHARES: [f64; 4] = [1.0, 0.5, 0.25, 0.1];
const MET: f64 = 1e-9;

/// Samples are moved as long as that costs no more, in flops, and some in any case.
const COST: f64 = 1e7;
const LEAST: usize = 20;

/// Points of a curve from one end of the region to the other, the most of one, and the least of a closed one.
const ALONG: f64 = 130.0;
const MOST: usize = 400;
const FEW: usize = 80;

/// Pieces of curves that are followed, from so many samples.
const PIECES: usize = 4;
const SAMPLES: usize = 20;

/// A point this near to one of a curve, in steps, is on it; a tangent turns by less than this cosine from step to step.
const ON_CURVE: f64 = 1.5;
const TURN: f64 = 0.7;

/// How much shorter a step becomes where a curve turns.
const SHORTER: f64 = 0.5;
const SHORTEST: f64 = 0.02;

impl ConstrainedLower {
    /// True where so many of the samples meet the rows that no more have to be looked for, or where slopes of all rows cost too
    /// much.
    pub(super) fn has_room(&self, meeting: usize, samples: usize) -> bool {
        let roomy = !self.equalities.contains(&true) && meeting as f64 >= THIN * samples as f64;
        roomy || self.large.is_some()
    }

    /// How many samples can be moved onto the rows.
    pub(super) fn movable(&self, samples: usize) -> usize {
        let each = STEPS as f64 / 3.0 * self.cost_of_slopes();
        ((COST / each) as usize).clamp(LEAST.min(samples), samples)
    }

    fn cost_of_slopes(&self) -> f64 {
        (1 + self.bounds.len()) as f64 * (self.values.flops() + super::OVERHEAD)
    }

    /// A point that meets the rows at the x that is in place, near y; `None` where the steps do not lead to one.
    pub(super) fn onto_rows(&mut self, y: &[f64]) -> Option<Vec<f64>> {
        self.moved_onto(y, false)
    }

    /// The same for all rows, or for the equalities alone.
    fn moved_onto(&mut self, y: &[f64], equalities: bool) -> Option<Vec<f64>> {
        let (n, count) = (y.len(), self.equalities.len());
        let ends = self.program.row_bounds().to_vec();
        let kept: Vec<usize> = (0..count).filter(|i| !equalities || self.equalities[*i]).collect();
        let off = |rows: &[f64]| kept.iter().map(|i| violation(&rows[*i..=*i], &ends[*i..=*i]).0).sum::<f64>();
        let (mut y, mut rows) = (y.to_vec(), vec![0.0; count]);
        self.program.values(&y, &mut rows);
        let (mut gradient, mut jacobian) = (vec![0.0; n], vec![0.0; n * count]);
        for _ in 0..STEPS {
            let before = off(&rows);
            if before <= MET {
                return Some(y);
            }
            if !before.is_finite() {
                return None;
            }
            self.program.slopes(&y, &mut gradient, &mut jacobian);
            self.spent += self.cost_of_slopes();
            let violated: Vec<usize> = kept.iter().copied().filter(|i| self.equalities[*i] || rows[*i] > 0.0).collect();
            let qr = Qr::new(n, violated.iter().map(|i| jacobian[i * n..(i + 1) * n].to_vec()));
            let mut step: Vec<f64> = qr.pivots().map(|at| -rows[violated[at]]).collect();
            qr.solve_transposed(&mut step);
            step.resize(n, 0.0);
            qr.apply(&mut step);
            let mut taken = false;
            for share in SHARES {
                let ends = y.iter().zip(&step).zip(&self.bounds);
                let there: Vec<f64> = ends.map(|((y, d), [low, high])| (y + share * d).clamp(*low, *high)).collect();
                self.program.values(&there, &mut rows);
                if off(&rows) < before {
                    (y, taken) = (there, true);
                    break;
                }
            }
            if !taken {
                return None;
            }
        }
        (off(&rows) <= MET).then_some(y)
    }

    /// The points of the curves that equalities leave, near some that meet the rows, each curve in order and true where it
    /// is closed; none where they leave more or less than curves.
    pub(super) fn curves(&mut self, samples: &[Vec<f64>], reach: &[[f64; 2]]) -> Vec<(Vec<Vec<f64>>, bool)> {
        let width = reach.iter().map(|[low, high]| high - low).fold(0.0, f64::max);
        let mut step = width / ALONG;
        let mut found: Vec<(Vec<Vec<f64>>, bool)> = Vec::new();
        for from in samples.iter().take(SAMPLES) {
            let known = |p: &Vec<f64>| distance(p, from) <= ON_CURVE * step;
            if found.len() >= PIECES || found.iter().any(|(curve, _)| curve.iter().any(known)) {
                continue;
            }
            let Some(tangent) = self.tangent(from) else { continue };
            let mut curve = self.followed(from, &tangent, step, reach);
            if curve.1 && curve.0.len() < FEW {
                step *= curve.0.len() as f64 / ALONG;
                curve = self.followed(from, &tangent, step, reach);
            }
            found.push(curve);
        }
        found
    }

    /// The curve through a point, both ways.
    fn followed(&mut self, from: &[f64], tangent: &[f64], step: f64, reach: &[[f64; 2]]) -> (Vec<Vec<f64>>, bool) {
        let (mut points, closed) = self.one_way(from, tangent.to_vec(), step, reach);
        points.insert(0, from.to_vec());
        if closed {
            return (points, true);
        }
        let back = tangent.iter().map(|t| -t).collect();
        let (mut before, _) = self.one_way(from, back, step, reach);
        before.reverse();
        before.extend(points);
        (before, false)
    }

    /// Points on the way along a tangent; true where it comes back.
    fn one_way(&mut self, from: &[f64], mut tangent: Vec<f64>, most: f64, reach: &[[f64; 2]]) -> (Vec<Vec<f64>>, bool) {
        let (mut here, mut step, mut points) = (from.to_vec(), most, Vec::new());
        let mut away = false;
        while points.len() < MOST && step > SHORTEST * most {
            let ahead: Vec<f64> = here.iter().zip(&tangent).map(|(y, t)| y + step * t).collect();
            let there = self.moved_onto(&ahead, true).filter(|there| distance(there, &ahead) <= step);
            let next = there.and_then(|there| self.tangent(&there).map(|t| (there, t)));
            let Some((there, next)) = next else {
                step *= SHORTER;
                continue;
            };
            let cosine: f64 = next.iter().zip(&tangent).map(|(a, b)| a * b).sum();
            if cosine.abs() < TURN {
                step *= SHORTER;
                continue;
            }
            let inside = |(y, [low, high]): (&f64, &[f64; 2])| (*low..=*high).contains(y);
            if !there.iter().zip(reach).all(inside) || there == here {
                break;
            }
            tangent = next.iter().map(|t| cosine.signum() * t).collect();
            here = there;
            away |= distance(&here, from) > ON_CURVE * most;
            if away && distance(&here, from) <= step {
                return (points, true);
            }
            points.push(here.clone());
            step = (step / SHORTER).min(most);
        }
        (points, false)
    }

    /// The direction that the equalities and fixed entries leave; `None` where it is not one.
    fn tangent(&mut self, y: &[f64]) -> Option<Vec<f64>> {
        let (n, count) = (y.len(), self.equalities.len());
        let (mut gradient, mut jacobian) = (vec![0.0; n], vec![0.0; n * count]);
        self.program.slopes(y, &mut gradient, &mut jacobian);
        self.spent += self.cost_of_slopes();
        let rows = (0..count).filter(|i| self.equalities[*i]).map(|i| jacobian[i * n..(i + 1) * n].to_vec());
        let fixed = (0..n).filter(|j| self.bounds[*j][0] == self.bounds[*j][1]);
        let units = fixed.map(|j| (0..n).map(|i| f64::from(u8::from(i == j))).collect());
        let columns: Vec<Vec<f64>> = rows.chain(units).collect();
        if columns.iter().flatten().any(|v| !v.is_finite()) {
            return None;
        }
        let qr = Qr::new(n, columns.into_iter());
        let mut direction = vec![0.0; n];
        (qr.rank() + 1 == n).then(|| {
            direction[n - 1] = 1.0;
            qr.apply(&mut direction);
            direction
        })
    }
}

/// The Euclidean distance.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use crate::fixture::{data, problem};
    use crate::lower::constrained::ConstrainedLower;

    /// Lower levels whose rows leave little room, with entries of p. Their least value is 0, at p, which meets the rows at
    /// every x; waves make many local solutions.
    const LEVELS: [(&str, &[&str], &str, &str); 5] = [
        (
            "a line",
            &["x - 2", "x + 1.5", "2*x - 0.5"],
            "1 - cos(9*(y[3] - p3)) + DISTANCE/50",
            "y[1] + y[2] == y[3];  y[2] - y[1] == 3.5",
        ),
        (
            "a circle",
            &["3*cos(2*x)", "3*sin(2*x)"],
            "2 - cos(6*(y[1] - p1)) - cos(6*(y[2] - p2)) + DISTANCE/10",
            "normsq(y) == 9",
        ),
        (
            "a helix",
            &["cos(4*x)", "sin(4*x)", "4*x"],
            "1 - cos(5*(y[3] - p3)) + DISTANCE/50",
            "y[1] == cos(y[3]);  y[2] == sin(y[3])",
        ),
        (
            "a thin band",
            &["1.5 + x", "1/(1.5 + x)", "x"],
            "1 - cos(5*(y[1] - p1)) + DISTANCE/20",
            "y[1]*y[2] >= 0.999;  y[1]*y[2] <= 1.001;  abs(y[3] - y[1] + 1.5) <= 0.01",
        ),
        ("points", &["x", "x^3 - 2*x"], "DISTANCE/10", "y[2] == y[1]^3 - 2*y[1];  sin(3*(y[1] - x)) == 0"),
    ];

    fn text(p: &[&str], objective: &str, rows: &str) -> String {
        let square = |(i, e): (usize, &&str)| format!("(y[{}] - ({e}))^2", i + 1);
        let squares: Vec<String> = p.iter().enumerate().map(square).collect();
        let mut objective = objective.replace("DISTANCE", &format!("({})", squares.join(" + ")));
        for (i, entry) in p.iter().enumerate() {
            objective = objective.replace(&format!("p{}", i + 1), &format!("({entry})"));
        }
        format!(
            "upper {{ var x in [-1, 1]  minimize normsq(y) }}
             lower {{ var y[{}] in [-10, 10]  minimize {objective}  subject to {{ {rows} }} }}",
            p.len()
        )
    }

    #[test]
    fn the_least_value_is_found_where_rows_leave_little_room() {
        for (name, p, objective, rows) in LEVELS {
            let problem = problem(&text(p, objective, rows));
            let mut lower = ConstrainedLower::new(&problem, &data(&problem), 1, 0).unwrap();
            for i in 0..41 {
                let x = -1.0 + 0.05 * f64::from(i);
                let found = lower.solutions(&[x], &[&vec![0.0; p.len()]], 12);
                let least = found.first().map_or(f64::INFINITY, |s| s.value);
                assert!(least.abs() < 1e-6, "{name} at {x}: {least}");
            }
        }
    }
}
