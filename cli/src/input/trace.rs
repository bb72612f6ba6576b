//! Traces of earlier runs as `blo plot` reads them: what `--trace` has written, and the rows that `--format jsonl` prints.
//! Both become columns with the titles of the `.csv` form.

use serde_json::{Map, Value};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use blo::input::file;

/// The largest file that is read.
const LARGEST: u64 = 1 << 30;

/// What writes such a file.
const HELP: &str = "it takes a trace: what `blo solve --trace` or `--format jsonl` has written";

/// Columns that every trace has.
const NEEDED: [&str; 2] = ["iteration", "seconds"];

/// A trace.
#[derive(Debug, PartialEq)]
pub(crate) struct Trace {
    pub(crate) path: PathBuf,
    /// Titles with a number per row, as many in each.
    pub(crate) columns: Vec<(String, Vec<f64>)>,
}

impl Trace {
    /// A column by its title.
    pub(crate) fn column(&self, title: &str) -> Option<&[f64]> {
        self.columns.iter().find(|(t, _)| t == title).map(|(_, values)| values.as_slice())
    }
}

/// The trace in a file.
///
/// # Errors
/// [`Failure::File`] when it is not a regular file, cannot be read or is not a trace; the message has the line.
pub(crate) fn read(path: &Path) -> Result<Trace, Failure> {
    let failure =
        |why: &str| Failure::File { message: format!("{}: {why}", path.display()), help: Some(HELP.to_owned()) };
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => failure("no such file"),
        io::ErrorKind::IsADirectory => failure("this is a folder"),
        _ => failure(&format!("cannot be read: {e}")),
    };
    let mut bytes = Vec::new();
    file::open(path).and_then(|f| f.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(failure(&format!("a trace has at most {LARGEST} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| failure("this is not a trace: it is not text"))?;
    let columns = if text.trim_start().starts_with('{') { objects(&text) } else { table(&text) };
    let columns = columns.map_err(|why| failure(&why))?;
    for needed in NEEDED {
        if !columns.iter().any(|(title, _)| title == needed) {
            return Err(failure(&format!("this is not a trace: it has no column `{needed}`")));
        }
    }
    if columns[0].1.is_empty() {
        return Err(failure("the trace has no rows"));
    }
    Ok(Trace { path: path.to_owned(), columns })
}

type Columns = Vec<(String, Vec<f64>)>;

/// Titles, and numbers below them.
fn table(text: &str) -> Result<Columns, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((_, first)) = lines.next() else { return Err("the file is empty".to_owned()) };
    let mut columns: Columns = cells(first).into_iter().map(|title| (title, Vec::new())).collect();
    // a table without titles is told from a trace before its cells are
    for needed in NEEDED {
        if !columns.iter().any(|(title, _)| title == needed) {
            return Err(format!("this is not a trace: its first line has no title `{needed}`"));
        }
    }
    for (line, text) in lines {
        let row = cells(text);
        if row.len() != columns.len() {
            return Err(format!("line {} has {} cells, and the first line {}", line + 1, row.len(), columns.len()));
        }
        for ((title, values), cell) in columns.iter_mut().zip(row) {
            let number = cell.trim().parse::<f64>();
            values.push(number.map_err(|_| format!("line {}: `{cell}` below `{title}` is not a number", line + 1))?);
        }
    }
    Ok(columns)
}

/// The cells of a line; those in quotation marks may hold commas.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.trim_end_matches('\r').chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap_or_else(|| unreachable!("there is one from the beginning")).push(c),
        }
    }
    cells
}

/// An object per line. The result behind the rows of `--format jsonl` is not one of them.
fn objects(text: &str) -> Result<Columns, String> {
    let mut columns: Columns = Vec::new();
    let mut rows = 0;
    for (line, text) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|e| format!("line {} is not a JSON object: {e}", line + 1))?;
        if object.contains_key("schema") {
            continue;
        }
        let mut row = Vec::new();
        for (name, value) in &object {
            flatten(name, value, &mut row).map_err(|title| format!("line {}: `{title}` is not a number", line + 1))?;
        }
        if rows == 0 {
            columns = row.iter().map(|(title, _)| (title.clone(), Vec::new())).collect();
        }
        let titles = row.iter().map(|(title, _)| title);
        if !titles.eq(columns.iter().map(|(title, _)| title)) {
            return Err(format!("line {} has other names than the rows before it", line + 1));
        }
        for ((_, values), (_, value)) in columns.iter_mut().zip(row) {
            values.push(value);
        }
        rows += 1;
    }
    if columns.is_empty() { Err("the trace has no rows".to_owned()) } else { Ok(columns) }
}

/// The numbers of a value with the titles that they have in a table; `null` is what is not finite. The error is the title
/// of what is not a number.
fn flatten(name: &str, value: &Value, row: &mut Vec<(String, f64)>) -> Result<(), String> {
    match value {
        Value::Number(number) => row.push((name.to_owned(), number.as_f64().unwrap_or(f64::NAN))),
        Value::Null => row.push((name.to_owned(), f64::NAN)),
        Value::Object(parts) => {
            for (part, value) in parts {
                let title = if name == "residuals" { format!("residual_{part}") } else { part.clone() };
                flatten(&title, value, row)?;
            }
        }
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                let title = match name.strip_suffix(']') {
                    Some(outer) => format!("{outer},{}]", i + 1),
                    None => format!("{name}[{}]", i + 1),
                };
                flatten(&title, value, row)?;
            }
        }
        Value::Bool(_) | Value::String(_) => return Err(name.to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_the_same_columns() {
        let csv = "iteration,seconds,residual_upper,gap,pass,acc,\"W[1,2]\",x[3]\n0,0.5,NaN,inf,1,2,3,4\n";
        let json =
            r#"{"iteration":0,"seconds":0.5,"residuals":{"upper":null},"gap":null,"pass":1,"metrics":{"acc":2}}"#;
        let a = table(csv).unwrap();
        let titles: Vec<&str> = a.iter().map(|(t, _)| t.as_str()).collect();
        assert_eq!(titles, ["iteration", "seconds", "residual_upper", "gap", "pass", "acc", "W[1,2]", "x[3]"]);
        assert_eq!((a[1].1[0], a[3].1[0], a[7].1[0]), (0.5, f64::INFINITY, 4.0));
        assert!(a[2].1[0].is_nan());
        let b = objects(&format!("{json}\n{{\"schema\":1,\"problem\":\"p\"}}\n")).unwrap();
        assert_eq!(b.iter().map(|(t, _)| t.as_str()).collect::<Vec<_>>(), titles[..6]);
        let with = objects(r#"{"iteration":0,"seconds":0,"variables":{"W":[[1,2]],"x":5}}"#).unwrap();
        let titles: Vec<&str> = with.iter().map(|(t, _)| t.as_str()).collect();
        assert_eq!(titles, ["iteration", "seconds", "W[1,1]", "W[1,2]", "x"]);
    }

    #[test]
    fn mistakes_have_their_lines() {
        let said = |text: &str| table(text).unwrap_err();
        assert_eq!(said(""), "the file is empty");
        assert_eq!(said("1,2\n3,4\n"), "this is not a trace: its first line has no title `iteration`");
        assert_eq!(said("iteration,upper\n"), "this is not a trace: its first line has no title `seconds`");
        assert_eq!(said("iteration,seconds\n0,1\n\n2\n"), "line 4 has 1 cells, and the first line 2");
        assert_eq!(said("iteration,seconds\n0,soon\n"), "line 2: `soon` below `seconds` is not a number");
        let said = |text: &str| objects(text).unwrap_err();
        assert!(said("{\"iteration\":0}\n{\"itera").starts_with("line 2 is not a JSON object: EOF"));
        assert_eq!(said("{\"iteration\":0}\n{\"seconds\":0}"), "line 2 has other names than the rows before it");
        assert_eq!(said("{\"iteration\":\"a\"}"), "line 1: `iteration` is not a number");
        assert_eq!(said("{\"schema\":1}"), "the trace has no rows");
    }
}
