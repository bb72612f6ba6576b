//! The proximal part taken apart: atoms `A_e(y)`, each with a weight that is affine in the penalties x. With
//! `weight_e(x) = fixed_e + sum_i c_ei x_i` the part is `sum_e fixed_e A_e(y) + sum_i x_i P_i(y)`, `P_i = sum_e c_ei A_e`.

use std::ops::Range;

use blo_engine::model::problem::{LevelId, ProximalTerm};
use blo_engine::prox::Entry;
use blo_grammar::diagnostic::Diagnostic;

use super::logarithm::of_penalties;
use crate::conic::{Affine, ConicProgram};
use crate::formula::bound_program::BoundProgram;
use crate::iteration::{Context, Rows};
use crate::lower::vectors::{dot, largest, norm};

/// What an atom is of its entries of y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Absolute,
    Norm,
    Largest,
    Squares,
}

impl Kind {
    fn of(entry: &Entry) -> Option<Kind> {
        Some(match entry.name {
            "l1" => Kind::Absolute,
            "group_l2" => Kind::Norm,
            "norminf" => Kind::Largest,
            "squared_l2" => Kind::Squares,
            _ => return None,
        })
    }
}

/// True for the atoms that a conic program can hold.
pub(super) fn is_known(term: &ProximalTerm) -> bool {
    Kind::of(term.atom).is_some()
}

/// An atom.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    kind: Kind,
    entries: Range<usize>,
    /// Its weight at x = 0.
    pub(super) fixed: f64,
    /// What each entry of x adds to it per unit, where it adds something.
    pub(super) by: Vec<(usize, f64)>,
}

impl Atom {
    /// `A_e(y)`
    pub(super) fn value(&self, y: &[f64]) -> f64 {
        let y = &y[self.entries.clone()];
        match self.kind {
            Kind::Absolute => y.iter().map(|v| v.abs()).sum(),
            Kind::Norm => norm(y),
            Kind::Largest => largest(y),
            Kind::Squares => dot(y, y),
        }
    }

    /// The weight at a point.
    pub(super) fn weight(&self, x: &[f64]) -> f64 {
        self.fixed + self.by.iter().map(|(i, c)| c * x[*i]).sum::<f64>()
    }

    /// An expression that is at least `A_e(y)`, and can be equal to it. `near` is a value that it may have.
    pub(super) fn bound(&self, program: &mut ConicProgram, y: &Range<usize>, near: f64) -> Affine {
        let entries: Vec<Affine> = self.entries.clone().map(|j| Affine::variable(y.start + j)).collect();
        let between = |program: &mut ConicProgram, bound: usize, e: &Affine| {
            for sign in [-1.0, 1.0] {
                program.nonnegative(Affine::variable(bound).plus(sign, e));
            }
        };
        let unit = self.entries.clone().fold(0.0, |m: f64, j| m.max(program.unit(y.start + j)));
        if self.kind == Kind::Absolute {
            let bounds = program.variables(entries.len(), unit);
            bounds.clone().zip(&entries).for_each(|(bound, e)| between(program, bound, e));
            return bounds.fold(Affine::default(), |sum, bound| sum.plus(1.0, &Affine::variable(bound)));
        }
        let length = entries.len() as f64;
        let size = match self.kind {
            Kind::Absolute | Kind::Largest => unit,
            Kind::Norm => length.sqrt() * unit,
            Kind::Squares => length * unit * unit,
        };
        let bound = program.variables(1, size).start;
        match self.kind {
            Kind::Largest => entries.iter().for_each(|e| between(program, bound, e)),
            Kind::Squares => {
                program.squares_at_most(entries.into_iter(), &Affine::variable(bound), near.max(1e-2 * size).sqrt());
            }
            Kind::Absolute | Kind::Norm => program.norm_at_most(entries.into_iter(), Affine::variable(bound)),
        }
        Affine::variable(bound)
    }

    /// How large an entry may be where the atom is at most this.
    pub(super) fn radius(&self, level: f64) -> f64 {
        if self.kind == Kind::Squares { level.sqrt() } else { level }
    }

    /// Its entries of y.
    pub(super) fn entries(&self) -> Range<usize> {
        self.entries.clone()
    }
}

/// The weights of all terms as programs.
pub(super) struct PenaltyPrograms {
    weights: Vec<BoundProgram<f64>>,
    kinds: Vec<Kind>,
    /// Entries of the variable of each term among those of y.
    places: Vec<Range<usize>>,
    /// Number of entries of each upper variable, and its input.
    upper: Vec<(usize, usize)>,
}

impl PenaltyPrograms {
    /// `lengths`: of the variables of both levels.
    pub(super) fn new(context: &Context<'_>, lengths: &[usize]) -> Result<PenaltyPrograms, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let lower = problem.range(LevelId::LOWER);
        let terms = &problem.lower().terms;
        let weight =
            |t: &ProximalTerm| BoundProgram::new(&of_penalties(&t.weight, problem), problem, data, options.threads);
        let weights: Result<Vec<_>, _> = terms.iter().map(weight).collect();
        let place = |t: &ProximalTerm| {
            let first = lengths[lower.start..t.variable].iter().sum();
            first..first + lengths[t.variable]
        };
        Ok(PenaltyPrograms {
            weights: weights?,
            kinds: terms.iter().filter_map(|t| Kind::of(t.atom)).collect(),
            places: terms.iter().map(place).collect(),
            upper: problem.upper().variables.iter().map(|v| (lengths[v.formal], v.formal)).collect(),
        })
    }

    /// Other tasks.
    pub(super) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.weights.iter_mut().try_for_each(|w| w.select(rows))
    }

    /// The atoms.
    pub(super) fn read(&mut self) -> Vec<Atom> {
        let mut atoms = Vec::new();
        for term in 0..self.weights.len() {
            let fixed = self.weights_at(term, None);
            let (place, groups) = (self.places[term].clone(), fixed.len());
            let width = place.len() / groups.max(1);
            let first = atoms.len();
            for (g, weight) in fixed.iter().enumerate() {
                let entries = place.start + g * width..place.start + (g + 1) * width;
                atoms.push(Atom { kind: self.kinds[term], entries, fixed: *weight, by: Vec::new() });
            }
            for i in 0..self.upper.iter().map(|(length, _)| length).sum() {
                let at = self.weights_at(term, Some(i));
                for (g, (at, fixed)) in at.iter().zip(&fixed).enumerate().filter(|(_, (at, fixed))| at != fixed) {
                    atoms[first + g].by.push((i, at - fixed));
                }
            }
        }
        atoms.retain(|a| a.fixed != 0.0 || !a.by.is_empty());
        atoms
    }

    /// The weights of a term at x = 0, or at a unit vector.
    fn weights_at(&mut self, term: usize, unit: Option<usize>) -> Vec<f64> {
        let program = &mut self.weights[term];
        let mut before = 0;
        for (length, input) in &self.upper {
            let slots = program.input_mut(*input);
            slots.fill(0.0);
            if let Some(i) = unit.filter(|i| (before..before + length).contains(i)) {
                slots[i - before] = 1.0;
            }
            before += length;
        }
        program.run();
        program.output(0).to_vec()
    }
}
