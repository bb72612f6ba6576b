//! What a nonlinear program is to its solvers.

/// `min f(z)` with `low <= c(z) <= high` row by row and `low <= z <= high`; an equality row has `low == high`, a fixed
/// variable, too. Ends may be infinite.
pub(crate) trait Nlp {
    /// Per variable.
    fn bounds(&self) -> &[[f64; 2]];

    /// Per row.
    fn row_bounds(&self) -> &[[f64; 2]];

    /// f, and the rows into `rows`. Not finite where undefined.
    fn values(&mut self, z: &[f64], rows: &mut [f64]) -> f64;

    /// Gradient of f `[n]`, Jacobian of the rows `[rows, n]`, row-major.
    fn slopes(&mut self, z: &[f64], gradient: &mut [f64], jacobian: &mut [f64]);

    /// Hessian of `factor f + multipliers' c`, `[n, n]`.
    fn hessian(&mut self, z: &[f64], factor: f64, multipliers: &[f64], hessian: &mut [f64]);
}
