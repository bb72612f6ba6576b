//! What a run says while it goes on: a line of standard output per event, each a JSON object. The page shows them as they
//! come.

use serde_json::{Value, json};
use std::io::{self, Write};

/// What a text is of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Report,
    Table,
    Explain,
}

/// What a picture shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Curves,
    Landscape,
}

/// How a run has ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Done,
    /// A run has ended by itself, and not with a solution.
    Unsolved,
    Cancelled,
    /// Out of time; the server says so for memory.
    Limit,
    /// It has diverged, or there is no such picture.
    Failed,
    /// The program or its data have mistakes, so nothing has run.
    Refused,
}

/// A line of the table of iterations.
pub(super) fn row(text: &str) {
    say(&json!({"kind": "row", "text": text}));
}

/// A picture, with a sentence for those who do not see it.
pub(super) fn picture(which: Which, svg: &str, alt: &str) {
    let which = match which {
        Which::Curves => "curves",
        Which::Landscape => "landscape",
    };
    say(&json!({"kind": "picture", "which": which, "svg": svg, "alt": alt}));
}

/// A text in characters of one width.
pub(super) fn text(part: Part, text: &str) {
    let part = match part {
        Part::Report => "report",
        Part::Table => "table",
        Part::Explain => "explain",
    };
    say(&json!({"kind": "text", "part": part, "text": text}));
}

/// The last event.
pub(super) fn end(how: How, message: &str) {
    let how = match how {
        How::Done => "done",
        How::Unsolved => "unsolved",
        How::Cancelled => "cancelled",
        How::Limit => "limit",
        How::Failed => "failed",
        How::Refused => "refused",
    };
    say(&json!({"kind": "end", "how": how, "message": message}));
}

fn say(event: &Value) {
    let mut out = io::stdout().lock();
    // the server that has started this process ends it; there is nobody else to tell
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}
