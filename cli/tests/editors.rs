//! The extension for editors is whole. Its lists of words are made from the grammar and the registries by
//! `cargo xtask docs`; `language.rs` checks that they are fresh.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use serde_json::Value;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn words_of_the_grammar_that_are_no_keywords_stand_in_rules() {
    let grammar: Value = serde_json::from_str(&read("docs/editors/vscode/syntaxes/blo.tmLanguage.json")).expect("JSON");
    let pest = read("grammar/src/blo.pest");
    let patterns = grammar["patterns"].as_array().expect("patterns");
    let soft = patterns.iter().find(|p| p["name"] == "keyword.control.soft.blo").expect("the pattern");
    let list =
        soft["match"].as_str().and_then(|t| t.strip_prefix("\\b(?:")?.split(')').next()).expect("a list of words");
    for word in list.split('|') {
        assert!(pest.contains(&format!("\"{word}\"")), "{word}");
    }
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

#[test]
fn the_extension_for_zed_is_whole() {
    let (manifest, config) =
        (read("docs/editors/zed/extension.toml"), read("docs/editors/zed/languages/blo/config.toml"));
    // the server is for the language, and takes the files that are the language's
    assert!(manifest.contains("languages = [\"blo\"]") && config.contains("\nname = \"blo\"\n"));
    assert!(config.contains("path_suffixes = [\"blo\"]"));
    let rules: Value =
        serde_json::from_str(&read("docs/editors/zed/languages/blo/semantic_token_rules.json")).expect("JSON");
    for rule in rules.as_array().expect("a list") {
        let kind = rule["token_type"].as_str().expect("a kind");
        assert!(blo::editor::TYPES.contains(&kind), "the server has no `{kind}`");
        for modifier in rule["token_modifiers"].as_array().expect("a list") {
            assert!(blo::editor::MODIFIERS.iter().any(|m| modifier == m), "the server has no modifier {modifier}");
        }
    }
}
