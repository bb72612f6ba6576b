//! `dataset` and `split` items and the fields of both. A dataset name is a dimension; a column becomes a data formal for
//! each part in which it is used, so that rows nobody uses are never kept.

use blo_grammar::ast::{self, Assign, Dimension, Expr, ItemKind, Name};
use blo_grammar::span::Span;

use crate::graph::Elem;
use crate::model::checker::{Checked, Checker, Declared, Reported};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::model::problem::{Claim, Column, DataOrigin, Dataset, DatasetView, DerivedSize, Kind, Need, Split};
use crate::shape::{Dim, Shape};

impl<'a> Checker<'a> {
    /// `dataset d { u = idx("...")  v = idx("...", classes = 10) }`.
    pub(crate) fn dataset(&mut self, name: &str, columns: &'a [ast::Column], at: Span) -> Checked<Meaning> {
        let rows = Dim::symbol(name);
        let mut checked: Vec<Column> = Vec::new();
        let mut failed = false;
        for c in columns {
            if let Some(first) = checked.iter().find(|k| k.name == c.name.text) {
                self.diagnostics.push(message::declared_twice(&c.name.text, c.name.span, first.span));
                failed = true;
                continue;
            }
            match self.dataset_column(name, &rows, c) {
                Ok(column) => checked.push(column),
                Err(Reported) => failed = true,
            }
        }
        if failed {
            return Err(Reported);
        }
        if !checked.iter().any(|c| matches!(c.origin, DataOrigin::File { .. })) {
            return self.fail(message::dataset_without_file(at, name));
        }
        let dataset = self.rows.tables.datasets.len();
        self.rows.tables.datasets.push(Dataset {
            name: name.to_string(),
            rows: rows.clone(),
            columns: checked,
            counted: false,
        });
        self.rows.tables.views.push(DatasetView { name: name.to_string(), dataset, parent: None, rows, span: at });
        Ok(Meaning::Dataset(self.rows.tables.views.len() - 1))
    }

    /// A column; its declared sizes are those after the rows.
    fn dataset_column(&mut self, dataset: &str, rows: &Dim, column: &'a ast::Column) -> Checked<Column> {
        let name = format!("{dataset}.{}", column.name.text);
        let (origin, kind) = self.origin(&column.value, &name, column.dims.as_deref().unwrap_or(&[]))?;
        let mut shape = vec![rows.clone()];
        match &column.dims {
            Some(dims) if dims.len() > 3 => return self.fail(message::rank_above_four(column.name.span)),
            Some(dims) => {
                for (k, d) in dims.iter().enumerate() {
                    shape.push(match d {
                        Dimension::Size(e) => self.size(e)?,
                        Dimension::Deferred(_) => self.deferred_width(&name, k + 1),
                    });
                }
            }
            None => {
                for k in 1..undeclared_rank(&origin) {
                    shape.push(self.deferred_width(&name, k));
                }
            }
        }
        Ok(Column { name: column.name.text.clone(), shape: Shape(shape), origin, kind, span: column.name.span })
    }

    /// A part of `split d into train: 5000, val: 5000`; the first that is needed brings in all of them.
    pub(crate) fn part(&mut self, item: usize, part: usize) -> Checked<Meaning> {
        if let Some(done) = self.rows.split_views.get(&item) {
            return done.as_ref().map(|views| Meaning::Dataset(views[part])).map_err(|r| *r);
        }
        let views = self.split(item);
        let value = views.as_ref().map(|views| Meaning::Dataset(views[part])).map_err(|r| *r);
        self.rows.split_views.insert(item, views);
        value
    }

    fn split(&mut self, item: usize) -> Checked<Vec<usize>> {
        let ast = self.file.ast;
        let ItemKind::Split { source, options, parts } = &ast.items[item].kind else {
            unreachable!("parts are declared by splits")
        };
        let mut seed = Ok(None);
        for o in options {
            seed = match o.name.text.as_str() {
                "seed" => self.seed(o).map(Some),
                _ => self.fail(message::unknown_option_of(&o.name, "split", &["seed"])),
            };
        }
        let view = self.rows_source(source)?;
        let seed = seed?;
        let mut sizes = Vec::new();
        for (_, size) in parts {
            let dim = self.size(size)?;
            self.require(Claim::Some { length: dim.clone(), needs: Need::Part }, size.span)?;
            sizes.push(dim);
        }
        let first = self.rows.tables.views.len();
        let dataset = self.rows.tables.views[view].dataset;
        for ((name, _), size) in parts.iter().zip(&sizes) {
            let name = name.text.as_str();
            let at = self.names.globals.get(name).map(|(_, at)| *at).unwrap_or_default();
            match size.size(&self.sizes) {
                Ok(n) => self.sizes.set(name, n as i64),
                Err(_) => {
                    let (symbol, reach) = (name.to_string(), size.clone());
                    self.size_checks.derived.push(DerivedSize { symbol, reach, stride: 1, span: at });
                }
            }
            let rows = Dim::symbol(name);
            self.rows.tables.views.push(DatasetView {
                name: name.to_string(),
                dataset,
                parent: Some(view),
                rows,
                span: at,
            });
        }
        let views: Vec<usize> = (first..self.rows.tables.views.len()).collect();
        let tables = &self.rows.tables;
        let part = |(view, size): (&usize, &Dim)| {
            let view = &tables.views[*view];
            (view.name.clone(), view.span, size.clone())
        };
        let of = &tables.views[view];
        let (source_name, rows) = (of.name.clone(), of.rows.clone());
        let parts = views.iter().zip(&sizes).map(part).collect();
        self.require(Claim::Parts { parts, source: source_name, rows }, source.span)?;
        self.rows.tables.splits.push(Split { source: view, parts: views.clone(), sizes, seed });
        Ok(views)
    }

    /// The number of rows of a view, as a size: that of its dataset is found out for it.
    pub(crate) fn rows_of(&mut self, view: usize) -> Dim {
        let tables = &mut self.rows.tables;
        tables.datasets[tables.views[view].dataset].counted = true;
        tables.views[view].rows.clone()
    }

    /// The dataset that a split divides or episodes are drawn from.
    pub(crate) fn rows_source(&mut self, source: &Name) -> Checked<usize> {
        let at = self.names.globals.get(&source.text).map(|(_, at)| *at);
        if at.is_some()
            && let Meaning::Dataset(view) = self.name(&source.text, source.span)?
        {
            return Ok(view);
        }
        let is_dataset = |d: &Declared<'_>| matches!(d, Declared::Dataset(_) | Declared::Part(..));
        let known = self.names.globals.iter().filter(|(_, (d, _))| is_dataset(d)).map(|(n, _)| n.as_str());
        let d = message::not_a_dataset(source, at, &known.collect::<Vec<_>>());
        self.fail(d)
    }

    /// `seed = 1`.
    pub(crate) fn seed(&mut self, option: &Assign) -> Checked<u64> {
        let value = self.constant_option(&option.value)?;
        match crate::data::OptionValue::whole(value) {
            Some(seed) => Ok(seed),
            None => self.fail(message::size_not_whole(option.value.span, "a seed", value)),
        }
    }

    /// A number known before data is read.
    pub(crate) fn constant_option(&mut self, e: &Expr) -> Checked<f64> {
        let a = self.scalar(e, "this option")?;
        match self.number(&a)? {
            Some(v) => Ok(v),
            None => self.fail(message::constant_needed(e.span, "this option")),
        }
    }

    /// `train.u`.
    pub(crate) fn field(&mut self, base: &Expr, field: &Name) -> Checked<Meaning> {
        match self.expression(base)? {
            Meaning::Dataset(view) => self.column_of(view, field, base.span),
            Meaning::Episodes(episodes) => self.share(episodes, field),
            Meaning::Rows(episodes, share) => {
                let key = (self.rows.tables.episodes[episodes].name.clone() + "." + share.word(), field.text.clone());
                if let Some(known) = self.rows.fields.get(&key) {
                    return known.clone();
                }
                let value = self.task_column(episodes, share, field, base.span);
                self.rows.fields.insert(key, value.clone());
                value
            }
            _ => self.fail(message::no_fields(base.span, field)),
        }
    }

    /// A column of a view, elaborated once.
    pub(crate) fn column_of(&mut self, view: usize, field: &Name, base: Span) -> Checked<Meaning> {
        let key = (self.rows.tables.views[view].name.clone(), field.text.clone());
        if let Some(known) = self.rows.fields.get(&key) {
            return known.clone();
        }
        let value = self.new_column(view, field, base);
        self.rows.fields.insert(key, value.clone());
        value
    }

    fn new_column(&mut self, view: usize, field: &Name, base: Span) -> Checked<Meaning> {
        let tables = &self.rows.tables;
        let rows = tables.views[view].rows.clone();
        let columns = &tables.datasets[tables.views[view].dataset].columns;
        let name = format!("{}.{}", tables.views[view].name, field.text);
        let found = columns.iter().position(|c| c.name == field.text);
        let (origin, kind, shape, span) = if let Some(column) = found {
            let c = &columns[column];
            let mut shape = c.shape.clone();
            shape.0[0] = rows;
            (DataOrigin::Column { view, column }, c.kind, shape, c.span)
        } else {
            // Noise on a parent marks the rows of its parts too.
            let mask = (0..columns.len()).find_map(|column| {
                let corruption = &tables.corruptions[tables.corruption(view, column)?];
                (corruption.mask.as_deref() == Some(&field.text)).then_some((column, corruption.span))
            });
            match mask {
                Some((column, span)) => (DataOrigin::Mask { view, column }, Kind::Boolean, Shape(vec![rows]), span),
                None if self.rows.lost_masks.contains(&field.text) => return Err(Reported),
                None => {
                    let masks = tables.corruptions.iter().filter(|c| tables.lineage(view).any(|v| v == c.view));
                    let masks = masks.filter_map(|c| c.mask.as_deref());
                    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).chain(masks).collect();
                    let d = message::unknown_field(field, &self.text(base), &names, tables.views[view].span);
                    return self.fail(d);
                }
            }
        };
        let node = self.formal(name, shape.clone(), Elem::Real, origin, kind, span);
        Ok(Meaning::Array(LoopArray { kind, ..LoopArray::real(node, Vec::new(), shape) }))
    }
}

/// The axes of a column without declared sizes, as far as its origin tells without being read; else a plain column.
fn undeclared_rank(origin: &DataOrigin) -> usize {
    match origin {
        DataOrigin::File { format, options, .. } => {
            crate::data::format(format).and_then(|f| f.rank(options)).unwrap_or(1)
        }
        _ => 1,
    }
}
