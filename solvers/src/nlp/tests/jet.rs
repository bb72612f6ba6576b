//! Numbers with their first two derivatives, and programs written in them.

use std::ops::{Add, Mul, Neg, Sub};

use crate::nlp::Nlp;

/// A value, its gradient `[n]` and Hessian `[n, n]`.
#[derive(Clone, Debug)]
pub(super) struct Jet {
    v: f64,
    g: Vec<f64>,
    h: Vec<f64>,
}

impl Jet {
    fn variable(z: &[f64], i: usize) -> Jet {
        let n = z.len();
        Jet { v: z[i], g: (0..n).map(|j| f64::from(i == j)).collect(), h: vec![0.0; n * n] }
    }

    /// The value and the first two derivatives of a function of one number.
    fn chain(&self, [v, first, second]: [f64; 3]) -> Jet {
        let n = self.g.len();
        let h = (0..n * n).map(|e| first * self.h[e] + second * self.g[e / n] * self.g[e % n]).collect();
        Jet { v, g: self.g.iter().map(|g| first * g).collect(), h }
    }

    pub(super) fn powi(&self, k: i32) -> Jet {
        let f = f64::from(k);
        self.chain([self.v.powi(k), f * self.v.powi(k - 1), f * (f - 1.0) * self.v.powi(k - 2)])
    }

    pub(super) fn exp(&self) -> Jet {
        self.chain([self.v.exp(); 3])
    }

    pub(super) fn ln(&self) -> Jet {
        self.chain([self.v.ln(), 1.0 / self.v, -self.v.powi(-2)])
    }

    pub(super) fn sin(&self) -> Jet {
        self.chain([self.v.sin(), self.v.cos(), -self.v.sin()])
    }
}

impl Add<&Jet> for &Jet {
    type Output = Jet;
    fn add(self, other: &Jet) -> Jet {
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect();
        Jet { v: self.v + other.v, g: sum(&self.g, &other.g), h: sum(&self.h, &other.h) }
    }
}

impl Mul<&Jet> for &Jet {
    type Output = Jet;
    fn mul(self, other: &Jet) -> Jet {
        let n = self.g.len();
        let second = |e: usize| {
            let (i, j) = (e / n, e % n);
            self.v * other.h[e] + other.v * self.h[e] + self.g[i] * other.g[j] + self.g[j] * other.g[i]
        };
        let g = self.g.iter().zip(&other.g).map(|(a, b)| self.v * b + other.v * a).collect();
        Jet { v: self.v * other.v, g, h: (0..n * n).map(second).collect() }
    }
}

impl Neg for Jet {
    type Output = Jet;
    fn neg(self) -> Jet {
        self.chain([-self.v, -1.0, 0.0])
    }
}

macro_rules! by_value {
    ($trait:ident, $name:ident, $combine:expr) => {
        impl $trait<Jet> for Jet {
            type Output = Jet;
            fn $name(self, other: Jet) -> Jet {
                let combine: fn(&Jet, &Jet) -> Jet = $combine;
                combine(&self, &other)
            }
        }
        impl $trait<f64> for Jet {
            type Output = Jet;
            fn $name(self, other: f64) -> Jet {
                let other = self.chain([other, 0.0, 0.0]);
                self.$name(other)
            }
        }
        impl $trait<Jet> for f64 {
            type Output = Jet;
            fn $name(self, other: Jet) -> Jet {
                other.chain([self, 0.0, 0.0]).$name(other)
            }
        }
    };
}

by_value!(Add, add, |a, b| a + b);
by_value!(Sub, sub, |a, b| a + &-b.clone());
by_value!(Mul, mul, |a, b| a * b);

/// A program in one function, which returns f and then the rows.
pub(super) struct Formulas {
    pub(super) bounds: Vec<[f64; 2]>,
    pub(super) row_bounds: Vec<[f64; 2]>,
    pub(super) formulas: fn(&[Jet]) -> Vec<Jet>,
    /// Calls for values and for slopes.
    pub(super) calls: [usize; 2],
}

impl Formulas {
    pub(super) fn new(bounds: &[[f64; 2]], row_bounds: &[[f64; 2]], formulas: fn(&[Jet]) -> Vec<Jet>) -> Formulas {
        Formulas { bounds: bounds.to_vec(), row_bounds: row_bounds.to_vec(), formulas, calls: [0, 0] }
    }

    fn jets(&self, z: &[f64]) -> Vec<Jet> {
        let variables: Vec<Jet> = (0..z.len()).map(|i| Jet::variable(z, i)).collect();
        (self.formulas)(&variables)
    }
}

impl Nlp for Formulas {
    fn bounds(&self) -> &[[f64; 2]] {
        &self.bounds
    }

    fn row_bounds(&self) -> &[[f64; 2]] {
        &self.row_bounds
    }

    fn values(&mut self, z: &[f64], rows: &mut [f64]) -> f64 {
        self.calls[0] += 1;
        let jets = self.jets(z);
        rows.iter_mut().zip(&jets[1..]).for_each(|(row, jet)| *row = jet.v);
        jets[0].v
    }

    fn slopes(&mut self, z: &[f64], gradient: &mut [f64], jacobian: &mut [f64]) {
        self.calls[1] += 1;
        let jets = self.jets(z);
        gradient.copy_from_slice(&jets[0].g);
        jacobian.chunks_exact_mut(z.len()).zip(&jets[1..]).for_each(|(row, jet)| row.copy_from_slice(&jet.g));
    }

    fn hessian(&mut self, z: &[f64], factor: f64, multipliers: &[f64], hessian: &mut [f64]) {
        let jets = self.jets(z);
        hessian.fill(0.0);
        for (jet, y) in jets.iter().zip([factor].iter().chain(multipliers)) {
            hessian.iter_mut().zip(&jet.h).for_each(|(h, e)| *h += y * e);
        }
    }
}
