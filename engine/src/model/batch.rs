//! Minibatches: an objective that adds up rows of a dataset is put on a batch of them, and the rows of each batch are drawn
//! without replacement. Which rows belong to which iteration depends on its number and the seed alone, so that a run that
//! is resumed draws the same.
//!
//! An epoch of n = ceil(N/B) batches goes through the N rows in a shuffled order, and every row has the weight n in its
//! batch: so the mean of the n objectives, and of their gradients, is that on all rows, also where the last batch is short.
//! The places that it leaves empty repeat one of its rows with weight 0.

use std::sync::Arc;

use blo_grammar::span::Span;

use super::bind::{Bindings, Bound};
use super::problem::{Batches, LevelBatch, LevelId, Problem};
use crate::calculus::{BatchInputs, Coupled, on_batch, row_dims};
use crate::data::{Array, permutation};
use crate::graph::{Elem, Formal};
use crate::shape::{Dim, Shape, Sizes};

/// Why an objective cannot be put on a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// It depends on no rows of a dataset.
    NoRows {
        /// The objective.
        span: Span,
    },
    /// It depends on rows of several datasets or parts.
    SeveralDatasets {
        /// The objective.
        span: Span,
        /// Their names.
        names: Vec<String>,
    },
    /// It is not a sum over the rows.
    Coupled {
        /// What couples them.
        coupled: Coupled,
        /// The dataset or part.
        name: String,
    },
}

/// A batch of more rows than there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFewRows {
    /// The level.
    pub level: LevelId,
    /// The dataset or part.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// The rows of a batch.
    pub size: usize,
}

/// The problem with batches of so many rows for some of its levels.
///
/// # Errors
/// The first level whose objective is not a sum over the rows of one dataset plus terms without rows.
pub fn with_batches(problem: &Problem, sizes: &[(LevelId, usize)]) -> Result<Problem, (LevelId, BatchError)> {
    let mut formals = problem.formals.clone();
    let mut levels = Vec::new();
    for (level, size) in sizes {
        let (name, rows) = rows_of(problem, *level).map_err(|why| (*level, why))?;
        let first = formals.len();
        let inputs = BatchInputs { rows: first, places: first + 1, weights: first + 2 };
        let word = if *level == LevelId::UPPER { "upper" } else { "lower" };
        let mut formal = |what: &str, length: usize, elem| {
            let shape = Shape(vec![Dim::constant(length as i64)]);
            formals.push(Formal { name: format!("{word} batch {what}"), shape, elem });
        };
        formal("rows", *size, Elem::Index);
        formal("places", *size, Elem::Index);
        formal("weights", 2, Elem::Real);
        levels.push(LevelBatch { level: *level, name, rows, size: *size, inputs });
    }
    let mut all = Problem { formals: formals.clone(), batches: None, ..problem.clone() };
    all.levels.iter_mut().for_each(|level| level.widen(&formals));
    let mut some = all.clone();
    for batch in &levels {
        let objective = &problem.level(batch.level).objective;
        let found = on_batch(objective, &batch.rows, batch.size, batch.inputs, &formals);
        let coupled = |coupled| (batch.level, BatchError::Coupled { coupled, name: batch.name.clone() });
        some.levels[batch.level.index()].objective = found.map_err(coupled)?;
    }
    all.batches = Some(Arc::new(Batches { problem: some, levels }));
    Ok(all)
}

/// The one dataset, or part of one, whose rows an objective depends on.
fn rows_of(problem: &Problem, level: LevelId) -> Result<(String, Dim), BatchError> {
    let objective = &problem.level(level).objective;
    let span = objective.graph().span_of(objective.outputs()[0]);
    let views = &problem.tables.views;
    let dims: Vec<Dim> = views.iter().map(|view| view.rows.clone()).collect();
    match row_dims(objective, &dims)[..] {
        [] => Err(BatchError::NoRows { span }),
        [view] => Ok((views[view].name.clone(), dims[view].clone())),
        ref several => {
            let names = several.iter().map(|view| views[*view].name.clone()).collect();
            Err(BatchError::SeveralDatasets { span, names })
        }
    }
}

/// The rows of the batches of a run.
#[derive(Clone, Debug)]
pub struct RowStream {
    seed: u64,
    levels: Vec<Epoch>,
    /// Values of the index inputs, by formal.
    now: Vec<(usize, Vec<usize>)>,
}

/// The order of the rows of a level.
#[derive(Clone, Debug)]
struct Epoch {
    batch: LevelBatch,
    rows: usize,
    /// Which epoch the order is of.
    number: Option<u64>,
    order: Vec<usize>,
}

impl Epoch {
    /// Batches in an epoch.
    fn batches(&self) -> u64 {
        self.rows.div_ceil(self.batch.size) as u64
    }

    /// Writes the rows of the batch of an iteration and the places of their weights.
    fn draw(&mut self, k: u64, seed: u64, rows: &mut [usize], places: &mut [usize]) {
        let (number, piece) = ((k - 1) / self.batches(), (k - 1) % self.batches());
        if self.number != Some(number) {
            let name = if self.batch.level == LevelId::UPPER { "batches above" } else { "batches below" };
            self.order = permutation(self.rows, seed, number, name);
            // The order within a batch does not matter: arrays are read forwards, and a batch of all rows is the data.
            self.order.chunks_mut(self.batch.size).for_each(<[usize]>::sort_unstable);
            self.number = Some(number);
        }
        let first = piece as usize * self.batch.size;
        let last = self.rows.min(first + self.batch.size) - 1;
        for (i, (row, place)) in rows.iter_mut().zip(places).enumerate() {
            *row = self.order[last.min(first + i)];
            *place = usize::from(first + i <= last);
        }
    }
}

impl RowStream {
    /// The stream of a seed for a problem with batches.
    ///
    /// # Errors
    /// When a batch has more rows than there are.
    pub fn new(batches: &Batches, sizes: &Sizes, seed: u64) -> Result<RowStream, TooFewRows> {
        let (mut levels, mut now) = (Vec::new(), Vec::new());
        for batch in &batches.levels {
            let rows = batch.rows.size(sizes).unwrap_or(0);
            if rows < batch.size {
                return Err(TooFewRows { level: batch.level, name: batch.name.clone(), rows, size: batch.size });
            }
            now.extend([batch.inputs.rows, batch.inputs.places].map(|formal| (formal, vec![0; batch.size])));
            levels.push(Epoch { batch: batch.clone(), rows, number: None, order: Vec::new() });
        }
        Ok(RowStream { seed, levels, now })
    }

    /// The rows of iteration `k`, counted from 1: values of index inputs, by formal.
    pub fn of_iteration(&mut self, k: u64) -> &[(usize, Vec<usize>)] {
        for (epoch, pair) in self.levels.iter_mut().zip(self.now.chunks_mut(2)) {
            let [(_, rows), (_, places)] = pair else { unreachable!("two inputs for each level") };
            epoch.draw(k, self.seed, rows, places);
        }
        &self.now
    }

    /// Batches in the longest epoch.
    pub fn batches(&self) -> u64 {
        self.levels.iter().map(Epoch::batches).max().unwrap_or(1)
    }

    /// The data with the values of the formals of batches, those of iteration `k`.
    pub fn bound(&mut self, data: &Bindings, k: u64) -> Bindings {
        let mut data = data.clone();
        self.of_iteration(k);
        for (epoch, pair) in self.levels.iter().zip(self.now.chunks(2)) {
            data.values.extend(pair.iter().map(|(_, positions)| Bound::Index(positions.clone())));
            data.values.push(Array::new(vec![2], vec![0.0, epoch.batches() as f64]).into());
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Memory;
    use crate::diff::reverse::gradient;
    use crate::model::{Settings, bind, check};
    use crate::oracle::{self, Tensor, Value};

    const TEXT: &str = "
        dataset d { u = csv(\"d.csv\", columns = 1..2)  v = csv(\"d.csv\", column = 3) }
        split d into train: 7, val: 4
        upper { var x[train]  minimize mean((val.u*y - val.v).^2) }
        lower { var y[2]  minimize sum(exp(x).*(train.u*y - train.v).^2)/14 + 0.1*normsq(y) }";

    fn problem(text: &str) -> Problem {
        check(&blo_grammar::parse(text).ast, text, "p", &Settings::default()).problem.unwrap()
    }

    fn data(problem: &Problem) -> Bindings {
        let row = |i: u32| format!("{:.3},{:.3},{i}\n", f64::from(i).sin(), f64::from(i).cos());
        let csv = (1..12).fold(String::from("a,b,c\n"), |text, i| text + &row(i));
        bind(problem, &Memory::new().with("d.csv", csv), 0).unwrap()
    }

    fn with(lower: usize, upper: usize) -> Problem {
        with_batches(&problem(TEXT), &[(LevelId::UPPER, upper), (LevelId::LOWER, lower)]).unwrap()
    }

    #[test]
    fn an_epoch_has_every_row_once_and_the_next_one_another_order() {
        for size in [1, 2, 3, 7] {
            let problem = with(size, 2);
            let mut stream = RowStream::new(problem.batches.as_ref().unwrap(), &data(&problem).sizes, 3).unwrap();
            let mut epoch = |first: u64| -> Vec<usize> {
                let batches = 7usize.div_ceil(size) as u64;
                (first..first + batches)
                    .flat_map(|k| {
                        let now = stream.of_iteration(k);
                        let ([rows, places], weights) = ([2, 3].map(|i| now[i].1.clone()), [0, 1]);
                        assert!(places.iter().all(|p| weights.contains(p)));
                        rows.into_iter().zip(places).filter(|(_, place)| *place == 1).map(|(row, _)| row)
                    })
                    .collect()
            };
            let first = epoch(1);
            let again = epoch(1);
            let second = epoch(1 + 7usize.div_ceil(size) as u64);
            assert_eq!(first, again);
            let sorted = |mut rows: Vec<usize>| {
                rows.sort_unstable();
                rows
            };
            assert_eq!([sorted(first.clone()), sorted(second.clone())], [(0..7).collect::<Vec<_>>(), (0..7).collect()]);
            assert_eq!(first == second, size == 7, "{size}: {first:?}");
        }
    }

    /// Gradients in x and y, by the oracle.
    fn slopes(problem: &Problem, level: LevelId, data: &Bindings) -> Vec<f64> {
        let objective = &problem.level(level).objective;
        let mut inputs = vec![
            Value::Real(Tensor::new(vec![7], (0..7).map(|i| 0.3 - 0.1 * f64::from(i)).collect())),
            Value::Real(Tensor::new(vec![2], vec![0.4, -1.2])),
        ];
        inputs.extend(data.values.iter().map(Bound::value));
        let variables: Vec<usize> = [0, 1].into_iter().filter(|v| objective.depends_on(*v)).collect();
        let found = oracle::evaluate::<f64>(&gradient(objective, &variables), &data.sizes, &inputs);
        found.into_iter().flat_map(|t| t.values).collect()
    }

    #[test]
    fn the_mean_of_the_gradients_of_an_epoch_is_the_gradient_on_all_rows() {
        for (lower, upper) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 1), (7, 4)] {
            let problem = with(lower, upper);
            let batches = problem.batches.as_ref().unwrap();
            let plain = data(&problem);
            let mut stream = RowStream::new(batches, &plain.sizes, 0).unwrap();
            for (level, rows, size) in [(LevelId::LOWER, 7, lower), (LevelId::UPPER, 4, upper)] {
                let all = slopes(&problem, level, &stream.bound(&plain, 1));
                let n = usize::div_ceil(rows, size) as u64;
                let mut mean = vec![0.0; all.len()];
                for k in 1..=n {
                    let some = slopes(problem.in_steps(), level, &stream.bound(&plain, k));
                    mean.iter_mut().zip(some).for_each(|(m, v)| *m += v / n as f64);
                }
                let far = all.iter().zip(&mean).map(|(a, m)| (a - m).abs()).fold(0.0, f64::max);
                assert!(far < 1e-13, "{size} of {rows}: {all:?} {mean:?}");
                let first = slopes(problem.in_steps(), level, &stream.bound(&plain, 1));
                assert_eq!(first == all, size == rows, "{size} of {rows}");
            }
        }
    }

    #[test]
    fn a_batch_has_no_more_rows_than_there_are() {
        let problem = with(8, 2);
        let why = RowStream::new(problem.batches.as_ref().unwrap(), &data(&problem).sizes, 0).unwrap_err();
        assert_eq!((why.level, why.name.as_str(), why.rows, why.size), (LevelId::LOWER, "train", 7, 8));
    }

    #[test]
    fn levels_that_do_not_add_up_rows_are_refused_where_they_do_not() {
        let refused = |lower: &str| {
            let text = TEXT.replace("sum(exp(x).*(train.u*y - train.v).^2)/14 + 0.1*normsq(y)", lower);
            let why = with_batches(&problem(&text), &[(LevelId::LOWER, 2)]).unwrap_err();
            let at = |span: Span| text[span.start as usize..span.end as usize].to_string();
            match why.1 {
                BatchError::NoRows { span } => format!("none: {}", at(span)),
                BatchError::SeveralDatasets { span, names } => format!("{}: {}", names.join(" and "), at(span)),
                BatchError::Coupled { coupled, name } => format!("{name}: {}: {}", coupled.why, at(coupled.span)),
            }
        };
        let found = [
            "normsq(y)",
            "mean((train.u*y - train.v).^2) + mean((val.u*y).^2)",
            "log(mean((train.u*y - train.v).^2))",
            "norm2(train.u*y - train.v)^2",
        ]
        .map(refused);
        let linear = "a sum over all rows is an operand of something that is not linear in it";
        assert_eq!(
            found,
            [
                "none: normsq(y)".to_string(),
                "train and val: mean((train.u*y - train.v).^2) + mean((val.u*y).^2)".to_string(),
                format!("train: {linear}: log(mean((train.u*y - train.v).^2))"),
                "train: this takes all rows together, and is not a sum: norm2(train.u*y - train.v)".to_string(),
            ]
        );
    }
}
