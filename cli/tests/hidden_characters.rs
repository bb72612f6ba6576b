//! Characters that a terminal obeys are kept on input and shown on output: in comments, texts, paths and messages.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command prints on both streams.
fn said(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut blo = Command::new(env!("CARGO_BIN_EXE_blo"));
    let blo = blo.args(arguments).current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::piped());
    let mut run = blo.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    run.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("the command reads");
    let output = run.wait_with_output().expect("the command ends");
    [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat()
}

/// The characters that a terminal would obey.
fn obeyed(text: &str) -> Vec<char> {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\t') || turns(*c)).collect()
}

/// An escape sequence, its one-character form, a bell, a backspace, and a carriage return.
const HIDDEN: &str = "\u{1b}[31mred \u{9b}31m \u{7}\u{8}\u{7f}\r end";

fn program() -> String {
    format!(
        "## doc {HIDDEN}\nproblem p\n# comment {HIDDEN}\ndata A[_] = csv(\"a{0}.csv\", column = \"b{0}\")\n## of x {HIDDEN}\n\
         upper {{ var x   minimize (x - 1)^2 + sum(A) }}   # {HIDDEN}\nlower {{ var y   minimize (y - x)^2 }}\n\
         expect with meha {{ x <= 2 }}\n",
        HIDDEN.replace('\r', "")
    )
}

#[test]
fn what_is_shown_cannot_be_obeyed() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("p.blo"), program()).expect("a file");
    let wrong = program().replace("(y - x)^2", "(y - x)^2 + unknown").replace("\"a", "\"\u{202e}a");
    std::fs::write(folder.path().join("wrong.blo"), wrong).expect("a file");
    for command in ["check", "explain", "data", "solve", "grad", "plan", "graph", "test"] {
        for file in ["p.blo", "wrong.blo"] {
            for format in ["human", "short"] {
                let text = said(folder.path(), &[command, file, "--message-format", format], "");
                assert_eq!(obeyed(&text), Vec::<char>::new(), "{command} {file} {format}: {text:?}");
                assert!(!text.is_empty());
            }
        }
    }
    let explained = said(folder.path(), &["explain", "p.blo"], "");
    assert!(explained.contains("doc ␛[31mred \u{fffd}31m ␇␈␡"), "{explained}");
    assert!(explained.contains("a␛[31mred"), "the path is shown: {explained}");
}

/// Names of files that are read, in what `data` says of them.
#[test]
fn paths_are_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "a\u{1b}[31m\u{9b}b.csv";
    std::fs::write(folder.path().join(name), "1\nNA\n").expect("a file");
    let program = format!(
        "data A[_] = csv(\"{name}\", column = 1, missing = drop)\nupper {{ var x   minimize x^2 + sum(A) }}\n\
         lower {{ var y   minimize (y - x)^2 }}\n"
    );
    std::fs::write(folder.path().join("p.blo"), program).expect("a file");
    let text = said(folder.path(), &["data", "p.blo"], "");
    assert_eq!(obeyed(&text), Vec::<char>::new(), "{text:?}");
    assert_eq!(text.matches("a␛[31m\u{fffd}b.csv").count(), 2, "the table and the gap: {text}");
}

#[test]
fn a_page_about_such_characters_holds_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = said(folder.path(), &["explain", "B0120"], "");
    assert!(page.contains("B0120") && obeyed(&page).is_empty(), "{page:?}");
    assert!(page.contains("leader \u{fffd}"), "{page}");
}

/// The layout keeps every character of texts and comments where a program reads it.
#[test]
fn the_layout_keeps_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "\u{1b}[31m \u{9b} \u{1} \u{7f}";
    let program = format!("# {text} end\ndata A[3]=csv(\"a{text}.csv\")\nupper {{var x minimize x}}\n");
    let laid_out = said(folder.path(), &["fmt", "-"], &program);
    assert!(laid_out.contains(&format!("csv(\"a{text}.csv\")")), "{laid_out:?}");
    assert!(laid_out.contains(&format!("# {text} end")), "{laid_out:?}");
    assert_eq!(said(folder.path(), &["fmt", "-"], &laid_out), laid_out);
}

/// A folder that is not there is named, also where every file is found elsewhere.
#[test]
fn missing_folders_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.csv"), "1\n2\n").expect("a file");
    let program =
        "data A[_] = csv(\"a.csv\")\nupper { var x   minimize x^2 + sum(A) }\nlower { var y   minimize (y - x)^2 }\n";
    std::fs::write(folder.path().join("p.blo"), program).expect("a file");
    std::fs::write(folder.path().join("q.blo"), program.replace("a.csv", "b.csv")).expect("a file");
    let wanted = "there is no folder for `--data-dir nowhere`";
    for command in ["check", "data", "solve", "explain", "grad", "plan"] {
        for file in ["p.blo", "q.blo"] {
            let text = said(folder.path(), &[command, file, "--data-dir", "nowhere", "--data-dir", "."], "");
            assert!(text.contains(wanted), "{command} {file}: {text}");
            assert!(!text.contains("`--data-dir .`"), "{text}");
        }
    }
}
