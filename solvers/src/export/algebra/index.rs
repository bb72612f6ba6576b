//! Places along an axis: sums of indices with whole factors. Positions count from 1, as both languages do.

use std::fmt::Write;

/// A place along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    /// Factors and what they multiply: an index, or an expression that is a whole number.
    pub(super) terms: Vec<(i64, String)>,
    /// What is added.
    pub(super) constant: i64,
}

impl Index {
    /// An index by its name.
    pub(super) fn named(name: &str) -> Index {
        Index { terms: vec![(1, name.to_owned())], constant: 0 }
    }

    /// A place that is known.
    pub(super) fn at(place: i64) -> Index {
        Index { terms: Vec::new(), constant: place }
    }

    /// `first + step (self - 1)`, counted from 1: the place in an array of which this is a slice.
    pub(super) fn sliced(&self, first: i64, step: i64) -> Index {
        let terms = self.terms.iter().map(|(factor, name)| (factor * step, name.clone())).collect();
        Index { terms, constant: first + step * (self.constant - 1) }
    }

    /// `(self - 1) length + other`: the place in rows that stand one behind the other.
    pub(super) fn row_of(&self, length: i64, other: &Index) -> Index {
        let mut all = self.sliced(0, length);
        all.terms.extend(other.terms.iter().cloned());
        Index { terms: all.terms, constant: all.constant + other.constant }
    }

    /// The index, where it is one without factor and shift.
    pub(super) fn name(&self) -> Option<&str> {
        match self.terms.as_slice() {
            [(1, name)] if self.constant == 0 => Some(name),
            _ => None,
        }
    }

    /// The place, where it is known.
    pub(super) fn place(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// As an expression; `of` writes an index.
    pub(super) fn text(&self, of: &dyn Fn(&str) -> String) -> String {
        let mut text = String::new();
        for (factor, name) in &self.terms {
            let sign = match (text.is_empty(), *factor < 0) {
                (true, true) => "-",
                (true, false) => "",
                (false, true) => " - ",
                (false, false) => " + ",
            };
            text += sign;
            if factor.abs() != 1 {
                let _ = write!(text, "{}*", factor.abs());
            }
            text += &of(name);
        }
        match self.constant {
            0 if !text.is_empty() => {}
            c if text.is_empty() => text = c.to_string(),
            c if c < 0 => text += &format!(" - {}", -c),
            c => text += &format!(" + {c}"),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_sums() {
        let same = |name: &str| name.to_owned();
        let i = Index::named("i");
        assert_eq!((i.name(), i.text(&same).as_str()), (Some("i"), "i"));
        // entries 3, 5, ... of an array: the first is that for i = 1
        assert_eq!(i.sliced(3, 2).text(&same), "2*i + 1");
        assert_eq!(i.row_of(4, &Index::named("j")).text(&same), "4*i + j - 4");
        assert_eq!(Index::at(2).sliced(3, 2).place(), Some(5));
        assert_eq!(Index::at(2).row_of(4, &Index::at(3)).place(), Some(7));
    }
}
