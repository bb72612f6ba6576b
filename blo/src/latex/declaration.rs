//! What formulas name: params, data, datasets and their parts, shared expressions, functions, sets. One row of a table each.

use blo_grammar::ast::{Assign, Binding, Column, Expr, ExprKind, Item, ItemKind, Name};

use super::expression::Writer;
use super::kind::Kind;
use super::name::{escaped, named, symbol, upright};
use super::term::{Level, bars, parentheses, script};

/// A declaration: its symbol, the sign after it, and what it is.
pub(super) struct Row {
    /// The symbol.
    pub(super) left: String,
    /// `=` or `\in` or a colon.
    pub(super) sign: &'static str,
    /// What it is.
    pub(super) right: String,
}

impl Row {
    /// `left = right`
    pub(super) fn equal(left: String, right: String) -> Row {
        Row { left, sign: "=", right }
    }
}

impl Writer<'_> {
    /// The rows of an item. Levels have their own place; how a run begins, is asked for and judged is not the problem.
    pub(super) fn declaration(&self, item: &Item, given: &[(String, f64)], sets: &[String]) -> Vec<Row> {
        match &item.kind {
            ItemKind::Param { name, dims, value } => {
                let stated = given.iter().rev().find(|(param, _)| *param == name.text);
                let value = stated.map_or_else(|| self.text(value), |(_, value)| value.to_string());
                let left = named(&name.text);
                let space = self.power_of(&left, dims);
                let space = if space.is_empty() { space } else { format!(" \\in \\mathbb{{R}}{space}") };
                vec![Row::equal(left, format!("{value}{space}"))]
            }
            ItemKind::Let(binding) => vec![self.binding(binding)],
            ItemKind::Function { name, params, body } => {
                let inner = params.iter().fold(self.clone(), |w, p| w.with(&p.text, Kind::Unknown));
                let formals: Vec<String> = params.iter().map(|p| named(&p.text)).collect();
                let left = format!("{}{}", named(&name.text), parentheses(&formals.join(", ")));
                vec![Row::equal(left, inner.text(body))]
            }
            ItemKind::Set { name, dims, value } => {
                let member = if self.kinds.kind(value) == Kind::Unknown && name.text == "u" { "v" } else { "u" };
                let domain = blo_grammar::ast::Domain::In(value.clone());
                let of = self.membership(member, dims, Some(&domain), sets);
                let right = if of.conditions.is_empty() {
                    of.set
                } else {
                    format!("\\left\\{{ {member} \\in {} : {} \\right\\}}", of.set, of.conditions.join(",\\; "))
                };
                vec![Row::equal(named(&name.text), right)]
            }
            ItemKind::Data(column) => vec![self.column(column, None)],
            ItemKind::Dataset { name, columns } => columns.iter().map(|c| self.column(c, Some(name))).collect(),
            ItemKind::Split { source, options, parts } => {
                let parts = parts.iter().map(|(name, size)| {
                    let right = format!(
                        "{} \\text{{ rows of }} {}{}",
                        self.text(size),
                        named(&source.text),
                        self.options(options)
                    );
                    Row { left: named(&name.text), sign: ":\\;", right }
                });
                parts.collect()
            }
            ItemKind::Corrupt { target, options } => {
                let right = format!("\\text{{labels with noise}}{}", self.options(options));
                vec![Row { left: self.text(target), sign: ":\\;", right }]
            }
            ItemKind::Episodes { name, source, options } => {
                let right = format!("\\text{{tasks from }} {}{}", named(&source.text), self.options(options));
                vec![Row { left: named(&name.text), sign: ":\\;", right }]
            }
            ItemKind::Problem { .. } | ItemKind::Upper { .. } | ItemKind::Lower(_) => Vec::new(),
            ItemKind::Start(_) | ItemKind::Known(_) | ItemKind::Metric(_) => Vec::new(),
            ItemKind::Method { .. } | ItemKind::Expect { .. } | ItemKind::Option(_) | ItemKind::Import(_) => Vec::new(),
        }
    }

    /// `let a = e`
    pub(super) fn binding(&self, binding: &Binding) -> Row {
        Row::equal(named(&binding.name.text), self.term(&binding.value).text)
    }

    fn options(&self, options: &[Assign]) -> String {
        let one = |o: &Assign| format!("{} = {}", upright(&o.name.text), self.word(&o.value));
        let all: Vec<String> = options.iter().map(one).collect();
        if all.is_empty() { String::new() } else { format!("\\; {}", parentheses(&all.join(",\\; "))) }
    }

    /// Values of options are words rather than symbols.
    fn word(&self, value: &Expr) -> String {
        match &value.kind {
            ExprKind::Name(name) if self.kinds.kind(value) == Kind::Unknown => upright(name),
            _ => self.term(value).at_least(Level::Range),
        }
    }

    fn column(&self, column: &Column, dataset: Option<&Name>) -> Row {
        let mut of = symbol(&column.name.text);
        if let Some(dataset) = dataset {
            of.below.push(named(&dataset.text));
        }
        let left = of.text();
        let origin = self.origin(&column.value);
        let Some(dims) = &column.dims else {
            // only the data tell how many axes there are
            return Row { left, sign: ":\\;", right: format!("\\text{{data {origin}}}") };
        };
        let rows = dataset.map(|d| bars(&named(&d.text)));
        let own = self.sizes_of(&left, dims);
        let sizes: Vec<String> = rows.into_iter().chain(own).collect();
        let space = if sizes.is_empty() { String::new() } else { script('^', &sizes.join(" \\times ")) };
        Row { left, sign: "\\in", right: format!("\\mathbb{{R}}{space} \\text{{ {origin}}}") }
    }

    /// Where numbers come from, in words.
    fn origin(&self, value: &Expr) -> String {
        let ExprKind::Call { function, arguments } = &value.kind else {
            return format!("as $ {} $", self.text(value));
        };
        let path = arguments.first().and_then(|a| match &a.value.kind {
            ExprKind::Text(path) => Some(path),
            _ => None,
        });
        match path {
            Some(path) => format!("from \\texttt{{{}}}", escaped(path)),
            None => {
                let said = |a: &blo_grammar::ast::Argument| match &a.name {
                    Some(name) => format!("{} = {}", upright(&name.text), self.word(&a.value)),
                    None => self.word(&a.value),
                };
                let all: Vec<String> = arguments.iter().map(said).collect();
                let options = if all.is_empty() { String::new() } else { format!(" with ${}$", all.join(",\\; ")) };
                format!("drawn: {}{options}", escaped(&function.text))
            }
        }
    }
}
