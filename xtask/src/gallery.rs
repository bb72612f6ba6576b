//! The programs of `specs/` that read no file, as one page of the command: `blo play` shows them wherever it is started.

use std::path::Path;

use blo_engine::model::problem::DataOrigin;
use blo_engine::model::{self, Settings};

/// The page: a line `==> NAME <==` before each program.
///
/// # Errors
/// A program that cannot be read or checked.
pub(crate) fn page(root: &Path, _: &str) -> Result<String, String> {
    let folder = root.join("specs");
    let entries = std::fs::read_dir(&folder).map_err(|why| format!("specs: {why}"))?;
    let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "blo"));
    paths.sort();
    let mut page = String::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|why| format!("{name}: {why}"))?;
        if !reads_files(&name, &text)? {
            page += &format!("==> {name} <==\n{}\n", text.trim_end());
        }
    }
    Ok(page)
}

fn reads_files(name: &str, text: &str) -> Result<bool, String> {
    let ast = blo_grammar::parse(text).ast;
    let checked = model::check(&ast, text, name, &Settings::default());
    let problem = checked.problem.ok_or_else(|| format!("{name}: the program has mistakes"))?;
    let columns = problem.tables.datasets.iter().flat_map(|d| &d.columns).map(|c| &c.origin);
    let origins = problem.data.iter().map(|d| &d.origin).chain(columns);
    Ok(origins.into_iter().any(|origin| matches!(origin, DataOrigin::File { .. })))
}
