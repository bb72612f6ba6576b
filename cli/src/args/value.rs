//! What a flag's text means: assignments, times, sizes.

use blo_engine::limits::Limits;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `alpha=1/k`.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    match (name.trim(), value.trim()) {
        ("", _) => Err("the name before `=` is missing".into()),
        (_, "") => Err("the value after `=` is missing".into()),
        (name, value) => Ok((name.to_owned(), value.to_owned())),
    }
}

/// `n=1000`.
pub(crate) fn definition(text: &str) -> Result<(String, f64), String> {
    let (name, value) = assignment(text)?;
    match value.parse::<f64>() {
        Ok(number) if number.is_nan() => Err(format!("`{name}` cannot be NaN")),
        Ok(number) => Ok((name, number)),
        Err(_) => Err(format!("`{value}` is not a number; write it like 1000, 0.5 or 1e-3")),
    }
}

/// A picture that a run is drawn in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plot {
    /// Convergence curves, against iterations and against time.
    Curves(PathBuf),
    /// Convergence curves against iterations alone: the same in every run.
    Iterations(PathBuf),
    /// The landscape of the problem, with the iterates.
    Landscape(PathBuf),
}

impl Plot {
    /// Where it is written.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Plot::Curves(path) | Plot::Iterations(path) | Plot::Landscape(path) => path,
        }
    }
}

/// `p.svg`, `iterations=p.svg`, `landscape=l.svg`.
pub(crate) fn plot(text: &str) -> Result<Plot, String> {
    match text.strip_prefix("landscape=") {
        Some(path) => svg(path).map(Plot::Landscape),
        None => curves(text),
    }
}

/// `p.svg`, `iterations=p.svg`.
pub(crate) fn curves(text: &str) -> Result<Plot, String> {
    match text.strip_prefix("iterations=") {
        Some(path) => svg(path).map(Plot::Iterations),
        None => svg(text).map(Plot::Curves),
    }
}

/// A file whose name ends in `.svg`, which is what is written.
pub(crate) fn svg(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|e| e == "svg") { Ok(path) } else { Err("a picture is a `.svg` file".to_owned()) }
}

/// `entries=1e10`, `memory=4GB`.
pub(crate) fn limit(text: &str) -> Result<(String, u64), String> {
    let (name, value) = assignment(text)?;
    let value = bytes(&value).map_err(|_| format!("`{value}` is not a size; write 4000000, 1e10 or 4GB"))?;
    Limits::default().set(&name, value).map_err(|why| why.to_string())?;
    Ok((name, value))
}

/// `1000`, `1e6`. Above 2^53 doubles, which options are, skip whole numbers.
pub(crate) fn whole(text: &str) -> Result<u64, String> {
    const MOST: u64 = 1 << 53;
    let refused = || format!("`{text}` is not a whole number from 0; write it like 1000 or 1e6");
    let number = match text.trim().parse::<u64>() {
        Ok(number) => number,
        Err(_) => {
            let number = text.trim().parse::<f64>().map_err(|_| refused())?;
            if number < 0.0 || number.fract() != 0.0 || number.is_nan() {
                return Err(refused());
            }
            number as u64
        }
    };
    if number <= MOST { Ok(number) } else { Err(format!("`{text}` is too large; at most {MOST} is exact")) }
}

/// As [`whole`], from 1.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    whole(text).and_then(|n| if n > 0 { Ok(n) } else { Err("0 is too few; write at least 1".to_owned()) })
}

/// `90`, `60s`, `1.5m`, `2h`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    let value = number.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a time; write 90, 60s, 5m or 2h"))?;
    Duration::try_from_secs_f64(value * unit).map_err(|_| format!("`{text}` is not a time that can pass"))
}

/// `4000000`, `4MB`, `1.5GiB`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 7] =
        [("kib", 1024.0), ("mib", 1048576.0), ("gib", 1073741824.0), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("b", 1.0)];
    let lower = text.to_ascii_lowercase();
    let unit = UNITS.iter().find(|(unit, _)| lower.ends_with(unit));
    let (number, factor) = unit.map_or((text, 1.0), |(unit, factor)| (&text[..text.len() - unit.len()], *factor));
    let value = number.trim().parse::<f64>().ok().map(|v| (v * factor).floor());
    let fits = value.filter(|v| *v >= 1.0 && *v < u64::MAX as f64);
    fits.map(|v| v as u64).ok_or_else(|| format!("`{text}` is not a size; write 4000000, 4MB or 1GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_take_scientific_numbers() {
        assert_eq!(definition("n=1e3"), Ok(("n".into(), 1000.0)));
        assert_eq!(definition(" delta = -2.5E-1 "), Ok(("delta".into(), -0.25)));
        assert!(definition("n").is_err() && definition("=1").is_err());
        assert!(definition("n=many").is_err() && definition("n=nan").is_err());
    }

    #[test]
    fn whole_numbers_are_those_that_options_can_hold() {
        assert_eq!((whole("0"), whole(" 1e6 "), whole("12")), (Ok(0), Ok(1_000_000), Ok(12)));
        for bad in ["-1", "1.5", "nan", "inf", "1e30", "18446744073709551616", "many", ""] {
            let said = whole(bad).expect_err(bad);
            assert!(!said.contains("18446744073709551615") && said.contains(bad), "{said}");
        }
        assert!(count("1").is_ok() && count("0").is_err_and(|said| said.contains("at least 1")));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("4MB"), Ok(4_000_000));
        assert_eq!(bytes("1.5 KiB"), Ok(1536));
        assert_eq!(bytes("12"), Ok(12));
        assert_eq!(["4KB", "4kB", "4kb", "4 KB"].map(bytes), [(); 4].map(|()| Ok(4000)));
        assert_eq!((bytes("1gib"), bytes("2mb")), (Ok(1 << 30), Ok(2_000_000)));
        for bad in ["", "MB", "-1MB", "0", "nan", "inf", "1TB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_have_names_and_sizes() {
        assert_eq!(limit("entries=1e10"), Ok(("entries".into(), 10_000_000_000)));
        assert_eq!(limit("memory=4GB"), Ok(("memory".into(), 4_000_000_000)));
        assert!(limit("calls=7").unwrap_err().contains("cannot be raised"));
        assert!(limit("entry=7").unwrap_err().contains("no limit `entry`"));
        assert!(limit("entries").is_err() && limit("entries=0").is_err() && limit("entries=many").is_err());
    }

    #[test]
    fn pictures_are_svg() {
        assert_eq!(plot("p.svg"), Ok(Plot::Curves("p.svg".into())));
        assert_eq!(plot("landscape=a/l.svg"), Ok(Plot::Landscape("a/l.svg".into())));
        assert_eq!(plot("iterations=p.svg"), Ok(Plot::Iterations("p.svg".into())));
        assert_eq!(curves("iterations=p.svg"), Ok(Plot::Iterations("p.svg".into())));
        assert_eq!(curves("landscape=l.svg"), Ok(Plot::Curves("landscape=l.svg".into())));
        assert_eq!(plot("./landscape=l.svg"), Ok(Plot::Curves("./landscape=l.svg".into())));
        assert!(
            ["p.png", "svg", "landscape=", "landscape=l", "iterations=", "iterations=p.png", ""]
                .iter()
                .all(|bad| plot(bad).is_err())
        );
    }

    #[test]
    fn times_have_units() {
        assert_eq!(seconds("90"), Ok(Duration::from_secs(90)));
        assert_eq!(seconds("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(seconds("2h"), Ok(Duration::from_secs(7200)));
        for bad in ["", "s", "-1s", "nan", "inf", "1d", "é"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
