//! The table of methods. A method is one file: its entry (names, options, source) and, once it is built, its
//! iteration as a graph. Methods that are not built yet have their entry already, so that files which use them check.

use blo_engine::calculus::Assumption;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::control::{Control, Schedules};
use crate::iteration::Iteration;
use crate::settings::Settings;

mod bamm;
mod bda;
mod bigsam;
mod bome;
mod composed;
mod f2sa;
mod iaptt;
mod implicit;
mod meha;
mod penalty;
mod search;
mod unrolled;
mod vfidca;

/// A method that is built: from a problem and its settings to an iteration.
pub trait Method: Sync {
    /// Rules between options, beyond the kind and range of each. Run before iteration 0, also by `check`.
    fn check(&self, settings: &Settings) -> Vec<Diagnostic>;

    /// What of the problem the method cannot take. Run before iteration 0.
    fn suits(&self, _: &Problem, _: &Settings) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// What runs beside the iteration's graph, in the order in which it runs, for listings.
    fn programs(&self, _: &Problem, _: &Settings) -> Vec<Function> {
        Vec::new()
    }

    /// The method's hypergradient at the start, moved by noise of size `spread` under a seed, against other ways to get
    /// it; `None` for methods that have none.
    ///
    /// # Errors
    /// When the memory cannot be had.
    fn check_hypergradient(
        &self,
        _: &Problem,
        _: &Bindings,
        _: &Settings,
        _: (f64, u64),
    ) -> Result<Option<Vec<HypergradientCheck>>, Box<Diagnostic>> {
        Ok(None)
    }

    /// The iteration as a graph. The settings are complete and have passed `check`.
    fn iteration(&self, problem: &Problem, settings: &Settings) -> Iteration;

    /// Fills in the options that have an automatic value which needs neither problem nor data. Run after `check`.
    fn complete(&self, _: &mut Settings) {}

    /// What chooses the numbers of the iterations: by default the schedules of the settings.
    ///
    /// # Errors
    /// When what the control computes with cannot be put into memory.
    fn control(
        &self,
        _: &Problem,
        _: &Bindings,
        _: &Settings,
        iteration: &Iteration,
    ) -> Result<Box<dyn Control>, Box<Diagnostic>> {
        Ok(Box::new(Schedules::of(iteration)))
    }

    /// Options without a value that the control chooses while it runs.
    fn chooses(&self) -> &'static [&'static str] {
        &[]
    }
}

/// The derivative of `F(x, y_K(x))` in one variable.
#[derive(Clone, Debug, PartialEq)]
pub struct HypergradientCheck {
    /// The variable: `x`, or `z of y` for the start of the lower steps.
    pub name: String,
    /// How many entries were compared.
    pub entries: usize,
    /// The entry with the largest difference, one-based, row-major, and there:
    pub worst: usize,
    /// what the method computes,
    pub hypergradient: f64,
    /// forward mode, where the method's own is not it and has the same objective,
    pub forward: Option<f64>,
    /// and the central difference.
    pub difference: f64,
    /// The largest disagreement with forward mode, relative to the variable's largest derivative.
    pub forward_error: Option<f64>,
    /// That with differences.
    pub difference_error: f64,
    /// The method claims to compute the derivative itself; else it is an estimate, and a difference is its error.
    pub exact: bool,
    /// True for an estimate, and where all agree.
    pub agrees: bool,
}

/// A method of the table.
pub struct Entry {
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
    /// The implementation, once it is built.
    pub method: Option<&'static dyn Method>,
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
}

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number(Range),
    /// A whole number, at least this.
    Integer(u64),
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
    /// The kind in words, for messages and listings.
    pub fn text(self) -> String {
        match self {
            Kind::Number(range) => range.text().to_string(),
            Kind::Integer(0) => "a whole number".to_string(),
            Kind::Integer(least) => format!("a whole number of at least {least}"),
            Kind::Schedule(range) => format!("{}, or an expression in `k`", range.text()),
            Kind::Word(words) => format!("one of `{}`", words.join("`, `")),
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "method {}", self.name)
    }
}

impl Entry {
    /// True when it can be run.
    pub fn runs(&self) -> bool {
        self.method.is_some()
    }

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
const fn option(
    name: &'static str,
    symbol: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    doc: &'static str,
) -> OptionEntry {
    OptionEntry { name, symbol, default, kind, doc }
}

/// Options that every method has.
pub static COMMON: &[OptionEntry] = &[
    option("max_iter", "", Kind::Integer(0), Some("1000"), "stop after this many iterations"),
    option(
        "tol",
        "",
        Kind::Number(Range::NonNegative),
        Some("1e-6"),
        "stop when every residual is this small against the start",
    ),
    option("max_time", "", Kind::Number(Range::Positive), Some("inf"), "stop after this many seconds"),
    option("precision", "", Kind::Word(&["f64", "f32"]), Some("f64"), "numbers of the iteration"),
    option("seed", "", Kind::Integer(0), Some("0"), "seed of the run, part of every generator's stream"),
    option("threads", "", Kind::Integer(1), None, "threads; automatic is one per core"),
    option(
        "polish",
        "",
        Kind::Integer(0),
        Some("20000"),
        "most prox-gradient maps to solve the lower level with at the end, by default also at most twice the iterations",
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
];

/// A single-loop method's iterations are cheap: more of them than [`COMMON`] allows.
const MANY_ITERATIONS: OptionEntry =
    option("max_iter", "", Kind::Integer(0), Some("10000"), "stop after this many iterations");

/// The method that runs where nobody names one.
pub const DEFAULT: &str = "meha";

/// Every method, in the order in which listings show them.
pub static METHODS: &[&Entry] = &[
    &meha::MEHA,
    &unrolled::UNROLL,
    &unrolled::RHG,
    &unrolled::FHG,
    &unrolled::TRHG,
    &bda::BDA,
    &bigsam::BIGSAM,
    &iaptt::IAGM,
    &iaptt::IAGM_A,
    &iaptt::IAPTT,
    &implicit::CG,
    &implicit::NEUMANN,
    &implicit::DARTS,
    &implicit::RANK1,
    &bome::BOME,
    &penalty::VPBGD,
    &penalty::GPBGD,
    &f2sa::F2SA,
    &bamm::BAMM,
    &vfidca::VFIDCA,
    &search::IGJO,
    &search::GRID,
    &search::RANDOM,
    &search::TPE,
];

/// A method by name.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    METHODS.iter().find(|m| m.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_value;

    #[test]
    fn names_are_unique_and_everything_is_documented() {
        for (i, m) in METHODS.iter().enumerate() {
            assert!(METHODS[..i].iter().all(|o| o.name != m.name), "{}", m.name);
            assert!(!m.doc.is_empty() && !m.citation.is_empty(), "{}", m.name);
            let options: Vec<_> = m.all_options().collect();
            for (j, o) in options.iter().enumerate() {
                assert!(options[..j].iter().all(|p| p.name != o.name), "{} {}", m.name, o.name);
                assert!(!o.doc.is_empty(), "{} {}", m.name, o.name);
            }
        }
    }

    #[test]
    fn defaults_are_values_of_their_kind() {
        for m in METHODS {
            for o in m.all_options() {
                if let Some(text) = o.default {
                    let value = parse_value(o, text);
                    assert!(value.is_ok(), "{} {} = {text}: {value:?}", m.name, o.name);
                }
            }
        }
    }
}
