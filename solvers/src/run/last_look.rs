//! What is known of y at the point that is to be the result: that it is the choice of the upper level as far as solves from
//! many places tell, and that neither F nor the lower objective goes on falling beyond it.

use blo_engine::model::problem::LevelId;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::lower::global::Effort;
use crate::reduced::{Reduced, ReducedPoint};
use crate::run::finish::Ending;
use crate::run::judgement::LEAST;
use crate::run::state::Run;
use crate::solution::Status;
use crate::solution::verdict::{Known, Remark, Verdict};

/// No local solves from random points: the choice is among the solutions of a convex level.
const NONE: Effort = Effort { starts: 0, stream: 3 };

/// What a last look has found.
pub(super) struct LastLook {
    /// What has to be said of y.
    pub(super) remark: Option<Remark>,
    /// A point far away along which F falls without end, at the x of the result.
    pub(super) on_a_ray: Option<ReducedPoint>,
}

impl<'a, T: Scalar> Run<'a, T> {
    /// The best point of a search, with the choice among its lower solutions made thoroughly; a descent goes on from where
    /// that is better.
    pub(super) fn settled(&self, reduced: &mut Reduced<'a>, best: ReducedPoint) -> ReducedPoint {
        if !reduced.lower.facts.chooses() {
            return best;
        }
        reduced.lower.budget = reduced.lower.budget.max(reduced.lower.spent + LEAST);
        match reduced.choosing(&best.x, &[&best.y], NONE) {
            Some(there) if self.gains(reduced, &best, &there) => reduced.descend(&there),
            _ => best,
        }
    }

    /// Looks at the point that is to be the result, and moves it to a better y at its x, or back to the beginning of a ray.
    pub(super) fn last_look(
        &mut self,
        reduced: &mut Reduced<'a>,
        ending: &mut Ending,
        best: ReducedPoint,
    ) -> Result<(ReducedPoint, LastLook), Box<Diagnostic>> {
        reduced.lower.budget = reduced.lower.spent + LEAST;
        let (mut best, mut remark) = (best, None);
        let moves = self.is_refined();
        if reduced.lower.facts.chooses() {
            let there = reduced.choosing(&best.x, &[&best.y], NONE);
            remark = reduced.lower.chosen_locally.then_some(Remark::LocalChoice);
            if let Some(there) = there.filter(|there| moves && self.gains(reduced, &best, there)) {
                self.move_to(ending, &there)?;
                best = there;
            }
        }
        if let Some([first, last]) = reduced.ray_to(&best) {
            if moves {
                self.move_to(ending, &first)?;
                best = first;
            }
            return Ok((best, LastLook { remark: None, on_a_ray: Some(last) }));
        }
        if best.solved && reduced.has_no_minimizer(&best) {
            remark = Some(Remark::RunsAway);
        }
        Ok((best, LastLook { remark, on_a_ray: None }))
    }

    /// True where the variables of the end are farther away than anything that the tests look at.
    pub(super) fn is_far(&self, reduced: &Reduced<'a>, ending: &Ending) -> bool {
        let [upper, lower] = [LevelId::UPPER, LevelId::LOWER].map(|level| &ending.point[self.problem.range(level)]);
        reduced.is_far(&upper.concat(), lower)
    }

    /// The status of a run whose tests have found nothing but a point far away.
    pub(super) fn gone_to(&self, ending: &mut Ending, far: &ReducedPoint) -> Status {
        ending.verdict = Verdict { better: Some(self.known(far)), ..Verdict::default() };
        ending.doubtful = true;
        Status::Diverged
    }

    /// A point for the result.
    pub(super) fn known(&self, point: &ReducedPoint) -> Known {
        Known { x: point.x.clone(), upper: self.problem.upper().sign() * point.upper }
    }
}
