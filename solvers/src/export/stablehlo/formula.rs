//! Schedules of options as operations on `k`.

use blo_grammar::ast::Sign;

use super::block::{Block, Value};
use super::tables::elementwise;
use crate::options::schedule::Formula;

/// The value of a formula for a `k`.
pub(super) fn formula(block: &mut Block, of: &Formula, k: &Value) -> Value {
    match of {
        Formula::Number(value) => block.real(*value, &[]),
        Formula::K => k.clone(),
        Formula::Sum(terms) => {
            let mut sum: Option<Value> = None;
            for (sign, term) in terms {
                let term = formula(block, term, k);
                sum = Some(match (sum, sign) {
                    (None, Sign::Plus) => term,
                    (None, Sign::Minus) => block.unary("negate", &term),
                    (Some(sum), Sign::Plus) => block.binary("add", &sum, &term),
                    (Some(sum), Sign::Minus) => block.binary("subtract", &sum, &term),
                });
            }
            sum.unwrap_or_else(|| block.real(0.0, &[]))
        }
        Formula::Product(factors) => {
            let mut product: Option<Value> = None;
            for (divides, factor) in factors {
                let factor = formula(block, factor, k);
                product = Some(match (product, divides) {
                    (None, false) => factor,
                    (Some(product), false) => block.binary("multiply", &product, &factor),
                    (product, true) => {
                        let product = product.unwrap_or_else(|| block.real(1.0, &[]));
                        block.binary("divide", &product, &factor)
                    }
                });
            }
            product.unwrap_or_else(|| block.real(1.0, &[]))
        }
        Formula::Negate(inner) => {
            let inner = formula(block, inner, k);
            block.unary("negate", &inner)
        }
        Formula::Power(base, exponent) => {
            let operands = [formula(block, base, k), formula(block, exponent, k)];
            entry(block, "pow", &operands)
        }
        Formula::Call(f, arguments) => {
            let operands: Vec<Value> = arguments.iter().map(|a| formula(block, a, k)).collect();
            entry(block, f.entry().name, &operands)
        }
    }
}

fn entry(block: &mut Block, name: &str, operands: &[Value]) -> Value {
    elementwise(name).apply(block, operands).unwrap_or_else(|_| unreachable!("no elementwise function is refused"))
}
