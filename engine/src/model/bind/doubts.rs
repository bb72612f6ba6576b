//! Warnings about values, once they are known: the [`Doubt`]s of a problem, judged.

use std::collections::HashSet;

use blo_grammar::diagnostic::Diagnostic;

use super::Binder;
use crate::model::message;
use crate::model::problem::{About, DataItem, Doubt, well_formed};
use crate::oracle;

/// Operations that a look at values may take when data are read: about a second.
pub(super) const OF_VALUES: f64 = 3e8;

impl Binder<'_> {
    /// What the values that are known by now show, where a look at them takes at most so many operations. Each array is
    /// doubted once, at the first place that uses it.
    pub(super) fn doubts_of_values(&self, most: f64) -> Vec<Diagnostic> {
        let mut told = HashSet::new();
        let mut found = Vec::new();
        for doubt in &self.problem.doubts {
            let items = self.items_in(doubt);
            let key = (doubt.about.name(), items.iter().map(|item| item.formal).collect::<Vec<_>>());
            if let Some(d) = self.judge_values(doubt, &items, most)
                && (items.is_empty() || told.insert(key))
            {
                found.push(d);
            }
        }
        found
    }

    /// The data that the values are made of.
    fn items_in(&self, doubt: &Doubt) -> Vec<&DataItem> {
        self.problem.data.iter().filter(|item| doubt.values.depends_on(item.formal)).collect()
    }

    fn judge_values(&self, doubt: &Doubt, items: &[&DataItem], most: f64) -> Option<Diagnostic> {
        let f = &doubt.values;
        let is_known =
            |item: &&DataItem| self.values[item.formal].is_some() && !self.problem.is_solved_for(item.formal);
        if !items.iter().all(is_known)
            || !well_formed(f, &self.sizes, &self.problem.limits)
            || oracle::operations(f, &self.sizes) > most
            || self.problem.affords(f, &self.sizes, 1.0).is_err()
        {
            return None;
        }
        let values = self.evaluate(f)?;
        match doubt.about {
            About::Labels { function, between } => {
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let item = if let [item] = items { Some((item.name.as_str(), item.span)) } else { None };
                let is_outside = least < between[0] || greatest > between[1];
                is_outside.then(|| message::labels_out_of_range(doubt.span, function, between, [least, greatest], item))
            }
            About::ConstantColumns => {
                let constant = values.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, _)| i + 1);
                let constant: Vec<usize> = constant.collect();
                (!constant.is_empty()).then(|| message::constant_columns(doubt.span, &constant, values.len()))
            }
        }
    }
}

impl About {
    /// The function that the doubt is about.
    fn name(self) -> &'static str {
        match self {
            About::Labels { function, .. } => function,
            About::ConstantColumns => "standardize",
        }
    }
}
