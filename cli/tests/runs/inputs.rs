//! Command lines that name what cannot be read or does not exist: each ends with a message, and the rest is done.
// The bans keep engine and solvers off files; this test makes them.
#![allow(clippy::disallowed_methods)]

use std::fs;

use super::{pipe, said};

const PROBLEM: &str = "upper { var x   minimize (x - 1)^2 + y^2 }\nlower { var y   minimize (y - x)^2 }\n";
const KINK: &str = "upper { var x   minimize relu(x) + y^2 }\nlower { var y   minimize (y - x)^2 }\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("p.blo"), PROBLEM).expect("a file");
    fs::write(folder.path().join("kink.blo"), KINK).expect("a file");
    folder
}

#[test]
fn devices_and_pipes_are_no_problems_and_no_checkpoints() {
    let folder = folder();
    pipe(&folder.path().join("pipe.blo"));
    for command in ["check", "fmt", "solve", "explain", "data", "graph", "plan", "grad", "test", "compare"] {
        for (file, what) in [("pipe.blo", "a pipe"), ("/dev/zero", "a device")] {
            let (text, code) =
                said(folder.path(), &format!("{command} {file}{}", if command == "compare" { " -m rhg" } else { "" }));
            assert!(code == Some(1) && text.contains(&format!("this is {what}")), "{command} {file} {code:?}: {text}");
        }
    }
    for (file, what) in [("pipe.blo", "a pipe"), ("/dev/zero", "a device")] {
        let (text, code) = said(folder.path(), &format!("solve p.blo --resume {file}"));
        assert!(code == Some(1) && text.contains(&format!("this is {what}")), "{file} {code:?}: {text}");
    }
}

#[test]
fn files_that_cannot_be_read_cost_no_other_test() {
    let folder = folder();
    fs::write(folder.path().join("p.blo"), format!("{PROBLEM}known {{ x = 0.5 }}\n")).expect("a file");
    pipe(&folder.path().join("a.blo"));
    std::os::unix::fs::symlink("gone.blo", folder.path().join("x.blo")).expect("a link");
    for (format, results) in [
        ("", ["test a.blo ... ERROR", "test x.blo ... ERROR", "test p.blo known (line 3) ... ok", "2 with errors"]),
        ("--format json", ["\"file\":\"a.blo\"", "\"file\":\"x.blo\"", "\"outcome\":\"ok\"", "\"errors\":2"]),
    ] {
        let (text, code) = said(folder.path(), &format!("test . {format}"));
        assert!(code == Some(1) && results.iter().all(|r| text.contains(r)), "{code:?}: {text}");
        assert!(text.contains("this is a link to `gone.blo`") && !text.contains("did you mean"), "{text}");
    }
}

#[test]
fn compare_refuses_options_that_no_method_has() {
    let folder = folder();
    for (call, methods) in [("-m rhg --set nope=5", &["rhg"][..]), ("-m rhg,cg --set alphax=3", &["rhg", "cg"])] {
        let (text, code) = said(folder.path(), &format!("compare p.blo {call}"));
        assert!(code == Some(1) && text.contains("B0603") && !text.contains("res lower"), "{call} {code:?}: {text}");
        assert!(methods.iter().all(|m| text.contains(&format!("`{m}` has no option"))), "{text}");
    }
    let (text, code) = said(folder.path(), "compare p.blo -m meha,rhg --set K=5 --max-iter 5");
    let told = "option `K` is not set for methods that do not have it: `meha`";
    assert!(code == Some(0) && text.contains(told), "{code:?}: {text}");
    for none in ["''", "','"] {
        let (text, code) = said(folder.path(), &format!("compare p.blo -m {none}"));
        assert!(code == Some(2) && text.contains("names no method"), "{none} {code:?}: {text}");
    }
}

#[test]
fn what_is_said_of_derivatives_and_plans_fits_the_page() {
    let folder = folder();
    for (call, wanted) in [("grad kink.blo --spread 0", "DISAGREE"), ("plan p.blo -m rhg", "rhg: ")] {
        let (text, _) = said(folder.path(), call);
        assert!(text.contains(wanted), "{call}: {text}");
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{call}: {wide:#?}");
    }
}

#[test]
fn a_file_beyond_the_limit_of_the_process_is_an_error_and_leaves_nothing() {
    let folder = folder();
    let large = "upper { var x[900]   minimize normsq(y - 1) }\nlower { var y[900]   minimize normsq(y - x) }\n";
    fs::write(folder.path().join("large.blo"), large).expect("a file");
    let script = "ulimit -f 8; \"$BLO\" solve large.blo -m cg -q --out r.json 2>&1 | cat; ls -A";
    let mut shell = std::process::Command::new("bash");
    let shell = shell.args(["-o", "pipefail", "-c", script]).env("BLO", env!("CARGO_BIN_EXE_blo"));
    let run = shell.current_dir(folder.path()).output().expect("a shell");
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("r.json: cannot be written") && text.contains("ulimit -f"), "{text}");
    assert!(!text.contains(".tmp") && !folder.path().join("r.json").exists(), "{text}");
    let script = "ulimit -f 8; \"$BLO\" solve large.blo -m cg -q --out r.json > /dev/null 2>&1";
    let mut shell = std::process::Command::new("bash");
    let shell = shell.args(["-c", script]).env("BLO", env!("CARGO_BIN_EXE_blo"));
    assert_eq!(shell.current_dir(folder.path()).status().expect("a shell").code(), Some(7));
}

#[test]
fn a_name_that_is_too_long_is_found_before_the_run() {
    let folder = folder();
    let name = "n".repeat(252) + ".json";
    for flag in ["--out", "--checkpoint"] {
        let (text, code) = said(folder.path(), &format!("solve p.blo -m cg {flag} {name}"));
        assert!(
            code == Some(1) && text.contains("its name is too long") && !text.contains("status"),
            "{code:?}: {text}"
        );
    }
}

#[test]
fn two_spellings_of_a_file_are_one_file() {
    let folder = folder();
    fs::write(folder.path().join("m.csv"), "1,2\n3,NA\n5,6\n").expect("a file");
    let program = "param n = 2  data a[n] = csv(\"m.csv\", column = 1)\n\
        data b[n] = csv(\"./m.csv\", column = 2, missing = drop)\n\
        upper { var x   minimize x^2 + mean((a - b).^2) + y^2 }\nlower { var y   minimize (y - x)^2 }\n";
    fs::write(folder.path().join("d.blo"), program).expect("a file");
    let (text, code) = said(folder.path(), "data d.blo");
    assert!(code == Some(0) && text.matches("left out").count() == 1, "{code:?}: {text}");
    let (text, code) = said(folder.path(), "solve d.blo -m cg");
    assert!(code == Some(0), "{code:?}: {text}");
}
