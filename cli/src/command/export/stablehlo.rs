//! Programs for JAX as StableHLO: the iteration as the text of a module, with its data beside it.

use blo_solvers::export;

use super::jax::with_arrays;
use super::{Export, Language};
use crate::exit::Failure;
use crate::output::console::Console;

pub(super) static LANGUAGE: Language = Language {
    name: "jax",
    format: Some("stablehlo"),
    about: "a method's iteration as a module of StableHLO",
    ending: "mlir",
    file: "a module of StableHLO",
    of_a_method: true,
    beside: &[("npz", "its arrays")],
    write,
};

fn write(export: &Export<'_>, console: &mut Console) -> Result<String, Failure> {
    with_arrays(export, export::stablehlo, console)
}
