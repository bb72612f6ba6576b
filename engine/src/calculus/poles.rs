//! Where a formula may leave its domain: a logarithm or a quotient of what may be zero. Such a function is smooth wherever
//! it has a value, and what is built on it may be anything at the rest: `exp(log(normsq(y))/2)` is the norm of y.

use crate::calculus::Analysis;
use crate::elementwise;
use crate::graph::{Function, Graph, NodeId, Op};
use crate::sign::Sign;

impl Analysis {
    /// The first operation behind `root`, operands first, that may have no value somewhere, as far as signs tell.
    pub fn pole(&self, f: &Function, root: NodeId) -> Option<NodeId> {
        let g = f.graph();
        let used = g.reachable(&[root]);
        g.ids().find(|id| used[id.0 as usize] && self.depends(*id) && self.may_have_none(g, *id))
    }

    fn may_have_none(&self, g: &Graph, id: NodeId) -> bool {
        let args = g.args(id);
        let varies_about_zero = |k: usize| {
            let sign = self.sign(args[k]);
            self.depends(args[k]) && sign != Sign::Positive && sign != Sign::Negative
        };
        match g.op(id) {
            Op::Elementwise(f) => match *f {
                elementwise::LOG => self.sign(args[0]) != Sign::Positive,
                elementwise::LOG1P => !self.sign(args[0]).is_nonnegative(),
                elementwise::DIV => varies_about_zero(1),
                elementwise::POW => g.as_const(args[1]).is_some_and(|p| p < 0.0) && varies_about_zero(0),
                elementwise::TAN => true,
                _ => false,
            },
            Op::Map { body, output, .. } => {
                let inner = self.within(g, id, body);
                inner.pole(body, body.outputs()[*output as usize]).is_some()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementwise::{DIV, EXP, LOG, SOFTPLUS, SQUARE};
    use crate::graph::{Elem, Formal};
    use crate::shape::{Dim, Shape};

    /// Whether `make` of a column y of length 3 has a pole.
    fn has_pole(make: impl Fn(&mut Graph, NodeId) -> NodeId) -> bool {
        let mut g = Graph::new();
        let shape = Shape(vec![Dim::constant(3)]);
        let y = g.input(0, shape.clone(), Elem::Real);
        let root = make(&mut g, y);
        let f = Function::new("f", &g, vec![Formal { name: "y".into(), shape, elem: Elem::Real }], &[root]);
        Analysis::new(&f, &[], &[0]).pole(&f, f.outputs()[0]).is_some()
    }

    #[test]
    fn signs_tell_where_there_is_a_value() {
        assert!(has_pole(|g, y| {
            let square = g.elementwise(SQUARE, &[y]);
            let sum = g.sum_all(square);
            g.elementwise(LOG, &[sum])
        }));
        assert!(has_pole(|g, y| {
            let one = g.constant(1.0);
            g.elementwise(DIV, &[one, y])
        }));
        assert!(!has_pole(|g, y| {
            let e = g.elementwise(EXP, &[y]);
            g.elementwise(LOG, &[e])
        }));
        assert!(!has_pole(|g, y| {
            let s = g.elementwise(SOFTPLUS, &[y]);
            g.elementwise(DIV, &[y, s])
        }));
    }
}
