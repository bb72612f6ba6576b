//! The last line of a test run: what was skipped because its data are not there. A program without a test harness, because
//! cargo shows nothing of a test that passes.

fn main() {
    let skipped = blo_tests::skipped::skipped();
    blo_tests::say(&match skipped.len() {
        0 => "skipped: nothing; all data sets are there".to_owned(),
        n => format!(
            "skipped: {n} programs and data sets, whose data are not there; `cargo test -p blo-tests --test skipped -- --all` lists them"
        ),
    });
    if std::env::args().any(|a| a == "--all") {
        skipped.iter().for_each(|line| blo_tests::say(line));
    }
}
