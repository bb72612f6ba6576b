//! The canonical layout. It is made from the tokens, so that every comment survives, and guided by the tree, which
//! tells a sign from a difference and an entry from its value. Line breaks and alignment that the author chose are
//! kept where they are sound; everything else about white space is settled here.

mod layout;
mod marks;

use crate::diagnostic::Diagnostic;
use crate::parse::{parse, parse_any_length};
use layout::layout;
use marks::Marks;

/// How operators with two spellings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `<= >= != in ' *`
    Ascii,
    /// `≤ ≥ ≠ ∈ ᵀ ·`
    Unicode,
    /// As written.
    #[default]
    Keep,
}

/// Alignment that a pass breaks is dropped by the next one; after this many passes all of it is.
const PASSES: usize = 8;

/// The canonical text of a program: formatting it again changes nothing, and it parses to the same tree.
///
/// # Errors
/// The syntax errors, when the text has any.
pub fn format(source: &str, style: Style) -> Result<String, Vec<Diagnostic>> {
    let mut text = source.to_owned();
    for pass in 0..=PASSES {
        let parsed = if pass == 0 { parse(&text) } else { parse_any_length(&text) };
        if !parsed.is_sound() {
            debug_assert!(pass == 0, "formatting keeps a text sound:\n{text}");
            return Err(parsed.diagnostics);
        }
        let next = layout(&text, &Marks::of(&parsed.ast), style, pass < PASSES);
        if next == text {
            break;
        }
        text = next;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(source: &str) -> String {
        format(source, Style::Keep).unwrap()
    }

    #[test]
    fn operators_have_their_spaces() {
        assert_eq!(
            formatted("let a=- 1/2*(x+ y)^ - 2-b [ i+1 , _ ]' .* c<=d and not e"),
            "let a = -1/2*(x + y)^-2 - b[i + 1, _]' .* c <= d and not e\n"
        );
        assert_eq!(formatted("let r = h + 1 .. n - 1 by 2"), "let r = h+1..n-1 by 2\n");
        assert_eq!(
            formatted("expect  with bda : fast(K=5){err(x)<=1}"),
            "expect with bda:fast (K = 5) { err(x) <= 1 }\n"
        );
        assert_eq!(formatted("split d(seed=1)into a:5,b :6"), "split d (seed = 1) into a: 5, b: 6\n");
    }

    #[test]
    fn blocks_keep_to_one_line_if_written_so() {
        assert_eq!(formatted("start{x=0;y=1}"), "start { x = 0;  y = 1 }\n");
        assert_eq!(formatted("start{x=0;y=1\n}"), "start {\n  x = 0\n  y = 1\n}\n");
        assert_eq!(formatted("upper { }"), "upper {}\n");
    }

    #[test]
    fn an_assertion_that_could_go_on_keeps_its_semicolon() {
        assert_eq!(
            formatted("expect with m {\n a <= b; -c <= d\n e <= f\n}"),
            "expect with m {\n  a <= b;\n  -c <= d\n  e <= f\n}\n"
        );
    }

    #[test]
    fn comments_stay_in_their_places() {
        let source =
            "# one\nlet a = [1, # two\n  2]   # three\n\n\n\n## four\nupper { # five\nvar x\n# six\n}\n# seven";
        let expected =
            "# one\nlet a = [1,  # two\n  2]   # three\n\n## four\nupper {  # five\n  var x\n  # six\n}\n# seven\n";
        assert_eq!(formatted(source), expected);
    }

    #[test]
    fn alignment_is_kept_where_it_aligns() {
        assert_eq!(formatted("let a  = 1\nlet bc = 2\nlet d  =  3\n"), "let a  = 1\nlet bc = 2\nlet d  = 3\n");
        assert_eq!(formatted("let a   = 1\nlet bc = 2\n"), "let a = 1\nlet bc = 2\n");
    }

    #[test]
    fn spellings_convert_both_ways() {
        let ascii = "upper { var x in [0, 1]  minimize A'*x + sum(x[i] for i in S if x[i] != 0) }\n";
        let unicode = "upper { var x ∈ [0, 1]  minimize Aᵀ·x + sum(x[i] for i ∈ S if x[i] ≠ 0) }\n";
        assert_eq!(format(ascii, Style::Unicode).unwrap(), unicode);
        assert_eq!(format(unicode, Style::Ascii).unwrap(), ascii);
    }
}
