//! `cargo xtask docs` writes the generated files; with `--check` it only says which are stale.
// The bans keep the engine off files and terminals; this command is about both.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask docs [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["docs"] => xtask::docs::write(&xtask::root()).map(|written| {
            written.iter().for_each(|path| println!("wrote {path}"));
            true
        }),
        ["docs", "--check"] => xtask::docs::stale(&xtask::root()).map(|stale| {
            stale.iter().for_each(|path| eprintln!("{path} is stale: run `cargo xtask docs`"));
            stale.is_empty()
        }),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
