//! What drives the scalars of an iteration: steps, penalties, whatever else a method does not keep in its state. The
//! driver asks for the scalars before a step, shows the step's signals after it, and takes the step back where the
//! control says so. Methods with stated steps follow their schedules; a method that chooses its steps brings its own.

use std::rc::Rc;

use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::Rows;
use crate::iteration::Scalar;
use crate::iteration::counts::Counts;
use crate::iteration::counts::TrajectoryWork;
use crate::options::schedule::Schedule;
use crate::options::value::Value;

/// Chooses the scalars of every iteration, and whether a step counts.
pub trait Control {
    /// At the start of every pass, with the state at the start point: before iteration 1, and after each
    /// [`Next::EndOfPass`] that is not the last.
    fn begin(&mut self, _: &mut dyn Iterate) {}

    /// An upper residual that others are small against, beside those that the control sees itself: a start that is a
    /// solution, or near one, shows none. Comes after [`Control::begin`].
    fn measure_against(&mut self, _: f64) {}

    /// Writes the scalars of iteration `k`, counted from 1, in the order of
    /// [`Iteration::scalars`](super::Iteration::scalars). A second call before [`Control::judge`] gives the same values.
    /// Does not allocate.
    fn scalars(&mut self, k: u64, values: &mut [f64]);

    /// After the last stage of iteration `k` ran and before its outputs become the state. `signals` are those of all
    /// stages, one after the other; they may be NaN or infinite. `next` is what the last stage leads to. Does not allocate.
    fn judge(&mut self, _: u64, _: &[f64], _: &dyn NextState) -> Verdict {
        Verdict::Accept
    }

    /// After the outputs of iteration `k` became the state.
    fn accepted(&mut self, _: u64, _: &mut dyn Iterate) -> Next {
        Next::Continue
    }

    /// Other tasks: positions for the problem's index inputs. Programs of the control that hold data take them; the
    /// followers are back at their start, unless [`Control::load`] comes next.
    ///
    /// # Errors
    /// When a position is outside of what a program selects from.
    fn select(&mut self, _: &Rows) -> Result<(), Box<Diagnostic>> {
        Ok(())
    }

    /// The rows of another batch: positions for the index inputs of batches. Programs of the control that steps use take
    /// them; what measures curvature looks at all rows.
    ///
    /// # Errors
    /// When a position is outside of what a program selects from.
    fn next_batch(&mut self, _: &Rows) -> Result<(), Box<Diagnostic>> {
        Ok(())
    }

    /// True where the control computes y and a direction at the iterate that a step has led to. New tasks and rows for the
    /// next iteration are then selected before [`Control::accepted`], since what it computes is for that iteration.
    fn looks_ahead(&self) -> bool {
        false
    }

    /// True when the control says when the run has converged; else residuals against the start decide.
    fn decides_convergence(&self) -> bool {
        false
    }

    /// True where the iterate is the start until something sound is found, so that objectives need no value there.
    fn leaves_the_start(&self) -> bool {
        false
    }

    /// Most iterations, where the data say how many there are: the points of a grid.
    fn most(&self) -> Option<u64> {
        None
    }

    /// Evaluations beside those of the steps.
    fn counts(&self) -> Counts {
        Counts::default()
    }

    /// Steps on the lower level in every iteration, where that many should solve it.
    fn lower_steps(&self) -> Option<u64> {
        None
    }

    /// The entries of x where the last solve of the lower level has found nothing.
    fn unsolved_at(&self) -> Option<&[f64]> {
        None
    }

    /// What those steps have cost.
    fn work(&self) -> Option<TrajectoryWork> {
        None
    }

    /// The option that weighs the lower level, where the method has a penalty.
    fn penalty(&self) -> Option<&'static str> {
        None
    }

    /// Warnings about the options and about the run.
    fn warnings(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Values of options that the control has chosen.
    fn chosen(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// How the lower steps of the present iterate have run, where the control runs some beside the stages: for what writes
    /// the iteration down.
    fn lower_run(&self) -> Option<LowerRun> {
        None
    }

    /// Writes all that the control has learnt behind what is there: with it, `load` makes another control of the same run
    /// go on with the same bits. Does not allocate where there is room.
    fn save(&self, _: &mut Vec<u8>) {}

    /// Goes back to what `save` wrote, and writes the parameters that belong to it.
    fn load(&mut self, _: &[u8], _: &mut dyn Iterate) {}
}

/// How the lower steps of an iterate have run.
#[derive(Clone, Debug, PartialEq)]
pub struct LowerRun {
    /// The numbers of every step, in order, for each time that all steps ran, from where they had ended; the last time
    /// counts. Rounds with the same numbers share them.
    pub rounds: Vec<Rc<Vec<Vec<f64>>>>,
}

/// Whether a step counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its outputs are the next state.
    Accept,
    /// The state stays, and the same iteration runs again with the scalars that the control gives then. Costs a step
    /// and no copy.
    Reject,
}

/// How a run goes on after an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// With the next iteration.
    Continue,
    /// The iterate is a candidate for the solution: it is polished and kept if it is the best so far.
    EndOfPass {
        /// By the control's own test, the pass has reached a solution.
        converged: bool,
        /// There is no further pass; else the state goes back to the start.
        last: bool,
    },
}

/// The state and the parameters of an iteration, by position among its inputs. A control that writes state replaces
/// the iterate.
pub trait Iterate {
    /// Copies an input out.
    fn read(&self, input: usize, to: &mut [f64]);

    /// Replaces an input.
    fn write(&mut self, input: usize, values: &[f64]);

    /// Number of entries of an input.
    fn len(&self, input: usize) -> usize;
}

/// What the last stage leads to, by position in what it writes.
pub trait NextState {
    /// Copies a part of the state out.
    fn read(&self, part: usize, to: &mut [f64]);
}

/// Scalars that depend on the iteration alone.
#[derive(Clone, Debug)]
pub(crate) struct Schedules {
    schedules: Vec<Schedule>,
}

impl Schedules {
    /// Those of an iteration whose scalars are all stated.
    pub(crate) fn of(scalars: &[Scalar]) -> Schedules {
        let stated = |s: &Scalar| s.stated.clone().expect("a method without a control of its own states its scalars");
        Schedules { schedules: scalars.iter().map(stated).collect() }
    }
}

impl Control for Schedules {
    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        for (value, schedule) in values.iter_mut().zip(&self.schedules) {
            *value = schedule.at(k);
        }
    }
}
