//! The tree-structured Parzen estimator: James Bergstra, Remi Bardenet, Yoshua Bengio, Balazs Kegl, "Algorithms for
//! hyper-parameter optimization", NeurIPS 2011, section 4. The trials so far are split by their objective; each part is a
//! density, entry by entry, and the next point is the best of some draws from the density of the better part.
//!
//! The upper entries are all there always, so that the tree of the paper is a list, and each entry is chosen for itself.

use std::rc::Rc;

use blo_engine::data::symmetric;
use blo_engine::model::problem::Problem;

use super::trials::{Rule, Trial, search};
use super::{HIGH, LOW, TRIALS};
use crate::formula::problem_graph::ProblemGraph;
use crate::iteration::Built;
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MethodEntry, Range, option};
use crate::options::settings::Settings;
use crate::reduced::space::Space;

/// The entry.
pub(in crate::method) static TPE: MethodEntry = MethodEntry {
    name: "tpe",
    doc: "Bayesian search with a tree-structured Parzen estimator",
    citation: "Bergstra, Bardenet, Bengio, Kegl, NeurIPS 2011",
    formula: &[
        "l the density of the x_j with the least F, the share gamma of all; h that of the others",
        "x_k the draw from l with the largest l(x)/h(x), entry by entry",
        "y_k in argmin f(x_k, .) + g(x_k, .)",
    ],
    requires: &[],
    options: &[
        TRIALS,
        option("gamma", "gamma", Kind::Number(Range::Unit), Some("0.15"), "share of the trials that count as good"),
        option("candidates", "", Kind::Between(1, 10_000), Some("24"), "draws among which the next point is chosen"),
        option("startup", "", Kind::Integer(1), Some("20"), "random points before the first choice"),
        LOW,
        HIGH,
    ],
};

/// The method.
pub(in crate::method) struct Tpe;

impl Method for Tpe {
    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        super::without_upper_variables(problem)
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        let rule = Parzen {
            gamma: settings.number("gamma"),
            candidates: settings.integer("candidates"),
            startup: settings.integer("startup"),
        };
        search(p, Rc::new(rule), super::reach(settings))
    }
}

struct Parzen {
    gamma: f64,
    candidates: u64,
    startup: u64,
}

impl Rule for Parzen {
    fn propose(&self, space: &Space, seed: u64, k: u64, tried: &[Trial]) -> Vec<f64> {
        let mut random = symmetric(seed, k, "parzen estimator");
        let mut unit = || f64::midpoint(1.0, random());
        let entries = 0..space.intervals.len();
        if tried.len() < 2 || k <= self.startup {
            return entries.map(|i| space.entry(i, unit())).collect();
        }
        let mut order: Vec<&Trial> = tried.iter().collect();
        order.sort_by(|a, b| a.order(b));
        let good = ((self.gamma * order.len() as f64).ceil() as usize).clamp(1, order.len() - 1);
        let (good, rest) = order.split_at(good);
        let of = |part: &[&Trial], i: usize| Density::of(part.iter().map(|t| space.share(i, t.x[i])).collect());
        let choose = |i: usize| {
            let (better, worse) = (of(good, i), of(rest, i));
            let draws = (0..self.candidates).map(|_| better.draw(&mut unit));
            let rated = draws.map(|share| (better.at(share) / worse.at(share), share));
            rated.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.5, |(_, share)| share)
        };
        let shares: Vec<f64> = entries.map(choose).collect();
        shares.into_iter().enumerate().map(|(i, share)| space.entry(i, share)).collect()
    }
}

/// A density on [0, 1]: the mean of normal ones that are cut off at the ends, one per trial, and of a wide one in the middle,
/// which is the prior. The deviation of each is the larger distance to its neighbours, the ends being among them.
struct Density {
    /// Middles and deviations.
    parts: Vec<(f64, f64)>,
}

impl Density {
    fn of(mut middles: Vec<f64>) -> Density {
        middles.push(0.5);
        let prior = middles.len() - 1;
        let mut order: Vec<usize> = (0..middles.len()).collect();
        order.sort_by(|a, b| middles[*a].total_cmp(&middles[*b]));
        // as many trials as there are need not have a part each that is narrower than their share
        let least = 1.0 / (1.0 + middles.len() as f64).min(100.0);
        let mut parts = vec![(0.5, 1.0); middles.len()];
        for (place, i) in order.iter().enumerate().filter(|(_, i)| **i != prior) {
            let left = place.checked_sub(1).map_or(0.0, |before| middles[order[before]]);
            let right = order.get(place + 1).map_or(1.0, |after| middles[*after]);
            let deviation = (middles[*i] - left).max(right - middles[*i]);
            parts[*i] = (middles[*i], deviation.clamp(least, 1.0));
        }
        Density { parts }
    }

    fn at(&self, share: f64) -> f64 {
        let part = |(middle, deviation): &(f64, f64)| {
            let z = (share - middle) / deviation;
            let inside = below((1.0 - middle) / deviation) - below(-middle / deviation);
            (-0.5 * z * z).exp() / (deviation * inside)
        };
        let total: f64 = self.parts.iter().map(part).sum();
        total / (std::f64::consts::TAU.sqrt() * self.parts.len() as f64)
    }

    fn draw(&self, unit: &mut dyn FnMut() -> f64) -> f64 {
        let (middle, deviation) = self.parts[((unit() * self.parts.len() as f64) as usize).min(self.parts.len() - 1)];
        // at least a third of a normal density around a point of [0, 1] lies there
        for _ in 0..64 {
            let (radius, angle) = ((-2.0 * unit().max(f64::MIN_POSITIVE).ln()).sqrt(), unit());
            let share = middle + deviation * radius * (std::f64::consts::TAU * angle).cos();
            if (0.0..=1.0).contains(&share) {
                return share;
            }
        }
        middle
    }
}

/// The normal distribution.
fn below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::solved;
    use crate::options::request::Request;
    use crate::solution::Status;

    /// A narrow valley at x = (0.02, 0.7, -0.3), the first on a log scale.
    const VALLEY: &str = "upper {
          var x >= 0  var z[2] in [-1, 1]
          minimize log(y/0.02)^2 + 20*normsq(z - [0.7, -0.3])
        }
        lower { var y >= 1e-6  minimize (y - x)^2 }  start { y = 1 }";

    #[test]
    fn it_finds_a_valley_that_random_points_miss() {
        let run = |method: &str, seed: &str| solved(VALLEY, &Request::new(method).set("seed", seed));
        let mut better = 0;
        for seed in ["0", "1", "2", "3", "4", "5", "6", "7"] {
            let (s, random) = (run("tpe", seed), run("random", seed));
            assert_eq!((s.status, s.iterations), (Status::IterationLimit, 100));
            assert!(s.upper.objective < 0.8, "{seed}: {}", s.upper.objective);
            better += usize::from(s.upper.objective < random.upper.objective);
        }
        assert!(better >= 7, "{better} of 8");
    }

    #[test]
    fn a_seed_gives_one_run() {
        let x = |seed: &str| {
            let s = solved(VALLEY, &Request::new("tpe").set("max_iter", "40").set("seed", seed));
            s.variable("x").unwrap().values[0]
        };
        assert!(x("1") == x("1") && x("1") != x("2"));
    }

    #[test]
    fn a_density_has_the_total_1_and_its_draws() {
        let density = Density::of(vec![0.1, 0.12, 0.8, 0.8, 1.0, 0.0]);
        let cells = 20_000;
        let total: f64 = (0..cells).map(|i| density.at((f64::from(i) + 0.5) / f64::from(cells))).sum();
        assert!((total / f64::from(cells) - 1.0).abs() < 1e-6, "{total}");
        let mut random = symmetric(3, 0, "draws");
        let mut unit = || f64::midpoint(1.0, random());
        let draws: Vec<f64> = (0..4000).map(|_| density.draw(&mut unit)).collect();
        let found = draws.iter().filter(|d| **d < 0.25).count() as f64 / 4000.0;
        let wanted: f64 = (0..5000).map(|i| density.at((f64::from(i) + 0.5) / 20_000.0)).sum::<f64>() / 20_000.0;
        assert!((found - wanted).abs() < 0.03, "{found} {wanted}");
        assert!(draws.iter().all(|d| (0.0..=1.0).contains(d)));
    }
}
