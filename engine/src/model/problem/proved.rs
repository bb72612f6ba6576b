//! What the calculus proves of a checked problem before any data are read.

use super::Problem;
use crate::calculus::{self, Analysis, Proof, Verdict, convex};
use crate::graph::Function;
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

    /// True when the calculus proves that the smooth lower objective is convex in the lower variables.
    pub fn lower_is_convex(&self) -> bool {
        let f = &self.lower().objective;
        let analysis = Analysis::new(f, &self.signs(f), &self.lower_inputs());
        convex(&analysis, f.outputs()[0]) == Verdict::Proved
    }

    /// What the calculus says of every assumption on the lower level, in the order of `Assumption::ALL`.
    pub fn proofs(&self) -> [Proof; 4] {
        let f = &self.lower().objective;
        calculus::proofs(f, &self.signs(f), &self.lower_inputs())
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
