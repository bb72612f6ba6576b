//! The calculus: what is known of every node of a function before any data is read. One forward pass gives each node
//! its sign, its smoothness and its curvature in some of the inputs, the others being fixed. All verdicts hold on the
//! declared sets, in exact arithmetic, and "unknown" only means that no rule applied. The rules per operation are in
//! `rules`, proofs of strong convexity in `strong_convexity`, numeric refutations elsewhere.

use std::fmt;

use crate::calculus::Convexity;
use crate::elementwise;
use crate::graph::{Function, Graph, NodeId, Op};
use crate::sign::Sign;

/// The class of a node as a function of the variables, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Does not vary.
    Constant,
    /// Linear plus constant.
    Affine,
    /// Continuously differentiable where defined.
    Smooth,
    /// Convex with kinks: a candidate for a prox.
    KinkedConvex,
    /// Continuous with kinks.
    Kinked,
    /// Piecewise constant somewhere, or a choice between branches by the variables.
    Nondifferentiable,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Constant => "constant",
            Class::Affine => "affine",
            Class::Smooth => "smooth",
            Class::KinkedConvex => "kinked but convex",
            Class::Kinked => "kinked",
            Class::Nondifferentiable => "not differentiable",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Roughness {
    Smooth,
    Kinked,
    Step,
}

/// What is known of a node.
#[derive(Clone, Copy, Debug)]
struct State {
    depends: bool,
    sign: Sign,
    convexity: Convexity,
    roughness: Roughness,
    /// What the node's own operation does at its kinks, if it has any in the variables.
    kink: Option<&'static str>,
}

/// What is known of every node of one function.
#[derive(Clone, Debug)]
pub struct Analysis {
    states: Vec<State>,
}

/// True when the node needs any of the inputs.
pub fn depends(f: &Function, id: NodeId, inputs: &[usize]) -> bool {
    let used = f.graph().reachable(&[id]);
    inputs.iter().any(|i| used[f.input(*i).0 as usize])
}

impl Analysis {
    /// Analyses a function. `signs` says what the declared sets tell of each input (missing ones are unknown),
    /// `variables` are the positions of the inputs that vary.
    pub fn new(f: &Function, signs: &[Sign], variables: &[usize]) -> Analysis {
        let input = |i: usize| {
            let depends = variables.contains(&i);
            let convexity = if depends { Convexity::Affine } else { Convexity::Constant };
            let sign = signs.get(i).copied().unwrap_or(Sign::Unknown);
            State { depends, sign, convexity, roughness: Roughness::Smooth, kink: None }
        };
        Analysis::of_states(f, &(0..f.inputs.len()).map(input).collect::<Vec<_>>())
    }

    /// Analyses a function whose inputs are themselves functions of the variables: the body of a `Map`.
    fn of_states(f: &Function, inputs: &[State]) -> Analysis {
        let g = f.graph();
        let mut analysis = Analysis { states: Vec::with_capacity(g.len()) };
        for id in g.ids() {
            let state = match g.op(id) {
                Op::Input(i) => inputs[*i as usize],
                _ => analysis.combine(g, id),
            };
            analysis.states.push(state);
        }
        analysis
    }

    /// What is known of the sign of the node's elements.
    pub fn sign(&self, id: NodeId) -> Sign {
        self.state(id).sign
    }

    /// The node's curvature in the variables.
    pub fn convexity(&self, id: NodeId) -> Convexity {
        self.state(id).convexity
    }

    /// True when the node needs a variable.
    pub fn depends(&self, id: NodeId) -> bool {
        self.state(id).depends
    }

    /// The node's class in the variables.
    pub fn class(&self, id: NodeId) -> Class {
        let state = self.state(id);
        match (state.roughness, state.convexity) {
            (_, Convexity::Constant) => Class::Constant,
            (Roughness::Smooth, Convexity::Affine) => Class::Affine,
            (Roughness::Smooth, _) => Class::Smooth,
            (Roughness::Kinked, c) if c.is_convex() => Class::KinkedConvex,
            (Roughness::Kinked, _) => Class::Kinked,
            (Roughness::Step, _) => Class::Nondifferentiable,
        }
    }

    /// The operations that make `root` kinked or not differentiable, operands first, each with what is used as its
    /// derivative there.
    pub fn kinks(&self, f: &Function, root: NodeId) -> Vec<(NodeId, &'static str)> {
        let g = f.graph();
        let mut used = vec![false; root.0 as usize + 1];
        used[root.0 as usize] = true;
        let mut found = Vec::new();
        for id in (0..=root.0).rev().map(NodeId).filter(|id| self.depends(*id)) {
            if !used[id.0 as usize] {
                continue;
            }
            found.extend(self.state(id).kink.map(|text| (id, text)));
            for a in self.smoothed(g, id).unwrap_or_else(|| g.args(id).to_vec()) {
                used[a.0 as usize] = true;
            }
        }
        found.reverse();
        found
    }

    /// `(c, u)` when the node is `c * u^2` element by element (or one element that is the sum of those), `c` constant of
    /// the given sign.
    pub(super) fn square(&self, g: &Graph, id: NodeId) -> Option<(Sign, NodeId)> {
        let args = g.args(id);
        let same = |a: NodeId, b: NodeId| {
            let ((c, u), (d, v)) = (self.factor(g, a), self.factor(g, b));
            (u == v && self.depends(u)).then_some((c.mul(d), u))
        };
        match g.op(id) {
            Op::Elementwise(f) if *f == elementwise::SQUARE => Some((Sign::Positive, args[0])),
            Op::Elementwise(f) if *f == elementwise::POW && g.as_const(args[1]) == Some(2.0) => {
                Some((Sign::Positive, args[0]))
            }
            Op::Elementwise(f) if *f == elementwise::MUL => same(args[0], args[1]),
            // `u' * u`: a row times a column, both laid out in the order of u.
            Op::MatMul if g.shape(id).0.iter().all(|d| d.is_one()) => {
                let vector = |a: NodeId| if matches!(g.op(a), Op::Reshape) { g.args(a)[0] } else { a };
                same(vector(args[0]), vector(args[1]))
            }
            _ => None,
        }
    }

    /// `(c, u)` with the node equal to `c * u` element by element, `c` constant of the given sign.
    pub(super) fn factor(&self, g: &Graph, id: NodeId) -> (Sign, NodeId) {
        let (mut sign, mut id) = (Sign::Positive, id);
        while let Some((c, u)) = self.scaled(g, id) {
            (sign, id) = (sign.mul(c), u);
        }
        (sign, id)
    }

    /// One step of [`Analysis::factor`].
    pub(super) fn scaled(&self, g: &Graph, id: NodeId) -> Option<(Sign, NodeId)> {
        let Op::Elementwise(f) = g.op(id) else { return None };
        let args = g.args(id);
        let fixed = |k: usize| !self.depends(args[k]);
        match *f {
            elementwise::NEG => Some((Sign::Negative, args[0])),
            elementwise::MUL if fixed(0) => Some((self.sign(args[0]), args[1])),
            elementwise::MUL if fixed(1) => Some((self.sign(args[1]), args[0])),
            elementwise::DIV if fixed(1) => Some((Sign::Positive.div(self.sign(args[1])), args[0])),
            _ => None,
        }
    }

    fn state(&self, id: NodeId) -> &State {
        &self.states[id.0 as usize]
    }

    /// What is known of the nodes in the body of a map.
    pub(super) fn within(&self, g: &Graph, map: NodeId, body: &Function) -> Analysis {
        let inputs: Vec<State> = g.args(map).iter().map(|a| State { kink: None, ..*self.state(*a) }).collect();
        Analysis::of_states(body, &inputs)
    }

    fn combine(&self, g: &Graph, id: NodeId) -> State {
        if let Op::Map { body, output, .. } = g.op(id) {
            let inner = self.within(g, id, body);
            let root = body.outputs()[*output as usize];
            let kink = inner.kinks(body, root).first().map(|(_, text)| *text);
            return State { kink, ..*inner.state(root) };
        }
        let depends = g.args(id).iter().any(|a| self.depends(*a));
        let convexity = if depends { self.curvature(g, id) } else { Convexity::Constant };
        let kink = if depends { self.kink(g, id) } else { None };
        let behind = self.smoothed(g, id).unwrap_or_else(|| g.args(id).to_vec());
        let inherited = behind.iter().map(|a| self.state(*a).roughness);
        let own = kink.map_or(Roughness::Smooth, |(roughness, _)| roughness);
        State {
            depends,
            sign: self.sign_of(g, id),
            convexity,
            roughness: inherited.fold(own, Roughness::max),
            kink: kink.map(|(_, text)| text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::elementwise::Smoothness;
    use crate::elementwise::{ABS, EXP, HUBER, LOG, MAX, POW, RELU, SELECT, SIGN, SIN, SQRT, SQUARE};
    use crate::graph::{Elem, Formal, Reduction};
    use crate::shape::{Dim, Shape};
    use Class::{Affine, Constant, Kinked, KinkedConvex, Nondifferentiable, Smooth};
    use Reduction::{LogSumExp, Max, Norm2};

    /// y and z vary; x (any sign), w (positive), d (nonnegative) and the matrix a are fixed; z is nonnegative.
    const SIGNS: [Sign; 6] =
        [Sign::Unknown, Sign::NonNegative, Sign::Unknown, Sign::Positive, Sign::NonNegative, Sign::Unknown];

    fn formals() -> Vec<Formal> {
        let vector = || Shape(vec![Dim::symbol("n")]);
        let matrix = Shape(vec![Dim::symbol("m"), Dim::symbol("n")]);
        let shapes = [vector(), vector(), Shape::scalar(), Shape::scalar(), vector(), matrix];
        let named = ["y", "z", "x", "w", "d", "a"].into_iter().zip(shapes);
        named.map(|(name, shape)| Formal { name: name.into(), shape, elem: Elem::Real }).collect()
    }

    /// A function built from the formals as nodes y, z, x, w, d, a.
    fn function(build: impl FnOnce(&mut Graph, [NodeId; 6]) -> NodeId) -> Function {
        let mut g = Graph::new();
        let formals = formals();
        let inputs = formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem));
        let inputs: Vec<NodeId> = inputs.collect();
        let root = build(&mut g, inputs.try_into().unwrap());
        Function::new("f", &g, formals, &[root])
    }

    type Case = (&'static str, fn(&mut Graph, [NodeId; 6]) -> NodeId, Class, Convexity, Sign);

    fn check(cases: &[Case]) {
        for (text, build, class, convexity, sign) in cases {
            let f = function(build);
            let analysis = Analysis::new(&f, &SIGNS, &[0, 1]);
            let root = f.outputs()[0];
            let found = (analysis.class(root), analysis.convexity(root), analysis.sign(root));
            assert_eq!(found, (*class, *convexity, *sign), "{text}");
            assert_eq!(analysis.depends(root), depends(&f, root, &[0, 1]), "{text}");
            assert_eq!(analysis.kinks(&f, root).is_empty(), *class <= Smooth, "{text}");
        }
    }

    fn norm_squared(g: &mut Graph, a: NodeId) -> NodeId {
        let square = g.elementwise(SQUARE, &[a]);
        g.sum_all(square)
    }

    /// `a * y` as a vector.
    fn product(g: &mut Graph, a: NodeId, y: NodeId) -> NodeId {
        let column = g.shape(y).0.iter().cloned().chain([Dim::constant(1)]).collect();
        let y = g.reshape(y, &Shape(column));
        let product = g.matmul(a, y);
        let rows = g.shape(a).0[0].clone();
        g.reshape(product, &Shape(vec![rows]))
    }

    #[test]
    fn arithmetic() {
        let cases: &[Case] = &[
            ("x", |_, [_, _, x, ..]| x, Constant, Convexity::Constant, Sign::Unknown),
            ("y", |_, [y, ..]| y, Affine, Convexity::Affine, Sign::Unknown),
            ("z + d", |g, [_, z, _, _, d, _]| g.add(z, d), Affine, Convexity::Affine, Sign::NonNegative),
            ("x*y", |g, [y, _, x, ..]| g.mul(x, y), Affine, Convexity::Affine, Sign::Unknown),
            ("y*z", |g, [y, z, ..]| g.mul(y, z), Smooth, Convexity::Unknown, Sign::Unknown),
            ("z/w", |g, [_, z, _, w, ..]| g.div(z, w), Affine, Convexity::Affine, Sign::NonNegative),
            ("w/z", |g, [_, z, _, w, ..]| g.div(w, z), Smooth, Convexity::Convex, Sign::Positive),
            ("w/y", |g, [y, _, _, w, ..]| g.div(w, y), Smooth, Convexity::Unknown, Sign::Unknown),
            (
                "-(d .* y) .* (2*y)",
                |g, [y, _, _, _, d, _]| {
                    let (dy, twice) = (g.mul(d, y), g.scale(2.0, y));
                    let product = g.mul(dy, twice);
                    g.neg(product)
                },
                Smooth,
                Convexity::Concave,
                Sign::NonPositive,
            ),
            (
                "y^2 / z",
                |g, [y, z, ..]| {
                    let square = g.mul(y, y);
                    g.div(square, z)
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "y^2 / (z - d)",
                |g, [y, z, _, _, d, _]| {
                    let (square, below) = (g.mul(y, y), g.sub(z, d));
                    g.div(square, below)
                },
                Smooth,
                Convexity::Unknown,
                Sign::Unknown,
            ),
            (
                "exp(x) * normsq(y)",
                |g, [y, _, x, ..]| {
                    let (weight, n) = (g.elementwise(EXP, &[x]), norm_squared(g, y));
                    g.mul(weight, n)
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "x * normsq(y)",
                |g, [y, _, x, ..]| {
                    let n = norm_squared(g, y);
                    g.mul(x, n)
                },
                Smooth,
                Convexity::Unknown,
                Sign::Unknown,
            ),
        ];
        check(cases);
    }

    #[test]
    fn functions() {
        let cases: &[Case] = &[
            ("abs(y)", |g, [y, ..]| g.elementwise(ABS, &[y]), KinkedConvex, Convexity::Convex, Sign::NonNegative),
            ("relu(y)", |g, [y, ..]| g.elementwise(RELU, &[y]), KinkedConvex, Convexity::Convex, Sign::NonNegative),
            (
                "max(y, z)",
                |g, [y, z, ..]| g.elementwise(MAX, &[y, z]),
                KinkedConvex,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            ("sin(y)", |g, [y, ..]| g.elementwise(SIN, &[y]), Smooth, Convexity::Unknown, Sign::Unknown),
            ("log(z)", |g, [_, z, ..]| g.elementwise(LOG, &[z]), Smooth, Convexity::Concave, Sign::Unknown),
            ("sqrt(z)", |g, [_, z, ..]| g.elementwise(SQRT, &[z]), Kinked, Convexity::Concave, Sign::NonNegative),
            ("sign(y)", |g, [y, ..]| g.elementwise(SIGN, &[y]), Nondifferentiable, Convexity::Unknown, Sign::Unknown),
            ("sign(x)", |g, [_, _, x, ..]| g.elementwise(SIGN, &[x]), Constant, Convexity::Constant, Sign::Unknown),
            (
                "-abs(y)",
                |g, [y, ..]| {
                    let abs = g.elementwise(ABS, &[y]);
                    g.neg(abs)
                },
                Kinked,
                Convexity::Concave,
                Sign::NonPositive,
            ),
            (
                "relu(y)^2",
                |g, [y, ..]| {
                    let relu = g.elementwise(RELU, &[y]);
                    g.elementwise(SQUARE, &[relu])
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "exp(y^2)",
                |g, [y, ..]| {
                    let square = g.elementwise(SQUARE, &[y]);
                    g.elementwise(EXP, &[square])
                },
                Smooth,
                Convexity::Convex,
                Sign::Positive,
            ),
            (
                "huber(y, 1)",
                |g, [y, ..]| {
                    let one = g.constant(1.0);
                    g.elementwise(HUBER, &[y, one])
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "select(x, abs(y), -y)",
                |g, [y, _, x, ..]| {
                    let (abs, minus) = (g.elementwise(ABS, &[y]), g.neg(y));
                    g.elementwise(SELECT, &[x, abs, minus])
                },
                KinkedConvex,
                Convexity::Convex,
                Sign::Unknown,
            ),
            (
                "select(y, z, d)",
                |g, [y, z, _, _, d, _]| g.elementwise(SELECT, &[y, z, d]),
                Nondifferentiable,
                Convexity::Unknown,
                Sign::NonNegative,
            ),
        ];
        check(cases);
    }

    #[test]
    fn powers() {
        fn power(g: &mut Graph, base: NodeId, exponent: f64) -> NodeId {
            let exponent = g.constant(exponent);
            g.elementwise(POW, &[base, exponent])
        }
        let cases: &[Case] = &[
            ("y^4", |g, [y, ..]| power(g, y, 4.0), Smooth, Convexity::Convex, Sign::NonNegative),
            ("y^3", |g, [y, ..]| power(g, y, 3.0), Smooth, Convexity::Unknown, Sign::Unknown),
            ("z^3", |g, [_, z, ..]| power(g, z, 3.0), Smooth, Convexity::Convex, Sign::NonNegative),
            ("z^0.5", |g, [_, z, ..]| power(g, z, 0.5), Kinked, Convexity::Concave, Sign::NonNegative),
            ("z^-2", |g, [_, z, ..]| power(g, z, -2.0), Smooth, Convexity::Convex, Sign::Positive),
            ("w^y", |g, [y, _, _, w, ..]| g.elementwise(POW, &[w, y]), Smooth, Convexity::Convex, Sign::Positive),
        ];
        check(cases);
    }

    #[test]
    fn arrays() {
        let cases: &[Case] = &[
            ("a*y", |g, [y, .., a]| product(g, a, y), Affine, Convexity::Affine, Sign::Unknown),
            ("sum(z)", |g, [_, z, ..]| g.sum_all(z), Affine, Convexity::Affine, Sign::NonNegative),
            ("max(y)", |g, [y, ..]| g.reduce(Max, y, 1), KinkedConvex, Convexity::Convex, Sign::Unknown),
            ("logsumexp(y)", |g, [y, ..]| g.reduce(LogSumExp, y, 1), Smooth, Convexity::Convex, Sign::Unknown),
            ("norm2(y)", |g, [y, ..]| g.reduce(Norm2, y, 1), KinkedConvex, Convexity::Convex, Sign::NonNegative),
            ("concat(y, d)", |g, [y, _, _, _, d, _]| g.concat(&[y, d], 0), Affine, Convexity::Affine, Sign::Unknown),
            (
                "pad(exp(y))",
                |g, [y, ..]| {
                    let (exp, n) = (g.elementwise(EXP, &[y]), Dim::symbol("n"));
                    let more = n.add(&Dim::constant(1)).unwrap();
                    g.pad(exp, 0, &Dim::constant(1), 1, &more)
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "norm2(y)^2",
                |g, [y, ..]| {
                    let norm = g.reduce(Norm2, y, 1);
                    g.mul(norm, norm)
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "normsq(a*y - abs(x))",
                |g, [y, _, x, _, _, a]| {
                    let (product, abs) = (product(g, a, y), g.elementwise(ABS, &[x]));
                    let shape = g.shape(product).clone();
                    let abs = g.promote(abs, &shape);
                    let residual = g.sub(product, abs);
                    norm_squared(g, residual)
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "y'*y",
                |g, [y, ..]| {
                    let (n, one) = (Dim::symbol("n"), Dim::constant(1));
                    let row = g.reshape(y, &Shape(vec![one.clone(), n.clone()]));
                    let column = g.reshape(y, &Shape(vec![n, one]));
                    g.matmul(row, column)
                },
                Smooth,
                Convexity::Convex,
                Sign::NonNegative,
            ),
            (
                "y'*z",
                |g, [y, z, ..]| {
                    let (n, one) = (Dim::symbol("n"), Dim::constant(1));
                    let row = g.reshape(y, &Shape(vec![one.clone(), n.clone()]));
                    let column = g.reshape(z, &Shape(vec![n, one]));
                    g.matmul(row, column)
                },
                Smooth,
                Convexity::Unknown,
                Sign::Unknown,
            ),
        ];
        check(cases);
    }

    #[test]
    fn a_map_is_its_body() {
        let mut g = Graph::new();
        let row = Shape(vec![Dim::symbol("n")]);
        let r = g.input(0, row.clone(), Elem::Real);
        let weight = g.input(1, Shape::scalar(), Elem::Real);
        let abs = g.elementwise(ABS, &[r]);
        let norm = g.sum_all(abs);
        let root = g.mul(weight, norm);
        let formal = |name: &str, shape| Formal { name: name.into(), shape, elem: Elem::Real };
        let body = Function::new("body", &g, vec![formal("r", row), formal("weight", Shape::scalar())], &[root]);
        let body = Arc::new(body);
        let f = function(|g, [y, _, _, w, _, a]| {
            let shape = g.shape(a).clone();
            let rows = g.broadcast(y, 0b10, &shape);
            let shifted = g.sub(a, rows);
            g.map(&body, &[true, false], 0, &[shifted, w])
        });
        let (analysis, root) = (Analysis::new(&f, &SIGNS, &[0, 1]), f.outputs()[0]);
        assert_eq!(analysis.class(root), KinkedConvex);
        assert_eq!(analysis.sign(root), Sign::NonNegative);
        let kinks = analysis.kinks(&f, root);
        assert_eq!(kinks.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [root]);
        assert_eq!(Analysis::new(&f, &SIGNS, &[1]).class(root), Constant);
    }

    #[test]
    fn kinks_name_the_operation() {
        let f = function(|g, [y, z, _, _, d, _]| {
            let (fixed, relu) = (g.elementwise(ABS, &[d]), g.elementwise(RELU, &[y]));
            let (relu, abs) = (g.mul(fixed, relu), g.elementwise(ABS, &[z]));
            let smooth = g.elementwise(SQUARE, &[abs]);
            g.add(relu, smooth)
        });
        let (analysis, root) = (Analysis::new(&f, &SIGNS, &[0, 1]), f.outputs()[0]);
        let kinks = analysis.kinks(&f, root);
        assert_eq!(kinks.len(), 1);
        assert_eq!(*f.graph().op(kinks[0].0), Op::Elementwise(RELU));
        let Smoothness::Kinked(text, _) = RELU.entry().smoothness else { unreachable!("relu has a kink") };
        assert_eq!(kinks[0].1, text);
    }
}
