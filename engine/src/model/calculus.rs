//! The calculus: what is known of every node of a function before any data is read. One forward pass gives each node
//! its sign, its smoothness and its curvature in some of the inputs, the others being fixed. All verdicts hold on the
//! declared sets, in exact arithmetic, and "unknown" only means that no rule applied; proofs of strong convexity are in
//! `strong_convexity`, numeric refutations elsewhere.

use std::fmt;

use super::convexity::Convexity;
use super::sign::Sign;
use crate::elementwise::{self, Elementwise, Monotone, Smoothness};
use crate::graph::{Function, Graph, NodeId, Op, Reduction};

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
enum Roughness {
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

    fn combine(&self, g: &Graph, id: NodeId) -> State {
        if let Op::Map { body, output, .. } = g.op(id) {
            let inputs: Vec<State> = g.args(id).iter().map(|a| State { kink: None, ..*self.state(*a) }).collect();
            let inner = Analysis::of_states(body, &inputs);
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

    /// How rough the node's own operation is in the variables.
    fn kink(&self, g: &Graph, id: NodeId) -> Option<(Roughness, &'static str)> {
        match g.op(id) {
            Op::Elementwise(f) if *f == elementwise::SELECT => self
                .depends(g.args(id)[0])
                .then_some((Roughness::Step, "the derivative is the chosen branch's, as if the choice were fixed")),
            Op::Elementwise(f) => match f.entry().smoothness {
                Smoothness::Smooth => None,
                Smoothness::Kinked(text) => Some((Roughness::Kinked, text)),
                Smoothness::Step => Some((Roughness::Step, "piecewise constant: derivative 0")),
            },
            Op::Reduce(Reduction::Max, _) => {
                Some((Roughness::Kinked, "where several elements are largest, the derivative is a subgradient"))
            }
            Op::Reduce(Reduction::Norm2, _) => Some((Roughness::Kinked, "derivative 0 at the zero vector")),
            Op::Prox(_) => Some((Roughness::Kinked, "the derivative is one of the limits of the nearby derivatives")),
            _ => None,
        }
    }

    /// The nodes behind a kink that the operation smooths out: a power above 1 of a function whose only kinks are where
    /// it is zero (`relu(u)^2`, `norm2(u)^2`).
    fn smoothed(&self, g: &Graph, id: NodeId) -> Option<Vec<NodeId>> {
        let args = g.args(id);
        let base = match g.op(id) {
            Op::Elementwise(f) if *f == elementwise::POW && g.as_const(args[1]).is_some_and(|p| p > 1.0) => args[0],
            _ => self.square(g, id)?.1,
        };
        let behind = g.args(base);
        let zero = |k: usize| g.as_const(behind[k]) == Some(0.0);
        match g.op(base) {
            Op::Reduce(Reduction::Norm2, _) => Some(behind.to_vec()),
            Op::Elementwise(f) => match *f {
                elementwise::ABS | elementwise::RELU => Some(behind.to_vec()),
                elementwise::MAX | elementwise::MIN if zero(0) || zero(1) => Some(behind.to_vec()),
                _ => None,
            },
            _ => None,
        }
    }

    fn sign_of(&self, g: &Graph, id: NodeId) -> Sign {
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
                    Reduction::Sum => total(sign(0)),
                    Reduction::Norm2 => total(sign(0).abs()),
                    Reduction::Max => sign(0),
                    // At least the largest element.
                    Reduction::LogSumExp if sign(0).is_nonnegative() => sign(0).add(Sign::NonNegative),
                    Reduction::LogSumExp => Sign::Unknown,
                }
            }
            Op::Pad { .. } | Op::Scatter(_) => sign(0).total(),
            Op::Concat(_) => args.iter().map(|a| self.sign(*a)).reduce(Sign::join).unwrap_or(Sign::Unknown),
            Op::Transpose(_) | Op::Broadcast(_) | Op::Reshape | Op::Slice { .. } | Op::Gather(_) => sign(0),
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
            elementwise::SELECT => signs[1].join(signs[2]),
            _ => general,
        }
    }

    /// The curvature of a node that needs a variable.
    fn curvature(&self, g: &Graph, id: NodeId) -> Convexity {
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
            Op::Reduce(Reduction::Sum, _) => inner(0),
            Op::Reduce(Reduction::Max | Reduction::LogSumExp, _) if inner(0).is_convex() => Convexity::Convex,
            Op::Reduce(Reduction::Max | Reduction::LogSumExp, _) => Convexity::Unknown,
            Op::Reduce(Reduction::Norm2, _) => inner(0).even(self.sign(args[0])),
            Op::Transpose(_) | Op::Broadcast(_) | Op::Reshape | Op::Slice { .. } | Op::Pad { .. } => inner(0),
            Op::Gather(_) | Op::Scatter(_) => inner(0),
            Op::Concat(_) => args.iter().map(|a| self.convexity(*a)).fold(Convexity::Constant, Convexity::join),
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
            elementwise::ABS | elementwise::COSH => inner(0).even(sign(0)),
            elementwise::HUBER if !self.depends(args[1]) => inner(0).even(sign(0)),
            elementwise::SELECT if !self.depends(args[0]) => inner(1).join(inner(2)),
            elementwise::MUL | elementwise::HUBER | elementwise::SELECT => Convexity::Unknown,
            _ => {
                let entry = f.entry();
                let monotone = |k: usize| entry.monotone.get(k).copied().unwrap_or(Monotone::No);
                let operands: Vec<_> = (0..args.len()).map(|k| (inner(k), monotone(k))).collect();
                Convexity::compose(entry.curvature, &operands)
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
}
