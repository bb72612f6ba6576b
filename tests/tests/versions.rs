//! The page about versions has the numbers that the code has, and no number stands in two places of the code.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The number in the row of a table that begins with these words.
fn stated(page: &str, what: &str) -> String {
    let row = page.lines().find(|l| l.starts_with(&format!("| {what} |")));
    let row = row.unwrap_or_else(|| panic!("docs/book/src/versions.md has no row `{what}`"));
    row.split('|').nth(2).expect("a table has columns").trim().to_owned()
}

/// The value of a key of Cargo.toml's `[workspace.package]`.
fn declared(manifest: &str, key: &str) -> String {
    let line = manifest.lines().find(|l| l.starts_with(&format!("{key} = "))).expect("the manifest has the key");
    line.split('"').nth(1).expect("its value is a text").to_owned()
}

#[test]
fn the_page_has_the_numbers_of_the_code() {
    let page = fs::read_to_string(root().join("docs/book/src/versions.md")).expect("the page is there");
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is there");
    assert_eq!(stated(&page, "`blo`"), declared(&manifest, "version"));
    assert_eq!(stated(&page, "language edition"), blo_grammar::EDITION.to_string());
    assert_eq!(stated(&page, "JSON schema"), blo::output::SCHEMA.to_string());
    assert_eq!(stated(&page, "checkpoint format"), blo_solvers::Checkpoint::FORMAT.to_string());
    assert_eq!(stated(&page, "Rust"), declared(&manifest, "rust-version"));
}

#[test]
fn every_package_has_the_version_of_the_workspace() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("the file is there");
    let manifest = read("Cargo.toml");
    let (version, rust) = (declared(&manifest, "version"), declared(&manifest, "rust-version"));
    let python = read("python/Cargo.toml");
    assert_eq!((declared(&python, "version"), declared(&python, "rust-version")), (version.clone(), rust));
    for line in manifest.lines().filter(|l| l.starts_with("blo") && l.contains("version = ")) {
        assert!(line.contains(&format!("version = \"{version}\"")), "{line}");
    }
    assert!(read("docs/editors/vscode/package.json").contains(&format!("\"version\": \"{version}\"")));
    for file in ["docs/editors/zed/extension.toml", "docs/editors/zed/Cargo.toml"] {
        assert_eq!(declared(&read(file), "version"), version, "{file}");
    }
    assert!(read("CITATION.cff").contains(&format!("\nversion: {version}\n")));
    assert!(read("CHANGELOG.md").contains(&format!("\n## {version} ")));
}

/// The Rust sources below a folder.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn the_json_schema_is_one_number() {
    let mut files = Vec::new();
    for folder in ["blo/src", "cli/src", "python/src"] {
        sources(&root().join(folder), &mut files);
    }
    let mut uses = 0;
    for path in files {
        let text = fs::read_to_string(&path).expect("sources are text");
        for rest in text.split("\"schema\": ").skip(1) {
            uses += 1;
            assert!(rest.starts_with("SCHEMA"), "{} states a schema of its own", path.display());
        }
    }
    assert!(uses > 10, "only {uses} objects have a schema");
}
