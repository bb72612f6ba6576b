//! The data problems of the suite as tasks for the reference solver, and variants of them: columns of another size, an
//! upper objective in other units, training and validation rows exchanged. A variant is a program and files made from
//! the original ones, with its own optimum in `known`.

use std::fmt::Write as _;

use blo_engine::data::Memory;
use faer::Mat;

use crate::case::{Bar, Case, Minimum, Optimum};
use crate::program::{Program, programs};
use crate::real_data::{Table, table};
use crate::reference::{Interval, LocalMinimum, Model, Rows, Task};

/// A data problem.
#[derive(Clone, Copy, Debug)]
pub struct DataProblem {
    /// Its program in `tests/suite/solve`.
    pub program: &'static str,
    /// Its data set.
    pub data: &'static str,
    /// Its lower level.
    pub model: Model,
    /// The upper variable's interval.
    pub interval: Interval,
    /// Number of columns.
    columns: usize,
    /// How much the upper objective may exceed the optimum, relatively.
    pub tolerance: f64,
}

const fn interval(from: f64, to: f64) -> Interval {
    Interval { from, to, step: 0.025 }
}

/// The data problems.
#[rustfmt::skip]
pub const DATA_PROBLEMS: [DataProblem; 5] = [
    DataProblem { program: "ridge_diabetes", data: "diabetes", model: Model::Ridge, interval: interval(-12.0, 8.0), columns: 10, tolerance: 1e-3 },
    DataProblem { program: "lasso_prostate", data: "prostate", model: Model::Lasso, interval: interval(-8.0, 1.0), columns: 8, tolerance: 1e-3 },
    DataProblem { program: "nnls_sonar", data: "sonar", model: Model::Nonnegative, interval: interval(-10.0, 4.0), columns: 60, tolerance: 1e-3 },
    DataProblem { program: "simplex_sonar", data: "sonar", model: Model::Simplex, interval: interval(-8.0, 6.0), columns: 60, tolerance: 1e-3 },
    DataProblem { program: "logreg_sonar", data: "sonar", model: Model::Logistic, interval: interval(-10.0, 3.0), columns: 60, tolerance: 5e-3 },
];

/// A change of a data problem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// None.
    Original,
    /// Each column times `10^u`, `u` uniform on [-1, 1].
    Columns {
        /// Of the factors.
        seed: u64,
    },
    /// The upper objective times 1000.
    Units,
    /// Training and validation rows exchanged.
    Exchanged,
}

impl Change {
    /// As shown in tables.
    pub fn name(self) -> String {
        match self {
            Change::Original => String::new(),
            Change::Columns { seed } => format!(" (columns {seed})"),
            Change::Units => " (F x 1000)".to_string(),
            Change::Exchanged => " (exchanged)".to_string(),
        }
    }
}

impl DataProblem {
    /// A variant as a task for the reference solver, whose upper objective keeps its units. Factors scale the columns
    /// after all other preparation.
    ///
    /// # Errors
    /// When the data is not there.
    pub fn task(&self, change: Change) -> Result<Task, String> {
        let table = table(self.data)?;
        let (mut train, mut valid) = self.split(&table);
        if change == Change::Exchanged {
            std::mem::swap(&mut train, &mut valid);
        }
        let mut columns: Vec<Vec<f64>> =
            (0..self.columns).map(|j| (0..table.rows.len()).map(|i| table.number(i, j)).collect()).collect();
        let mut targets = self.targets(&table);
        let mean = |values: &[f64]| train.iter().map(|i| values[*i]).sum::<f64>() / train.len() as f64;
        if matches!(self.model, Model::Ridge | Model::Lasso) {
            let center = mean(&targets);
            targets.iter_mut().for_each(|t| *t -= center);
        }
        for (column, factor) in columns.iter_mut().zip(self.factors(change)) {
            if self.model == Model::Lasso {
                let center = mean(column);
                let variance = mean(&column.iter().map(|v| (v - center).powi(2)).collect::<Vec<_>>());
                column.iter_mut().for_each(|v| *v = (*v - center) / variance.sqrt());
            }
            column.iter_mut().for_each(|v| *v *= factor);
        }
        if self.model == Model::Logistic {
            columns.push(vec![1.0; table.rows.len()]);
        }
        let part = |rows: &[usize]| Rows {
            features: Mat::from_fn(rows.len(), columns.len(), |i, j| columns[j][rows[i]]),
            targets: rows.iter().map(|i| targets[*i]).collect(),
        };
        Ok(Task::new(self.model, part(&train), part(&valid)))
    }

    /// Training and validation rows.
    fn split(&self, table: &Table) -> (Vec<usize>, Vec<usize>) {
        let trains = |i: &usize| match self.model {
            Model::Lasso => table.rows[*i][9] == "T",
            _ => i.is_multiple_of(2),
        };
        (0..table.rows.len()).partition(trains)
    }

    fn targets(&self, table: &Table) -> Vec<f64> {
        let target = |i: usize| match self.model {
            Model::Ridge => table.number(i, 10),
            Model::Lasso => table.number(i, 8),
            Model::Nonnegative | Model::Simplex => f64::from(table.rows[i][60] == "M"),
            Model::Logistic => 2.0 * f64::from(table.rows[i][60] == "M") - 1.0,
        };
        (0..table.rows.len()).map(target).collect()
    }

    /// The factors of a change.
    fn factors(&self, change: Change) -> Vec<f64> {
        let Change::Columns { seed } = change else { return vec![1.0; self.columns] };
        (0..self.columns).map(|j| 10f64.powf(2.0 * uniform(seed, j as u64) - 1.0)).collect()
    }

    /// The reference solver's minima of a variant, the best one first.
    ///
    /// # Errors
    /// When the data is not there.
    pub fn minima(&self, change: Change) -> Result<Vec<LocalMinimum>, String> {
        let task = self.task(change)?;
        let mut found = task.minima(self.interval);
        if change == Change::Units {
            found.iter_mut().for_each(|m| m.value *= 1000.0);
        }
        Ok(found)
    }

    /// The variant as a case.
    pub fn case(&self, change: Change) -> Case {
        let program = programs("tests/suite/solve").into_iter().find(|p| p.name == self.program);
        let program = program.unwrap_or_else(|| unreachable!("`{}` is a program of the suite", self.program));
        let bar = Bar { upper: Some(self.tolerance), near: Some(0.5), ..Bar::LOOSE };
        let name = format!("{}{}", self.program, change.name());
        let mut case = Case {
            name,
            program,
            params: Vec::new(),
            files: Memory::new(),
            bar,
            optimum: Optimum::Known,
            absent: None,
        };
        match self.variant(change, &case.program) {
            Ok((program, files, minima)) => {
                for (name, text) in &files {
                    case.files = case.files.with(name, text.as_str());
                }
                case.program = program;
                case.optimum = Optimum::KnownAmong(minima.iter().skip(1).map(named).collect());
            }
            Err(why) => case.absent = Some(why),
        }
        case
    }

    /// The program, its files and its minima.
    #[allow(clippy::type_complexity)]
    fn variant(
        &self,
        change: Change,
        original: &Program,
    ) -> Result<(Program, Vec<(&'static str, String)>, Vec<LocalMinimum>), String> {
        let table = table(self.data)?;
        let minima = self.minima(change)?;
        let factors = self.factors(change);
        let mut program = original.clone();
        let mut files = vec![(table.file, table.text())];
        match change {
            Change::Original => return Ok((program, files, minima)),
            Change::Units => program.text = multiply_upper(&program.text),
            Change::Exchanged => program.text = exchange(&program.text),
            // its columns are standardized first, so the factors come after that
            Change::Columns { .. } if self.model == Model::Lasso => {
                let data = format!("data factor[{}] = csv(\"factors.csv\", column = 1)\nlet A = ", self.columns);
                let scaled = "standardize(raw, rows = train)*diag(factor)";
                let text = replace_once(&program.text, "let A = ", &data);
                program.text = replace_once(&text, "standardize(raw, rows = train)", scaled);
                files.push(("factors.csv", factors.iter().map(|f| format!("{f:?}\n")).collect()));
            }
            Change::Columns { .. } => files = vec![(table.file, table.scaled(&factors).text())],
        }
        let known = program.text.find("\nknown").expect("programs of data problems end with `known`");
        program.text.truncate(known);
        let best = minima[0];
        let _ = writeln!(program.text, "\nknown {{ x = {:?};  upper = {:?} }}", best.x, best.value);
        Ok((program, files, minima))
    }
}

/// Its name in reports.
fn named(m: &LocalMinimum) -> Minimum {
    let place = if m.at_end { "end " } else { "" };
    Minimum { name: format!("{place}x = {:.3}", m.x), upper: m.value, x: Some(m.x) }
}

/// The upper objective in units a thousand times smaller.
fn multiply_upper(text: &str) -> String {
    let upper = text.find("upper {").expect("an upper level");
    let from = upper + text[upper..].find("minimize ").expect("an objective") + "minimize ".len();
    let to = from + text[from..].find('\n').expect("a line");
    format!("{}1000*({}){}", &text[..from], &text[from..to], &text[to..])
}

/// Training rows as validation rows and the other way round.
fn exchange(text: &str) -> String {
    let text = replace_once(text, "let train = ", "let other = ");
    let text = replace_once(&text, "let valid = ", "let train = ");
    replace_once(&text, "let other = ", "let valid = ")
}

fn replace_once(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "`{old}` occurs once");
    text.replacen(old, new, 1)
}

/// A number in [0, 1) by the splitmix64 mixer.
fn uniform(seed: u64, index: u64) -> f64 {
    let mut z = (seed << 32 ^ index).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
