//! A program as formulas: what its author wrote, as a paper would print it. It is made from the syntax tree, so that sums
//! stay indexed and names stay names; it knows no graph, and no numbers of data.

mod call;
mod declaration;
mod expression;
mod function;
mod kind;
mod level;
mod name;
mod product;
mod set;
mod term;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use blo_grammar::ast::{Ast, ItemKind, Lower, Statement, StatementKind};

use declaration::Row;
use expression::{ENTRYWISE, Writer};
use kind::Kinds;
use level::Level;
use name::escaped;

/// A problem as LaTeX. Shown with `{}`, it is a fragment for a document that loads `amsmath` and `amssymb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latex {
    title: String,
    about: Vec<String>,
    problem: Vec<String>,
    rows: Vec<String>,
}

impl Latex {
    /// A complete document.
    pub fn document(&self) -> String {
        let about = match self.about.as_slice() {
            [] => String::new(),
            lines => format!("{}\n\n", lines.iter().map(|l| escaped(l)).collect::<Vec<_>>().join("\n")),
        };
        format!(
            "\\documentclass{{article}}\n\\usepackage{{amsmath,amssymb}}\n\\allowdisplaybreaks\n\\begin{{document}}\n\
             \\section*{{{}}}\n{about}{self}\\end{{document}}\n",
            escaped(&self.title)
        )
    }
}

impl fmt::Display for Latex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        block(f, &self.problem)?;
        if self.rows.is_empty() {
            return Ok(());
        }
        f.write_str("where\n")?;
        block(f, &self.rows)
    }
}

fn block(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    let lines: Vec<String> = lines.iter().map(|line| broken(line)).collect();
    writeln!(f, "\\begin{{align*}}\n  {}\n\\end{{align*}}", lines.join(" \\\\\n  "))
}

/// Columns of a line of the file.
const WIDTH: usize = 76;

/// A row in lines within the page: LaTeX reads a break as a space.
fn broken(row: &str) -> String {
    row.split('\n').map(broken_line).collect::<Vec<_>>().join("\n")
}

fn broken_line(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let (mut text, mut column) = (String::new(), indent.max(2));
    for word in line.trim_start().split(' ') {
        // a space behind a backslash is a command
        let joined = text.is_empty() || text.ends_with('\\') && !text.ends_with("\\\\");
        if !joined && column + 1 + word.len() > WIDTH {
            column = indent.max(2) + 2;
            text.push('\n');
            text.push_str(&" ".repeat(column));
        } else if !text.is_empty() {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    format!("{}{text}", " ".repeat(indent))
}

/// The formulas of a program. `params` have other values than the program states; `title` stands where it has no name.
pub fn latex(ast: &Ast, params: &[(String, f64)], title: &str) -> Latex {
    let functions = ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Function { name, .. } => Some(name.text.clone()),
        _ => None,
    });
    let functions: BTreeSet<String> = functions.collect();
    let sets = ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Set { name, .. } => Some(name.text.clone()),
        _ => None,
    });
    let sets: Vec<String> = sets.collect();
    let kinds = Kinds::of(ast);
    let (used, multipliers) = (RefCell::default(), RefCell::default());
    let writer = Writer {
        multiplier: if kinds.has("lambda") { "\\mu" } else { "\\lambda" },
        kinds,
        functions: &functions,
        multipliers: &multipliers,
        used: &used,
        small: false,
    };
    let upper = Level::of(statements(ast, |kind| match kind {
        ItemKind::Upper { body, .. } => Some(body),
        _ => None,
    }));
    let lowers: Vec<&Lower> = ast
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Lower(lower) => Some(lower),
            _ => None,
        })
        .collect();
    let problem = level::problem(&writer, &upper, &lowers, &sets);
    let mut rows = declarations(ast, &writer, params, &sets);
    rows.extend(meanings(&used.borrow()));
    let named = ast.items.iter().find_map(|item| match &item.kind {
        ItemKind::Problem { name, .. } => Some((name.text.clone(), item.doc.clone())),
        _ => None,
    });
    let (title, about) = named.unwrap_or_else(|| (title.to_owned(), Vec::new()));
    let rows = rows.into_iter().map(|Row { left, sign, right }| format!("{left} &{sign} {right}")).collect();
    Latex { title, about, problem, rows }
}

fn statements(ast: &Ast, of: fn(&ItemKind) -> Option<&Vec<Statement>>) -> &[Statement] {
    ast.items.iter().find_map(|item| of(&item.kind)).map_or(&[], Vec::as_slice)
}

/// The declarations in the order of the program; those of levels stand where the level does.
fn declarations(ast: &Ast, writer: &Writer<'_>, params: &[(String, f64)], sets: &[String]) -> Vec<Row> {
    let mut rows = Vec::new();
    for item in &ast.items {
        rows.extend(writer.declaration(item, params, sets));
        let body = match &item.kind {
            ItemKind::Upper { body, .. } => body,
            ItemKind::Lower(lower) => &lower.body,
            _ => continue,
        };
        rows.extend(body.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Let(binding) => Some(writer.binding(binding)),
            _ => None,
        }));
    }
    rows
}

/// What the functions mean that formulas have used.
fn meanings(used: &BTreeSet<&'static str>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut entrywise = used.contains(ENTRYWISE);
    for name in used {
        if let Some((left, right)) = function::by_name(name).and_then(|entry| entry.meaning) {
            entrywise |= right.contains("\\odot");
            rows.push(Row::equal(left.to_owned(), right.to_owned()));
        }
    }
    if entrywise {
        let right = "\\text{products, quotients and powers of entries}".to_owned();
        rows.push(Row { left: "\\odot,\\, \\oslash,\\, u^{\\odot p}".to_owned(), sign: ":\\;", right });
    }
    rows
}
