//! The compiled iterations of published experiments: a reader of the paper should recognize Algorithm 1 in them.

use std::path::Path;
use std::process::Command;

fn plan(spec: &str, arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let run = Command::new(env!("CARGO_BIN_EXE_blo"))
        .args(["plan", spec])
        .args(arguments)
        .current_dir(root)
        .output()
        .expect("the command runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

#[test]
fn equation_18() {
    insta::assert_snapshot!(plan("specs/meha_eq18.blo", &["--method", "meha:tuned"]));
}

#[test]
fn group_lasso() {
    insta::assert_snapshot!(plan("specs/meha_eq21.blo", &["--method", "meha:paper"]));
}
