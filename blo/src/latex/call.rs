//! Calls: functions of the program by their names, those of the language as the table says.

use blo_grammar::ast::{Argument, ExprKind, Name};

use super::expression::Writer;
use super::function::{Entry, Form, Special, by_name};
use super::kind::Kind;
use super::name::{named, symbol, upright};
use super::product::juxtaposed;
use super::term::{Level, Term, bars, norm, parentheses, script};

impl Writer<'_> {
    /// A call.
    pub(super) fn call(&self, function: &Name, arguments: &[Argument]) -> Term {
        let own = self.functions.contains(&function.text);
        match by_name(&function.text).filter(|_| !own) {
            Some(entry) => self.builtin(entry, arguments),
            None => self.applied(&named(&function.text), arguments),
        }
    }

    /// `f(a, b)`
    fn applied(&self, name: &str, arguments: &[Argument]) -> Term {
        let arguments: Vec<String> = arguments.iter().map(|a| self.argument(a)).collect();
        Term::new(format!("{name}{}", parentheses(&arguments.join(", "))), Level::Call)
    }

    fn argument(&self, argument: &Argument) -> String {
        let value = self.text(&argument.value);
        match &argument.name {
            Some(name) => format!("{} = {value}", upright(&name.text)),
            None => value,
        }
    }

    fn builtin(&self, entry: &'static Entry, arguments: &[Argument]) -> Term {
        if entry.meaning.is_some() {
            self.used.borrow_mut().insert(entry.name);
        }
        let first = arguments.first().map(|a| self.term(&a.value));
        let (Some(first), false) =
            (first, arguments.iter().any(|a| a.name.is_some() && !matches!(entry.form, Form::Name(_))))
        else {
            return self.applied(&format!("\\operatorname{{{}}}", entry.name), arguments);
        };
        match entry.form {
            Form::Name(name) => self.applied(name, arguments),
            Form::Bars => Term::atom(bars(&first.text)),
            Form::Norm(below, above) => {
                // the norm of the entries of a matrix has its own sign
                let matrix = below == "2" && self.kinds.kind(&arguments[0].value) == Kind::Matrix;
                let below = if matrix { "F" } else { below };
                let text = format!("{}{}{above}", norm(&first.text), script('_', below));
                Term::atom(text)
            }
            Form::Fence(open, close) => Term::atom(format!("\\left{open} {} \\right{close}", first.text)),
            Form::Special(special) => self.special(special, arguments, &first, entry.name),
        }
    }

    fn special(&self, special: Special, arguments: &[Argument], first: &Term, name: &str) -> Term {
        let kind = self.kinds.kind(&arguments[0].value);
        let other = arguments.get(1).map(|a| self.term(&a.value));
        let applied = |sign: &str| self.applied(sign, arguments);
        match special {
            Special::Dense => self.dense(arguments),
            Special::Dot => match other {
                Some(other) => Term::atom(format!("\\langle {}, {} \\rangle", first.text, other.text)),
                None => applied("\\operatorname{dot}"),
            },
            Special::Inverse => Term::new(format!("{}^{{-1}}", first.base()), Level::Scripted),
            Special::Solve => match other {
                Some(other) => juxtaposed(&Term::new(format!("{}^{{-1}}", first.base()), Level::Scripted), &other),
                None => applied("\\operatorname{solve}"),
            },
            Special::Constant(sign) => Term::atom(format!("{sign}_{{{}}}", self.sizes(arguments))),
            Special::Fill => {
                let ones = Term::atom(format!("\\mathbf{{1}}_{{{}}}", self.sizes(&arguments[1..])));
                juxtaposed(first, &ones)
            }
            Special::Total if kind == Kind::Column => {
                juxtaposed(&Term::new("\\mathbf{1}^{\\top}", Level::Scripted), first)
            }
            Special::Total => applied("\\operatorname{sum}"),
            Special::Mean => applied("\\operatorname{mean}"),
            Special::Extreme(sign) => {
                if arguments.len() > 1 && self.kinds.kind(&arguments[1].value) != Kind::Scalar {
                    self.entrywise(());
                }
                applied(sign)
            }
            Special::Power => {
                let Some(power) = arguments.get(1) else { return applied("\\operatorname{pow}") };
                self.raised(first, kind, &self.small().text(&power.value))
            }
            Special::Square => self.raised(first, kind, "2"),
            Special::NormSquared if kind == Kind::Scalar => Term::new(format!("{}^2", first.base()), Level::Scripted),
            Special::NormSquared => {
                let below = match kind {
                    Kind::Matrix => "_F",
                    Kind::Column | Kind::Row => "_2",
                    Kind::Scalar | Kind::Unknown => "",
                };
                Term::new(format!("{}{below}^2", norm(&first.text)), Level::Scripted)
            }
            Special::NormPower => self.norm_power(arguments, first),
            Special::Root => Term::new(format!("\\sqrt{{{}}}", first.text), Level::Atom),
            Special::Stack(between) => {
                let all: Vec<String> = arguments.iter().map(|a| self.argument(a)).collect();
                let text = format!("\\begin{{bmatrix}} {} \\end{{bmatrix}}", all.join(&format!(" {between} ")));
                Term::atom(text)
            }
            Special::Multiplier => match &arguments[0].value.kind {
                ExprKind::Name(row) => {
                    self.multipliers.borrow_mut().insert(row.clone());
                    Term::atom(self.multiplier_of(row))
                }
                _ => applied(&format!("\\operatorname{{{name}}}")),
            },
        }
    }

    /// The multiplier of a row.
    pub(super) fn multiplier_of(&self, row: &str) -> String {
        format!("{}_{{{}}}", self.multiplier, symbol(row).text())
    }

    /// Sizes as a script: `m \times n`
    fn sizes(&self, arguments: &[Argument]) -> String {
        let sizes: Vec<String> =
            arguments.iter().map(|a| self.small().term(&a.value).at_least(Level::Product)).collect();
        sizes.join(" \\times ")
    }

    fn raised(&self, base: &Term, kind: Kind, power: &str) -> Term {
        let mark = if kind == Kind::Scalar { "" } else { self.entrywise("\\odot ") };
        Term::new(format!("{}{}", base.base(), script('^', &format!("{mark}{power}"))), Level::Scripted)
    }

    /// `u W + 1 b'`
    fn dense(&self, arguments: &[Argument]) -> Term {
        let [u, w, b] = arguments else { return self.applied("\\operatorname{dense}", arguments) };
        let product = juxtaposed(&self.term(&u.value), &self.term(&w.value));
        let bias = format!("\\mathbf{{1}} {}^{{\\top}}", self.term(&b.value).base());
        Term { minus: product.minus, ..Term::new(format!("{} + {bias}", product.text), Level::Sum) }
    }

    /// `sum |a_i|^q`, and its smooth substitute.
    fn norm_power(&self, arguments: &[Argument], first: &Term) -> Term {
        let [_, power, smooth @ ..] = arguments else { return self.applied("\\operatorname{normq}", arguments) };
        let power = self.small().term(&power.value);
        let Some(eps) = smooth.first() else {
            return Term::new(
                format!("{}{}{}", norm(&first.text), script('_', &power.text), script('^', &power.text)),
                Level::Scripted,
            );
        };
        let squared = self.raised(first, Kind::Unknown, "2").text;
        let eps = format!("{}^2 \\mathbf{{1}}", self.term(&eps.value).base());
        let half = format!("\\odot {}/2", power.before(Level::Product));
        let text = format!(
            "\\operatorname{{sum}}{}",
            parentheses(&format!("{}^{{{half}}}", parentheses(&format!("{squared} + {eps}"))))
        );
        Term::new(text, Level::Call)
    }
}
