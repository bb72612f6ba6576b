//! Option values that may change with the iteration: a number, or a formula in `k`. An expression is turned into a
//! formula once, where mistakes are still located; its value at a given `k` cannot fail.

use std::fmt;

use blo_engine::elementwise::{Elementwise, Visibility};
use blo_grammar::ast::{Expr, ExprKind, Factor, Sign};
use blo_grammar::diagnostic::Diagnostic;

use super::message;

/// A number that may depend on the iteration.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// The same in every iteration.
    Constant(f64),
    /// A formula in `k`.
    Expression(Formula),
}

/// A formula in `k`, names of params already replaced by their values.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// A number.
    Number(f64),
    /// The iteration.
    K,
    /// Terms with their signs.
    Sum(Vec<(Sign, Formula)>),
    /// Factors; `true` divides.
    Product(Vec<(bool, Formula)>),
    /// Negative.
    Negate(Box<Formula>),
    /// Power.
    Power(Box<Formula>, Box<Formula>),
    /// A table function.
    Call(Elementwise, Vec<Formula>),
}

impl Schedule {
    /// The value in iteration `k`, counted from 1.
    pub fn at(&self, k: u64) -> f64 {
        match self {
            Schedule::Constant(value) => *value,
            Schedule::Expression(formula) => formula.value(k as f64),
        }
    }

    /// A constant c as `c k^p`; a formula as it is.
    pub(crate) fn growing(&self, p: f64) -> Schedule {
        match self {
            Schedule::Constant(c) => {
                let growth = Formula::Power(Box::new(Formula::K), Box::new(Formula::Number(p)));
                Schedule::Expression(Formula::Product(vec![(false, Formula::Number(*c)), (false, growth)]))
            }
            Schedule::Expression(_) => self.clone(),
        }
    }

    /// The number, if it does not change.
    pub fn as_constant(&self) -> Option<f64> {
        match self {
            Schedule::Constant(value) => Some(*value),
            Schedule::Expression(_) => None,
        }
    }
}

/// Turns an expression of a file or flag into a schedule. `params` gives the values of scalar params.
///
/// # Errors
/// Everything in the expression that is neither arithmetic, `k`, a param nor a table function.
pub fn schedule(e: &Expr, params: &dyn Fn(&str) -> Option<f64>) -> Result<Schedule, Vec<Diagnostic>> {
    let mut reader = Reader { params, diagnostics: Vec::new() };
    match reader.formula(e) {
        Some(formula) if reader.diagnostics.is_empty() => Ok(match formula.depends_on_k() {
            true => Schedule::Expression(formula),
            false => Schedule::Constant(formula.value(f64::NAN)),
        }),
        _ => Err(reader.diagnostics),
    }
}

struct Reader<'a> {
    params: &'a dyn Fn(&str) -> Option<f64>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// `None` after a mistake, which has been reported.
    fn formula(&mut self, e: &Expr) -> Option<Formula> {
        match &e.kind {
            ExprKind::Number { value, .. } => Some(Formula::Number(*value)),
            ExprKind::Paren(inner) => self.formula(inner),
            ExprKind::Negate(inner) => Some(Formula::Negate(Box::new(self.formula(inner)?))),
            ExprKind::Name(name) => self.name(name, e),
            ExprKind::Sum(terms) => {
                let terms: Vec<_> = terms.iter().map(|(s, _, t)| Some((*s, self.formula(t)?))).collect();
                terms.into_iter().collect::<Option<_>>().map(Formula::Sum)
            }
            ExprKind::Product(factors) => {
                let over = |f: &Factor| matches!(f, Factor::Over | Factor::DotOver);
                let factors: Vec<_> = factors.iter().map(|(f, _, t)| Some((over(f), self.formula(t)?))).collect();
                factors.into_iter().collect::<Option<_>>().map(Formula::Product)
            }
            ExprKind::Power { base, exponent, .. } => {
                let (base, exponent) = (self.formula(base), self.formula(exponent));
                Some(Formula::Power(Box::new(base?), Box::new(exponent?)))
            }
            ExprKind::Call { function, arguments } => {
                let values: Vec<_> = arguments.iter().map(|a| self.formula(&a.value)).collect();
                let values = values.into_iter().collect::<Option<Vec<_>>>()?;
                let found = Elementwise::by_name(&function.text)
                    .filter(|f| f.entry().visibility != Visibility::Operator && f.entry().arity == values.len());
                if found.is_none() {
                    self.diagnostics.push(message::not_in_a_schedule(function.span, &function.text));
                }
                found.map(|f| Formula::Call(f, values))
            }
            _ => {
                self.diagnostics.push(message::not_in_a_schedule(e.span, "this"));
                None
            }
        }
    }

    fn name(&mut self, name: &str, e: &Expr) -> Option<Formula> {
        match name {
            "k" => return Some(Formula::K),
            "pi" => return Some(Formula::Number(std::f64::consts::PI)),
            "inf" => return Some(Formula::Number(f64::INFINITY)),
            _ => {}
        }
        let value = (self.params)(name);
        if value.is_none() {
            self.diagnostics.push(message::unknown_in_a_schedule(e.span, name));
        }
        value.map(Formula::Number)
    }
}

impl Formula {
    fn depends_on_k(&self) -> bool {
        match self {
            Formula::Number(_) => false,
            Formula::K => true,
            Formula::Sum(terms) => terms.iter().any(|(_, t)| t.depends_on_k()),
            Formula::Product(factors) => factors.iter().any(|(_, f)| f.depends_on_k()),
            Formula::Negate(inner) => inner.depends_on_k(),
            Formula::Power(base, exponent) => base.depends_on_k() || exponent.depends_on_k(),
            Formula::Call(_, arguments) => arguments.iter().any(Formula::depends_on_k),
        }
    }

    fn value(&self, k: f64) -> f64 {
        match self {
            Formula::Number(value) => *value,
            Formula::K => k,
            Formula::Sum(terms) => terms.iter().fold(0.0, |sum, (sign, t)| match sign {
                Sign::Plus => sum + t.value(k),
                Sign::Minus => sum - t.value(k),
            }),
            Formula::Product(factors) => factors.iter().fold(1.0, |product, (over, f)| match over {
                true => product / f.value(k),
                false => product * f.value(k),
            }),
            Formula::Negate(inner) => -inner.value(k),
            Formula::Power(base, exponent) => base.value(k).powf(exponent.value(k)),
            Formula::Call(f, arguments) => {
                // No table function has more operands; a schedule is evaluated in every iteration and must not allocate.
                let mut values = [0.0; 4];
                for (slot, a) in values.iter_mut().zip(arguments) {
                    *slot = a.value(k);
                }
                (f.entry().f64)(&values[..arguments.len()])
            }
        }
    }

    /// How tightly it binds in text: sum, product, sign, power, atom.
    fn level(&self) -> u8 {
        match self {
            Formula::Sum(_) => 0,
            Formula::Product(_) => 1,
            Formula::Negate(_) => 2,
            Formula::Power(..) => 3,
            Formula::Number(value) if *value < 0.0 => 2,
            Formula::Number(_) | Formula::K | Formula::Call(..) => 4,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.level() < least { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Formula::Number(value) => write!(f, "{value}"),
            Formula::K => f.write_str("k"),
            Formula::Sum(terms) => {
                for (i, (sign, term)) in terms.iter().enumerate() {
                    f.write_str(match (i, sign) {
                        (0, Sign::Plus) => "",
                        (0, Sign::Minus) => "-",
                        (_, Sign::Plus) => " + ",
                        (_, Sign::Minus) => " - ",
                    })?;
                    term.write(f, 1)?;
                }
                Ok(())
            }
            Formula::Product(factors) => {
                for (i, (over, factor)) in factors.iter().enumerate() {
                    f.write_str(match (i, over) {
                        (0, false) => "",
                        (0, true) => "1/",
                        (_, false) => "*",
                        (_, true) => "/",
                    })?;
                    factor.write(f, 2)?;
                }
                Ok(())
            }
            Formula::Negate(inner) => {
                f.write_str("-")?;
                inner.write(f, 3)
            }
            Formula::Power(base, exponent) => {
                base.write(f, 4)?;
                f.write_str("^")?;
                exponent.write(f, 3)
            }
            Formula::Call(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(Formula::to_string).collect();
                write!(f, "{}({})", function.entry().name, arguments.join(", "))
            }
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant(value) => write!(f, "{value}"),
            Schedule::Expression(formula) => formula.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::value::parse_text;

    fn read(text: &str) -> Result<Schedule, Vec<Diagnostic>> {
        let params = |name: &str| (name == "n").then_some(4.0);
        schedule(&parse_text("alpha", text).unwrap(), &params)
    }

    #[test]
    fn formulas_have_values_and_read_back() {
        for (text, at_4) in [
            ("0.5/k", 0.125),
            ("-k^2 + n*2", -8.0),
            ("2^-k", 0.0625),
            ("(k + 1)^(1/2)*n/5", 5f64.sqrt() * 4.0 / 5.0),
            ("1/k/k", 0.0625),
        ] {
            let s = read(text).unwrap();
            assert_eq!(s.at(4), at_4, "{text}");
            assert_eq!(read(&s.to_string()).unwrap().at(4), at_4, "{text} as {s}");
        }
        assert_eq!(read("1/40 + n").unwrap(), Schedule::Constant(4.025));
    }

    #[test]
    fn mistakes_are_located_and_all_reported() {
        let found = read("m + q*[1, 2]").unwrap_err();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|d| d.code.starts_with("B06")));
    }
}
