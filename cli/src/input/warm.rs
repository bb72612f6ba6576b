//! Results of earlier runs as `--warm` reads them: JSON (`--out r.json`, or what `--format json` and `jsonl` print) and
//! archives of arrays (`--out r.npz`). Variables are found by their names.

use blo_engine::data::{self, Array, OptionValue, Source};
use blo_engine::limits::Limits;
use blo_engine::model::{Bindings, Problem, StartError};
use serde_json::{Deserializer, Map, Value};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::output::console::Console;
use blo::input::file;

/// The largest file that is read.
const LARGEST: u64 = 1 << 32;

/// Rank of the largest arrays that there are.
const MAX_RANK: usize = 4;

/// What writes such a file.
const HELP: &str = "it takes a result: what `--out r.json`, `--out r.npz` or `--format json` has written";

/// The arrays of a result, in the order of the file.
pub(crate) struct Warm {
    path: PathBuf,
    arrays: Vec<(String, Array)>,
}

impl Warm {
    /// Lets the variables start where the result has them, and says which of them it does not hold.
    ///
    /// # Errors
    /// [`Failure::File`] when no variable is in the file, or one has another shape there.
    pub(crate) fn start(&self, problem: &Problem, data: &mut Bindings, console: &mut Console) -> Result<(), Failure> {
        let (mut strange, mut found) = (Vec::new(), 0);
        for (name, array) in &self.arrays {
            match data.start_from(problem, name, array.clone()) {
                Ok(()) => found += 1,
                Err(StartError::NoVariable { .. }) => strange.push(format!("`{name}`")),
                Err(error) => {
                    let help =
                        "a result serves as a start where the variables have the same shapes: check the params (`-D`)";
                    return Err(failure(&self.path, &error.to_string(), help));
                }
            }
        }
        let holds = |name: &str| self.arrays.iter().any(|(n, _)| n == name);
        let names = problem.variables().map(|v| v.name.as_str());
        let (_, missing): (Vec<&str>, Vec<&str>) = names.partition(|name| holds(name));
        let quoted = |names: &[&str]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        if found == 0 {
            let here = format!("it holds {}", if strange.is_empty() { "none".to_owned() } else { strange.join(", ") });
            let message = format!("no variable of the problem is in this result: {here}");
            return Err(failure(&self.path, &message, &format!("the problem has {}", quoted(&missing))));
        }
        if !missing.is_empty() {
            let (keep, their) = if missing.len() == 1 { ("keeps", "its") } else { ("keep", "their") };
            let text = format!("--warm {}: {} {keep} {their} start", self.path.display(), quoted(&missing));
            console
                .say(&format!("{text}: the result does not hold {}", if missing.len() == 1 { "it" } else { "them" }));
        }
        if !strange.is_empty() {
            let text = format!("--warm {}: the problem has no variable {}", self.path.display(), strange.join(", "));
            console.say(&text);
        }
        Ok(())
    }
}

fn failure(path: &Path, why: &str, help: &str) -> Failure {
    Failure::File { message: format!("--warm {}: {why}", path.display()), help: Some(help.to_owned()) }
}

/// The result in a file.
///
/// # Errors
/// [`Failure::File`] when it is not a regular file, cannot be read or is not a result.
pub(crate) fn read(path: &Path) -> Result<Warm, Failure> {
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => failure(path, "no such file", HELP),
        io::ErrorKind::IsADirectory => failure(path, "this is a folder", HELP),
        _ => failure(path, &format!("cannot be read: {e}"), HELP),
    };
    let file = file::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(failure(path, &format!("the file has {size} bytes, and a result at most {LARGEST}"), HELP));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    let arrays = if bytes.starts_with(b"PK") { archive(bytes) } else { object(&bytes) };
    arrays.map(|arrays| Warm { path: path.to_owned(), arrays }).map_err(|why| failure(path, &why, HELP))
}

/// All arrays of an archive.
fn archive(bytes: Vec<u8>) -> Result<Vec<(String, Array)>, String> {
    /// The bytes under any name.
    struct Bytes(Vec<u8>);
    impl Source for Bytes {
        fn open(&self, _: &str) -> io::Result<Box<dyn Read>> {
            Ok(Box::new(io::Cursor::new(self.0.clone())))
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
        fn limits(&self) -> Limits {
            Limits::default()
        }
    }
    let source = Bytes(bytes);
    let npz = data::format("npz").expect("the format is in the table");
    let said = |error: &data::ReadError| error.kind.to_string();
    let key = |name: &str| vec![("key".to_owned(), OptionValue::Text(name.to_owned()))];
    let names = match npz.header(&source, "", &[]) {
        Ok(header) => header.names,
        Err(error) => match &*error.kind {
            data::ReadErrorKind::KeyNeeded { available } => available.clone(),
            _ => return Err(said(&error)),
        },
    };
    let read = |name: String| match npz.read(&source, "", &key(&name)) {
        Ok(array) => Ok((name, array)),
        Err(error) => Err(format!("`{name}`: {}", said(&error))),
    };
    names.into_iter().map(read).collect()
}

/// The variables of both levels of a JSON object: the last one of the file, since rows of a table may come before it.
fn object(bytes: &[u8]) -> Result<Vec<(String, Array)>, String> {
    let mut last = Value::Null;
    for value in Deserializer::from_slice(bytes).into_iter::<Value>() {
        last = value.map_err(|e| match e.is_eof() {
            true => format!("the file ends too early, in line {}", e.line()),
            false => format!("this is not JSON from line {}, column {}", e.line(), e.column()),
        })?;
    }
    let level = |name: &str| last.get(name).and_then(|l| l.get("variables")).and_then(Value::as_object);
    let levels = ["upper", "lower"].map(level);
    if levels.iter().all(Option::is_none) {
        return Err("this is not a result of `blo solve`: it has no `upper.variables`".to_owned());
    }
    let entries = |level: &Map<String, Value>| -> Vec<(String, Value)> {
        level.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let entries = levels.into_iter().flatten().flat_map(entries);
    entries.map(|(name, value)| array(&name, &value).map(|array| (name, array))).collect()
}

/// A number or nested lists of numbers. `null` is what a number that is not finite became.
fn array(name: &str, value: &Value) -> Result<Array, String> {
    let mut shape = Vec::new();
    let mut first = value;
    while let Value::Array(list) = first {
        shape.push(list.len());
        first = list.first().unwrap_or(&Value::Null);
    }
    if shape.len() > MAX_RANK {
        return Err(format!("`{name}` is a list of lists {} deep; arrays are at most {MAX_RANK} deep", shape.len()));
    }
    let mut values = Vec::new();
    collect(name, value, &shape, &mut Vec::new(), &mut values)?;
    Ok(Array::new(shape, values))
}

fn collect(
    name: &str,
    value: &Value,
    shape: &[usize],
    at: &mut Vec<usize>,
    values: &mut Vec<f64>,
) -> Result<(), String> {
    let place = |at: &[usize]| match at {
        [] => format!("`{name}`"),
        at => format!("`{name}[{}]`", at.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    match (shape, value) {
        ([], Value::Number(number)) => values.push(number.as_f64().unwrap_or(f64::NAN)),
        ([], Value::Null) => return Err(format!("{} is null: it was not a finite number", place(at))),
        ([], _) => return Err(format!("{} is not a number", place(at))),
        ([length, rest @ ..], Value::Array(list)) if list.len() == *length => {
            for (i, value) in list.iter().enumerate() {
                at.push(i + 1);
                collect(name, value, rest, at, values)?;
                at.pop();
            }
        }
        ([length, ..], Value::Array(list)) => {
            return Err(format!("{} has {} entries, and others before it {length}", place(at), list.len()));
        }
        ([_, ..], _) => return Err(format!("{} is a number, and others before it are lists", place(at))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        object(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn the_last_object_of_a_file_is_the_result() {
        let rows = r#"{"iteration":0,"upper":1.5}
            {"upper":{"variables":{"x":[1,2.5],"W":[[1,2],[3,4]]}},"lower":{"variables":{"y":-3}}}"#;
        let found = object(rows.as_bytes()).unwrap();
        let wanted =
            [("x", vec![2], vec![1.0, 2.5]), ("W", vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]), ("y", vec![], vec![-3.0])];
        let wanted: Vec<(String, Array)> =
            wanted.into_iter().map(|(name, shape, values)| (name.to_owned(), Array::new(shape, values))).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_is_no_result_is_said_with_its_place() {
        let of = |value: &str| format!(r#"{{"upper":{{"variables":{{"x":{value}}}}}}}"#);
        assert_eq!(said("{}"), "this is not a result of `blo solve`: it has no `upper.variables`");
        assert_eq!(said("[1]"), said("{}"));
        assert_eq!(said("{\n\"upper\": nope}"), "this is not JSON from line 2, column 11");
        assert_eq!(said("{\n\"upper\": {"), "the file ends too early, in line 2");
        assert_eq!(said(&of("[[1,2],[3,null]]")), "`x[2, 2]` is null: it was not a finite number");
        assert_eq!(said(&of("[[1,2],[3]]")), "`x[2]` has 1 entries, and others before it 2");
        assert_eq!(said(&of("[[1,2],3]")), "`x[2]` is a number, and others before it are lists");
        assert_eq!(said(&of("\"two\"")), "`x` is not a number");
        assert_eq!(said(&of("[[[[[1]]]]]")), "`x` is a list of lists 5 deep; arrays are at most 4 deep");
    }
}
