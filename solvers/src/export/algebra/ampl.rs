//! A model for AMPL: the upper level over x, y and the multipliers of the lower one, whose KKT conditions are rows with
//! `complements` (Fourer, Gay, Kernighan, AMPL, 2003, section 19; Dempe, Dutta, Math. Program. 131, 2012, for what the KKT
//! conditions of a lower level say).

use std::fmt::Write;

use blo_engine::model::problem::LevelId;

use super::entry::{Level, Named, Refused, number};
use super::model::Model;
use super::sheet::{Array, Page, Sheet};

/// The file.
pub(super) fn text(model: &Model<'_>, sheet: &mut Sheet<'_>, command: &str) -> Result<String, Refused> {
    let mut names = std::mem::take(&mut sheet.names);
    let objectives = [names.take("upper_objective"), names.take("lower_objective")];
    let bounds = Bounds::of(model, sheet, &mut names);
    let mut page = Page::new(sheet, names);
    head(&mut page, model, command);
    declarations(&mut page, &bounds);
    parts(&mut page)?;
    upper(&mut page, &objectives[0])?;
    lower(&mut page, &bounds)?;
    let value = page.entry(model.function.outputs()[model.lower], &[])?;
    page.line("");
    page.line("# the lower level's objective, to be displayed");
    page.statement(&format!("var {} = {};", objectives[1], value.text));
    data(&mut page, &bounds);
    Ok(page.text())
}

fn head(page: &mut Page<'_, '_>, model: &Model<'_>, command: &str) {
    page.line(format!("# {}: {command}", model.problem.name));
    page.line("# The lower level stands here by its KKT conditions: stationarity, rows, and multipliers that complement them.");
    page.line(if model.problem.lower_is_convex() {
        "# The lower level is proved convex in its variables: with a constraint qualification these conditions are it."
    } else {
        "# Not proved convex: points that meet these conditions need not be solutions of the lower level."
    });
    page.line("# ampl: model FILE; option solver knitro; solve;");
}

/// The ends of intervals as texts: a number where all are the same, else params.
struct Bounds {
    /// Per variable and side.
    ends: Vec<[End; 2]>,
}

/// The ends of one side of a variable.
enum End {
    None,
    Number(f64),
    /// A param, with its numbers.
    Param(String, Vec<f64>),
}

impl End {
    fn at(&self, index: &str) -> String {
        match self {
            End::None => unreachable!("only ends that are there are written"),
            End::Number(value) => number(*value),
            End::Param(name, _) => format!("{name}{index}"),
        }
    }
}

impl Bounds {
    fn of(model: &Model<'_>, sheet: &Sheet<'_>, names: &mut super::names::Names) -> Bounds {
        let ends = model.bounds.iter().enumerate().map(|(variable, bounds)| {
            [0, 1].map(|side| {
                let values: Vec<f64> = bounds.iter().map(|b| b[side]).collect();
                match values.as_slice() {
                    [] => End::None,
                    all if all.iter().all(|v| v.is_infinite()) => End::None,
                    [first, rest @ ..] if rest.iter().all(|v| v == first) => End::Number(*first),
                    _ => {
                        let word = ["lower", "upper"][side];
                        End::Param(names.take(&format!("{}_{word}", sheet.input(variable).name)), values.clone())
                    }
                }
            })
        });
        Bounds { ends: ends.collect() }
    }
}

/// `{1..n, 1..m}`
fn sets(lengths: &[usize]) -> String {
    let all: Vec<String> = lengths.iter().map(|n| format!("1..{n}")).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(", ")) }
}

/// `{i in 1..n, j in 1..m}`
fn over(indices: &[String], lengths: &[usize], condition: &str) -> String {
    let all: Vec<String> = indices.iter().zip(lengths).map(|(i, n)| format!("{i} in 1..{n}")).collect();
    if all.is_empty() { String::new() } else { format!("{{{}{condition}}}", all.join(", ")) }
}

/// `[i,j]`
fn at(indices: &[String]) -> String {
    if indices.is_empty() { String::new() } else { format!("[{}]", indices.join(",")) }
}

fn declarations(page: &mut Page<'_, '_>, bounds: &Bounds) {
    let sheet = page.sheet;
    let model = sheet.model;
    page.line("");
    for (array, _) in sheet.data() {
        page.line(format!("param {}{};", array.name, sets(&array.lengths)));
    }
    for (variable, ends) in bounds.ends.iter().enumerate() {
        for end in ends {
            if let End::Param(name, _) = end {
                page.line(format!("param {name}{};", sets(&sheet.input(variable).lengths)));
            }
        }
    }
    let first_lower = model.problem.lower_inputs().first().copied().unwrap_or(model.start.len());
    for (title, range) in [("upper", 0..first_lower), ("lower", first_lower..model.start.len())] {
        page.line(format!("# {title} variables"));
        for variable in range {
            let Array { name, lengths, .. } = sheet.input(variable);
            let indices = page.indices(lengths);
            let mut limits = Vec::new();
            // the lower level's bounds are part of its conditions
            if title == "upper" {
                for (sign, end) in [">=", "<="].iter().zip(&bounds.ends[variable]) {
                    if !matches!(end, End::None) {
                        limits.push(format!(" {sign} {}", end.at(&at(&indices))));
                    }
                }
            }
            let dims = if limits.is_empty() { sets(lengths) } else { over(&indices, lengths, "") };
            page.writer.release(indices.len());
            page.line(format!("var {name}{dims}{};", limits.join(",")));
        }
    }
    let multipliers: Vec<usize> = model.rows.iter().filter_map(|r| r.multiplier).collect();
    if !multipliers.is_empty() {
        page.line("# multipliers of the lower level's rows");
    }
    for input in multipliers {
        let (name, lengths) = named_input(page, input);
        page.line(format!("var {name}{};", sets(&lengths)));
    }
    for kink in &model.kinks {
        let (name, lengths) = named_input(page, kink.input);
        page.line(format!("# slopes of |.| at the entries of {}", sheet.input(kink.variable).name));
        page.line(format!("var {name}{};", sets(&lengths)));
    }
}

/// An input by name; one that no function reads gets its name here.
fn named_input(page: &mut Page<'_, '_>, input: usize) -> (String, Vec<usize>) {
    let f = &page.sheet.model.function;
    let node = f.input(input);
    let lengths = page.writer.lengths(f.graph().shape(node));
    let name = match page.writer.named.get(&node) {
        Some(named) => named.name.clone(),
        None => {
            let name = page.writer.names.take(&f.inputs[input].name);
            page.writer.named.insert(node, Named { name: name.clone(), rank: lengths.len() });
            name
        }
    };
    (name, lengths)
}

/// Parts that several statements share.
fn parts(page: &mut Page<'_, '_>) -> Result<(), Refused> {
    let parts = &page.sheet.parts;
    if !parts.is_empty() {
        page.line("# parts that occur more than once, and sums");
    }
    for (Array { node, name, lengths }, holds_variables) in parts {
        let indices = page.indices(lengths);
        let value = page.entry(*node, &indices)?;
        let word = if *holds_variables { "var" } else { "param" };
        let dims = over(&indices, lengths, "");
        page.statement(&format!("{word} {name}{dims} = {};", value.text));
        page.writer.release(indices.len());
        page.writer.named.insert(*node, Named { name: name.clone(), rank: lengths.len() });
    }
    Ok(())
}

fn upper(page: &mut Page<'_, '_>, objective: &str) -> Result<(), Refused> {
    let model = page.sheet.model;
    let value = page.entry(model.function.outputs()[model.upper], &[])?;
    let word = if model.problem.upper().maximize { "maximize" } else { "minimize" };
    page.line("");
    page.statement(&format!("{word} {objective}: {};", value.text));
    rows(page, LevelId::UPPER)
}

/// The rows of a level; those of the lower one with their multipliers.
fn rows(page: &mut Page<'_, '_>, level: LevelId) -> Result<(), Refused> {
    let model = page.sheet.model;
    for row in model.rows.iter().filter(|r| r.level == level) {
        let name = page.writer.names.take(&format!("row_{}", row.name.as_deref().unwrap_or("of")));
        let lengths = page.lengths(row.output);
        let indices = page.indices(&lengths);
        let value = page.entry(model.function.outputs()[row.output], &indices)?.within(Level::Sum);
        let dims = over(&indices, &lengths, "");
        let relation = if row.equality { "=" } else { "<=" };
        let complement = match row.multiplier.filter(|_| !row.equality) {
            Some(input) => format!("{}{} >= 0 complements ", named_input(page, input).0, at(&indices)),
            None => String::new(),
        };
        page.statement(&format!("subject to {name}{dims}: {complement}{value} {relation} 0;"));
        page.writer.release(indices.len());
    }
    Ok(())
}

fn lower(page: &mut Page<'_, '_>, bounds: &Bounds) -> Result<(), Refused> {
    let model = page.sheet.model;
    page.line("");
    page.line("# the lower level's conditions");
    rows(page, LevelId::LOWER)?;
    for (i, output) in model.stationarity.iter().enumerate() {
        stationary(page, bounds, model.problem.lower_inputs()[i], *output)?;
    }
    for kink in &model.kinks {
        let (name, lengths) = named_input(page, kink.input);
        let variable = page.sheet.input(kink.variable).name.clone();
        let row = page.writer.names.take(&format!("kink_{variable}"));
        let indices = page.indices(&lengths);
        let (dims, i) = (over(&indices, &lengths, ""), at(&indices));
        // at slope 1 the variable is at least 0, at -1 at most 0, and 0 between
        page.statement(&format!("subject to {row}{dims}: -1 <= {name}{i} <= 1 complements -{variable}{i};"));
        page.writer.release(indices.len());
    }
    Ok(())
}

/// The derivative of the Lagrangian is zero, or pushes against an end of the interval.
fn stationary(page: &mut Page<'_, '_>, bounds: &Bounds, variable: usize, output: Option<usize>) -> Result<(), Refused> {
    let model = page.sheet.model;
    let Array { name, lengths, .. } = page.sheet.input(variable).clone();
    let indices = page.indices(&lengths);
    let i = at(&indices);
    let slope = match output {
        Some(output) => page.entry(model.function.outputs()[output], &indices)?.within(Level::Sum),
        None => String::new(),
    };
    let pushes =
        |relation: &str| if slope.is_empty() { String::new() } else { format!(" complements {slope}{relation}") };
    let [low, high] = &bounds.ends[variable];
    let kinds: Vec<[bool; 2]> = model.bounds[variable].iter().map(|b| b.map(f64::is_finite)).collect();
    for kind in [[false, false], [true, false], [false, true], [true, true]] {
        if !kinds.contains(&kind) || (output.is_none() && kind == [false, false]) {
            continue;
        }
        let condition = if kinds.iter().all(|k| *k == kind) { String::new() } else { among(low, high, kind, &i) };
        let row = page.writer.names.take(&format!("stationary_{name}"));
        let body = match kind {
            [false, false] => format!("{slope} = 0"),
            [true, false] => format!("{name}{i} >= {}{}", low.at(&i), pushes(" >= 0")),
            [false, true] => format!("{name}{i} <= {}{}", high.at(&i), pushes(" <= 0")),
            [true, true] => format!("{} <= {name}{i} <= {}{}", low.at(&i), high.at(&i), pushes("")),
        };
        let dims = over(&indices, &lengths, &condition);
        page.statement(&format!("subject to {row}{dims}: {body};"));
    }
    page.writer.release(indices.len());
    Ok(())
}

/// The entries that have these ends.
fn among(low: &End, high: &End, kind: [bool; 2], index: &str) -> String {
    let side = |end: &End, there: bool, sign: &str| match (end, there) {
        (End::Param(name, _), true) => Some(format!("abs({name}{index}) < Infinity")),
        (End::Param(name, _), false) => Some(format!("{name}{index} = {sign}Infinity")),
        _ => None,
    };
    let all: Vec<String> = [side(low, kind[0], "-"), side(high, kind[1], "")].into_iter().flatten().collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join(" and ")) }
}

/// The data section, with the start.
fn data(page: &mut Page<'_, '_>, bounds: &Bounds) {
    let sheet = page.sheet;
    let model = sheet.model;
    page.line("");
    page.line("data;");
    let arrays: Vec<(Array, Vec<f64>)> = sheet.data().map(|(a, v)| (a.clone(), v)).collect();
    for (array, values) in &arrays {
        numbers(page, "param", &array.name, &array.lengths, values);
    }
    for (variable, ends) in bounds.ends.iter().enumerate() {
        for end in ends {
            if let End::Param(name, values) = end {
                numbers(page, "param", name, &sheet.input(variable).lengths, values);
            }
        }
    }
    page.line("# the start");
    for (variable, values) in model.start.iter().enumerate() {
        let array = sheet.input(variable);
        numbers(page, "var", &array.name, &array.lengths, values);
    }
}

fn numbers(page: &mut Page<'_, '_>, word: &str, name: &str, lengths: &[usize], values: &[f64]) {
    let number = |v: &f64| match *v {
        v if v == f64::INFINITY => "Infinity".to_owned(),
        v if v == f64::NEG_INFINITY => "-Infinity".to_owned(),
        v => number(v),
    };
    match lengths {
        [] => page.line(format!("{word} {name} := {};", number(&values[0]))),
        [_] => {
            let mut text = format!("{word} {name} :=");
            for (i, v) in values.iter().enumerate() {
                let _ = write!(text, " {} {}", i + 1, number(v));
            }
            page.statement(&(text + ";"));
        }
        [_, columns] => {
            let places: Vec<String> = (1..=*columns).map(|j| j.to_string()).collect();
            page.line(format!("{word} {name} : {} :=", places.join(" ")));
            for (i, row) in values.chunks(*columns).enumerate() {
                let row: Vec<String> = row.iter().map(number).collect();
                page.line(format!("  {} {}", i + 1, row.join(" ")));
            }
            page.line(";");
        }
        _ => unreachable!("arrays have at most two axes"),
    }
}
