//! The words of the grammar, each with its form and what it means. A test holds them against the grammar.

/// A word with its meaning.
#[derive(Debug)]
pub(in crate::editor) struct Keyword {
    /// The word.
    pub(in crate::editor) word: &'static str,
    /// How it is written.
    pub(in crate::editor) form: &'static str,
    /// What it means.
    pub(in crate::editor) doc: &'static str,
}

const fn word(word: &'static str, form: &'static str, doc: &'static str) -> Keyword {
    Keyword { word, form, doc }
}

/// Words that cannot be names, sorted.
pub(in crate::editor) const KEYWORDS: &[Keyword] = &[
    word("and", "a and b", "true where both are"),
    word("by", "1..n by 2", "the distance between the numbers of a range"),
    word("corrupt", "corrupt train.v (fraction = 0.5, to = other)", "puts wrong labels into a column"),
    word("data", "data A[_, 3] = csv(\"a.csv\")", "an array from a file or a generator"),
    word("dataset", "dataset d { u = ...  v = ... }", "columns with a common number of rows"),
    word("else", "if c then a else b", "the value where the condition does not hold"),
    word("episodes", "episodes D from d (tasks = 16, ways = 5, shots = 1, query = 15)", "few-shot tasks of a dataset"),
    word("expect", "expect with meha:fast { err(x) <= 1e-2 }", "an assertion about a run; `blo test` tries it"),
    word("false", "false", "not true"),
    word("fn", "fn loss(u) = normsq(u)", "a function, written out at every call"),
    word("for", "sum(y[i]^2 for i in 1..n)", "repeats an expression, a row or the lower level"),
    word("if", "if c then a else b", "a choice; within a comprehension, a filter"),
    word("import", "import \"other.blo\"", "reserved: a problem is one file"),
    word("in", "var x in [0, 1]", "the set of a variable, or what a `for` runs through"),
    word("known", "known { x = 1;  upper = 0 }", "the optimum in the literature"),
    word("let", "let h = n/2", "a name for an expression"),
    word("lower", "lower { var y  minimize ... }", "the lower level; in a metric its objective"),
    word("maximize", "maximize e", "the smooth part of the objective, to be as large as possible"),
    word("method", "method meha fast { gamma = 1 }", "a preset of a method's options"),
    word("metric", "metric a = ...", "a value to report, never differentiated"),
    word("minimize", "minimize e", "the smooth part of the objective, to be as small as possible"),
    word("not", "not a", "true where `a` is not"),
    word("option", "option precision = f32", "an option for every method"),
    word("or", "a or b", "true where one of them is"),
    word("param", "param n = 50", "a constant that is known before data are read; `-D n=100` sets a number"),
    word("problem", "problem NAME (edition = 1)", "a name for the problem"),
    word("regularize", "regularize w*norm1(y)", "the part of the objective that methods treat by its proximal map"),
    word("set", "set X = [0, 1]", "a name for a set"),
    word("split", "split d (seed = 1) into train: 50, val: 50", "parts of a dataset that share no row"),
    word("start", "start { x = 0 }", "the start point; by default 0"),
    word("subject", "subject to { name: a <= b }", "rows that a level keeps to"),
    word("then", "if c then a else b", "the value where the condition holds"),
    word("true", "true", "not false"),
    word("upper", "upper { var x  minimize ... }", "the upper level; in a metric its objective"),
    word("var", "var x[n] in [0, 1]", "a variable of a level"),
];

/// Words that have a meaning in one place and may be names elsewhere, sorted.
pub(in crate::editor) const SOFT: &[Keyword] = &[
    word("from", "episodes D from d (...)", "the dataset that tasks are drawn from"),
    word("into", "split d into train: 50, val: 50", "the parts of a split"),
    word("pessimistic", "upper pessimistic { ... }", "reserved: the upper level takes the best lower solution"),
    word("to", "subject to { ... }", "begins the rows of a level"),
    word("with", "expect with bda { ... }", "the method of an assertion"),
];

/// The options of items, each with the words that are its values.
pub(in crate::editor) const ITEM_OPTIONS: &[(&str, &[Keyword])] = &[
    ("problem", &[word("edition", "edition = 1", "the edition of the language")]),
    ("split", &[word("seed", "seed = 1", "shuffles the rows; without it the parts are in the order of the file")]),
    (
        "corrupt",
        &[
            word("fraction", "fraction = 0.5", "the share of labels that are drawn again"),
            word("to", "to = other", "`other`: one of the other classes; `any`: any class"),
            word("seed", "seed = 0", "seed of the noise"),
            word("mask", "mask = bad", "a name for a new column: 1 where the label is wrong"),
        ],
    ),
    (
        "episodes",
        &[
            word("tasks", "tasks = 16", "how many tasks"),
            word("ways", "ways = 5", "classes of a task"),
            word("shots", "shots = 1", "support rows of a class"),
            word("query", "query = 15", "query rows of a class"),
            word("classes", "classes = 1..100", "the classes to draw from"),
            word("seed", "seed = 5", "seed of the draw"),
        ],
    ),
];

/// A keyword by its word.
pub(in crate::editor) fn keyword(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|k| k.word == name)
}

/// A word that is one only in its place.
pub(in crate::editor) fn soft(name: &str) -> Option<&'static Keyword> {
    SOFT.iter().find(|k| k.word == name)
}

/// The options of an item.
pub(in crate::editor) fn item_options(item: &str) -> &'static [Keyword] {
    ITEM_OPTIONS.iter().find(|(name, _)| *name == item).map_or(&[], |(_, options)| options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blo_grammar::token::{ITEM_KEYWORDS, OPERATOR_WORDS, STATEMENT_KEYWORDS, is_reserved};

    #[test]
    fn every_reserved_word_has_a_meaning_and_nothing_else_has() {
        let reserved = ITEM_KEYWORDS.iter().chain(&STATEMENT_KEYWORDS).chain(&OPERATOR_WORDS);
        for word in reserved {
            assert!(keyword(word).is_some(), "{word}");
        }
        assert!(KEYWORDS.iter().all(|k| is_reserved(k.word)));
        assert!(KEYWORDS.windows(2).all(|w| w[0].word < w[1].word));
        assert!(SOFT.iter().all(|k| !is_reserved(k.word)));
    }

    #[test]
    fn the_options_of_items_are_those_that_the_checker_takes() {
        let levels = "upper { var x  minimize x^2 }  lower { var y  minimize y^2 }";
        let data = "dataset d { u[2] = csv(\"a.csv\")  v = csv(\"a.csv\", classes = 3) }";
        for (item, options) in ITEM_OPTIONS {
            for option in *options {
                let (head, tail) = match *item {
                    "problem" => (format!("problem p ({})", option.form), String::new()),
                    "split" => (data.to_owned(), format!("split d ({}) into a: 5, b: 5", option.form)),
                    "corrupt" => (data.to_owned(), format!("corrupt d.v ({})", option.form)),
                    _ => (data.to_owned(), format!("episodes D from d ({})", option.form)),
                };
                let text = format!("{head}\n{tail}\n{levels}");
                let parsed = blo_grammar::parse(&text);
                let found = blo_engine::model::check(&parsed.ast, &text, "p", &Default::default()).diagnostics;
                let refused = found.iter().find(|d| d.message.contains("no option"));
                assert!(parsed.is_sound() && refused.is_none(), "{text}\n{refused:?}");
            }
        }
    }
}
