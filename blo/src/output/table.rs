//! Plain-text tables: columns as wide as their widest cell, two blanks between them, no rules. A table that is wider than
//! the page breaks the texts in its cells; one that is still too wide shows its columns in several blocks.

use textwrap::WordSeparator;
use textwrap::core::display_width;

use crate::output::text::page;
use crate::output::text::visible::on_one_line;

/// Which side the cells of a column share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Texts, which may be broken.
    Left,
    /// Numbers.
    Right,
}

/// Blanks between columns.
const GAP: usize = 2;
/// A column of texts is not made narrower than this.
const NARROWEST: usize = 14;

/// The rows as text within `page` columns; missing cells are empty, and no line ends in blanks. Control characters of
/// paths and texts of a file are shown, not sent to the terminal.
pub fn lines(align: &[Align], rows: &[Vec<String>], page: usize) -> String {
    let shown = |row: &Vec<String>| row.iter().map(|cell| on_one_line(cell).into_owned()).collect();
    let rows: &[Vec<String>] = &rows.iter().map(shown).collect::<Vec<_>>();
    let widths = fitted(align, &natural(align.len(), rows), page);
    let blocks = blocks(&widths, page);
    blocks.iter().map(|columns| block(columns, align, &widths, rows)).collect::<Vec<_>>().join("\n")
}

/// What every column takes when nothing is broken.
fn natural(columns: usize, rows: &[Vec<String>]) -> Vec<usize> {
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|t| display_width(t)).max().unwrap_or(0);
    (0..columns).map(width).collect()
}

/// What every column gets: the widest texts give way first.
fn fitted(align: &[Align], natural: &[usize], page: usize) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    loop {
        let over = total(&widths).saturating_sub(page);
        let texts = (0..widths.len()).filter(|c| align[*c] == Align::Left && widths[*c] > NARROWEST);
        let Some(widest) = texts.max_by_key(|c| widths[*c]).filter(|_| over > 0) else { return widths };
        let next = (0..widths.len()).filter(|c| *c != widest && align[*c] == Align::Left).map(|c| widths[c]).max();
        // down to the next one, or at least by one where both are equal
        let step = (widths[widest] - next.unwrap_or(0).min(widths[widest] - 1)).min(over);
        widths[widest] = (widths[widest] - step).max(NARROWEST);
    }
}

/// The columns of every block: all of them where they fit, else as many as do, each block beginning with the first.
fn blocks(widths: &[usize], page: usize) -> Vec<Vec<usize>> {
    let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
    let mut taken = 0;
    for (c, width) in widths.iter().enumerate() {
        let block = blocks.last_mut().expect("there is one");
        if block.len() > 1 && taken + GAP + width > page {
            blocks.push(vec![0, c]);
            taken = widths[0] + GAP + width;
        } else {
            taken += width + if block.is_empty() { 0 } else { GAP };
            block.push(c);
        }
    }
    blocks
}

fn block(columns: &[usize], align: &[Align], widths: &[usize], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in rows {
        let cell = |c: &usize| broken(row.get(*c).map_or("", String::as_str), widths[*c]);
        let cells: Vec<Vec<String>> = columns.iter().map(cell).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for k in 0..height {
            let mut line = String::new();
            for (i, (c, cell)) in columns.iter().zip(&cells).enumerate() {
                let part = cell.get(k).map_or("", String::as_str);
                let blanks = " ".repeat(widths[*c].saturating_sub(display_width(part)));
                line += if i > 0 { "  " } else { "" };
                line += &match align[*c] {
                    Align::Left => format!("{part}{blanks}"),
                    Align::Right => format!("{blanks}{part}"),
                };
            }
            text += line.trim_end();
            text.push('\n');
        }
    }
    text
}

/// A cell in lines of at most `width`; those after the first are indented, so that they are not taken for other rows.
fn broken(text: &str, width: usize) -> Vec<String> {
    if display_width(text) <= width {
        return vec![text.to_owned()];
    }
    let options = page::options(width).subsequent_indent("  ");
    let lines = textwrap::wrap(text, &options);
    let fits = lines.iter().all(|line| display_width(line) <= width);
    // a piece in backticks that is wider than its column has to give way to the columns beside it
    let lines = if fits { lines } else { textwrap::wrap(text, options.word_separator(WordSeparator::AsciiSpace)) };
    lines.into_iter().map(|line| line.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Align::{Left, Right};

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|r| r.iter().map(|c| (*c).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_align_by_characters() {
        let rows = rows(&[&["é", "10"], &["abc", "5"], &["z"]]);
        assert_eq!(lines(&[Left, Right], &rows, 80), "é    10\nabc   5\nz\n");
        assert_eq!(lines(&[], &[], 80), "");
        assert_eq!(lines(&[Left], &[vec!["a\u{1b}[31m\u{202e}.csv".into()]], 80), "a␛[31m�.csv\n");
    }

    #[test]
    fn the_widest_texts_are_broken() {
        let rows = rows(&[&["name", "kind", "one two three four five six"], &["x", "y", "z"]]);
        let wanted = "name  kind  one two three\n              four five six\nx     y     z\n";
        assert_eq!(lines(&[Left; 3], &rows, 29), wanted);
    }

    #[test]
    fn numbers_that_do_not_fit_go_to_a_block_below() {
        let rows = rows(&[&["m", "1111", "2222", "3333"], &["n", "4444", "5555", "6666"]]);
        let wanted = "m  1111  2222\nn  4444  5555\n\nm  3333\nn  6666\n";
        assert_eq!(lines(&[Left, Right, Right, Right], &rows, 15), wanted);
    }
}
