//! What every diagnostic code means: the pages of `cli/codes`, which are part of the command. An entry is a heading
//! `## CODE: title`, a text, data files that its programs read, a program with the mistake and one without. The info
//! string of a program ends in the command that shows the mistake, where that is not a plain `blo check`. Tests run
//! every program and hold the entries against the codes in the sources.

/// The pages, in the order of their codes.
const PAGES: [&str; 7] = [
    include_str!("../codes/syntax.md"),
    include_str!("../codes/names.md"),
    include_str!("../codes/shapes.md"),
    include_str!("../codes/levels.md"),
    include_str!("../codes/data.md"),
    include_str!("../codes/tables.md"),
    include_str!("../codes/methods.md"),
];

/// A block between lines of three backquotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    /// What follows the opening backquotes.
    pub(crate) info: &'static str,
    /// The lines between, each with its end.
    pub(crate) body: &'static str,
}

/// What is known of a code.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The code.
    pub(crate) code: &'static str,
    /// What it means, in a few words.
    pub(crate) title: &'static str,
    /// What it means and why.
    pub(crate) text: &'static str,
    /// Its programs and their data, in the order of the page.
    pub(crate) fences: Vec<Fence>,
}

/// Every entry, in the order of the pages.
pub(crate) fn entries() -> Vec<Entry> {
    PAGES.iter().flat_map(|page| page.split("\n## ").skip(1)).filter_map(entry).collect()
}

fn entry(section: &'static str) -> Option<Entry> {
    let (heading, rest) = section.split_once('\n')?;
    let (code, title) = heading.split_once(": ")?;
    let text = rest.split("\n```").next().unwrap_or_default().trim();
    Some(Entry { code, title, text, fences: fences(rest) })
}

/// The fenced blocks of a text.
pub(crate) fn fences(text: &'static str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("```"), open) {
            (Some(info), None) => open = Some((info.trim(), at + line.len())),
            (Some(_), Some((info, start))) => {
                found.push(Fence { info, body: &text[start..at] });
                open = None;
            }
            (None, _) => {}
        }
        at += line.len();
    }
    found
}

impl Fence {
    /// The words before `--`.
    pub(crate) fn words(&self) -> Vec<&'static str> {
        self.info.split(" -- ").next().unwrap_or_default().split_whitespace().collect()
    }

    /// The command that is run on a program, without `blo`: `check` unless something else is said.
    pub(crate) fn command(&self) -> String {
        match self.info.split_once(" -- ") {
            None => "check".to_owned(),
            Some((_, flags)) if flags.starts_with('-') => format!("check {flags}"),
            Some((_, command)) => command.to_owned(),
        }
    }
}

impl Entry {
    /// The entry as a page for people.
    pub(crate) fn page(&self) -> String {
        let severity = match self.code.as_bytes().first() {
            Some(b'B') => "error",
            Some(b'W') => "warning",
            _ => "note",
        };
        let mut page = format!("{severity} {}: {}\n\n{}\n", self.code, self.title, self.text);
        for fence in &self.fences {
            let words = fence.words();
            let title = match words.as_slice() {
                ["blo", kind, ..] if fence.command() == "check" => format!("{kind}:"),
                ["blo", kind, ..] => format!("{kind}, with `blo {}`:", fence.command()),
                [_, name, ..] => format!("{name}:"),
                _ => String::new(),
            };
            page += &format!("\n{title}\n");
            page.extend(fence.body.lines().map(|line| format!("  {line}\n")));
        }
        page
    }
}

/// True for what can only be meant as a code: a letter and four digits.
pub(crate) fn is_code(text: &str) -> bool {
    let (letter, digits) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    matches!(letter, "B" | "W" | "N" | "b" | "w" | "n")
        && digits.len() == 4
        && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_entry_is_complete() {
        let entries = entries();
        for (i, e) in entries.iter().enumerate() {
            assert!(is_code(e.code) && entries[..i].iter().all(|o| o.code != e.code), "{}", e.code);
            assert!(!e.title.is_empty() && e.text.len() > 20, "{}", e.code);
            let programs = |kind: &str| e.fences.iter().filter(|f| f.words().starts_with(&["blo", kind])).count();
            assert_eq!((programs("wrong"), programs("fixed")), (1, 1), "{}", e.code);
        }
    }

    #[test]
    fn a_fence_has_a_command() {
        let of = |info| Fence { info, body: "" }.command();
        assert_eq!(of("blo wrong"), "check");
        assert_eq!(of("blo wrong -- -D n=3"), "check -D n=3");
        assert_eq!(of("blo wrong -- solve --quiet"), "solve --quiet");
        assert!(
            is_code("B0301")
                && is_code(&"W0421".to_lowercase())
                && !is_code("B03011")
                && !is_code("x.blo")
                && !is_code("")
                && !is_code("é0301")
        );
    }
}
