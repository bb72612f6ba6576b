//! Pictures of runs and of traces, as the command writes them.
// The bans keep engine and solvers off files; this test makes them.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;

use super::said;
use svg::Svg;

#[allow(dead_code, unreachable_pub, reason = "the reader of pictures is that of the command's own tests")]
#[path = "../../src/picture/svg.rs"]
mod svg;

/// y solves the lower level at 2/(1 + x); the best x is 1.
const ONE_EACH: &str = "problem ridge
param target = 1
upper { var rho in [0, 4]  minimize (w - target)^2 }
lower { var w  minimize (w - 2)^2 + rho*w^2 }
start { rho = 3 }
known { rho = 1;  w = 1;  upper = 0 }
";

const MANY: &str = "problem many
upper { var x[3] in [-1, 1]  minimize normsq(x - y) + normsq(y - 1/2) }
lower { var y[3]  minimize normsq(y - x) }
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("p.blo"), ONE_EACH).expect("a file");
    fs::write(folder.path().join("many.blo"), MANY).expect("a file");
    folder
}

fn call(folder: &Path, arguments: &str) {
    let (text, code) = said(folder, arguments);
    assert_eq!(code, Some(0), "{arguments}: {text}");
}

fn file(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a file that has been written")
}

#[test]
fn a_run_is_drawn_with_what_it_was() {
    let folder = folder();
    call(folder.path(), "solve p.blo -m rhg --set K=40 -D target=1.0 --seed 7 -q --plot p.svg --plot landscape=l.svg");
    let text = file(folder.path(), "p.svg");
    let curves = Svg::read(&text);
    for said in ["lower residual", "upper residual", "err(rho)", "err(w)", "err(upper)", "iterations", "time (s)"] {
        assert!(curves.says(said), "{said}: {:?}", curves.texts());
    }
    let version = format!("blo {}", env!("CARGO_PKG_VERSION"));
    for part in ["ridge, target = 1: ", " of rhg", "K = 40", "seed 7", &version] {
        assert!(curves.all().contains(part), "{part}: {:?}", curves.texts());
    }
    let text = file(folder.path(), "l.svg");
    let landscape = Svg::read(&text);
    for said in ["rho", "w", "lower solution w(rho)", "iterates", "start", "end", "known optimum"] {
        assert!(landscape.says(said), "{said}: {:?}", landscape.texts());
    }
    // the set of rho is the window
    assert!(landscape.says("0") && landscape.says("4") && !landscape.says("5"), "{:?}", landscape.texts());
}

#[test]
fn a_picture_against_iterations_is_the_same_in_every_run() {
    let folder = folder();
    for command in ["solve p.blo -m bda -q", "compare p.blo -m bda,cg"] {
        call(folder.path(), &format!("{command} --plot iterations=a.svg"));
        call(folder.path(), &format!("{command} --plot iterations=b.svg"));
        let text = file(folder.path(), "a.svg");
        assert_eq!(text, file(folder.path(), "b.svg"), "{command}");
        let drawn = Svg::read(&text);
        assert!(drawn.says("iterations") && !drawn.says("time (s)"), "{:?}", drawn.texts());
    }
}

#[test]
fn a_picture_changes_nothing_of_the_run_and_its_files() {
    let folder = folder();
    let run = |more: &str| {
        call(folder.path(), &format!("solve p.blo -m bda -q --out r.json --trace t.csv {more}"));
        let trace = file(folder.path(), "t.csv");
        let without_time =
            |line: &str| line.split(',').enumerate().filter(|(i, _)| *i != 1).map(|(_, c)| c.to_owned()).collect();
        let result: serde_json::Value = serde_json::from_str(&file(folder.path(), "r.json")).expect("a result");
        (
            trace.lines().map(without_time).collect::<Vec<Vec<String>>>(),
            result["upper"].clone(),
            result["iterations"].clone(),
        )
    };
    assert_eq!(run(""), run("--plot p.svg --plot landscape=l.svg"));
}

#[test]
fn a_diverging_run_is_drawn_up_to_where_it_fails() {
    let folder = folder();
    let line = "solve many.blo -m meha --set alpha=3 --set beta=3 --set eta=3 --set c=1 --set p=0.1 -q --plot p.svg";
    let (text, code) = said(folder.path(), line);
    assert_eq!(code, Some(4), "{text}");
    let text = file(folder.path(), "p.svg");
    assert!(Svg::read(&text).all().contains("not finite"), "{:?}", Svg::read(&text).texts());
}

#[test]
fn traces_of_both_forms_are_drawn() {
    let folder = folder();
    call(folder.path(), "solve many.blo -m rhg -q --trace rhg.csv --trace-variables");
    call(folder.path(), "solve many.blo -m bda -q --trace bda.jsonl");
    call(folder.path(), "plot rhg.csv -o one.svg");
    let text = file(folder.path(), "one.svg");
    assert!(Svg::read(&text).says("upper residual") && Svg::read(&text).all().contains("rhg.csv"));
    for (flags, title) in [("", "lower residual"), ("--of upper", "upper")] {
        call(folder.path(), &format!("plot rhg.csv bda.jsonl -o both.svg {flags}"));
        let text = file(folder.path(), "both.svg");
        let svg = Svg::read(&text);
        assert!(svg.says("rhg") && svg.says("bda") && svg.says(title), "{flags}: {:?}", svg.texts());
    }
    let (printed, code) = said(folder.path(), "plot rhg.csv --of 'x[2]'");
    assert!(code == Some(0) && Svg::read(&printed).says("x[2]"), "{printed}");
    // the only value of a run that ends at once
    call(folder.path(), "solve many.blo -m rhg -q --max-iter 0 --trace none.csv");
    call(folder.path(), "plot none.csv -o none.svg");
    assert!(Svg::read(&file(folder.path(), "none.svg")).says("lower residual"));
}

#[test]
fn what_cannot_be_written_is_said_beside_the_result() {
    let folder = folder();
    for (line, code) in [("solve p.blo -m rhg --plot none/p.svg", 1), ("plot none.csv", 1)] {
        assert_eq!(said(folder.path(), line).1, Some(code), "{line}");
    }
    std::os::unix::fs::symlink("/dev/full", folder.path().join("full.svg")).expect("a link");
    let (text, code) = said(folder.path(), "solve p.blo -m rhg --plot full.svg");
    assert!(
        code == Some(7) && text.contains("status") && text.contains("full.svg: cannot be written"),
        "{code:?}: {text}"
    );
    call(folder.path(), "solve p.blo -m rhg -q --trace t.csv");
    let (text, code) = said(folder.path(), "plot t.csv -o full.svg");
    assert!(code == Some(7) && text.contains("full.svg: cannot be written"), "{code:?}: {text}");
}
