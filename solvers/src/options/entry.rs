//! What an option is: its name, kind, range and default; what a method says of itself; the options that every method
//! has. Data only: values are judged in `value`, gathered in `settings`.

use blo_engine::calculus::Assumption;
use blo_engine::limits::THREADS;

/// A method of the table.
pub struct MethodEntry {
    /// Name on the command line and in files.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Authors, venue, year, equation.
    pub citation: &'static str,
    /// What it computes, in the paper's symbols, a line each; empty until it is built. `phi = f + g`, and `g~` is g with
    /// the lower set.
    pub formula: &'static [&'static str],
    /// What its theory assumes of the lower level; where that is refuted, a run warns.
    pub requires: &'static [Assumption],
    /// Its own options; they come before [`COMMON`] and replace entries of the same name there.
    pub options: &'static [OptionEntry],
}

/// An option of a method.
#[derive(Clone, Copy, Debug)]
pub struct OptionEntry {
    /// Name in files and flags.
    pub name: &'static str,
    /// The paper's symbol.
    pub symbol: &'static str,
    /// The default as it would be written in a file; `None` where the method chooses the value for the problem.
    pub default: Option<&'static str>,
    /// What it holds.
    pub kind: Kind,
    /// One line.
    pub doc: &'static str,
    /// What it is the step of, if it is a step size.
    pub step: Option<StepOf>,
}

/// What a step size is the step of: its curvature bounds the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOf {
    /// Steps of y along the lower objective.
    Lower,
    /// Steps of y along the upper objective.
    UpperInY,
    /// Steps of the upper variables.
    Upper,
}

impl OptionEntry {
    /// The same, as a step size.
    pub(crate) const fn steps(self, of: StepOf) -> OptionEntry {
        OptionEntry { step: Some(of), ..self }
    }
}

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number(Range),
    /// A whole number, at least this.
    Integer(u64),
    /// A whole number from the first to the second.
    Between(u64, u64),
    /// A number or an expression in `k`, counted from 1.
    Schedule(Range),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The values a number may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Any finite number.
    Real,
    /// Above 0; `inf` is allowed.
    Positive,
    /// 0 or more; `inf` is allowed.
    NonNegative,
    /// From 0 to 1.
    Unit,
}

impl Range {
    /// True for a value of the range.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Range::Real => value.is_finite(),
            Range::Positive => value > 0.0,
            Range::NonNegative => value >= 0.0,
            Range::Unit => (0.0..=1.0).contains(&value),
        }
    }

    /// The range in words.
    pub fn text(self) -> &'static str {
        match self {
            Range::Real => "a finite number",
            Range::Positive => "a positive number",
            Range::NonNegative => "a number of at least 0",
            Range::Unit => "a number from 0 to 1",
        }
    }
}

impl Kind {
    /// The least and the largest whole number: formulas are f64, which hold every one up to 2^53.
    pub(crate) fn whole_numbers(self) -> (u64, u64) {
        match self {
            Kind::Integer(least) => (least, 1 << f64::MANTISSA_DIGITS),
            Kind::Between(least, most) => (least, most),
            Kind::Number(_) | Kind::Schedule(_) | Kind::Word(_) => unreachable!("not a kind of whole numbers"),
        }
    }

    /// The kind in words, for messages and listings.
    pub fn text(self) -> String {
        match self {
            Kind::Number(range) => range.text().to_string(),
            Kind::Integer(0) => "a whole number".to_string(),
            Kind::Integer(least) => format!("a whole number of at least {least}"),
            Kind::Between(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Schedule(range) => format!("{}, or an expression in `k`", range.text()),
            Kind::Word(words) => format!("one of `{}`", words.join("`, `")),
        }
    }
}

impl std::fmt::Debug for MethodEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "method {}", self.name)
    }
}

impl MethodEntry {
    /// All options: its own, then the common ones.
    pub fn all_options(&self) -> impl Iterator<Item = &'static OptionEntry> {
        let own = self.options;
        own.iter().chain(COMMON.iter().filter(move |c| own.iter().all(|o| o.name != c.name)))
    }

    /// An option by name.
    pub fn option(&self, name: &str) -> Option<&'static OptionEntry> {
        self.all_options().find(|o| o.name == name)
    }
}

/// An option of an entry; the order of a table line.
pub(crate) const fn option(
    name: &'static str,
    symbol: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    doc: &'static str,
) -> OptionEntry {
    OptionEntry { name, symbol, default, kind, doc, step: None }
}

/// Options that every method has.
pub static COMMON: &[OptionEntry] = &[
    option("max_iter", "", Kind::Integer(0), Some("1000"), "stop after this many iterations"),
    option(
        "tol",
        "",
        Kind::Number(Range::NonNegative),
        Some("1e-6"),
        "the method ends when all its residuals are this small against the start",
    ),
    option("max_time", "", Kind::Number(Range::Positive), Some("inf"), "stop after this many seconds"),
    option("precision", "", Kind::Word(&["f64", "f32"]), Some("f64"), "numbers of the iteration"),
    option("seed", "", Kind::Integer(0), Some("0"), "seed of the run, part of every generator's stream"),
    option("threads", "", Kind::Between(1, THREADS.value), None, "threads; automatic is one per core"),
    option(
        "polish",
        "",
        Kind::Integer(0),
        None,
        "most prox-gradient maps to solve the lower level with at the end; automatic is 20000, and at most twice the iterations",
    ),
    option(
        "metric_every",
        "",
        Kind::Integer(0),
        Some("0"),
        "iterations between metrics; 0 is at the rows of the table",
    ),
    option(
        "resample",
        "",
        Kind::Integer(0),
        Some("0"),
        "iterations between new draws of the tasks of `episodes`, whose followers then start anew; 0 keeps them",
    ),
    option("batch", "", Kind::Integer(1), None, "rows that a step looks at, on each level; automatic is all"),
    option("batch_upper", "", Kind::Integer(1), None, "rows that a step looks at above, instead of `batch`"),
    option("batch_lower", "", Kind::Integer(1), None, "rows that a step looks at below, instead of `batch`"),
];

/// A single-loop method's iterations are cheap: more of them than [`COMMON`] allows.
pub(crate) const MANY_ITERATIONS: OptionEntry =
    option("max_iter", "", Kind::Integer(0), Some("10000"), "stop after this many iterations");
