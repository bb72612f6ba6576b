//! Whether a claim holds. Where every size has a value, exact arithmetic says so. Else the values that are known are put
//! in, and signs of what is left decide what they can: `n + 1` is outside of `1..n` whatever n is.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::{Claim, Need, Obligation, Verdict};
use crate::limits::{ENTRIES, Limits};
use crate::model::message;
use crate::shape::{Dim, Shape, SizeError, Sizes};
use crate::sign::Sign;

impl Obligation {
    /// What the sizes say of it.
    pub fn judge(&self, sizes: &Sizes, limits: &Limits) -> Verdict {
        let judged = Judge { sizes, span: self.span, origins: &self.origins }.claim(&self.claim, limits);
        judged.unwrap_or_else(Verdict::Broken)
    }
}

/// The sizes of a judgement and the place to blame.
struct Judge<'a> {
    sizes: &'a Sizes,
    span: Span,
    origins: &'a [(String, Span)],
}

/// A verdict that is not `Broken`, or the reason.
type Judged = Result<Verdict, Box<Diagnostic>>;

impl Judge<'_> {
    fn claim(&self, claim: &Claim, limits: &Limits) -> Judged {
        match claim {
            Claim::Within { first, last, extent } => self.within(first, last, extent),
            Claim::Range { first, last } => self.range(first, last),
            Claim::Size(size) => self.size(size),
            Claim::Number(number) => match number.value(self.sizes) {
                Ok(_) => Ok(Verdict::Holds),
                Err(SizeError::Unknown(_)) if number.is_whole_by_form() => Ok(Verdict::Holds),
                Err(SizeError::Unknown(_)) => Ok(Verdict::Open),
                Err(why) => Err(self.bad_size(&why)),
            },
            Claim::Some { length, needs } => self.some(length, *needs),
            Claim::Parts { parts, source, rows } => self.parts(parts, source, rows),
            Claim::Array(shape) => self.array(shape, limits),
        }
    }

    fn within(&self, first: &Dim, last: &Dim, extent: &Dim) -> Judged {
        let whole = [self.is_whole(first, "an index")?, self.is_whole(last, "an index")?];
        let (low, high) = (first.sub(&Dim::constant(1)), extent.sub(last));
        let (Some(low), Some(high), Some(more)) = (low, high, last.sub(first)) else {
            return Ok(Verdict::Open);
        };
        let (low, high, more) = (self.sign(&low)?, self.sign(&high)?, self.sign(&more)?);
        if more == Sign::Negative {
            return Ok(Verdict::Holds);
        }
        if low == Sign::Negative || high == Sign::Negative {
            let position = if low == Sign::Negative { first } else { last };
            let known = (self.number(position), self.number(extent));
            return Err(self.with_origins(message::out_of_range(self.span, &known.0, &known.1)));
        }
        let holds = low.is_nonnegative() && high.is_nonnegative() && whole == [true; 2];
        Ok(if holds { Verdict::Holds } else { Verdict::Open })
    }

    fn range(&self, first: &Dim, last: &Dim) -> Judged {
        let whole = [self.is_whole(first, "the end of a range")?, self.is_whole(last, "the end of a range")?];
        let Some(reach) = last.sub(first) else { return Ok(Verdict::Open) };
        let Some(length) = reach.add(&Dim::constant(1)) else { return Ok(Verdict::Open) };
        // Of an empty range in numbers nothing can come; one with a param has other values.
        let is_literal = first.as_rational().is_some() && last.as_rational().is_some();
        let least = if is_literal { self.sign(&reach)? } else { self.sign(&length)? };
        if least == Sign::Negative {
            let (first, last) = (self.number(first), self.number(last));
            return Err(match is_literal {
                true => Box::new(message::backward_numbers(self.span, &first, &last, reach == Dim::constant(-1))),
                false => self.with_origins(message::backward_range(self.span, &first, &last)),
            });
        }
        let holds = self.sign(&length)?.is_nonnegative() && whole == [true; 2];
        Ok(if holds { Verdict::Holds } else { Verdict::Open })
    }

    fn size(&self, size: &Dim) -> Judged {
        match size.size(self.sizes) {
            Ok(_) => Ok(Verdict::Holds),
            Err(SizeError::Unknown(_)) => {
                let known = size.with(self.sizes);
                let sign = known.sign();
                if sign == Sign::Negative {
                    let (dim, value) = (size.to_string(), known.to_string());
                    return Err(self.bad_size(&SizeError::Negative { dim, value }));
                }
                let holds = sign.is_nonnegative() && known.is_whole_by_form();
                Ok(if holds { Verdict::Holds } else { Verdict::Open })
            }
            Err(why) => Err(self.bad_size(&why)),
        }
    }

    fn some(&self, length: &Dim, needs: Need) -> Judged {
        match self.sign(length)? {
            Sign::Positive => Ok(Verdict::Holds),
            Sign::Zero | Sign::Negative | Sign::NonPositive => Err(match needs {
                Need::Function(name) => self.with_origins(message::nothing_in_it(self.span, name)),
                Need::Blocks => self.with_origins(message::nothing_in_it(self.span, "blocks")),
                Need::Part => Box::new(message::empty_part(self.span)),
                Need::Variable => self.with_origins(message::empty_variable(self.span)),
                Need::Followers => self.with_origins(message::no_followers(self.span)),
            }),
            Sign::NonNegative | Sign::Unknown => Ok(Verdict::Open),
        }
    }

    fn parts(&self, parts: &[(String, Span, Dim)], source: &str, rows: &Dim) -> Judged {
        let value = |d: &Dim| d.size(self.sizes).ok().map(|n| n as i64);
        let Some(rows) = value(rows) else { return Ok(Verdict::Open) };
        let mut last = 0i64;
        for (name, span, size) in parts {
            let Some(size) = value(size) else { return Ok(Verdict::Open) };
            last += size;
            if last > rows {
                return Err(Box::new(message::split_too_large(*span, name, last, source, rows)));
            }
        }
        Ok(Verdict::Holds)
    }

    fn array(&self, shape: &Shape, limits: &Limits) -> Judged {
        let mut verdict = Verdict::Holds;
        let mut known = 1.0;
        for d in &shape.0 {
            match self.size(d)? {
                Verdict::Holds => {}
                _ => verdict = Verdict::Open,
            }
            match d.size(self.sizes) {
                Ok(n) => known *= n as f64,
                Err(_) => verdict = Verdict::Open,
            }
        }
        let most = limits.of(&ENTRIES);
        if known > most as f64 {
            let shape: Vec<String> = shape.0.iter().map(|d| self.number(d)).collect();
            let shape = format!("[{}]", shape.join(", "));
            return Err(Box::new(message::too_many_entries(self.span, &shape, known, most)));
        }
        Ok(verdict)
    }

    /// What is known of a sign.
    fn sign(&self, d: &Dim) -> Result<Sign, Box<Diagnostic>> {
        match d.value(self.sizes) {
            Ok(v) => Ok(Sign::of(*v.numer() as f64)),
            Err(SizeError::Unknown(_)) => Ok(d.with(self.sizes).sign()),
            Err(why) => Err(self.bad_size(&why)),
        }
    }

    /// True where the number is whole whatever the sizes are, false where that is not known.
    fn is_whole(&self, d: &Dim, what: &str) -> Result<bool, Box<Diagnostic>> {
        match d.value(self.sizes) {
            Ok(v) if v.is_integer() => Ok(true),
            Ok(v) => {
                let text = if d.as_rational().is_some() { v.to_string() } else { format!("`{d}` = {v}") };
                Err(self.with_origins(message::position_not_whole(self.span, what, &text)))
            }
            Err(SizeError::Unknown(_)) => Ok(d.with(self.sizes).is_whole_by_form()),
            Err(why) => Err(self.bad_size(&why)),
        }
    }

    /// A size for a message: its value where it has one.
    fn number(&self, d: &Dim) -> String {
        d.value(self.sizes).map_or_else(|_| d.to_string(), |v| v.to_string())
    }

    fn bad_size(&self, why: &SizeError) -> Box<Diagnostic> {
        let origins: Vec<(String, Span, Option<i64>)> =
            self.origins.iter().map(|(name, at)| (name.clone(), *at, self.sizes.get(name))).collect();
        Box::new(message::bad_size(self.span, why, &origins))
    }

    fn with_origins(&self, d: Diagnostic) -> Box<Diagnostic> {
        Box::new(self.origins.iter().fold(d, |d, (name, at)| match self.sizes.get(name) {
            Some(v) => d.with(*at, format!("`{name}` = {v} comes from here")),
            None => d,
        }))
    }
}
