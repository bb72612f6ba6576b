//! Recognition, one test per spelling. Equal nodes are one id, so weights are compared as ids; and whatever is
//! recognized must have the value of the original term, computed from the atoms.

use super::universal::Draws;
use super::{Atom, Joint, Rejection, recognize};
use crate::elementwise::{ABS, Elementwise, HUBER, MCP, POW, SCAD, SQRT, SQUARE};
use crate::graph::all_axes;
use crate::graph::{Elem, Formal, Function, Graph, NodeId, Op, Reduction};
use crate::opaque;
use crate::oracle::{Tensor, Value, evaluate};
use crate::shape::{Dim, Shape, Sizes};

/// Own variables: y [n], z [n], w [m, k]. Others: x [n], s [], u [J], d [m, n], r [m] and positions i [q].
struct World {
    g: Graph,
    y: NodeId,
    x: NodeId,
    s: NodeId,
    z: NodeId,
    w: NodeId,
    u: NodeId,
    d: NodeId,
    r: NodeId,
    i: NodeId,
}

const SHAPES: [&[&str]; 9] = [&["n"], &["n"], &[], &["n"], &["m", "k"], &["J"], &["m", "n"], &["m"], &["q"]];
const SIZES: [(&str, i64); 5] = [("n", 12), ("m", 5), ("k", 3), ("J", 4), ("q", 6)];

fn shape(dims: &[&str]) -> Shape {
    Shape(dims.iter().map(|d| Dim::symbol(d)).collect())
}

fn dim(name: &str) -> Dim {
    Dim::symbol(name)
}

impl World {
    fn new() -> World {
        let mut g = Graph::new();
        let elem = |k: usize| if k == 8 { Elem::Index } else { Elem::Real };
        let ids: Vec<NodeId> = SHAPES.iter().enumerate().map(|(k, s)| g.input(k, shape(s), elem(k))).collect();
        let [y, x, s, z, w, u, d, r, i] = ids.try_into().unwrap();
        World { g, y, x, s, z, w, u, d, r, i }
    }

    /// The term and the atoms' values added up agree on random inputs.
    fn check_value(&self, term: NodeId, atoms: &[Atom]) {
        let mut g = self.g.clone();
        let mut sum = g.constant(0.0);
        for a in atoms {
            let weights = [&[a.weight], a.parameters.as_slice()].concat();
            let joint = Joint::of_atom(a);
            let value = joint.value(&mut g, [self.y, self.z, self.w][a.variable], &weights);
            sum = g.add(sum, value);
        }
        let elem = |k: usize| if k == 8 { Elem::Index } else { Elem::Real };
        let formals = SHAPES.iter().enumerate();
        let formals = formals.map(|(k, s)| Formal { name: k.to_string(), shape: shape(s), elem: elem(k) }).collect();
        let both = Function::new("both", &g, formals, &[term, sum]);
        let mut sizes = Sizes::new();
        SIZES.iter().for_each(|(name, value)| sizes.set(name, *value));
        let mut draws = Draws(21);
        let mut inputs: Vec<Value<f64>> = Vec::new();
        for s in &SHAPES[..8] {
            let s = shape(s).sizes(&sizes).unwrap();
            let values = draws.array(s.iter().product(), (-2.0, 2.0));
            inputs.push(Value::Real(Tensor::new(s, values)));
        }
        inputs.push(Value::Index(vec![3, 0, 7, 3, 11, 4]));
        let values = evaluate(&both, &sizes, &inputs);
        let (original, rebuilt) = (values[0].values[0], values[1].values[0]);
        assert!((original - rebuilt).abs() < 1e-12 * original.abs().max(1.0), "{original} became {rebuilt}");
    }

    fn sum_of(&mut self, f: Elementwise, a: NodeId) -> NodeId {
        let each = self.g.elementwise(f, &[a]);
        self.g.sum_all(each)
    }

    fn weighted(&mut self, weight: NodeId, f: Elementwise, a: NodeId) -> NodeId {
        let each = self.g.elementwise(f, &[a]);
        let product = self.g.mul(weight, each);
        self.g.sum_all(product)
    }

    fn norm2(&mut self, a: NodeId) -> NodeId {
        let axes = all_axes(self.g.shape(a));
        self.g.reduce(Reduction::Norm2, a, axes)
    }

    /// `[J, n/J]`, the groups of y.
    fn blocks(&mut self, a: NodeId) -> NodeId {
        let blocked = Shape(vec![dim("J"), dim("n").div(&dim("J")).unwrap()]);
        self.g.reshape(a, &blocked)
    }

    fn recognize(&mut self, term: NodeId) -> Result<Vec<Atom>, Rejection> {
        let own = [self.y, self.z, self.w];
        let atoms = recognize(&mut self.g, term, &|_, id| own.iter().position(|v| *v == id))?;
        self.check_value(term, &atoms);
        Ok(atoms)
    }

    /// The weight of the only atom, which must be of this entry and on this variable.
    fn only(&mut self, term: NodeId, entry: &str, variable: usize) -> NodeId {
        let atoms = self.recognize(term).unwrap_or_else(|e| panic!("{}: {}", e.why(), e.help()));
        assert_eq!(atoms.iter().map(|a| (a.entry.name, a.variable)).collect::<Vec<_>>(), [(entry, variable)]);
        atoms[0].weight
    }

    fn rejected(&mut self, term: NodeId) -> Rejection {
        match self.recognize(term) {
            Err(rejection) => rejection,
            Ok(atoms) => panic!("recognized as {:?}", atoms.iter().map(|a| a.entry.name).collect::<Vec<_>>()),
        }
    }
}

#[test]
fn norm1_plain_and_scaled() {
    let mut w = World::new();
    let norm1 = w.sum_of(ABS, w.y);
    let one = w.g.constant(1.0);
    assert_eq!(w.only(norm1, "l1", 0), one);
    let scaled = w.g.mul(w.s, norm1);
    assert_eq!(w.only(scaled, "l1", 0), w.s);
    // exp(s) * norm1(y) / 4, in other orders too
    let e = w.g.elementwise(crate::elementwise::EXP, &[w.s]);
    let four = w.g.constant(4.0);
    let product = w.g.mul(norm1, e);
    let quotient = w.g.div(product, four);
    let expected = w.g.div(e, four);
    assert_eq!(w.only(quotient, "l1", 0), expected);
    let negative = w.g.neg(scaled);
    let expected = w.g.neg(w.s);
    assert_eq!(w.only(negative, "l1", 0), expected);
}

#[test]
fn a_weight_per_entry() {
    let mut w = World::new();
    let (x, y, s) = (w.x, w.y, w.s);
    let canonical = w.weighted(x, ABS, y);
    assert_eq!(w.only(canonical, "l1", 0), x);
    // x' * abs(y) through rows and columns
    let rows = Shape(vec![Dim::constant(1), dim("n")]);
    let (xr, yr) = {
        let a = w.g.elementwise(ABS, &[y]);
        (w.g.reshape(x, &rows), w.g.reshape(a, &rows))
    };
    let product = w.g.mul(xr, yr);
    let total = w.g.sum_all(product);
    assert_eq!(w.only(total, "l1", 0), x);
    // the same as a matrix product
    let column = Shape(vec![dim("n"), Dim::constant(1)]);
    let a = w.g.elementwise(ABS, &[y]);
    let yc = w.g.reshape(a, &column);
    let dot = w.g.matmul(xr, yc);
    let dot = w.g.reshape(dot, &Shape::scalar());
    let weight = w.only(dot, "l1", 0);
    assert_eq!(*w.g.shape(weight), shape(&["n"]));
    // sum((s .* abs(y)) .* x): the number goes to the scale
    let inner = w.g.mul(s, a);
    let outer = w.g.mul(inner, x);
    let total = w.g.sum_all(outer);
    let expected = w.g.mul(s, x);
    assert_eq!(w.only(total, "l1", 0), expected);
}

#[test]
fn factors_inside_a_norm_come_out_as_their_size() {
    let mut w = World::new();
    let (x, y, s) = (w.x, w.y, w.s);
    let inner = w.g.mul(x, y);
    let norm1 = w.sum_of(ABS, inner);
    let expected = w.g.elementwise(ABS, &[x]);
    assert_eq!(w.only(norm1, "l1", 0), expected);
    let inner = w.g.scale(-3.0, y);
    let norm1 = w.sum_of(ABS, inner);
    let expected = w.g.constant(3.0);
    assert_eq!(w.only(norm1, "l1", 0), expected);
    let squares = w.sum_of(SQUARE, inner);
    let expected = w.g.constant(9.0);
    assert_eq!(w.only(squares, "squared_l2", 0), expected);
    let inner = w.g.mul(s, y);
    let norm = w.norm2(inner);
    let expected = w.g.elementwise(ABS, &[s]);
    assert_eq!(w.only(norm, "group_l2", 0), expected);
}

#[test]
fn a_part_of_a_variable_has_weight_zero_elsewhere() {
    let mut w = World::new();
    let (x, y) = (w.x, w.y);
    let (two, length) = (Dim::constant(2), dim("n").sub(&Dim::constant(3)).unwrap());
    let part = w.g.slice(y, 0, &two, 1, &length);
    let weights = w.g.slice(x, 0, &two, 1, &length);
    let term = w.weighted(weights, ABS, part);
    let expected = w.g.pad(weights, 0, &two, 1, &dim("n"));
    assert_eq!(w.only(term, "l1", 0), expected);
    // the same entries sliced after abs, without weights
    let all = w.g.elementwise(ABS, &[y]);
    let part = w.g.slice(all, 0, &two, 1, &length);
    let term = w.g.sum_all(part);
    let ones = w.g.filled(1.0, &Shape(vec![length]));
    let expected = w.g.pad(ones, 0, &two, 1, &dim("n"));
    assert_eq!(w.only(term, "l1", 0), expected);
}

#[test]
fn chosen_entries_count_as_often_as_they_are_chosen() {
    let mut w = World::new();
    let (x, y, i) = (w.x, w.y, w.i);
    let (xi, yi) = (w.g.gather(x, i, 0), w.g.gather(y, i, 0));
    let term = w.weighted(xi, ABS, yi);
    let expected = w.g.scatter(xi, i, 0, &dim("n"));
    assert_eq!(w.only(term, "l1", 0), expected);
    // and when added back into their places, before or after abs
    let sizes = w.g.elementwise(ABS, &[yi]);
    let back = w.g.scatter(sizes, i, 0, &dim("n"));
    let weighted = w.g.mul(x, back);
    let term = w.g.sum_all(weighted);
    assert_eq!(w.only(term, "l1", 0), expected);
    let back = w.g.scatter(yi, i, 0, &dim("n"));
    let term = w.weighted(x, ABS, back);
    assert_eq!(w.rejected(term).why(), "no prox is known for norm1 of a linear map");
}

#[test]
fn rearranged_matrices() {
    let mut w = World::new();
    let (v, r) = (w.w, w.r);
    let turned = w.g.transpose(v);
    let weights = w.g.broadcast(r, 0b10, &shape(&["k", "m"]));
    let term = w.weighted(weights, SQUARE, turned);
    let expected = w.g.permute(weights, &[1, 0]);
    assert_eq!(w.only(term, "squared_l2", 2), expected);
    // r .* (sums of abs over rows), by a partial sum
    let sizes = w.g.elementwise(ABS, &[turned]);
    let sums = w.g.sum(sizes, 0b01);
    let weighted = w.g.mul(r, sums);
    let term = w.g.sum_all(weighted);
    let repeated = w.g.broadcast(r, 0b10, &shape(&["k", "m"]));
    let expected = w.g.permute(repeated, &[1, 0]);
    assert_eq!(w.only(term, "l1", 2), expected);
}

#[test]
fn stacked_variables_come_apart() {
    let mut w = World::new();
    let (y, z, x) = (w.y, w.z, w.x);
    let (ay, az) = (w.g.elementwise(ABS, &[y]), w.g.elementwise(SQUARE, &[z]));
    let stacked = w.g.concat(&[ay, x, az], 0);
    let weights = w.g.concat(&[x, x, x], 0);
    let product = w.g.mul(weights, stacked);
    let term = w.g.sum_all(product);
    // the part without a variable is a constant of the level
    assert!(matches!(w.recognize(term), Err(Rejection::NoVariable { .. })));
    let stacked = w.g.concat(&[ay, az], 0);
    let weights = w.g.concat(&[x, x], 0);
    let product = w.g.mul(weights, stacked);
    let term = w.g.sum_all(product);
    let atoms = w.recognize(term).unwrap();
    assert_eq!(atoms.iter().map(|a| (a.entry.name, a.variable)).collect::<Vec<_>>(), [("l1", 0), ("squared_l2", 1)]);
}

#[test]
fn squares_in_every_spelling() {
    let mut w = World::new();
    let (x, y, s) = (w.x, w.y, w.s);
    let one = w.g.constant(1.0);
    let normsq = w.sum_of(SQUARE, y);
    assert_eq!(w.only(normsq, "squared_l2", 0), one);
    let product = w.g.mul(y, y);
    let dot = w.g.sum_all(product);
    assert_eq!(w.only(dot, "squared_l2", 0), one);
    let norm = w.norm2(y);
    let squared = w.g.elementwise(SQUARE, &[norm]);
    assert_eq!(w.only(squared, "squared_l2", 0), one);
    let two = w.g.constant(2.0);
    let power = w.g.elementwise(crate::elementwise::POW, &[y, two]);
    let term = w.g.mul(x, power);
    let term = w.g.sum_all(term);
    assert_eq!(w.only(term, "squared_l2", 0), x);
    // y .* s .* y
    let left = w.g.mul(y, s);
    let product = w.g.mul(left, y);
    let term = w.g.sum_all(product);
    assert_eq!(w.only(term, "squared_l2", 0), s);
}

#[test]
fn groups() {
    let mut w = World::new();
    let (y, u, s) = (w.y, w.u, w.s);
    let one_group = w.norm2(y);
    let one = w.g.constant(1.0);
    assert_eq!(w.only(one_group, "group_l2", 0), one);
    let blocks = w.blocks(y);
    let norms = w.g.reduce(Reduction::Norm2, blocks, 0b10);
    let weighted = w.g.mul(u, norms);
    let sum = w.g.sum_all(weighted);
    assert_eq!(w.only(sum, "group_l2", 0), u);
    assert_eq!(w.recognize(sum).unwrap()[0].groups, Some(dim("J")));
    let plain = w.g.sum_all(norms);
    let scaled = w.g.mul(s, plain);
    let expected = w.g.promote(s, &shape(&["J"]));
    assert_eq!(w.only(scaled, "group_l2", 0), expected);
}

#[test]
fn rows_of_a_matrix_are_groups_and_columns_are_not() {
    let mut w = World::new();
    let rows = w.g.reduce(Reduction::Norm2, w.w, 0b10);
    let weighted = w.g.mul(w.r, rows);
    let sum = w.g.sum_all(weighted);
    assert_eq!(w.only(sum, "group_l2", 2), w.r);
    let columns = w.g.reduce(Reduction::Norm2, w.w, 0b01);
    let sum = w.g.sum_all(columns);
    assert!(w.rejected(sum).why().contains("consecutive"));
    let all = w.norm2(w.w);
    let one = w.g.constant(1.0);
    assert_eq!(w.only(all, "group_l2", 2), one);
}

#[test]
fn sums_split_and_equal_atoms_merge() {
    let mut w = World::new();
    let (x, y, z, s) = (w.x, w.y, w.z, w.s);
    let a = w.weighted(x, ABS, y);
    let b = w.sum_of(SQUARE, z);
    let c = w.sum_of(ABS, y);
    let sc = w.g.mul(s, c);
    let ab = w.g.add(a, b);
    let total = w.g.add(ab, sc);
    let atoms = w.recognize(total).unwrap();
    let names: Vec<_> = atoms.iter().map(|a| (a.entry.name, a.variable)).collect();
    assert_eq!(names, [("l1", 0), ("squared_l2", 1)]);
    assert_eq!(atoms[0].weight, w.g.add(x, s));
    // sum(x .* abs(y) - x .* abs(z)) within one sum
    let (ay, az) = (w.g.elementwise(ABS, &[y]), w.g.elementwise(ABS, &[z]));
    let (left, right) = (w.g.mul(x, ay), w.g.mul(x, az));
    let difference = w.g.sub(left, right);
    let sum = w.g.sum_all(difference);
    let atoms = w.recognize(sum).unwrap();
    assert_eq!(atoms.iter().map(|a| a.weight).collect::<Vec<_>>(), [x, w.g.neg(x)]);
}

#[test]
fn a_number_that_is_repeated_is_counted() {
    let mut w = World::new();
    let norm = w.norm2(w.y);
    let repeated = w.g.promote(norm, &shape(&["n"]));
    let weighted = w.g.mul(w.x, repeated);
    let sum = w.g.sum_all(weighted);
    let expected = w.g.sum_all(w.x);
    assert_eq!(w.only(sum, "group_l2", 0), expected);
    let plain = w.g.sum_all(repeated);
    let expected = w.g.size(&dim("n"));
    assert_eq!(w.only(plain, "group_l2", 0), expected);
}

#[test]
fn a_linear_map_inside_is_rejected_and_outside_is_not() {
    let mut w = World::new();
    let column = Shape(vec![dim("n"), Dim::constant(1)]);
    let yc = w.g.reshape(w.y, &column);
    let map = w.g.matmul(w.d, yc);
    let inside = w.sum_of(ABS, map);
    let rejection = w.rejected(inside);
    assert_eq!(rejection.why(), "no prox is known for norm1 of a linear map");
    assert!(rejection.help().contains("`blo prox` lists"), "{}", rejection.help());
    assert!(rejection.help().contains("huber"), "{}", rejection.help());
    assert_eq!(*w.g.op(rejection.node()), Op::MatMul);
    let sizes = w.g.elementwise(ABS, &[w.y]);
    let sizes = w.g.reshape(sizes, &column);
    let map = w.g.matmul(w.d, sizes);
    let outside = w.g.sum_all(map);
    let weight = w.only(outside, "l1", 0);
    assert_eq!(*w.g.shape(weight), shape(&["n"]));
}

#[test]
fn rejections() {
    let mut w = World::new();
    let (x, y, z, s) = (w.x, w.y, w.z, w.s);
    let own = w.weighted(z, ABS, y);
    assert!(matches!(w.rejected(own), Rejection::OwnWeight { .. }));
    let norm = w.sum_of(ABS, y);
    let stray = w.g.add(norm, s);
    assert_eq!(w.rejected(stray), Rejection::NoVariable { node: s });
    let linear = w.g.sum_all(y);
    assert_eq!(w.rejected(linear).why(), "no prox is known for this term");
    let shifted = w.g.sub(y, x);
    let shifted = w.sum_of(ABS, shifted);
    assert_eq!(w.rejected(shifted).why(), "no prox is known for norm1 of a sum or difference");
    let over = w.g.div(s, norm);
    assert!(matches!(w.rejected(over), Rejection::NotProx { .. }));
}

#[test]
fn differences_of_neighbors() {
    let mut w = World::new();
    let (zero, one) = (Dim::constant(0), Dim::constant(1));
    let steps = dim("n").sub(&one).unwrap();
    let (y, s) = (w.y, w.s);
    let [next, this] = [&one, &zero].map(|start| w.g.slice(y, 0, start, 1, &steps));
    let rises = w.g.sub(next, this);
    let term = w.sum_of(ABS, rises);
    let unit = w.g.constant(1.0);
    assert_eq!(w.only(term, "tv1d", 0), unit);
    // the other way round, times numbers outside and inside
    let falls = w.g.sub(this, next);
    let falls = w.g.scale(-2.0, falls);
    let term = w.sum_of(ABS, falls);
    let term = w.g.mul(s, term);
    let expected = w.g.scale(2.0, s);
    assert_eq!(w.only(term, "tv1d", 0), expected);
    // not all of them, not neighbors, not of one weight
    let fewer = steps.sub(&one).unwrap();
    let [b, a] = [&one, &zero].map(|start| w.g.slice(y, 0, start, 1, &fewer));
    let some = w.g.sub(b, a);
    let term = w.sum_of(ABS, some);
    assert_eq!(w.rejected(term).why(), "no prox is known for norm1 of a sum or difference");
    let weights = w.g.slice(w.x, 0, &zero, 1, &steps);
    let term = w.weighted(weights, ABS, rises);
    assert!(matches!(w.rejected(term), Rejection::NotProx { .. }));
}

/// A term per row of a matrix is one term of the matrix, with a weight per row.
#[test]
fn a_term_for_each_row() {
    let mut w = World::new();
    let (zero, one) = (Dim::constant(0), Dim::constant(1));
    let (rows, weights) = (w.w, w.r);
    let steps = dim("k").sub(&one).unwrap();
    let [next, this] = [&one, &zero].map(|start| w.g.slice(rows, 1, start, 1, &steps));
    let rises = w.g.sub(next, this);
    let sizes = w.g.elementwise(ABS, &[rises]);
    let each = w.g.sum(sizes, 0b10);
    let weighted = w.g.mul(weights, each);
    let term = w.g.sum_all(weighted);
    assert_eq!(w.only(term, "tv1d", 2), weights);
    assert!(w.recognize(term).unwrap()[0].each);
    let sizes = w.g.elementwise(ABS, &[rows]);
    let largest = w.g.reduce(Reduction::Max, sizes, 0b10);
    let weighted = w.g.mul(weights, largest);
    let term = w.g.sum_all(weighted);
    assert_eq!(w.only(term, "norminf", 2), weights);
    assert!(w.recognize(term).unwrap()[0].each);
    let term = w.g.reduce(Reduction::Max, sizes, 0b11);
    assert!(!w.recognize(term).unwrap()[0].each);
    let columns = w.g.reduce(Reduction::Max, sizes, 0b01);
    let term = w.g.sum_all(columns);
    assert!(matches!(w.rejected(term), Rejection::NotProx { .. }));
}

#[test]
fn penalties_with_parameters() {
    let mut w = World::new();
    let (x, y, z, s) = (w.x, w.y, w.z, w.s);
    let (a, l) = (w.g.constant(3.7), s);
    let each = w.g.elementwise(SCAD, &[y, a, l]);
    let term = w.g.sum_all(each);
    let one = w.g.constant(1.0);
    assert_eq!(w.only(term, "scad", 0), one);
    assert_eq!(w.recognize(term).unwrap()[0].parameters, [a, l]);
    // a weight per entry; the penalty is even; a part of the variable
    let negative = w.g.neg(y);
    let each = w.g.elementwise(MCP, &[negative, a, l]);
    let weighted = w.g.mul(x, each);
    let term = w.g.sum_all(weighted);
    assert_eq!(w.only(term, "mcp", 0), x);
    let (two, length) = (Dim::constant(2), dim("n").sub(&Dim::constant(3)).unwrap());
    let part = w.g.slice(y, 0, &two, 1, &length);
    let each = w.g.elementwise(HUBER, &[part, l]);
    let term = w.g.sum_all(each);
    let ones = w.g.filled(1.0, &Shape(vec![length]));
    let expected = w.g.pad(ones, 0, &two, 1, &dim("n"));
    assert_eq!(w.only(term, "huber", 0), expected);
    // a factor within is not taken out, and a parameter is one number
    let twice = w.g.scale(2.0, y);
    let each = w.g.elementwise(SCAD, &[twice, a, l]);
    let term = w.g.sum_all(each);
    assert_eq!(w.rejected(term).why(), "no prox is known for scad of this expression");
    let each = w.g.elementwise(SCAD, &[y, a, x]);
    let term = w.g.sum_all(each);
    assert_eq!(w.rejected(term).why(), "`l` is [n] here");
    // terms of other parameters are other terms
    let both = [3.0, 4.0].map(|a| {
        let a = w.g.constant(a);
        let each = w.g.elementwise(SCAD, &[z, a, l]);
        w.g.sum_all(each)
    });
    let sum = w.g.add(both[0], both[1]);
    assert_eq!(w.recognize(sum).unwrap().len(), 2);
}

#[test]
fn counts_and_powers() {
    let mut w = World::new();
    let (x, y, s) = (w.x, w.y, w.s);
    let zero = w.g.constant(0.0);
    for operands in [[y, zero], [zero, y]] {
        let nonzero = w.g.elementwise(crate::elementwise::NOT_EQUAL, &operands);
        let term = w.g.sum_all(nonzero);
        let one = w.g.constant(1.0);
        assert_eq!(w.only(term, "norm0", 0), one);
    }
    let sizes = w.g.elementwise(ABS, &[y]);
    let term = w.weighted(x, SQRT, sizes);
    assert_eq!(w.only(term, "normq_1_2", 0), x);
    let scaled = w.g.mul(s, y);
    let sizes = w.g.elementwise(ABS, &[scaled]);
    let q = w.g.constant(2.0 / 3.0);
    let powers = w.g.elementwise(POW, &[sizes, q]);
    let term = w.g.sum_all(powers);
    let size = w.g.elementwise(ABS, &[s]);
    let expected = w.g.elementwise(POW, &[size, q]);
    assert_eq!(w.only(term, "normq_2_3", 0), expected);
    let q = w.g.constant(0.4);
    let powers = w.g.elementwise(POW, &[sizes, q]);
    let term = w.g.sum_all(powers);
    assert_eq!(w.rejected(term).why(), "no prox is known for this term");
}

#[test]
fn singular_values_and_sorted_sizes() {
    let mut w = World::new();
    let (x, y, s) = (w.x, w.y, w.s);
    let norm = opaque::nuclear_of(&mut w.g, w.w);
    let term = w.g.mul(s, norm);
    assert_eq!(w.only(term, "nuclear", 2), s);
    let twice = w.g.scale(2.0, w.w);
    let term = opaque::nuclear_of(&mut w.g, twice);
    let two = w.g.constant(2.0);
    assert_eq!(w.only(term, "nuclear", 2), two);
    let square = w.g.reshape(y, &Shape(vec![Dim::constant(2), dim("n").div(&Dim::constant(2)).unwrap()]));
    let term = opaque::nuclear_of(&mut w.g, square);
    assert!(matches!(w.rejected(term), Rejection::NotProx { .. }));
    let sizes = w.g.elementwise(ABS, &[y]);
    let (falling, order) = (opaque::sorted_of(&mut w.g, sizes), opaque::sorted_of(&mut w.g, x));
    let products = w.g.mul(order, falling);
    let sum = w.g.sum_all(products);
    let term = w.g.mul(sum, s);
    assert_eq!(w.only(term, "slope", 0), s);
    assert_eq!(w.recognize(term).unwrap()[0].parameters, [x]);
    let products = w.g.mul(x, falling);
    let term = w.g.sum_all(products);
    assert_eq!(w.rejected(term).why(), "the sorted entries have weights of their own");
}

#[test]
fn groups_that_are_parts_of_a_sequence() {
    let mut w = World::new();
    let (y, s) = (w.y, w.s);
    let (zero, three) = (Dim::constant(0), Dim::constant(3));
    let rest = dim("n").sub(&three).unwrap();
    let parts = [(&zero, &three), (&three, &rest)].map(|(start, length)| w.g.slice(y, 0, start, 1, length));
    let norms = parts.map(|part| w.norm2(part));
    let scaled = w.g.mul(s, norms[1]);
    let both = w.g.add(norms[0], scaled);
    let atoms = w.recognize(both).unwrap();
    let one = w.g.constant(1.0);
    assert_eq!(
        atoms.iter().map(|a| (a.entry.name, a.weight)).collect::<Vec<_>>(),
        [("group_l2", one), ("group_l2", s)]
    );
    let refs: Vec<&Atom> = atoms.iter().collect();
    let joint = Joint::find(&refs, &[true, true], None).unwrap();
    assert_eq!((joint.entry.name, joint.places.len()), ("group_l2", 2));
    // parts that may share entries have no map
    let half = w.g.slice(y, 0, &Dim::constant(2), 1, &three);
    let norm = w.norm2(half);
    let sum = w.g.add(both, norm);
    let atoms = w.recognize(sum).unwrap();
    let refs: Vec<&Atom> = atoms.iter().collect();
    assert!(Joint::find(&refs, &[true; 3], None).is_none());
    let chosen = w.g.gather(y, w.i, 0);
    let term = w.norm2(chosen);
    assert!(w.rejected(term).why().contains("consecutive"));
}
