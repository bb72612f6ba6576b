//! The words of the language, by kind: from the tables, and the keywords from the grammar file.

use std::collections::BTreeSet;
use std::path::Path;

use blo_engine::data::{FORMATS, GENERATORS};
use blo_engine::{elementwise, function, set};

/// Functions that programs call by name.
pub(crate) fn functions() -> BTreeSet<&'static str> {
    let elementwise = elementwise::TABLE.iter().filter(|e| e.visibility.is_named()).map(|e| e.name);
    elementwise.chain(function::TABLE.iter().map(|e| e.name)).collect()
}

/// Formats and generators.
pub(crate) fn sources() -> BTreeSet<&'static str> {
    FORMATS.iter().map(|f| f.name).chain(GENERATORS.iter().map(|g| g.name)).collect()
}

/// Sets that are called by name.
pub(crate) fn sets() -> BTreeSet<&'static str> {
    set::TABLE.iter().filter(|s| !s.is_box).map(|s| s.name).collect()
}

/// The words that cannot be names: those of the rule `reserved`.
///
/// # Errors
/// When the grammar file cannot be read or has no such rule.
pub(crate) fn keywords(root: &Path) -> Result<BTreeSet<String>, String> {
    let path = "grammar/src/blo.pest";
    let pest = std::fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"))?;
    let rule = pest.split("reserved = _{").nth(1).and_then(|rest| rest.split('}').next());
    let rule = rule.ok_or_else(|| format!("{path} has no rule `reserved`"))?;
    Ok(rule.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}
