//! A hypergradient compared with other ways to compute it: the result per variable, and the comparison.

/// Entries that are compared per variable; larger variables are sampled evenly.
const ENTRIES: usize = 48;

/// Agreement of exact modes, and with central differences, relative to the largest derivative of the variable.
const EXACT: f64 = 1e-9;
const DIFFERENCE: f64 = 1e-4;

/// The derivative of `F(x, y_K(x))` in one variable.
#[derive(Clone, Debug, PartialEq)]
pub struct HypergradientCheck {
    /// The variable: `x`, or `z of y` for the start of the lower steps.
    pub name: String,
    /// What the method computes, every entry, row-major.
    pub values: Vec<f64>,
    /// How many entries were compared.
    pub entries: usize,
    /// The entry with the largest difference, one-based, row-major, and there:
    pub worst: usize,
    /// what the method computes,
    pub hypergradient: f64,
    /// forward mode, where the method's own is not it and has the same objective,
    pub forward: Option<f64>,
    /// and the central difference.
    pub difference: f64,
    /// The largest disagreement with forward mode, relative to the variable's largest derivative.
    pub forward_error: Option<f64>,
    /// That with differences.
    pub difference_error: f64,
    /// The method claims to compute the derivative itself; else it is an estimate, and a difference is its error.
    pub exact: bool,
    /// True for an estimate, and where all agree.
    pub agrees: bool,
}

/// Compares the `values` of a variable's hypergradient with forward mode, where it has the same objective, and with
/// central differences: `at` gives the objective with an entry changed by a number, `steps` that number per entry.
pub(crate) fn compare(
    name: String,
    values: &[f64],
    forward: Option<&[f64]>,
    steps: &[f64],
    exact: bool,
    at: &mut dyn FnMut(usize, f64) -> f64,
) -> HypergradientCheck {
    let scale = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let every = values.len().div_ceil(ENTRIES).max(1);
    let mut check = HypergradientCheck {
        name,
        values: values.to_vec(),
        entries: 0,
        worst: 1,
        hypergradient: f64::NAN,
        forward: None,
        difference: f64::NAN,
        forward_error: forward.map(|_| 0.0),
        difference_error: -1.0,
        exact,
        agrees: true,
    };
    for (j, value) in values.iter().enumerate().step_by(every) {
        let h = steps[j];
        let difference = (at(j, h) - at(j, -h)) / (2.0 * h);
        let error = (difference - value).abs() / scale;
        check.entries += 1;
        if let (Some(forward), Some(worst)) = (forward, &mut check.forward_error) {
            *worst = worst.max((forward[j] - value).abs() / scale);
        }
        // Not a number is the worst of all.
        if error > check.difference_error || error.is_nan() {
            check.worst = j + 1;
            (check.hypergradient, check.difference) = (*value, difference);
            check.forward = forward.map(|f| f[j]);
            check.difference_error = error;
        }
    }
    let agree = check.difference_error <= DIFFERENCE && check.forward_error.is_none_or(|e| e <= EXACT);
    check.agrees = agree || !exact;
    check
}
