//! The formatter on whole programs: a fixed point, the same tree, every comment.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use crate::tree::tree;
use blo_grammar::{Style, format};
use proptest::prelude::*;
use std::path::Path;

/// The programs of the tests, and those of the repository where it is complete.
fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for folder in [root.join("tests/samples"), root.join("../specs")] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "blo") {
                all.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

/// The comments without the space after them, in order.
fn comments(source: &str) -> Vec<&str> {
    // no sample has `#` in a string
    source.lines().filter_map(|line| line.find('#').map(|at| line[at..].trim_end())).collect()
}

#[test]
fn formatting_is_stable_and_changes_no_meaning() {
    let programs = programs();
    assert!(programs.len() >= 4);
    for (path, source) in programs {
        let once = format(&source, Style::Keep).unwrap();
        assert_eq!(format(&once, Style::Keep).unwrap(), once, "{path}");
        assert_eq!(tree(&once), tree(&source), "{path}");
        assert_eq!(comments(&once), comments(&source), "{path}");
        let crlf = source.replace('\n', "\r\n");
        assert_eq!(format(&crlf, Style::Keep).unwrap(), once, "{path} with CRLF");
    }
}

#[test]
fn styles_change_no_meaning() {
    for (path, source) in programs() {
        let unicode = format(&source, Style::Unicode).unwrap();
        let ascii = format(&unicode, Style::Ascii).unwrap();
        assert_eq!(tree(&unicode), tree(&source), "{path}");
        assert_eq!(tree(&ascii), tree(&source), "{path}");
        assert_eq!(format(&ascii, Style::Ascii).unwrap(), ascii, "{path}");
        assert_eq!(format(&unicode, Style::Unicode).unwrap(), unicode, "{path}");
    }
}

#[test]
fn layouts() {
    for name in ["everything", "portfolio", "comments", "unicode"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/samples/{name}.blo"));
        let source = std::fs::read_to_string(path).unwrap();
        insta::assert_snapshot!(name, format(&source, Style::Keep).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// White space means nothing: any in place of any gives the same tree, and a layout that is stable.
    #[test]
    fn white_space_is_free(program in 0..4_usize, picks in proptest::collection::vec(0..GAPS.len(), 64)) {
        let (path, source) = programs().swap_remove(program);
        let mut picks = picks.into_iter().cycle();
        let mut shuffled = String::new();
        for line in source.lines() {
            // comments and strings are left as they are
            let code = line.find(['#', '"']).unwrap_or(line.len());
            for c in line[..code].chars() {
                match c {
                    ' ' => shuffled.push_str(GAPS[picks.next().unwrap_or(0)]),
                    _ => shuffled.push(c),
                }
            }
            shuffled.push_str(&line[code..]);
            shuffled.push('\n');
        }
        let once = format(&shuffled, Style::Keep).unwrap();
        prop_assert_eq!(format(&once, Style::Keep).unwrap(), once.clone(), "{}", path);
        // docs may turn into trailing comments and back when lines are broken, so they are left out
        let undoc = |t: String| t.split("doc: [").map(|p| p.split_once("]").map_or(p.to_owned(), |(_, r)| r.to_owned())).collect::<String>();
        prop_assert_eq!(undoc(tree(&once)), undoc(tree(&source)), "{}", path);
    }
}

const GAPS: [&str; 8] = [" ", "  ", "    ", "\n", "\n\n\n", "\t", " # note\n", "\r\n"];
