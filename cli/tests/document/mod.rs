//! Programs in documents: written to a folder, run by the command, and read for the codes it prints.

#![allow(clippy::disallowed_methods)]

#[allow(dead_code, unreachable_pub, reason = "the page reader is the command's own")]
#[path = "../../src/codes.rs"]
pub(crate) mod codes;

use std::path::{Path, PathBuf};
use std::process::Command;

use codes::Fence;

/// What the command said of a program.
pub(crate) struct Said {
    /// The codes, in the order in which they were printed.
    pub(crate) codes: Vec<String>,
    /// The exit code of the last command.
    pub(crate) exit: i32,
    /// Everything printed.
    pub(crate) text: String,
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Writes a program to `P.blo` and runs the fence's commands on it; `&&` separates several.
pub(crate) fn run(fence: &Fence, folder: &Path) -> Said {
    std::fs::write(folder.join("P.blo"), bytes(fence)).expect("a folder of the test");
    let mut said = Said { codes: Vec::new(), exit: 0, text: String::new() };
    for command in fence.command().split(" && ") {
        let (name, flags) = command.split_once(' ').unwrap_or((command, ""));
        let mut blo = Command::new(env!("CARGO_BIN_EXE_blo"));
        // a command that takes a word before the file says where the file stands
        let file = (!flags.split_whitespace().any(|word| word == "P.blo")).then_some("P.blo");
        blo.arg(name).args(file).args(flags.split_whitespace()).args(["--message-format", "short"]);
        let run = blo.current_dir(folder).env("NO_COLOR", "1").output().expect("the command runs");
        let text = [run.stdout, run.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
        said.codes.extend(codes_in(&text, '[', ']'));
        said.text += &text;
        said.exit = run.status.code().unwrap_or(-1);
    }
    said
}

/// Codes between two characters.
pub(crate) fn codes_in(text: &str, before: char, after: char) -> Vec<String> {
    let starts = text.match_indices(before).map(|(at, _)| &text[at + before.len_utf8()..]);
    let codes = starts.filter(|rest| rest.is_char_boundary(5) && rest[5..].starts_with(after));
    codes.map(|rest| rest[..5].to_owned()).filter(|code| codes::is_code(code)).collect()
}

/// The file that a fence stands for.
fn bytes(fence: &Fence) -> Vec<u8> {
    let text = expanded(fence.body);
    if fence.words().contains(&"encoding=latin1") {
        return text.chars().map(|c| u8::try_from(u32::from(c)).expect("a letter of Latin-1")).collect();
    }
    text.into_bytes()
}

/// The text with `x⟨×3⟩` as `xxx`, and a line with `⟨1..3⟩` as three lines.
fn expanded(text: &str) -> String {
    let mut result = String::new();
    for line in text.lines() {
        let steps = line.split('⟨').skip(1).find_map(|p| {
            let (first, last) = p.split('⟩').next()?.split_once("..")?;
            Some(last.parse::<i64>().ok()? - first.parse::<i64>().ok()?)
        });
        for step in 0..=steps.unwrap_or(0) {
            let mut parts = line.split('⟨');
            result += parts.next().unwrap_or_default();
            for part in parts {
                let (mark, rest) = part.split_once('⟩').expect("a closed mark");
                match mark.strip_prefix('×') {
                    Some(times) => {
                        let last = result.pop().expect("a character before the mark");
                        result.extend(std::iter::repeat_n(last, times.parse().expect("a number")));
                    }
                    None => {
                        let (first, _) = mark.split_once("..").expect("a range");
                        result += &(first.parse::<i64>().expect("a number") + step).to_string();
                    }
                }
                result += rest;
            }
            result.push('\n');
        }
    }
    result
}
