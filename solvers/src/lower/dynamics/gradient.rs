//! Gradient descent on the lower level, prox-gradient where it has a proximal part or a set:
//! `y+ = prox_{s_l g~}(y - s_l f_y(x, y))`.

use super::{Dynamics, Parts, number};
use crate::formula::problem_graph::{Block, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use blo_engine::model::problem::LevelId;

pub(super) const GRADIENT: Dynamics = Dynamics {
    name: "gradient",
    lower_only: true,
    step: |p| {
        let s_l = p.scalar("s_l");
        let (x, y) = (p.x(), p.y());
        Parts { next: vec![lower_step(p, &x, &y, &s_l.into(), "y+")], memory: Vec::new(), scalars: vec![s_l] }
    },
    numbers: |settings, sizes, k, _, row| row[0] = number(settings, "s_l", k, sizes.lower),
};

/// `prox_{s g~(x,.)}(y - s f_y(x, y))`
pub(crate) fn lower_step(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, s: &StepSize, name: &str) -> Block {
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    let v = p.descend(y, s, &f_y);
    p.prox(&v, s, x, name)
}
