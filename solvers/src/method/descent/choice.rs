//! What a method of the family is: its choice on the four axes with the numbers that belong to it, read from the options
//! once.

use std::rc::Rc;

use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::upper_update::UpperUpdate;
use crate::hypergradient::{self, Estimator, MakeEstimator, Setup};
use crate::lower::dynamics::{self, Dynamics, StepRule};
use crate::lower::trajectory::Trajectory;
use crate::method::StepsStart;
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;

/// The choice on the four axes.
#[derive(Clone, Copy)]
pub(super) struct Axes {
    pub(super) dynamics: &'static Dynamics,
    pub(super) start: StepsStart,
    /// The estimator's name.
    pub(super) gradient: &'static str,
    pub(super) update: UpperUpdate,
}

impl Axes {
    pub(super) fn of(settings: &Settings) -> Axes {
        Axes {
            dynamics: dynamics::by_name(settings.word("dynamics")),
            start: match settings.word("start") {
                "auxiliary" => StepsStart::Auxiliary,
                "warm" => StepsStart::Warm,
                _ => StepsStart::Fixed,
            },
            gradient: settings.word("gradient"),
            update: UpperUpdate::by_name(settings.word("update")),
        }
    }

    /// The estimator, for a working precision.
    pub(super) fn estimator<T: Scalar>(&self) -> Estimator<T> {
        hypergradient::by_name(self.gradient)
    }
}

/// Everything that the options say.
#[derive(Clone)]
pub(super) struct Choice<T: Scalar> {
    pub(super) axes: Axes,
    /// The numbers of the lower steps.
    pub(super) rule: Rc<dyn StepRule>,
    /// Makes the estimator.
    pub(super) estimator: Rc<MakeEstimator<T>>,
    /// K.
    pub(super) lower_steps: u64,
    /// Lower steps from a warm start run again until y is known to a tolerance that falls geometrically (HOAG).
    pub(super) geometric: bool,
    /// Bytes for states of the lower steps.
    pub(super) memory: f64,
    /// Steps of x and of z, where they are stated.
    pub(super) alpha_x: Option<Schedule>,
    pub(super) alpha_z: Option<Schedule>,
}

impl<T: Scalar> Choice<T> {
    pub(super) fn of(settings: &Settings) -> Choice<T> {
        let axes = Axes::of(settings);
        let stated = |name: &str| settings.method.option(name).and_then(|_| settings.stated(name).cloned());
        Choice {
            rule: axes.dynamics.rule(settings),
            estimator: Rc::new(axes.estimator().read(settings)),
            axes,
            lower_steps: settings.integer("K"),
            geometric: settings.has("tol_l") && settings.word("tol_l") == "geometric",
            memory: settings.number("memory"),
            alpha_x: stated("alpha_x"),
            alpha_z: stated("alpha_z"),
        }
    }

    /// Its lower steps, compiled. At most `bytes` are used for states.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn trajectory(&self, setup: &Setup<'_>, bytes: f64) -> Result<Trajectory<T>, Box<Diagnostic>> {
        let Setup { problem, data, threads, lower } = *setup;
        Trajectory::new(problem, data, threads, lower.clone(), (self.rule.clone(), self.lower_steps), bytes)
    }
}
