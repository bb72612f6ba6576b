//! What stands below the options in the help of a subcommand: examples, and in the long form the exit codes.

use crate::exit::Exit;

/// Examples and exit codes of a subcommand.
pub(crate) struct Help {
    /// Command lines, each with what it does.
    pub(crate) examples: &'static [(&'static str, &'static str)],
    /// How it may end, besides what every command may.
    pub(crate) exits: &'static [Exit],
}

/// How every command may end.
const ALWAYS: [Exit; 4] = [Exit::Done, Exit::Error, Exit::Usage, Exit::Internal];

impl Help {
    /// For `-h`.
    pub(crate) fn short(&self) -> String {
        let example = |(line, what): &(&str, &str)| format!("  {line}\n      {what}");
        format!("Examples:\n{}", self.examples.iter().map(example).collect::<Vec<_>>().join("\n"))
    }

    /// For `--help` and the man page.
    pub(crate) fn long(&self) -> String {
        let mut exits: Vec<Exit> = ALWAYS.iter().chain(self.exits).copied().collect();
        exits.sort_by_key(|e| *e as u8);
        let line = |e: &Exit| format!("  {:>3}  {}", *e as u8, e.meaning());
        format!("{}\n\nExit codes:\n{}", self.short(), exits.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}
