//! Runs that start where another one has ended.
// The bans keep engine and solvers off files; this test makes them.
#![allow(clippy::disallowed_methods)]

use std::fs;

use super::said;

const PROBLEM: &str = "param lambda = 0.3
upper { var x in [0, 5]  minimize normsq(y - 1) + lambda*x^2 }
lower { var y[2]  minimize 1/2*normsq(y - 2) + x*normsq(y) }
start { x = 3 }
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("p.blo"), PROBLEM).expect("a file");
    folder
}

#[test]
fn every_form_of_a_result_serves_as_a_start() {
    let folder = folder();
    for (first, file) in [("--out r.json", "r.json"), ("--out r.npz", "r.npz"), ("--format jsonl > r.jsonl", "r.jsonl")]
    {
        said(folder.path(), &format!("solve p.blo -m cg -q {first}"));
        for command in [format!("solve p.blo -m meha --warm {file}"), format!("compare p.blo -m cg --warm {file}")] {
            let (text, code) = said(folder.path(), &command);
            let at_once = text.contains("converged after 0 iterations") || text.contains("converged           0");
            assert!(code == Some(0) && at_once, "{command} {code:?}: {text}");
        }
    }
    // the new result may take the place of the old one, and nothing else may
    let (text, code) = said(folder.path(), "solve p.blo -m cg -D lambda=0.31 --warm r.json --out r.json");
    assert!(code == Some(0) && !text.contains("after 0 iterations"), "{code:?}: {text}");
    let (text, code) = said(folder.path(), "solve p.blo -m cg --warm r.json --checkpoint r.json");
    assert!(code == Some(2) && text.contains("the result that `--warm` reads"), "{code:?}: {text}");
    let (text, code) = said(folder.path(), "solve p.blo -m cg --warm r.json --resume r.json");
    assert!(code == Some(2) && text.contains("cannot be used with"), "{code:?}: {text}");
}

#[test]
fn what_does_not_fit_is_said() {
    let folder = folder();
    let call = |result: &str| {
        fs::write(folder.path().join("r.json"), result).expect("a file");
        said(folder.path(), "solve p.blo -m cg --warm r.json --max-iter 3")
    };
    let of = |upper: &str, lower: &str| {
        format!("{{\"upper\":{{\"variables\":{{{upper}}}}},\"lower\":{{\"variables\":{{{lower}}}}}}}")
    };
    let (text, code) = call(&of("\"x\":1", ""));
    assert!(code == Some(0) && text.contains("`y` keeps its start: the result does not hold it"), "{code:?}: {text}");
    let (text, code) = call(&of("\"x\":1,\"z\":2", "\"y\":[1,2]"));
    assert!(code == Some(0) && text.contains("the problem has no variable `z`"), "{code:?}: {text}");
    for (result, wanted) in [
        (of("\"x\":[1]", ""), "`x` is an array [1], and the variable is a number"),
        (of("", "\"y\":[1,2,3]"), "`y` is an array [3], and the variable is an array [2]"),
        (of("", "\"y\":[1,null]"), "`y[2]` is null: it was not a finite number"),
        (of("\"z\":1", ""), "no variable of the problem is in this result: it holds `z`"),
        ("{\"lower\":".to_owned(), "the file ends too early, in line 1"),
        ("x = 1".to_owned(), "this is not JSON from line 1, column 1"),
    ] {
        let (text, code) = call(&result);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == Some(1) && text.contains(wanted) && text.contains("help:"), "{result} {code:?}: {text}");
    }
    let (text, code) = said(folder.path(), "solve p.blo --warm nowhere.json");
    assert!(code == Some(1) && text.contains("--warm nowhere.json: no such file"), "{code:?}: {text}");
}
