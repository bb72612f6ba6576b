//! Problems as models of AMPL and GAMS. Arrays stay indexed and sums stay sums; the numbers of the data stand in the file.
//!
//! GAMS has bilevel programs (EMP): its file holds both levels. AMPL has complementarity: its file holds the KKT conditions
//! of the lower level, a mathematical program with complementarity constraints.

mod ampl;
mod entry;
mod gams;
mod index;
mod model;
mod names;
mod sheet;
mod tables;
#[cfg(test)]
mod tests;

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::message;
use entry::Refused;
use model::{Lower, model};
use sheet::Sheet;

/// The languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::export) enum Language {
    Ampl,
    Gams,
}

/// Numbers that a text may hold.
const MOST_NUMBERS: usize = 2_000_000;

/// A problem as a model; `command` is the command line that asks for it.
///
/// # Errors
/// What cannot be exported, with what to do instead.
pub(in crate::export) fn text(
    language: Language,
    problem: &Problem,
    data: &Bindings,
    command: &str,
) -> Result<String, Vec<Diagnostic>> {
    let how = if language == Language::Ampl { Lower::Conditions } else { Lower::Program };
    let model = model(problem, data, how)?;
    let deep =
        |i: &usize| *i < problem.formals.len() && problem.formals[*i].shape.rank() > 2 && model.function.depends_on(*i);
    if let Some(input) = (0..model.function.inputs.len()).find(deep) {
        let span = problem.data.iter().find(|item| item.formal == input).map_or(Span::default(), |item| item.span);
        return Err(vec![message::many_axes(span, &problem.formals[input].name)]);
    }
    let mut sheet = Sheet::new(language, &model);
    if sheet.numbers() > MOST_NUMBERS {
        let what = format!("a problem with {} numbers", sheet.numbers());
        return Err(vec![message::too_much_text(
            problem.lower().objective.graph().span_of(problem.lower().objective.outputs()[0]),
            &what,
        )]);
    }
    let written = match language {
        Language::Ampl => ampl::text(&model, &mut sheet, command),
        Language::Gams => gams::text(&model, &mut sheet, command),
    };
    written.map_err(|Refused { what, why, span }| vec![message::operation(span, &what, &why)])
}
