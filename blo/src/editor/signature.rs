//! The call at a place: how it is written, and which argument the place is in.

use blo_grammar::ast::ItemKind;

use super::document::{Inside, Place, Syntax};
use super::tables;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// How it is written.
    pub form: String,
    /// What it means.
    pub doc: String,
    /// The parts of `form` that are its arguments, as byte ranges.
    pub arguments: Vec<(usize, usize)>,
    /// The argument at the place, from 0.
    pub active: usize,
}

/// The innermost call around a place.
pub fn signature(syntax: &Syntax, offset: usize) -> Option<Signature> {
    let place = Place::of(syntax, offset);
    if place.inside == Inside::Comment {
        return None;
    }
    let (bracket, callee) = place.call()?;
    let word = syntax.word(callee);
    let own = syntax.ast.items.iter().find_map(|item| match &item.kind {
        ItemKind::Function { name, params, .. } if name.text == word => {
            let params: Vec<&str> = params.iter().map(|p| p.text.as_str()).collect();
            Some((format!("{word}({})", params.join(", ")), item.doc.join("\n")))
        }
        _ => None,
    });
    let listed = || tables::function(word).or_else(|| tables::source(word)).or_else(|| tables::set_word(word));
    let (form, doc) = own.or_else(|| listed().map(|w| (w.form, w.doc)))?;
    let arguments = arguments(&form);
    Some(Signature { form, doc, arguments, active: bracket.commas })
}

/// The arguments of the first call in a form: `fill(value, n) or fill(value, m, n)`.
fn arguments(form: &str) -> Vec<(usize, usize)> {
    let Some(open) = form.find('(') else { return Vec::new() };
    let (mut found, mut depth, mut start) = (Vec::new(), 0, open + 1);
    for (at, c) in form.char_indices().skip_while(|(at, _)| *at <= open) {
        match c {
            '(' | '[' => depth += 1,
            ']' => depth -= 1,
            ')' if depth > 0 => depth -= 1,
            ')' => {
                found.push((start, at));
                break;
            }
            ',' if depth == 0 => {
                found.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    let trimmed = |(start, end): (usize, usize)| {
        let text = &form[start..end];
        let blank = text.len() - text.trim_start().len();
        (start + blank, start + text.trim_end().len())
    };
    found.into_iter().map(trimmed).filter(|(a, b)| a < b).collect()
}
