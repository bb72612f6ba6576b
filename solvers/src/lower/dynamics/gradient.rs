//! Gradient descent on the lower level, prox-gradient where it has a proximal part or a set:
//! `y+ = prox_{s_l g~}(y - s_l f_y(x, y))`.

use super::{Dynamics, Parts, StepRule, at};
use crate::formula::problem_graph::{Block, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::lower::step_sizes::{EstimatedSteps, Wanted};
use crate::options::schedule::Schedule;
use crate::options::value::Value;
use blo_engine::model::problem::LevelId;

pub(super) const GRADIENT: Dynamics = Dynamics {
    name: "gradient",
    lower_only: true,
    step: |p| {
        let s_l = p.scalar("s_l");
        let (x, y) = (p.x(), p.y());
        let next = vec![lower_step(p, &x, &y, &s_l.into(), "y+")];
        Parts { next, memory: Vec::new(), scalars: vec![s_l], lower_step: s_l, weight: None }
    },
    rule: |settings| Box::new(Gradient { s_l: settings.stated("s_l").cloned() }),
    automatic: |sizes| vec![("s_l", Value::Number(sizes.lower))],
};

struct Gradient {
    s_l: Option<Schedule>,
}

impl StepRule for Gradient {
    fn wanted(&self) -> Wanted {
        Wanted { lower: self.s_l.is_none(), upper: false }
    }

    fn scalars(&self, sizes: &EstimatedSteps, k: u64, _: &mut f64, row: &mut [f64]) {
        row[0] = at(&self.s_l, k, sizes.lower);
    }
}

/// `prox_{s g~(x,.)}(y - s f_y(x, y))`
pub(crate) fn lower_step(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, s: &StepSize, name: &str) -> Block {
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    let v = p.descend(y, s, &f_y);
    p.prox(&v, s, x, name)
}
