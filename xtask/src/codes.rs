//! The diagnostic codes as the pages in `cli/codes` explain them, and the index of their ranges, which names the next
//! free code of each.

use std::path::Path;

use crate::parts::{code, table};

/// Where the pages are, from the root.
const FOLDER: &str = "cli/codes";

/// A page of explanations.
pub(crate) struct Page {
    /// The file's name.
    pub(crate) file: String,
    /// What its codes are about.
    pub(crate) title: String,
    /// The beginnings of its codes, such as `B04` or `B052`.
    ranges: Vec<String>,
    /// Its codes with what they mean, in the order of the page.
    pub(crate) codes: Vec<(String, String)>,
}

/// The index.
pub(crate) fn index(root: &Path, _old: &str) -> Result<String, String> {
    let pages = pages(root)?;
    let used: Vec<&str> = pages.iter().flat_map(|page| &page.codes).map(|(code, _)| &code[1..]).collect();
    let mut rows = Vec::new();
    for page in &pages {
        for range in &page.ranges {
            let next = next_free(&range[1..], &used).map_or_else(|| "none".to_owned(), |digits| code(&digits));
            rows.push(vec![code(range), format!("[{}]({})", page.title, page.file), next]);
        }
    }
    let table = table(&["codes", "page", "next free digits"], rows);
    Ok(format!(
        "# Diagnostic codes\n\n\
         A code is a letter, B for an error, W for a warning, N for a note, and four digits. A page holds an entry per \
         code: what it\nmeans, a program that gives it, and that program repaired. The tests run both programs, and \
         `blo explain CODE`\nshows the entry.\n\n\
         To add a diagnostic, write its constructor in a `message` module with the next free digits of its range, and \
         its entry on\nthe page. Codes are stable: never reuse one. `cargo xtask docs` writes this file.\n\n{table}"
    ))
}

/// The digits after the highest that start with `range`; `None` when the range is full.
fn next_free(range: &str, used: &[&str]) -> Option<String> {
    let highest = used.iter().filter(|digits| digits.starts_with(range)).filter_map(|d| d.parse::<u32>().ok()).max();
    let next = format!("{:04}", highest.unwrap_or_else(|| format!("{range:0<4}").parse().unwrap_or(0)) + 1);
    next.starts_with(range).then_some(next)
}

/// The pages in the order of their first codes.
pub(crate) fn pages(root: &Path) -> Result<Vec<Page>, String> {
    let folder = std::fs::read_dir(root.join(FOLDER)).map_err(|why| format!("{FOLDER}: {why}"))?;
    let mut pages = Vec::new();
    for entry in folder.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.ends_with(".md") && file != "README.md" {
            let text = std::fs::read_to_string(entry.path()).map_err(|why| format!("{FOLDER}/{file}: {why}"))?;
            pages.push(page(file, &text)?);
        }
    }
    pages.sort_by(|a, b| a.ranges.cmp(&b.ranges));
    Ok(pages)
}

fn page(file: String, text: &str) -> Result<Page, String> {
    let heading = text.lines().next().and_then(|line| line.strip_prefix("# ")).and_then(|h| h.split_once(": "));
    let (title, ranges) = heading.ok_or_else(|| format!("{file} does not start with `# Title: range of codes`"))?;
    let ranges = match ranges.split_once(" to ") {
        None => vec![ranges.to_owned()],
        Some((first, last)) => {
            let number = |text: &str| text[1..].parse::<u32>().map_err(|_| format!("{file}: `{text}` is not a range"));
            (number(first)?..=number(last)?).map(|n| format!("B{n:03}")).collect()
        }
    };
    let codes = text.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(": ")).filter(|(code, _)| {
        code.len() == 5 && code.starts_with(['B', 'W', 'N']) && code[1..].bytes().all(|b| b.is_ascii_digit())
    });
    let codes = codes.map(|(code, meaning)| (code.to_owned(), meaning.to_owned())).collect();
    Ok(Page { file, title: title.to_owned(), ranges, codes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_free_code_follows_the_highest_of_its_range() {
        let used = ["0401", "0421", "0509", "0512"];
        assert_eq!(next_free("04", &used).as_deref(), Some("0422"));
        assert_eq!(next_free("051", &used).as_deref(), Some("0513"));
        assert_eq!(next_free("050", &used), None);
        assert_eq!(next_free("07", &used).as_deref(), Some("0701"));
    }
}
