//! Labels within the page. The renderer writes a label on one line after its mark, whatever its length; here it goes on
//! in the lines below, under its own first letter or under its mark. A rendered line is read as cells, a letter and its
//! style, since it has escape sequences between the letters.

use textwrap::core::display_width;

use crate::output::text::page;

/// Columns that a broken label has at least.
const ROOM: usize = 18;

/// A letter and the escape sequence that styles it.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    letter: char,
    style: String,
}

/// The rendered text with broken labels, and whether all that is not the program's own text is within the page.
pub(super) fn broken(rendered: &str, labels: &[String], page: usize) -> (String, bool) {
    let lines: Vec<Vec<Cell>> = rendered.split('\n').map(cells).collect();
    let (mut all_fit, mut result) = (true, Vec::new());
    for (i, line) in lines.iter().enumerate() {
        let gutter = gutter(line).filter(|_| width(line) > page);
        let Some(gutter) = gutter else {
            result.push(text(line));
            continue;
        };
        let label = labels.iter().filter(|l| !l.is_empty() && plain(line).ends_with(l.as_str()));
        let below = lines.get(i + 1).map_or(&[][..], Vec::as_slice);
        let fitted = label.max_by_key(|l| l.len()).and_then(|label| hanging(line, gutter, below, label, page));
        all_fit &= fitted.is_some();
        result.extend(fitted.unwrap_or_else(|| vec![text(line)]));
    }
    (result.join("\n"), all_fit)
}

/// The line with its label in several lines, if there is room for them.
fn hanging(line: &[Cell], gutter: usize, below: &[Cell], label: &str, page: usize) -> Option<Vec<String>> {
    let at = line.len() - label.chars().count();
    let head = &line[..at];
    let marks = head.iter().rposition(|c| c.letter != ' ').filter(|last| *last > gutter);
    let begins = |last: usize| head[..last].iter().rposition(|c| c.letter == ' ').map_or(0, |blank| blank + 1);
    let mark = marks.filter(|last| last + 2 == at).map_or(at, |last| begins(last).max(gutter + 2));
    let parts = |column: usize| {
        let room = page.checked_sub(column).filter(|room| *room > 0)?;
        let parts = page::broken(label, room);
        let fits = parts.iter().all(|p| display_width(p) <= room) && (room >= ROOM || parts.len() == 1);
        fits.then_some(parts)
    };
    // lines to other labels stand below this one's mark, or beside its text
    let lead: Vec<Cell> = if is_lead(below, gutter) { below.to_vec() } else { line[..=gutter].to_vec() };
    let lead = if is_lead(head, gutter) { head } else { &lead[..] };
    let style = &line[at].style;
    let before = |column: usize| {
        let blank = Cell { letter: ' ', style: String::new() };
        lead.iter().cloned().chain(std::iter::repeat(blank)).take(column).collect::<Vec<Cell>>()
    };
    let written = |column: usize, part: &str| {
        let cells = part.chars().map(|letter| Cell { letter, style: style.clone() });
        text(&before(column).into_iter().chain(cells).collect::<Vec<Cell>>())
    };
    if let Some(parts) = parts(at) {
        let (first, rest) = parts.split_first()?;
        let cells = first.chars().map(|letter| Cell { letter, style: style.clone() });
        let first = text(&head.iter().cloned().chain(cells).collect::<Vec<Cell>>());
        return Some(std::iter::once(first).chain(rest.iter().map(|part| written(at, part))).collect());
    }
    let marks = &head[..=marks?];
    if marks.len() > page {
        return None;
    }
    let below = |column: usize, parts: Vec<String>| {
        std::iter::once(text(marks)).chain(parts.iter().map(|part| written(column, part))).collect()
    };
    if let Some(parts) = parts(mark) {
        return Some(below(mark, parts));
    }
    // ending where the page does, if no line to another label is in the way
    let column = page.saturating_sub(display_width(label).min(page / 2)).max(gutter + 2);
    let free = column < mark && lead.iter().skip(column - 1).all(|c| c.letter == ' ');
    Some(below(column, parts(column).filter(|_| free)?))
}

/// Where the line's `|` stands, if it shows no text of the program.
fn gutter(line: &[Cell]) -> Option<usize> {
    line.iter().position(|c| c.letter != ' ').filter(|at| line[*at].letter == '|')
}

/// True if these cells have nothing but lines to labels after the gutter.
fn is_lead(cells: &[Cell], gutter_at: usize) -> bool {
    gutter(cells) == Some(gutter_at) && cells[gutter_at..].iter().all(|c| matches!(c.letter, ' ' | '|'))
}

fn width(line: &[Cell]) -> usize {
    display_width(&plain(line))
}

fn plain(line: &[Cell]) -> String {
    line.iter().map(|c| c.letter).collect()
}

/// A line with escape sequences as cells.
fn cells(line: &str) -> Vec<Cell> {
    const RESET: &str = "\u{1b}[0m";
    let (mut cells, mut style, mut rest) = (Vec::new(), String::new(), line);
    while let Some(letter) = rest.chars().next() {
        let end = if letter == '\u{1b}' { rest.find('m') } else { None };
        match end {
            Some(end) if &rest[..=end] == RESET => (style, rest) = (String::new(), &rest[end + 1..]),
            Some(end) => {
                style += &rest[..=end];
                rest = &rest[end + 1..];
            }
            None => {
                cells.push(Cell { letter, style: style.clone() });
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    cells
}

/// Cells as a line with escape sequences; no line ends in blanks.
fn text(cells: &[Cell]) -> String {
    let end = cells.iter().rposition(|c| c.letter != ' ').map_or(0, |last| last + 1);
    let (mut text, mut style) = (String::new(), "");
    for cell in &cells[..end] {
        if cell.style != style {
            text += if style.is_empty() { "" } else { "\u{1b}[0m" };
            text += &cell.style;
            style = &cell.style;
        }
        text.push(cell.letter);
    }
    text + if style.is_empty() { "" } else { "\u{1b}[0m" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rendered: &str, label: &str, page: usize, wanted: &str) {
        let (text, fits) = broken(rendered, &[label.to_owned()], page);
        assert_eq!((text.as_str(), fits), (wanted, true), "\n{text}");
    }

    #[test]
    fn a_label_goes_on_under_its_first_letter() {
        let label = "a label that has so many words that it ends beyond the page";
        let wanted = "  |  ^^ a label that has so many words\n  |     that it ends beyond the page";
        check(&format!("  |  ^^ {label}"), label, 40, wanted);
    }

    #[test]
    fn a_label_without_room_stands_below_its_mark() {
        let label = "a label that is too long";
        let wanted = "  |  ^^^^^^^^^^^^^^^^^^^^\n  |  a label that is too long";
        check(&format!("  |  ^^^^^^^^^^^^^^^^^^^^ {label}"), label, 30, wanted);
    }

    #[test]
    fn a_label_of_a_mark_at_the_edge_ends_at_the_edge() {
        let wanted = "1 | a + b + c + d + e + f\n  |                     ^\n  |             not a number";
        check("1 | a + b + c + d + e + f\n  |                     ^ not a number", "not a number", 28, wanted);
    }

    #[test]
    fn lines_to_other_labels_go_on() {
        let label = "the right one is a long label, and this is its end";
        let rendered = format!("  | -  ^ {label}\n  | |\n  | left");
        let wanted = "  | -  ^ the right one is a long label,\n  | |    and this is its end\n  | |\n  | left";
        check(&rendered, label, 40, wanted);
        let rendered = format!("  | -  ^ right\n  | |  |\n  | |  {label}\n  | left");
        let wanted =
            "  | -  ^ right\n  | |  |\n  | |  the right one is a long label,\n  | |  and this is its end\n  | left";
        check(&rendered, label, 40, wanted);
    }

    #[test]
    fn styles_stay_with_their_letters() {
        let line = "\u{1b}[1m\u{1b}[94m  |\u{1b}[0m \u{1b}[91m^\u{1b}[0m \u{1b}[91mlabel\u{1b}[0m";
        assert_eq!(anstream::adapter::strip_str(&text(&cells(line))).to_string(), "  | ^ label");
        assert_eq!(cells(&text(&cells(line))), cells(line));
        let (text, fits) = broken(line, &["label".into()], 8);
        assert!(!fits && text.contains("label"));
    }
}
