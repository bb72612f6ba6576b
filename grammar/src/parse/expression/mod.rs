//! Expressions: pest hands over flat lists of operators and operands, precedence is settled here. Recursion follows
//! brackets and `if`s only, whose depth is limited before; chains of `- not ^ '` are folded in loops, and the height
//! of the tree is limited so that later passes may recurse over it.

use super::walk::{Rule, Walk};
use crate::ast::{Argument, Comprehension, Expr, ExprKind, Factor, Name, Relation, Sign, Subscript};
use crate::diagnostic::Diagnostic;
use crate::message;
use crate::span::Span;
use crate::token::Token;
use pest::iterators::Pair;
use std::collections::HashMap;
use std::iter::Peekable;
use std::vec::IntoIter;
use unicode_normalization::UnicodeNormalization;

/// No tree is higher than this. Brackets may nest 256 deep with one operator between each two.
const MAX_HEIGHT: usize = 640;

const RELATIONS: [&str; 9] = ["==", "!=", "≠", "<=", "≤", ">=", "≥", "<", ">"];

/// The relation that one of [`RELATIONS`] means.
fn relation(text: &str) -> Relation {
    match text {
        "==" => Relation::Equal,
        "!=" | "≠" => Relation::NotEqual,
        "<=" | "≤" => Relation::LessEqual,
        ">=" | "≥" => Relation::GreaterEqual,
        "<" => Relation::Less,
        _ => Relation::Greater,
    }
}

/// An expression with the height of its tree.
pub(super) struct Built {
    pub(super) expr: Expr,
    height: usize,
}

/// Turns pairs into nodes. Spans are those of the whole text, of which the parser saw a piece.
pub(super) struct Builder<'s, 'd> {
    /// Where the piece starts in the text.
    pub(super) base: usize,
    /// The whole text.
    pub(super) source: &'s str,
    /// All tokens.
    pub(super) all: &'s [Token<'s>],
    /// All tokens but comments.
    pub(super) tokens: &'s [Token<'s>],
    /// Where errors go.
    pub(super) diagnostics: &'d mut Vec<Diagnostic>,
    /// Set once the height limit was reported.
    pub(super) too_high: bool,
}

/// One entry of the flat list.
enum Part<'i> {
    Minus(Span),
    Not(Span),
    Infix(Span, &'i str),
    Value(Built),
}

type Parts<'i> = Peekable<IntoIter<Part<'i>>>;

impl Builder<'_, '_> {
    /// The span of a pair whose rule ends with a token.
    pub(super) fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(self.base + span.start(), self.base + span.end())
    }

    pub(super) fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        let text = pair.as_str();
        let text = if text.is_ascii() { text.to_owned() } else { text.nfkc().collect() };
        Name { text, span: self.span(pair) }
    }

    /// `expr`
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Expr {
        self.built(pair).expr
    }

    fn make(&mut self, kind: ExprKind, span: Span, below: usize) -> Built {
        if below < MAX_HEIGHT {
            return Built { expr: Expr { kind, span }, height: below + 1 };
        }
        if !self.too_high {
            self.too_high = true;
            self.diagnostics.push(message::too_deep(span));
        }
        Built { expr: Expr { kind: ExprKind::Number { value: 0.0, text: "0".to_owned() }, span }, height: 1 }
    }

    fn built(&mut self, pair: Pair<'_, Rule>) -> Built {
        let mut parts = self.parts(pair);
        let built = self.or(&mut parts);
        debug_assert!(parts.next().is_none(), "every operator has its level");
        built
    }

    /// The sides of a row with the relations between them. An expression with `and`, `or` or `not` is one side.
    pub(super) fn sides(&mut self, pair: Pair<'_, Rule>) -> (Expr, Vec<(Relation, Span, Expr)>) {
        let parts: Vec<_> = self.parts(pair).collect();
        let logic = |p: &Part<'_>| matches!(p, Part::Not(_) | Part::Infix(_, "and" | "or"));
        let is_logic = parts.iter().any(logic);
        let mut parts = parts.into_iter().peekable();
        if is_logic {
            return (self.or(&mut parts).expr, Vec::new());
        }
        let first = self.range(&mut parts).expr;
        let mut rest = Vec::new();
        while let Some((operator, text)) = infix(&mut parts, &RELATIONS) {
            rest.push((relation(text), operator, self.range(&mut parts).expr));
        }
        debug_assert!(parts.next().is_none(), "every operator has its level");
        (first, rest)
    }

    fn parts<'i>(&mut self, pair: Pair<'i, Rule>) -> Parts<'i> {
        let mut parts = Vec::new();
        for pair in pair.into_inner() {
            let span = self.span(&pair);
            match pair.as_rule() {
                Rule::prefix if pair.as_str() == "-" => parts.push(Part::Minus(span)),
                Rule::prefix => parts.push(Part::Not(span)),
                Rule::infix => parts.push(Part::Infix(span, pair.as_str())),
                Rule::transpose | Rule::index | Rule::field => {
                    if let Some(Part::Value(base)) = parts.pop() {
                        parts.push(Part::Value(self.postfix(base, pair)));
                    }
                }
                _ => parts.push(Part::Value(self.primary(pair))),
            }
        }
        parts.into_iter().peekable()
    }

    fn or(&mut self, parts: &mut Parts<'_>) -> Built {
        let first = self.and(parts);
        let mut all = vec![first];
        while infix(parts, &["or"]).is_some() {
            all.push(self.and(parts));
        }
        self.chain(all, ExprKind::Or)
    }

    fn and(&mut self, parts: &mut Parts<'_>) -> Built {
        let first = self.not(parts);
        let mut all = vec![first];
        while infix(parts, &["and"]).is_some() {
            all.push(self.not(parts));
        }
        self.chain(all, ExprKind::And)
    }

    fn chain(&mut self, mut all: Vec<Built>, kind: fn(Vec<Expr>) -> ExprKind) -> Built {
        let below = all.iter().map(|b| b.height).max().unwrap_or(0);
        match all.pop() {
            Some(only) if all.is_empty() => only,
            Some(last) => {
                let span = all[0].expr.span.to(last.expr.span);
                all.push(last);
                self.make(kind(all.into_iter().map(|b| b.expr).collect()), span, below)
            }
            None => unreachable!("a chain has at least one operand"),
        }
    }

    fn not(&mut self, parts: &mut Parts<'_>) -> Built {
        let mut marks = Vec::new();
        while let Some(Part::Not(span)) = parts.next_if(|p| matches!(p, Part::Not(_))) {
            marks.push(span);
        }
        let mut built = self.comparison(parts, !marks.is_empty());
        for mark in marks.into_iter().rev() {
            let span = mark.to(built.expr.span);
            built = self.make(ExprKind::Not(Box::new(built.expr)), span, built.height);
        }
        built
    }

    fn comparison(&mut self, parts: &mut Parts<'_>, negated: bool) -> Built {
        let left = self.range(parts);
        let Some((operator, text)) = infix(parts, &RELATIONS) else {
            return left;
        };
        let relation = relation(text);
        let right = self.range(parts);
        let middle = right.expr.span;
        let mut reported = false;
        while let Some((second, _)) = infix(parts, &RELATIONS) {
            self.range(parts);
            if !reported {
                self.diagnostics.push(message::chained_comparison(
                    second,
                    operator,
                    middle,
                    &self.source[middle.range()],
                    negated,
                ));
                reported = true;
            }
        }
        let span = left.expr.span.to(right.expr.span);
        let below = left.height.max(right.height);
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        self.make(ExprKind::Compare { relation, left, right, operator }, span, below)
    }

    fn range(&mut self, parts: &mut Parts<'_>) -> Built {
        let start = self.sum(parts);
        let mut built = start;
        if infix(parts, &[".."]).is_some() {
            let end = self.sum(parts);
            let step = infix(parts, &["by"]).map(|_| self.sum(parts));
            let span = built.expr.span.to(step.as_ref().unwrap_or(&end).expr.span);
            let below = built.height.max(end.height).max(step.as_ref().map_or(0, |s| s.height));
            let kind = ExprKind::Range {
                start: Box::new(built.expr),
                end: Box::new(end.expr),
                step: step.map(|s| Box::new(s.expr)),
            };
            built = self.make(kind, span, below);
        }
        let mut reported = false;
        while let Some((second, word)) = infix(parts, &["..", "by"]) {
            self.sum(parts);
            if !reported {
                self.diagnostics.push(message::chained_range(second, word));
                reported = true;
            }
        }
        built
    }

    fn sum(&mut self, parts: &mut Parts<'_>) -> Built {
        let first = self.product(parts);
        if !matches!(parts.peek(), Some(Part::Infix(_, "+" | "-"))) {
            return first;
        }
        let (mut span, mut below) = (first.expr.span, first.height);
        let mut terms = vec![(Sign::Plus, before(first.expr.span), first.expr)];
        while let Some((operator, text)) = infix(parts, &["+", "-"]) {
            let term = self.product(parts);
            span = span.to(term.expr.span);
            below = below.max(term.height);
            terms.push((if text == "+" { Sign::Plus } else { Sign::Minus }, operator, term.expr));
        }
        self.make(ExprKind::Sum(terms), span, below)
    }

    fn product(&mut self, parts: &mut Parts<'_>) -> Built {
        const FACTORS: [&str; 5] = ["*", "·", "/", ".*", "./"];
        let first = self.unary(parts);
        let mut next = infix(parts, &FACTORS);
        if next.is_none() {
            return first;
        }
        let (mut span, mut below) = (first.expr.span, first.height);
        let mut factors = vec![(Factor::Times, before(first.expr.span), first.expr)];
        while let Some((operator, text)) = next {
            let factor = self.unary(parts);
            span = span.to(factor.expr.span);
            below = below.max(factor.height);
            let kind = match text {
                "/" => Factor::Over,
                ".*" => Factor::DotTimes,
                "./" => Factor::DotOver,
                _ => Factor::Times,
            };
            factors.push((kind, operator, factor.expr));
            next = infix(parts, &FACTORS);
        }
        self.make(ExprKind::Product(factors), span, below)
    }

    fn unary(&mut self, parts: &mut Parts<'_>) -> Built {
        let marks = minuses(parts);
        let built = self.power(parts);
        self.negate(marks, built)
    }

    fn negate(&mut self, marks: Vec<Span>, mut built: Built) -> Built {
        for mark in marks.into_iter().rev() {
            let span = mark.to(built.expr.span);
            built = self.make(ExprKind::Negate(Box::new(built.expr)), span, built.height);
        }
        built
    }

    /// `a^-b^c` is `a^(-(b^c))`: the tower is collected left to right and folded from its top.
    fn power(&mut self, parts: &mut Parts<'_>) -> Built {
        let base = self.value(parts);
        let mut tower = vec![(Vec::new(), base)];
        let mut operators = Vec::new();
        while let Some((operator, text)) = infix(parts, &["^", ".^"]) {
            operators.push((operator, text == ".^"));
            let marks = minuses(parts);
            let value = self.value(parts);
            tower.push((marks, value));
        }
        let Some((marks, top)) = tower.pop() else { unreachable!("a tower has a base") };
        let mut built = self.negate(marks, top);
        while let (Some((marks, base)), Some((operator, elementwise))) = (tower.pop(), operators.pop()) {
            let span = base.expr.span.to(built.expr.span);
            let below = base.height.max(built.height);
            let kind =
                ExprKind::Power { base: Box::new(base.expr), exponent: Box::new(built.expr), elementwise, operator };
            built = self.make(kind, span, below);
            built = self.negate(marks, built);
        }
        built
    }

    fn value(&mut self, parts: &mut Parts<'_>) -> Built {
        loop {
            match parts.next() {
                Some(Part::Value(built)) => return built,
                Some(Part::Not(span)) => self.diagnostics.push(message::misplaced_not(span)),
                Some(Part::Minus(_)) => {} // after a misplaced `not`
                _ => unreachable!("the grammar ends an expression with a value"),
            }
        }
    }

    fn postfix(&mut self, base: Built, pair: Pair<'_, Rule>) -> Built {
        let span = base.expr.span.to(self.span(&pair));
        let mut below = base.height;
        let base = Box::new(base.expr);
        let kind = match pair.as_rule() {
            Rule::transpose => ExprKind::Transpose(base),
            Rule::field => {
                let field = Walk::new(pair.into_inner()).want(Rule::word);
                ExprKind::Field { base, field: self.name(&field) }
            }
            _ => {
                let (indices, height) = self.subscripts(pair);
                below = below.max(height);
                ExprKind::Index { base, indices }
            }
        };
        self.make(kind, span, below)
    }

    /// A name with the fields or indices after it, where the grammar allows no other expression.
    pub(super) fn place<'i>(&mut self, name: Name, postfixes: impl Iterator<Item = Pair<'i, Rule>>) -> Expr {
        let mut built = self.make(ExprKind::Name(name.text), name.span, 0);
        for pair in postfixes {
            built = self.postfix(built, pair);
        }
        built.expr
    }

    fn subscripts(&mut self, pair: Pair<'_, Rule>) -> (Vec<Subscript>, usize) {
        let mut below = 0;
        let mut indices = Vec::new();
        for subscript in Walk::new(pair.into_inner()) {
            for inner in subscript.into_inner() {
                indices.push(if inner.as_rule() == Rule::all {
                    Subscript::All(self.span(&inner))
                } else {
                    let built = self.built(inner);
                    below = below.max(built.height);
                    Subscript::At(built.expr)
                });
            }
        }
        (indices, below)
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Built {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::number => {
                let text = pair.as_str().to_owned();
                // the grammar admits only what Rust's parser accepts; too large a number becomes `inf` there
                let value = text.parse().unwrap_or(f64::INFINITY);
                self.make(ExprKind::Number { value, text }, span, 0)
            }
            Rule::text => {
                let text = self.unescape(pair.as_str(), span);
                self.make(ExprKind::Text(text), span, 0)
            }
            Rule::boolean => self.make(ExprKind::Boolean(pair.as_str() == "true"), span, 0),
            Rule::objective => {
                let level = Walk::new(pair.into_inner()).want(Rule::level_name);
                let span = self.span(&level);
                self.make(ExprKind::Name(level.as_str().to_owned()), span, 0)
            }
            Rule::conditional => self.conditional(pair, span),
            Rule::paren => {
                let inner = Walk::new(pair.into_inner()).want(Rule::expr);
                let inner = self.built(inner);
                self.make(ExprKind::Paren(Box::new(inner.expr)), span, inner.height)
            }
            Rule::array => self.array(pair, span),
            Rule::call => self.call(pair, span),
            _ => {
                let name = self.name(&pair);
                self.make(ExprKind::Name(name.text), span, 0)
            }
        }
    }

    fn conditional(&mut self, pair: Pair<'_, Rule>, start: Span) -> Built {
        let mut walk = Walk::new(pair.into_inner());
        let condition = self.built(walk.want(Rule::expr));
        let then = self.built(walk.want(Rule::expr));
        let otherwise = self.built(walk.want(Rule::expr));
        let span = before(start).to(otherwise.expr.span);
        let below = condition.height.max(then.height).max(otherwise.height);
        let kind = ExprKind::If {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Box::new(otherwise.expr),
        };
        self.make(kind, span, below)
    }

    fn array(&mut self, pair: Pair<'_, Rule>, span: Span) -> Built {
        let mut walk = Walk::new(pair.into_inner()).peekable();
        let mut entries = Vec::new();
        while let Some(entry) = walk.next_if(|p| p.as_rule() == Rule::expr) {
            entries.push(self.built(entry));
        }
        let mut below = entries.iter().map(|b| b.height).max().unwrap_or(0);
        if walk.peek().is_some() {
            let Some(body) = entries.pop() else { unreachable!("the grammar puts a body before `for`") };
            let (comprehension, height) = self.comprehension(body.expr, walk);
            below = below.max(height);
            return self.make(ExprKind::Comprehension(Box::new(comprehension)), span, below);
        }
        self.make(ExprKind::Array(entries.into_iter().map(|b| b.expr).collect()), span, below)
    }

    /// The `for` and `if` clauses after `body`, and the height of what they hold.
    pub(super) fn comprehension<'i>(
        &mut self,
        body: Expr,
        clauses: impl Iterator<Item = Pair<'i, Rule>>,
    ) -> (Comprehension, usize) {
        let (mut generators, mut condition, mut below) = (Vec::new(), None, 0);
        for clause in clauses {
            let mut walk = Walk::new(clause.clone().into_inner());
            if clause.as_rule() == Rule::filter {
                let built = self.built(walk.want(Rule::expr));
                below = below.max(built.height);
                condition = Some(built.expr);
            } else {
                let name = self.name(&walk.want(Rule::name));
                walk.want(Rule::in_kw);
                let built = self.built(walk.want(Rule::expr));
                below = below.max(built.height);
                generators.push((name, built.expr));
            }
        }
        self.once(generators.iter().map(|(name, _)| name));
        (Comprehension { body, generators, condition }, below)
    }

    /// `for name in expr` of a fact or a level.
    pub(super) fn generator(&mut self, pair: Pair<'_, Rule>) -> (Name, Expr) {
        let mut walk = Walk::new(pair.into_inner());
        let name = self.name(&walk.want(Rule::name));
        walk.want(Rule::in_kw);
        (name, self.expr(walk.want(Rule::expr)))
    }

    /// `f(a)` where the grammar allows no other expression.
    pub(super) fn called(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        self.call(pair, span).expr
    }

    fn call(&mut self, pair: Pair<'_, Rule>, span: Span) -> Built {
        let mut walk = Walk::new(pair.into_inner());
        let function = self.name(&walk.want(Rule::name));
        let mut below = 0;
        let mut arguments = Vec::new();
        let mut comprehensions = Vec::new();
        for argument in walk {
            let mut inner = Walk::new(argument.into_inner());
            if let Some(named) = inner.maybe(Rule::named) {
                let mut named = Walk::new(named.into_inner());
                let name = self.name(&named.want(Rule::word));
                let value = self.built(named.want(Rule::expr));
                below = below.max(value.height);
                arguments.push(Argument { name: Some(name), value: value.expr });
                continue;
            }
            let value = self.built(inner.want(Rule::expr));
            below = below.max(value.height);
            let mut clauses = inner.peekable();
            if clauses.peek().is_some() {
                let at = value.expr.span;
                let (comprehension, height) = self.comprehension(value.expr, clauses);
                below = below.max(height);
                comprehensions.push((at, comprehension));
            } else {
                arguments.push(Argument { name: None, value: value.expr });
            }
        }
        self.once(arguments.iter().filter_map(|a: &Argument| a.name.as_ref()));
        match comprehensions.pop() {
            None => self.make(ExprKind::Call { function, arguments }, span, below),
            Some((at, comprehension)) => {
                if !arguments.is_empty() || !comprehensions.is_empty() {
                    self.diagnostics.push(message::comprehension_alone(at, &function.text));
                }
                self.make(ExprKind::Reduce { function, comprehension: Box::new(comprehension) }, span, below)
            }
        }
    }

    /// Names of one list stand in it once.
    pub(super) fn once<'n>(&mut self, names: impl Iterator<Item = &'n Name>) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for name in names {
            if let Some(first) = seen.get(name.text.as_str()) {
                self.diagnostics.push(message::given_twice(name.span, &name.text, *first));
            } else {
                seen.insert(&name.text, name.span);
            }
        }
    }

    fn unescape(&mut self, quoted: &str, span: Span) -> String {
        let body = &quoted[1..quoted.len() - 1];
        let mut text = String::with_capacity(body.len());
        let mut chars = body.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c @ ('\\' | '"'))) => text.push(c),
                Some((_, c)) => {
                    let start = span.start as usize + 1 + at;
                    self.diagnostics.push(message::bad_escape(Span::new(start, start + 1 + c.len_utf8()), c));
                }
                None => {}
            }
        }
        text
    }
}

fn before(span: Span) -> Span {
    Span { start: span.start, end: span.start }
}

/// Takes the next part if it is one of these operators.
fn infix<'i>(parts: &mut Parts<'i>, operators: &[&str]) -> Option<(Span, &'i str)> {
    match parts.next_if(|p| matches!(p, Part::Infix(_, text) if operators.contains(text))) {
        Some(Part::Infix(span, text)) => Some((span, text)),
        _ => None,
    }
}

fn minuses(parts: &mut Parts<'_>) -> Vec<Span> {
    let mut marks = Vec::new();
    while let Some(Part::Minus(span)) = parts.next_if(|p| matches!(p, Part::Minus(_))) {
        marks.push(span);
    }
    marks
}

#[cfg(test)]
mod tests;
