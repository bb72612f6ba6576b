//! What the program keeps: the fields of its state, its data and its configuration, and the numbers of the iteration with
//! where each comes from.

use blo_engine::shape::{Dim, Shape, Sizes};

use super::names::Names;
use crate::export::{Array, Values};

/// A field of the state or of the data.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Its lengths, for the reader.
    pub(super) shape: Vec<usize>,
    /// Its first axis are rows of data.
    pub(super) rows: bool,
    /// What it is.
    pub(super) doc: String,
}

/// A number of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: Amount,
    pub(super) doc: String,
}

/// The value of a number of the configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    /// A number.
    Real(f64),
    /// How many.
    Count(u64),
}

/// The fields of the program under construction.
pub(super) struct Fields<'a> {
    pub(super) sizes: &'a Sizes,
    /// Names of fields of the data.
    pub(super) names: Names,
    pub(super) data: Vec<Field>,
    pub(super) arrays: Vec<Array>,
    pub(super) settings: Vec<Setting>,
    pub(super) setting_names: Names,
    /// First dimensions of data that are rows.
    pub(super) rows: Vec<Dim>,
}

impl Fields<'_> {
    /// True where the first axis of a shape are rows of data.
    pub(super) fn is_by_rows(&self, shape: &Shape) -> bool {
        shape.0.first().is_some_and(|first| self.rows.contains(first))
    }

    /// The lengths of a shape.
    pub(super) fn lengths(&self, shape: &Shape) -> Vec<usize> {
        shape.sizes(self.sizes).expect("sizes are known once the data are read")
    }

    /// A further array of the data.
    pub(super) fn array(&mut self, wanted: &str, shape: Vec<usize>, values: Values, rows: bool, doc: &str) -> String {
        let name = self.names.fresh(wanted);
        self.data.push(Field { name: name.clone(), shape: shape.clone(), rows, doc: doc.to_owned() });
        self.arrays.push(Array { name: name.clone(), shape, values });
        name
    }

    /// Recorded numbers.
    pub(super) fn recorded(&mut self, name: &str, values: Vec<f64>, doc: &str) -> String {
        self.array(&format!("recorded {name}"), vec![values.len()], Values::Real(values), false, doc)
    }

    /// A further number of the configuration.
    pub(super) fn setting(&mut self, wanted: &str, value: f64, doc: &str) -> String {
        let name = self.setting_names.fresh(wanted);
        self.settings.push(Setting { name: name.clone(), value: Amount::Real(value), doc: doc.to_owned() });
        name
    }

    /// A further whole number of the configuration.
    pub(super) fn count(&mut self, wanted: &str, value: u64, doc: &str) -> String {
        let name = self.setting_names.fresh(wanted);
        self.settings.push(Setting { name: name.clone(), value: Amount::Count(value), doc: doc.to_owned() });
        name
    }
}

/// Numbers of iterations, one each: the same for all, or recorded.
pub(super) enum Course {
    /// One number.
    Constant(f64),
    /// Differs.
    Varies(Vec<f64>),
}

impl Course {
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Course {
        let values: Vec<f64> = values.collect();
        match values.first() {
            Some(first) if values.iter().all(|v| v.to_bits() == first.to_bits()) => Course::Constant(*first),
            _ => Course::Varies(values),
        }
    }
}
