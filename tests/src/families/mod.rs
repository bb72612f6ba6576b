//! Families of generated problems with the right value of the optimistic optimum, by a closed form where there is one and
//! else by a dense search that knows nothing of the engine. An instance is made from its seed alone; its numbers have few
//! decimals, so that the text holds exactly what the search solves.

mod dead;
mod hinge;
mod linear;
mod polytope;
mod quartics;
mod scales;
mod simplex;
mod summits;
mod units;
mod wells;

use blo_engine::data::Memory;
use blo_solvers::{Observer, Request};

use crate::answer::{Answer, Asked};
use crate::draw::Draw;
use crate::scalar::{CI, LOWER, Scalar, Truth, UPPER};

/// How far f at (x, y) is above its least value at x, relative to `max(1, |f*|)` in the instance's own units.
type Excess = Box<dyn Fn(&[f64], &[f64]) -> f64 + Send + Sync>;

/// A problem with its solution.
pub struct Instance {
    /// Family, seed and kind.
    pub name: String,
    /// The program.
    pub text: String,
    /// Its files.
    pub files: Vec<(&'static str, String)>,
    /// F*, in the user's sign.
    pub best: f64,
    /// The size of F: an answer is right within `UPPER * max(unit, |F*|)`.
    pub unit: f64,
    /// The least and the largest value of phi over X, in the user's sign.
    pub range: (f64, f64),
    excess: Excess,
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Lower-optimal, and F is F*.
    Right,
    /// Not right, and the run did not converge, or warns.
    Said,
    /// Not right, and the run claims that it is.
    Silent,
}

/// A generator.
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// The instance of a seed.
    pub make: fn(u64) -> Instance,
}

/// All families.
pub static FAMILIES: [Family; 9] = [
    Family { name: "linear_follower", make: linear::instance },
    Family { name: "simplex_follower", make: simplex::instance },
    Family { name: "double_well", make: wells::instance },
    Family { name: "wells_in_two", make: quartics::instance },
    Family { name: "dead_start", make: dead::instance },
    Family { name: "summit", make: summits::instance },
    Family { name: "raw_units", make: units::instance },
    Family { name: "hinge", make: hinge::instance },
    Family { name: "scales", make: scales::instance },
];

/// Seeds of a family: `0..SIZE`.
pub const SIZE: u32 = 50;
/// An instance is asked where phi varies over X by so many times the tolerance of an answer.
const SPREAD: f64 = 10.0;

impl Instance {
    /// The difference to F* that an answer may have.
    pub fn tolerance(&self) -> f64 {
        UPPER * self.best.abs().max(self.unit)
    }

    /// Whether there are answers that are clearly wrong.
    fn is_meaningful(&self) -> bool {
        let spread = self.range.1 - self.range.0;
        spread.is_finite() && spread >= SPREAD * self.tolerance()
    }

    /// Runs a method on it.
    ///
    /// # Errors
    /// Why the run has no end.
    pub fn ask(&self, request: &Request, observer: &mut dyn Observer) -> Result<Answer, String> {
        let files = self.files.iter().fold(Memory::new(), |m, (name, text)| m.with(name, text.as_str()));
        Asked::new(&self.name, &self.text, &files).ask(request, observer)
    }

    /// Judges the end of a run.
    pub fn grade(&self, answer: &Answer) -> Grade {
        // NaN fails every comparison
        let solved = (self.excess)(&answer.x, &answer.y) <= LOWER;
        match () {
            () if solved && (answer.upper - self.best).abs() <= self.tolerance() => Grade::Right,
            () if answer.is_silent() => Grade::Silent,
            () => Grade::Said,
        }
    }

    /// What came out beside what is right.
    pub fn shown(&self, answer: &Answer) -> String {
        let Answer { status, warnings, upper, x, y } = answer;
        format!(
            "{:?} {}: {status} {warnings:?} F = {upper:e}, right {:e} +- {:.1e} in {:?}; f above its least by {:.1e}; \
             x = {x:?} y = {y:?}\n{}",
            self.grade(answer),
            self.name,
            self.best,
            self.tolerance(),
            self.range,
            (self.excess)(x, y),
            self.text
        )
    }

    /// The instance of a scalar problem, where its search comes to an end.
    fn of_scalar(name: String, problem: Scalar) -> Option<Instance> {
        let text = problem.text();
        let truth = Truth::new(problem, CI);
        let (best, range) = (truth.best?.phi, truth.range());
        let excess = Box::new(move |x: &[f64], y: &[f64]| truth.excess(x[0], y[0]));
        Some(Instance { name, text, files: Vec::new(), best, unit: 1.0, range, excess })
    }
}

/// The first meaningful instance that a seed draws.
fn drawn(family: u64, seed: u64, attempt: impl Fn(&mut Draw) -> Option<Instance>) -> Instance {
    let mut draw = Draw::new(1000 * family + seed);
    let instances = (0..300).filter_map(|_| attempt(&mut draw));
    let found = instances.into_iter().find(Instance::is_meaningful);
    found.unwrap_or_else(|| unreachable!("family {family}, seed {seed}: one of 300 instances is meaningful"))
}

/// Terms of a sum as the language writes it; `0` without any.
fn sum(terms: &[String]) -> String {
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
}

/// An entry of a variable: a scalar where it has only one.
fn entry(name: &str, count: usize, i: usize) -> String {
    if count == 1 { name.to_owned() } else { format!("{name}[{}]", i + 1) }
}

/// A variable's name with its length.
fn declared(name: &str, count: usize) -> String {
    if count == 1 { name.to_owned() } else { format!("{name}[{count}]") }
}

/// A list of numbers as the language writes it.
fn list(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
    format!("[{}]", numbers.join(", "))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Samples of a function on a grid of an interval with its best point refined: the least value with its place, and the
/// range.
fn scan(low: f64, high: f64, count: usize, f: &mut dyn FnMut(f64) -> f64) -> (f64, f64, (f64, f64)) {
    let place = |i: usize| low + (high - low) * i as f64 / (count - 1) as f64;
    let values: Vec<f64> = (0..count).map(|i| f(place(i))).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut x, mut best) = (place(order[0]), values[order[0]]);
    let isolated = |i: usize| i == 0 || i + 1 == count || (values[i] <= values[i - 1] && values[i] <= values[i + 1]);
    for i in order.into_iter().filter(|i| isolated(*i)).take(4) {
        let found = crate::scalar::golden(place(i.saturating_sub(1)), place((i + 1).min(count - 1)), f);
        if found.1 < best {
            (x, best) = found;
        }
    }
    (x, best, (best, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_meaningful_and_made_from_their_seed() {
        for family in &FAMILIES {
            for seed in [0, 1, 2] {
                let (a, b) = ((family.make)(seed), (family.make)(seed));
                assert!(a.is_meaningful(), "{}: {:?}", a.name, a.range);
                assert_eq!((a.text, a.best.to_bits()), (b.text, b.best.to_bits()));
            }
        }
    }
}
