//! Where a value stops being finite: the first piece of an expression that is not although all it is made of is. Every
//! node is computed by a program of its own, which costs as many evaluations as the function has nodes; it is for the
//! one message that ends a run.

use blo_grammar::span::Span;

use crate::graph::{Elem, Function, NodeId, Op};
use crate::model::{Bindings, Bound};
use crate::program::{Role, compile};

/// A piece that is not finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Where it is written.
    pub span: Span,
    /// What it computes with which values, such as `log(-1)` or `0 ./ 0`.
    pub formula: String,
    /// What comes out.
    pub value: f64,
    /// Its one-based position, row-major, in an array.
    pub entry: Option<usize>,
    /// The inputs that it depends on.
    pub inputs: Vec<usize>,
}

/// The first piece of a function that is not finite while its operands are; `point` has the values of the first inputs,
/// the data those of the others. `None` where all is finite, or the memory for a piece cannot be allocated.
pub fn first_not_finite(f: &Function, data: &Bindings, point: &[Vec<f64>]) -> Option<Piece> {
    let g = f.graph();
    let used = g.reachable(f.outputs());
    let mut finite = vec![true; g.len()];
    for id in g.ids().filter(|id| used[id.0 as usize] && g.node(*id).elem == Elem::Real) {
        let values = value(f, id, data, point)?;
        let bad = values.iter().position(|v| !v.is_finite());
        finite[id.0 as usize] = bad.is_none();
        // An infinite constant is a bound that someone wrote.
        let judged = !matches!(g.op(id), Op::Const(_)) && g.args(id).iter().all(|a| finite[a.0 as usize]);
        if let (Some(at), true) = (bad, judged) {
            let reached = g.reachable(&[id]);
            return Some(Piece {
                span: g.span_of(id),
                formula: formula(f, id, at, data, point),
                value: values[at],
                // A factor fails as a whole.
                entry: (values.len() > 1 && !matches!(g.op(id), Op::Prox(_))).then_some(at + 1),
                inputs: (0..f.inputs.len()).filter(|i| reached[*i]).collect(),
            });
        }
    }
    None
}

/// The operation with its operands' values at an entry, where there is one value each.
fn formula(f: &Function, id: NodeId, at: usize, data: &Bindings, point: &[Vec<f64>]) -> String {
    let g = f.graph();
    let function = match g.op(id) {
        Op::Elementwise(function) => function,
        Op::Prox(kernel) => {
            let name = format!("`{}`", kernel.entry().name);
            return kernel.entry().undefined.map_or(name, str::to_string);
        }
        op => return format!("`{}`", op.name()),
    };
    let operands = g.args(id).iter().map(|a| value(f, *a, data, point).map_or(f64::NAN, |v| v[at] + 0.0));
    let operands: Vec<String> =
        operands.map(|v| if v.abs() < 1e6 { format!("{v}") } else { format!("{v:e}") }).collect();
    match (function.entry().name, operands.as_slice()) {
        (name, [a, b]) if !name.starts_with(char::is_alphabetic) => {
            format!("`{a} {} {b}`", name.trim_start_matches('.'))
        }
        (name, operands) => format!("`{name}({})`", operands.join(", ")),
    }
}

/// A node's elements.
fn value(f: &Function, id: NodeId, data: &Bindings, point: &[Vec<f64>]) -> Option<Vec<f64>> {
    if let Op::Input(i) = f.graph().op(id) {
        let i = *i as usize;
        return match data.values.get(i.wrapping_sub(point.len())) {
            _ if i < point.len() => Some(point[i].clone()),
            Some(Bound::Real(numbers)) => Some(numbers.values().collect()),
            _ => None,
        };
    }
    let piece = Function::new("piece", f.graph(), f.inputs.clone(), &[id]);
    let role = |i: usize| match piece.depends_on(i) {
        true if i < point.len() => Role::Varying,
        true => Role::Lent,
        false => Role::Unread,
    };
    let roles: Vec<Role> = (0..f.inputs.len()).map(role).collect();
    let program = compile::<f64>(&piece, &data.sizes, &roles).ok()?;
    let mut workspace = program.workspace().ok()?;
    let values = |i: usize| data.values.get(i.checked_sub(point.len())?);
    for i in (0..f.inputs.len()).filter(|i| roles[*i] != Role::Unread) {
        match values(i) {
            None => program.set_input(&mut workspace, i, point.get(i)?),
            Some(Bound::Real(numbers)) => program.lend(&mut workspace, i, &numbers.lend()),
            Some(Bound::Index(positions)) => program.set_index(&mut workspace, i, positions).ok()?,
        }
    }
    program.prologue(&mut workspace);
    program.run(&mut workspace);
    Some(program.output(&workspace, 0).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Arena;
    use crate::elementwise;
    use crate::graph::{Formal, Graph};
    use crate::shape::{Dim, Shape, Sizes};
    use crate::stop::StopToken;

    fn no_data() -> Bindings {
        Bindings {
            sizes: Sizes::new(),
            values: Vec::new(),
            corrupted: Vec::new(),
            gaps: Vec::new(),
            warnings: Vec::new(),
            start: Vec::new(),
            stop: StopToken::default(),
            arena: Arena::default(),
            profiler: None,
        }
    }

    #[test]
    fn the_innermost_bad_piece_is_named_with_its_values() {
        let shape = Shape(vec![Dim::constant(3)]);
        let mut g = Graph::new();
        let y = g.input(0, shape.clone(), Elem::Real);
        let shifted = g.offset(y);
        let log = g.elementwise(elementwise::LOG, &[shifted]);
        let exp = g.elementwise(elementwise::EXP, &[log]);
        let total = g.sum_all(exp);
        let f = Function::new("f", &g, vec![Formal { name: "y".into(), shape, elem: Elem::Real }], &[total]);
        let data = no_data();
        let piece = first_not_finite(&f, &data, &[vec![3.0, 0.5, 2.0]]).unwrap();
        assert_eq!((piece.formula.as_str(), piece.entry, piece.inputs), ("`log(-0.5)`", Some(2), vec![0]));
        assert!(piece.value.is_nan());
        assert_eq!(first_not_finite(&f, &data, &[vec![3.0, 1.5, 2.0]]), None);
    }

    #[test]
    fn a_matrix_that_is_not_definite_is_named() {
        let shape = Shape(vec![Dim::constant(2), Dim::constant(2)]);
        let mut g = Graph::new();
        let s = g.input(0, shape.clone(), Elem::Real);
        let logdet = crate::opaque::logdet_of(&mut g, s);
        let f = Function::new("f", &g, vec![Formal { name: "S".into(), shape, elem: Elem::Real }], &[logdet]);
        let data = no_data();
        let piece = first_not_finite(&f, &data, &[vec![1.0, 2.0, 2.0, 1.0]]).unwrap();
        assert_eq!(piece.formula, "the Cholesky factor of a matrix that is not positive definite");
        assert_eq!(first_not_finite(&f, &data, &[vec![2.0, 1.0, 1.0, 2.0]]), None);
    }

    impl Graph {
        fn offset(&mut self, y: NodeId) -> NodeId {
            let one = self.constant(1.0);
            self.sub(y, one)
        }
    }
}
