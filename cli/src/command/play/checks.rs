//! The process that checks the text of the page: questions come in on standard input, a line each, and answers go out.

use serde_json::Value;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::channel;

use crate::exit::{Exit, Failure};
use crate::play::Editing;

/// Answers until the server is gone.
///
/// # Errors
/// When the answers go nowhere.
pub(super) fn run() -> Result<Exit, Failure> {
    let (ask, asked) = channel();
    // beside a check, which may take long: a server that is gone leaves nobody to check for
    let listen = move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if ask.send(line).is_err() {
                break;
            }
        }
        std::process::exit(Exit::Done as i32)
    };
    std::thread::Builder::new().name("blo play checks".to_owned()).spawn(listen)?;
    let mut editing = Editing::default();
    for line in asked {
        let question: Value = serde_json::from_str(&line).unwrap_or_default();
        let mut out = io::stdout().lock();
        writeln!(out, "{}", editing.answer(&question))?;
        out.flush()?;
    }
    Ok(Exit::Done)
}
