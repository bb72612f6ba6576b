//! Schedules of options as expressions in `k`.

use blo_grammar::ast::Sign;

use super::body::Functions;
use super::code::{Code, Level};
use super::tables::{ELEMENTWISE, Rule, needs, rule};
use crate::options::schedule::Formula;

/// The formula, where its `k` is called so.
pub(super) fn formula(functions: &mut Functions, of: &Formula, k: &str) -> Code {
    match of {
        Formula::Number(value) => Code::number(*value),
        Formula::K => Code::atom(k),
        Formula::Sum(terms) => {
            let mut sum: Option<Code> = None;
            for (sign, term) in terms {
                let term = formula(functions, term, k);
                sum = Some(match (sum, sign) {
                    (None, Sign::Plus) => term,
                    (None, Sign::Minus) => negative(&term),
                    (Some(sum), Sign::Plus) => Code::infix(&sum, "+", &term, Level::Sum),
                    (Some(sum), Sign::Minus) => Code::infix(&sum, "-", &term, Level::Sum),
                });
            }
            sum.unwrap_or_else(|| Code::number(0.0))
        }
        Formula::Product(factors) => {
            let mut product: Option<Code> = None;
            for (divides, factor) in factors {
                let factor = formula(functions, factor, k);
                product = Some(match (product, divides) {
                    (None, false) => factor,
                    (None, true) => Code::infix(&Code::number(1.0), "/", &factor, Level::Product),
                    (Some(product), false) => Code::infix(&product, "*", &factor, Level::Product),
                    (Some(product), true) => Code::infix(&product, "/", &factor, Level::Product),
                });
            }
            product.unwrap_or_else(|| Code::number(1.0))
        }
        Formula::Negate(inner) => negative(&formula(functions, inner, k)),
        Formula::Power(base, exponent) => {
            let operands = [formula(functions, base, k), formula(functions, exponent, k)];
            entry(functions, "pow", &operands)
        }
        Formula::Call(f, arguments) => {
            let operands: Vec<Code> = arguments.iter().map(|a| formula(functions, a, k)).collect();
            entry(functions, f.entry().name, &operands)
        }
    }
}

fn negative(of: &Code) -> Code {
    Code {
        text: format!("-{}", of.within(Level::Sign)),
        level: Level::Sign,
        repeats: false,
        column: None,
        truth: false,
    }
}

fn entry(functions: &mut Functions, name: &str, operands: &[Code]) -> Code {
    let found = rule(ELEMENTWISE, name).unwrap_or_else(|| unreachable!("`{name}` has a rule: a test holds it"));
    if let Rule::Own(function, text) = found {
        if let Some((other, text)) = needs(function) {
            functions.add(other, text);
        }
        functions.add(function, text);
    }
    found.apply(operands).unwrap_or_else(|| unreachable!("no elementwise function is refused"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_arithmetic_in_k() {
        let number = |v: f64| Formula::Number(v);
        let growth = Formula::Power(Box::new(Formula::K), Box::new(number(0.49)));
        let rest = Formula::Sum(vec![(Sign::Plus, number(1.0)), (Sign::Minus, growth)]);
        let whole = Formula::Product(vec![(false, number(2.0)), (true, rest)]);
        let mut functions = Functions::default();
        assert_eq!(formula(&mut functions, &whole, "k").text, "2.0 / (1.0 - k**0.49)");
    }
}
