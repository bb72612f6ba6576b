//! What may stand at a place: keywords, names, functions, sets, methods with their options, names of data files. The words
//! before the place decide, so that a half-typed program is as good as a whole one; the editor filters by what is typed.

use std::path::Path;

use blo_grammar::ast::ItemKind;
use blo_grammar::span::Span;
use blo_grammar::token::{ITEM_KEYWORDS, Kind, STATEMENT_KEYWORDS, is_reserved};
use blo_solvers::options::entry::Kind as OptionKind;
use blo_solvers::{COMMON, METHODS, by_name};

use super::data_files;
use super::document::{Block, Bracket, Inside, Place, Syntax};
use super::names::{Side, Symbol, SymbolKind};
use super::tables::{self, Word};

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionKind {
    /// A word of the grammar.
    Keyword,
    /// A function, a file format or a generator.
    Function,
    /// A set.
    Set,
    /// A constant of the file: a param, data, a dataset.
    Constant,
    /// A variable, or a name for an expression.
    Variable,
    /// A column of a dataset.
    Field,
    /// An option or a named argument.
    Option,
    /// A method or a preset.
    Method,
    /// A word that is a value.
    Value,
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// A word that may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The word.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A few words beside it.
    pub detail: String,
    /// What it means, in Markdown.
    pub doc: String,
    /// What is written in the place of `span`.
    pub text: String,
    /// What it replaces: the word that is being typed.
    pub span: Span,
    /// Those with a smaller number come first.
    pub rank: u8,
}

/// Everything that may stand at a place. Files are looked for in `folder`, that of the document, and nowhere outside of
/// `root`.
pub fn complete(syntax: &Syntax, offset: usize, files: Option<(&Path, &Path)>) -> Vec<Completion> {
    let place = Place::of(syntax, offset);
    let mut list = List { syntax, place: &place, found: Vec::new() };
    match place.inside {
        Inside::Comment | Inside::Number => {}
        Inside::Text(token) => {
            let callee = place.call().map(|(_, word)| syntax.word(word)).unwrap_or_default();
            if let (Some((folder, root)), true) = (files, blo_engine::data::format(callee).is_some()) {
                return data_files::complete(syntax, token, offset, folder, root);
            }
        }
        Inside::Code => list.code(offset),
    }
    let mut found = list.found;
    found.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    found.dedup_by(|b, a| a.label == b.label);
    found
}

struct List<'a> {
    syntax: &'a Syntax,
    place: &'a Place,
    found: Vec<Completion>,
}

/// Words that come first, names before functions before keywords.
const FIRST: u8 = 0;
const NAMES: u8 = 1;
const FUNCTIONS: u8 = 2;
const KEYWORDS: u8 = 3;

impl List<'_> {
    fn add(&mut self, label: &str, kind: CompletionKind, rank: u8, about: (&str, &str)) {
        self.found.push(Completion {
            label: label.to_owned(),
            kind,
            detail: about.0.to_owned(),
            doc: about.1.to_owned(),
            text: label.to_owned(),
            span: self.place.typed,
            rank,
        });
    }

    fn words(&mut self, words: Vec<Word>, kind: CompletionKind, rank: u8) {
        words.iter().for_each(|w| self.add(w.name, kind, rank, (&w.form, &w.doc)));
    }

    fn keywords<'b>(&mut self, words: impl IntoIterator<Item = &'b str>) {
        for word in words {
            if let Some(k) = tables::keyword(word).or_else(|| tables::soft(word)) {
                self.add(word, CompletionKind::Keyword, KEYWORDS, (k.form, k.doc));
            }
        }
    }

    fn previous(&self) -> &str {
        self.place.previous.map_or("", |p| self.syntax.word(p))
    }

    fn code(&mut self, offset: usize) {
        let previous = self.previous().to_owned();
        match previous.as_str() {
            // right after the point, so that `.*` and `1.` are none
            "." => return self.fields(),
            "method" => return self.methods(),
            "with" if self.item() == "expect" => return self.methods(),
            ":" if self.item() == "expect" && self.place.blocks.is_empty() => return self.presets(),
            "problem" | "param" | "let" | "fn" | "set" | "data" | "dataset" | "var" | "metric" if self.starts() => {
                return;
            }
            "split" | "from" if self.starts() || self.item() == "episodes" => return self.datasets(),
            "corrupt" if self.starts() => return self.datasets(),
            "upper" if self.starts() => return self.keywords(["pessimistic"]),
            "subject" => return self.keywords(["to"]),
            _ => {}
        }
        if self.place.brackets.is_empty() && self.block_entry() {
            return;
        }
        if self.place.key.is_some() && self.place.brackets.is_empty() && self.option_value() {
            return;
        }
        if let Some(bracket) = self.place.brackets.last().cloned()
            && self.in_bracket(&bracket)
        {
            return;
        }
        if self.is_operand() {
            self.operand(offset);
        } else {
            self.after_value();
        }
    }

    /// The keyword of the item at hand.
    fn item(&self) -> &str {
        self.place.item.map_or("", |t| self.syntax.word(t))
    }

    /// True where the previous token is the keyword of the item or statement at hand.
    fn starts(&self) -> bool {
        self.place.previous.is_some_and(|p| self.syntax.tokens[p].starts)
    }

    /// True where an item, a statement or an entry may begin.
    fn at_start(&self) -> bool {
        let Some(previous) = self.place.previous else { return true };
        let word = self.syntax.word(previous);
        matches!(word, "{" | "}" | ";") || self.place.first_on_line && self.ends_value(previous)
    }

    fn ends_value(&self, token: usize) -> bool {
        let word = self.syntax.word(token);
        match self.syntax.tokens[token].kind {
            Kind::Number | Kind::Text | Kind::OpenText => true,
            Kind::Word => !is_reserved(word) || matches!(word, "true" | "false" | "upper" | "lower"),
            Kind::Close => true,
            Kind::Symbol => matches!(word, "'" | "ᵀ" | "_"),
            _ => false,
        }
    }

    /// True where a value is wanted: at the beginning, after an operator, a comma, a keyword.
    fn is_operand(&self) -> bool {
        self.place.previous.is_some_and(|p| !self.ends_value(p))
    }

    /// The beginning of an item, a statement or the entry of a block. False where something else stands.
    fn block_entry(&mut self) -> bool {
        let at_start = self.at_start();
        match self.place.block().cloned() {
            None if at_start => self.keywords(ITEM_KEYWORDS),
            Some(Block::Upper | Block::Lower) if at_start => {
                self.keywords(STATEMENT_KEYWORDS);
                if self.place.first_on_line {
                    self.keywords(ITEM_KEYWORDS.into_iter().filter(|w| *w != "lower"));
                }
            }
            Some(Block::Method(method)) if at_start => self.options(&method),
            Some(Block::Start) if at_start => self.variables(),
            Some(Block::Known) if at_start => {
                self.variables();
                self.keywords(["upper", "lower"]);
                self.words(tables::function("multiplier").into_iter().collect(), CompletionKind::Function, FUNCTIONS);
            }
            Some(Block::Dataset) if at_start => {}
            // a row or an assertion begins with a value
            Some(Block::Rows | Block::Expect) if at_start => {
                self.operand(self.place.typed.start as usize);
                return true;
            }
            _ if self.item() == "option" && self.previous() == "option" => {
                let all = COMMON.iter();
                all.for_each(|o| self.option_entry(o));
            }
            _ => return false,
        }
        true
    }

    /// The value of an option of a method, an item or `option`. False where any expression may stand.
    fn option_value(&mut self) -> bool {
        if self.previous() != "=" {
            return false;
        }
        let key = self.place.key.map_or("", |k| self.syntax.word(k));
        let entry = match self.place.block() {
            Some(Block::Method(method)) => by_name(method).and_then(|m| m.entry.option(key)),
            None if self.item() == "option" => COMMON.iter().find(|o| o.name == key),
            // sources of data
            None if self.item() == "data" => {
                self.words(tables::sources(), CompletionKind::Function, FIRST);
                return true;
            }
            Some(Block::Dataset) => {
                self.words(tables::sources(), CompletionKind::Function, FIRST);
                return true;
            }
            Some(Block::Start) => {
                self.words(tables::sources(), CompletionKind::Function, FUNCTIONS);
                return false;
            }
            _ if self.item() == "set" => {
                self.sets();
                return true;
            }
            _ => return false,
        };
        self.values_of(entry)
    }

    /// The words that an option takes, or what its formulas may hold.
    fn values_of(&mut self, entry: Option<&'static blo_solvers::OptionEntry>) -> bool {
        let Some(entry) = entry else { return false };
        let about = tables::option(entry);
        match entry.kind {
            OptionKind::Word(words) => {
                words.iter().for_each(|w| self.add(w, CompletionKind::Value, FIRST, (entry.name, &about.doc)));
            }
            kind => {
                if let Some(default) = entry.default {
                    self.add(default, CompletionKind::Value, FIRST, ("the default", &about.doc));
                }
                if matches!(kind, OptionKind::Schedule(_)) {
                    self.add("k", CompletionKind::Value, FIRST, ("the iteration, from 1", ""));
                }
                self.symbols(self.place.typed.start as usize, |k| k == SymbolKind::Param);
            }
        }
        true
    }

    /// The beginning of an argument or option within brackets. False where any expression may stand.
    fn in_bracket(&mut self, bracket: &Bracket) -> bool {
        let at_start = matches!(self.previous(), "(" | "[" | ",");
        let is_list = self.syntax.word(bracket.token) == "(";
        let callee = bracket.callee.map(|c| self.syntax.word(c).to_owned());
        let item = self.item().to_owned();
        if bracket.is_head && matches!(item.as_str(), "problem" | "split" | "corrupt" | "episodes") {
            if at_start {
                for o in tables::item_options(&item) {
                    self.add(o.word, CompletionKind::Option, FIRST, (o.form, o.doc));
                }
            } else if bracket.key.is_some_and(|k| self.syntax.word(k) == "to") && self.previous() == "=" {
                self.add("other", CompletionKind::Value, FIRST, ("one of the other classes", ""));
                self.add("any", CompletionKind::Value, FIRST, ("any class", ""));
            }
            return true;
        }
        if bracket.is_head && item == "expect" {
            let method = self.method_of_expect();
            if at_start {
                self.options(&method);
                return true;
            }
            let entry = bracket.key.map(|k| self.syntax.word(k));
            let entry = entry.and_then(|key| by_name(&method).and_then(|m| m.entry.option(key)));
            return self.previous() == "=" && self.values_of(entry);
        }
        let Some(callee) = callee.filter(|_| is_list) else { return false };
        if matches!(callee.as_str(), "multiplier" | "violation") && at_start {
            self.rows();
            return true;
        }
        let options = tables::source_options(&callee);
        if options.is_empty() {
            return false;
        }
        if let (Some(key), "=") = (bracket.key, self.previous()) {
            let entry = options.iter().find(|o| o.name == self.syntax.word(key));
            let words = entry.map_or(&[][..], |o| o.words);
            words.iter().for_each(|w| self.add(w, CompletionKind::Value, FIRST, (entry.map_or("", |o| o.doc), "")));
            return !words.is_empty();
        }
        if at_start {
            options.iter().for_each(|o| self.add(o.name, CompletionKind::Option, FIRST, ("option", o.doc)));
        }
        at_start
    }

    /// Names, functions and the words that an expression may begin with.
    fn operand(&mut self, offset: usize) {
        if self.previous() == "in" && self.in_domain() {
            self.sets();
        }
        let in_report = matches!(self.item(), "metric" | "expect");
        self.symbols(offset, |k| k != SymbolKind::Metric || in_report);
        self.loops();
        self.words(tables::functions(), CompletionKind::Function, FUNCTIONS);
        self.add("pi", CompletionKind::Value, FUNCTIONS, ("3.14159...", ""));
        self.add("inf", CompletionKind::Value, FUNCTIONS, ("infinity", ""));
        self.keywords(["if", "not", "true", "false"]);
        if in_report {
            self.keywords(["upper", "lower"]);
        }
    }

    /// What may follow a value on its line.
    fn after_value(&mut self) {
        if !self.place.brackets.is_empty() {
            return self.keywords(["for", "if", "in", "then", "else", "and", "or", "by"]);
        }
        match self.item() {
            "split" => self.keywords(["into"]),
            "episodes" => self.keywords(["from"]),
            "expect" if self.place.blocks.is_empty() => self.keywords(["with"]),
            _ => {}
        }
        self.keywords(["in", "for", "if", "then", "else", "and", "or", "by"]);
        match self.place.block().cloned() {
            Some(Block::Upper | Block::Lower) => self.keywords(STATEMENT_KEYWORDS),
            None => self.keywords(ITEM_KEYWORDS),
            Some(Block::Method(method)) => self.options(&method.clone()),
            Some(Block::Start | Block::Known) => self.variables(),
            _ => {}
        }
    }

    /// True in `var x in ...` and in `known { x in ... }`.
    fn in_domain(&self) -> bool {
        let start = self.place.start.map_or("", |t| self.syntax.word(t));
        start == "var" || self.place.block() == Some(&Block::Known)
    }

    fn fields(&mut self) {
        let Some(point) = self.place.previous else { return };
        let Some(base) = self.syntax.before(point) else { return };
        let names = &self.syntax.names;
        let share = matches!(self.syntax.word(base), "tr" | "val") && self.syntax.is(self.syntax.before(base), ".");
        let owner = if share { self.syntax.before(base).and_then(|p| self.syntax.before(p)) } else { Some(base) };
        let Some(symbol) = owner.and_then(|o| names.global(self.syntax.word(o))) else { return };
        if names.symbols[symbol].kind == SymbolKind::Episodes && !share {
            self.add("tr", CompletionKind::Field, FIRST, ("support rows", ""));
            self.add("val", CompletionKind::Field, FIRST, ("query rows", ""));
            return;
        }
        let columns: Vec<(String, String)> =
            names.columns_of(symbol).map(|s| (s.name.clone(), super::hover::declared(self.syntax, s))).collect();
        columns.iter().for_each(|(name, about)| self.add(name, CompletionKind::Field, FIRST, (about, "")));
    }

    fn methods(&mut self) {
        for m in METHODS {
            let about = tables::method(m.entry);
            self.add(m.entry.name, CompletionKind::Method, FIRST, (m.entry.doc, &about.doc));
        }
    }

    fn method_of_expect(&self) -> String {
        let item = self.place.item.and_then(|t| self.syntax.after(t)).filter(|t| self.syntax.is(Some(*t), "with"));
        let method = item.and_then(|t| self.syntax.after(t)).map_or("auto", |t| self.syntax.word(t));
        method.to_owned()
    }

    fn presets(&mut self) {
        let method = self.method_of_expect();
        let presets: Vec<String> = self
            .syntax
            .ast
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Method { method: of, preset: Some(preset), .. } if of.text == method => {
                    Some(preset.text.clone())
                }
                _ => None,
            })
            .collect();
        presets.iter().for_each(|p| self.add(p, CompletionKind::Method, FIRST, ("preset", "")));
        self.add("auto", CompletionKind::Method, FIRST, ("without the presets of the file", ""));
    }

    fn options(&mut self, method: &str) {
        let entry = by_name(method).map(|m| m.entry);
        match entry {
            Some(entry) => entry.all_options().for_each(|o| self.option_entry(o)),
            None => COMMON.iter().for_each(|o| self.option_entry(o)),
        }
    }

    fn option_entry(&mut self, entry: &'static blo_solvers::OptionEntry) {
        let word = tables::option(entry);
        self.add(entry.name, CompletionKind::Option, FIRST, (&entry.kind.text(), &word.doc));
    }

    fn sets(&mut self) {
        self.words(tables::sets(), CompletionKind::Set, FIRST);
        self.symbols(self.place.typed.start as usize, |k| k == SymbolKind::Set);
    }

    fn variables(&mut self) {
        self.symbols(self.place.typed.start as usize, |k| matches!(k, SymbolKind::Variable(_)));
    }

    fn datasets(&mut self) {
        let is_rows = |k| matches!(k, SymbolKind::Dataset | SymbolKind::Part);
        self.symbols(self.place.typed.start as usize, is_rows);
    }

    fn rows(&mut self) {
        let rows: Vec<String> = self
            .syntax
            .names
            .symbols
            .iter()
            .filter(|s| matches!(s.kind, SymbolKind::Row(_)))
            .map(|s| s.name.clone())
            .collect();
        rows.iter().for_each(|r| self.add(r, CompletionKind::Variable, FIRST, ("row of `subject to`", "")));
    }

    /// The names in scope, and those that pieces declare which do not parse.
    fn symbols(&mut self, offset: usize, fits: impl Fn(SymbolKind) -> bool) {
        let syntax = self.syntax;
        let mut found = Vec::new();
        // nothing is defined by itself
        let defined = |s: &Symbol| {
            let by_value = !matches!(s.kind, SymbolKind::Variable(_) | SymbolKind::Argument | SymbolKind::Index);
            let span = s.declaration;
            s.span == self.place.typed || by_value && (span.start as usize) < offset && offset <= span.end as usize
        };
        for s in syntax.names.visible(offset).filter(|s| fits(s.kind) && !defined(s)) {
            let kind = match s.kind {
                SymbolKind::Function => CompletionKind::Function,
                SymbolKind::Set => CompletionKind::Set,
                SymbolKind::Param
                | SymbolKind::Data
                | SymbolKind::Dataset
                | SymbolKind::Part
                | SymbolKind::Episodes => CompletionKind::Constant,
                _ => CompletionKind::Variable,
            };
            let about = format!("{}: {}", s.kind.word(), super::hover::declared(syntax, s));
            found.push((s.name.clone(), kind, about, s.doc.join("\n")));
        }
        found.iter().for_each(|(name, kind, about, doc)| self.add(name, *kind, NAMES, (about, doc)));
        if syntax.is_sound {
            return;
        }
        for (token, kind) in broken_declarations(syntax).filter(|(_, kind)| fits(*kind)) {
            let name = syntax.word(token).to_owned();
            let keyword = syntax.before(token);
            let is_own = keyword == self.place.start || syntax.tokens[token].span.start == self.place.typed.start;
            if !is_own && syntax.names.global(&name).is_none() {
                self.add(&name, CompletionKind::Variable, NAMES, (kind.word(), ""));
            }
        }
    }

    /// The variables of the `for`s of the piece at hand, which may not parse yet.
    fn loops(&mut self) {
        let syntax = self.syntax;
        if syntax.is_sound {
            return;
        }
        let begin = self.place.start.or(self.place.item).unwrap_or(0);
        let rest = begin + 1..syntax.tokens.len();
        for token in rest.take_while(|t| !syntax.tokens[*t].starts) {
            if syntax.is(Some(token), "for")
                && let Some(name) = syntax.after(token)
                && syntax.tokens[name].kind == Kind::Word
                && !is_reserved(syntax.word(name))
                && syntax.tokens[name].span.start != self.place.typed.start
            {
                self.add(syntax.word(name), CompletionKind::Variable, NAMES, ("index", ""));
            }
        }
    }
}

/// Names right after the keywords that declare them, wherever they stand.
fn broken_declarations(syntax: &Syntax) -> impl Iterator<Item = (usize, SymbolKind)> {
    let mut side = Side::Upper;
    (0..syntax.tokens.len()).filter_map(move |token| {
        if !syntax.tokens[token].starts {
            return None;
        }
        let kind = match syntax.word(token) {
            "upper" => {
                side = Side::Upper;
                return None;
            }
            "lower" => {
                side = Side::Lower;
                return None;
            }
            "param" => SymbolKind::Param,
            "let" => SymbolKind::Let(None),
            "fn" => SymbolKind::Function,
            "set" => SymbolKind::Set,
            "data" => SymbolKind::Data,
            "dataset" => SymbolKind::Dataset,
            "episodes" => SymbolKind::Episodes,
            "var" => SymbolKind::Variable(side),
            _ => return None,
        };
        let name = syntax.after(token)?;
        let is_name = syntax.tokens[name].kind == Kind::Word && !is_reserved(syntax.word(name));
        is_name.then_some((name, kind))
    })
}
