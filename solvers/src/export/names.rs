//! Names of what an export has: identifiers that differ from each other and from the words of every language that it is
//! written in, so that an array has the same name in all of them.

use std::collections::HashSet;

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
    "derive",
    "round",
    "settle",
    "r",
    "resume",
    "kept",
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
    fn labels_become_names_that_differ() {
        let mut names = Names::new();
        let wanted = ["theta+", "f_y(x, theta)", "lambda", "k", "x", "x", "1/2", "train.u", "y0 + e w"];
        let found: Vec<String> = wanted.iter().map(|w| names.fresh(w)).collect();
        let right = ["theta_new", "f_y_at_x_theta", "lambda_", "k_", "x", "x_2", "v1_2", "train_u", "y0_new_e_w"];
        assert_eq!(found, right);
        assert_eq!((names.counted("sum"), names.counted("sum")), ("sum_1".to_owned(), "sum_2".to_owned()));
    }
}
