//! The canonical layout of `blo fmt` as an edit.

use blo_grammar::diagnostic::{Diagnostic, Edit};
use blo_grammar::span::Span;
use blo_grammar::{Style, format};

/// The edit that lays a text out as `blo fmt` does; `None` where nothing changes. It touches the lines from the first to
/// the last that change, so that a cursor elsewhere stays. Line ends are those of the text.
///
/// # Errors
/// The syntax errors, when the text has any.
pub fn formatted(text: &str, style: Style) -> Result<Option<Edit>, Vec<Diagnostic>> {
    let mut new = format(text, style)?;
    if text.contains("\r\n") {
        new = new.replace('\n', "\r\n");
    }
    if new == text {
        return Ok(None);
    }
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (text.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let before = same(&mut old_lines.iter().zip(&new_lines));
    let most = old_lines.len().min(new_lines.len()) - before;
    let after = same(&mut old_lines.iter().rev().zip(new_lines.iter().rev())).min(most);
    let bytes = |lines: &[&str]| lines.iter().map(|l| l.len()).sum::<usize>();
    let start = bytes(&old_lines[..before]);
    let end = text.len() - bytes(&old_lines[old_lines.len() - after..]);
    let lines = &new_lines[before..new_lines.len() - after];
    Ok(Some(Edit { span: Span::new(start, end), text: lines.concat() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Option<(String, String)> {
        let edit = formatted(text, Style::Keep).expect("no syntax error")?;
        let mut whole = text.to_owned();
        whole.replace_range(edit.span.range(), &edit.text);
        Some((whole, edit.text))
    }

    #[test]
    fn the_edit_gives_the_text_of_the_formatter_and_touches_only_what_changes() {
        let text = "param n = 3\nlet a=n\nlet b = n\n";
        assert_eq!(after(text), Some((format(text, Style::Keep).expect("sound"), "let a = n\n".into())));
        assert_eq!(after("param n = 3\n"), None);
        assert_eq!(after("param n = 3"), Some(("param n = 3\n".into(), "param n = 3\n".into())));
        assert_eq!(after("param n = 3\n\n\n\n"), Some(("param n = 3\n".into(), String::new())));
        assert!(formatted("param n = ", Style::Keep).is_err());
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        assert_eq!(
            after("param n = 3\r\nlet a=n\r\n"),
            Some(("param n = 3\r\nlet a = n\r\n".into(), "let a = n\r\n".into()))
        );
        assert_eq!(after("param n = 3\r\nlet a = n\r\n"), None);
    }
}
