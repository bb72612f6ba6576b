//! The command line as its users see it: every `tests/transcript/*.md` holds commands with what they print and their
//! exit codes, run in `tests/transcript/problems`; those in the chapters of the book run in a folder with `specs` and
//! the programs of the chapters. `TRYCMD=overwrite cargo test -p blo-cli` writes down what they print now.

use crate::book::{own_chapters, workplace};

const TRANSCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcript");
const CHAPTERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/book/src");

#[test]
fn transcripts() {
    std::env::set_current_dir(format!("{TRANSCRIPTS}/problems")).expect("the problems are part of the repository");
    trycmd::TestCases::new().case(format!("{TRANSCRIPTS}/*.md")).run();
    let workplace = workplace();
    std::env::set_current_dir(workplace.path()).expect("a folder of the test");
    let with_transcripts = own_chapters().into_iter().filter(|c| c.blocks().iter().any(|b| b.info == "console"));
    let chapters: Vec<String> = with_transcripts.map(|c| c.path).collect();
    assert!(chapters.len() > 10, "{chapters:?}");
    for chapter in chapters {
        trycmd::TestCases::new().case(format!("{CHAPTERS}/{chapter}")).run();
    }
    // the folder of the test goes away
    std::env::set_current_dir(TRANSCRIPTS).expect("a folder of the repository");
}
