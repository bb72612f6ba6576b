//! `corrupt` items: label noise on a column of a dataset or of a part. What the noise does is `data::Noise`; here its
//! target and options are understood.

use blo_grammar::ast::{Assign, Expr, ExprKind, ItemKind};

use crate::data::Replacement;
use crate::model::checker::{Checked, Checker, Reported};
use crate::model::meaning::Meaning;
use crate::model::message;
use crate::model::problem::{Corruption, Kind};

const OPTIONS: [&str; 4] = ["fraction", "mask", "seed", "to"];

impl Checker<'_> {
    /// Every `corrupt` item, before a field is looked at: masks are fields.
    pub(crate) fn corruptions(&mut self) {
        let ast = self.file.ast;
        for item in &ast.items {
            let ItemKind::Corrupt { target, options } = &item.kind else { continue };
            match self.corruption(target, options) {
                Ok(mut c) => {
                    c.span = target.span;
                    self.rows.tables.corruptions.push(c);
                }
                Err(Reported) => {
                    let mask = options.iter().find(|o| o.name.text == "mask");
                    self.rows.lost_masks.extend(mask.and_then(|o| Checker::plain_name(&o.value)).map(str::to_string));
                }
            }
        }
    }

    fn corruption(&mut self, target: &Expr, options: &[Assign]) -> Checked<Corruption> {
        let ExprKind::Field { base, field } = &target.kind else {
            return self.fail(message::corrupt_target(target.span, &self.text(target.span)));
        };
        let Meaning::Dataset(view) = self.expression(base)? else {
            return self.fail(message::no_fields(base.span, field));
        };
        let tables = &self.rows.tables;
        let columns = &tables.datasets[tables.views[view].dataset].columns;
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        let Some(column) = columns.iter().position(|c| c.name == field.text) else {
            let d = message::unknown_field(field, &self.text(base.span), &names, tables.views[view].span);
            return self.fail(d);
        };
        let (kind, declared) = (columns[column].kind, columns[column].span);
        let Kind::Label(classes) = kind else {
            return self.fail(message::corrupt_numbers(target.span, &self.text(target.span), declared));
        };
        let Some(classes) = classes.filter(|c| *c >= 2) else {
            return self.fail(message::too_few_classes(target.span, declared));
        };
        let overlap = tables.corruptions.iter().find(|c| {
            let related = tables.lineage(view).any(|v| v == c.view) || tables.lineage(c.view).any(|v| v == view);
            c.column == column && related
        });
        if let Some(first) = overlap {
            return self.fail(message::corrupted_twice(target.span, first.span));
        }
        let mut c = Corruption {
            view,
            column,
            fraction: f64::NAN,
            replacement: Replacement::Other,
            seed: 0,
            mask: None,
            classes,
            span: target.span,
        };
        let taken: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        for o in options {
            match o.name.text.as_str() {
                "fraction" => {
                    c.fraction = self.constant_option(&o.value)?;
                    if !(0.0..=1.0).contains(&c.fraction) {
                        return self.fail(message::bad_fraction(o.value.span, c.fraction));
                    }
                }
                "to" => {
                    c.replacement = match Checker::plain_name(&o.value) {
                        Some("other") => Replacement::Other,
                        Some("any") => Replacement::Any,
                        _ => return self.fail(message::word_needed(o.value.span, "to", "`other` or `any`")),
                    }
                }
                "seed" => c.seed = self.seed(o)?,
                "mask" => match Checker::plain_name(&o.value) {
                    Some(name) if taken.iter().any(|t| t == name) => {
                        return self.fail(message::declared_twice(name, o.value.span, declared));
                    }
                    Some(name) => c.mask = Some(name.to_string()),
                    None => return self.fail(message::word_needed(o.value.span, "mask", "a name for the new column")),
                },
                _ => return self.fail(message::unknown_option_of(&o.name, "corrupt", &OPTIONS)),
            }
        }
        if c.fraction.is_nan() {
            return self.fail(message::fraction_missing(target.span));
        }
        Ok(c)
    }
}
