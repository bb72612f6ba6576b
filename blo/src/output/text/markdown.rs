//! Pages of the documentation on the screen: paragraphs, lists and tables in lines that fit, programs as they are.

use crate::output::table::{Align, lines};
use crate::output::text::page;

/// The page within so many columns.
pub fn fitted(text: &str, page: usize) -> String {
    let (mut result, mut fenced) = (String::new(), false);
    let mut block: Vec<&str> = Vec::new();
    for line in text.lines() {
        let fence = line.starts_with("```");
        let kept = fenced || fence || line.trim().is_empty() || line.starts_with("  ") || line.starts_with('#');
        if kept || block.first().is_some_and(|first| first.starts_with('|') != line.starts_with('|')) {
            result += &written(&block, page);
            block.clear();
        }
        match kept {
            true => result += &format!("{}\n", line.trim_end()),
            false if line.starts_with("- ") => {
                result += &written(&block, page);
                block = vec![line];
            }
            false => block.push(line),
        }
        fenced ^= fence;
    }
    result + &written(&block, page)
}

/// A paragraph, an entry of a list or a table.
fn written(block: &[&str], page: usize) -> String {
    let Some(first) = block.first() else { return String::new() };
    if first.starts_with('|') {
        let cells = |line: &&str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> = block.iter().filter(|l| !l.starts_with("|-")).map(cells).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        return lines(&vec![Align::Left; columns], &rows, page);
    }
    let text = block.join(" ");
    let options = page::options(page).subsequent_indent(if first.starts_with("- ") { "  " } else { "" });
    textwrap::fill(&text, options) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lists_and_tables_fit_and_programs_stay() {
        let text = "# Title\n\none two\nthree four\n- five six seven\n- eight\n\n| a | |\n|---|---|\n| b | nine ten eleven twelve |\n\n  x + y + z + x + y + z\n";
        let wanted = "# Title\n\none two three\nfour\n- five six\n  seven\n- eight\n\na\nb  nine ten eleven\n     twelve\n\n  x + y + z + x + y + z\n";
        assert_eq!(
            fitted(text, 13),
            wanted.replace("nine ten eleven\n     twelve", "nine ten\n     eleven\n     twelve")
        );
        assert_eq!(fitted(text, 80).lines().nth(2), Some("one two three four"));
    }
}
