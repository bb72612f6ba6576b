//! Sets: a variable's domain as `x \in S`, with conditions where the set has no sign of its own.

use blo_grammar::ast::{Dimension, Domain, Expr, ExprKind};

use super::expression::Writer;
use super::kind::Kind;
use super::name::named;
use super::term::{Level, Term, bars, script};

/// What is said of a member of a set.
pub(super) struct Membership {
    /// The space or the set after `\in`.
    pub(super) set: String,
    /// Conditions beside it.
    pub(super) conditions: Vec<String>,
}

impl Writer<'_> {
    /// What the domain of a variable says of it; `member` is its symbol.
    pub(super) fn membership(
        &self,
        member: &str,
        dims: &[Dimension],
        domain: Option<&Domain>,
        sets: &[String],
    ) -> Membership {
        let power = self.power_of(member, dims);
        let space = |set: &str| format!("{set}{power}");
        let real = |conditions: Vec<String>| Membership { set: space("\\mathbb{R}"), conditions };
        let scalar = |e: &Expr| self.kinds.kind(e) == Kind::Scalar;
        let side = |e: &Expr| self.term(e).at_least(Level::Sum);
        match domain {
            None => real(Vec::new()),
            Some(Domain::AtLeast(e)) if is_zero(e) && !power.is_empty() => {
                Membership { set: format!("\\mathbb{{R}}_{{+}}{power}"), conditions: Vec::new() }
            }
            Some(Domain::AtLeast(e)) if scalar(e) => {
                Membership { set: space(&format!("[{}, \\infty)", self.small().text(e))), conditions: Vec::new() }
            }
            Some(Domain::AtLeast(e)) => real(vec![format!("{member} \\ge {}", side(e))]),
            Some(Domain::AtMost(e)) if scalar(e) => {
                Membership { set: space(&format!("(-\\infty, {}]", self.small().text(e))), conditions: Vec::new() }
            }
            Some(Domain::AtMost(e)) => real(vec![format!("{member} \\le {}", side(e))]),
            Some(Domain::In(set)) => self.member_of(member, set, &power, sets),
        }
    }

    fn member_of(&self, member: &str, set: &Expr, power: &str, sets: &[String]) -> Membership {
        let with = |conditions: Vec<String>| Membership { set: format!("\\mathbb{{R}}{power}"), conditions };
        let text = |e: &Expr| self.term(e).at_least(Level::Sum);
        match &set.kind {
            ExprKind::Paren(inner) => self.member_of(member, inner, power, sets),
            ExprKind::Array(ends) if ends.len() == 2 => {
                let number = |e: &Expr| self.kinds.kind(e) == Kind::Scalar;
                let (low, high) = (&ends[0], &ends[1]);
                if number(low) && number(high) {
                    let open = if is_infinite(low) { '(' } else { '[' };
                    let close = if is_infinite(high) { ')' } else { ']' };
                    let interval = format!("{open}{}, {}{close}", self.small().text(low), self.small().text(high));
                    return Membership { set: format!("{interval}{power}"), conditions: Vec::new() };
                }
                with(vec![format!("{} \\le {member} \\le {}", text(low), text(high))])
            }
            ExprKind::Name(name) if sets.contains(name) => Membership { set: named(name), conditions: Vec::new() },
            ExprKind::Name(name) => self.named_set(member, name, &[], power),
            ExprKind::Call { function, arguments } => {
                let arguments: Vec<Term> = arguments.iter().map(|a| self.term(&a.value)).collect();
                self.named_set(member, &function.text, &arguments, power)
            }
            // no other expression is a set
            _ => Membership { set: text(set), conditions: Vec::new() },
        }
    }

    /// The sets of the language, by name.
    fn named_set(&self, member: &str, name: &str, arguments: &[Term], power: &str) -> Membership {
        let real = format!("\\mathbb{{R}}{power}");
        let with = |condition: String| Membership { set: real.clone(), conditions: vec![condition] };
        let text = |at: usize| arguments.get(at).map_or_else(|| "1".to_owned(), |t| t.text.clone());
        let base = |at: usize| arguments.get(at).map_or_else(String::new, Term::base);
        match name {
            "ball1" => with(format!("\\lVert {member} \\rVert_1 \\le {}", text(0))),
            "ball2" => with(format!("\\lVert {member} \\rVert_2 \\le {}", text(0))),
            "ballinf" => with(format!("\\lVert {member} \\rVert_{{\\infty}} \\le {}", text(0))),
            "simplex" => Membership {
                set: format!("\\mathbb{{R}}_{{+}}{power}"),
                conditions: vec![format!("\\mathbf{{1}}^{{\\top}} {member} = {}", text(0))],
            },
            "halfspace" => with(format!("\\langle {}, {member} \\rangle \\le {}", text(0), text(1))),
            "affine" => with(format!("{} {member} = {}", base(0), text(1))),
            "psd" => with(format!("{member} \\succeq 0")),
            "soc" => with(format!("\\lVert {member}_{{2:}} \\rVert_2 \\le {member}_1")),
            "box" => with(format!("{} \\le {member} \\le {}", text(0), text(1))),
            other => Membership { set: named(other), conditions: Vec::new() },
        }
    }

    /// `^{m \times n}`; nothing for a number.
    pub(super) fn power_of(&self, member: &str, dims: &[Dimension]) -> String {
        let sizes = self.sizes_of(member, dims);
        if sizes.is_empty() { String::new() } else { script('^', &sizes.join(" \\times ")) }
    }

    /// The sizes of all axes.
    pub(super) fn sizes_of(&self, member: &str, dims: &[Dimension]) -> Vec<String> {
        dims.iter().enumerate().map(|(axis, dim)| self.size(member, axis, dim)).collect()
    }

    fn size(&self, member: &str, axis: usize, dim: &Dimension) -> String {
        match dim {
            Dimension::Deferred(_) => match axis {
                0 => format!("\\operatorname{{rows}}({member})"),
                _ => format!("\\operatorname{{cols}}({member})"),
            },
            Dimension::Size(e) => match &e.kind {
                // sets of rows and of indices have a number of members
                ExprKind::Name(_) | ExprKind::Field { .. } if self.kinds.kind(e) != Kind::Scalar => {
                    bars(&self.small().text(e))
                }
                _ => self.small().term(e).at_least(Level::Sum),
            },
        }
    }
}

fn is_zero(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Number { value, .. } if value == 0.0)
}

fn is_infinite(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Negate(inner) | ExprKind::Paren(inner) => is_infinite(inner),
        ExprKind::Name(name) => name == "inf",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::latex::tests::problem_of;

    /// Every set of the language is written as its conditions, not by its name.
    #[test]
    fn every_set_has_its_notation() {
        for set in blo_engine::set::TABLE {
            let arguments = match set.name {
                "halfspace" | "affine" | "box" => "(a, b)",
                "psd" | "soc" => "",
                _ => "(2)",
            };
            let text = problem_of(&format!("upper {{ var v[n] in {}{arguments}  minimize 1 }}", set.name));
            assert!(!text.contains(set.name) && text.contains("v \\in"), "{}: {text}", set.name);
        }
    }
}
