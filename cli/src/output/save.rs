//! Results as files. The format follows the file's ending; a file appears whole or not at all.

use blo_solvers::solution::Solution;
use npyz::WriterBuilder;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;

use crate::exit::Failure;
use crate::output::file;
use crate::output::object;

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

/// The format of a result file.
///
/// # Errors
/// [`Failure::Usage`] for other endings; [`Failure::File`] when its folder is missing.
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
    has_folder(path)?;
    Ok(*format)
}

/// Makes sure that a file could be written where it is named.
///
/// # Errors
/// [`Failure::File`] when its folder is missing.
fn has_folder(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    let message = format!("{}: there is no folder `{}`", path.display(), folder.display());
    Err(Failure::File { message, help: None })
}

/// Makes sure that a checkpoint could be written where it is named: it is replaced again and again, so it is a file.
///
/// # Errors
/// [`Failure::File`] when its folder is missing, or a folder, a device or a pipe has its name.
pub(crate) fn can_hold_checkpoints(path: &Path) -> Result<(), Failure> {
    has_folder(path)?;
    file::must_be_regular(path)
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

/// Writes the rows of the table.
///
/// # Errors
/// [`Failure::File`].
pub(crate) fn trace(path: &Path, format: TraceFormat, solution: &Solution, metrics: &[String]) -> Result<(), Failure> {
    let mut text = String::new();
    match format {
        TraceFormat::JsonLines => {
            for row in &solution.rows {
                let _ = writeln!(text, "{}", object::row(row, metrics));
            }
        }
        TraceFormat::Csv => {
            text += "iteration,seconds,upper,lower,residual_upper,residual_lower,residual_method,gap";
            for name in metrics {
                let _ = write!(text, ",{name}");
            }
            for row in &solution.rows {
                let r = &row.residuals;
                let _ = write!(text, "\n{}", row.iteration);
                let values = [row.seconds, row.upper, row.lower, r.upper, r.lower, r.method, r.gap];
                for value in values.iter().chain(&row.metrics) {
                    let _ = write!(text, ",{value:?}");
                }
            }
            text.push('\n');
        }
    }
    file::write(path, text.as_bytes())
}

/// One f64 array per variable, in its own shape.
fn npz(solution: &Solution) -> io::Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // the archive has no time of its own, so equal results are equal files
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default()).large_file(true);
    for (name, array) in solution.upper.variables.iter().chain(&solution.lower.variables) {
        archive.start_file(format!("{name}.npy"), options)?;
        let shape: Vec<u64> = array.shape.iter().map(|n| *n as u64).collect();
        let mut bytes = Vec::new();
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
        writer.extend(array.values.iter().copied())?;
        writer.finish()?;
        archive.write_all(&bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_chooses_the_format() {
        assert_eq!(result_format(Path::new("r.npz")).unwrap(), ResultFormat::Npz);
        assert_eq!(trace_format(Path::new("t.csv")).unwrap(), TraceFormat::Csv);
        assert!(matches!(result_format(Path::new("r.txt")), Err(Failure::Usage { .. })));
        assert!(matches!(result_format(Path::new("no/such/folder/r.npz")), Err(Failure::File { .. })));
    }
}
