//! Products and quotients. A quotient takes the factors since the last one: `1/2*x*y/n` is a half times `x y` over `n`, which
//! is right because denominators are numbers. Entrywise products hold together less tightly than others.

use blo_grammar::ast::{Expr, Factor};
use blo_grammar::span::Span;

use super::expression::Writer;
use super::kind::Kind;
use super::term::{Level, Term, parentheses};

/// A product as far as it is read.
struct Read {
    /// What no further division takes.
    done: Option<Term>,
    /// The factors since then.
    last: Term,
    /// They are one factor, which may yet become a numerator without parentheses.
    single: bool,
    /// Numerator and denominators, while nothing follows a fraction.
    open: Option<(Term, Vec<Term>)>,
    /// What it is.
    kind: Kind,
}

impl Writer<'_> {
    /// A product.
    pub(super) fn product(&self, factors: &[(Factor, Span, Expr)]) -> Term {
        let (_, _, first) = &factors[0];
        let mut term = self.term(first);
        // a sign before the first factor is one before the product
        let minus = term.minus && term.level > Level::Sum && term.text.starts_with('-');
        if minus {
            let unsigned = term.text.trim_start_matches('-').to_owned();
            term = Term { text: unsigned, minus: false, ..term };
        }
        let mut read = Read { done: None, last: term, single: true, open: None, kind: self.kinds.kind(first) };
        for (factor, _, expr) in &factors[1..] {
            self.take(&mut read, *factor, expr);
        }
        let whole = self.whole(&read);
        if minus {
            Term { text: format!("-{}", whole.text), minus: true, level: whole.level.min(Level::Product), ..whole }
        } else {
            whole
        }
    }

    fn take(&self, read: &mut Read, factor: Factor, expr: &Expr) {
        let (right, kind) = (self.term(expr), self.kinds.kind(expr));
        let scalars = read.kind == Kind::Scalar && kind == Kind::Scalar;
        let factor = match factor {
            Factor::DotTimes if scalars => Factor::Times,
            Factor::DotOver if scalars => Factor::Over,
            other => other,
        };
        match factor {
            Factor::Over => match &mut read.open {
                Some((_, below)) => below.push(right),
                None => read.open = Some((read.last.clone(), vec![right])),
            },
            Factor::Times => {
                let left = self.last(read);
                if read.open.take().is_some() {
                    read.done = Some(match &read.done {
                        Some(done) => joined(done, &left, left.text.clone()),
                        None => left,
                    });
                    (read.last, read.single) = (right, true);
                    read.kind = super::kind::product(read.kind, factor, kind);
                    return;
                } else if self.whole(read).level == Level::Entrywise {
                    let whole = self.whole(read);
                    read.done = None;
                    read.last = juxtaposed(&Term::atom(parentheses(&whole.text)), &right);
                } else {
                    let left = if read.single && read.done.is_some() { factor_of(left) } else { left };
                    read.last = juxtaposed(&left, &right);
                }
            }
            Factor::DotTimes | Factor::DotOver => {
                let whole = self.whole(read);
                let sign = self.entrywise(if factor == Factor::DotTimes { "\\odot" } else { "\\oslash" });
                // `a ⊘ b ⊙ c` is read in two ways
                let chain =
                    whole.level == Level::Entrywise && factor == Factor::DotTimes && !whole.text.contains("\\oslash");
                let left = if chain { whole.text.clone() } else { whole.before(Level::Product) };
                let text = format!("{left} {sign} {}", right.after(Level::Entrywise));
                read.done = None;
                read.open = None;
                read.last = Term { open: right.open, ..Term::new(text, Level::Entrywise) };
            }
        }
        read.single &= factor == Factor::Over;
        read.kind = super::kind::product(read.kind, factor, kind);
    }

    /// The factors since the last fraction, or that fraction.
    fn last(&self, read: &Read) -> Term {
        let Some((above, below)) = &read.open else { return read.last.clone() };
        let denominator = match below.as_slice() {
            [only] if !self.small => only.text.clone(),
            [only] => only.at_least(Level::Call),
            several => {
                let product = several[1..].iter().fold(several[0].clone(), |left, right| juxtaposed(&left, right));
                if self.small { parentheses(&product.text) } else { product.text }
            }
        };
        let numerator = match (self.small, above.level) {
            (true, _) => above.before(Level::Product),
            (false, Level::Condition) => parentheses(&above.text),
            (false, _) => above.text.clone(),
        };
        let level = if self.small { Level::Product } else { Level::Fraction };
        Term::new(self.fraction(&numerator, &denominator), level)
    }

    fn whole(&self, read: &Read) -> Term {
        let last = self.last(read);
        let last = match (&read.done, &read.open) {
            (Some(_), None) if read.single => factor_of(last),
            _ => last,
        };
        match &read.done {
            // an entrywise product after a number: `1/2 a ⊙ b`
            Some(done) if last.level == Level::Entrywise => {
                let text = format!("{} {}", done.before(Level::Product), last.text);
                Term { open: last.open, ..Term::new(text, Level::Entrywise) }
            }
            Some(done) => joined(done, &last, last.text.clone()),
            None => last,
        }
    }

    /// A fraction; in a line where it is small.
    pub(super) fn fraction(&self, above: &str, below: &str) -> String {
        if self.small { format!("{above}/{below}") } else { format!("\\frac{{{above}}}{{{below}}}") }
    }
}

/// A factor beside others: in parentheses where they would take it apart.
fn factor_of(term: Term) -> Term {
    if term.minus || term.level <= Level::Entrywise { Term::atom(parentheses(&term.text)) } else { term }
}

/// `a b`; a right factor that is a product has parentheses, as written, unless it reaches to the end.
pub(super) fn juxtaposed(left: &Term, right: &Term) -> Term {
    let reaches = right.level == Level::Product && right.open && !right.minus;
    joined(left, right, if reaches { right.text.clone() } else { right.after(Level::Product) })
}

/// The right factor stands as it is given; a dot keeps numbers apart.
fn joined(left: &Term, right: &Term, text: String) -> Term {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let numbers = left.text.chars().all(digits) && text.starts_with("\\frac");
    let word = |text: &str| text.starts_with("\\mathrm") || text.starts_with("\\text");
    let words = word(&text) || left.text.rsplit(' ').next().is_some_and(word);
    let sign = match () {
        () if text.starts_with(digits) || numbers => " \\cdot ",
        // upright words that touch are read as one
        () if words => " \\, ",
        () => " ",
    };
    Term { open: right.open, ..Term::new(format!("{}{sign}{text}", left.before(Level::Product)), Level::Product) }
}
