//! `blo data`: what the data of a problem are once they are read: shapes, ranges, class balance, and what label noise
//! did. Everything is read, so this finds the mistakes that `check`, which looks at headers, cannot.

use blo::input::checked::{gap, noise};
use blo_engine::data::Numbers;
use blo_engine::model::problem::{DataItem, DataOrigin, Kind, Problem};
use blo_engine::model::{Bindings, Bound, Gap};
use clap::Args;
use serde_json::{Map, Value, json};

use super::help::Help;
use super::registry::with_schema;
use crate::args::{Format, ModelArguments, whole};
use crate::exit::{Exit, Failure};
use crate::input::model::load;
use crate::output::console::Console;
use blo::output::number::few;
use blo::output::table::{Align, lines};
use blo::output::text::visible::on_one_line;

const HELP: Help = Help {
    examples: &[
        ("blo data P.blo", "shapes, ranges, class balance"),
        ("blo data P.blo --data-dir ~/mnist", "looks there, too"),
    ],
    exits: &[],
};

/// Reads the data and shows shapes, ranges, class balance and label noise
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Seed of the run, part of every generator's stream
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = whole)]
    seed: u64,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Digits of ranges and means.
const DIGITS: usize = 4;

/// Balances of more classes are summarized.
const SHOWN_CLASSES: usize = 12;

/// Reads and describes the data.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let model = load(&arguments.model, console)?;
    let data = model.read(&arguments.model, arguments.seed, console)?;
    let text = match arguments.format {
        Format::Human => text(&model.problem, &data, console.page()),
        Format::Json => format!("{:#}\n", with_schema(object(&model.problem, &data))),
    };
    console.result(&text)?;
    Ok(Exit::Done)
}

fn items<'a>(problem: &'a Problem, data: &'a Bindings) -> impl Iterator<Item = (&'a DataItem, &'a Bound)> {
    let first = problem.variables().count();
    // followers of other tasks are results, not data
    let read = problem.data.iter().filter(|item| !problem.is_solved_for(item.formal));
    read.filter_map(move |item| Some((item, data.values.get(item.formal.checked_sub(first)?)?)))
}

fn text(problem: &Problem, data: &Bindings, page: usize) -> String {
    let row = |(item, values): (&DataItem, &Bound)| {
        let (shape, about) = match values {
            Bound::Real(numbers) => (shape(&numbers.shape), about(item.kind, numbers)),
            Bound::Index(positions) => (shape(&[positions.len()]), positions_text(positions)),
        };
        vec![item.name.clone(), shape, about, origin(problem, item)]
    };
    let rows: Vec<Vec<String>> = items(problem, data).map(row).collect();
    if rows.is_empty() {
        return "the problem has no data\n".into();
    }
    let mut text = lines(&[Align::Left; 4], &rows, page);
    if !data.gaps.is_empty() {
        text += "\n";
        data.gaps.iter().for_each(|gap| text += &format!("{}\n", on_one_line(&self::gap(gap))));
    }
    let noise: Vec<Vec<String>> = data.corrupted.iter().map(|c| vec![c.name.clone(), noise(c)]).collect();
    if !noise.is_empty() {
        text += "\n";
        text += &lines(&[Align::Left; 2], &noise, page);
    }
    text
}

fn shape(extents: &[usize]) -> String {
    let extents: Vec<String> = extents.iter().map(usize::to_string).collect();
    format!("[{}]", extents.join(", "))
}

/// Where the values come from, in a few words.
fn origin(problem: &Problem, item: &DataItem) -> String {
    let tables = &problem.tables;
    match &item.origin {
        DataOrigin::File { format, path, .. } => format!("{format} {path}"),
        DataOrigin::Generator { generator, .. } => generator.clone(),
        DataOrigin::Filter { .. } => "rows where a condition holds".into(),
        DataOrigin::Column { view, column } => {
            match &tables.datasets[tables.views[*view].dataset].columns[*column].origin {
                DataOrigin::File { format, path, .. } => format!("{format} {path}"),
                DataOrigin::Generator { generator, .. } => generator.clone(),
                _ => String::new(),
            }
        }
        DataOrigin::TaskRows { episodes, share, .. } => {
            let tasks = &tables.episodes[*episodes];
            format!(
                "rows of {} tasks, {} classes each, {} of a class",
                tasks.draw.tasks,
                tasks.draw.ways,
                tasks.rows_per_class(*share)
            )
        }
        DataOrigin::TaskLabels { .. } => "labels within a task".into(),
        DataOrigin::Followers { .. } => "solved for".into(),
        DataOrigin::Multiplier { .. } => "a multiplier of the run".into(),
        DataOrigin::Residual => "a residual of the run".into(),
        DataOrigin::Mask { view, column } => format!("wrong labels of {}", tables.column_name(*view, *column)),
    }
}

fn about(kind: Kind, numbers: &Numbers) -> String {
    match kind {
        Kind::Label(classes) => balance(&counts(numbers, classes)),
        Kind::Boolean => format!("{} true", numbers.values().filter(|v| *v != 0.0).count()),
        Kind::Real => range_text(Range::of(numbers.values())),
    }
}

fn range_text(range: Option<Range>) -> String {
    match range {
        Some(r) => format!("{} to {}, mean {}", few(r.least, DIGITS), few(r.most, DIGITS), few(r.mean, DIGITS)),
        None => "empty".into(),
    }
}

fn positions_text(positions: &[usize]) -> String {
    match (positions.iter().min(), positions.iter().max()) {
        (Some(first), Some(last)) => format!("positions {} to {}", first + 1, last + 1),
        _ => "empty".into(),
    }
}

/// How many labels of each class there are.
fn counts(labels: &Numbers, classes: Option<usize>) -> Vec<usize> {
    let mut counts = vec![0; classes.unwrap_or(0)];
    for label in labels.values().map(|v| v as usize) {
        if label >= counts.len() {
            counts.resize(label + 1, 0);
        }
        counts[label] += 1;
    }
    counts
}

fn balance(counts: &[usize]) -> String {
    if counts.len() <= SHOWN_CLASSES {
        let shown: Vec<String> = counts.iter().map(usize::to_string).collect();
        return format!("{} classes: {}", counts.len(), shown.join(" "));
    }
    let (least, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
    format!("{} classes of {least} to {most}", counts.len())
}

/// Extent of the values.
struct Range {
    least: f64,
    most: f64,
    mean: f64,
}

impl Range {
    fn of(values: impl ExactSizeIterator<Item = f64>) -> Option<Range> {
        let count = values.len();
        let (mut least, mut most, mut total) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for v in values {
            (least, most, total) = (least.min(v), most.max(v), total + v);
        }
        (count > 0).then_some(Range { least, most, mean: total / count as f64 })
    }

    fn insert(self, o: &mut Map<String, Value>) {
        o.insert("min".into(), json!(self.least));
        o.insert("max".into(), json!(self.most));
        o.insert("mean".into(), json!(self.mean));
    }
}

fn object(problem: &Problem, data: &Bindings) -> Value {
    let item = |(item, values): (&DataItem, &Bound)| {
        let mut o = Map::new();
        o.insert("origin".into(), json!(origin(problem, item)));
        match values {
            Bound::Index(positions) => {
                o.insert("shape".into(), json!([positions.len()]));
            }
            Bound::Real(numbers) => {
                o.insert("shape".into(), json!(numbers.shape));
                match (item.kind, Range::of(numbers.values())) {
                    (Kind::Label(classes), _) => {
                        o.insert("classes".into(), json!(counts(numbers, classes)));
                    }
                    (Kind::Boolean, _) => {
                        o.insert("true".into(), json!(numbers.values().filter(|v| *v != 0.0).count()));
                    }
                    (Kind::Real, Some(range)) => range.insert(&mut o),
                    (Kind::Real, None) => {}
                }
            }
        }
        (item.name.clone(), Value::Object(o))
    };
    let corrupted = data
        .corrupted
        .iter()
        .map(|c| (c.name.clone(), json!({"wrong": c.wrong, "rows": c.rows, "fraction": c.fraction})));
    let gaps = data.gaps.iter().map(|gap| match gap {
        Gap::Dropped { path, rows } => json!({"file": path, "rows_left_out": rows}),
        Gap::Filled { name, values } => json!({"data": name, "filled": values}),
    });
    json!({
        "missing": gaps.collect::<Vec<_>>(),
        "data": items(problem, data).map(item).collect::<Map<_, _>>(),
        "corrupted": corrupted.collect::<Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use blo_engine::data::Array;

    use super::*;

    #[test]
    fn kinds_are_described_by_what_matters_of_them() {
        let numbers = |values: Vec<f64>| Numbers::from(Array::from(values));
        let some = numbers(vec![0.0, 2.0, 2.0, 1.0]);
        assert_eq!(about(Kind::Real, &some), "0 to 2, mean 1.25");
        assert_eq!(about(Kind::Label(Some(4)), &some), "4 classes: 1 1 2 0");
        assert_eq!(about(Kind::Boolean, &some), "3 true");
        assert_eq!(balance(&[3; 13]), "13 classes of 3 to 3");
        assert_eq!(about(Kind::Real, &numbers(Vec::new())), "empty");
    }
}
