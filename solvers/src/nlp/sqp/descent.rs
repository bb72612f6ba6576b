//! Solves an elastic quadratic program by descent on its objective `q(d) + price |violation|_1`, which is convex and
//! piecewise quadratic: from any step within the bounds to the minimizer with the active rows and bounds held, with an
//! exact search along the way that may cross the kinks of rows (Conn, Sinclair, Math. Program. 9, 1975; for an l1 penalty
//! all steps are feasible). One row or bound enters or leaves at a time, so that the objective never grows.

use super::working::{Held, NO_MULTIPLIER, ROUNDED, Step, Working, held_step};
use crate::conic::ElasticProgram;
use crate::nlp::dense::times;
use crate::vectors::{dot, largest};

/// A place on the way where the slope changes.
#[derive(Clone, Copy, Debug)]
enum Kink {
    /// A bound ends the way.
    Bound(usize, Held),
    /// A row's end, with the change of the slope.
    Row(usize, Held, f64),
}

/// A step with the state of rows and variables there.
struct Descent<'a> {
    program: &'a ElasticProgram<'a>,
    d: Vec<f64>,
    /// `A d`.
    values: Vec<f64>,
    working: Working,
}

/// The solution; `None` where a matrix is singular or the changes do not end.
pub(super) fn descend(
    program: &ElasticProgram<'_>,
    guess: &Working,
    from: Option<&[f64]>,
    changes: usize,
) -> Option<Step> {
    let first = match from {
        Some(d) => d.to_vec(),
        None => held_step(program, guess).map_or_else(|| vec![0.0; program.gradient.len()], |step| step.d),
    };
    let mut descent = Descent::new(program, guess, first);
    for _ in 0..changes {
        let step = held_step(program, &descent.working)?;
        if !descent.advance(&step.d) {
            continue;
        }
        if !descent.release(&step) {
            return Some(step);
        }
    }
    None
}

impl<'a> Descent<'a> {
    fn new(program: &'a ElasticProgram<'a>, guess: &Working, mut d: Vec<f64>) -> Descent<'a> {
        let mut working = guess.clone();
        for ((d, held), [low, high]) in d.iter_mut().zip(&mut working.bounds).zip(program.bounds) {
            *held = match *d {
                d if d >= *high => Held::High,
                d if d <= *low => Held::Low,
                _ => Held::Free,
            };
            *d = d.clamp(*low, *high);
        }
        let values = times(program.rows, &d);
        let mut descent = Descent { program, d, values, working };
        for i in 0..descent.values.len() {
            let guessed = guess.rows[i];
            let [low, high] = program.row_bounds[i];
            let (value, rounding) = (descent.values[i], descent.rounding(i));
            let at = |end: f64| (value - end).abs() <= rounding;
            descent.working.rows[i] = match guessed {
                Held::High | Held::Over if at(high) => Held::High,
                Held::Low | Held::Under if at(low) => Held::Low,
                _ if low == high && at(high) => Held::High,
                _ if value > high => Held::Over,
                _ if value < low => Held::Under,
                _ => Held::Free,
            };
        }
        descent
    }

    fn row(&self, i: usize) -> &'a [f64] {
        let n = self.d.len();
        &self.program.rows[i * n..(i + 1) * n]
    }

    /// The error of a row's value.
    fn rounding(&self, i: usize) -> f64 {
        ROUNDED * self.row(i).iter().zip(&self.d).map(|(a, d)| (a * d).abs()).sum::<f64>().max(1.0)
    }

    /// Goes towards a step as far as the objective falls; true where that is all the way, and nothing was met.
    fn advance(&mut self, to: &[f64]) -> bool {
        let way: Vec<f64> = to.iter().zip(&self.d).map(|(to, d)| to - d).collect();
        let rates = times(self.program.rows, &way);
        let bend = times(self.program.hessian, &way);
        let curvature = dot(&bend, &way);
        let mut slope = dot(self.program.gradient, &way) + dot(&bend, &self.d);
        for (held, rate) in self.working.rows.iter().zip(&rates) {
            slope += match held {
                Held::Over => self.program.penalty * rate,
                Held::Under => -self.program.penalty * rate,
                _ => 0.0,
            };
        }
        let mut met = None;
        let mut at = 1.0;
        let mut crossed = false;
        for (place, kink) in self.kinks(&way, &rates) {
            if slope + place * curvature >= 0.0 {
                break;
            }
            match kink {
                Kink::Bound(..) => {
                    (met, at) = (Some(kink), place);
                    break;
                }
                Kink::Row(_, _, jump) => {
                    slope += jump;
                    crossed = true;
                    if slope + place * curvature >= 0.0 {
                        (met, at) = (Some(kink), place);
                        break;
                    }
                }
            }
        }
        if met.is_none() && !crossed {
            self.d.copy_from_slice(to);
        } else {
            at = if met.is_none() { (-slope / curvature).clamp(0.0, 1.0) } else { at };
            self.d.iter_mut().zip(&way).for_each(|(d, w)| *d += at * w);
        }
        self.settle(met);
        met.is_none() && !crossed
    }

    /// The kinks on the way, in order.
    fn kinks(&self, way: &[f64], rates: &[f64]) -> Vec<(f64, Kink)> {
        let mut kinks = Vec::new();
        for (i, held) in self.working.bounds.iter().enumerate().filter(|(_, h)| **h == Held::Free) {
            let [low, high] = self.program.bounds[i];
            let (end, side) = if way[i] > 0.0 { (high, Held::High) } else { (low, Held::Low) };
            if way[i] != 0.0 && *held == Held::Free {
                kinks.push((((end - self.d[i]) / way[i]).max(0.0), Kink::Bound(i, side)));
            }
        }
        for (i, (held, rate)) in self.working.rows.iter().zip(rates).enumerate() {
            let [low, high] = self.program.row_bounds[i];
            let jump = self.program.penalty * rate.abs();
            let mut push = |end: f64, side: Held| {
                let place = (end - self.values[i]) / rate;
                if place.is_finite() && place < 1.0 {
                    kinks.push((place.max(0.0), Kink::Row(i, side, jump)));
                }
            };
            match held {
                Held::Free if *rate > 0.0 => push(high, Held::High),
                Held::Free if *rate < 0.0 => push(low, Held::Low),
                Held::Over if *rate < 0.0 => {
                    push(high, Held::High);
                    push(low, Held::Low);
                }
                Held::Under if *rate > 0.0 => {
                    push(low, Held::Low);
                    push(high, Held::High);
                }
                _ => {}
            }
        }
        kinks.retain(|(place, _)| *place < 1.0);
        kinks.sort_by(|a, b| a.0.total_cmp(&b.0));
        kinks
    }

    /// The state at the new step, with the kink that has ended the way held.
    fn settle(&mut self, met: Option<Kink>) {
        if let Some(Kink::Bound(i, side)) = met {
            self.d[i] = self.program.bounds[i][usize::from(side == Held::High)];
            self.working.bounds[i] = side;
        }
        self.values = times(self.program.rows, &self.d);
        for i in 0..self.values.len() {
            let ([low, high], value, rounding) = (self.program.row_bounds[i], self.values[i], self.rounding(i));
            let held = &mut self.working.rows[i];
            *held = match *held {
                Held::Low | Held::High => *held,
                _ if value > high + rounding => Held::Over,
                _ if value < low - rounding => Held::Under,
                // at its end a row is what it has been
                Held::Over if value >= high - rounding => Held::Over,
                Held::Under if value <= low + rounding => Held::Under,
                _ => Held::Free,
            };
        }
        if let Some(Kink::Row(i, side, _)) = met {
            self.working.rows[i] = side;
        }
    }

    /// Lets go of the row or bound whose multiplier is the most wrong; false where none is.
    fn release(&mut self, step: &Step) -> bool {
        let unit = largest(step.y.iter().chain(&step.w)).max(1.0) * NO_MULTIPLIER;
        let price = self.program.penalty;
        let mut worst = (unit, None);
        for (i, (held, y)) in self.working.rows.iter().zip(&step.y).enumerate() {
            let equality = self.program.row_bounds[i][0] == self.program.row_bounds[i][1];
            let (excess, next) = match held {
                Held::Low | Held::High if equality && *y > price => (y - price, Held::Over),
                Held::Low | Held::High if equality && *y < -price => (-y - price, Held::Under),
                Held::High if *y > price => (y - price, Held::Over),
                Held::Low if *y < -price => (-y - price, Held::Under),
                Held::High if !equality => (-y, Held::Free),
                Held::Low if !equality => (*y, Held::Free),
                _ => continue,
            };
            if excess > worst.0 {
                worst = (excess, Some((true, i, next)));
            }
        }
        for (i, (held, w)) in self.working.bounds.iter().zip(&step.w).enumerate() {
            let excess = match held {
                Held::High => -w,
                Held::Low => *w,
                _ => continue,
            };
            if excess > worst.0 {
                worst = (excess, Some((false, i, Held::Free)));
            }
        }
        match worst.1 {
            Some((true, i, next)) => self.working.rows[i] = next,
            Some((false, i, next)) => self.working.bounds[i] = next,
            None => return false,
        }
        true
    }
}
