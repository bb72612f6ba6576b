//! The two levels: the upper one as the problem, the lower one as a set of minimizers among its rows.

use blo_grammar::ast::{Dimension, Domain, Expr, ExprKind, Lower, Row, Statement, StatementKind};

use super::expression::{Writer, sign};
use super::kind::Kind;
use super::name::{named, symbol};
use super::set::Membership;
use super::term::Level as Binding;

/// Characters of a line of a formula, counted as they are read.
const LINE: usize = 80;

/// A variable.
struct Variable<'a> {
    name: &'a str,
    dims: &'a [Dimension],
    domain: Option<&'a Domain>,
}

/// What a level says.
#[derive(Default)]
pub(super) struct Level<'a> {
    variables: Vec<Variable<'a>>,
    objective: Option<&'a Expr>,
    maximize: bool,
    regularizers: Vec<&'a Expr>,
    rows: Vec<&'a Row>,
}

impl<'a> Level<'a> {
    /// Of the statements of a block.
    pub(super) fn of(body: &'a [Statement]) -> Level<'a> {
        let mut level = Level::default();
        for statement in body {
            level.take(&statement.kind);
        }
        level
    }

    fn take(&mut self, statement: &'a StatementKind) {
        match statement {
            StatementKind::Var { name, dims, domain } => {
                self.variables.push(Variable { name: &name.text, dims, domain: domain.as_ref() });
            }
            StatementKind::Minimize(e) => self.objective = Some(e),
            StatementKind::Maximize(e) => (self.objective, self.maximize) = (Some(e), true),
            StatementKind::Regularize(e) => self.regularizers.push(e),
            StatementKind::SubjectTo(rows) => self.rows.extend(rows),
            // shared expressions stand below the problem; the checker refuses levels within levels
            StatementKind::Let(_) | StatementKind::Lower(_) => {}
        }
    }
}

/// The lines of a problem, each in two columns.
pub(super) fn problem(writer: &Writer<'_>, upper: &Level<'_>, lowers: &[&Lower], sets: &[String]) -> Vec<String> {
    let levels: Vec<Level<'_>> = lowers.iter().map(|lower| Level::of(&lower.body)).collect();
    let chosen = upper.variables.iter().chain(levels.iter().flat_map(|l| &l.variables));
    let names: Vec<String> = chosen.map(|v| named(v.name)).collect();
    let word = if upper.maximize { "\\max" } else { "\\min" };
    let mut lines = Vec::new();
    for (at, line) in objective(writer, upper).into_iter().enumerate() {
        lines.push(match at {
            0 => format!("{word}_{{{}}} \\quad & {line}", below(&names)),
            _ => format!("& \\quad {line}"),
        });
    }
    let mut conditions = conditions(writer, upper, sets);
    for (lower, level) in lowers.iter().zip(&levels) {
        conditions.push(minimizers(writer, lower, level, sets));
    }
    for (at, condition) in conditions.iter().enumerate() {
        let head = if at == 0 { "\\text{s.t.} \\quad & " } else { "& " };
        lines.push(format!("{head}{condition}"));
    }
    lines
}

/// Names below an operator, a few to a line.
fn below(names: &[String]) -> String {
    const EACH: usize = 6;
    let lines: Vec<String> = names.chunks(EACH).map(|line| line.join(",\\, ")).collect();
    match lines.as_slice() {
        [line] => line.clone(),
        _ => format!("\\substack{{{}}}", lines.join(" \\\\ ")),
    }
}

/// The objective with its regularizing terms, in lines.
fn objective(writer: &Writer<'_>, level: &Level<'_>) -> Vec<String> {
    let mut pieces = match level.objective.map(unwrapped) {
        Some(Expr { kind: ExprKind::Sum(terms), .. }) => writer.terms(terms).0,
        Some(e) => vec![writer.term(e).at_least(Binding::Sum)],
        None => vec!["0".to_owned()],
    };
    let mark = if level.maximize { "-" } else { "+" };
    for e in &level.regularizers {
        match &unwrapped(e).kind {
            // the terms of a sum are added one by one
            ExprKind::Sum(terms) if !level.maximize => {
                let (terms, minus) = writer.terms(terms);
                let first = if minus { format!("{mark} ({})", terms[0]) } else { format!("{mark} {}", terms[0]) };
                pieces.push(first);
                pieces.extend(terms.into_iter().skip(1));
            }
            _ => pieces.push(format!("{mark} {}", writer.term(e).after(Binding::Sum))),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if length(line) + length(&piece) < LINE => *line += &format!(" {piece}"),
            _ => lines.push(piece),
        }
    }
    lines
}

fn unwrapped(e: &Expr) -> &Expr {
    match &e.kind {
        ExprKind::Paren(inner) => unwrapped(inner),
        _ => e,
    }
}

/// Characters as they are read: a command is one of them.
fn length(text: &str) -> usize {
    let mut count = 0;
    let mut command = false;
    for c in text.chars() {
        match c {
            '\\' => (command, count) = (true, count + 1),
            c if command && c.is_ascii_alphabetic() => {}
            '{' | '}' | '_' | '^' | ' ' => command = false,
            _ => (command, count) = (false, count + 1),
        }
    }
    count
}

/// Domains and rows of a level.
fn conditions(writer: &Writer<'_>, level: &Level<'_>, sets: &[String]) -> Vec<String> {
    let mut all: Vec<String> = level.variables.iter().map(|v| domain(writer, v, sets)).collect();
    all.extend(level.rows.iter().map(|r| row(writer, r)));
    all
}

fn member(writer: &Writer<'_>, variable: &Variable<'_>, sets: &[String]) -> Membership {
    writer.membership(&named(variable.name), variable.dims, variable.domain, sets)
}

fn domain(writer: &Writer<'_>, variable: &Variable<'_>, sets: &[String]) -> String {
    let Membership { set, conditions } = member(writer, variable, sets);
    let first = format!("{} \\in {set}", named(variable.name));
    [first].into_iter().chain(conditions).collect::<Vec<_>>().join(", \\quad ")
}

/// A row with the indices it is repeated for.
fn row(writer: &Writer<'_>, row: &Row) -> String {
    let inner = writer.within(&row.generators);
    let mut text = inner.term(&row.first).at_least(Binding::Range);
    for (relation, _, side) in &row.rest {
        text += &format!(" {} {}", sign(*relation), inner.term(side).at_least(Binding::Range));
    }
    let indices = inner.indices(&row.generators, row.condition.as_ref());
    if !indices.is_empty() {
        text += &format!(", \\quad {}", indices.join(",\\; "));
    }
    match &row.name {
        Some(name) if writer.multipliers.borrow().contains(&name.text) => {
            format!("{text} \\quad [{}]", writer.multiplier_of(&name.text))
        }
        _ => text,
    }
}

/// `y \in argmin { ... }`
fn minimizers(writer: &Writer<'_>, lower: &Lower, level: &Level<'_>, sets: &[String]) -> String {
    let inner = lower.each.iter().fold(writer.clone(), |w, (name, _)| w.with(&name.text, Kind::Scalar));
    let member_of = |v: &Variable<'_>| {
        let mut symbol = symbol(v.name);
        symbol.below.extend(lower.each.iter().map(|(name, _)| named(&name.text)));
        symbol.text()
    };
    let members: Vec<String> = level.variables.iter().map(member_of).collect();
    let left = if members.len() == 1 { members[0].clone() } else { format!("({})", members.join(",\\, ")) };
    let word = if level.maximize { "\\operatorname*{arg\\,max}" } else { "\\operatorname*{arg\\,min}" };
    let lines = objective(&inner, level);
    let whose = match &lower.each {
        Some(each) => format!(", \\quad {}", inner.indices(std::slice::from_ref(each), None).join("")),
        None => String::new(),
    };
    let spaces: Vec<Membership> = level.variables.iter().map(|v| member(&inner, v, sets)).collect();
    let simple = level.rows.is_empty() && level.variables.len() <= 2 && spaces.iter().all(|s| s.conditions.is_empty());
    if let ([line], true) = (lines.as_slice(), simple) {
        let domains = level.variables.iter().zip(&spaces).map(|(v, s)| format!("{} \\in {}", named(v.name), s.set));
        let domains: Vec<String> = domains.collect();
        return format!("{left} \\in {word}_{{{}}} \\left\\{{ {line} \\right\\}}{whose}", domains.join(",\\, "));
    }
    let names: Vec<String> = level.variables.iter().map(|v| named(v.name)).collect();
    let mut block: Vec<String> = lines.iter().map(|line| format!("& {line}")).collect();
    for (at, condition) in conditions(&inner, level, sets).iter().enumerate() {
        let head = if at == 0 { "& \\text{s.t. } " } else { "& \\phantom{\\text{s.t. }} " };
        block.push(format!("{head}{condition}"));
    }
    let block = block.join(" \\\\\n    ");
    format!(
        "{left} \\in {word}_{{{}}} \\left\\{{ \\begin{{aligned}}\n    {block}\n  \\end{{aligned}} \\right\\}}{whose}",
        below(&names)
    )
}
