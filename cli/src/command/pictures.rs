//! The pictures that `--plot` asks for: what they need of a run, and how they are drawn and written.

use blo_engine::model::Bindings;
use blo_engine::stop::StopToken;
use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::landscape::Entries;
use blo_solvers::solution::trace::Row;
use blo_solvers::solution::{LevelResult, Solution};
use blo_solvers::{Value, known_errors, landscape};

use crate::args::{ModelArguments, Plot};
use crate::exit::Failure;
use crate::input::model::Model;
use crate::output::console::Console;
use crate::output::file;
use crate::picture::curves::{Draw, along_iterations, compare};
use crate::picture::landscape::{Walk, draw};
use crate::picture::of_run::{caption, curves, quantity};

/// Pictures of a run of a problem.
pub(super) struct Pictures<'a> {
    pub(super) plots: &'a [Plot],
    pub(super) model: &'a Model,
    pub(super) arguments: &'a ModelArguments,
    pub(super) data: &'a Bindings,
}

impl Pictures<'_> {
    /// Refuses the landscape of a problem that has none, before the run.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub(super) fn check(&self) -> Result<(), Failure> {
        let found = Entries::of(&self.model.problem, &self.data.sizes);
        let landscape = self.plots.iter().find(|plot| matches!(plot, Plot::Landscape(_)));
        let has_rows = !self.model.problem.lower().constraints.is_empty();
        match landscape {
            Some(plot) if has_rows => Err(Failure::Usage {
                message: format!(
                    "--plot landscape={}: a landscape shows lower levels without rows of `subject to`",
                    plot.path().display()
                ),
                help: Some("`--plot p.svg` draws residuals and errors, whatever the rows".to_owned()),
            }),
            Some(plot) if !found.are_two() => Err(Failure::Usage {
                message: format!(
                    "--plot landscape={}: a landscape has one number x and one number y, and this problem has {} upper and \
                     {} lower ones",
                    plot.path().display(),
                    found.upper,
                    found.lower
                ),
                help: Some("`--plot p.svg` draws residuals and errors, whatever the sizes".to_owned()),
            }),
            _ => Ok(()),
        }
    }

    /// True where rows have to hold their variables: for a landscape, and for errors of variables.
    pub(super) fn want_variables(&self) -> bool {
        let known = &self.model.problem.known;
        let with_errors = known.nearest.iter().any(Option::is_some) || known.upper.is_some() || known.lower.is_some();
        self.plots.iter().any(|plot| matches!(plot, Plot::Landscape(_)) || with_errors)
    }

    /// Draws and writes them, each whatever becomes of the others; returns why some of them are not there.
    pub(super) fn write(&self, solution: &Solution, console: &mut Console) -> Vec<Failure> {
        // the time of the run is over, and this is asked for beside it
        let data = Bindings { stop: StopToken::default(), ..self.data.clone() };
        let mut failed = Vec::new();
        for plot in self.plots {
            let picture = match plot {
                Plot::Curves(_) => self.curves(solution, &data, compare),
                Plot::Iterations(_) => self.curves(solution, &data, along_iterations),
                Plot::Landscape(_) => self.landscape(solution, &data),
            };
            let written = match picture {
                Ok(picture) => file::write(plot.path(), picture.as_bytes()),
                Err(diagnostic) => Err(console.reject(&self.model.document, &[*diagnostic])),
            };
            failed.extend(written.err());
        }
        failed
    }

    /// Residuals and errors of a run.
    ///
    /// # Errors
    /// When a known point cannot be compared with.
    pub(super) fn curves(&self, solution: &Solution, data: &Bindings, draw: Draw) -> Result<String, Box<Diagnostic>> {
        let errors = known_errors(&self.model.problem, data, &solution.rows)?;
        let curves = curves(&solution.rows, solution.failure.as_ref(), &errors);
        let mut caption = caption(solution, &self.arguments.define);
        if solution.polish.is_some() || solution.verdict.found_by.is_some() {
            caption.0.insert(1, "of the method's own iterates: the result was improved after them".to_owned());
        }
        Ok(draw(&curves, &quantity(), &caption))
    }

    /// The lower objective with the iterates of a run whose rows hold the variables.
    ///
    /// # Errors
    /// When the lower level cannot be drawn.
    pub(super) fn landscape(&self, solution: &Solution, data: &Bindings) -> Result<String, Box<Diagnostic>> {
        let of = |level: &LevelResult| -> (String, f64) {
            let (name, array) =
                level.variables.first().unwrap_or_else(|| unreachable!("the sizes have been looked at"));
            (name.clone(), array.values[0])
        };
        let ((x, x_end), (y, y_end)) = (of(&solution.upper), of(&solution.lower));
        let end = [x_end, y_end];
        let iterate = |row: &Row| [row.variables[0][0], row.variables[1][0]];
        let passes = solution.rows.chunk_by(|a, b| a.pass == b.pass);
        let passes: Vec<Vec<[f64; 2]>> = passes.map(|rows| rows.iter().map(iterate).collect()).collect();
        let points: Vec<[f64; 2]> = passes.iter().flatten().copied().chain([end]).collect();
        let seed = solution.options.iter().find(|o| o.name == "seed").map_or(0, |o| match o.value {
            Value::Integer(seed) => seed,
            _ => 0,
        });
        let map = landscape(&self.model.problem, data, &points, seed)?
            .unwrap_or_else(|entries| unreachable!("the sizes have been looked at: {entries:?}"));
        let walk = Walk { names: [&x, &y], passes: &passes, end, failed: solution.failure.is_some() };
        Ok(draw(&map, &walk, &caption(solution, &self.arguments.define)))
    }
}
