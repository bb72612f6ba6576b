//! `episodes` items and their fields: `D.tr.u[j]` are the support rows of task `j`, `D.val.u[j]` its query rows. Rows are
//! chosen by index inputs over the columns of the dataset, so new tasks are new positions in the same program; labels
//! are those of the task, 0 to ways - 1.

use blo_grammar::ast::{Expr, ItemKind, Name};
use blo_grammar::span::Span;

use crate::data::{Draw, OptionValue};
use crate::graph::{Elem, Formal};
use crate::model::checker::{Checked, Checker, Reported};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::model::problem::{DataItem, DataOrigin, Episodes, Kind, Share};
use crate::shape::{Dim, Shape};

const OPTIONS: [&str; 6] = ["classes", "query", "seed", "shots", "tasks", "ways"];

impl Checker<'_> {
    /// `episodes D from d (tasks = 16, ways = 10, shots = 1, query = 15, classes = 1..100, seed = 5)`.
    pub(crate) fn episodes(&mut self, item: usize) -> Checked<Meaning> {
        let ast = self.file.ast;
        let ItemKind::Episodes { name, source, options } = &ast.items[item].kind else {
            unreachable!("episodes are declared by their items")
        };
        let mut seed = 0;
        let mut range = None;
        let mut counts = [None; 4];
        const COUNTS: [&str; 4] = ["tasks", "ways", "shots", "query"];
        for o in options {
            let text = o.name.text.as_str();
            match COUNTS.iter().position(|n| *n == text) {
                Some(k) => counts[k] = Some(self.count(&o.value)?),
                None if text == "seed" => seed = self.seed(o)?,
                None if text == "classes" => range = Some((self.label_range(&o.value)?, o.value.span)),
                None => return self.fail(message::unknown_option_of(&o.name, "episodes", &OPTIONS)),
            }
        }
        if let Some(k) = counts.iter().position(Option::is_none) {
            return self.fail(message::episodes_need(name.span, COUNTS[k]));
        }
        let [tasks, ways, shots, query] = counts.map(|c| c.unwrap_or(1));
        let view = self.rows_source(source)?;
        let columns = &self.rows.tables.datasets[self.rows.tables.views[view].dataset].columns;
        let labels: Vec<usize> = (0..columns.len()).filter(|c| columns[*c].kind.is_label()).collect();
        let [labels] = labels[..] else {
            return self.fail(message::one_label_column(source.span, labels.len(), self.rows.tables.views[view].span));
        };
        let (Kind::Label(known), declared) = (columns[labels].kind, columns[labels].span) else {
            unreachable!("chosen as labels")
        };
        let (classes, at) = match (range, known) {
            (Some(((first, last), at)), _) => {
                if let Some(known) = known.filter(|known| last > *known) {
                    return self.fail(message::classes_outside(at, last, known, declared));
                }
                (first - 1..last, at)
            }
            (None, Some(known)) => (0..known, source.span),
            (None, None) => return self.fail(message::episodes_need(name.span, "classes")),
        };
        if classes.len() < ways {
            return self.fail(message::more_ways_than_classes(at, ways, classes.len()));
        }
        self.sizes.set(&name.text, tasks as i64);
        let draw = Draw { tasks, ways, shots, query, classes };
        let text = name.text.clone();
        self.rows.tables.episodes.push(Episodes {
            name: text,
            view,
            labels,
            draw,
            seed,
            span: name.span,
            formals: [None; 2],
        });
        Ok(Meaning::Episodes(self.rows.tables.episodes.len() - 1))
    }

    /// A whole number from 1 known before data is read.
    fn count(&mut self, e: &Expr) -> Checked<usize> {
        let value = self.constant_option(e)?;
        match OptionValue::whole(value).filter(|n| (1..=1 << 20).contains(n)) {
            Some(n) => Ok(n as usize),
            None => self.fail(message::size_not_whole(e.span, "a count from 1", value)),
        }
    }

    /// `1..100`: classes counted from 1, as positions are.
    fn label_range(&mut self, e: &Expr) -> Checked<(usize, usize)> {
        match self.option_value(e)? {
            OptionValue::Range(first, last) if 1 <= first && first <= last => Ok((first as usize, last as usize)),
            _ => self.fail(message::class_range(e.span)),
        }
    }

    /// `D.tr`.
    pub(crate) fn share(&mut self, episodes: usize, field: &Name) -> Checked<Meaning> {
        match field.text.as_str() {
            "tr" => Ok(Meaning::Rows(episodes, Share::Support)),
            "val" => Ok(Meaning::Rows(episodes, Share::Query)),
            _ => {
                let e = &self.rows.tables.episodes[episodes];
                let d = message::unknown_field(field, &e.name, &["tr", "val"], e.span);
                self.fail(d)
            }
        }
    }

    /// `D.tr.u`.
    pub(crate) fn task_column(&mut self, episodes: usize, share: Share, field: &Name, base: Span) -> Checked<Meaning> {
        let e = self.rows.tables.episodes[episodes].clone();
        let per_task = Dim::constant((e.draw.ways * e.rows_per_class(share)) as i64);
        let columns = &self.rows.tables.datasets[self.rows.tables.views[e.view].dataset].columns;
        if columns[e.labels].name == field.text {
            let name = format!("{}.{}.{}", e.name, share.word(), field.text);
            let kind = Kind::Label(Some(e.draw.ways));
            let shape = Shape(vec![e.tasks(), per_task]);
            let origin = DataOrigin::TaskLabels { episodes, share };
            let node = self.formal(name, shape.clone(), Elem::Real, origin, kind, e.span);
            return Ok(Meaning::Stack(LoopArray { kind, ..LoopArray::real(node, Vec::new(), shape) }));
        }
        let Meaning::Array(column) = self.column_of(e.view, field, base)? else { return Err(Reported) };
        let rows = self.task_rows(episodes, share, field, base)?;
        let gathered = self.graph.gather(column.node, rows, 0);
        let mut shape = column.shape.clone();
        shape.0[0] = per_task;
        shape.0.insert(0, e.tasks());
        let node = self.graph.reshape(gathered, &shape);
        Ok(Meaning::Stack(LoopArray { kind: column.kind, ..LoopArray::real(node, Vec::new(), shape) }))
    }

    /// The positions of the rows of all tasks: one index input for every column.
    fn task_rows(&mut self, episodes: usize, share: Share, field: &Name, base: Span) -> Checked<crate::graph::NodeId> {
        let e = self.rows.tables.episodes[episodes].clone();
        let per_task = Dim::constant((e.draw.ways * e.rows_per_class(share)) as i64);
        let Some(count) = e.tasks().mul(&per_task) else { unreachable!("a symbol times a number is a dimension") };
        let shape = Shape(vec![count]);
        if let Some(formal) = e.formals[share as usize] {
            return Ok(self.graph.input(formal, shape, Elem::Index));
        }
        // Labels decide which rows a task may have: they are data of the problem even where no formula names them.
        let columns = &self.rows.tables.datasets[self.rows.tables.views[e.view].dataset].columns;
        let labels = Name { text: columns[e.labels].name.clone(), span: field.span };
        let labels = self.column_formal(e.view, &labels, base)?;
        let name = format!("{}.{} rows", e.name, share.word());
        let origin = DataOrigin::TaskRows { episodes, share, labels };
        let node = self.formal(name, shape, Elem::Index, origin, Kind::Real, e.span);
        self.rows.tables.episodes[episodes].formals[share as usize] = Some(self.formals.len() - 1);
        Ok(node)
    }

    /// The position among the formals of a column of a view.
    fn column_formal(&mut self, view: usize, field: &Name, base: Span) -> Checked<usize> {
        self.column_of(view, field, base)?;
        let name = format!("{}.{}", self.rows.tables.views[view].name, field.text);
        let found = self.rows.data.iter().find(|d| d.name == name && matches!(d.origin, DataOrigin::Column { .. }));
        found.map(|d| d.formal).ok_or(Reported)
    }

    /// A new data formal and its node.
    pub(crate) fn formal(
        &mut self,
        name: String,
        shape: Shape,
        elem: Elem,
        origin: DataOrigin,
        kind: Kind,
        span: Span,
    ) -> crate::graph::NodeId {
        let formal = self.formals.len();
        self.formals.push(Formal { name: name.clone(), shape: shape.clone(), elem });
        self.rows.data.push(DataItem { formal, name, shape: shape.clone(), origin, kind, span });
        self.graph.input(formal, shape, elem)
    }
}
