//! A witness against an assumption, and its words.

/// A point and a direction in which an assumption fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// Values per variable, upper then lower.
    pub point: Vec<(String, Vec<f64>)>,
    /// A unit vector: values per lower variable.
    pub direction: Vec<(String, Vec<f64>)>,
}

/// The reason of a curvature.
pub(super) fn second_derivative(value: f64) -> String {
    format!("the second derivative is {}", few(value))
}

/// At most four digits.
fn few(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return if v == 0.0 { "0".into() } else { v.to_string() };
    }
    if !(1e-3..1e4).contains(&v.abs()) {
        return format!("{v:.2e}");
    }
    let places = (3 - v.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{v:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `x = 0, y = [1, 2]`; of a long array the first entries.
pub(super) fn values(parts: &[(String, Vec<f64>)]) -> String {
    const SHOWN: usize = 4;
    let part = |(name, values): &(String, Vec<f64>)| {
        let shown: Vec<String> = values.iter().take(SHOWN).map(|v| few(*v)).collect();
        match values.as_slice() {
            [_] => format!("{name} = {}", shown[0]),
            // one number stands for all
            [first, rest @ ..] if rest.iter().all(|v| v == first) => format!("{name} = {}", shown[0]),
            _ if values.len() > SHOWN => format!("{name} = [{}, ...]", shown.join(", ")),
            _ => format!("{name} = [{}]", shown.join(", ")),
        }
    };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// `y[2]` for a coordinate, else the parts that are not zero.
pub(super) fn along(parts: &[(String, Vec<f64>)]) -> String {
    let used: Vec<(String, Vec<f64>)> =
        parts.iter().filter(|(_, values)| values.iter().any(|v| *v != 0.0)).cloned().collect();
    if let [(name, values)] = used.as_slice() {
        let positions: Vec<usize> = (0..values.len()).filter(|i| values[*i] != 0.0).collect();
        match positions.as_slice() {
            [_] if values.len() == 1 => return name.clone(),
            [at] => return format!("{name}[{}]", at + 1),
            _ => {}
        }
    }
    values(&used)
}
