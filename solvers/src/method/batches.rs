//! Minibatches: whether a method's steps may look at a batch of rows only, and the problem that they look at. A method
//! admits it where nothing that it decides compares objectives of different iterations: with stated steps. Reports, the
//! polish and the judgement of the end look at all rows in any case.

use std::borrow::Cow;

use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::model::{BatchError, Bindings, RowStream, with_batches};
use blo_grammar::diagnostic::Diagnostic;

use super::{METHODS, Method};
use crate::options::message;
use crate::options::settings::{Setting, Settings};
use crate::options::value::Value;

/// Whether the steps of a method may look at a batch of rows only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchUse {
    /// Never.
    Never,
    /// Where these options are stated: then the method runs as its paper prints it.
    Stated(&'static [&'static str]),
}

/// The options that state sizes of batches: of both levels, above, below.
pub(crate) const OPTIONS: [&str; 3] = ["batch", "batch_upper", "batch_lower"];

/// The option that says how many rows a batch of a level has, if one does: its own, or that of both.
fn stated(settings: &Settings, level: LevelId) -> Option<&Setting> {
    let own = if level == LevelId::UPPER { OPTIONS[1] } else { OPTIONS[2] };
    [own, OPTIONS[0]].into_iter().map(|name| settings.get(name)).find(|s| s.value.is_some())
}

/// Names of the methods that may look at batches.
fn that_may(problem: &Problem) -> Vec<&'static str> {
    let may = |method: &dyn Method| method.batches(problem) != BatchUse::Never;
    METHODS.iter().filter(|m| may(m.method)).map(|m| m.entry.name).collect()
}

/// The problem with the batches that the options ask for; `None` where they ask for none.
///
/// # Errors
/// When the method cannot step on batches, or an objective is not a sum over rows.
pub(crate) fn problem(
    problem: &Problem,
    method: &dyn Method,
    settings: &Settings,
) -> Result<Option<Problem>, Box<Diagnostic>> {
    let levels = [LevelId::UPPER, LevelId::LOWER];
    let asked: Vec<(LevelId, &Setting)> =
        levels.into_iter().filter_map(|level| Some((level, stated(settings, level)?))).collect();
    let Some((_, first)) = asked.first() else { return Ok(None) };
    let name = settings.method.name;
    match method.batches(problem) {
        BatchUse::Never => return Err(Box::new(message::no_batches(first, name, &that_may(problem)))),
        BatchUse::Stated(needed) if !method.is_as_printed(settings, needed) => {
            return Err(Box::new(message::batches_need_stated_steps(first, name, needed)));
        }
        BatchUse::Stated(_) => {}
    }
    let size = |s: &Setting| if let Some(Value::Integer(n)) = s.value { n as usize } else { 1 };
    let sizes: Vec<(LevelId, usize)> = asked.iter().map(|(level, s)| (*level, size(s))).collect();
    let refused = |(level, why): (LevelId, BatchError)| {
        let setting = stated(settings, level).unwrap_or(first);
        Box::new(message::not_a_sum_over_rows(setting, level == LevelId::UPPER, why))
    };
    with_batches(problem, &sizes).map(Some).map_err(refused)
}

/// Refuses batches where rows of the upper level are terms of its objective, which is no sum over the rows of a dataset.
///
/// # Errors
/// When the options ask for batches.
pub(crate) fn refused(problem: &Problem, settings: &Settings) -> Result<(), Box<Diagnostic>> {
    let asked = [LevelId::UPPER, LevelId::LOWER].into_iter().find_map(|level| stated(settings, level));
    match asked {
        Some(first) => Err(Box::new(message::no_batches(first, settings.method.name, &that_may(problem)))),
        None => Ok(()),
    }
}

/// The data of a run: with the rows of the first batches, where the problem has batches.
///
/// # Errors
/// When a batch has more rows than there are.
pub(crate) fn data<'a>(
    problem: &Problem,
    data: &'a Bindings,
    settings: &Settings,
) -> Result<Cow<'a, Bindings>, Box<Diagnostic>> {
    let Some(batches) = &problem.batches else { return Ok(Cow::Borrowed(data)) };
    match RowStream::new(batches, &data.sizes, settings.integer("seed")) {
        Ok(mut stream) => Ok(Cow::Owned(stream.bound(data, 1))),
        Err(few) => {
            let setting = stated(settings, few.level).unwrap_or_else(|| settings.get(OPTIONS[0]));
            Err(Box::new(message::batch_of_too_many_rows(setting, &few.name, few.rows)))
        }
    }
}

/// What the options are in effect, for results.
pub(crate) fn in_effect(settings: &Settings) -> [(&'static str, Value); 3] {
    let all = Value::Text("all rows");
    let of = |level| stated(settings, level).and_then(|s| s.value.clone()).unwrap_or(all.clone());
    [(OPTIONS[0], all.clone()), (OPTIONS[1], of(LevelId::UPPER)), (OPTIONS[2], of(LevelId::LOWER))]
}
