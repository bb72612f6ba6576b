//! The part of a program that a message shows. Short lines are shown as they are; of a long line, the neighborhood of the
//! place. A renderer that is given a whole file reads all of it once per message.

use blo_grammar::span::Span;
use std::ops::Range;

/// Columns of a line that is quoted whole where its places fit the page; longer ones are cut.
const WIDTH: usize = 200;
/// Columns beside a cut line: its number and what stands for the rest.
const MARGIN: usize = 16;
/// Bytes between the first and the last place of a message that are shown together.
const FAR: usize = 1 << 15;
/// Stands for what is cut.
const CUT: &str = "...";

/// Whole lines of a text.
pub(super) struct Lines<'a> {
    /// Their text.
    pub(super) text: &'a str,
    /// The number of the first, from 1.
    pub(super) line: usize,
    /// Where they start in the whole text.
    start: usize,
}

impl<'a> Lines<'a> {
    /// The lines of some places, if they are short and near each other.
    pub(super) fn of(source: &'a str, spans: impl Iterator<Item = Span> + Clone) -> Option<Lines<'a>> {
        let first = spans.clone().map(|s| within(s, source).start).min()?;
        let last = spans.map(|s| within(s, source).end).max()?;
        if last - first > FAR {
            return None;
        }
        // a line beyond these bounds is too long
        let start = line_start(source, first);
        let end = line_end(source, last);
        if first - start > 4 * WIDTH || end - last > 4 * WIDTH {
            return None;
        }
        let text = &source[start..end];
        let short = text.lines().all(|l| l.chars().count() <= WIDTH);
        short.then(|| Lines { text, line: line_number(source, start), start })
    }

    /// A place within these lines.
    pub(super) fn within(&self, span: Span, source: &str) -> Range<usize> {
        let range = within(span, source);
        range.start - self.start..range.end - self.start
    }
}

/// The neighborhood of a place in its line.
pub(super) struct Neighborhood {
    /// Its text, within the page.
    pub(super) text: String,
    /// The number of the line, from 1.
    pub(super) line: usize,
    /// The column of the place in the whole line, from 1.
    pub(super) column: usize,
    /// The place in `text`.
    pub(super) range: Range<usize>,
}

impl Neighborhood {
    /// Of a place that reaches over several lines, the first line; a third of the page before the place.
    pub(super) fn of(source: &str, span: Span, page: usize) -> Neighborhood {
        let range = within(span, source);
        let (start, end) = (line_start(source, range.start), line_end(source, range.start));
        let before = &source[start..range.start];
        let from = before.char_indices().rev().take(page / 3).last().map_or(range.start, |(i, _)| start + i);
        let rest = &source[from..end];
        let to = rest.char_indices().nth(page.saturating_sub(MARGIN)).map_or(end, |(i, _)| from + i);
        let lead = if from > start { CUT } else { "" };
        let trail = if to < end { CUT } else { "" };
        let at = range.start - from + lead.len();
        Neighborhood {
            text: format!("{lead}{}{trail}", &source[from..to]),
            line: line_number(source, start),
            column: before.chars().count() + 1,
            range: at..at + range.end.min(to) - range.start,
        }
    }
}

/// The span as a range that can index the text, whatever the span is.
pub(super) fn within(span: Span, text: &str) -> Range<usize> {
    let start = boundary(span.start as usize, text);
    start..boundary(span.end as usize, text).max(start)
}

/// The last boundary of a character up to a byte.
pub(super) fn boundary(offset: usize, text: &str) -> usize {
    (0..=offset.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |i| i + 1)
}

fn line_end(source: &str, at: usize) -> usize {
    source[at..].find('\n').map_or(source.len(), |i| at + i)
}

fn line_number(source: &str, start: usize) -> usize {
    source.as_bytes()[..start].iter().filter(|b| **b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_are_shown_whole() {
        let source = "let a = 1\nlet b = a +\n  c\nlet d = 2\n";
        let lines = Lines::of(source, [Span::new(18, 25)].into_iter()).expect("short lines");
        assert_eq!((lines.text, lines.line), ("let b = a +\n  c", 2));
        assert_eq!(&lines.text[lines.within(Span::new(18, 19), source)], "a");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_whatever_its_letters() {
        for letter in ["y", "ü"] {
            let source = format!("let a = 1\nlet b = {} here {}\n", letter.repeat(900), letter.repeat(900));
            let at = source.find("here").expect("it stands there");
            let span = Span::new(at, at + 4);
            assert!(Lines::of(&source, [span].into_iter()).is_none());
            let near = Neighborhood::of(&source, span, 60);
            assert_eq!((&near.text[near.range.clone()], near.line, near.column), ("here", 2, 910));
            assert!(near.text.chars().count() <= 60);
            let whole = Neighborhood::of(&source, Span::new(at, source.len()), 60);
            assert!(whole.range.end <= whole.text.len());
        }
    }
}
