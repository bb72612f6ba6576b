//! The caller's look at every iteration. It changes nothing of the run, and its time does not count: the clock of the run
//! stands still meanwhile.

use blo_engine::program::Scalar;

use crate::run::observer::{Follow, Look, Observer};
use crate::run::state::Run;
use crate::run::stop::Watch;
use crate::solution::trace::{Residuals, Seen};

impl<T: Scalar> Run<'_, T> {
    /// Shows the caller where the run is; `is_new`: at an iterate that it has not seen. True where the caller has seen enough.
    pub(super) fn follow(&mut self, is_new: bool, watch: &Watch, observer: &mut dyn Observer) -> bool {
        let follow = observer.follows();
        if follow == Follow::Nothing {
            return false;
        }
        let (begun, seconds) = (observer.seconds(), watch.seconds(observer));
        let counts = self.stages.counts(self.iteration).plus(self.control.counts());
        let look = Look { iteration: self.k, seconds, counts, iterate: None };
        let enough = if follow == Follow::Iterates && is_new {
            let residuals = Residuals::from(&self.report());
            let mut point = self.point();
            point.truncate(self.problem.variables().count());
            // a stop leaves numbers that mean nothing
            let iterate = (!self.is_stopped()).then_some(Seen { point: &point, residuals });
            observer.seen(&Look { iterate, ..look })
        } else {
            observer.seen(&look)
        };
        watch.pause(observer.seconds() - begun);
        enough
    }
}
