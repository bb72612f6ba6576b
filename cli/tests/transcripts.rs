//! The command line as its users see it: every `tests/transcript/*.md` holds commands with what they print and their
//! exit codes, run in `tests/transcript/problems`; those in the chapters of `docs/book/src` run in the root of the repository.
//! `TRYCMD=overwrite cargo test -p blo-cli` writes down what they print now.

const TRANSCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcript");

#[test]
fn transcripts() {
    std::env::set_current_dir(format!("{TRANSCRIPTS}/problems")).expect("the problems are part of the repository");
    trycmd::TestCases::new().case(format!("{TRANSCRIPTS}/*.md")).run();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    std::env::set_current_dir(root).expect("the repository");
    for chapter in ["tutorial", "cookbook", "adding-a-method"] {
        trycmd::TestCases::new().case(format!("{root}/docs/book/src/{chapter}.md")).run();
    }
}
