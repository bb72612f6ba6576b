//! Small files that ask for much: every one ends with a message, within the memory that the process may have.
// The bans keep engine and solvers off files; this test makes them.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::io::Write;
use std::path::Path;

use super::pipe;

/// With a line per finding.
fn said(folder: &Path, arguments: &str) -> (String, Option<i32>) {
    super::said(folder, &format!("{arguments} --message-format short"))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).expect("a file"));
    folder
}

#[test]
fn any_number_of_lower_steps_takes_little_memory_and_ends_in_time() {
    let text =
        "upper { var x in [-2, 2]   minimize (x - 1)^2 + normsq(y) }  lower { var y[3]   minimize normsq(y - x) }";
    let folder = folder(&[("p.blo", text)]);
    for method in ["rhg", "trhg", "fhg", "cg", "bda", "bigsam", "iaptt"] {
        let limits = "--set K=1000000000 --max-time 0.3 --limit memory=100000000";
        let (text, code) = said(folder.path(), &format!("solve p.blo -m {method} {limits}"));
        // a machine that is busy may take all of the time to begin
        let ends = code == Some(0) || code == Some(1) && text.contains("the time limit is over before");
        assert!(ends && !text.contains("nan"), "{method} {code:?}: {text}");
    }
}

#[test]
fn names_are_resolved_once_whatever_calls_them() {
    let unknown: Vec<String> = (0..10).map(|i| format!("zz{i}(u)")).collect();
    let mut text = format!("fn a0(u) = {}\n", unknown.join(" + "));
    (1..17).for_each(|i| text += &format!("fn a{i}(u) = a{0}(u) + a{0}(u)\n", i - 1));
    text += "metric m = a16(1)\nupper { var x   minimize x^2 }\nlower { var y   minimize (y - x)^2 }\n";
    let folder = folder(&[("p.blo", &text)]);
    let (text, code) = said(folder.path(), "check p.blo");
    assert!(code == Some(1) && text.lines().count() <= 101, "{code:?}: {text}");
    assert!((0..10).all(|i| text.contains(&format!("`zz{i}`"))), "{text}");
}

#[test]
fn lines_and_archives_that_unfold_are_bounded() {
    let program = |name: &str| {
        format!(
            "data A[_, 3] = csv(\"{name}\")\nupper {{ var x   minimize x^2 + sum(A) }}\nlower {{ var y   minimize (y - x)^2 }}\n"
        )
    };
    let folder = folder(&[("line.blo", &program("line.csv.gz")), ("rows.blo", &program("rows.csv.gz"))]);
    for (name, piece) in [("line.csv.gz", "1,2,3,"), ("rows.csv.gz", "1,2,3\n")] {
        let file = fs::File::create(folder.path().join(name)).expect("a file");
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
        let block = piece.repeat(100_000);
        (0..500).for_each(|_| packed.write_all(block.as_bytes()).expect("a file"));
        packed.finish().expect("a file");
    }
    for call in ["check line.blo", "data line.blo", "data rows.blo", "solve line.blo"] {
        let (text, code) = said(folder.path(), call);
        assert!(code == Some(1) && text.contains("error[B0508]"), "{call} {code:?}: {text}");
    }
}

#[test]
fn devices_and_pipes_are_no_data() {
    let folder = folder(&[]);
    pipe(&folder.path().join("pipe"));
    for name in ["pipe", "/dev/zero"] {
        let text = format!(
            "data A[_, 3] = csv(\"{name}\")\nupper {{ var x   minimize x^2 + sum(A) }}\nlower {{ var y   minimize (y - x)^2 }}\n"
        );
        fs::write(folder.path().join("p.blo"), text).expect("a file");
        for command in ["check", "data", "solve"] {
            let (text, code) = said(folder.path(), &format!("{command} p.blo"));
            assert!(code == Some(1) && text.contains("error[B0508]"), "{name} {command} {code:?}: {text}");
        }
    }
}

#[test]
fn a_limit_on_time_ends_the_look_at_assumptions() {
    let text = "param n = 200000\nupper { var x[n]   minimize 1/2*normsq(x - y2) + 1/2*normsq(y1 - 1) }
        lower { var y1[n]  var y2[n]   minimize 1/2*normsq(y1) - x'*y1 }";
    let folder = folder(&[("p.blo", text)]);
    // with or without an iterate: it ends, which without the limit takes minutes
    let (text, code) = said(folder.path(), "solve p.blo -m rhg --max-time 0.3 --format json --quiet");
    assert!(matches!(code, Some(0 | 1)) && (code == Some(1) || text.contains("time_limit")), "{code:?}: {text}");
}
