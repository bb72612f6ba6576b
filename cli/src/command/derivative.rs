//! Names of functions on the command line: `F`, `f`, `g` and their partial gradients, as the papers write them, and rows by name.

use blo_engine::diff;
use blo_engine::graph::Function;
use blo_engine::model::Problem;

use crate::exit::Failure;

/// The function of a name: an objective, or its gradient in all variables of the upper (`_x`) or lower (`_y`) level.
pub(crate) fn named(problem: &Problem, name: &str) -> Result<Function, Failure> {
    let (letter, level) = match name.split_once('_') {
        None => (name, None),
        Some((letter, level)) => (letter, Some(level)),
    };
    let function = match letter {
        "F" => Some(&problem.upper().objective),
        "f" => Some(&problem.lower().objective),
        "g" => match &problem.lower().regularizer {
            None => return Err(usage("the lower level has no `regularize`, so there is no g", None)),
            some => some.as_ref(),
        },
        _ => None,
    };
    let inputs = match level {
        None => Some(Vec::new()),
        Some("x") => Some(problem.upper_inputs()),
        Some("y") => Some(problem.lower_inputs()),
        Some(_) => None,
    };
    match (function, inputs, level) {
        (Some(f), _, None) => Ok(f.clone()),
        (Some(_), Some(_), Some("y")) if letter == "g" => {
            Err(usage("g has no gradient in y: methods use its proximal map", Some("`blo explain` shows it")))
        }
        (Some(_), Some(inputs), Some(_)) if inputs.is_empty() => Err(usage("the upper level has no variables", None)),
        (Some(f), Some(inputs), Some(_)) => Ok(diff::gradient(f, &inputs).named(name)),
        _ => row(problem, name).ok_or_else(|| usage(
            &format!("no function is called `{name}`"),
            Some("there are F, f, g, the gradients F_x, F_y, f_x, f_y, g_x (x: upper variables, y: lower), and rows by name"),
        )),
    }
}

/// What a row with a name has below or at zero; of a chain its first relation.
fn row(problem: &Problem, name: &str) -> Option<Function> {
    let rows = problem.levels.iter().flat_map(|level| &level.constraints);
    rows.filter(|row| row.named).find(|row| row.name == name).map(|row| row.value.clone())
}

fn usage(message: &str, help: Option<&str>) -> Failure {
    Failure::Usage { message: message.into(), help: help.map(Into::into) }
}
