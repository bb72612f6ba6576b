//! What the calculus proves of a checked problem before any data are read.

use super::{Constraint, Problem, ProximalTerm};
use crate::calculus::{self, Analysis, Assumption, Proof, Verdict, convex};
use crate::graph::{Function, Graph, NodeId};
use crate::prox::Modulus;
use crate::sign::Sign;

impl Problem {
    /// What the declared sets say of the sign of each input of a function over the formals.
    pub fn signs(&self, f: &Function) -> Vec<Sign> {
        let mut signs = vec![Sign::Unknown; f.inputs.len()];
        for v in self.variables().filter(|v| v.formal < f.inputs.len()) {
            let Some(set) = &v.set else { continue };
            let analysis = Analysis::new(&set.parameters, &[], &[]);
            let parameters: Vec<Sign> = set.parameters.outputs().iter().map(|o| analysis.sign(*o)).collect();
            signs[v.formal] = (set.set.sign)(&parameters);
        }
        signs
    }

    /// True when the calculus proves that the lower objective is convex in the lower variables, with its proximal part and
    /// its rows.
    pub fn lower_is_convex(&self) -> bool {
        let f = &self.lower().objective;
        let analysis = Analysis::new(f, &self.signs(f), &self.lower_inputs());
        let rows = self.lower().constraints.iter().all(Constraint::is_convex);
        rows && self.regularizer_is_convex() && convex(&analysis, f.outputs()[0]) == Verdict::Proved
    }

    /// True when the proximal part is convex in the lower variables, or there is none.
    pub fn regularizer_is_convex(&self) -> bool {
        self.lower().terms.iter().all(|t| t.atom.modulus.is_convex())
    }

    /// The terms of the proximal part that no square makes convex.
    pub fn terms_without_modulus(&self) -> impl Iterator<Item = &ProximalTerm> {
        self.lower().terms.iter().filter(|t| matches!(t.atom.modulus, Modulus::Infinite))
    }

    /// Moduli of weak convexity of the other terms that are not convex, over the formals, one output per term. Terms of one
    /// variable add up, and those of different variables do not; that of the proximal part is at most their sum.
    pub fn regularizer_moduli(&self) -> Option<Function> {
        let mut g = Graph::new();
        let formals = &self.formals;
        let inputs: Vec<NodeId> =
            formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
        let mut moduli = Vec::new();
        for term in &self.lower().terms {
            if let Modulus::Weak(_, formula) = term.atom.modulus {
                let mut weights = term.weight.instantiate(&mut g, &inputs);
                weights.extend(term.parameters.instantiate(&mut g, &inputs));
                moduli.push(formula(&mut g, &weights));
            }
        }
        (!moduli.is_empty()).then(|| Function::new("moduli of weak convexity", &g, formals.clone(), &moduli))
    }

    /// True without a proximal part and sets on the lower level: its solutions are where the gradient of f vanishes.
    pub fn lower_is_smooth(&self) -> bool {
        let lower = self.lower();
        lower.regularizer.is_none() && lower.variables.iter().all(|v| v.set.is_none())
    }

    /// What the calculus says of every assumption on the lower level, in the order of `Assumption::ALL`.
    pub fn proofs(&self) -> [Proof; 4] {
        let f = &self.lower().objective;
        let mut proofs = calculus::proofs(f, &self.signs(f), &self.lower_inputs());
        let term = self.lower().terms.iter().find(|t| !t.atom.modulus.is_convex());
        let row = self.lower().constraints.iter().find(|c| !c.is_convex());
        let bent = term.map(|t| (t.span, "f is, but this term of g is not convex"));
        let Some((span, reason)) = bent.or(row.map(|r| (r.span, "f and g are, but this row is not proved convex")))
        else {
            return proofs;
        };
        let of_all = |p: &&mut Proof| p.assumption != Assumption::Smooth && p.verdict == Verdict::Proved;
        for proof in proofs.iter_mut().filter(of_all) {
            proof.verdict = Verdict::Unknown;
            (proof.reason, proof.blame) = match proof.assumption {
                Assumption::Singleton => (Proof::NOT_STRONGLY_CONVEX, None),
                _ => (reason, Some(span)),
            };
        }
        proofs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Settings, check};

    fn of(lower: &str) -> [Proof; 4] {
        let text = format!("upper {{ var x >= 0  minimize x^2 }}  lower {{ var y[2]  {lower} }}");
        let parsed = blo_grammar::parse(&text);
        let outcome = check(&parsed.ast, &text, "test", &Settings::default());
        outcome.problem.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics)).proofs()
    }

    fn verdicts(lower: &str) -> [Verdict; 4] {
        of(lower).map(|p| p.verdict)
    }

    #[test]
    fn the_calculus_proves_or_does_not_know() {
        use Verdict::{Proved, Refuted, Unknown};
        assert_eq!(verdicts("minimize normsq(y - x)"), [Proved, Proved, Proved, Proved]);
        assert_eq!(verdicts("minimize normsq(y - x)  regularize x*norm1(y)"), [Proved, Proved, Proved, Proved]);
        assert_eq!(verdicts("minimize 1/2*y[1]^2 - x*y[1]"), [Unknown, Proved, Proved, Unknown]);
        assert_eq!(verdicts("minimize normsq(y - x) + sum(sin(y))"), [Unknown, Unknown, Proved, Unknown]);
        assert_eq!(verdicts("minimize normsq(y - x) + sum(relu(y))"), [Proved, Proved, Unknown, Proved]);
        assert_eq!(verdicts("minimize normsq(y - x) + sum(huber(y, x))")[2], Proved);
        assert_eq!(verdicts("minimize normsq(y - x) + sum(huber(y, x - 1))")[2], Unknown);
        assert_eq!(verdicts("minimize normsq(y - x) + sum(exp(x).^y)")[2], Proved);
        assert_eq!(verdicts("minimize normsq(y - x) + sum(x.^y)")[2], Unknown);
        assert_eq!(verdicts("minimize normsq(y - x) + normq(y, 1/2, 0)")[2], Unknown);
        assert_eq!(verdicts("minimize normsq(y - x) + normq(y, 1/2, 1/100)")[2], Proved);
        assert_eq!(verdicts("minimize sum(y)"), [Refuted, Proved, Proved, Unknown]);
        for term in ["mcp(y, 2)", "scad(y, 3)", "norm0(y)", "normq(y, 1/2)"] {
            let lower = format!("minimize normsq(y - x)  regularize x*{term}");
            assert_eq!(verdicts(&lower), [Unknown, Unknown, Proved, Unknown], "{term}");
        }
    }

    #[test]
    fn a_row_belongs_to_the_level() {
        use Verdict::{Proved, Unknown};
        for (row, wanted) in [
            ("sum(y) <= x", [Proved; 4]),
            ("sum(y) == x", [Proved; 4]),
            ("normsq(y) <= x", [Proved; 4]),
            ("normsq(y) >= x", [Unknown, Unknown, Proved, Unknown]),
            ("normsq(y) == x", [Unknown, Unknown, Proved, Unknown]),
            ("1 <= y[1] + x*y[2] <= 2", [Proved; 4]),
            ("1 <= normsq(y) <= 2", [Unknown, Unknown, Proved, Unknown]),
        ] {
            assert_eq!(verdicts(&format!("minimize normsq(y - x)  subject to {{ {row} }}")), wanted, "{row}");
        }
    }

    #[test]
    fn a_negative_param_proves_nothing() {
        for (value, wanted) in [("-1", Verdict::Unknown), ("-3/2", Verdict::Unknown), ("1", Verdict::Proved)] {
            let text = format!(
                "param d = {value}  upper {{ var x  minimize x^2 }}  lower {{ var y  minimize d*(y - x)^2 + d*y }}"
            );
            let parsed = blo_grammar::parse(&text);
            let outcome = check(&parsed.ast, &text, "test", &Settings::default());
            let proofs = outcome.problem.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics)).proofs();
            assert_eq!(proofs[1].verdict, wanted, "convex for {value}");
        }
    }

    #[test]
    fn the_piece_to_blame_is_the_innermost() {
        let text = "upper { var x  minimize x^2 }  lower { var y  minimize (y - x)^2 + exp(sin(y)) }";
        let parsed = blo_grammar::parse(text);
        let problem = check(&parsed.ast, text, "test", &Settings::default()).problem.unwrap();
        let blame = problem.proofs()[1].blame.unwrap();
        assert_eq!(&text[blame.range()], "sin(y)");
    }
}
