//! The iteration table: a line per row of the trace, in the columns that fit the page.

use blo_solvers::solution::trace::Row;

use blo::output::number::{column, short_time};

/// Blanks between columns.
const GAP: usize = 2;

/// What a column shows.
#[derive(Clone, Debug, PartialEq)]
enum What {
    Iteration,
    Upper,
    Lower,
    UpperResidual,
    LowerResidual,
    MethodResidual,
    Gap,
    Time,
    /// The metric at this place.
    Metric(usize),
}

struct Column {
    title: String,
    width: usize,
    what: What,
    /// The least important columns are left out first.
    rank: usize,
}

/// The columns of a run.
pub(crate) struct Iterations {
    columns: Vec<Column>,
    /// The pass of the last row, and the latest pass.
    pass: u64,
    latest: u64,
}

impl Iterations {
    /// All columns that fit into `page`; the first three always stand. What is left out is in `--trace`.
    pub(crate) fn new(metrics: &[String], page: usize) -> Iterations {
        let column = |title: &str, width, what, rank| Column { title: title.to_owned(), width, what, rank };
        let mut columns = vec![
            column("iter", 6, What::Iteration, 0),
            column("upper", 11, What::Upper, 0),
            column("lower", 11, What::Lower, 0),
            column("r upper", 8, What::UpperResidual, 2),
            column("r lower", 8, What::LowerResidual, 3),
            column("r method", 8, What::MethodResidual, 5),
            column("gap", 8, What::Gap, 6),
            column("time", 6, What::Time, 4),
        ];
        let metric = |(i, name): (usize, &String)| column(name, name.chars().count().max(11), What::Metric(i), 1);
        columns.extend(metrics.iter().enumerate().map(metric));
        let total = |columns: &[Column]| columns.iter().map(|c| c.width + GAP).sum::<usize>() - GAP;
        while total(&columns) > page {
            let last = (0..columns.len()).filter(|c| columns[*c].rank > 0).max_by_key(|c| (columns[*c].rank, *c));
            let Some(last) = last else { break };
            columns.remove(last);
        }
        Iterations { columns, pass: 1, latest: 1 }
    }

    /// The line of titles.
    pub(crate) fn title(&self) -> String {
        self.line(|c| c.title.clone())
    }

    /// The line of a row, and before it a mark where the row does not follow from the one above: a pass begins there, or
    /// the run goes back to the end of an earlier one.
    pub(crate) fn marked(&mut self, row: &Row) -> String {
        let mark = match row.pass {
            pass if pass == self.pass => String::new(),
            pass if pass > self.latest => format!("-- pass {pass}, from {}\n", row.from.text()),
            pass => format!("-- the end of pass {pass}, which is better\n"),
        };
        (self.pass, self.latest) = (row.pass, self.latest.max(row.pass));
        mark + &self.row(row)
    }

    fn row(&self, row: &Row) -> String {
        let residual = |v: f64| if v.is_nan() { "-".to_owned() } else { column(v, 2) };
        self.line(|c| match c.what {
            What::Iteration => row.iteration.to_string(),
            What::Upper => column(row.upper, 4),
            What::Lower => column(row.lower, 4),
            What::UpperResidual => residual(row.residuals.upper),
            What::LowerResidual => residual(row.residuals.lower),
            What::MethodResidual => residual(row.residuals.method),
            What::Gap if row.residuals.gap.is_nan() => "-".to_owned(),
            What::Gap => column(row.residuals.gap, 1),
            What::Time => short_time(row.seconds),
            What::Metric(i) => match row.metrics.get(i) {
                Some(Some(v)) => column(*v, 4),
                Some(None) => "-".to_owned(),
                None => String::new(),
            },
        })
    }

    fn line(&self, cell: impl Fn(&Column) -> String) -> String {
        let cells = self.columns.iter().map(|c| format!("{:>width$}", cell(c), width = c.width));
        cells.collect::<Vec<_>>().join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blo_solvers::solution::trace::PassStart;
    use blo_solvers::solution::trace::Residuals;

    fn row() -> Row {
        let residuals = Residuals { upper: 1e-3, lower: 0.0, method: f64::INFINITY, gap: -1.0 };
        Row {
            iteration: 10000,
            pass: 1,
            from: PassStart::Start,
            seconds: 725.0,
            upper: -0.5,
            lower: 1e-300,
            residuals,
            metrics: vec![Some(0.5), Some(1.0)],
            variables: Vec::new(),
        }
    }

    #[test]
    fn rows_stand_below_their_titles() {
        let metrics = ["accuracy_on_test".to_owned(), "acc".to_owned()];
        for page in [40, 80, 200] {
            let table = Iterations::new(&metrics, page);
            let (title, line) = (table.title(), table.row(&row()));
            assert_eq!(title.chars().count(), line.chars().count(), "\n{title}\n{line}");
            assert!(title.chars().count() <= page, "\n{title}\n{line}");
        }
    }

    #[test]
    fn passes_are_marked_where_they_begin_and_where_the_run_goes_back() {
        let mut table = Iterations::new(&[], 80);
        let passes = [(1, PassStart::Start), (1, PassStart::Start), (2, PassStart::Start), (1, PassStart::Start)];
        let marks = passes.into_iter().chain([(3, PassStart::Better), (4, PassStart::End)]).map(|(pass, from)| {
            let text = table.marked(&Row { pass, from, ..row() });
            text.lines().next().filter(|_| text.lines().count() == 2).unwrap_or_default().to_owned()
        });
        let wanted = [
            "",
            "",
            "-- pass 2, from the start",
            "-- the end of pass 1, which is better",
            "-- pass 3, from a better point",
            "-- pass 4, from the end of the pass before",
        ];
        assert_eq!(marks.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn all_columns_fit_80_without_metrics() {
        let table = Iterations::new(&[], 80);
        assert_eq!(table.columns.len(), 8);
        assert_eq!(table.title().chars().count(), 80);
    }

    #[test]
    fn metrics_stay_longest() {
        let titles = |page| Iterations::new(&["acc".to_owned()], page).columns.into_iter().map(|c| c.title);
        assert_eq!(titles(60).collect::<Vec<_>>(), ["iter", "upper", "lower", "r upper", "acc"]);
        assert_eq!(titles(20).collect::<Vec<_>>(), ["iter", "upper", "lower"]);
    }
}
