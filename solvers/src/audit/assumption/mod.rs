//! Whether the lower level is what a method assumes. The calculus of the engine proves; here numbers refute, each time
//! with a witness: a point of the sets and a direction in which the assumption fails. Hessian-vector products at several
//! points give a small matrix whose least eigenvector is the direction; it stays within the set, since it is built from
//! directions in which the projection moves. What is neither proved nor refuted is unknown.

mod eigen;
mod probe;
mod witness;

use blo_engine::calculus::{Assumption, Proof, Verdict};
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use self::probe::{FLAT, POINTS, Probe};
pub use self::witness::Witness;
use self::witness::{along, second_derivative, values};
use crate::message;
use crate::method::METHODS;
use crate::options::entry::MethodEntry;

/// Fewer Hessian-vector products than this show nothing.
const LEAST: usize = 4;

/// A negative curvature above this share of the largest is not a rounding error.
const NEGATIVE: f64 = 1e-8;

/// What is known of an assumption.
#[derive(Clone, Debug, PartialEq)]
pub struct AssumptionFinding {
    /// The assumption.
    pub assumption: Assumption,
    /// Proved by the calculus, refuted by a witness, or unknown.
    pub verdict: Verdict,
    /// Why, in a sentence: a proof's rule, or the witness.
    pub reason: String,
    /// The piece of the program where the calculus ended.
    pub blame: Option<Span>,
    /// What refutes it.
    pub witness: Option<Witness>,
}

impl AssumptionFinding {
    fn of(proof: &Proof) -> AssumptionFinding {
        AssumptionFinding {
            assumption: proof.assumption,
            verdict: proof.verdict,
            reason: proof.reason.to_owned(),
            blame: proof.blame,
            witness: None,
        }
    }

    fn refute(&mut self, witness: Witness, what: &str) {
        self.verdict = Verdict::Refuted;
        self.reason = format!("at {}, along {}, {what}", values(&witness.point), along(&witness.direction));
        self.blame = None;
        self.witness = Some(witness);
    }
}

/// What the calculus alone says, in the order of [`Assumption::ALL`].
pub fn proved(problem: &Problem) -> Vec<AssumptionFinding> {
    problem.proofs().iter().map(AssumptionFinding::of).collect()
}

/// Proofs, and refutations of what is `wanted` where numbers find one, in the order of [`Assumption::ALL`]. `seconds` is
/// the limit on time of the run that the judgment is for; infinity without one.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn judge(
    problem: &Problem,
    data: &Bindings,
    threads: u64,
    wanted: &[Assumption],
    seconds: f64,
) -> Result<Vec<AssumptionFinding>, Vec<Diagnostic>> {
    const SEED: u64 = 0;
    let mut found = proved(problem);
    // with rows, methods assume curvature along them only, which depends on what is active
    if !problem.lower().constraints.is_empty() {
        return Ok(found);
    }
    let is_open =
        |j: &AssumptionFinding| j.verdict != Verdict::Proved && j.witness.is_none() && wanted.contains(&j.assumption);
    let is_convex = found[1].verdict == Verdict::Proved;
    // a second solution is one of a convex level only
    if !found.iter().any(|j| is_open(j) && (is_convex || j.assumption != Assumption::Singleton)) {
        return Ok(found);
    }
    let mut probe = Probe::new(problem, data, threads, SEED, seconds).map_err(|d| vec![*d])?;
    if probe.products < LEAST {
        return Ok(found);
    }
    let points = (probe.products / probe.directions).clamp(1, POINTS);
    let [strong, convex, smooth, singleton] = found.as_mut_slice() else { unreachable!("there are four assumptions") };
    for point in 0..points {
        probe.go_to(point);
        if (is_open(strong) || is_open(convex))
            && let Some(flat) = probe.flattest()
            && !probe.is_stopped()
        {
            if convex.verdict == Verdict::Unknown && flat.least < -NEGATIVE * flat.largest {
                convex.refute(probe.witness(&flat.direction), &second_derivative(flat.least));
            }
            let level = flat.least <= FLAT * flat.largest;
            if strong.verdict != Verdict::Proved && strong.witness.is_none() && level {
                // less than rounding is none
                let shown = if flat.least.abs() <= FLAT * flat.largest { 0.0 } else { flat.least };
                strong.refute(probe.witness(&flat.direction), &second_derivative(shown));
            }
        }
        if is_open(smooth)
            && let Some(witness) = probe.kink(point)
            && !probe.is_stopped()
        {
            smooth.refute(witness, "the first derivative jumps");
        }
    }
    if is_open(singleton) && is_convex {
        probe.go_to(0);
        let found = probe.second_solution().map_err(|d| vec![*d])?;
        if let Some(witness) = found.filter(|_| !probe.is_stopped()) {
            singleton.refute(witness, "the lower level is solved on a whole segment");
        }
    }
    Ok(found)
}

/// A warning for each assumption of a method that is refuted. `span` is where the method is named.
///
/// # Errors
/// As [`judge`].
pub fn warnings(
    problem: &Problem,
    data: &Bindings,
    method: &MethodEntry,
    span: Span,
    (threads, seconds): (u64, f64),
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let open = |j: &AssumptionFinding| method.requires.contains(&j.assumption) && j.verdict != Verdict::Proved;
    if !proved(problem).iter().any(open) {
        return Ok(Vec::new());
    }
    let found = judge(problem, data, threads, method.requires, seconds)?;
    if !found.iter().any(|j| j.verdict == Verdict::Refuted) {
        return Ok(Vec::new());
    }
    // a method is named only if its own assumptions, which this one may not make, hold as far as numbers say
    let others: Vec<Assumption> = Assumption::ALL.into_iter().filter(|a| !method.requires.contains(a)).collect();
    let others = judge(problem, data, threads, &others, seconds)?;
    let refuted =
        |a: &Assumption| found.iter().chain(&others).any(|j| j.assumption == *a && j.verdict == Verdict::Refuted);
    let fit = METHODS.iter().filter(|m| !m.entry.requires.iter().any(refuted));
    let fit: Vec<&str> = fit.map(|m| m.entry.name).collect();
    let wrong = found.iter().filter(|j| method.requires.contains(&j.assumption) && j.verdict == Verdict::Refuted);
    Ok(wrong.map(|j| message::assumption_refuted(span, method.name, j.assumption, &j.reason, &fit)).collect())
}

#[cfg(test)]
mod tests;
