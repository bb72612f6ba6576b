//! Pieces of Python: an expression with how tightly it binds, numbers, and names.

use std::collections::HashSet;

/// How tightly an expression binds, from the loosest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
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
}

impl Code {
    /// A name, a call, a subscript.
    pub(super) fn atom(text: impl Into<String>) -> Code {
        Code { text: text.into(), level: Level::Atom, repeats: false }
    }

    /// A number, exactly.
    pub(super) fn number(value: f64) -> Code {
        let level = if value.is_sign_negative() && !value.is_nan() { Level::Sign } else { Level::Atom };
        Code { text: number(value), level, repeats: false }
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
            Level::Sign | Level::Power | Level::Atom => Level::Atom,
        };
        let text = format!("{} {operator} {}", left.within(level), right.within(right_level));
        Code { text, level, repeats: false }
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

/// Words of Python.
const WORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Names that the program uses on its own.
const TAKEN: &[&str] = &[
    "jax",
    "jnp",
    "lax",
    "np",
    "os",
    "sys",
    "partial",
    "data",
    "config",
    "state",
    "k",
    "t",
    "i",
    "j",
    "n",
    "K",
    "P",
    "F",
    "f",
    "g",
    "State",
    "Data",
    "Config",
    "init",
    "step",
    "run",
    "check",
    "main",
    "load",
    "place",
    "specs",
    "save",
    "restore",
    "mesh_of",
    "advance",
    "NamedTuple",
    "dataclass",
    "max",
    "min",
    "abs",
    "sum",
    "len",
    "print",
    "range",
    "float",
    "int",
    "str",
    "tuple",
    "zip",
    "map",
    "count",
    "index",
    "soft",
    "huber",
    "mcp",
    "scad",
    "modulo",
    "rounded",
    "safe_div",
    "group_shrink",
    "permute",
    "unpermute",
    "positive_part",
    "positive_slope",
    "rotation",
    "shrink_values",
    "simplex",
    "conv",
    "conv_image",
    "conv_kernel",
    "pick",
    "put",
    "conjugate_gradients",
    "neumann_series",
    "ravel_pytree",
    "lower_step",
    "hypergradient",
    "objectives",
    "begin",
    "checkpoint",
    "lower",
    "back",
    "steps",
    "before",
    "s",
    "w",
    "at",
    "values",
    "right",
    "directions",
    "carry",
];

/// Names that differ from each other.
#[derive(Clone, Debug)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Names beside those of the program itself.
    pub(super) fn new() -> Names {
        Names { taken: WORDS.iter().chain(TAKEN).map(|word| (*word).to_owned()).collect() }
    }

    /// Names of fields, which stand behind a point.
    pub(super) fn of_fields() -> Names {
        Names { taken: WORDS.iter().map(|word| (*word).to_owned()).collect() }
    }

    /// A name like `wanted`, or with a number behind it where that is taken.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        let plain = identifier(wanted);
        if self.taken.insert(plain.clone()) {
            return plain;
        }
        let spare = format!("{plain}_");
        if (WORDS.contains(&plain.as_str()) || TAKEN.contains(&plain.as_str())) && self.taken.insert(spare.clone()) {
            return spare;
        }
        let mut count = 2_u64;
        loop {
            let next = format!("{plain}_{count}");
            if self.taken.insert(next.clone()) {
                return next;
            }
            count += 1;
        }
    }

    /// A name with a number behind it in any case: `product_1`.
    pub(super) fn counted(&mut self, base: &str) -> String {
        (1_u64..)
            .map(|count| format!("{base}_{count}"))
            .find(|name| self.taken.insert(name.clone()))
            .expect("one is free")
    }
}

/// A label as an identifier: `theta+` is `theta_new`, `f_y(x, theta)` is `f_y_at_x_theta`.
fn identifier(label: &str) -> String {
    let spelled = label.replace('+', "_new").replace('(', "_at_").replace(" - ", "_minus_");
    let mut name = String::new();
    for c in spelled.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c);
        } else if c.is_alphanumeric() || !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_matches('_').replace("__", "_");
    match name.chars().next() {
        None => "value".to_owned(),
        Some(c) if c.is_ascii_digit() => format!("v{name}"),
        Some(_) => name,
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
    fn labels_become_names_that_differ() {
        let mut names = Names::new();
        let wanted = ["theta+", "f_y(x, theta)", "lambda", "k", "x", "x", "1/2", "train.u", "y0 + e w"];
        let found: Vec<String> = wanted.iter().map(|w| names.fresh(w)).collect();
        let right = ["theta_new", "f_y_at_x_theta", "lambda_", "k_", "x", "x_2", "v1_2", "train_u", "y0_new_e_w"];
        assert_eq!(found, right);
        assert_eq!((names.counted("sum"), names.counted("sum")), ("sum_1".to_owned(), "sum_2".to_owned()));
    }

    #[test]
    fn numbers_keep_their_bits() {
        let written = [0.1, 1e-300, -0.0, 3.0, 1e16, f64::INFINITY].map(number);
        assert_eq!(written, ["0.1", "1e-300", "-0.0", "3.0", "1e16", "jnp.inf"]);
    }
}
