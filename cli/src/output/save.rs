//! Results as files. The format follows the file's ending; a file appears whole or not at all.

use blo_solvers::export::{Array, Values};
use blo_solvers::solution::Solution;
use npyz::WriterBuilder;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;

use crate::exit::Failure;
use crate::output::file;
use blo::output::object;

/// A format for results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultFormat {
    /// One array per variable.
    Npz,
    /// The object that `--format json` prints.
    Json,
}

/// A format for traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TraceFormat {
    /// A line per row, titles first.
    Csv,
    /// An object per row.
    JsonLines,
}

/// A format for measured runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableFormat {
    /// A line per run, titles first.
    Csv,
    /// One object.
    Json,
}

/// The format of a file with measured runs.
///
/// # Errors
/// As [`result_format`].
pub(crate) fn table_format(path: &Path) -> Result<TableFormat, Failure> {
    ending(path, "--out", &[("csv", TableFormat::Csv), ("json", TableFormat::Json)])
}

/// The format of a result file.
///
/// # Errors
/// [`Failure::Usage`] for other endings.
pub(crate) fn result_format(path: &Path) -> Result<ResultFormat, Failure> {
    ending(path, "--out", &[("npz", ResultFormat::Npz), ("json", ResultFormat::Json)])
}

/// The format of a trace file.
///
/// # Errors
/// As [`result_format`].
pub(crate) fn trace_format(path: &Path) -> Result<TraceFormat, Failure> {
    ending(path, "--trace", &[("csv", TraceFormat::Csv), ("jsonl", TraceFormat::JsonLines)])
}

fn ending<T: Copy>(path: &Path, flag: &str, formats: &[(&str, T)]) -> Result<T, Failure> {
    let found = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let Some((_, format)) = formats.iter().find(|(e, _)| *e == found) else {
        let known: Vec<String> = formats.iter().map(|(e, _)| format!("`.{e}`")).collect();
        return Err(Failure::Usage {
            message: format!("{flag} {}: the format is chosen by the file's ending", path.display()),
            help: Some(format!("it may be {}", known.join(" or "))),
        });
    };
    Ok(*format)
}

/// Writes a result; `object` makes the JSON form where it is wanted.
///
/// # Errors
/// [`Failure::File`].
pub(crate) fn result(
    path: &Path,
    format: ResultFormat,
    solution: &Solution,
    object: &dyn Fn() -> Value,
) -> Result<(), Failure> {
    let bytes = match format {
        ResultFormat::Json => Ok(format!("{:#}\n", object()).into_bytes()),
        ResultFormat::Npz => npz(solution),
    };
    let bytes = bytes.map_err(|e| Failure::File { message: format!("{}: {e}", path.display()), help: None })?;
    file::write(path, &bytes)
}

/// Writes the rows of the table, with the variables where the rows hold them.
///
/// # Errors
/// [`Failure::File`].
pub(crate) fn trace(path: &Path, format: TraceFormat, solution: &Solution, metrics: &[String]) -> Result<(), Failure> {
    let mut text = String::new();
    let shapes: Vec<(&str, &[usize])> = shapes(solution);
    match format {
        TraceFormat::JsonLines => {
            for row in &solution.rows {
                let mut object = object::row(row, metrics);
                if !row.variables.is_empty() {
                    object["variables"] = object::arrays(&shapes, &row.variables);
                }
                let _ = writeln!(text, "{object}");
            }
        }
        TraceFormat::Csv => {
            text += "iteration,seconds,upper,lower,residual_upper,residual_lower,residual_method,gap,pass";
            let with_variables = solution.rows.iter().any(|row| !row.variables.is_empty());
            let entries = shapes.iter().filter(|_| with_variables).flat_map(|(name, shape)| entries(name, shape));
            for name in metrics.iter().cloned().chain(entries) {
                let _ = write!(text, ",{name}");
            }
            for row in &solution.rows {
                let r = &row.residuals;
                let _ = write!(text, "\n{}", row.iteration);
                let values = [row.seconds, row.upper, row.lower, r.upper, r.lower, r.method, r.gap];
                values.iter().for_each(|value| text += &cell(*value));
                let _ = write!(text, ",{}", row.pass);
                row.metrics.iter().for_each(|value| text += &cell(value.unwrap_or(f64::NAN)));
                row.variables.iter().flatten().for_each(|value| text += &cell(*value));
            }
            text.push('\n');
        }
    }
    file::write(path, text.as_bytes())
}

/// A number with all its digits; minus zero is zero.
fn cell(value: f64) -> String {
    format!(",{:?}", value + 0.0)
}

/// The variables with their shapes, upper then lower, as rows hold them.
fn shapes(solution: &Solution) -> Vec<(&str, &[usize])> {
    let all = solution.upper.variables.iter().chain(&solution.lower.variables);
    all.map(|(name, array)| (name.as_str(), array.shape.as_slice())).collect()
}

/// The columns of a variable, an entry each in row-major order: `x`, `x[1]`, `"W[1,2]"`.
fn entries(name: &str, shape: &[usize]) -> Vec<String> {
    let mut places: Vec<Vec<usize>> = vec![Vec::new()];
    for n in shape {
        places = places.iter().flat_map(|place| (1..=*n).map(|i| [place.as_slice(), &[i]].concat())).collect();
    }
    let column = |place: &Vec<usize>| {
        let place: Vec<String> = place.iter().map(usize::to_string).collect();
        match place.len() {
            0 => name.to_owned(),
            1 => format!("{name}[{}]", place[0]),
            _ => format!("\"{name}[{}]\"", place.join(",")),
        }
    };
    places.iter().map(column).collect()
}

/// Writes the arrays of an exported program.
///
/// # Errors
/// [`Failure::File`].
pub(crate) fn arrays(path: &Path, arrays: &[Array]) -> Result<(), Failure> {
    let all = arrays.iter().map(|array| {
        let bytes = match &array.values {
            Values::Real(values) => npy(&array.shape, values.iter().copied()),
            Values::Index(positions) => npy(&array.shape, positions.iter().copied()),
        };
        Ok((array.name.as_str(), bytes?))
    });
    let bytes = archive(all).map_err(|e| Failure::File { message: format!("{}: {e}", path.display()), help: None })?;
    file::write(path, &bytes)
}

/// One f64 array per variable, in its own shape.
fn npz(solution: &Solution) -> io::Result<Vec<u8>> {
    let variables = solution.upper.variables.iter().chain(&solution.lower.variables);
    archive(variables.map(|(name, array)| Ok((name.as_str(), npy(&array.shape, array.values.iter().copied())?))))
}

/// Arrays as they stand in files of NumPy, in an archive.
fn archive<'a>(arrays: impl Iterator<Item = io::Result<(&'a str, Vec<u8>)>>) -> io::Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // the archive has no time of its own, so equal results are equal files
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default()).large_file(true);
    for array in arrays {
        let (name, bytes) = array?;
        archive.start_file(format!("{name}.npy"), options)?;
        archive.write_all(&bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn npy<T: npyz::AutoSerialize>(shape: &[usize], values: impl Iterator<Item = T>) -> io::Result<Vec<u8>> {
    let shape: Vec<u64> = shape.iter().map(|n| *n as u64).collect();
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(values)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_chooses_the_format() {
        assert_eq!(result_format(Path::new("r.npz")).unwrap(), ResultFormat::Npz);
        assert_eq!(trace_format(Path::new("t.csv")).unwrap(), TraceFormat::Csv);
        assert!(matches!(result_format(Path::new("r.txt")), Err(Failure::Usage { .. })));
    }

    #[test]
    fn every_entry_has_a_column() {
        assert_eq!(entries("x", &[]), ["x"]);
        assert_eq!(entries("x", &[2]), ["x[1]", "x[2]"]);
        assert_eq!(entries("W", &[2, 2]), ["\"W[1,1]\"", "\"W[1,2]\"", "\"W[2,1]\"", "\"W[2,2]\""]);
        assert!(entries("x", &[0, 3]).is_empty());
    }
}
