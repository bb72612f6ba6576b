//! What is reported of an iterate, by name. What a method does not measure is absent, not zero.

use blo_engine::graph::Function;

/// A quantity of a report. All are scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The upper objective, to be minimized.
    Upper,
    /// The smooth part of the lower objective, to be minimized.
    Smooth,
    /// The proximal part of the lower objective.
    Regularizer,
    /// `|y - prox_g(y - f_y)|`, of the true problem.
    LowerResidual,
    /// Stationarity in the upper variables.
    UpperResidual,
    /// Stationarity of the method's own problem.
    MethodResidual,
    /// How far the lower objective is above its least value, as far as the method knows it.
    Gap,
    /// `|y - Proj_Y(y - F_y)|`: zero where y minimizes the upper objective alone.
    UpperSlope,
}

/// The quantities of a report as a function of a method's inputs.
#[derive(Clone, Debug)]
pub struct ReportFormula {
    /// One scalar output per quantity.
    pub function: Function,
    /// What the outputs are.
    pub quantities: Vec<Quantity>,
}

/// What is reported of an iterate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// See [`Quantity::Upper`].
    pub upper: f64,
    /// See [`Quantity::Smooth`].
    pub smooth: f64,
    /// See [`Quantity::Regularizer`].
    pub regularizer: f64,
    /// See [`Quantity::LowerResidual`].
    pub lower_residual: f64,
    /// See [`Quantity::UpperResidual`]; `None` where the method does not measure it.
    pub upper_residual: Option<f64>,
    /// See [`Quantity::MethodResidual`].
    pub method_residual: Option<f64>,
    /// See [`Quantity::Gap`].
    pub gap: Option<f64>,
    /// See [`Quantity::UpperSlope`].
    pub upper_slope: f64,
}

impl Report {
    /// Of an iterate that nobody had the time to look at.
    pub(crate) fn unknown() -> Report {
        let n = f64::NAN;
        Report { upper: n, smooth: n, regularizer: n, lower_residual: n, upper_slope: n, ..Report::default() }
    }

    /// True for [`Report::unknown`].
    pub(crate) fn is_unknown(&self) -> bool {
        [self.upper, self.smooth, self.regularizer, self.lower_residual, self.upper_slope].iter().all(|v| v.is_nan())
    }
}

impl ReportFormula {
    /// The report from the outputs of the function.
    pub(crate) fn read(&self, output: impl Fn(usize) -> f64) -> Report {
        let mut report = Report::default();
        for (i, quantity) in self.quantities.iter().enumerate() {
            let value = output(i);
            match quantity {
                Quantity::Upper => report.upper = value,
                Quantity::Smooth => report.smooth = value,
                Quantity::Regularizer => report.regularizer = value,
                Quantity::LowerResidual => report.lower_residual = value,
                Quantity::UpperResidual => report.upper_residual = Some(value),
                Quantity::MethodResidual => report.method_residual = Some(value),
                Quantity::Gap => report.gap = Some(value),
                Quantity::UpperSlope => report.upper_slope = value,
            }
        }
        report
    }
}

impl Report {
    /// The first objective or residual that is not finite.
    pub fn first_bad(&self) -> Option<&'static str> {
        let all = [
            ("the upper objective", Some(self.upper)),
            ("the lower objective", Some(self.smooth)),
            ("the proximal part", Some(self.regularizer)),
            ("the lower residual", Some(self.lower_residual)),
            ("the upper residual", self.upper_residual),
            ("the method's residual", self.method_residual),
        ];
        all.iter().find(|(_, v)| v.is_some_and(|v| !v.is_finite())).map(|(name, _)| *name)
    }
}
