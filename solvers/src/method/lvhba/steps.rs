//! The steps of `lvhba` where nobody states them, from the curvature at the start: with L that of f in y, `|c_y|` the size of
//! rows and M that of `f + F/c_1` in x and y together,
//! `gamma1 = 1/L`, `gamma2 = L/|c_y|^2`, `eta = 1/(9 L)`, for lam `eta L^2/|c_y|^2`, `alpha = min(eta/2, 1/(M + L))`,
//! `beta = gamma2/4`. With rows of length L the saddle is L-strongly monotone with the Lipschitz constant 3 L, for which eta is
//! the step of Arrow, Hurwicz and Uzawa; lam's own step stands for that length. x and y go half as fast: y is driven away
//! from theta, which has to follow it.

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::control::{Control, Iterate};
use crate::iteration::counts::Counts;
use crate::iteration::{Context, Scalar, memory};
use crate::lower::curvature::{Curvature, Extreme, LowerArrays};
use crate::lower::vectors::norm;
use crate::nlp::Nlp;
use crate::nlp::dense::times;
use crate::nlp::functions::FunctionNlp;
use crate::options::value::Value;

/// Power iterations, and by how much their result is raised.
const STEPS: usize = 30;
const MARGIN: f64 = 1.1;

/// The numbers of an iteration, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberOf {
    Alpha,
    Beta,
    Eta,
    EtaLam,
    Gamma1,
    Gamma2,
    Penalty,
}

impl NumberOf {
    pub(super) const ALL: [NumberOf; 7] = [
        NumberOf::Alpha,
        NumberOf::Beta,
        NumberOf::Eta,
        NumberOf::EtaLam,
        NumberOf::Gamma1,
        NumberOf::Gamma2,
        NumberOf::Penalty,
    ];

    /// Its name among the options.
    pub(super) fn name(self) -> &'static str {
        match self {
            NumberOf::Alpha => "alpha",
            NumberOf::Beta => "beta",
            NumberOf::Eta | NumberOf::EtaLam => "eta",
            NumberOf::Gamma1 => "gamma1",
            NumberOf::Gamma2 => "gamma2",
            NumberOf::Penalty => "c",
        }
    }
}

/// The control: what is stated, and else what curvature says.
pub(super) struct Chosen {
    scalars: Vec<Scalar>,
    curvature: Curvature,
    /// f with F for a row, over both levels.
    both: FunctionNlp,
    variables: Vec<usize>,
    first_c: f64,
    values: Vec<f64>,
}

impl Chosen {
    pub(super) fn new(context: &Context<'_>, scalars: Vec<Scalar>, first_c: f64) -> Result<Chosen, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let variables: Vec<usize> = problem.variables().map(|v| v.formal).collect();
        Ok(Chosen {
            values: vec![1.0; scalars.len()],
            scalars,
            curvature: Curvature::new(problem, data, options.threads, options.seed)?,
            both: both(problem, data, options.threads, &variables)?,
            variables,
            first_c,
        })
    }

    /// What is stated for a number at iteration `k`, or what was found for it.
    fn value(&self, which: NumberOf, k: u64) -> f64 {
        let place = which as usize;
        self.scalars[place].stated.as_ref().map_or(self.values[place], |s| s.at(k))
    }
}

/// f, and F in the place of rows.
fn both(problem: &Problem, data: &Bindings, threads: u64, variables: &[usize]) -> Result<FunctionNlp, Box<Diagnostic>> {
    let (f, upper): (&Function, &Function) = (&problem.lower().objective, &problem.upper().objective);
    FunctionNlp::new(problem, data, threads, f, std::slice::from_ref(upper), variables)
}

/// The largest eigenvalue of a symmetric matrix.
fn largest(matrix: &[f64], n: usize) -> f64 {
    let mut v: Vec<f64> = (0..n).map(|i| 1.0 + (i % 7) as f64 / 7.0).collect();
    let mut size = 0.0;
    for _ in 0..STEPS {
        let length = norm(&v);
        if length == 0.0 || !length.is_finite() {
            break;
        }
        v.iter_mut().for_each(|e| *e /= length);
        v = times(matrix, &v);
        size = norm(&v);
    }
    size
}

impl Control for Chosen {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        self.curvature.go_to(&mut |input, values| iterate.read(input, values));
        let metric: LowerArrays = self.curvature.power.unit_metric();
        let positive = |v: f64| if v > 0.0 && v.is_finite() { MARGIN * v } else { 1.0 };
        let l = positive(self.curvature.power.eigenvalue(Extreme::Lower, 1.0, &metric, STEPS, 1.0, 0.0));
        let rows = positive(self.curvature.slope_of_rows(&metric));
        let mut point = Vec::new();
        for input in &self.variables {
            let mut part = vec![0.0; iterate.len(*input)];
            iterate.read(*input, &mut part);
            point.append(&mut part);
        }
        let mut hessian = vec![0.0; point.len() * point.len()];
        self.both.hessian(&point, 1.0, &[1.0 / self.first_c], &mut hessian);
        let m = positive(largest(&hessian, point.len()));
        let mut set = |which: NumberOf, value: f64| self.values[which as usize] = value;
        set(NumberOf::Gamma1, 1.0 / l);
        set(NumberOf::Gamma2, l / rows);
        set(NumberOf::Eta, 1.0 / (9.0 * l));
        set(NumberOf::EtaLam, l / (9.0 * rows));
        let eta = self.value(NumberOf::Eta, 1);
        let (gamma1, gamma2) = (self.value(NumberOf::Gamma1, 1), self.value(NumberOf::Gamma2, 1));
        self.values[NumberOf::Alpha as usize] = (0.5 * eta).min(1.0 / (m + 1.0 / gamma1));
        self.values[NumberOf::Beta as usize] = 0.25 * gamma2;
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        for (value, which) in values.iter_mut().zip(NumberOf::ALL) {
            *value = self.value(which, k);
        }
    }

    fn penalty(&self) -> Option<&'static str> {
        Some("c")
    }

    fn counts(&self) -> Counts {
        Counts { hvp: self.curvature.power.products(), ..Counts::default() }
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        let is_open = |which: &NumberOf| *which != NumberOf::EtaLam && self.scalars[*which as usize].stated.is_none();
        let open = NumberOf::ALL.into_iter().filter(is_open);
        open.map(|which| (which.name(), Value::Number(self.values[which as usize]))).collect()
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.values, to);
    }

    fn load(&mut self, saved: &[u8], _: &mut dyn Iterate) {
        self.values = memory::unpack(saved);
    }
}
