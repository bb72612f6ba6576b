//! The rules of the calculus, per operation: sign, curvature, kinks. A table function is judged by its entry; the few
//! functions named here have rules that an entry cannot express, because they depend on the value of an exponent, on
//! which operand varies, or on two operands being the same.

use crate::calculus::Convexity;
use crate::calculus::{Analysis, Roughness};
use crate::elementwise::{self, Curvature, Elementwise, Monotone, Smoothness};
use crate::graph::{Graph, NodeId, Op, Reduction};
use crate::opaque;
use crate::sign::Sign;

impl Analysis {
    /// The sign of a node but inputs and maps.
    pub(super) fn sign_of(&self, g: &Graph, id: NodeId) -> Sign {
        let args = g.args(id);
        let sign = |k: usize| self.sign(args[k]);
        match g.op(id) {
            Op::Input(_) => unreachable!("inputs have their states from the caller"),
            Op::Const(bits) => Sign::of(f64::from_bits(*bits)),
            Op::Size(dim) => dim.sign(),
            Op::Iota => Sign::NonNegative,
            Op::Elementwise(f) => self.elementwise_sign(g, id, *f),
            Op::MatMul => match self.square(g, id) {
                Some((c, u)) => c.mul(self.sign(u).abs()).total(),
                None => sign(0).mul(sign(1)).total(),
            },
            Op::Reduce(how, axes) => {
                let shape = g.shape(args[0]);
                let reduced = shape.0.iter().enumerate().filter(|(i, _)| axes >> i & 1 == 1);
                let some = reduced.into_iter().all(|(_, d)| d.sign().is_nonzero());
                let total = |s: Sign| if some { s } else { s.total() };
                match how {
                    Reduction::Sum => match self.quadratic_form(g, id) {
                        Some((c, _)) => total(sign(0)).meet(c.total()),
                        None => total(sign(0)),
                    },
                    Reduction::Norm2 => total(sign(0).abs()),
                    Reduction::Max => sign(0),
                    // At least the largest element.
                    Reduction::LogSumExp if sign(0).is_nonnegative() => sign(0).add(Sign::NonNegative),
                    Reduction::LogSumExp => Sign::Unknown,
                }
            }
            Op::Conv { .. } => sign(0).mul(sign(1)).total(),
            Op::Pick(_) => sign(1),
            Op::Put(_) => sign(1).total(),
            Op::Pad { .. } | Op::Scatter(_) => sign(0).total(),
            Op::Concat(_) => args.iter().map(|a| self.sign(*a)).reduce(Sign::join).unwrap_or(Sign::Unknown),
            Op::Transpose(_) | Op::Broadcast(_) | Op::Reshape | Op::Slice { .. } | Op::Gather(_) => sign(0),
            Op::Prox(opaque::NUCLEAR) => Sign::NonNegative,
            Op::Prox(_) => Sign::Unknown,
            Op::Map { .. } => unreachable!("the body says"),
        }
    }

    fn elementwise_sign(&self, g: &Graph, id: NodeId, f: Elementwise) -> Sign {
        let args = g.args(id);
        let signs: Vec<Sign> = args.iter().map(|a| self.sign(*a)).collect();
        let general = (f.entry().sign)(&signs);
        if let Some((c, u)) = self.square(g, id) {
            return general.meet(c.mul(self.sign(u).abs()));
        }
        match f {
            elementwise::POW => g.as_const(args[1]).map_or(general, |p| general.meet(signs[0].pow(p))),
            // Where it is defined, a divisor that is at least zero is above zero.
            elementwise::DIV => general.meet(signs[0].div(signs[1])),
            elementwise::SELECT => signs[1].join(signs[2]),
            _ => general,
        }
    }

    /// The curvature of a node that needs a variable.
    pub(super) fn curvature(&self, g: &Graph, id: NodeId) -> Convexity {
        let args = g.args(id);
        let inner = |k: usize| self.convexity(args[k]);
        match g.op(id) {
            Op::Input(_) | Op::Const(_) | Op::Size(_) | Op::Iota => unreachable!("has no operands"),
            Op::Elementwise(f) => self.elementwise_curvature(g, id, *f),
            Op::MatMul => match (self.square(g, id), self.depends(args[0]), self.depends(args[1])) {
                (Some((c, u)), ..) => self.convexity(u).even(self.sign(u)).scale(c),
                (None, true, true) => Convexity::Unknown,
                (None, true, false) => inner(0).scale(self.sign(args[1])),
                (None, false, _) => inner(1).scale(self.sign(args[0])),
            },
            Op::Conv { .. } => match (self.depends(args[0]), self.depends(args[1])) {
                (true, true) => Convexity::Unknown,
                (true, false) => inner(0).scale(self.sign(args[1])),
                (false, _) => inner(1).scale(self.sign(args[0])),
            },
            // The maximum over windows, or a choice that does not vary.
            Op::Pick(_) if args[0] == args[1] && inner(0).is_convex() => Convexity::Convex,
            Op::Pick(_) | Op::Put(_) if !self.depends(args[0]) => inner(1),
            Op::Pick(_) | Op::Put(_) => Convexity::Unknown,
            Op::Reduce(Reduction::Sum, _) => match self.quadratic_form(g, id) {
                Some((c, u)) if self.convexity(u).is_affine() => Convexity::Convex.scale(c),
                _ => inner(0),
            },
            Op::Reduce(Reduction::Max | Reduction::LogSumExp, _) if inner(0).is_convex() => Convexity::Convex,
            Op::Reduce(Reduction::Max | Reduction::LogSumExp, _) => Convexity::Unknown,
            Op::Reduce(Reduction::Norm2, _) => inner(0).even(self.sign(args[0])),
            Op::Transpose(_) | Op::Broadcast(_) | Op::Reshape | Op::Slice { .. } | Op::Pad { .. } => inner(0),
            Op::Gather(_) | Op::Scatter(_) => inner(0),
            Op::Concat(_) => args.iter().map(|a| self.convexity(*a)).fold(Convexity::Constant, Convexity::join),
            Op::Prox(opaque::LOGDET) if inner(0).is_affine() => Convexity::Concave,
            Op::Prox(opaque::SOLVE) if !self.depends(args[0]) => inner(2).scale(Sign::Unknown),
            Op::Prox(opaque::NUCLEAR) if inner(0).is_affine() => Convexity::Convex,
            Op::Prox(_) => Convexity::Unknown,
            Op::Map { .. } => unreachable!("the body says"),
        }
    }

    fn elementwise_curvature(&self, g: &Graph, id: NodeId, f: Elementwise) -> Convexity {
        let args = g.args(id);
        let inner = |k: usize| self.convexity(args[k]);
        let sign = |k: usize| self.sign(args[k]);
        if let Some((c, u)) = self.square(g, id) {
            return self.convexity(u).even(self.sign(u)).scale(c);
        }
        if let Some((c, u)) = self.scaled(g, id) {
            return self.convexity(u).scale(c);
        }
        match f {
            elementwise::DIV => self.quotient(g, args[0], args[1]),
            elementwise::POW => match g.as_const(args[1]) {
                Some(p) => inner(0).pow(sign(0), p),
                // `b^u = exp(u log b)` is convex in u.
                None if !self.depends(args[0]) && sign(0).is_nonnegative() && inner(1).is_affine() => Convexity::Convex,
                None => Convexity::Unknown,
            },
            elementwise::SELECT if !self.depends(args[0]) => inner(1).join(inner(2)),
            elementwise::MUL | elementwise::SELECT => Convexity::Unknown,
            _ => {
                let entry = f.entry();
                let monotone = |k: usize| match entry.monotone[k] {
                    Monotone::AwayFromZero if sign(k).is_nonnegative() => Monotone::Nondecreasing,
                    Monotone::AwayFromZero if sign(k).is_nonpositive() => Monotone::Nonincreasing,
                    other => other,
                };
                let fixed = |k: usize| !self.depends(args[k]) && sign(k).is_nonnegative();
                let outer = match entry.curvature {
                    Curvature::ConvexInFirst if (1..args.len()).all(fixed) => Curvature::Convex,
                    other => other,
                };
                let operands: Vec<_> = (0..args.len()).map(|k| (inner(k), monotone(k))).collect();
                Convexity::compose(outer, &operands)
            }
        }
    }

    /// `a / b` with `b` varying: a constant times `1 / b`, or a square over a positive concave function.
    fn quotient(&self, g: &Graph, a: NodeId, b: NodeId) -> Convexity {
        if !self.depends(a) {
            return self.convexity(b).pow(self.sign(b), -1.0).scale(self.sign(a));
        }
        // `u^2 / v` is convex in both, rises with |u| and falls with v.
        let (factor, numerator) = self.factor(g, a);
        match self.square(g, numerator) {
            Some((c, u)) if self.sign(b).is_nonnegative() && self.convexity(b).is_concave() => {
                self.convexity(u).even(self.sign(u)).scale(c.mul(factor))
            }
            _ => Convexity::Unknown,
        }
    }

    /// How rough the node's own operation is in the variables.
    pub(super) fn kink(&self, g: &Graph, id: NodeId) -> Option<(Roughness, &'static str)> {
        let args = g.args(id);
        match g.op(id) {
            Op::Elementwise(f) if *f == elementwise::SELECT => self
                .depends(args[0])
                .then_some((Roughness::Step, "the derivative is the chosen branch's, as if the choice were fixed")),
            Op::Elementwise(f) => match f.entry().smoothness {
                Smoothness::Smooth => self.edge(g, id, *f).map(|text| (Roughness::Kinked, text)),
                Smoothness::Kinked(text, _) => Some((Roughness::Kinked, text)),
                Smoothness::Step => Some((Roughness::Step, "piecewise constant: derivative 0")),
                Smoothness::Stopped => Some((Roughness::Step, "no derivative goes through `stop`")),
            },
            Op::Reduce(Reduction::Max, _) => {
                Some((Roughness::Kinked, "where several elements are largest, the derivative is a subgradient"))
            }
            Op::Reduce(Reduction::Norm2, _) => Some((Roughness::Kinked, "derivative 0 at the zero vector")),
            Op::Pick(_) if args[0] == args[1] => Some((
                Roughness::Kinked,
                "where several entries of a window are largest, the derivative is the first one's",
            )),
            Op::Pick(_) | Op::Put(_) => self
                .depends(args[0])
                .then_some((Roughness::Step, "the places of the largest entries are taken as fixed")),
            Op::Prox(kernel) if kernel.entry().smooth => None,
            Op::Prox(_) => Some((Roughness::Kinked, "the derivative is one of the limits of the nearby derivatives")),
            _ => None,
        }
    }

    /// What a smooth function does where its operand is zero, at the edge of its domain, if the operand may be zero: the
    /// slope of a power between 0 and 1 has no bound there, and none at all inside of the variables' domain. A power with a
    /// varying exponent jumps where its base is 0, be that fixed or not. `huber` has its kink at 0 for negative thresholds.
    fn edge(&self, g: &Graph, id: NodeId, f: Elementwise) -> Option<&'static str> {
        const TEXT: &str = "the slope at 0 is infinite";
        let args = g.args(id);
        let positive = |k: usize| self.sign(args[k]) == Sign::Positive;
        match f {
            elementwise::SQRT if !positive(0) => Some(TEXT),
            elementwise::HUBER if !self.sign(args[1]).is_nonnegative() => Some("0 at 0, for a negative threshold"),
            elementwise::POW if !positive(0) => match g.as_const(args[1]) {
                Some(p) => (p.fract() != 0.0 && (0.0..1.0).contains(&p)).then_some(TEXT),
                None => Some("the slope at 0 depends on the exponent"),
            },
            _ => None,
        }
    }

    /// The nodes behind a kink that the operation smooths out: a power above 1 of a function whose only kinks are where
    /// it is zero (`relu(u)^2`, `norm2(u)^2`), or a square of a root.
    pub(super) fn smoothed(&self, g: &Graph, id: NodeId) -> Option<Vec<NodeId>> {
        let args = g.args(id);
        let (base, power) = match (g.op(id), args.get(1).and_then(|p| g.as_const(*p))) {
            (Op::Elementwise(f), Some(p)) if *f == elementwise::POW && p > 1.0 => (args[0], p),
            _ => (self.square(g, id)?.1, 2.0),
        };
        let base = self.factor(g, base).1;
        let behind = g.args(base);
        let zero = |k: usize| g.as_const(behind[k]) == Some(0.0);
        match g.op(base) {
            Op::Reduce(Reduction::Norm2, _) => Some(behind.to_vec()),
            Op::Elementwise(f) => match *f {
                elementwise::ABS | elementwise::RELU => Some(behind.to_vec()),
                elementwise::SQRT if power >= 2.0 => Some(behind.to_vec()),
                elementwise::MAX | elementwise::MIN if zero(0) || zero(1) => Some(behind.to_vec()),
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::elementwise::{ABS, ADD, COSH, DIV, EXP, HUBER, LOG, MAX, MIN, MUL, NEG, POW, RELU, SIN, SOFTPLUS};
    use crate::elementwise::{SELECT, SQRT, SQUARE, SUB};
    use crate::graph::{Elem, Formal, Function};
    use crate::shape::{Dim, Shape};

    /// Squares and roots more often: kinks come from pairs of them.
    const UNARY: [Elementwise; 14] =
        [NEG, ABS, EXP, LOG, SQRT, SQUARE, COSH, SOFTPLUS, RELU, SIN, SQRT, SQUARE, SQRT, SQUARE];
    const BINARY: [Elementwise; 6] = [ADD, SUB, MUL, DIV, MAX, MIN];
    const REDUCTIONS: [Reduction; 4] = [Reduction::Sum, Reduction::Max, Reduction::LogSumExp, Reduction::Norm2];
    const EXPONENTS: [f64; 8] = [-2.0, -1.0, -0.5, 0.5, 1.5, 2.0, 3.0, 4.0];

    /// An expression over y (any sign) and z (nonnegative), which vary, and d (any sign), all of length 3, and the
    /// fixed 3 by 3 matrices a (any sign) and p (nonnegative): one node per step, from earlier ones.
    fn expression(steps: &[(u8, usize, usize, usize)]) -> Function {
        let vector = Shape(vec![Dim::constant(3)]);
        let matrix = Shape(vec![Dim::constant(3), Dim::constant(3)]);
        let column = Shape(vec![Dim::constant(3), Dim::constant(1)]);
        let mut formals = Vec::new();
        for (name, shape) in ["y", "z", "d", "a", "p"].into_iter().zip([&vector, &vector, &vector, &matrix, &matrix]) {
            formals.push(Formal { name: name.into(), shape: shape.clone(), elem: Elem::Real });
        }
        let mut g = Graph::new();
        let inputs: Vec<NodeId> = (0..5).map(|i| g.input(i, formals[i].shape.clone(), Elem::Real)).collect();
        let mut nodes = vec![inputs[0], inputs[1], inputs[0], inputs[2]];
        nodes.push(g.filled(-1.5, &vector));
        for (kind, which, a, b) in steps {
            // every other time the last one, so that functions of functions of functions come up
            let pick = |k: usize| *nodes.get(k % (2 * nodes.len())).unwrap_or(&nodes[nodes.len() - 1]);
            let (a, b) = (pick(*a), pick(*b));
            let node = match kind % 8 {
                0 | 1 => g.elementwise(UNARY[which % UNARY.len()], &[a]),
                2 | 3 => g.elementwise(BINARY[which % BINARY.len()], &[a, b]),
                4 if which % 9 == 8 => g.elementwise(POW, &[a, b]),
                4 => {
                    let p = g.constant(EXPONENTS[which % EXPONENTS.len()]);
                    g.elementwise(POW, &[a, p])
                }
                5 => {
                    let reduced = g.reduce(REDUCTIONS[which % REDUCTIONS.len()], a, 1);
                    g.promote(reduced, &vector)
                }
                6 => {
                    let a = g.reshape(a, &column);
                    let product = g.matmul(inputs[3 + which % 2], a);
                    g.reshape(product, &vector)
                }
                _ if which % 2 == 0 => {
                    let fixed = [g.constant(0.7), inputs[2]][which / 2 % 2];
                    let threshold = g.promote(fixed, &vector);
                    g.elementwise(HUBER, &[a, threshold])
                }
                _ => g.elementwise(SELECT, &[inputs[2], a, b]),
            };
            nodes.push(node);
        }
        Function::new("f", &g, formals, &nodes)
    }

    /// The value of every node of an [`expression`], in f64: all arrays are flat, repeats are of scalars.
    fn values(f: &Function, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let g = f.graph();
        let mut values: Vec<Vec<f64>> = Vec::new();
        // `max` of f64 forgets an undefined operand.
        let defined = |values: &[f64]| values.iter().all(|v| !v.is_nan());
        for id in g.ids() {
            let args: Vec<&Vec<f64>> = g.args(id).iter().map(|a| &values[a.0 as usize]).collect();
            let value = match g.op(id) {
                Op::Input(i) => inputs[*i as usize].clone(),
                Op::Const(bits) => vec![f64::from_bits(*bits)],
                Op::Elementwise(e) => {
                    let at = |i: usize| args.iter().map(|a| a[i]).collect::<Vec<_>>();
                    let value = |at: &[f64]| if defined(at) { (e.entry().f64)(at) } else { f64::NAN };
                    (0..args[0].len()).map(|i| value(&at(i))).collect()
                }
                Op::MatMul => (0..3).map(|i| (0..3).map(|k| args[0][3 * i + k] * args[1][k]).sum()).collect(),
                Op::Reshape => args[0].clone(),
                Op::Broadcast(0) => vec![args[0][0]; 3],
                Op::Reduce(how, _) => vec![match how {
                    Reduction::Sum => args[0].iter().sum(),
                    Reduction::Max if !defined(args[0]) => f64::NAN,
                    Reduction::Max => args[0].iter().copied().fold(f64::NEG_INFINITY, f64::max),
                    Reduction::LogSumExp => args[0].iter().map(|v| v.exp()).sum::<f64>().ln(),
                    Reduction::Norm2 => args[0].iter().map(|v| v * v).sum::<f64>().sqrt(),
                }],
                op => unreachable!("{} is not made here", op.name()),
            };
            values.push(value);
        }
        values
    }

    fn numbers(n: usize, low: f64) -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(low..2.0, n)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000,
            rng_seed: proptest::test_runner::RngSeed::Fixed(3),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Signs hold at sampled points and curvature at the midpoints of sampled pairs, for every node.
        #[test]
        fn verdicts_hold_at_samples(
            steps in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>(), any::<usize>()), 1..7),
            from in (numbers(3, -2.0), numbers(3, 0.0)),
            to in (numbers(3, -2.0), numbers(3, 0.0)),
            fixed in (numbers(3, -2.0), numbers(9, -2.0), numbers(9, 0.0)),
        ) {
            let f = expression(&steps);
            let nonnegative = Sign::NonNegative;
            let analysis =
                Analysis::new(&f, &[Sign::Unknown, nonnegative, Sign::Unknown, Sign::Unknown, nonnegative], &[0, 1]);
            let half = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a + b) / 2.0).collect::<Vec<_>>();
            let at = |y: &[f64], z: &[f64]| {
                values(&f, &[y.to_vec(), z.to_vec(), fixed.0.clone(), fixed.1.clone(), fixed.2.clone()])
            };
            let (first, last) = (at(&from.0, &from.1), at(&to.0, &to.1));
            let middle = at(&half(&from.0, &to.0), &half(&from.1, &to.1));
            for id in f.graph().ids() {
                let i = id.0 as usize;
                let (sign, convexity) = (analysis.sign(id), analysis.convexity(id));
                for ((a, b), mid) in first[i].iter().zip(&last[i]).zip(&middle[i]) {
                    let large = [a, b, mid].into_iter().map(|v| v.abs()).fold(0.0, f64::max);
                    // Undefined somewhere, or rounded too coarsely to tell.
                    if ![a, b, mid].into_iter().all(|v| v.is_finite()) || large > 1e6 {
                        continue;
                    }
                    // Rounding may turn a sum that is zero into a small number and a positive number into zero.
                    let admitted = |v: f64| [v, v - 1e-9, v + 1e-9].into_iter().any(|v| sign.admits(v));
                    prop_assert!([a, b, mid].into_iter().all(|v| admitted(*v)), "node {i} is {sign}: {a}, {b}, {mid}");
                    let (mean, slack) = ((a + b) / 2.0, 1e-7 * (1.0 + large));
                    let fits = (!convexity.is_convex() || *mid <= mean + slack)
                        && (!convexity.is_concave() || *mid >= mean - slack);
                    prop_assert!(fits, "node {i} is {convexity}: {a}, {b}, at the middle {mid}");
                    if convexity == Convexity::Constant {
                        prop_assert!((a - b).abs() <= slack, "node {i} is constant: {a}, {b}");
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 20_000,
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// What is called smooth has one slope at every point of a grid on which kinks lie, along every direction.
        #[test]
        fn smooth_nodes_have_one_slope(
            steps in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>(), any::<usize>()), 1..7),
            at in prop::collection::vec(-2..3i32, 6),
            along in prop::collection::vec(-2..3i32, 6),
            fixed in (numbers(3, -2.0), numbers(9, -2.0), numbers(9, 0.0)),
        ) {
            let f = expression(&steps);
            let nonnegative = Sign::NonNegative;
            let signs = [Sign::Unknown, nonnegative, Sign::Unknown, Sign::Unknown, nonnegative];
            let analysis = Analysis::new(&f, &signs, &[0, 1]);
            let moved = |t: f64| {
                let point: Vec<f64> = at.iter().zip(&along).map(|(a, d)| f64::from(*a) / 2.0 + t * f64::from(*d)).collect();
                // z is at least zero, also a little around the point
                let z = point[3..].iter().map(|v| v + 1.5).collect();
                values(&f, &[point[..3].to_vec(), z, fixed.0.clone(), fixed.1.clone(), fixed.2.clone()])
            };
            // the jump of the slope at the point, from both sides, with a step and with a much smaller one
            let (middle, steps) = (moved(0.0), [1e-4, 1e-6]);
            let sides = steps.map(|h| (moved(h), moved(-h)));
            for id in f.graph().ids().filter(|id| analysis.class(*id) <= crate::calculus::Class::Smooth) {
                let i = id.0 as usize;
                // what is built on an infinite number is not defined there, and on a huge one it varies too fast
                let defined = |v: &[Vec<f64>]| v[..=i].iter().flatten().all(|v| v.abs() < 1e3);
                if ![&middle, &sides[0].0, &sides[0].1, &sides[1].0, &sides[1].1].into_iter().all(|v| defined(v)) {
                    continue;
                }
                for (k, at) in middle[i].iter().enumerate() {
                    let jumps = [0, 1].map(|s| {
                        let (up, down) = (sides[s].0[i][k], sides[s].1[i][k]);
                        (up - 2.0 * at + down) / steps[s]
                    });
                    // of a smooth function the jump falls with the step
                    let stays = jumps[1].abs() > 1e-2 && jumps[1].abs() > 0.9 * jumps[0].abs();
                    prop_assert!(!stays, "node {i} of {:?} is smooth, and its slope jumps by {jumps:?}", f.graph().op(id));
                }
            }
        }
    }
    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 5000,
            rng_seed: proptest::test_runner::RngSeed::Fixed(2),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// What is called strongly convex in y has a positive second difference between any two points.
        #[test]
        fn strongly_convex_sums_bend(
            steps in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>(), any::<usize>()), 1..5),
            from in numbers(3, -2.0),
            to in numbers(3, -2.0),
            fixed in (numbers(3, 0.0), numbers(3, -2.0), numbers(9, -2.0), numbers(9, 0.0)),
        ) {
            let f = expression(&steps);
            let mut g = f.graph().clone();
            let square = g.elementwise(SQUARE, &[f.input(0)]);
            let last = *f.outputs().last().expect("there are nodes");
            let (sum, product) = (g.add(square, last), g.mul(square, last));
            let roots = [square, last, sum, product].map(|node| g.sum_all(node));
            let f = Function::new("sum", &g, f.inputs.clone(), &roots);
            let nonnegative = Sign::NonNegative;
            let signs = [Sign::Unknown, nonnegative, Sign::Unknown, Sign::Unknown, nonnegative];
            let analysis = Analysis::new(&f, &signs, &[0]);
            for root in f.outputs() {
                if crate::calculus::strongly_convex(&f, &analysis, *root, &[0]) != crate::calculus::Verdict::Proved {
                    continue;
                }
                let at = |t: f64| {
                    let y = from.iter().zip(&to).map(|(a, b)| a + t * (b - a)).collect();
                    let (z, d, a, p) = fixed.clone();
                    values(&f, &[y, z, d, a, p])[root.0 as usize][0]
                };
                let [a, b, middle] = [0.0, 1.0, 0.5].map(at);
                let apart: f64 = from.iter().zip(&to).map(|(a, b)| (a - b).powi(2)).sum();
                if [a, b, middle].iter().all(|v| v.is_finite() && v.abs() < 1e4) && apart > 1e-2 {
                    prop_assert!(a + b - 2.0 * middle > 0.0, "{a}, {b}, at the middle {middle}");
                }
            }
        }
    }
}
