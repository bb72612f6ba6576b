//! Pieces of Python: an expression with how tightly it binds, and numbers.

/// How tightly an expression binds, from the loosest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
    Atom,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) text: String,
    pub(super) level: Level,
    /// Its shape is smaller than that of its node: NumPy repeats it where it meets an array of the full shape.
    pub(super) repeats: bool,
    /// It is a column with the entries of this vector: `@` and a change of shape take the vector.
    pub(super) column: Option<Box<Code>>,
    /// It is true or false, where the engine has 1 or 0.
    pub(super) truth: bool,
}

impl Code {
    /// A name, a call, a subscript.
    pub(super) fn atom(text: impl Into<String>) -> Code {
        Code { text: text.into(), level: Level::Atom, repeats: false, column: None, truth: false }
    }

    /// A number, exactly.
    pub(super) fn number(value: f64) -> Code {
        let level = if value.is_sign_negative() && !value.is_nan() { Level::Sign } else { Level::Atom };
        Code { text: number(value), level, repeats: false, column: None, truth: false }
    }

    /// A condition.
    pub(super) fn truth(text: String, level: Level) -> Code {
        Code { text, level, truth: true, ..Code::atom("") }
    }

    /// The expression as a condition.
    pub(super) fn condition(&self) -> Code {
        if self.truth {
            return self.clone();
        }
        Code::truth(format!("{} != 0", self.within(Level::Sum)), Level::Comparison)
    }

    /// The expression as a number: 1 where a condition holds, 0 elsewhere.
    pub(super) fn number_of(&self) -> Code {
        if !self.truth {
            return self.clone();
        }
        Code { repeats: self.repeats, ..Code::atom(format!("jnp.where({}, 1.0, 0.0)", self.text)) }
    }

    /// A column with the entries of a vector.
    pub(super) fn column(vector: Code) -> Code {
        let text = format!("{}[:, None]", vector.within(Level::Atom));
        Code { column: Some(Box::new(vector)), ..Code::atom(text) }
    }

    /// The text as an operand of what binds at `level`.
    pub(super) fn within(&self, level: Level) -> String {
        if self.level >= level { self.text.clone() } else { format!("({})", self.text) }
    }

    /// Two operands around an operator; the right one is put in parentheses where it binds as tightly.
    pub(super) fn infix(left: &Code, operator: &str, right: &Code, level: Level) -> Code {
        let right_level = match level {
            Level::Sum => Level::Product,
            Level::Product => Level::Sign,
            Level::Comparison | Level::Sign | Level::Power | Level::Atom => Level::Atom,
        };
        let text = format!("{} {operator} {}", left.within(level), right.within(right_level));
        Code { text, level, repeats: false, column: None, truth: false }
    }

    /// A call of a function.
    pub(super) fn call(function: &str, arguments: &[Code]) -> Code {
        let list: Vec<&str> = arguments.iter().map(|a| a.text.as_str()).collect();
        Code::atom(format!("{function}({})", list.join(", ")))
    }
}

/// A number as Python reads it back, to the bit.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        return "jnp.nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "jnp.inf" } else { "-jnp.inf" }.to_owned();
    }
    format!("{value:?}")
}

/// A tuple of whole numbers.
pub(super) fn tuple(values: &[usize]) -> String {
    match values {
        [one] => format!("({one},)"),
        _ => format!("({})", values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Names as a pattern, an argument or a result: one is itself, several are a tuple.
pub(super) fn pattern(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        _ => format!("({})", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parentheses_stand_where_they_have_to() {
        let [a, b, c] = ["a", "b", "c"].map(Code::atom);
        let sum = Code::infix(&a, "-", &b, Level::Sum);
        assert_eq!(Code::infix(&sum, "-", &c, Level::Sum).text, "a - b - c");
        assert_eq!(Code::infix(&c, "-", &sum, Level::Sum).text, "c - (a - b)");
        let product = Code::infix(&a, "/", &b, Level::Product);
        assert_eq!(Code::infix(&c, "/", &product, Level::Product).text, "c / (a / b)");
        assert_eq!(Code::infix(&sum, "*", &product, Level::Product).text, "(a - b) * (a / b)");
        assert_eq!(Code::infix(&a, "-", &Code::number(-2.0), Level::Sum).text, "a - -2.0");
    }

    #[test]
    fn numbers_keep_their_bits() {
        let written = [0.1, 1e-300, -0.0, 3.0, 1e16, f64::INFINITY].map(number);
        assert_eq!(written, ["0.1", "1e-300", "-0.0", "3.0", "1e16", "jnp.inf"]);
    }
}
