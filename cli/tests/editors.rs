//! The words that `docs/editors` highlights are those of the language: keywords of the grammar, names of the registries.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use blo_engine::data::{FORMATS, GENERATORS};
use blo_engine::elementwise::{self, Visibility};
use blo_engine::{function, set};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The words of the grammar's pattern of a name.
fn highlighted(grammar: &Value, name: &str) -> BTreeSet<String> {
    let patterns = grammar["patterns"].as_array().expect("patterns");
    let pattern = patterns.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("no pattern {name}"));
    let text = pattern["match"].as_str().expect("a pattern");
    let words = text.strip_prefix("\\b(?:").and_then(|t| t.split(')').next()).expect("a list of words");
    words.split('|').map(str::to_owned).collect()
}

fn set_of<'a>(words: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    words.map(str::to_owned).collect()
}

#[test]
fn the_grammar_knows_the_words_of_the_language() {
    let grammar: Value = serde_json::from_str(&read("docs/editors/vscode/syntaxes/blo.tmLanguage.json")).expect("JSON");
    let pest = read("grammar/src/blo.pest");
    let rule = pest.split("reserved = _{").nth(1).and_then(|t| t.split('}').next()).expect("the rule");
    let reserved = set_of(rule.split('"').skip(1).step_by(2));
    assert!(reserved.len() > 25);
    let keywords: BTreeSet<String> = ["keyword.control.item.blo", "keyword.operator.word.blo", "constant.language.blo"]
        .iter()
        .flat_map(|name| highlighted(&grammar, name))
        .filter(|word| word != "pi" && word != "inf")
        .collect();
    assert_eq!(keywords, reserved);
    for word in highlighted(&grammar, "keyword.control.soft.blo") {
        assert!(pest.contains(&format!("\"{word}\"")), "{word}");
    }

    let named = |v: Visibility| matches!(v, Visibility::Function | Visibility::ConstantOnly);
    let elementwise = elementwise::TABLE.iter().filter(|e| named(e.visibility)).map(|e| e.name);
    let functions = set_of(elementwise.chain(function::TABLE.iter().map(|e| e.name)));
    assert_eq!(highlighted(&grammar, "support.function.blo"), functions);
    let sources = set_of(FORMATS.iter().map(|f| f.name).chain(GENERATORS.iter().map(|g| g.name)));
    assert_eq!(highlighted(&grammar, "support.function.source.blo"), sources);
    let sets = set_of(set::TABLE.iter().filter(|s| !s.is_box).map(|s| s.name));
    assert_eq!(highlighted(&grammar, "support.type.set.blo"), sets);
}

#[test]
fn the_extension_is_whole() {
    let package: Value = serde_json::from_str(&read("docs/editors/vscode/package.json")).expect("JSON");
    let contributes = &package["contributes"];
    for path in [&contributes["languages"][0]["configuration"], &contributes["grammars"][0]["path"]] {
        let path = path.as_str().expect("a path").trim_start_matches("./");
        let text = read(&format!("docs/editors/vscode/{path}"));
        serde_json::from_str::<Value>(&text).expect("JSON");
    }
}
