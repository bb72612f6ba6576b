//! Datasets of a checked problem: columns with a common number of rows, the parts that splits make of them, and label
//! noise. A view is a dataset or a part of one; a data formal holds one column of one view.

use blo_grammar::span::Span;

use super::{DataOrigin, Kind};
use crate::data::{Draw, Replacement};
use crate::shape::{Dim, Shape};

/// All that a problem declares of datasets; positions refer to these lists.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The `dataset` items.
    pub datasets: Vec<Dataset>,
    /// Datasets and their parts, parents first.
    pub views: Vec<DatasetView>,
    /// The `split` items, parents first.
    pub splits: Vec<Split>,
    /// The `corrupt` items.
    pub corruptions: Vec<Corruption>,
    /// The `episodes` items.
    pub episodes: Vec<Episodes>,
}

/// Few-shot tasks over a view.
#[derive(Clone, Debug)]
pub struct Episodes {
    /// Its name, which is a dimension too: the number of tasks.
    pub name: String,
    /// The view that rows come from.
    pub view: usize,
    /// The column of labels.
    pub labels: usize,
    /// What is drawn.
    pub draw: Draw,
    /// The seed.
    pub seed: u64,
    /// Its declaration.
    pub span: Span,
    /// The index inputs that hold the rows of each share, where a formula needs them.
    pub formals: [Option<usize>; 2],
}

/// Which rows of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Share {
    /// Those to learn from: `D.tr`.
    Support,
    /// Those to be judged on: `D.val`.
    Query,
}

impl Share {
    /// As written in programs.
    pub fn word(self) -> &'static str {
        match self {
            Share::Support => "tr",
            Share::Query => "val",
        }
    }
}

impl Episodes {
    /// The number of tasks.
    pub fn tasks(&self) -> Dim {
        Dim::symbol(&self.name)
    }

    /// Rows of each class in a share.
    pub fn rows_per_class(&self, share: Share) -> usize {
        match share {
            Share::Support => self.draw.shots,
            Share::Query => self.draw.query,
        }
    }
}

/// Columns with a common number of rows.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Its number of rows, a symbol that is known when a column is read.
    pub rows: Dim,
    /// Its columns.
    pub columns: Vec<Column>,
    /// True where its number of rows, or that of a part, is a number of the problem.
    pub counted: bool,
}

/// A column of a dataset.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its shape, rows first.
    pub shape: Shape,
    /// A file or a generator.
    pub origin: DataOrigin,
    /// What its numbers stand for.
    pub kind: Kind,
    /// Its declaration.
    pub span: Span,
}

/// Some rows of a dataset.
#[derive(Clone, Debug)]
pub struct DatasetView {
    /// Its name, which is a dimension too.
    pub name: String,
    /// Its dataset.
    pub dataset: usize,
    /// What it is a part of.
    pub parent: Option<usize>,
    /// Its number of rows.
    pub rows: Dim,
    /// Its declaration.
    pub span: Span,
}

/// A view divided into disjoint parts.
#[derive(Clone, Debug)]
pub struct Split {
    /// The view.
    pub source: usize,
    /// Its parts, in order: views.
    pub parts: Vec<usize>,
    /// Their sizes, as declared.
    pub sizes: Vec<Dim>,
    /// Rows are shuffled under this seed; without one they stay in the order of the file.
    pub seed: Option<u64>,
}

/// Noise on the labels of a view, which its parts share.
#[derive(Clone, Debug)]
pub struct Corruption {
    /// The view.
    pub view: usize,
    /// The column of its dataset.
    pub column: usize,
    /// Expected share of rows that are drawn.
    pub fraction: f64,
    /// What they get.
    pub replacement: Replacement,
    /// The seed.
    pub seed: u64,
    /// The name of the boolean column that marks the wrong rows.
    pub mask: Option<String>,
    /// Number of classes.
    pub classes: usize,
    /// The item.
    pub span: Span,
}

impl Tables {
    /// A view and what it is part of, nearest first.
    pub fn lineage(&self, view: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(view), |v| self.views[*v].parent)
    }

    /// The noise on a column of a view: its own, or that of what it is part of.
    pub fn corruption(&self, view: usize, column: usize) -> Option<usize> {
        self.lineage(view).find_map(|v| self.corruptions.iter().position(|c| c.view == v && c.column == column))
    }

    /// `train.u`.
    pub fn column_name(&self, view: usize, column: usize) -> String {
        let view = &self.views[view];
        format!("{}.{}", view.name, self.datasets[view.dataset].columns[column].name)
    }
}
