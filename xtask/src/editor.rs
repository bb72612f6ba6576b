//! The word lists of the editors' grammar. Which keywords are operators or constants stands here; every other reserved
//! word starts an item or a statement.

use std::path::Path;

use serde_json::Value;

use crate::parts::replaced;
use crate::words;

/// Reserved words within expressions.
const OPERATORS: [&str; 9] = ["and", "by", "else", "for", "if", "in", "not", "or", "then"];

/// Reserved words that are values.
const TRUTH: [&str; 2] = ["false", "true"];

/// Values that are names, not reserved words.
const NUMBERS: [&str; 2] = ["inf", "pi"];

/// The words of the language for the pages of the book.
pub(crate) fn highlighting(root: &Path, old: &str) -> Result<String, String> {
    let reserved = words::keywords(root)?;
    let keywords: Vec<&str> = reserved.iter().map(String::as_str).filter(|word| !TRUTH.contains(word)).collect();
    let functions: Vec<&str> = words::functions().into_iter().chain(words::sources()).chain(words::sets()).collect();
    let list = |words: &[&str]| serde_json::to_string(words).map_err(|why| why.to_string());
    let constants = [TRUTH, NUMBERS].concat();
    replaced(old, ["// begin ", "// end ", "\n"], &|_| {
        let (keywords, constants, functions) = (list(&keywords)?, list(&constants)?, list(&functions)?);
        Ok(format!(
            "  const words = {{\n    keywords: {keywords},\n    constants: {constants},\n    functions: {functions},\n  }};\n  "
        ))
    })
}

/// The TextMate grammar with the words of the language.
pub(crate) fn grammar(root: &Path, old: &str) -> Result<String, String> {
    let mut grammar: Value = serde_json::from_str(old).map_err(|why| why.to_string())?;
    let reserved = words::keywords(root)?;
    let is_item = |word: &&str| !OPERATORS.contains(word) && !TRUTH.contains(word);
    let items = reserved.iter().map(String::as_str).filter(is_item);
    let mut constants = [TRUTH, NUMBERS].concat();
    constants.sort_unstable();
    let called = "(?=\\s*\\()";
    for (name, words, after) in [
        ("keyword.control.item.blo", items.collect(), ""),
        ("keyword.operator.word.blo", OPERATORS.to_vec(), ""),
        ("constant.language.blo", constants, ""),
        ("support.function.blo", words::functions().into_iter().collect(), called),
        ("support.function.source.blo", words::sources().into_iter().collect(), called),
        ("support.type.set.blo", words::sets().into_iter().collect(), called),
    ] {
        let list = format!("\\b(?:{})\\b{after}", words.join("|"));
        let patterns = grammar["patterns"].as_array_mut().ok_or("no `patterns`")?;
        // A declaration highlights its keyword by a pattern of its own, which has no `name` of this kind.
        let pattern = patterns.iter_mut().find(|p| p["name"] == name).ok_or_else(|| format!("no pattern `{name}`"))?;
        pattern["match"] = Value::from(list);
    }
    Ok(format!("{grammar:#}\n"))
}
