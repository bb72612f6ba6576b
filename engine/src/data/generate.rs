//! Seeded generators: arrays of random numbers that depend on the run seed, the item's seed, its name and nothing else.
//!
//! Every item has a random stream of its own, so adding or reordering items never changes another's values, and an array
//! starts with the values of a shorter one. Values are the same on every machine and in every version; tests pin them.

use rand_chacha::rand_core::Rng;

use super::array::{Array, MAX_RANK, volume};
use super::option::{OptionEntry, OptionError, OptionValue, Options};
use super::stream::{normal_pair, stream, unit};

/// A random distribution over arrays.
pub struct Generator {
    /// The function's name in a problem.
    pub name: &'static str,
    /// One sentence for the user.
    pub doc: &'static str,
    /// The options it accepts.
    pub options: &'static [OptionEntry],
    law: fn(&[usize], Options<'_>) -> Result<Law, GenerateError>,
}

/// An array that cannot be generated as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// No generator has this name.
    #[error("there is no generator `{name}`")]
    UnknownGenerator {
        /// As written.
        name: String,
    },
    /// The shape has no inputs and outputs to count.
    #[error("`{generator}` counts inputs and outputs, but shape {shape:?} has none")]
    NoFan {
        /// The generator.
        generator: &'static str,
        /// The shape.
        shape: Vec<usize>,
    },
    /// More values than memory holds, or more than four axes.
    #[error("cannot allocate an array of shape {shape:?}")]
    TooLarge {
        /// The shape.
        shape: Vec<usize>,
    },
    /// `low` is not below `high`.
    #[error("`low = {low}` is not below `high = {high}`")]
    EmptyInterval {
        /// The lower end.
        low: OptionValue,
        /// The upper end.
        high: OptionValue,
    },
    /// An option cannot be used.
    #[error(transparent)]
    Option(#[from] OptionError),
}

impl GenerateError {
    /// One next step, as a phrase without a full stop, where there is a useful one.
    pub fn hint(&self) -> Option<String> {
        match self {
            GenerateError::NoFan { .. } => Some(
                "use it for [inputs], [inputs, outputs] or [outputs, inputs, height, width], else `normal`".to_owned(),
            ),
            GenerateError::Option(error) => error.hint(),
            _ => None,
        }
    }
}

/// What a single value follows.
enum Law {
    Normal { mean: f64, sd: f64 },
    Uniform { low: f64, high: f64 },
    Sign,
}

const SEED: OptionEntry = OptionEntry { name: "seed", doc: "A whole number from 0; default 0.", words: &[] };

/// Every generator, sorted by name.
pub static GENERATORS: &[Generator] = &[
    Generator {
        name: "glorot",
        doc: "Uniform on +-sqrt(6/(inputs + outputs)), the usual start of a layer (Glorot and Bengio, AISTATS 2010, eq. 16).",
        options: &[SEED],
        law: |shape, _| {
            let (inputs, outputs) = fan("glorot", shape)?;
            let limit = (6.0 / (inputs + outputs)).sqrt();
            Ok(Law::Uniform { low: -limit, high: limit })
        },
    },
    Generator {
        name: "he",
        doc: "Normal with variance 2/inputs, the usual start of a relu layer (He et al., ICCV 2015, eq. 10).",
        options: &[SEED],
        law: |shape, _| Ok(Law::Normal { mean: 0.0, sd: (2.0 / fan("he", shape)?.0).sqrt() }),
    },
    Generator {
        name: "normal",
        doc: "Independent normal values.",
        options: &[
            OptionEntry { name: "mean", doc: "The mean; default 0.", words: &[] },
            OptionEntry { name: "sd", doc: "The standard deviation, not negative; default 1.", words: &[] },
            SEED,
        ],
        law: |_, options| {
            let (mean, sd) = (options.number("mean")?.unwrap_or(0.0), options.number("sd")?.unwrap_or(1.0));
            if sd < 0.0 {
                return Err(OptionValue::Number(sd).rejected("sd", "0 or a positive number").into());
            }
            // No draw of 53 bits is as far as ten deviations from the mean.
            if !(mean.abs() + 10.0 * sd).is_finite() {
                return Err(OptionValue::Number(sd).rejected("sd", "a number with which all values are finite").into());
            }
            Ok(Law::Normal { mean, sd })
        },
    },
    Generator {
        name: "rademacher",
        doc: "Independent signs, -1 or 1 with probability 1/2 each.",
        options: &[SEED],
        law: |_, _| Ok(Law::Sign),
    },
    Generator {
        name: "uniform",
        doc: "Independent uniform values in [low, high).",
        options: &[
            OptionEntry { name: "high", doc: "The upper end; default 1.", words: &[] },
            OptionEntry { name: "low", doc: "The lower end; default 0.", words: &[] },
            SEED,
        ],
        law: |_, options| {
            let (low, high) = (options.number("low")?.unwrap_or(0.0), options.number("high")?.unwrap_or(1.0));
            if low >= high {
                let [low, high] = [low, high].map(OptionValue::Number);
                return Err(GenerateError::EmptyInterval { low, high });
            }
            if !(high - low).is_finite() {
                let expected = "a number with which all values are finite";
                return Err(OptionValue::Number(high).rejected("high", expected).into());
            }
            Ok(Law::Uniform { low, high })
        },
    },
];

/// The generator of this name.
pub fn generator(name: &str) -> Option<&'static Generator> {
    GENERATORS.iter().find(|generator| generator.name == name)
}

/// Draws an array of the given shape, row-major from the stream of (`run_seed`, option `seed`, `name`).
pub fn generate(
    generator: &str,
    shape: &[usize],
    options: &[(String, OptionValue)],
    run_seed: u64,
    name: &str,
) -> Result<Array, GenerateError> {
    let entry =
        self::generator(generator).ok_or_else(|| GenerateError::UnknownGenerator { name: generator.to_owned() })?;
    let options = Options::check(entry.name, entry.options, options)?;
    let seed = match options.get("seed") {
        None => 0,
        Some(OptionValue::Number(value)) if OptionValue::whole(*value).is_some() => *value as u64,
        Some(other) => return Err(other.rejected("seed", "a whole number from 0").into()),
    };
    let law = (entry.law)(shape, options)?;
    let mut values = Vec::new();
    let too_large = || GenerateError::TooLarge { shape: shape.to_vec() };
    let count = volume(shape).filter(|_| shape.len() <= MAX_RANK).ok_or_else(too_large)?;
    values.try_reserve_exact(count).map_err(|_| too_large())?;
    let mut rng = stream(run_seed, seed, name);
    match law {
        Law::Normal { mean, sd } => {
            while values.len() < count {
                let (first, second) = normal_pair(&mut rng);
                values.push(mean + sd * first);
                if values.len() < count {
                    values.push(mean + sd * second);
                }
            }
        }
        // Rounding may reach `high` itself; the value before it is as good.
        Law::Uniform { low, high } => {
            values.extend((0..count).map(|_| (low + (high - low) * unit(&mut rng)).min(high.next_down())));
        }
        Law::Sign => values.extend((0..count).map(|_| if rng.next_u64() >> 63 == 0 { 1.0 } else { -1.0 })),
    }
    Ok(Array::new(shape.to_vec(), values))
}

/// Inputs and outputs of a layer: a column feeds one output, a matrix is [inputs, outputs], a convolution kernel is
/// [outputs, inputs, height, width].
fn fan(generator: &'static str, shape: &[usize]) -> Result<(f64, f64), GenerateError> {
    match *shape {
        [inputs] => Ok((inputs as f64, 1.0)),
        [inputs, outputs] => Ok((inputs as f64, outputs as f64)),
        [outputs, inputs, height, width] => {
            let area = height as f64 * width as f64;
            Ok((inputs as f64 * area, outputs as f64 * area))
        }
        _ => Err(GenerateError::NoFan { generator, shape: shape.to_vec() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(given: &[(&str, f64)]) -> Vec<(String, OptionValue)> {
        given.iter().map(|&(name, value)| (name.to_owned(), OptionValue::Number(value))).collect()
    }

    fn draw(kind: &str, shape: &[usize], given: &[(&str, f64)]) -> Vec<f64> {
        generate(kind, shape, &options(given), 0, "A").expect("valid").values
    }

    const PINNED: [(&str, [f64; 4]); 5] = [
        ("glorot", [0.6888883297305735, 1.133135310239501, 0.9693602377853856, 0.2172768351871961]),
        ("he", [0.892922012522957, 0.2001436219348247, 0.6638888430042793, 0.14010920277498354]),
        ("normal", [0.892922012522957, 0.2001436219348247, 0.6638888430042793, 0.14010920277498354]),
        ("rademacher", [-1.0, -1.0, -1.0, -1.0]),
        ("uniform", [0.7812374829330127, 0.9626005532695154, 0.8957396599195275, 0.5887028965225714]),
    ];

    /// Mean, variance, third and fourth standardised moments.
    fn moments(values: &[f64]) -> [f64; 4] {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let central = |k: i32| values.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
        let variance = central(2);
        [mean, variance, central(3) / variance.powf(1.5), central(4) / (variance * variance)]
    }

    fn close(found: &[f64], expected: &[f64], tolerance: f64) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= tolerance, "{found:?} against {expected:?}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_documented() {
        assert!(GENERATORS.windows(2).all(|pair| pair[0].name < pair[1].name));
        for entry in GENERATORS {
            assert!(entry.options.windows(2).all(|pair| pair[0].name < pair[1].name));
            assert!(entry.options.iter().any(|option| option.name == "seed"));
            assert!(generate(entry.name, &[3, 2], &[], 0, "A").is_ok(), "{}", entry.name);
        }
    }

    /// These values must never change: results of stored problems depend on them.
    #[test]
    fn values_are_pinned() {
        for (kind, expected) in PINNED {
            assert_eq!(
                generate(kind, &[2, 2], &options(&[("seed", 2.0)]), 1, "A").expect("valid").values,
                expected,
                "{kind}"
            );
        }
    }

    #[test]
    fn a_longer_array_starts_with_the_shorter() {
        for kind in ["normal", "uniform", "rademacher"] {
            assert_eq!(draw(kind, &[7], &[]), draw(kind, &[20], &[])[..7], "{kind}");
        }
    }

    #[test]
    fn moments_are_those_of_the_laws() {
        let n = 100_000;
        close(&moments(&draw("normal", &[n], &[])), &[0., 1., 0., 3.], 0.05);
        close(&moments(&draw("normal", &[n], &[("mean", 5.), ("sd", 0.5)])), &[5., 0.25, 0., 3.], 0.05);
        close(&moments(&draw("uniform", &[n], &[])), &[0.5, 1. / 12., 0., 1.8], 0.02);
        close(&moments(&draw("uniform", &[n], &[("low", -3.), ("high", 3.)])), &[0., 3., 0., 1.8], 0.03);
        close(&moments(&draw("rademacher", &[n], &[])), &[0., 1., 0., 1.], 0.02);
        close(&moments(&draw("he", &[500, 200], &[])), &[0., 2. / 500., 0., 3.], 0.05);
    }

    #[test]
    fn layers_are_scaled_by_their_fans() {
        let bound = |shape: &[usize]| draw("glorot", shape, &[]).iter().fold(0.0f64, |m, v| m.max(v.abs()));
        close(&[bound(&[300, 100])], &[(6.0f64 / 400.).sqrt()], 1e-4);
        close(&[bound(&[20_000])], &[(6.0f64 / 20_001.).sqrt()], 1e-4);
        close(&[bound(&[64, 32, 3, 3])], &[(6.0f64 / (96. * 9.)).sqrt()], 1e-4);
        let error = generate("he", &[2, 3, 4], &[], 0, "K").expect_err("no fan");
        assert!(matches!(error, GenerateError::NoFan { generator: "he", .. }) && error.hint().is_some());
    }

    #[test]
    fn wrong_options_and_shapes_are_errors() {
        let fail = |kind: &str, shape: &[usize], given: &[(&str, f64)]| {
            generate(kind, shape, &options(given), 0, "A").expect_err("a mistake").to_string()
        };
        assert_eq!(fail("normal", &[1], &[("seed", 1.5)]), "option `seed` is 1.5, expected a whole number from 0");
        assert_eq!(fail("normal", &[1], &[("sd", -1.)]), "option `sd` is -1, expected 0 or a positive number");
        assert_eq!(fail("uniform", &[1], &[("low", 2.)]), "`low = 2` is not below `high = 1`");
        assert_eq!(fail("glorot", &[1], &[("mean", 2.)]), "`glorot` has no option `mean`");
        assert!(fail("normal", &[usize::MAX, 3], &[]).contains("cannot allocate"));
        assert!(fail("normal", &[1 << 50], &[]).contains("cannot allocate"));
        assert!(fail("gamma", &[1], &[]).contains("no generator"));
    }
}
