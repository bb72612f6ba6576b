//! The rows of `subject to` at the end of a run, by name.

use blo_engine::data::Array;
use blo_engine::model::problem::{Constraint, ConstraintClass, ConstraintKind, LevelId};

/// The rows of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstraintEnd {
    /// Their name, or their text where they have none.
    pub name: String,
    /// The level.
    pub level: LevelId,
    /// What the calculus knows of them in the variables of their level.
    pub class: ConstraintClass,
    /// They depend on variables of the other level.
    pub moving: bool,
    /// The largest violation of an entry; 0 where all hold.
    pub violation: f64,
    /// A multiplier per entry, by the sign rules of the language: nonnegative for an inequality, d(least value)/d(right
    /// side) for an equality, that of the upper side minus that of the lower for a chain. `None` where nobody knows it.
    pub multiplier: Option<Array>,
    /// Of inequalities, the least `lam - c` of an entry: 0 where an active row has no multiplier, which is where the lower
    /// solution has no derivative in x.
    pub strictness: Option<f64>,
}

/// The rows of a level at a point from their values, one array per constraint, with their multipliers where they are known:
/// `lam >= 0` of `c <= 0`, `nu` of `h = 0`, NaN where one is not known.
pub(crate) fn ends(
    constraints: &[Constraint],
    level: LevelId,
    values: &[Array],
    multipliers: Option<&[Vec<f64>]>,
) -> Vec<ConstraintEnd> {
    let mut found: Vec<ConstraintEnd> = Vec::new();
    for (i, (constraint, values)) in constraints.iter().zip(values).enumerate() {
        let off = |v: &f64| if constraint.kind == ConstraintKind::Equality { v.abs() } else { v.max(0.0) };
        let violation = values.values.iter().map(off).fold(0.0, |m: f64, v| if v.is_nan() || v > m { v } else { m });
        let known = multipliers.map(|all| &all[i]).filter(|own| own.iter().all(|v| !v.is_nan()));
        let multiplier = known.map(|own| Array {
            shape: values.shape.clone(),
            values: own.iter().map(|v| constraint.sign * v + 0.0).collect(),
        });
        let strictness = known.filter(|_| constraint.kind == ConstraintKind::Inequality).map(|own| {
            let room = own.iter().zip(&values.values).map(|(lam, c)| lam - c);
            room.fold(f64::INFINITY, f64::min)
        });
        match found.iter_mut().find(|end| end.name == constraint.name) {
            Some(end) => {
                end.strictness = end.strictness.zip(strictness).map(|(a, b)| a.min(b));
                end.violation = end.violation.max(violation);
                end.moving |= constraint.moving;
                end.multiplier = end.multiplier.take().zip(multiplier).map(|(mut all, further)| {
                    all.values.iter_mut().zip(further.values).for_each(|(a, b)| *a += b);
                    all
                });
            }
            None => found.push(ConstraintEnd {
                name: constraint.name.clone(),
                level,
                class: constraint.class,
                moving: constraint.moving,
                violation,
                multiplier,
                strictness,
            }),
        }
    }
    found
}
