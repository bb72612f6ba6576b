//! Whether a step size is to blame for a bad end. Steps of length s along a gradient are stable below 2/L, with L the
//! largest curvature; a larger one that somebody stated makes every later symptom (no finite value, an unsolved lower
//! level, a hypergradient that does not descend) its own, so that the advice has to name it and nothing else.

use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::lower::curvature::{Extreme, PowerIteration};
use crate::message;
use crate::options::entry::StepOf;
use crate::options::settings::{Origin, Setting};
use crate::options::value::Value;
use crate::run::state::Run;

/// Power iterations; they approach the largest curvature from below, so that fewer blame less.
const ITERATIONS: usize = 30;

/// Warnings that a step which is too large explains.
const SYMPTOMS: [&str; 5] = ["W0604", "W0606", "W0608", "W0611", "W0612"];

/// A step size with a value that the method has not chosen.
struct Step<'a> {
    setting: &'a Setting,
    of: StepOf,
    size: f64,
}

impl<T: Scalar> Run<'_, T> {
    /// Gives warnings that a step explains the advice that names it.
    pub(crate) fn blame_steps(&self, warnings: &mut [Diagnostic]) {
        if !warnings.iter().any(|d| SYMPTOMS.contains(&d.code)) {
            return;
        }
        let blamed = self.too_large_steps();
        for d in warnings.iter_mut().filter(|d| SYMPTOMS.contains(&d.code) && !blamed.is_empty()) {
            d.help.retain(|help| help.starts_with(message::LAST_ITERATION));
            d.help.extend_from_slice(&blamed);
        }
    }

    /// Advice about every stated step in y that is not stable at the start; none where the curvature is not known.
    pub(crate) fn too_large_steps(&self) -> Vec<String> {
        let steps = self.stated_steps();
        let inner = |step: &&Step<'_>| step.of != StepOf::Upper;
        let Some(curvatures) = steps.iter().any(|s| inner(&s)).then(|| self.curvatures(&steps)).flatten() else {
            return Vec::new();
        };
        let advice = |step: &Step<'_>| {
            let (largest, whose) = match step.of {
                StepOf::Upper => return None,
                StepOf::Lower => (curvatures[0], "lower"),
                StepOf::UpperInY => (curvatures[1], "upper"),
            };
            let too_large = largest.is_finite() && largest > 0.0 && step.size > 2.0 / largest;
            too_large.then(|| {
                let automatic = step.setting.entry.default.is_none();
                message::step_too_large(step.setting.entry.name, step.size, largest, whose, automatic)
            })
        };
        steps.iter().filter_map(advice).flatten().collect()
    }

    /// What to do about iterates that run away although no step in y is known to be too large.
    pub(crate) fn runaway_advice(&self) -> String {
        let steps = self.stated_steps();
        let named: Vec<String> = steps.iter().map(|s| format!("`{}`", s.setting.entry.name)).collect();
        match named.as_slice() {
            [] => {
                "no step is stated: an objective may be unbounded below; bound the variables, as in `var x in [-8, 4]`"
                    .to_owned()
            }
            names => format!("decrease {}, or leave the value out: the method then chooses one", names.join(" or ")),
        }
    }

    /// Step sizes from the file, a flag or the table of options.
    fn stated_steps(&self) -> Vec<Step<'_>> {
        let of = |setting: &'_ Setting| -> Option<(StepOf, f64)> {
            let size = match setting.value.as_ref()? {
                Value::Number(v) => *v,
                // either end may be the one that is too large
                Value::Schedule(s) => s.at(1).max(s.at(self.k + 1)),
                _ => return None,
            };
            (setting.origin != Origin::Automatic).then_some((setting.entry.step?, size))
        };
        let steps = self.settings.options.iter();
        steps.filter_map(|setting| of(setting).map(|(of, size)| Step { setting, of, size })).collect()
    }

    /// The largest curvatures in y at the start, of f and of F where a step is stated on it.
    fn curvatures(&self, steps: &[Step<'_>]) -> Option<[f64; 2]> {
        if self.problem.lower().variables.is_empty() || self.is_stopped() {
            return None;
        }
        let upper = steps.iter().any(|s| s.of == StepOf::UpperInY);
        let (threads, seed) = (self.options.threads, self.options.seed);
        let mut curvature = PowerIteration::<T>::new(self.problem, &self.data, threads, seed, upper).ok()?;
        let metric = curvature.unit_metric();
        curvature.go_to(&mut |variable, values| {
            values.iter_mut().zip(&self.start[variable]).for_each(|(slot, v)| *slot = v.to_f64());
        });
        let mut largest = |which| curvature.eigenvalue(which, 1.0, &metric, ITERATIONS, 1.0, 0.0);
        Some([largest(Extreme::Lower), if upper { largest(Extreme::Upper) } else { f64::NAN }])
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{polished, solved};
    use crate::options::request::Request;
    use crate::solution::Solution;

    /// f_yy = 4 + 1, F_yy = 2.
    const RIDGE: &str = "upper { var x in [-1, 1]  minimize (y - 1)^2 + x^2 }
        lower { var y  minimize 2*(y - 3 - x)^2 + 1/2*y^2 }";

    fn help(s: &Solution, code: &str) -> String {
        let found = s.warnings.iter().find(|w| w.code == code);
        found.unwrap_or_else(|| panic!("{code}: {:?} {:?}", s.status, s.warnings)).help.join(" | ")
    }

    #[test]
    fn a_step_beyond_2_over_l_is_named_with_its_bound_and_the_start_is_not_blamed() {
        for method in ["rhg", "cg", "bda"] {
            for size in ["1e3", "1e6"] {
                let s = solved(RIDGE, &Request::new(method).set("s_l", size).set("max_iter", "50"));
                let named = s
                    .warnings
                    .iter()
                    .any(|w| w.help.join(" ").contains("`s_l` = ") && w.help.join(" ").contains("2/L = 0.4"));
                assert!(named, "{method} {size}: {:?}", s.warnings);
                assert!(s.warnings.iter().all(|w| !w.help.join(" ").contains("choose a start")), "{:?}", s.warnings);
            }
        }
        for option in ["beta", "eta"] {
            let s = solved(RIDGE, &Request::new("meha").set(option, "1e6").set("max_iter", "500"));
            let help = help(&s, "W0606");
            assert!(help.contains(&format!("`{option}` = 1e6")) && help.contains("2/L = 0.4"), "{help}");
        }
        let s = solved(RIDGE, &Request::new("bda").set("s_u", "1e6").set("max_iter", "50"));
        assert!(s.warnings.iter().any(|w| w.help.join(" ").contains("`s_u` = ")), "{:?}", s.warnings);
    }

    #[test]
    fn a_step_within_its_bound_is_not_blamed() {
        let s = polished(RIDGE, &Request::new("rhg").set("s_l", "0.01").set("K", "2"));
        assert!(help(&s, "W0611").contains("increase `K`"), "{:?}", s.warnings);
        let text = "upper { var x  minimize x - x^2 + 0*y }  lower { var y  minimize (y - x)^2 }  start { x = 2 }";
        let s = solved(text, &Request::new("meha").set("alpha", "10"));
        assert!(help(&s, "W0606").contains("decrease `alpha`"), "{:?}", s.warnings);
        let s = solved(text, &Request::new("meha"));
        let unnamed = s.warnings.iter().all(|w| !w.help.join(" ").contains("decrease"));
        assert!(unnamed, "{:?}", s.warnings);
    }
}
