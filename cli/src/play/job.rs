//! What the server tells the process of a run, on one line of its standard input; a later line may tell it to end.

use std::path::PathBuf;

use serde_json::{Value, json};

/// The line that cancels a run.
pub(crate) const CANCEL: &str = "cancel";

/// What is to be done with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Solve,
    Compare,
    Explain,
    Landscape,
}

const NAMES: [(What, &str); 4] =
    [(What::Solve, "solve"), (What::Compare, "compare"), (What::Explain, "explain"), (What::Landscape, "landscape")];

impl What {
    /// By its name.
    pub(crate) fn read(name: &str) -> Option<What> {
        NAMES.iter().find(|(_, n)| *n == name).map(|(what, _)| *what)
    }

    fn name(self) -> &'static str {
        NAMES.iter().find(|(what, _)| *what == self).map_or("", |(_, name)| name)
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) what: What,
    /// The file that the text is of, below the root; it need not be there.
    pub(crate) name: String,
    pub(crate) text: String,
    /// Methods with their presets.
    pub(crate) methods: Vec<String>,
    /// The only folder whose files may be read.
    pub(crate) root: PathBuf,
    /// Limits.
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
}

impl Job {
    /// As a line.
    pub(crate) fn line(&self) -> String {
        let job = json!({
            "what": self.what.name(),
            "name": self.name,
            "text": self.text,
            "methods": self.methods,
            "root": self.root.to_string_lossy(),
            "seconds": self.seconds,
            "bytes": self.bytes,
        });
        format!("{job}\n")
    }

    /// From its line.
    pub(crate) fn read(value: &Value) -> Option<Job> {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let methods = value["methods"].as_array()?.iter().map(|m| m.as_str().map(str::to_owned));
        Some(Job {
            what: What::read(value["what"].as_str()?)?,
            name: text("name")?,
            text: text("text")?,
            methods: methods.collect::<Option<_>>()?,
            root: text("root")?.into(),
            seconds: value["seconds"].as_f64()?,
            bytes: value["bytes"].as_u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_line_and_comes_back() {
        let job = Job {
            what: What::Compare,
            name: "a/b.blo".into(),
            text: "problem \"x\"\n# α\n".into(),
            methods: vec!["meha:paper".into(), "rhg".into()],
            root: "/tmp/x".into(),
            seconds: 1.5,
            bytes: 1 << 31,
        };
        let line = job.line();
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(Job::read(&serde_json::from_str(&line).unwrap()), Some(job));
        assert_eq!(Job::read(&json!({"what": "delete"})), None);
    }
}
