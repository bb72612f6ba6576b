//! What is known of the word at a place, in Markdown: of a name its declaration and what the check found, of a word of the
//! language what its table says.

use std::fmt::Write;

use blo_grammar::span::Span;
use blo_grammar::token::Kind;
use blo_solvers::{COMMON, by_name};

use super::document::{Block, Place, Syntax};
use super::judged::Judged;
use super::names::{Side, Symbol, SymbolKind};
use super::tables::{self, Word};

/// What to show beside a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The word.
    pub span: Span,
    /// Markdown.
    pub text: String,
}

/// Declarations are cut after this many characters; the text has the rest.
const LONGEST: usize = 200;

/// What is known of the word at a place; `judged` may be of another version of the text.
pub fn hover(syntax: &Syntax, judged: Option<&Judged>, offset: usize) -> Option<Hover> {
    let token = syntax.token_at(offset).filter(|t| syntax.tokens[*t].kind == Kind::Word)?;
    let span = syntax.tokens[token].span;
    let text = match syntax.names.occurrence(span) {
        Some(occurrence) => of_symbol(syntax, judged, &syntax.names.symbols[occurrence.symbol]),
        None => of_word(syntax, judged, token, offset)?,
    };
    Some(Hover { span, text })
}

/// The declaration of a symbol on one line.
pub(super) fn declared(syntax: &Syntax, symbol: &Symbol) -> String {
    let text = syntax.at(symbol.declaration);
    let without_comments = text.lines().map(|l| l.split('#').next().unwrap_or_default());
    let text = without_comments.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn of_symbol(syntax: &Syntax, judged: Option<&Judged>, symbol: &Symbol) -> String {
    let names = &syntax.names;
    let parent = symbol.parent.map(|p| names.symbols[p].name.as_str());
    let mut text = code(&declared(syntax, symbol));
    let kind = match (symbol.kind, parent) {
        (SymbolKind::Column, Some(dataset)) => format!("column of `{dataset}`"),
        (SymbolKind::Part | SymbolKind::Episodes, Some(source)) => format!("{}, from `{source}`", symbol.kind.word()),
        (SymbolKind::Let(Some(Side::Upper)), _) => "let of the upper level".to_owned(),
        (SymbolKind::Let(Some(Side::Lower)), _) => "let of the lower level".to_owned(),
        (kind, _) => kind.word().to_owned(),
    };
    text += &kind;
    if let Some(judged) = judged {
        let is_current = judged.document.text == syntax.text;
        for fact in judged.facts(symbol, parent, is_current) {
            let _ = write!(text, "  \n{fact}");
        }
    }
    if !symbol.doc.is_empty() {
        let doc: Vec<&str> = symbol.doc.iter().map(|l| l.trim()).collect();
        let _ = write!(text, "\n\n{}", doc.join("\n"));
    }
    text
}

fn of_word(syntax: &Syntax, judged: Option<&Judged>, token: usize, offset: usize) -> Option<String> {
    let word = syntax.word(token);
    // surroundings of the word as a whole
    let place = Place::of(syntax, syntax.tokens[token].span.start as usize);
    let previous = place.previous.map_or("", |p| syntax.word(p));
    if previous == "." {
        return share(word).map(str::to_owned);
    }
    if let Some(word) = of_option(syntax, &place, token) {
        return Some(of_entry(&word));
    }
    if previous == "method" || previous == "with" {
        return by_name(word).map(|m| of_entry(&tables::method(m.entry)));
    }
    if let Some(k) = tables::keyword(word) {
        let mut text = format!("{}{}", code(k.form), k.doc);
        if let Some(judged) = judged {
            keyword_facts(syntax, judged, &place, (word, token, offset), &mut text);
        }
        return Some(text);
    }
    if syntax.is(syntax.after(token), "(")
        && let Some(entry) = tables::function(word).or_else(|| tables::source(word))
    {
        let mut text = of_entry(&entry);
        if let (Some(judged), "regularize") = (judged, place.start.map_or("", |t| syntax.word(t))) {
            keyword_facts(syntax, judged, &place, ("regularize", token, offset), &mut text);
        }
        return Some(text);
    }
    if let Some(set) = tables::set_word(word) {
        return Some(of_entry(&set));
    }
    match word {
        "pi" => Some("the number 3.14159...".into()),
        "inf" => Some("infinity: no bound".into()),
        "k" if place.key.is_some() => Some("the iteration, counted from 1".into()),
        _ => tables::soft(word).map(|k| format!("{}{}", code(k.form), k.doc)),
    }
}

/// The option that a word is the name of, or whose value it is.
fn of_option(syntax: &Syntax, place: &Place, token: usize) -> Option<Word> {
    let is_key = syntax.is(syntax.after(token), "=");
    let word = syntax.word(token);
    let item = place.item.map_or("", |t| syntax.word(t));
    if let Some((bracket, callee)) = place.call() {
        let key = if is_key { token } else { bracket.key? };
        let callee = syntax.word(callee);
        let listed = tables::source_options(callee).iter().find(|o| o.name == syntax.word(key));
        let is_word = |o: &&blo_engine::data::OptionEntry| is_key || o.words.contains(&word);
        return listed.filter(is_word).map(|o| {
            let words = if o.words.is_empty() { String::new() } else { format!("; one of `{}`", o.words.join("`, `")) };
            let doc = format!("{}{words}", o.doc);
            Word { name: o.name, form: format!("{callee}(..., {} = ...)", o.name), doc, kind: "option" }
        });
    }
    let is_head = place.brackets.last().is_some_and(|b| b.is_head);
    if is_head && is_key && item != "expect" {
        let option = tables::item_options(item).iter().find(|o| o.word == word)?;
        return Some(Word { name: option.word, form: option.form.into(), doc: option.doc.into(), kind: "option" });
    }
    let method = match place.block() {
        Some(Block::Method(method)) => method.clone(),
        None if item == "option" => "auto".to_owned(),
        None if item == "expect" && is_head => {
            let with = place.item.and_then(|t| syntax.after(t)).filter(|t| syntax.is(Some(*t), "with"));
            with.and_then(|t| syntax.after(t)).map_or("auto", |t| syntax.word(t)).to_owned()
        }
        _ => return None,
    };
    let key = if is_key { token } else { place.brackets.last().map_or(place.key, |b| b.key)? };
    let key = syntax.word(key);
    let own = by_name(&method).and_then(|m| m.entry.option(key));
    let entry = own.or_else(|| COMMON.iter().find(|o| o.name == key))?;
    let is_value = matches!(entry.kind, blo_solvers::options::entry::Kind::Word(words) if words.contains(&word));
    (is_key || is_value).then(|| tables::option(entry))
}

/// What the check says where the keyword of an objective stands, or of a level.
fn keyword_facts(
    syntax: &Syntax,
    judged: &Judged,
    place: &Place,
    (word, token, offset): (&str, usize, usize),
    text: &mut String,
) {
    let side = match (word, place.block()) {
        ("upper", _) | (_, Some(Block::Upper)) => Side::Upper,
        _ => Side::Lower,
    };
    let is_current = judged.document.text == syntax.text;
    let facts = match word {
        "minimize" | "maximize" => judged.objective(side).to_vec(),
        "regularize" => judged.proximal(side, is_current.then_some(offset)),
        "upper" | "lower" if syntax.tokens[token].starts => judged.objective(side).to_vec(),
        _ => Vec::new(),
    };
    for fact in facts {
        let _ = write!(text, "\n- {fact}");
    }
}

fn share(word: &str) -> Option<&'static str> {
    match word {
        "tr" => Some("the support rows of the tasks"),
        "val" => Some("the query rows of the tasks"),
        _ => None,
    }
}

fn of_entry(word: &Word) -> String {
    format!("{}{}", code(&word.form), word.doc)
}

fn code(text: &str) -> String {
    format!("```blo\n{text}\n```\n")
}
