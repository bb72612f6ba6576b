//! Values that a command line gives twice. A later one would silently win, and it is as likely that the first is meant.

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, Error};

/// Flags that give a value to a name: `-D n=2`, `--set alpha=1`.
const NAMED: [(&str, &str); 3] = [("define", "-D"), ("set", "--set"), ("limit", "--limit")];

/// The error for a name that one of these flags gives twice.
pub(crate) fn twice(command: &mut Command, matches: &ArgMatches) -> Option<Error> {
    let (_, matches) = matches.subcommand()?;
    NAMED.iter().find_map(|(id, flag)| {
        let values = matches.try_get_raw(id).ok()??;
        let names: Vec<String> =
            values.filter_map(|value| Some(value.to_string_lossy().split_once('=')?.0.trim().to_owned())).collect();
        let again = (0..names.len()).find(|i| names[..*i].contains(&names[*i]))?;
        let text = format!("`{flag} {}` is given twice: leave one of them out", names[again]);
        Some(command.error(ErrorKind::ArgumentConflict, text))
    })
}

#[cfg(test)]
mod tests {
    use crate::command;

    fn said(line: &str) -> Option<String> {
        command::parse(line.split(' ')).err().map(|e| e.to_string())
    }

    #[test]
    fn a_name_has_one_value() {
        for (line, name) in [
            ("blo solve p.blo -D n=2 -D n=3", "`-D n`"),
            ("blo check p.blo -D n=2 -D m=1 --define n=2", "`-D n`"),
            ("blo plan p.blo --set K=2 --set=K=3", "`--set K`"),
            ("blo compare p.blo -m rhg --set K=2 --set K=2", "`--set K`"),
            ("blo data p.blo --limit line=2000 --limit line=3000", "`--limit line`"),
        ] {
            let text = said(line).unwrap_or_else(|| panic!("{line}"));
            assert!(text.contains(&format!("{name} is given twice")), "{line}: {text}");
        }
        assert_eq!(said("blo solve p.blo -D n=2 -D m=2 --set K=1 --set c=2"), None);
    }
}
