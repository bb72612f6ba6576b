//! Numbers for people: few digits, plain where that is short and with an exponent where it is not.

/// At most `digits` significant digits: `0.125`, `1000`, `2.5e-7`, `inf`, `nan`.
pub fn few(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if value == 0.0 {
        return "0".into();
    }
    // rounding first: 9.9996 has the exponent of 10
    let scientific = format!("{value:.*e}", digits.max(1) - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..digits.max(6) as i32).contains(&exponent) {
        let places = (digits as i32 - 1 - exponent).max(0) as usize;
        return trimmed(&format!("{value:.places$}")).to_owned();
    }
    format!("{}e{exponent}", trimmed(mantissa))
}

/// A time in the unit that suits it: `25 us`, `8.1 ms`, `1.23 s`, `2 min 5 s`, `3 h 20 min`.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => few(s, 1),
        s if s < 1e-3 => format!("{} us", few(s * 1e6, 2)),
        s if s < 1.0 => format!("{} ms", few(s * 1e3, 3)),
        s if s < 60.0 => format!("{} s", few(s, 3)),
        s if s < 3600.0 => format!("{} min {} s", (s / 60.0) as u64, (s % 60.0) as u64),
        s => format!("{} h {} min", (s / 3600.0) as u64, (s % 3600.0 / 60.0) as u64),
    }
}

/// A time in six characters for columns: `25us`, `8.1ms`, `1.23s`, `2m05s`, `3h20m`.
pub fn short_time(seconds: f64) -> String {
    match seconds {
        s if s.is_finite() && s >= 3600.0 => format!("{}h{:02}m", (s / 3600.0) as u64, (s % 3600.0 / 60.0) as u64),
        s if s.is_finite() && s >= 60.0 => format!("{}m{:02}s", (s / 60.0) as u64, (s % 60.0) as u64),
        s => time(s).replace(' ', ""),
    }
}

/// A fixed form for columns: `1.2345e-03`, as wide for every finite number of a sign.
pub fn column(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return few(value, 1);
    }
    // minus zero is zero
    let text = format!("{:.places$e}", value + 0.0);
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Without zeros after the point that say nothing.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_stay_short() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (-0.5, "-0.5"),
            (1000.0, "1000"),
            (123_456.0, "123456"),
            (1e6, "1e6"),
            (9.9996, "10"),
            (1.0 / 3.0, "0.3333"),
            (2.5e-7, "2.5e-7"),
            (0.00012345, "0.0001234"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, text) in cases {
            assert_eq!(few(value, 4), text);
        }
    }

    #[test]
    fn times_have_units() {
        let cases = [
            (0.0, "0 us"),
            (2.45e-5, "24 us"),
            (0.0081, "8.1 ms"),
            (1.234, "1.23 s"),
            (125.9, "2 min 5 s"),
            (12000.0, "3 h 20 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn times_in_columns_are_short() {
        let cases = [(2.45e-5, "24us"), (0.15504, "155ms"), (725.9, "12m05s"), (12000.0, "3h20m"), (f64::NAN, "nan")];
        for (seconds, text) in cases {
            assert_eq!(short_time(seconds), text);
        }
    }

    #[test]
    fn columns_are_equally_wide() {
        assert_eq!(column(0.00123, 4), "1.2300e-03");
        assert_eq!(column(-12345.0, 2), "-1.23e+04");
        assert_eq!(column(-0.0, 2), "0.00e+00");
        assert_eq!(column(f64::INFINITY, 2), "inf");
    }
}
