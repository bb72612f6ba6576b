//! Several methods on the problem of the page, one after the other, each with its share of the time. The table and the
//! curves grow with every method that has ended.

use blo::output::table::Align;
use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::Request;

use super::events::{self, How, Part, Which};
use super::job::{PAGE, Task};
use crate::command::compare::{natural_quantity, picture};
use crate::command::several::measure::{Begin, Budget, Measurement, measured};
use crate::exit::Failure;
use crate::output::console::Console;
use crate::output::measured::table::{Labels, table};
use crate::output::measured::{Group, Outcome};
use crate::picture::curves::compare;
use crate::picture::of_run::caption_of_several;

/// Compares, and tells how that has ended.
///
/// # Errors
/// When nothing can run; the reasons have been shown.
pub(super) fn run(task: &Task, console: &mut Console) -> Result<(How, String), Failure> {
    let (model, methods) = (&task.model, &task.job.methods);
    let quantity = natural_quantity(&model.problem);
    let mut groups: Vec<Group> = Vec::new();
    for (i, method) in methods.iter().enumerate() {
        if let Some(how) = task.told() {
            return Ok((how, task.why(how)));
        }
        // those that end early leave their time to the others
        let seconds = task.left() / (methods.len() - i) as f64;
        let outcome = match one(task, method, &quantity, seconds, console) {
            Ok(outcome) => outcome,
            Err(_) if task.told().is_some() => continue,
            Err(found) => {
                console.diagnostics(&model.document, &found);
                let why = found.iter().find(|d| d.is_error()).map_or("", |d| d.message.as_str());
                Outcome::refused(0, why.to_owned())
            }
        };
        groups.push(Group { labels: vec![method.clone()], outcomes: vec![outcome] });
        show(task, &groups, &quantity);
    }
    if let Some(how) = task.told() {
        return Ok((how, task.why(how)));
    }
    let ran = groups.iter().flat_map(|g| &g.outcomes).filter(|o| o.refused.is_none()).count();
    Ok(match (ran, methods.len()) {
        (0, _) => (How::Refused, "none of the methods takes this problem; the messages say why".to_owned()),
        (ran, all) if ran == all => (How::Done, format!("compared {all} methods")),
        (ran, all) => (How::Done, format!("compared {ran} of {all} methods; the others do not take this problem")),
    })
}

/// The run of a method.
fn one(
    task: &Task,
    method: &str,
    quantity: &str,
    seconds: f64,
    console: &mut Console,
) -> Result<Outcome, Vec<Diagnostic>> {
    let (model, request) = (&task.model, Request::new(method));
    let seed = blo_solvers::resolve(&model.problem, &request)?.integer("seed");
    // what is wrong with the data has been shown
    let data = model.bind(&task.arguments, seed, console).map_err(|_| Vec::new())?;
    let begin = Begin { model, problem: &model.problem, data, request, seed, warm: false };
    let measurement = Measurement {
        until: false,
        budget: Budget { seconds: Some(seconds), gradients: None },
        curve: Some(quantity.to_owned()),
        result: false,
    };
    measured(begin, &measurement)
}

/// Shows what there is so far.
fn show(task: &Task, groups: &[Group], quantity: &str) {
    let labels = ["method".to_owned()];
    let mut text = table(&Labels { titles: &labels, align: Align::Left }, groups, 1, PAGE);
    for group in groups {
        for why in group.outcomes.iter().filter_map(|o| o.refused.as_ref()) {
            text += &format!("\n`{}` did not run: {why}\n", group.labels[0]);
        }
    }
    events::text(Part::Table, &text);
    let ran = groups.iter().filter(|g| g.outcomes.iter().any(|o| o.refused.is_none()));
    let names: Vec<&str> = ran.map(|g| g.labels[0].as_str()).collect();
    if names.is_empty() {
        return;
    }
    let caption = caption_of_several(&task.model.problem.name, &[], &[], 0);
    let alt = format!("{quantity} of {} over iterations and over time.", names.join(", "));
    events::picture(Which::Curves, &picture(groups, quantity.to_owned(), &caption, compare), &alt);
}
