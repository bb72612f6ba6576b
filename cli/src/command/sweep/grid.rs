//! The grid of a sweep: which values a point has, and which points follow each other.

use crate::args::{Axis, axis};
use crate::exit::Failure;

/// No grid has more points.
const MOST: usize = 10_000;

/// The points of a sweep: every value of each axis with every value of the others, the last one fastest.
pub(super) struct Grid {
    axes: Vec<Swept>,
}

/// A name that takes values.
pub(super) struct Swept {
    axis: Axis,
    is_param: bool,
}

impl Grid {
    /// Params, then options, then the one that others are followed along.
    pub(super) fn of(params: &[Axis], options: &[(String, String)], along: Option<&str>) -> Result<Grid, Failure> {
        let mut axes: Vec<Swept> = params.iter().map(|axis| Swept { axis: axis.clone(), is_param: true }).collect();
        for (name, list) in options {
            let axis =
                axis(name, list).map_err(|why| Failure::Usage { message: format!("--set: {why}"), help: None })?;
            axes.push(Swept { axis, is_param: false });
        }
        if let Some(along) = along {
            let varies = |swept: &Swept| swept.axis.name == along && swept.axis.values.len() > 1;
            let Some(place) = axes.iter().position(varies) else {
                let message = format!("--along {along}: no flag gives several values to this name");
                return Err(Failure::Usage { message, help: None });
            };
            let last = axes.remove(place);
            axes.push(last);
        }
        let grid = Grid { axes };
        let points = grid.axes().try_fold(1usize, |n, axis| n.checked_mul(axis.values.len()).filter(|n| *n <= MOST));
        if points.is_none() {
            let help = Some(format!("a sweep has at most {MOST} points"));
            return Err(Failure::Usage { message: "the grid is too large".to_owned(), help });
        }
        if grid.varying().next().is_none() {
            return Err(Failure::Usage {
                message: "nothing varies: no flag has several values".to_owned(),
                help: Some("write a list: `-D n=10,100`, `--set K=8,16,64`; one run is `blo solve`".to_owned()),
            });
        }
        Ok(grid)
    }

    pub(super) fn axes(&self) -> impl DoubleEndedIterator<Item = &Axis> {
        self.axes.iter().map(|swept| &swept.axis)
    }

    /// Those with several values.
    pub(super) fn varying(&self) -> impl DoubleEndedIterator<Item = &Axis> {
        self.axes().filter(|axis| axis.values.len() > 1)
    }

    pub(super) fn len(&self) -> usize {
        self.axes().map(|axis| axis.values.len()).product()
    }

    /// How many points follow each other along the last axis that varies.
    pub(super) fn chain(&self) -> usize {
        self.varying().next_back().map_or(1, |axis| axis.values.len())
    }

    /// Each axis with the place of its value at a point.
    fn at(&self, point: usize) -> Vec<(&Swept, usize)> {
        let mut rest = point;
        let mut found: Vec<(&Swept, usize)> = Vec::new();
        for swept in self.axes.iter().rev() {
            let count = swept.axis.values.len();
            found.push((swept, rest % count));
            rest /= count;
        }
        found.reverse();
        found
    }

    /// The values of params, or of options, at a point.
    pub(super) fn values(&self, point: usize, is_param: bool) -> impl Iterator<Item = (&str, &str)> {
        let found = self.at(point).into_iter().filter(move |(swept, _)| swept.is_param == is_param);
        found.map(|(swept, i)| (swept.axis.name.as_str(), swept.axis.values[i].as_str()))
    }

    /// Points that differ in params alone, or in options alone.
    pub(super) fn differing(&self, is_param: bool) -> impl Iterator<Item = usize> {
        let first = move |point: &usize| self.at(*point).iter().all(|(s, i)| s.is_param == is_param || *i == 0);
        (0..self.len()).filter(first)
    }

    /// The values of the axes that vary.
    pub(super) fn labels(&self, point: usize) -> Vec<String> {
        let varying = self.at(point).into_iter().filter(|(swept, _)| swept.axis.values.len() > 1);
        varying.map(|(swept, i)| swept.axis.values[i].clone()).collect()
    }

    /// `n = 10, K = 8`.
    pub(super) fn name(&self, point: usize) -> String {
        let titles = self.varying().map(|axis| axis.name.as_str());
        titles.zip(self.labels(point)).map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Arguments;
    use super::*;
    use crate::command::{Command, parse};

    fn arguments(line: &str) -> Arguments {
        match parse(line.split(' ')).map(|a| a.command) {
            Ok(Command::Sweep(arguments)) => *arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn grid_of(arguments: &Arguments) -> Result<Grid, Failure> {
        Grid::of(&arguments.define, &arguments.options.set, arguments.along.as_deref())
    }

    #[test]
    fn the_last_axis_of_a_grid_is_the_fastest() {
        let line = "blo sweep p.blo -D n=1,2 -D c=7 --set K=3,4,5 --set s=1";
        let arguments = arguments(line);
        let grid = grid_of(&arguments).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((grid.len(), grid.chain()), (6, 3));
        assert_eq!((grid.labels(0), grid.labels(4)), (vec!["1".into(), "3".into()], vec!["2".into(), "4".into()]));
        assert_eq!(grid.name(5), "n = 2, K = 5");
        assert!(grid.differing(true).eq([0, 3]) && grid.differing(false).eq([0, 1, 2]));
        assert_eq!(arguments.model_at(&grid, 5).define, [("n".to_owned(), 2.0), ("c".to_owned(), 7.0)]);
        let request = arguments.request_at(&grid, 5);
        assert_eq!(request.overrides.len(), 2);
    }

    #[test]
    fn another_axis_may_be_the_fastest() {
        let line = "blo sweep p.blo -D n=1,2 --set K=3,4,5 --along n";
        let arguments = arguments(line);
        let grid = grid_of(&arguments).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((grid.len(), grid.chain(), grid.name(3).as_str()), (6, 2, "K = 4, n = 2"));
        assert_eq!(arguments.model_at(&grid, 3).define, [("n".to_owned(), 2.0)]);
        assert!(grid.differing(true).eq([0, 1]) && grid.differing(false).eq([0, 2, 4]));
    }

    #[test]
    fn a_sweep_that_is_none_is_refused() {
        for (line, part) in [
            ("blo sweep p.blo -D n=1", "nothing varies"),
            ("blo sweep p.blo -D n=1..1000 --set K=1..1000", "too large"),
            ("blo sweep p.blo --set K=5..1", "empty"),
            ("blo sweep p.blo --set K=1..5 --along L", "--along L"),
        ] {
            let said = grid_of(&arguments(line)).err().unwrap_or_else(|| panic!("{line}")).to_string();
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
