//! Axes: where a number is between the ends of an axis, and the numbers that are written beside it. What has no place between
//! them is not left out in silence: a logarithmic axis has a band at its lower end for zero and negative numbers, and
//! every axis one at its upper end for what is not finite. An axis has a band only where there is something in it.

use blo::output::number::few;

/// The share of an axis that a band takes.
const BAND: f64 = 0.11;

/// How far a point in a band is from the end of the axis.
const WITHIN: f64 = 0.35 * BAND;

/// Labels of an axis, at most.
const LABELS: f64 = 7.0;

/// The room beside the numbers, as a share of their extent.
const ROOM: f64 = 0.05;

/// Numbers that differ by less than this share of their size are drawn as one.
const SAME: f64 = 1e-9;

/// Positive numbers that differ by this factor are shown by their logarithms.
const WIDE: f64 = 100.0;

/// How numbers are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// By their logarithm.
    Log,
    /// By their size.
    Linear,
}

/// The scale that suits a quantity: residuals, gaps and errors fall by orders of magnitude, and so do other positive numbers
/// that differ by as much.
pub(crate) fn scale_of(name: &str, values: impl Iterator<Item = f64>) -> Scale {
    if name.starts_with("residual") || name == "gap" || name.starts_with("err(") {
        return Scale::Log;
    }
    let ends = values.filter(|v| v.is_finite()).fold([f64::INFINITY, 0.0f64], |[a, b], v| [a.min(v), b.max(v)]);
    if ends[0] > 0.0 && ends[1] / ends[0] >= WIDE { Scale::Log } else { Scale::Linear }
}

/// Where a number is on an axis, as a share from its lower end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// There.
    At(f64),
    /// In the lower band: it is zero or less.
    Low(f64),
    /// In the upper band: it is not finite.
    Lost(f64),
}

/// A line across an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// The share of the axis.
    pub(super) at: f64,
    /// What is written there; empty for a smaller tick.
    pub(super) label: String,
}

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    scale: Scale,
    /// The ends; exponents of 10 where it is logarithmic.
    ends: [f64; 2],
    /// It has a band for zero, and for negative numbers, too.
    low: Option<bool>,
    /// It has a band for what is not finite.
    lost: bool,
}

impl Axis {
    /// The axis that holds all numbers that are finite.
    pub(super) fn new(scale: Scale, values: impl Iterator<Item = f64>) -> Axis {
        let (mut ends, mut low, mut lost) = ([f64::INFINITY, f64::NEG_INFINITY], None, false);
        for value in values {
            let value = match scale {
                _ if !value.is_finite() => {
                    lost = true;
                    continue;
                }
                Scale::Linear => value,
                Scale::Log if value > 0.0 => value.log10(),
                Scale::Log => {
                    low = Some(low.unwrap_or(false) || value < 0.0);
                    continue;
                }
            };
            ends = [ends[0].min(value), ends[1].max(value)];
        }
        if ends[0] > ends[1] {
            ends = [0.0, 0.0];
        }
        let ends = match scale {
            Scale::Log => powers(ends),
            Scale::Linear => apart(ends),
        };
        Axis { scale, ends, low, lost }
    }

    /// The linear axis with these ends, which are apart.
    pub(super) fn between(ends: [f64; 2]) -> Axis {
        Axis { scale: Scale::Linear, ends, low: None, lost: false }
    }

    /// Where a number is.
    pub(super) fn place(&self, value: f64) -> Place {
        match self.scale {
            _ if !value.is_finite() => Place::Lost(1.0 - WITHIN),
            Scale::Log if value <= 0.0 => Place::Low(WITHIN),
            Scale::Log => Place::At(self.share(value.log10())),
            Scale::Linear => Place::At(self.share(value)),
        }
    }

    /// The shares at which bands end.
    pub(super) fn bands(&self) -> Vec<f64> {
        let low = self.low.map(|_| BAND);
        low.into_iter().chain(self.lost.then_some(1.0 - BAND)).collect()
    }

    fn share(&self, value: f64) -> f64 {
        let below = if self.low.is_some() { BAND } else { 0.0 };
        let above = if self.lost { BAND } else { 0.0 };
        // halves, since the whole may be too large for a number
        let [low, high] = self.ends.map(|end| end / 2.0);
        below + (1.0 - below - above) * ((value / 2.0 - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// The ticks, from the lower end.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let zero = self.low.map(|negative| if negative { "\u{2264} 0" } else { "0" });
        let zero = zero.map(|label| Tick { at: WITHIN, label: label.to_owned() });
        let lost = self.lost.then(|| Tick { at: 1.0 - WITHIN, label: "\u{00d7}".to_owned() });
        let others = match self.scale {
            Scale::Log => self.decades(),
            Scale::Linear => self.steps(),
        };
        zero.into_iter().chain(others).chain(lost).collect()
    }

    /// Powers of 10, and between few of them 2 to 9 times those.
    fn decades(&self) -> Vec<Tick> {
        let [low, high] = self.ends;
        let count = high - low;
        let stride =
            [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0].into_iter().find(|s| count / s <= LABELS).unwrap_or(200.0);
        let mut ticks = Vec::new();
        let mut exponent = (low / stride).ceil() * stride;
        while exponent <= high {
            ticks.push(Tick { at: self.share(exponent), label: power(exponent) });
            for digit in 2..=9 {
                let between = exponent + f64::from(digit).log10();
                if stride == 1.0 && between < high {
                    let written = count <= 1.0 && matches!(digit, 2 | 5);
                    let label = if written { few(f64::from(digit) * 10f64.powf(exponent), 1) } else { String::new() };
                    ticks.push(Tick { at: self.share(between), label });
                }
            }
            exponent += stride;
        }
        ticks
    }

    /// Multiples of a round step.
    fn steps(&self) -> Vec<Tick> {
        let [low, high] = self.ends;
        let rough = high / LABELS - low / LABELS;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
        let first = (low / step).ceil();
        let digits = (low.abs().max(high.abs()) / step).log10().ceil().max(0.0) as usize + 1;
        let tick = |i: u32| {
            let value = (first + f64::from(i)) * step;
            (value <= high).then(|| Tick { at: self.share(value), label: few(value, digits) })
        };
        (0..=LABELS as u32 + 1).map_while(tick).collect()
    }
}

/// An interval around exponents, with some room up to the next whole ones; a whole decade at least.
fn powers([low, high]: [f64; 2]) -> [f64; 2] {
    let room = ROOM * (high - low);
    let (least, most) = (low.floor(), high.ceil());
    let ends = [least.max(low - room), most.min(high + room)];
    if ends[1] - ends[0] >= 1.0 {
        return ends;
    }
    if least < most { [least, most] } else { [least, least + 1.0] }
}

/// An interval with some room, wide enough to be told from its numbers.
fn apart([low, high]: [f64; 2]) -> [f64; 2] {
    let size = low.abs().max(high.abs());
    let half = high / 2.0 - low / 2.0;
    if half <= SAME * size || half == 0.0 {
        let room = if size > 0.0 { (0.1 * size).max(f64::MIN_POSITIVE) } else { 1.0 };
        return [low - room, high + room].map(|end| end.clamp(f64::MIN, f64::MAX));
    }
    [low - 2.0 * ROOM * half, high + 2.0 * ROOM * half].map(|end| end.clamp(f64::MIN, f64::MAX))
}

/// `0.1`, `1`, `10`, and `10⁻⁶` for others.
fn power(exponent: f64) -> String {
    match exponent as i64 {
        -1 => "0.1".to_owned(),
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        exponent => format!("10{}", exponent.to_string().chars().map(raised).collect::<String>()),
    }
}

fn raised(c: char) -> char {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|t| t.label).filter(|l| !l.is_empty()).collect()
    }

    fn log(values: &[f64]) -> Axis {
        Axis::new(Scale::Log, values.iter().copied())
    }

    #[test]
    fn decades_are_labeled() {
        assert_eq!(labels(&log(&[1e-3, 50.0])), ["10⁻³", "10⁻²", "0.1", "1", "10"]);
        assert_eq!(labels(&log(&[1e-12, 1.0])), ["10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1"]);
        assert_eq!(labels(&log(&[3.0, 3.0])), ["1", "2", "5", "10"]);
        assert_eq!(labels(&log(&[1e-300, 1e300])), ["10⁻³⁰⁰", "10⁻²⁰⁰", "10⁻¹⁰⁰", "1", "10¹⁰⁰", "10²⁰⁰", "10³⁰⁰"]);
    }

    #[test]
    fn what_has_no_logarithm_has_a_band() {
        assert_eq!(labels(&log(&[0.0, 1.0, 100.0])), ["0", "1", "10", "10²"]);
        assert_eq!(labels(&log(&[-1.0, 1.0, 100.0]))[0], "≤ 0");
        assert_eq!(labels(&log(&[0.0])), ["0", "1", "2", "5", "10"]);
        let axis = log(&[0.0, 1.0, 100.0]);
        let Place::At(least) = axis.place(1.0) else { panic!("it is positive") };
        assert!(matches!(axis.place(0.0), Place::Low(at) if at < least) && axis.place(-3.0) == axis.place(0.0));
        assert_eq!(axis.place(100.0), Place::At(1.0));
        for scale in [Scale::Log, Scale::Linear] {
            let axis = Axis::new(scale, [1.0, f64::NAN, 100.0].into_iter());
            let Place::At(most) = axis.place(100.0) else { panic!("it is finite") };
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(matches!(axis.place(value), Place::Lost(at) if at > most));
            }
            assert_eq!((axis.bands().len(), labels(&axis).pop()), (1, Some("×".to_owned())));
        }
    }

    #[test]
    fn steps_are_round() {
        let linear = |values: &[f64]| labels(&Axis::new(Scale::Linear, values.iter().copied()));
        assert_eq!(linear(&[0.0, 1.0]), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(linear(&[-3.0, 11.0]), ["0", "5", "10"]);
        assert_eq!(linear(&[1.0, 1.0001]), ["1", "1.00002", "1.00004", "1.00006", "1.00008", "1.0001"]);
        assert_eq!(linear(&[0.25, 0.25]), ["0.23", "0.24", "0.25", "0.26", "0.27"]);
    }

    #[test]
    fn the_scale_suits_the_quantity() {
        let of = |name, values: &[f64]| scale_of(name, values.iter().copied());
        assert_eq!([of("gap", &[-1.0]), of("residual_lower", &[]), of("err(x)", &[1.0])], [Scale::Log; 3]);
        assert_eq!([of("upper", &[1.0, 50.0]), of("upper", &[0.0, 1e9]), of("upper", &[])], [Scale::Linear; 3]);
        assert_eq!(of("loss", &[1.0, f64::NAN, 1e3]), Scale::Log);
    }

    #[test]
    fn every_number_has_a_place() {
        let extreme = [0.0, -0.0, 1.0, 5e-324, 1e-300, 1e300, f64::MAX, f64::MIN, -1e-300, 0.1, 0.1 + 1e-17];
        for a in extreme {
            for b in extreme {
                for scale in [Scale::Log, Scale::Linear] {
                    let axis = Axis::new(scale, [a, b, f64::NAN].into_iter());
                    for value in [a, b] {
                        let place = axis.place(value);
                        let inside = |share: f64| (0.0..=1.0).contains(&share);
                        assert!(matches!(place, Place::At(s) | Place::Low(s) if inside(s)), "{a} {b} {axis:?}");
                    }
                    let ticks = axis.ticks();
                    assert!((1..80).contains(&ticks.len()), "{a} {b} {ticks:?}");
                    assert!(ticks.iter().all(|t| t.at.is_finite()), "{a} {b} {ticks:?}");
                }
            }
        }
    }
}
