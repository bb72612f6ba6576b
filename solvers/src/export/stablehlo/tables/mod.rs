//! What a rule of a table is, and how it is found.

mod elementwise;
mod opaque;

use super::block::{Block, Value};
use elementwise::ELEMENTWISE;
use opaque::OPAQUE;

/// What an entry is in StableHLO.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// An operation on one operand.
    Unary(&'static str),
    /// An operation on two operands.
    Binary(&'static str),
    /// Several operations.
    Own(fn(&mut Block, &[Value]) -> Value),
    /// Not exported: why, and what to do.
    Refused(&'static str),
}

impl Rule {
    /// The value of an entry on its operands.
    ///
    /// # Errors
    /// When it is refused: the reason.
    pub(super) fn apply(self, block: &mut Block, operands: &[Value]) -> Result<Value, &'static str> {
        match self {
            Rule::Unary(operation) => Ok(block.unary(operation, &operands[0])),
            Rule::Binary(operation) => Ok(block.binary(operation, &operands[0], &operands[1])),
            Rule::Own(form) => Ok(form(block, operands)),
            Rule::Refused(why) => Err(why),
        }
    }
}

fn found(table: &[(&str, Rule)], name: &str) -> Rule {
    let entry = table.iter().find(|(entry, _)| *entry == name);
    entry.map_or_else(|| unreachable!("`{name}` has a rule: a test holds it"), |(_, rule)| *rule)
}

/// The rule of an elementwise function.
pub(super) fn elementwise(name: &str) -> Rule {
    found(ELEMENTWISE, name)
}

/// The rule of an opaque operation.
pub(super) fn opaque(name: &str) -> Rule {
    found(OPAQUE, name)
}

#[cfg(test)]
mod tests {
    use blo_engine::elementwise::TABLE;
    use blo_engine::opaque::KERNELS;

    use super::*;
    use crate::export::stablehlo::block::Width;

    #[test]
    fn every_entry_of_the_tables_has_a_rule_or_a_reason() {
        let names = TABLE.iter().map(|e| e.name).collect();
        assert_eq!(sorted(names), sorted(ELEMENTWISE.iter().map(|(name, _)| *name).collect()));
        let kernels = KERNELS.iter().map(|k| k.name).collect();
        assert_eq!(sorted(kernels), sorted(OPAQUE.iter().map(|(name, _)| *name).collect()));
        for (name, rule) in ELEMENTWISE.iter().chain(OPAQUE) {
            if let Rule::Refused(why) = rule {
                assert!(why.contains(": "), "{name}: a reason and what to do");
            }
        }
    }

    fn sorted(mut names: Vec<&str>) -> Vec<&str> {
        names.sort_unstable();
        names
    }

    #[test]
    fn a_rule_gives_an_array_like_its_operands() {
        for entry in TABLE {
            let mut block = Block::new(Width::DOUBLE);
            let ty = block.real_type(&[2, 3]);
            let operands: Vec<Value> = (0..entry.arity).map(|_| block.argument("a", ty.clone())).collect();
            let result = found(ELEMENTWISE, entry.name).apply(&mut block, &operands).unwrap();
            assert_eq!(result.ty, ty, "{}", entry.name);
        }
    }
}
