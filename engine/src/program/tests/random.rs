//! Random functions against the direct evaluation.

use proptest::prelude::*;

use super::Argument::{self, Real};
use super::{check, function, index, real, shape};
use crate::elementwise::{self, Elementwise};
use crate::graph::{Function, Graph, NodeId};
use crate::shape::{Dim, Sizes};

/// The kind of a node, and numbers that choose its operands.
type Move = (u8, usize, usize, usize);

/// Sizes, nodes, values and outputs of a random function.
#[derive(Clone, Debug)]
pub(in crate::program) struct Recipe {
    sizes: (usize, usize),
    moves: Vec<Move>,
    values: Vec<f64>,
    picks: Vec<usize>,
}

/// A recipe of up to 24 nodes.
pub(in crate::program) fn recipe() -> impl Strategy<Value = Recipe> {
    let moves = prop::collection::vec((0u8..16, 0usize..1000, 0usize..1000, 0usize..1000), 1..24);
    let values = prop::collection::vec(-8i32..9, 64).prop_map(|v| v.iter().map(|x| f64::from(*x) / 4.0).collect());
    ((1usize..6, 1usize..6), moves, values, prop::collection::vec(0usize..1000, 8))
        .prop_map(|(sizes, moves, values, picks)| Recipe { sizes, moves, values, picks })
}

/// One more node from those that there are; `None` where the move does not fit. `least` rows can be picked.
fn grown(g: &mut Graph, pool: &[NodeId], index: NodeId, least: usize, a_move: &Move) -> Option<NodeId> {
    let (kind, p, q, r) = a_move;
    let a = pool[p % pool.len()];
    let sa = g.shape(a).sizes(&Sizes::new()).unwrap();
    let rank = sa.len();
    let other = |g: &mut Graph| {
        let same: Vec<NodeId> =
            pool.iter().copied().filter(|b| g.shape(*b) == g.shape(a) || g.shape(*b).is_scalar()).collect();
        same[q % same.len()]
    };
    let binary = |g: &mut Graph, f: Elementwise| {
        let b = other(g);
        if r % 2 == 0 { g.elementwise(f, &[a, b]) } else { g.elementwise(f, &[b, a]) }
    };
    Some(match kind {
        0 | 1 => binary(g, elementwise::ADD),
        2 => binary(g, elementwise::SUB),
        3 => {
            let product = binary(g, elementwise::MUL);
            g.scale(0.25, product)
        }
        4 => {
            let b = other(g);
            let square = g.mul(b, b);
            let one = g.constant(1.0);
            let below = g.elementwise(elementwise::ADD, &[square, one]);
            g.elementwise(elementwise::DIV, &[a, below])
        }
        5 => g.neg(a),
        6 if rank < 3 => {
            let (mask, longer) = if r % 2 == 0 {
                ((1u8 << rank) - 1, [sa.clone(), vec![q % 3 + 1]].concat())
            } else {
                (((1u8 << rank) - 1) << 1, [vec![q % 3 + 1], sa.clone()].concat())
            };
            g.broadcast(a, mask, &shape(&longer))
        }
        7 if rank > 0 => {
            let total = g.sum(a, (q % (1 << rank)) as u8);
            g.scale(0.5, total)
        }
        8 if rank == 2 => {
            let t = g.transpose(a);
            let product = g.matmul(a, t);
            g.scale(0.125, product)
        }
        9 if rank == 2 => {
            let fits: Vec<NodeId> = pool
                .iter()
                .copied()
                .filter(|b| g.shape(*b).rank() == 2 && g.shape(*b).0[0] == g.shape(a).0[1])
                .collect();
            if fits.is_empty() {
                return None;
            }
            let product = g.matmul(a, fits[q % fits.len()]);
            g.scale(0.125, product)
        }
        10.. => return laid_out(g, pool, index, least, a_move),
        _ => return None,
    })
}

/// As `grown`, for nodes that move elements.
fn laid_out(g: &mut Graph, pool: &[NodeId], index: NodeId, least: usize, a_move: &Move) -> Option<NodeId> {
    let (kind, p, q, r) = a_move;
    let a = pool[p % pool.len()];
    let sa = g.shape(a).sizes(&Sizes::new()).unwrap();
    let rank = sa.len();
    let axis = if rank > 0 { r % rank } else { 0 };
    Some(match kind {
        10 if rank > 0 => {
            let start = q % sa[axis];
            let step = q % 2 + 1;
            let length = (sa[axis] - start).div_ceil(step);
            g.slice(a, axis, &Dim::constant(start as i64), step as u32, &Dim::constant(length as i64))
        }
        11 if rank > 0 && sa.iter().product::<usize>() < 500 => {
            let same: Vec<NodeId> = pool.iter().copied().filter(|b| g.shape(*b) == g.shape(a)).collect();
            g.concat(&[a, same[q % same.len()]], axis)
        }
        12 if rank > 1 => {
            let mut perm: Vec<u8> = (0..rank as u8).collect();
            perm.rotate_left(1 + q % (rank - 1));
            g.permute(a, &perm)
        }
        13 if rank > 0 && sa[axis] >= least => g.gather(a, index, axis),
        14 if rank > 0 => {
            let length = Dim::constant((2 * sa[axis] + q % 2) as i64);
            g.pad(a, axis, &Dim::constant((q % 2) as i64), 2, &length)
        }
        15 if rank > 1 => {
            let total = sa.iter().product::<usize>();
            g.reshape(a, &shape(&[total]))
        }
        _ => return None,
    })
}

/// A random function of two matrices, a vector, a number and an index of 4 places.
pub(in crate::program) fn grow(r: &Recipe) -> (Function, Vec<Argument>) {
    let (m, n) = r.sizes;
    let inputs = vec![real("a", &[m, n]), real("b", &[n, m]), real("v", &[n]), real("s", &[]), index("i", 4)];
    let least = m.min(n);
    let f = function(inputs, |g, x| {
        let mut pool: Vec<NodeId> = x[..4].to_vec();
        for a_move in &r.moves {
            let Some(made) = grown(g, &pool, x[4], least, a_move) else { continue };
            // Doubling each time would make arrays too large for the naive evaluation.
            if g.shape(made).sizes(&Sizes::new()).unwrap().iter().product::<usize>() <= 3000 {
                pool.push(made);
            }
        }
        let mut outputs: Vec<NodeId> = r.picks[..3].iter().map(|p| pool[p % pool.len()]).collect();
        outputs.push(pool[pool.len() - 1]);
        outputs
    });
    let take = |from: usize, n: usize| Real((0..n).map(|i| r.values[(from + i * 7) % r.values.len()]).collect());
    let picks = Argument::Index(r.picks[4..].iter().map(|p| p % least).collect());
    (f, vec![take(0, m * n), take(3, n * m), take(5, n), take(9, 1), picks])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn random_functions(r in recipe()) {
        let (f, args) = grow(&r);
        check(&f, &args);
    }
}
