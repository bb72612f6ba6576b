//! Expressions as formulas. One match over all forms of the syntax, without a default, so that a new form needs its
//! notation before anything builds. Parentheses of the program are dropped, and those that the formula needs are put.

use std::cell::RefCell;
use std::collections::BTreeSet;

use blo_grammar::ast::{Comprehension, Expr, ExprKind, Name, Relation, Sign, Subscript};

use super::kind::{Kind, Kinds};
use super::name::{self, Symbol, escaped, named, symbol};
use super::term::{Level, Term, bars, braces, brackets, parentheses, script};

/// What formulas are written with.
#[derive(Clone)]
pub(super) struct Writer<'a> {
    /// What names stand for.
    pub(super) kinds: Kinds,
    /// Functions of the program.
    pub(super) functions: &'a BTreeSet<String>,
    /// What multipliers are called.
    pub(super) multiplier: &'static str,
    /// Rows whose multipliers have been used.
    pub(super) multipliers: &'a RefCell<BTreeSet<String>>,
    /// Functions of the language that have been used.
    pub(super) used: &'a RefCell<BTreeSet<&'static str>>,
    /// In scripts: fractions are written in a line.
    pub(super) small: bool,
}

/// Entries of a list that are written out; of longer ones the first three and the last.
const SHOWN: usize = 12;

/// Stands among used functions for operations that are taken entry by entry.
pub(super) const ENTRYWISE: &str = "entrywise";

impl Writer<'_> {
    /// The same for scripts.
    pub(super) fn small(&self) -> Self {
        Writer { small: true, ..self.clone() }
    }

    /// The same with local names.
    pub(super) fn with(&self, name: &str, kind: Kind) -> Self {
        Writer { kinds: self.kinds.with(name, kind), ..self.clone() }
    }

    /// The same within comprehensions over these.
    pub(super) fn within(&self, generators: &[(Name, Expr)]) -> Self {
        generators.iter().fold(self.clone(), |writer, (name, _)| writer.with(&name.text, Kind::Scalar))
    }

    /// An expression as text.
    pub(super) fn text(&self, expr: &Expr) -> String {
        self.term(expr).text
    }

    /// An expression.
    pub(super) fn term(&self, expr: &Expr) -> Term {
        match &expr.kind {
            ExprKind::Number { text, .. } => number(text),
            ExprKind::Text(text) => Term::atom(format!("\\text{{``{}''}}", escaped(text))),
            ExprKind::Boolean(true) => Term::atom("\\mathrm{true}"),
            ExprKind::Boolean(false) => Term::atom("\\mathrm{false}"),
            ExprKind::Name(_) | ExprKind::Field { .. } | ExprKind::Index { .. } => match self.symbol(expr) {
                Some(symbol) if symbol.above.is_some() => Term::new(symbol.text(), Level::Scripted),
                Some(symbol) => Term::atom(symbol.text()),
                None => self.part(expr),
            },
            ExprKind::Sum(terms) => {
                let (terms, minus) = self.terms(terms);
                Term { minus, ..Term::new(terms.join(" "), Level::Sum) }
            }
            ExprKind::Product(factors) => self.product(factors),
            ExprKind::Negate(inner) => {
                let inner = self.term(inner);
                // a product keeps its place; a sum needs parentheses
                let text = format!("-{}", inner.after(Level::Sum));
                Term {
                    text,
                    level: inner.level.min(Level::Product).max(Level::Entrywise),
                    minus: true,
                    open: inner.open,
                }
            }
            ExprKind::Power { base, exponent, elementwise, .. } => self.power(base, exponent, *elementwise),
            ExprKind::Compare { relation, left, right, .. } => {
                let side = |e: &Expr| self.term(e).at_least(Level::Range);
                Term::new(format!("{} {} {}", side(left), sign(*relation), side(right)), Level::Comparison)
            }
            ExprKind::And(all) => self.chain(all, " \\land ", Level::And),
            ExprKind::Or(all) => self.chain(all, " \\lor ", Level::Or),
            // a comparison after the sign would be read as its left side alone
            ExprKind::Not(inner) => Term::new(format!("\\lnot {}", self.term(inner).at_least(Level::Sum)), Level::Not),
            ExprKind::Range { start, end, step } => Term::atom(braces(&self.range(start, end, step.as_deref()))),
            ExprKind::Call { function, arguments } => self.call(function, arguments),
            ExprKind::Reduce { function, comprehension } => self.reduce(&function.text, comprehension),
            ExprKind::Comprehension(comprehension) => self.list(comprehension),
            ExprKind::Array(entries) => self.array(entries),
            ExprKind::Transpose(inner) => match self.kinds.kind(inner) {
                Kind::Scalar => self.term(inner),
                _ => Term::new(format!("{}^{{\\top}}", self.term(inner).base()), Level::Scripted),
            },
            ExprKind::If { .. } => self.cases(expr),
            ExprKind::Paren(inner) => self.term(inner),
        }
    }

    /// A name with fields and indices, whose subscripts are one list.
    fn symbol(&self, expr: &Expr) -> Option<Symbol> {
        match &expr.kind {
            ExprKind::Name(name) => Some(match name.as_str() {
                "inf" => Symbol { base: "\\infty".to_owned(), below: Vec::new(), above: None },
                // the two objectives, in `known` and what is reported
                "upper" => symbol("F"),
                "lower" => symbol("f"),
                name => symbol(name),
            }),
            ExprKind::Field { base, field } => {
                let mut symbol = self.symbol(base)?;
                // the column is what the formula is about, and the rows are its index
                let rows = std::mem::replace(&mut symbol, name::symbol(&field.text));
                match &base.kind {
                    // the rows of a share of tasks: `D.tr.u`
                    ExprKind::Field { .. } => {
                        symbol.below.extend(rows.below);
                        symbol.below.push(rows.base);
                    }
                    _ => symbol.below.push(rows.text()),
                }
                Some(symbol)
            }
            // the entry of an entry has brackets: y[j][i]
            ExprKind::Index { base, indices } if matches!(base.kind, ExprKind::Name(_) | ExprKind::Field { .. }) => {
                let mut symbol = self.symbol(base)?;
                symbol.below.extend(indices.iter().map(|i| self.subscript(i)));
                Some(symbol)
            }
            _ => None,
        }
    }

    /// An entry of what has no name: `[A y]_i`.
    fn part(&self, expr: &Expr) -> Term {
        let ExprKind::Index { base, indices } = &expr.kind else {
            unreachable!("names and fields of names have symbols")
        };
        let below: Vec<String> = indices.iter().map(|i| self.subscript(i)).collect();
        Term::atom(format!("{}{}", brackets(&self.text(base)), script('_', &below.join(","))))
    }

    fn subscript(&self, index: &Subscript) -> String {
        let Subscript::At(expr) = index else { return "\\cdot".to_owned() };
        let small = self.small();
        match &expr.kind {
            ExprKind::Range { start, end, step } => {
                let side = |e: &Expr| small.term(e).at_least(Level::Sum);
                let step = step.as_ref().map_or_else(String::new, |s| format!("{}:", side(s)));
                format!("{}:{step}{}", side(start), side(end))
            }
            _ => small.term(expr).at_least(Level::Sum),
        }
    }

    /// The terms of a sum with their signs, and whether a minus begins it. A number beside columns is a column.
    pub(super) fn terms(&self, terms: &[(Sign, blo_grammar::span::Span, Expr)]) -> (Vec<String>, bool) {
        let is = |kind: Kind| terms.iter().any(|(_, _, e)| self.kinds.kind(e) == kind);
        let column = is(Kind::Column) && !is(Kind::Unknown) && !is(Kind::Matrix);
        let mut minus = false;
        let written = terms.iter().enumerate().map(|(at, (sign, _, e))| {
            let mut term = self.term(e);
            if column && self.kinds.kind(e) == Kind::Scalar {
                term = if term.text == "1" {
                    Term::atom("\\mathbf{1}")
                } else {
                    Term {
                        minus: term.minus,
                        ..Term::new(format!("{} \\mathbf{{1}}", term.before(Level::Product)), Level::Product)
                    }
                };
            }
            match (at, sign) {
                (0, Sign::Plus) => {
                    minus = term.minus;
                    if term.level < Level::Sum { term.at_least(Level::Sum) } else { term.text }
                }
                (_, Sign::Plus) => format!("+ {}", term.after(Level::Sum)),
                (_, Sign::Minus) => format!("- {}", term.after(Level::Sum)),
            }
        });
        (written.collect(), minus)
    }

    fn power(&self, base: &Expr, exponent: &Expr, elementwise: bool) -> Term {
        if let Some(term) = self.power_of_square(base, exponent) {
            return term;
        }
        let exponent = self.small().text(exponent);
        let each = elementwise && self.kinds.kind(base) != Kind::Scalar;
        let mark = if each { self.entrywise("\\odot ") } else { "" };
        let base = self.term(base).base();
        Term::new(format!("{base}{}", script('^', &format!("{mark}{exponent}"))), Level::Scripted)
    }

    /// `normsq(u)^2` is `||u||^4`
    fn power_of_square(&self, base: &Expr, exponent: &Expr) -> Option<Term> {
        let (ExprKind::Call { function, arguments }, ExprKind::Number { value, .. }) = (&base.kind, &exponent.kind)
        else {
            return None;
        };
        let square = function.text == "normsq" && !self.functions.contains("normsq") && value.fract() == 0.0;
        let norm = self.call(function, arguments).text;
        let norm = norm.strip_suffix("^2").filter(|_| square)?;
        Some(Term::new(format!("{norm}{}", script('^', &(2.0 * value).to_string())), Level::Scripted))
    }

    /// Notes that an operation is taken entry by entry.
    pub(super) fn entrywise<T>(&self, sign: T) -> T {
        self.used.borrow_mut().insert(ENTRYWISE);
        sign
    }

    fn chain(&self, all: &[Expr], sign: &str, level: Level) -> Term {
        let all: Vec<String> = all.iter().map(|e| self.term(e)).map(|t| t.after(level)).collect();
        Term::new(all.join(sign), level)
    }

    /// `1, ..., n`, and with a step `1, 3, ... <= n`
    pub(super) fn range(&self, start: &Expr, end: &Expr, step: Option<&Expr>) -> String {
        let (first, last) = (self.term(start).at_least(Level::Sum), self.term(end).at_least(Level::Sum));
        let Some(step) = step else { return format!("{first}, \\dots, {last}") };
        let second = match (&start.kind, &step.kind) {
            (ExprKind::Number { value: a, .. }, ExprKind::Number { value: b, .. }) => format!("{}", a + b),
            _ => format!("{first} + {}", self.term(step).after(Level::Sum)),
        };
        format!("{first}, {second}, \\dots \\le {last}")
    }

    fn list(&self, comprehension: &Comprehension) -> Term {
        let Comprehension { body, generators, condition } = comprehension;
        let inner = self.within(generators);
        let body = inner.term(body);
        let body = parentheses(&body.text);
        match (generators.as_slice(), condition) {
            ([(name, set)], None) if matches!(&set.kind, ExprKind::Range { step: None, .. }) => {
                let ExprKind::Range { start, end, .. } = &set.kind else { unreachable!("it is a range") };
                let small = self.small();
                let (from, to) = (small.term(start).at_least(Level::Sum), small.term(end).at_least(Level::Sum));
                let text = format!("{body}_{{{} = {from}}}{}", named(&name.text), script('^', &to));
                Term::new(text, Level::Scripted)
            }
            _ => {
                let all = inner.small().indices(generators, condition.as_ref());
                Term::atom(format!("{body}_{{{}}}", all.join(",\\; ")))
            }
        }
    }

    /// `i = 1, ..., n` and `i in S`, then the condition.
    pub(super) fn indices(&self, generators: &[(Name, Expr)], condition: Option<&Expr>) -> Vec<String> {
        let mut all: Vec<String> = generators.iter().map(|(name, set)| self.index_in(name, set)).collect();
        all.extend(condition.map(|c| self.text(c)));
        all
    }

    fn index_in(&self, name: &Name, set: &Expr) -> String {
        match &set.kind {
            ExprKind::Range { start, end, step } => {
                format!("{} = {}", named(&name.text), self.range(start, end, step.as_deref()))
            }
            _ => format!("{} \\in {}", named(&name.text), self.term(set).at_least(Level::Sum)),
        }
    }

    fn array(&self, entries: &[Expr]) -> Term {
        let row = |e: &Expr| match &e.kind {
            ExprKind::Array(entries) => Some(entries.iter().map(|e| self.text(e)).collect::<Vec<_>>().join(" & ")),
            _ => None,
        };
        let rows: Option<Vec<String>> = entries.iter().map(row).collect();
        match rows {
            Some(rows) if !rows.is_empty() => {
                Term::atom(format!("\\begin{{bmatrix}} {} \\end{{bmatrix}}", rows.join(" \\\\ ")))
            }
            _ => {
                let mut shown: Vec<String> = entries.iter().map(|e| self.text(e)).collect();
                if shown.len() > SHOWN {
                    // nobody reads a column of data
                    shown.splice(3..shown.len() - 1, ["\\dots".to_owned()]);
                }
                Term::atom(parentheses(&shown.join(", ")))
            }
        }
    }

    /// `if` in a chain of `else if` is one list of cases.
    fn cases(&self, expr: &Expr) -> Term {
        let (mut lines, mut rest) = (Vec::new(), expr);
        loop {
            match &rest.kind {
                ExprKind::If { condition, then, otherwise } => {
                    lines.push(format!("{} & \\text{{if }} {}", self.text(then), self.text(condition)));
                    rest = otherwise;
                }
                ExprKind::Paren(inner) => rest = inner,
                _ => break,
            }
        }
        lines.push(format!("{} & \\text{{otherwise}}", self.text(rest)));
        Term::new(format!("\\begin{{cases}} {} \\end{{cases}}", lines.join(", \\\\ ")), Level::Condition)
    }

    /// `sum_{i=1}^{n} body`
    fn reduce(&self, function: &str, comprehension: &Comprehension) -> Term {
        let Comprehension { body, generators, condition } = comprehension;
        let inner = self.within(generators);
        let body = inner.term(body).after(Level::Sum);
        let small = self.small();
        let head = match function {
            "sum" => small.operators("\\sum", generators, condition.as_ref()),
            "max" => small.operators("\\max", generators, condition.as_ref()),
            "min" => small.operators("\\min", generators, condition.as_ref()),
            _ => {
                let number = match (generators.as_slice(), condition) {
                    ([(_, set)], None) => self.number_of(set),
                    _ => None,
                };
                match number {
                    Some(number) => {
                        format!("{} {}", self.fraction("1", &number), small.operators("\\sum", generators, None))
                    }
                    None => small.operators("\\operatorname*{mean}", generators, condition.as_ref()),
                }
            }
        };
        Term { open: true, ..Term::new(format!("{head} {body}"), Level::Product) }
    }

    /// How many entries an index runs over, where that has a notation.
    fn number_of(&self, set: &Expr) -> Option<String> {
        match &set.kind {
            ExprKind::Range { start, end, step: None } => {
                matches!(start.kind, ExprKind::Number { value, .. } if value == 1.0).then(|| self.text(end))
            }
            ExprKind::Name(name) => Some(bars(&named(name))),
            _ => None,
        }
    }

    /// One operator per index; the condition stands below the last.
    fn operators(&self, sign: &str, generators: &[(Name, Expr)], condition: Option<&Expr>) -> String {
        let last = generators.len() - 1;
        let inner = self.within(generators);
        let mut writer = self.clone();
        let mut all = Vec::new();
        for (at, (name, set)) in generators.iter().enumerate() {
            let filter = condition.filter(|_| at == last);
            let index = named(&name.text);
            let plain_range = match &set.kind {
                ExprKind::Range { start, end, step: None } => Some((start, end)),
                _ => None,
            };
            let ends =
                plain_range.map(|(a, b)| (writer.term(a).at_least(Level::Sum), writer.term(b).at_least(Level::Sum)));
            all.push(match (ends, filter) {
                (Some((from, to)), None) if sign == "\\sum" => {
                    format!("{sign}_{{{index} = {from}}}{}", script('^', &to))
                }
                (Some((from, to)), None) => format!("{sign}_{{{from} \\le {index} \\le {to}}}"),
                (None, None) => format!("{sign}_{{{index} \\in {}}}", writer.term(set).at_least(Level::Sum)),
                (ends, Some(filter)) => {
                    let range = match ends {
                        Some((from, to)) => format!("{from} \\le {index} \\le {to}"),
                        None => format!("{index} \\in {}", writer.term(set).at_least(Level::Sum)),
                    };
                    format!("{sign}_{{\\substack{{{range} \\\\ {}}}}}", inner.text(filter))
                }
            });
            writer = writer.with(&name.text, Kind::Scalar);
        }
        all.join(" ")
    }
}

/// A number as written; powers of ten as such.
fn number(text: &str) -> Term {
    match text.to_ascii_lowercase().split_once('e') {
        Some((digits, power)) => {
            let power = power.trim_start_matches('+');
            let ten = format!("10{}", script('^', power));
            match digits {
                "1" => Term::new(ten, Level::Scripted),
                _ => Term::new(format!("{digits} \\cdot {ten}"), Level::Product),
            }
        }
        None if text.starts_with('.') => Term::atom(format!("0{text}")),
        None => Term::atom(text),
    }
}

/// The sign of a relation.
pub(super) fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Less => "<",
        Relation::LessEqual => "\\le",
        Relation::Greater => ">",
        Relation::GreaterEqual => "\\ge",
        Relation::Equal => "=",
        Relation::NotEqual => "\\ne",
    }
}
