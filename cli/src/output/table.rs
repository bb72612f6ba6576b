//! Plain-text tables: columns as wide as their widest cell, two blanks between them, no rules.

/// Which side the cells of a column share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// The rows as text, one line each; missing cells are empty, and no line ends in blanks.
pub(crate) fn lines(align: &[Align], rows: &[Vec<String>]) -> String {
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|t| t.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..align.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (c, cell) in row.iter().enumerate() {
            let blanks = " ".repeat(widths[c] - cell.chars().count());
            line += if c > 0 { "  " } else { "" };
            line += &match align[c] {
                Align::Left => format!("{cell}{blanks}"),
                Align::Right => format!("{blanks}{cell}"),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_characters() {
        let rows = [vec!["é".into(), "10".into()], vec!["abc".into(), "5".into()], vec!["z".into()]];
        assert_eq!(lines(&[Align::Left, Align::Right], &rows), "é    10\nabc   5\nz\n");
        assert_eq!(lines(&[], &[]), "");
    }
}
