//! What runs beside the stages: K lower steps at x, and the derivative of F at their end.

use super::body::Refused;
use super::program::Writer;
use super::step::Lines;
use crate::method::Composition;

impl Writer<'_> {
    pub(super) fn hypergradient(&mut self, _: &Composition) -> Result<String, Refused> {
        let _ = Lines::default();
        todo!()
    }

    pub(super) fn hypergradient_call(&mut self, _k: &str) -> String {
        todo!()
    }

    pub(super) fn parameters(&mut self, _: &[usize], _: &mut Lines) {}

    pub(super) fn overrides(&mut self, _: &mut Lines) {}
}
