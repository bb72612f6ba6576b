//! What other languages call things: functions, constants, options of readers. A word that is here has a certain
//! meaning, which the nearest spelling does not have: `log10` is not `log1p`.

/// What to write here for a word of another language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Here {
    /// The same with another name.
    Name(&'static str),
    /// Help that holds a piece of program.
    Write(&'static str),
}

use Here::{Name, Write};

/// Functions.
const FUNCTIONS: &[(&str, Here)] = &[
    ("arange", Write("write `1..n`")),
    ("array", Write("write `[1, 2, 3]`")),
    ("average", Name("mean")),
    ("concat", Name("vcat")),
    ("concatenate", Name("vcat")),
    ("cross_entropy", Name("xent")),
    ("det", Write("write `exp(logdet(S))`")),
    ("erfc", Write("write `1 - erf(x)`")),
    ("fabs", Name("abs")),
    ("full", Write("write `fill(2, n)`")),
    ("hstack", Name("hcat")),
    ("identity", Name("eye")),
    ("ifelse", Write("write `if a > 2 then 3 else 4`")),
    ("iif", Write("write `if a > 2 then 3 else 4`")),
    ("len", Name("rows")),
    ("length", Name("rows")),
    ("linspace", Write("write `[i/n for i in 1..n]`")),
    ("ln", Name("log")),
    ("log10", Write("write `log(x)/log(10)`")),
    ("log2", Write("write `log(x)/log(2)`")),
    ("log_det", Name("logdet")),
    ("logit", Write("write `log(x/(1 - x))`")),
    ("matmul", Write("write `A*B`")),
    ("matrix", Write("write `[[1, 2], [3, 4]]`")),
    ("mean_squared_error", Name("mse")),
    ("ncol", Name("cols")),
    ("norm", Write("there are `norm2(x)`, `norm1(x)`, `norminf(x)` and the square `normsq(x)`")),
    ("norm_inf", Name("norminf")),
    ("nrow", Name("rows")),
    ("numel", Name("rows")),
    ("pos", Name("relu")),
    ("power", Name("pow")),
    ("prod", Write("write `exp(sum(log(x)))`")),
    ("quad_form", Write("write `x'*A*x`")),
    ("rand", Write("write `data A[n] = uniform(seed = 1)`")),
    ("randn", Write("write `data A[n] = normal(seed = 1)`")),
    ("range", Write("write `1..n`")),
    ("rem", Name("mod")),
    ("seq", Write("write `1..n`")),
    ("shape", Write("there are `rows(A)` and `cols(A)`")),
    ("size", Write("there are `rows(A)` and `cols(A)`")),
    ("sqr", Name("square")),
    ("std", Write("write `sqrt(mean((x - mean(x)).^2))`")),
    ("stop_gradient", Name("stop")),
    ("sum_of_squares", Name("normsq")),
    ("sum_squares", Name("normsq")),
    ("sumsq", Name("normsq")),
    ("sumsqr", Name("normsq")),
    ("tr", Name("trace")),
    ("transpose", Write("write `A'`")),
    ("variance", Write("write `mean((x - mean(x)).^2)`")),
    ("vstack", Name("vcat")),
    ("where", Write("write `if a > 2 then 3 else 4`")),
];

/// Constants.
const NAMES: &[(&str, Here)] = &[
    ("FALSE", Name("false")),
    ("False", Name("false")),
    ("INF", Name("inf")),
    ("Inf", Name("inf")),
    ("Infinity", Name("inf")),
    ("PI", Name("pi")),
    ("Pi", Name("pi")),
    ("TRUE", Name("true")),
    ("True", Name("true")),
    ("e", Write("write `exp(1)`")),
    ("end", Write("write `y[rows(y)]`")),
    ("infinity", Name("inf")),
    ("infty", Name("inf")),
    ("oo", Name("inf")),
    ("π", Name("pi")),
];

/// Options of readers and generators.
const OPTIONS: &[(&str, Here)] = &[
    ("delim", Name("separator")),
    ("delimiter", Name("separator")),
    ("index_col", Write("write `columns = 2..4`")),
    ("max", Name("high")),
    ("min", Name("low")),
    ("n_features", Name("features")),
    ("na", Name("missing")),
    ("names", Name("header")),
    ("random_state", Name("seed")),
    ("scale", Name("sd")),
    ("sep", Name("separator")),
    ("sigma", Name("sd")),
    ("std", Name("sd")),
    ("usecols", Name("columns")),
    ("zero_based", Write("write `base = 0`")),
];

/// What a function of another language is called here.
pub(in crate::model) fn function(name: &str) -> Option<Here> {
    find(FUNCTIONS, name)
}

/// What a constant of another language is called here.
pub(in crate::model) fn constant(name: &str) -> Option<Here> {
    find(NAMES, name)
}

/// What an option of another language is called here, if `known` has that.
pub(in crate::model) fn option(name: &str, known: &[&str]) -> Option<Here> {
    let here = |h: &Here| match h {
        Name(to) => known.contains(to),
        Write(text) => known.iter().any(|to| text.contains(&format!("`{to} ="))),
    };
    find(OPTIONS, name).filter(here)
}

fn find(table: &[(&str, Here)], name: &str) -> Option<Here> {
    table.iter().find(|(word, _)| *word == name).map(|(_, here)| *here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{elementwise, model::function};

    #[test]
    fn words_are_sorted_and_foreign_and_what_they_become_is_not() {
        let known = |name: &str| elementwise::TABLE.iter().any(|e| e.name == name) || function::by_name(name).is_some();
        for table in [FUNCTIONS, NAMES, OPTIONS] {
            assert!(table.windows(2).all(|w| w[0].0 < w[1].0), "{table:?}");
        }
        for (word, here) in FUNCTIONS {
            assert!(!known(word), "{word}");
            match here {
                Name(to) => assert!(known(to) || *to == "mod", "{to}"),
                Write(text) => assert!(!text.is_empty()),
            }
        }
    }
}
