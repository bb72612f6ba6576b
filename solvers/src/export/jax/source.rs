//! What a program is made from.

use blo_engine::graph::Formal;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;

use crate::export::About;
use crate::export::record::Record;
use crate::iteration::Iteration;
use crate::method::Composition;
use crate::options::settings::Settings;

/// A problem, an iteration of a method on it, and a run of that.
pub(in crate::export) struct Source<'a> {
    pub(in crate::export) problem: &'a Problem,
    pub(in crate::export) data: &'a Bindings,
    pub(in crate::export) iteration: &'a Iteration,
    pub(in crate::export) composition: Option<&'a Composition>,
    pub(in crate::export) record: &'a Record,
    pub(in crate::export) about: &'a About,
    pub(in crate::export) settings: &'a Settings,
}

impl Source<'_> {
    /// The method's name.
    pub(super) fn method(&self) -> &'static str {
        self.settings.method.name
    }

    /// True where the options state a number of the method.
    pub(super) fn states(&self, option: &str) -> bool {
        self.settings.method.option(option).is_some() && self.settings.stated(option).is_some()
    }

    /// Names of the inputs of the iteration, as the graph has them.
    pub(super) fn inputs(&self) -> &[Formal] {
        let functions = self.iteration.stages.iter().filter_map(|s| s.function());
        let longest = functions.map(|f| f.inputs.as_slice()).max_by_key(|inputs| inputs.len());
        longest.unwrap_or(&self.problem.formals)
    }
}
