//! Names that a modelling language takes: letters of ASCII, digits and `_`, no two alike but for capitals, none of its own
//! words.

use std::collections::HashSet;

/// Words of AMPL and GAMS that are no names.
const RESERVED: [&str; 85] = [
    "abort",
    "abs",
    "acos",
    "acronym",
    "alias",
    "all",
    "and",
    "arctan",
    "assign",
    "atan",
    "binary",
    "by",
    "card",
    "ceil",
    "check",
    "complements",
    "contains",
    "cos",
    "cosh",
    "current",
    "cross",
    "data",
    "default",
    "diff",
    "display",
    "div",
    "else",
    "environ",
    "eps",
    "eq",
    "equation",
    "equations",
    "exists",
    "exp",
    "false",
    "file",
    "floor",
    "for",
    "forall",
    "free",
    "if",
    "ifthen",
    "in",
    "inf",
    "infinity",
    "integer",
    "inter",
    "less",
    "let",
    "log",
    "loop",
    "max",
    "maximize",
    "min",
    "minimize",
    "mod",
    "model",
    "na",
    "no",
    "not",
    "option",
    "or",
    "ord",
    "parameter",
    "places",
    "positive",
    "power",
    "prod",
    "repeat",
    "scalar",
    "set",
    "sets",
    "setof",
    "sin",
    "solve",
    "sqr",
    "sqrt",
    "sum",
    "table",
    "then",
    "union",
    "until",
    "var",
    "variable",
    "while",
];

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// A name like the one that is wanted.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let mut name = String::new();
        for c in wanted.chars() {
            match c {
                c if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                c if c.is_alphanumeric() => name += &format!("u{:x}", u32::from(c)),
                _ if name.ends_with('_') => {}
                _ => name.push('_'),
            }
        }
        let name = name.trim_matches('_');
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let mut name = if begins { name.to_owned() } else { format!("a{name}") };
        // the shortest limit is 63
        name.truncate(50);
        if RESERVED.contains(&name.to_lowercase().as_str()) {
            name.push('_');
        }
        let mut free = name.clone();
        let mut count = 2;
        while !self.taken.insert(free.to_lowercase()) {
            free = format!("{name}_{count}");
            count += 1;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_are_names() {
        let mut names = Names::default();
        let found: Vec<String> =
            ["A", "a", "sum", "d.u", "λ", "_x", "1..n", "A"].iter().map(|n| names.take(n)).collect();
        assert_eq!(found, ["A", "a_2", "sum_", "d_u", "u3bb", "x", "a1_n", "A_3"]);
    }
}
