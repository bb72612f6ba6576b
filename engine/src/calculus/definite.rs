//! Quadratic forms whose sign is known by the way their matrix is made: `u'*(eye(n) + W'*W/n)*u` is positive whatever W
//! holds. Sufficient rules, in exact arithmetic; a data matrix that happens to be definite is found by numbers only.

use crate::calculus::Analysis;
use crate::elementwise;
use crate::graph::{Graph, NodeId, Op, Reduction, symmetry};
use crate::opaque;
use crate::sign::Sign;

/// How many operations deep a matrix is looked into.
const DEPTH: usize = 12;

impl Analysis {
    /// `(c, u)` when the node is `u'*M*u` for a vector u and a fixed matrix M, `c` the sign of that for every u but zero.
    pub(super) fn quadratic_form(&self, g: &Graph, id: NodeId) -> Option<(Sign, NodeId)> {
        if !matches!(g.op(id), Op::Reduce(Reduction::Sum, _)) || !g.shape(id).is_scalar() {
            return None;
        }
        let (scale, product) = self.factor(g, g.args(id)[0]);
        if *g.op(product) != Op::Elementwise(elementwise::MUL) || g.shape(product).rank() != 1 {
            return None;
        }
        let [(c, a), (d, b)] = [g.args(product)[0], g.args(product)[1]].map(|a| self.factor(g, a));
        let scale = scale.mul(c).mul(d);
        let form = |u: NodeId, image: NodeId| self.image(g, u, image).map(|sign| (scale.mul(sign), u));
        form(a, b).or_else(|| form(b, a))
    }

    /// The sign of `u'*image`, u not zero, when `image` is `M*u` or `(u'*M)'` for a fixed matrix M.
    fn image(&self, g: &Graph, u: NodeId, image: NodeId) -> Option<Sign> {
        if !self.depends(u) {
            return None;
        }
        let (c, image) = self.entries(g, image);
        let chain = factors(g, image);
        let ends = [(chain.last()?, &chain[..chain.len() - 1]), (chain.first()?, &chain[1..])];
        ends.into_iter().find_map(|(end, matrices)| {
            let (d, entries) = self.entries(g, *end);
            let is_form = entries == u && !matrices.is_empty() && !matrices.iter().any(|m| self.depends(*m));
            is_form.then(|| c.mul(d).mul(self.product(g, matrices, DEPTH)))
        })
    }

    /// `(c, u)` with the node a multiple of u's entries in their order, `c` the sign of the multiple.
    fn entries(&self, g: &Graph, id: NodeId) -> (Sign, NodeId) {
        let (c, u) = self.factor(g, id);
        match g.op(u) {
            Op::Reshape => {
                let (d, u) = self.entries(g, g.args(u)[0]);
                (c.mul(d), u)
            }
            _ => (c, u),
        }
    }

    /// The sign of `u'*M*u`, u not zero, for the product M of the matrices.
    fn product(&self, g: &Graph, matrices: &[NodeId], depth: usize) -> Sign {
        match matrices {
            [] => Sign::Positive,
            [only] => self.definiteness(g, *only, depth),
            // `W'*M*W` has the sign of M, and is zero where W*u is.
            [first, inner @ .., last] if symmetry::are_transposes(g, *first, *last) => {
                self.product(g, inner, depth).total()
            }
            _ => Sign::Unknown,
        }
    }

    /// True when a square matrix is symmetric and positive definite by the way it is made, at every admissible point.
    pub fn is_positive_definite(&self, g: &Graph, matrix: NodeId) -> bool {
        is_symmetric(g, matrix) && self.definiteness(g, matrix, DEPTH) == Sign::Positive
    }

    /// The sign of `u'*M*u`, u not zero, for a square matrix M.
    fn definiteness(&self, g: &Graph, matrix: NodeId, depth: usize) -> Sign {
        let Some(depth) = depth.checked_sub(1) else { return Sign::Unknown };
        let args = g.args(matrix);
        let of = |k: usize| self.definiteness(g, args[k], depth);
        let entry = |k: usize| self.sign(args[k]);
        let is_filled = |k: usize| *g.op(args[k]) == Op::Broadcast(0);
        match g.op(matrix) {
            Op::MatMul => self.product(g, &factors(g, matrix), depth),
            // The inverse has the sign of the matrix.
            Op::Prox(opaque::SOLVE) if is_inverse(g, matrix) => of(0),
            // All entries are one number: `c * (sum of u)^2`.
            Op::Broadcast(0) => entry(0).total(),
            Op::Elementwise(f) => match *f {
                elementwise::EQUAL if symmetry::is_diagonal(g, matrix) => Sign::Positive,
                elementwise::SELECT if symmetry::is_diagonal(g, matrix) => entry(1),
                elementwise::ADD => of(0).add(of(1)),
                elementwise::SUB => of(0).sub(of(1)),
                elementwise::NEG => of(0).neg(),
                elementwise::MUL if is_filled(0) => entry(0).mul(of(1)),
                elementwise::MUL if is_filled(1) => of(0).mul(entry(1)),
                elementwise::DIV if is_filled(1) => of(0).mul(Sign::Positive.div(entry(1))),
                elementwise::MUL if symmetry::is_diagonal(g, args[0]) => of(0).mul(entry(1)),
                elementwise::MUL if symmetry::is_diagonal(g, args[1]) => entry(0).mul(of(1)),
                // Schur's product theorem.
                elementwise::MUL if is_symmetric(g, args[0]) && is_symmetric(g, args[1]) => of(0).mul(of(1)).total(),
                _ => Sign::Unknown,
            },
            _ => Sign::Unknown,
        }
    }
}

/// True for `inv(S)`.
fn is_inverse(g: &Graph, a: NodeId) -> bool {
    let is_eye = |b: NodeId| *g.op(b) == Op::Elementwise(elementwise::EQUAL) && symmetry::is_diagonal(g, b);
    *g.op(a) == Op::Prox(opaque::SOLVE) && is_eye(g.args(a)[2])
}

/// In exact arithmetic: `inv(S)` is rounded to both sides of its diagonal, so that no rewrite may turn it.
fn is_symmetric(g: &Graph, a: NodeId) -> bool {
    symmetry::are_transposes(g, a, a) || is_inverse(g, a)
}

/// The factors of a product of matrices, from left to right.
fn factors(g: &Graph, id: NodeId) -> Vec<NodeId> {
    let mut found = Vec::new();
    let mut left = vec![id];
    while let Some(id) = left.pop() {
        match g.op(id) {
            Op::MatMul => left.extend(g.args(id).iter().rev()),
            _ => found.push(id),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calculus::Convexity;
    use crate::graph::Function;
    use crate::model::{Problem, Settings, check};
    use crate::oracle::{self, Tensor, Value};
    use crate::shape::Sizes;

    /// A problem with the lower objective `y'*(matrix*y)`.
    fn problem(matrix: &str) -> Problem {
        let text = format!(
            "data W[3, 3] = normal(seed = 1)  data v[3] = normal(seed = 2)  let d = abs(v)
             upper {{ var x  minimize x^2 }}
             lower {{ var y[3]  minimize y'*(({matrix})*y) + x }}"
        );
        let parsed = blo_grammar::parse(&text);
        let outcome = check(&parsed.ast, &text, "test", &Settings::default());
        outcome.problem.unwrap_or_else(|| panic!("{matrix}: {:#?}", outcome.diagnostics))
    }

    /// The objective as a function of its inputs, its form's node, and what is known of that.
    fn form(problem: &Problem) -> (Function, NodeId, Analysis) {
        let f = problem.lower().objective.clone();
        let analysis = Analysis::new(&f, &problem.signs(&f), &problem.lower_inputs());
        let root = f.graph().args(f.outputs()[0])[0];
        (f, root, analysis)
    }

    fn sign(matrix: &str) -> Sign {
        let (f, root, analysis) = form(&problem(matrix));
        let (c, u) = analysis.quadratic_form(f.graph(), root).unwrap_or_else(|| panic!("{matrix} makes no form"));
        assert_eq!(f.graph().op(u), &Op::Input(1), "{matrix}");
        c
    }

    #[test]
    fn matrices_are_judged_by_how_they_are_made() {
        let cases = [
            ("eye(3)", Sign::Positive),
            ("-eye(3)/2", Sign::Negative),
            ("W'*W", Sign::NonNegative),
            ("eye(3) + W'*W/3", Sign::Positive),
            ("2*eye(3) - W*W'", Sign::Unknown),
            ("-eye(3) - W*W'", Sign::Negative),
            ("W'*(eye(3) + W*W')*W", Sign::NonNegative),
            ("W'*diag(d)*W", Sign::NonNegative),
            ("W'*diag(v)*W", Sign::Unknown),
            ("diag(exp(v)) + v*v'", Sign::Positive),
            ("diag(d) .* W", Sign::Unknown),
            ("eye(3) .* exp(W)", Sign::Positive),
            ("(W'*W) .* (v*v')", Sign::NonNegative),
            ("W", Sign::Unknown),
            ("W*W", Sign::Unknown),
            ("exp(W)", Sign::Unknown),
            ("exp(v[1])*(W'*W) + fill(2, 3, 3)", Sign::NonNegative),
            ("v[1]*(W'*W)", Sign::Unknown),
            ("inv(eye(3) + W'*W)", Sign::Positive),
            ("W'*inv(eye(3) + W'*W)*W", Sign::NonNegative),
            ("inv(W)", Sign::Unknown),
        ];
        for (matrix, wanted) in cases {
            assert_eq!(sign(matrix), wanted, "{matrix}");
        }
    }

    #[test]
    fn both_orders_and_factors_are_seen() {
        let text = "data W[3, 3] = normal(seed = 1)  upper { var x[3]  minimize normsq(x) }
             lower { var y[3]  minimize 1/2*(y - x)'*(eye(3) + W'*W)*(2*(y - x)) }";
        let parsed = blo_grammar::parse(text);
        let problem = check(&parsed.ast, text, "test", &Settings::default()).problem.unwrap();
        let f = &problem.lower().objective;
        let analysis = Analysis::new(f, &[], &problem.lower_inputs());
        assert_eq!(analysis.convexity(f.outputs()[0]), Convexity::Convex);
        assert_eq!(analysis.sign(f.outputs()[0]), Sign::NonNegative);
    }

    /// The text of a square matrix of the program above.
    fn matrix() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec!["eye(3)", "W", "W'*W", "diag(v)", "diag(d)", "v*v'", "fill(v[2], 3, 3)"]);
        leaf.prop_map(str::to_owned).prop_recursive(3, 12, 2, |inner| {
            let pair = (inner.clone(), inner.clone(), prop::sample::select(vec!["+", "-", ".*", "*"]));
            prop_oneof![
                pair.prop_map(|(a, b, op)| format!("({a}) {op} ({b})")),
                inner.clone().prop_map(|a| format!("-({a})")),
                inner.clone().prop_map(|a| format!("({a})/v[1]^2")),
                inner.clone().prop_map(|a| format!("W'*({a})*W")),
                inner.prop_map(|a| format!("({a})'")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn signs_hold_at_samples(
            matrix in matrix(),
            y in prop::collection::vec(-2.0..2.0, 3),
            data in (prop::collection::vec(-2.0..2.0, 9), prop::collection::vec(-2.0..2.0, 3)),
        ) {
            let (f, root, analysis) = form(&problem(&matrix));
            let known = match analysis.quadratic_form(f.graph(), root) {
                Some((sign, _)) => sign.total(),
                None => Sign::Unknown,
            };
            let values = [vec![0.0], y, data.0, data.1];
            let shapes = [vec![], vec![3], vec![3, 3], vec![3]];
            let inputs: Vec<_> = shapes.into_iter().zip(values).map(|(s, v)| Value::Real(Tensor::new(s, v))).collect();
            let form = Function::new("form", f.graph(), f.inputs.clone(), &[root]);
            let at: f64 = oracle::evaluate(&form, &Sizes::new(), &inputs)[0].values[0];
            let slack = 1e-9 * (1.0 + at.abs());
            prop_assert!([at - slack, at, at + slack].into_iter().any(|v| known.admits(v)), "{matrix} is {known}: {at}");
        }
    }
}
