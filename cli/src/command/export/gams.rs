//! Models for GAMS.

use super::{Export, Language, model};
use crate::exit::Failure;
use crate::output::console::Console;

pub(super) static LANGUAGE: Language = Language {
    name: "gams",
    format: None,
    about: "the problem for GAMS: both levels, annotated for EMP",
    ending: "gms",
    file: "a model for GAMS",
    of_a_method: false,
    beside: &[],
    write,
};

fn write(export: &Export<'_>, console: &mut Console) -> Result<String, Failure> {
    model(export, console, blo_solvers::export::gams)
}
