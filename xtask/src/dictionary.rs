//! The words of the language in the dictionary of the fuzz targets.

use std::path::Path;

use crate::parts::replaced;
use crate::words;

/// The dictionary with the words of the language.
pub(crate) fn words(root: &Path, old: &str) -> Result<String, String> {
    let keywords = words::keywords(root)?;
    let lines = |words: &mut dyn Iterator<Item = &str>| words.map(|word| format!("\"{word}\"\n")).collect::<String>();
    replaced(old, ["# begin ", "# end ", "\n"], &|name| match name {
        "keywords" => Ok(lines(&mut keywords.iter().map(String::as_str))),
        "functions" => Ok(lines(&mut words::functions().into_iter())),
        "sources" => Ok(lines(&mut words::sources().into_iter())),
        "sets" => Ok(lines(&mut words::sets().into_iter())),
        other => Err(format!("nothing is called `{other}`")),
    })
}
