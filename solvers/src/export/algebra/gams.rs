//! A model for GAMS with both levels, annotated for EMP (GAMS, User's Guide, Extended Mathematical Programming, section
//! Bilevel Programs; Ferris, Dirkse, Jagla, Meeraus, Computers and Chemical Engineering 33, 2009): a solver such as JAMS
//! writes the conditions of the lower level itself.

use std::fmt::Write;

use blo_engine::graph::NodeId;
use blo_engine::model::problem::LevelId;

use super::entry::{Level, Named, Refused, number};
use super::model::Model;
use super::sheet::{Array, Page, Sheet};

/// Names of a level's pieces.
#[derive(Default)]
struct Owned {
    variables: Vec<String>,
    equations: Vec<String>,
}

/// The file.
pub(super) fn text(model: &Model<'_>, sheet: &mut Sheet<'_>, command: &str) -> Result<String, Refused> {
    let mut names = std::mem::take(&mut sheet.names);
    let objectives = [names.take("upper_objective"), names.take("lower_objective")];
    let mut page = Page::new(sheet, names);
    page.line(format!("* {}: {command}", model.problem.name));
    page.line("* Both levels; emp.info says which variables and equations are the lower level's.");
    page.line("* gams FILE emp=jams");
    page.line("");
    let sets = page.lines.len();
    data(&mut page)?;
    let mut levels = [Owned::default(), Owned::default()];
    variables(&mut page, &mut levels, &objectives);
    page.line("");
    for (level, (id, output)) in [(LevelId::UPPER, model.upper), (LevelId::LOWER, model.lower)].into_iter().enumerate()
    {
        let owned = &mut levels[level];
        let value = page.entry(model.function.outputs()[output], &[])?;
        let word = ["upper", "lower"][level];
        let name = equation(&mut page, owned, &format!("define_{word}"), &[], &[]);
        page.statement(&format!("{name}.. {} =e= {};", objectives[level], value.text));
        rows(&mut page, owned, id)?;
    }
    kinks(&mut page, &mut levels[1]);
    start(&mut page);
    solve(&mut page, &levels, &objectives);
    let longest = model.function.graph().ids().flat_map(|id| page.writer.lengths(model.function.graph().shape(id)));
    let longest = longest.max().unwrap_or(1).max(1);
    let indices = page.writer.indices().to_vec();
    let mut head = vec![format!("Set {SET} / 1*{longest} /;")];
    if !indices.is_empty() {
        head.push(format!("Alias ({SET}, {});", indices.join(", ")));
    }
    page.lines.splice(sets..sets, head);
    Ok(page.text())
}

/// The set of all places; each axis uses the first of them.
const SET: &str = "places";

/// `(places,places)`
fn axes(lengths: &[usize]) -> String {
    let all = vec![SET; lengths.len()];
    if all.is_empty() { String::new() } else { format!("({})", all.join(",")) }
}

/// `(i,j)`
fn at(indices: &[String]) -> String {
    if indices.is_empty() { String::new() } else { format!("({})", indices.join(",")) }
}

/// `$((ord(i) <= 3) and (ord(j) <= 4))`
fn within(indices: &[String], lengths: &[usize]) -> String {
    let all: Vec<String> = indices.iter().zip(lengths).map(|(i, n)| format!("(ord({i}) <= {n})")).collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => format!("${one}"),
        _ => format!("$({})", all.join(" and ")),
    }
}

/// Declares an equation and gives it to a level; what stands before `..`.
fn equation(page: &mut Page<'_, '_>, owned: &mut Owned, wanted: &str, indices: &[String], lengths: &[usize]) -> String {
    let name = page.writer.names.take(wanted);
    page.line(format!("Equation {name}{};", axes(lengths)));
    owned.equations.push(name.clone());
    format!("{name}{}{}", at(indices), within(indices, lengths))
}

fn data(page: &mut Page<'_, '_>) -> Result<(), Refused> {
    let sheet = page.sheet;
    let arrays: Vec<(Array, Vec<f64>)> = sheet.data().map(|(a, v)| (a.clone(), v)).collect();
    for (array, values) in &arrays {
        numbers(page, &array.name, &array.lengths, values);
    }
    for (Array { node, name, lengths }, _) in &sheet.parts {
        let indices = page.indices(lengths);
        let value = page.entry(*node, &indices)?;
        let (i, condition) = (at(&indices), within(&indices, lengths));
        page.line(format!("Parameter {name}{};", axes(lengths)));
        page.statement(&format!("{name}{i}{condition} = {};", value.text));
        page.writer.release(indices.len());
        page.writer.named.insert(*node, Named { name: name.clone(), rank: lengths.len() });
    }
    Ok(())
}

fn numbers(page: &mut Page<'_, '_>, name: &str, lengths: &[usize], values: &[f64]) {
    let number = |v: &f64| match *v {
        v if v == f64::INFINITY => "inf".to_owned(),
        v if v == f64::NEG_INFINITY => "-inf".to_owned(),
        v => number(v),
    };
    let columns = lengths.get(1).copied().unwrap_or(1);
    let mut text = match lengths {
        [] => return page.line(format!("Scalar {name} / {} /;", number(&values[0]))),
        _ => format!("Parameter {name}{} /", axes(lengths)),
    };
    for (i, v) in values.iter().enumerate() {
        let place =
            if lengths.len() == 1 { format!("{}", i + 1) } else { format!("{}.{}", i / columns + 1, i % columns + 1) };
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(text, "{comma} {place}={}", number(v));
    }
    page.statement(&(text + " /;"));
}

fn variables(page: &mut Page<'_, '_>, levels: &mut [Owned; 2], objectives: &[String; 2]) {
    let sheet = page.sheet;
    let model = sheet.model;
    page.line("");
    page.line(format!("Variables {}, {};", objectives[0], objectives[1]));
    let uppers = model.problem.upper_inputs().len();
    for variable in 0..model.start.len() {
        let Array { name, lengths, .. } = sheet.input(variable);
        page.line(format!("Variable {name}{};", axes(lengths)));
        levels[usize::from(variable >= uppers)].variables.push(name.clone());
        let indices = page.indices(lengths);
        for (side, word) in ["lo", "up"].iter().enumerate() {
            let ends: Vec<f64> = model.bounds[variable].iter().map(|b| b[side]).collect();
            let same = ends.iter().all(|v| *v == ends[0]);
            if ends.iter().all(|v| v.is_infinite()) {
                continue;
            }
            let end = if same {
                number(ends[0])
            } else {
                let param = page.writer.names.take(&format!("{name}_{word}"));
                numbers(page, &param, lengths, &ends);
                format!("{param}{}", at(&indices))
            };
            page.line(format!("{name}.{word}{}{} = {end};", at(&indices), within(&indices, lengths)));
        }
        page.writer.release(indices.len());
    }
    for kink in &model.kinks {
        let (name, lengths) = size_of(page, kink.input);
        page.line(format!("Variable {name}{};", axes(&lengths)));
        levels[1].variables.push(name);
    }
    if uppers == 0 {
        let name = page.writer.names.take("nothing");
        page.line(format!("Variable {name};"));
        page.line(format!("{name}.fx = 0;"));
        levels[0].variables.push(name);
    }
}

fn size_of(page: &Page<'_, '_>, input: usize) -> (String, Vec<usize>) {
    let array = page.sheet.input(input);
    (array.name.clone(), array.lengths.clone())
}

fn rows(page: &mut Page<'_, '_>, owned: &mut Owned, level: LevelId) -> Result<(), Refused> {
    let model = page.sheet.model;
    for row in model.rows.iter().filter(|r| r.level == level) {
        let lengths = page.lengths(row.output);
        let indices = page.indices(&lengths);
        let wanted = format!("row_{}", row.name.as_deref().unwrap_or("of"));
        let left = equation(page, owned, &wanted, &indices, &lengths);
        let node: NodeId = model.function.outputs()[row.output];
        let value = page.entry(node, &indices)?.within(Level::Sum);
        page.statement(&format!("{left}.. {value} {} 0;", if row.equality { "=e=" } else { "=l=" }));
        page.writer.release(indices.len());
    }
    Ok(())
}

/// A size is at least the variable and at least its negative.
fn kinks(page: &mut Page<'_, '_>, owned: &mut Owned) {
    let model = page.sheet.model;
    for kink in &model.kinks {
        let (name, lengths) = size_of(page, kink.input);
        let variable = page.sheet.input(kink.variable).name.clone();
        let indices = page.indices(&lengths);
        for (word, sign) in [("above", "-"), ("below", "+")] {
            let left = equation(page, owned, &format!("{word}_{variable}"), &indices, &lengths);
            let i = at(&indices);
            page.statement(&format!("{left}.. {name}{i} {sign} {variable}{i} =g= 0;"));
        }
        page.writer.release(indices.len());
    }
}

/// The start of the variables, and of sizes.
fn start(page: &mut Page<'_, '_>) {
    let sheet = page.sheet;
    let model = sheet.model;
    page.line("");
    page.line("* the start");
    let sizes = model.kinks.iter().map(|k| (k.input, model.start[k.variable].iter().map(|v| v.abs()).collect()));
    let all: Vec<(usize, Vec<f64>)> = model.start.iter().cloned().enumerate().chain(sizes).collect();
    for (input, values) in all {
        let Array { name, lengths, .. } = sheet.input(input);
        let same = values.iter().all(|v| *v == values[0]);
        let indices = page.indices(lengths);
        let value = if same && !values.is_empty() {
            number(values[0])
        } else {
            let param = page.writer.names.take(&format!("{name}_start"));
            numbers(page, &param, lengths, &values);
            format!("{param}{}", at(&indices))
        };
        page.line(format!("{name}.l{}{} = {value};", at(&indices), within(&indices, lengths)));
        page.writer.release(indices.len());
    }
}

fn solve(page: &mut Page<'_, '_>, levels: &[Owned; 2], objectives: &[String; 2]) {
    let problem = page.sheet.model.problem;
    let [above, below] = levels;
    let sense = |maximize: bool| if maximize { "max" } else { "min" };
    let model = page.writer.names.take(&problem.name);
    page.line("");
    page.line(format!("Model {model} / all /;"));
    page.line("$onEcho > \"%emp.info%\"");
    page.line(format!("bilevel {}", above.variables.join(" ")));
    let word = sense(problem.lower().maximize);
    page.statement(&format!("{word} {} {} {}", objectives[1], below.variables.join(" "), below.equations.join(" ")));
    page.line("$offEcho");
    let word = sense(problem.upper().maximize);
    page.line(format!("solve {model} using emp {word}imizing {};", objectives[0]));
    let shown: Vec<String> = above.variables.iter().chain(&below.variables).map(|v| format!("{v}.l")).collect();
    page.statement(&format!("display {}.l, {}.l, {};", objectives[0], objectives[1], shown.join(", ")));
}
