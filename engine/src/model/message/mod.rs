//! Every diagnostic of the checker and of reading data, one constructor each, in the order of their codes within a file.
//! Codes are stable: never reuse one.

mod constraints;
mod data;
pub(in crate::model) mod elsewhere;
mod image;
mod levels;
mod names;
mod reported;
mod rows;
mod shapes;

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

pub(super) use constraints::*;
pub(super) use data::*;
pub(super) use image::*;
pub(super) use levels::*;
pub(super) use names::*;
pub(super) use reported::*;
pub(super) use rows::*;
pub(super) use shapes::*;

fn error(code: &'static str, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, message, span, label)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// Replaces a misspelled word where there is one near.
fn respell(d: Diagnostic, span: Span, near: Option<&str>) -> Diagnostic {
    match near {
        Some(near) => d.respelt(near, span),
        None => d,
    }
}

/// Says what to write for a word of another language.
fn translate(d: Diagnostic, span: Span, here: elsewhere::Here) -> Diagnostic {
    match here {
        elsewhere::Here::Name(near) => d.respelt(near, span),
        elsewhere::Here::Write(text) => d.help(text),
    }
}

/// True for findings that a piece of the file lost to a syntax error could explain.
pub(super) fn may_be_missing(code: &str) -> bool {
    ["B0201", "B0205", "B0401", "B0403", "B0404", "B0408", "B0410", "N0407"].contains(&code)
}

/// A text cut to what fits a message.
fn short(text: &str) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= 40 { flat } else { format!("{}...", flat.chars().take(37).collect::<String>()) }
}
