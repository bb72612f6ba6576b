//! Pieces of formulas with what decides on parentheses around them: how tightly they hold together, whether a minus begins
//! them, whether they reach to the right as a sum does.

/// How tightly a piece holds together, the loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Cases.
    Condition,
    /// `a or b`
    Or,
    /// `a and b`
    And,
    /// `not a`
    Not,
    /// `a <= b`
    Comparison,
    /// `a, ..., b` without braces.
    Range,
    /// `a + b`
    Sum,
    /// `a .* b`
    Entrywise,
    /// `a b`
    Product,
    /// A fraction, which holds together but takes no scripts.
    Fraction,
    /// A function with its arguments.
    Call,
    /// Has a superscript, so that it takes no other.
    Scripted,
    /// Takes scripts.
    Atom,
}

/// A piece of a formula.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// Its text.
    pub(super) text: String,
    /// How tightly it holds together.
    pub(super) level: Level,
    /// A minus begins it.
    pub(super) minus: bool,
    /// It takes in what follows it, as a sum over an index does.
    pub(super) open: bool,
}

impl Term {
    /// A piece without a leading minus that does not reach to the right.
    pub(super) fn new(text: impl Into<String>, level: Level) -> Term {
        Term { text: text.into(), level, minus: false, open: false }
    }

    /// A piece that takes scripts.
    pub(super) fn atom(text: impl Into<String>) -> Term {
        Term::new(text, Level::Atom)
    }

    /// The piece, in parentheses where it holds together less tightly than asked.
    pub(super) fn at_least(&self, level: Level) -> String {
        if self.level >= level { self.text.clone() } else { parentheses(&self.text) }
    }

    /// The piece as one that scripts are put on.
    pub(super) fn base(&self) -> String {
        self.at_least(Level::Atom)
    }

    /// The piece after an operator of this level.
    pub(super) fn after(&self, level: Level) -> String {
        if self.minus || self.level <= level { parentheses(&self.text) } else { self.text.clone() }
    }

    /// The piece before a factor.
    pub(super) fn before(&self, level: Level) -> String {
        if self.open || self.level < level { parentheses(&self.text) } else { self.text.clone() }
    }
}

/// What makes a piece higher than a line.
const TALL: [&str; 8] = ["\\frac", "\\sum", "\\begin", "\\max_", "\\min_", "\\left", "\\operatorname*", "\\sqrt"];

fn fenced(open: &str, text: &str, close: &str) -> String {
    if TALL.iter().any(|word| text.contains(word)) {
        return format!("\\left{open} {text} \\right{close}");
    }
    let space = |fence: &str| if fence.ends_with(|c: char| c.is_ascii_alphabetic()) { " " } else { "" };
    format!("{open}{}{text}{}{close}", space(open), if space(close).is_empty() { "" } else { " " })
}

/// `(text)`
pub(super) fn parentheses(text: &str) -> String {
    fenced("(", text, ")")
}

/// `[text]`
pub(super) fn brackets(text: &str) -> String {
    fenced("[", text, "]")
}

/// `{text}` as a set.
pub(super) fn braces(text: &str) -> String {
    fenced("\\{", text, "\\}")
}

/// `|text|`
pub(super) fn bars(text: &str) -> String {
    fenced("\\lvert", text, "\\rvert")
}

/// `||text||`
pub(super) fn norm(text: &str) -> String {
    fenced("\\lVert", text, "\\rVert")
}

/// `_text` or `^text` with braces where they are needed.
pub(super) fn script(mark: char, text: &str) -> String {
    if text.chars().count() == 1 { format!("{mark}{text}") } else { format!("{mark}{{{text}}}") }
}
