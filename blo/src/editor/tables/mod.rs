//! What the tables of the language and the methods say of a word: how it is written and what it means.

mod keyword;

use blo_engine::data::{self, FORMATS, GENERATORS};
use blo_engine::elementwise::{self, Elementwise, Smoothness, Visibility};
use blo_engine::{function, prox, set};
use blo_grammar::token::is_reserved;
use blo_solvers::{MethodEntry, OptionEntry};

pub(super) use keyword::{item_options, keyword, soft};

/// A word with how it is written and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// The word.
    pub(super) name: &'static str,
    /// How it is written.
    pub(super) form: String,
    /// What it means.
    pub(super) doc: String,
    /// What it is: `function`, `set`, ...
    pub(super) kind: &'static str,
}

/// Every function of the language, in the order of their names.
pub(super) fn functions() -> Vec<Word> {
    let elementwise = elementwise::TABLE.iter().filter(|e| e.visibility.is_named());
    // `max` and `min` are in both tables; the other one says both uses
    let elementwise = elementwise.filter(|e| function::by_name(e.name).is_none()).map(|e| of_elementwise(e));
    let mut all: Vec<Word> = elementwise.chain(function::TABLE.iter().map(|e| of_function(e))).collect();
    all.sort_by_key(|w| w.name);
    all
}

/// A function of the language.
pub(super) fn function(name: &str) -> Option<Word> {
    let own = function::by_name(name).map(of_function);
    own.or_else(|| {
        let entry = Elementwise::by_name(name)?.entry();
        entry.visibility.is_named().then(|| of_elementwise(entry))
    })
}

fn of_function(e: &function::Entry) -> Word {
    let mut doc = e.doc.to_owned();
    let of = prox::TABLE.iter().filter(|p| p.call == e.name).map(|p| p.name).collect::<Vec<_>>();
    if !of.is_empty() {
        doc += &format!("; in `regularize` it has a prox: {}", of.join(", "));
    }
    Word { name: e.name, form: e.signature.to_owned(), doc, kind: "function" }
}

fn of_elementwise(e: &'static elementwise::Entry) -> Word {
    // the doc line starts with the call: `huber(x, d) = ...`
    let (form, formula) = e.doc.split_once(" = ").unwrap_or((e.name, e.doc));
    let note = match e.smoothness {
        _ if e.visibility == Visibility::ConstantOnly => Some("of constants only"),
        Smoothness::Kinked(convention, _) if !e.doc.contains(convention) => Some(convention),
        _ => None,
    };
    let note = note.map(|n| format!(" ({n})")).unwrap_or_default();
    Word { name: e.name, form: form.to_owned(), doc: format!("{formula}, entry by entry{note}"), kind: "function" }
}

/// Every set with a name.
pub(super) fn sets() -> Vec<Word> {
    set::TABLE.iter().filter(|s| !s.is_box).map(|s| of_set(s)).collect()
}

/// A set with a name.
pub(super) fn set_word(name: &str) -> Option<Word> {
    set::by_name(name).filter(|s| !s.is_box).map(of_set)
}

fn of_set(s: &set::Entry) -> Word {
    let parameters: Vec<&str> = s.parameters.iter().map(|p| p.name).collect();
    let form = if parameters.is_empty() { s.name.to_owned() } else { format!("{}({})", s.name, parameters.join(", ")) };
    let mut doc = s.doc.to_owned();
    s.parameters.iter().for_each(|p| doc += &format!("; {}: {}", p.name, p.doc));
    Word { name: s.name, form, doc, kind: "set" }
}

/// File formats and generators.
pub(super) fn sources() -> Vec<Word> {
    FORMATS.iter().map(|f| f.name).chain(GENERATORS.iter().map(|g| g.name)).filter_map(source).collect()
}

/// A file format or a generator.
pub(super) fn source(name: &str) -> Option<Word> {
    let listed = |options: &[data::OptionEntry]| options.iter().map(|o| o.name).collect::<Vec<_>>().join(", ");
    if let Some(f) = data::format(name) {
        let options = if f.options.is_empty() { String::new() } else { format!("; options: {}", listed(f.options)) };
        let form = format!("{}(\"file\", ...)", f.name);
        return Some(Word { name: f.name, form, doc: format!("{}{options}", f.doc), kind: "file format" });
    }
    let g = data::generator(name)?;
    let form = format!("{}({})", g.name, listed(g.options));
    Some(Word { name: g.name, form, doc: g.doc.to_owned(), kind: "generator" })
}

/// The options of a file format or a generator.
pub(super) fn source_options(name: &str) -> &'static [data::OptionEntry] {
    let format = data::format(name).map(|f| f.options);
    format.or_else(|| data::generator(name).map(|g| g.options)).unwrap_or_default()
}

/// A method.
pub(super) fn method(entry: &'static MethodEntry) -> Word {
    let mut doc = format!("{}\n\n{}", entry.doc, entry.citation);
    if !entry.formula.is_empty() {
        doc += &format!("\n\n```text\n{}\n```", entry.formula.join("\n"));
    }
    if !entry.requires.is_empty() {
        let assumptions: Vec<&str> = entry.requires.iter().map(|a| a.doc()).collect();
        doc += &format!("\n\nRequires that {}.", assumptions.join("; "));
    }
    Word { name: entry.name, form: format!("method {}", entry.name), doc, kind: "method" }
}

/// An option of a method.
pub(super) fn option(entry: &'static OptionEntry) -> Word {
    let symbol = if entry.symbol.is_empty() { String::new() } else { format!(" (`{}` in the paper)", entry.symbol) };
    let default = entry.default.map_or_else(|| "automatic".to_owned(), |d| format!("`{d}`"));
    let doc = format!("{}{symbol}: {}; by default {default}", entry.doc, entry.kind.text());
    Word { name: entry.name, form: format!("{} = ...", entry.name), doc, kind: "option" }
}

/// What a name cannot be, in words: a rename must not give it.
pub(super) fn taken_by_the_language(name: &str) -> Option<&'static str> {
    match name {
        _ if is_reserved(name) => Some("a keyword"),
        "pi" | "inf" => Some("a constant"),
        _ if function(name).is_some() => Some("a function"),
        _ if set_word(name).is_some() => Some("a set"),
        _ if source(name).is_some() => Some("a source of data"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_a_table_has_a_form_that_begins_with_its_name() {
        for w in functions().into_iter().chain(sets()).chain(sources()) {
            assert!(w.form.starts_with(w.name) && !w.doc.is_empty(), "{w:?}");
            assert!(taken_by_the_language(w.name).is_some(), "{}", w.name);
        }
        assert!(function("norm1").is_some_and(|w| w.doc.contains("has a prox")));
        assert_eq!(taken_by_the_language("weights"), None);
    }
}
