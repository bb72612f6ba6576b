//! What a caller asks for: a method, a preset of the file, and options on top of it.

use blo_engine::model::problem::Expectation;
use blo_grammar::ast::Assign;
use blo_grammar::span::Span;

/// The method that runs where nobody names one.
pub const DEFAULT_METHOD: &str = "auto";

/// What the caller wants to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method's name.
    pub method: String,
    /// Which preset of the file.
    pub preset: PresetChoice,
    /// Where the file names the method, for an `expect`; empty for a flag.
    pub span: Span,
    /// Later ones win.
    pub overrides: Vec<Override>,
}

/// A preset of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetChoice {
    /// `meha`: the unnamed preset, if the file has one.
    Unnamed,
    /// `meha:auto`: none.
    Automatic,
    /// `meha:paper`.
    Named(String),
}

/// An option that comes after the preset.
#[derive(Clone, Debug)]
pub enum Override {
    /// `--set alpha=0.1`, or a flag of its own such as `--max-iter`.
    Flag {
        /// The option.
        name: String,
        /// Its value as text.
        text: String,
    },
    /// The option list of an `expect`.
    File(Assign),
}

impl Request {
    /// Reads `meha`, `meha:auto`, `meha:paper`, and options in parentheses: `unroll(start = warm, K = 50)`. What is not
    /// an option is left to the resolution of the request, which says so.
    pub fn new(selection: &str) -> Request {
        let (selection, options) = match selection.trim().strip_suffix(')').and_then(|s| s.split_once('(')) {
            Some((before, options)) => (before.trim_end(), options),
            None => (selection, ""),
        };
        let (method, preset) = match selection.split_once(':') {
            None => (selection, PresetChoice::Unnamed),
            Some((method, "auto")) => (method, PresetChoice::Automatic),
            Some((method, name)) => (method, PresetChoice::Named(name.to_string())),
        };
        let request = Request { method: method.to_string(), preset, span: Span::default(), overrides: Vec::new() };
        options_in(options).into_iter().fold(request, |request, (name, text)| request.set(name, text))
    }

    /// A method without presets.
    pub fn automatic(method: &str) -> Request {
        let (method, preset) = (method.to_string(), PresetChoice::Automatic);
        Request { method, preset, span: Span::default(), overrides: Vec::new() }
    }

    /// What an `expect` of the file asks for.
    pub fn of_expectation(e: &Expectation) -> Request {
        let preset = match e.preset.as_ref().map(|p| p.text.as_str()) {
            None => PresetChoice::Unnamed,
            Some("auto") => PresetChoice::Automatic,
            Some(name) => PresetChoice::Named(name.to_string()),
        };
        let overrides = e.options.iter().cloned().map(Override::File).collect();
        let (method, span) = e.method.as_ref().map_or((DEFAULT_METHOD, e.span), |m| (m.text.as_str(), m.span));
        Request { method: method.to_string(), preset, span, overrides }
    }

    /// Adds a flag.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, text: impl Into<String>) -> Request {
        self.overrides.push(Override::Flag { name: name.into(), text: text.into() });
        self
    }
}

/// `a = 1, b = min(1, k)` as names and values.
fn options_in(text: &str) -> Vec<(&str, &str)> {
    let parts = at_commas(text).into_iter().map(|part| part.split_once('=').unwrap_or((part, "")));
    parts.map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// The parts of a list with commas; those inside of parentheses belong to a part.
pub fn at_commas(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}
