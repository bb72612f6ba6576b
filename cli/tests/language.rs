//! `docs/language.md` against the command: its programs do what the page says of them, and its tables are those of the
//! registries. `UPDATE_DOCS=1 cargo test -p blo-cli --test language` writes the tables anew.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

mod document;

use blo_engine::data::{FORMATS, GENERATORS};
use blo_engine::elementwise::{self, Visibility};
use blo_engine::{function, prox, set};
use blo_solvers::METHODS;
use blo_solvers::{COMMON, OptionEntry};
use document::codes::{Fence, entries, fences};
use document::{root, run};
use std::fmt::Write;
use std::path::PathBuf;

fn path() -> PathBuf {
    root().join("docs/language.md")
}

fn page() -> String {
    std::fs::read_to_string(path()).expect("the page")
}

/// Levels for a program that has none of its own: a page shows parts, too.
fn completed(fence: &Fence) -> Fence {
    let mut body = fence.body.to_owned();
    if !body.contains("upper {") {
        body += "upper { var upper_x   minimize upper_x^2 }\n";
    }
    if !body.contains("lower ") {
        body += "lower { var lower_y   minimize lower_y^2 }\n";
    }
    Fence { body: Box::leak(body.into_boxed_str()), ..*fence }
}

#[test]
fn programs_do_what_the_page_says() {
    let page: &'static str = Box::leak(page().into_boxed_str());
    let programs: Vec<Fence> = fences(page).into_iter().filter(|f| f.words().first() == Some(&"blo")).collect();
    assert!(programs.len() > 15);
    let mut faults = String::new();
    for fence in &programs {
        let folder = tempfile::tempdir().expect("a folder");
        let said = run(&completed(fence), folder.path());
        let wrong: Vec<&str> = fence.words().into_iter().skip(1).filter(|w| *w != "wrong").collect();
        let as_said = match wrong.as_slice() {
            [] => said.exit == 0 && said.codes.iter().all(|c| c.as_str() == "W0508" || c.starts_with('N')),
            codes => codes.iter().all(|c| said.codes.iter().any(|s| s == c)),
        };
        if !as_said {
            let _ = writeln!(faults, "{}\n{}{}", fence.info, fence.body, said.text);
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(titles.iter().map(|t| (*t).to_owned()).collect());
    text += &format!("|{}\n", "---|".repeat(titles.len()));
    for row in rows {
        text += &line(row.iter().map(|c| cell(c)).collect());
    }
    text
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn functions() -> String {
    let named = elementwise::TABLE.iter().filter(|e| {
        matches!(e.visibility, Visibility::Function | Visibility::ConstantOnly) && function::by_name(e.name).is_none()
    });
    let mut rows: Vec<(&str, Vec<String>)> = named
        .map(|e| {
            let (call, doc) = e.doc.split_once(" = ").unwrap_or((e.name, e.doc));
            let kind = if e.visibility == Visibility::ConstantOnly { "of constants" } else { "elementwise" };
            (e.name, vec![code(call), kind.to_owned(), doc.to_owned()])
        })
        .collect();
    rows.extend(function::TABLE.iter().map(|e| (e.name, vec![code(e.signature), "array".into(), e.doc.into()])));
    rows.sort_by_key(|(name, _)| *name);
    table(&["function", "kind", "meaning"], rows.into_iter().map(|(_, row)| row))
}

fn sources<'a>(
    all: impl Iterator<Item = (&'a str, &'a str, &'a [blo_engine::data::OptionEntry])>,
    title: &str,
) -> String {
    let rows = all.map(|(name, doc, options)| {
        let options: Vec<String> = options.iter().map(|o| format!("`{} =` {}", o.name, o.doc)).collect();
        vec![code(name), doc.to_owned(), options.join("<br>")]
    });
    table(&[title, "meaning", "options"], rows)
}

fn option(o: &OptionEntry) -> String {
    let default = o.default.map_or_else(|| "automatic".to_owned(), code);
    format!("`{}` {} ({}; {default})", o.name, o.doc, o.kind.text())
}

fn methods() -> String {
    let rows = METHODS.iter().map(|m| {
        let assumed: Vec<&str> = m.entry.requires.iter().map(|a| a.name()).collect();
        let options: Vec<String> = m.entry.options.iter().map(option).collect();
        let runs = if m.runs() { "yes" } else { "not yet" };
        let what = format!("{}. {}", m.entry.doc, m.entry.citation);
        vec![code(m.entry.name), runs.into(), what, assumed.join(", "), options.join("<br>")]
    });
    table(&["method", "runs", "what it does", "assumes f", "options of its own"], rows)
}

fn generated(name: &str) -> String {
    match name {
        "functions" => functions(),
        "prox" => table(
            &["term", "name", "on a box too", "prox, t = step times weight"],
            prox::TABLE.iter().map(|e| {
                let merged = if e.merges_box { "yes" } else { "no" };
                vec![code(e.doc), e.name.into(), merged.into(), code(e.formula)]
            }),
        ),
        "sets" => table(
            &["set", "meaning", "projection"],
            set::TABLE.iter().map(|e| vec![code(e.name), e.doc.into(), code(e.formula)]),
        ),
        "formats" => sources(FORMATS.iter().map(|f| (f.name, f.doc, f.options)), "format"),
        "generators" => sources(GENERATORS.iter().map(|g| (g.name, g.doc, g.options)), "generator"),
        "options" => table(&["options of every method"], COMMON.iter().map(|o| vec![option(o)])),
        "methods" => methods(),
        "codes" => table(&["code", "meaning"], entries().iter().map(|e| vec![e.code.into(), e.title.into()])),
        other => panic!("no table is called {other}"),
    }
}

#[test]
fn tables_are_those_of_the_registries() {
    let page = page();
    let mut fresh = String::new();
    let mut count = 0;
    let mut rest = page.as_str();
    while let Some((before, after)) = rest.split_once("<!-- begin ") {
        let (name, after) = after.split_once(" -->").expect("a closed comment");
        let end = format!("<!-- end {name} -->");
        let (_, after) = after.split_once(&end).expect("an end of the table");
        let _ = write!(fresh, "{before}<!-- begin {name} -->\n{}{end}", generated(name));
        rest = after;
        count += 1;
    }
    fresh += rest;
    assert_eq!(count, 8);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(), &fresh).expect("the page can be written");
    } else {
        assert!(fresh == page, "a table of docs/language.md is stale: run this test with UPDATE_DOCS=1");
    }
}
