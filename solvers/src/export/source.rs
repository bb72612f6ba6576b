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
pub(super) struct Source<'a> {
    pub(super) problem: &'a Problem,
    pub(super) data: &'a Bindings,
    pub(super) iteration: &'a Iteration,
    pub(super) composition: Option<&'a Composition>,
    pub(super) record: &'a Record,
    pub(super) about: &'a About,
    pub(super) settings: &'a Settings,
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
