//! The table of methods. A method is one file: its entry (names, options, source) and, once it is built, its
//! iteration as a graph. Methods that are not built yet have their entry already, so that files which use them check.

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use descent::{bda, bigsam, iaptt, implicit, unrolled};
use value_function::{bamm, bome, f2sa, penalty};

use crate::iteration::Iteration;
use crate::iteration::control::{Control, Schedules};
use crate::options::entry::MethodEntry;
use crate::options::settings::Settings;

mod dca;
mod descent;
mod meha;
pub mod resolve;
mod search;
mod value_function;

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

/// A line of the table: what a method says of itself, and the implementation, once it is built.
#[derive(Clone, Copy)]
pub struct Listed {
    /// Names, options and source.
    pub entry: &'static MethodEntry,
    /// From a problem to an iteration.
    pub method: Option<&'static dyn Method>,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.entry.fmt(f)
    }
}

impl Listed {
    /// True when it can be run.
    pub fn runs(&self) -> bool {
        self.method.is_some()
    }
}

const fn built(entry: &'static MethodEntry, method: &'static dyn Method) -> Listed {
    Listed { entry, method: Some(method) }
}

const fn planned(entry: &'static MethodEntry) -> Listed {
    Listed { entry, method: None }
}

/// Every method, in the order in which listings show them.
pub static METHODS: &[Listed] = &[
    built(&meha::MEHA, &meha::Meha),
    built(&unrolled::UNROLL, &descent::Composed),
    built(&unrolled::RHG, &descent::Composed),
    built(&unrolled::FHG, &descent::Composed),
    built(&unrolled::TRHG, &descent::Composed),
    built(&bda::BDA, &descent::Composed),
    built(&bigsam::BIGSAM, &descent::Composed),
    built(&iaptt::IAGM, &descent::Composed),
    built(&iaptt::IAGM_A, &descent::Composed),
    built(&iaptt::IAPTT, &descent::Composed),
    built(&implicit::CG, &descent::Composed),
    built(&implicit::NEUMANN, &descent::Composed),
    built(&implicit::DARTS, &descent::Composed),
    built(&implicit::RANK1, &descent::Composed),
    planned(&bome::BOME),
    planned(&penalty::VPBGD),
    planned(&penalty::GPBGD),
    planned(&f2sa::F2SA),
    planned(&bamm::BAMM),
    planned(&dca::VFIDCA),
    planned(&search::IGJO),
    planned(&search::GRID),
    planned(&search::RANDOM),
    planned(&search::TPE),
];

/// The implementation of a method, once it is built.
pub(crate) fn implementation(entry: &MethodEntry) -> Option<&'static dyn Method> {
    by_name(entry.name).and_then(|listed| listed.method)
}

/// Names of the methods that run.
pub(crate) fn ready() -> Vec<&'static str> {
    METHODS.iter().filter(|m| m.runs()).map(|m| m.entry.name).collect()
}

/// A method by name.
pub fn by_name(name: &str) -> Option<Listed> {
    METHODS.iter().find(|m| m.entry.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::value::parse_value;

    #[test]
    fn names_are_unique_and_everything_is_documented() {
        let entries: Vec<_> = METHODS.iter().map(|m| m.entry).collect();
        for (i, m) in entries.iter().enumerate() {
            assert!(entries[..i].iter().all(|o| o.name != m.name), "{}", m.name);
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
        for m in METHODS.iter().map(|m| m.entry) {
            for o in m.all_options() {
                if let Some(text) = o.default {
                    let value = parse_value(o, text);
                    assert!(value.is_ok(), "{} {} = {text}: {value:?}", m.name, o.name);
                }
            }
        }
    }
}
