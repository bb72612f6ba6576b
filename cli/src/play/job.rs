//! What the server tells the process of a run, on one line of its standard input; a later line may tell it to end.

use serde::{Deserialize, Serialize};
use serde_json::json;

/// The line that cancels a run.
pub(crate) const CANCEL: &str = "cancel";

/// What is to be done with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    Solve,
    Compare,
    Explain,
    Landscape,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) what: What,
    /// The file that the text is of, below the root; it need not be there.
    pub(crate) name: String,
    pub(crate) text: String,
    /// Methods with their presets.
    pub(crate) methods: Vec<String>,
    /// The only folder whose files may be read.
    pub(crate) root: String,
    /// Limits.
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
}

impl Job {
    /// As a line.
    pub(crate) fn line(&self) -> String {
        format!("{}\n", json!(self))
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
        assert_eq!(serde_json::from_str::<Job>(&line).unwrap(), job);
        assert!(serde_json::from_str::<Job>(&line.replace("compare", "delete")).is_err());
    }
}
