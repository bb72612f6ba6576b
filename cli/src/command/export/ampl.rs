//! Models for AMPL.

use super::{Export, Language, model};
use crate::exit::Failure;
use crate::output::console::Console;

pub(super) static LANGUAGE: Language = Language {
    name: "ampl",
    format: None,
    about: "the problem for AMPL: the lower level by its KKT conditions",
    ending: "mod",
    file: "a model for AMPL",
    of_a_method: false,
    beside: &[],
    write,
};

fn write(export: &Export<'_>, console: &mut Console) -> Result<String, Failure> {
    model(export, console, blo_solvers::export::ampl)
}
