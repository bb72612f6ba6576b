//! Places of a name: its declaration, all its uses, and another name for them. A rename is tried on a copy of the text:
//! every place must still name what it named, or the rename is refused.

use blo_grammar::diagnostic::{Certainty, Edit, Fix};
use blo_grammar::span::Span;
use blo_grammar::token::{Kind, scan};

use super::document::Syntax;
use super::names::Occurrence;
use super::tables;
use crate::input::tried::edited;

/// Why a name cannot be changed, in a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// The declaration of the name at a place.
pub fn declaration(syntax: &Syntax, offset: usize) -> Option<Span> {
    let at = syntax.names.occurrence_at(offset)?;
    Some(syntax.names.symbols[at.symbol].span)
}

/// Every place that names what the name at a place does, in the order of the text.
pub fn occurrences(syntax: &Syntax, offset: usize) -> Vec<Occurrence> {
    let Some(at) = syntax.names.occurrence_at(offset) else { return Vec::new() };
    syntax.names.of_symbol(at.symbol).copied().collect()
}

/// The name at a place, if it can be changed.
///
/// # Errors
/// Where there is no name of the file, or the text has syntax errors.
pub fn renamable(syntax: &Syntax, offset: usize) -> Result<Span, Refused> {
    let at = syntax.names.occurrence_at(offset);
    let at = at.ok_or_else(|| Refused("only names that the file declares can be changed".into()))?;
    if !syntax.is_sound {
        let why = "the text has syntax errors, so some uses of the name may not be found; mend these first";
        return Err(Refused(why.into()));
    }
    Ok(at.span)
}

/// The edits that give the name at a place another name, everywhere.
///
/// # Errors
/// When the new name is none, is taken, or would change what some place names.
pub fn rename(syntax: &Syntax, offset: usize, to: &str) -> Result<Vec<Edit>, Refused> {
    renamable(syntax, offset)?;
    let is_name = matches!(scan(to).as_slice(), [word] if word.kind == Kind::Word && word.text == to);
    if let Some(what) = tables::taken_by_the_language(to) {
        return Err(Refused(format!("`{to}` is {what} of the language; choose another name")));
    }
    if !is_name {
        return Err(Refused(format!("`{to}` is not a name: letters, digits and `_`, not beginning with a digit")));
    }
    let symbol = syntax.names.occurrence_at(offset).map(|o| o.symbol).unwrap_or_default();
    let edit = |o: &Occurrence| Edit { span: o.span, text: to.to_owned() };
    let edits: Vec<Edit> = syntax.names.of_symbol(symbol).map(edit).collect();
    let fix = Fix { text: String::new(), edits, certainty: Certainty::Safe, help: None };
    let after = edited(&syntax.text, &[&fix]).map(Syntax::new);
    let same = after.is_some_and(|after| {
        let of = |s: &Syntax| s.names.occurrences.iter().map(|o| (o.symbol, o.declares)).collect::<Vec<_>>();
        after.is_sound && of(&after) == of(syntax) && !collides(&after, symbol)
    });
    if !same {
        return Err(Refused(format!("`{to}` is the name of something else here; choose another name")));
    }
    Ok(fix.edits)
}

/// True where a symbol has the name of another one that is declared in the same place.
fn collides(syntax: &Syntax, symbol: usize) -> bool {
    let own = &syntax.names.symbols[symbol];
    syntax.names.symbols.iter().enumerate().any(|(i, other)| {
        let meets = match (own.scope, other.scope) {
            (Some(a), Some(b)) => a.contains(b) || b.contains(a),
            _ => true,
        };
        i != symbol
            && other.name == own.name
            && own.space() == other.space()
            && own.parent_of_column() == other.parent_of_column()
            && meets
    })
}
