//! What the command says of every program in `tests/suite/bad`, as a person sees it: `blo check`, and where that finds
//! nothing in the text and the headers, `blo data`, which reads everything. To add a case, add a `.blo` file.

use std::path::Path;
use std::process::Command;

#[test]
fn messages_for_bad_programs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/suite/bad");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the suite")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.ends_with(".blo"))
        .collect();
    names.sort();
    assert!(names.len() >= 30);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder.join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for name in names {
        let run = |command: &str| {
            let mut blo = Command::new(env!("CARGO_BIN_EXE_blo"));
            let run = blo.args([command, &name]).current_dir(&folder).env("NO_COLOR", "1").output();
            let run = run.expect("the command runs");
            let said = [run.stdout, run.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
            (said, run.status.code().unwrap_or(-1))
        };
        let (mut text, mut code) = run("check");
        if text.contains(": no errors\n") && code == 0 {
            let (said, data_code) = run("data");
            (text, code) = (format!("blo data:\n{said}"), data_code);
        }
        text += &format!("exit code {code}\n");
        settings.bind(|| insta::assert_snapshot!(name.trim_end_matches(".blo"), text));
    }
}
