//! Diagnostics as plain data: what is wrong, where, and what to do next. Rendering is the caller's business.

use crate::span::Span;

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The model or its data cannot be used as written.
    Error,
    /// The program runs, but probably not as meant.
    Warning,
    /// Information worth a line.
    Note,
}

/// A span with a short remark, shown beside the source line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words, lower case, no full stop.
    pub text: String,
}

/// A machine-applicable edit: replace `span` by `text` (an insertion where the span is empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What to replace.
    pub span: Span,
    /// The replacement.
    pub text: String,
}

/// Whether an edit may be made without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The text can mean nothing else: another spelling of an operator, `2 x` for `2*x`.
    Safe,
    /// Likely, but another meaning is possible: the nearest name is a name too.
    Suggestion,
}

/// A suggested change: a sentence and the edits that carry it out together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the edits do, in the imperative.
    pub text: String,
    /// The edits, in source order; never overlapping.
    pub edits: Vec<Edit>,
    /// Whether the edits are certain or a guess.
    pub certainty: Certainty,
    /// The help line that says the same, where there is one: they go together.
    pub help: Option<usize>,
}

/// One finding about a `.blo` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code: `B....` for errors, `W....` for warnings, `N....` for notes.
    pub code: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// One sentence: what is wrong.
    pub message: String,
    /// The cause.
    pub primary: Label,
    /// Related places, such as declarations.
    pub secondary: Vec<Label>,
    /// What was found, what was expected, one next step.
    pub help: Vec<String>,
    /// Edits that mend it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error with its primary span; `label` is the remark shown under it.
    pub fn error(code: &'static str, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Error, message, span, label)
    }

    /// A warning with its primary span.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Warning, message, span, label)
    }

    /// A note with its primary span.
    pub fn note(code: &'static str, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Note, message, span, label)
    }

    fn new(
        code: &'static str,
        severity: Severity,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            message: message.into(),
            primary: Label { span, text: label.into() },
            secondary: Vec::new(),
            help: Vec::new(),
            fix: None,
        }
    }

    /// Adds a related place.
    #[must_use]
    pub fn with(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a help line.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }

    /// Sets a fix that cannot change a meaning.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>, edits: Vec<Edit>) -> Diagnostic {
        self.fix = Some(Fix { text: text.into(), edits, certainty: Certainty::Safe, help: None });
        self
    }

    /// Sets a fix that is a guess, to be made only when somebody asks for it.
    #[must_use]
    pub fn suggest(mut self, text: impl Into<String>, edits: Vec<Edit>) -> Diagnostic {
        self.fix = Some(Fix { text: text.into(), edits, certainty: Certainty::Suggestion, help: None });
        self
    }

    /// Asks whether `near` was meant, and sets the edit of the word at `span` as a guess.
    #[must_use]
    pub fn respelt(self, near: &str, span: Span) -> Diagnostic {
        let edits = vec![Edit { span, text: near.to_owned() }];
        self.offer(format!("did you mean `{near}`?"), format!("write `{near}`"), edits)
    }

    /// Adds a help line with the edits that do what it says, as a guess: where they mend nothing, both go.
    #[must_use]
    pub fn offer(self, help: impl Into<String>, text: impl Into<String>, edits: Vec<Edit>) -> Diagnostic {
        let line = self.help.len();
        let mut d = self.help(help).suggest(text, edits);
        if let Some(fix) = &mut d.fix {
            fix.help = Some(line);
        }
        d
    }

    /// Takes out a fix that turned out not to mend anything, with the words that go with it.
    pub fn drop_fix(&mut self) {
        if let Some(line) = self.fix.take().and_then(|fix| fix.help).filter(|line| *line < self.help.len()) {
            self.help.remove(line);
        }
    }

    /// True for errors.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `1 row`, `2 rows`.
pub fn counted(n: impl std::fmt::Display, one: &str, many: &str) -> String {
    let n = n.to_string();
    format!("{n} {}", if n == "1" { one } else { many })
}

/// The nearest of `candidates` to `word` by Damerau-Levenshtein distance, if close enough to be a misspelling; words of
/// one or two letters are near only to themselves in the other case. A file of the same name in a folder, or with one
/// more ending, counts as a single typing error: `points.csv` for `data/points.csv`, `lasso` for `lasso.blo`. Of equally
/// near ones the likelier slip of the fingers wins: letters that are swapped or missing before those that are wrong.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = if length < 3 { 0 } else { (length / 3).max(1) };
    // no keyword and no name of a program is longer
    const LONGEST: usize = 200;
    if length > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter(|c| c.len() <= 4 * LONGEST)
        .map(|c| {
            let (word, name) = (word.to_lowercase(), c.to_lowercase());
            let same_file = name.strip_suffix(&word).is_some_and(|folder| folder.ends_with('/'))
                || name.strip_prefix(&word).is_some_and(|ending| ending.starts_with('.'));
            let distance = if same_file { 1 } else { strsim::damerau_levenshtein(&word, &name) };
            (distance, slip(&word, &name), c.chars().count().abs_diff(length), c)
        })
        .filter(|(d, ..)| *d <= limit)
        .min()
        .map(|(.., c)| c)
}

/// How unlikely it is to type `word` for `name`: 0 if letters are swapped or missing, 1 if too many, 2 if wrong.
fn slip(word: &str, name: &str) -> usize {
    let sorted = |s: &str| {
        let mut letters: Vec<char> = s.chars().collect();
        letters.sort_unstable();
        letters
    };
    let within = |short: &str, long: &str| {
        let mut rest = long.chars();
        short.chars().all(|c| rest.any(|r| r == c))
    };
    match () {
        () if within(word, name) || sorted(word) == sorted(name) => 0,
        () if within(name, word) => 1,
        () => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn typing_errors_folders_and_endings_are_forgiven() {
        assert_eq!(did_you_mean("minimise", ["maximize", "minimize"]), Some("minimize"));
        assert_eq!(did_you_mean("points.csv", ["point.txt", "more/points.csv"]), Some("more/points.csv"));
        assert_eq!(did_you_mean("lasso", ["lasso.blo", "ridge.blo"]), Some("lasso.blo"));
        assert_eq!(did_you_mean("X", ["x", "y"]), Some("x"));
        assert_eq!(did_you_mean("b", ["1", "c"]), None);
        assert_eq!(did_you_mean("key", ["classes"]), None);
        let long = "a".repeat(2_000_000);
        assert_eq!(did_you_mean(&long, ["a", &long]), None);
        assert_eq!(did_you_mean("a", [&*long, "A"]), Some("A"));
        assert_eq!(did_you_mean("sed", ["mean", "sd", "seed"]), Some("seed"));
        assert_eq!(did_you_mean("usm", ["us", "sum", "usb"]), Some("sum"));
    }
}
