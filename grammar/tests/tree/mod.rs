//! The meaning of a text, for comparison.

use blo_grammar::parse;

/// The tree without its spans. The debug text holds all of it, and the only `Span {` in it are spans.
pub(crate) fn tree(source: &str) -> String {
    let parsed = parse(source);
    assert!(parsed.is_sound(), "{:#?}\n{source}", parsed.diagnostics);
    let text = format!("{:?}", parsed.ast);
    let mut parts = text.split("Span {");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('}').expect("a span closes").1);
    }
    out
}
