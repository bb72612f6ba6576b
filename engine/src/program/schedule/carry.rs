//! Which values outlive an iteration. Substitute the next state for the state in every node: where the image of a node
//! is computed in this step anyway, the next iteration would compute it again, so its buffer is kept instead. Weighted
//! least squares is the example: `A theta+` of this iteration is `A theta` of the next one.
//!
//! A node has an image only if that is the same operation on the images of its operands, found by hash-consing. Then
//! both are computed by the same instructions on operands of the same layout, and keeping the one for the other changes
//! no bit. A node that depends on a varying input other than the state (a step, a penalty, a minibatch) has no image,
//! since that input may be another one in the next iteration.

use super::view::count;
use crate::elementwise::Cost;
use crate::graph::{Function, Graph, Node, NodeId, Op};
use crate::program::role::Role;
use crate::shape::{SizeError, Sizes};

/// A node whose value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carry {
    /// What the next iteration reads.
    pub(super) node: NodeId,
    /// The same of the next state, computed in this iteration.
    pub(super) image: NodeId,
}

/// The nodes worth carrying, in the order of their ids. From the outputs down, the first node on each path that costs
/// more than reading it back is cut off; what is cheaper is computed again from what lies below.
pub(super) fn carried(f: &Function, sizes: &Sizes, roles: &[Role]) -> Result<Vec<Carry>, SizeError> {
    let g = f.graph();
    let images = images(f, roles);
    let moves = depends_on_state(g, roles);
    let used = g.reachable(f.outputs());
    let mut seen = vec![false; g.len()];
    let mut open = f.outputs().to_vec();
    let mut carried = Vec::new();
    while let Some(id) = open.pop() {
        let at = id.0 as usize;
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        match images[at] {
            Some(image) if moves[at] && used[image.0 as usize] && is_costly(g, id, sizes)? => {
                carried.push(Carry { node: id, image });
                open.push(image);
            }
            _ => open.extend(g.args(id)),
        }
    }
    carried.sort_by_key(|c| c.node);
    Ok(carried)
}

/// Per node: the node that has its value in the next iteration, if this iteration computes it.
fn images(f: &Function, roles: &[Role]) -> Vec<Option<NodeId>> {
    let g = f.graph();
    let mut images: Vec<Option<NodeId>> = Vec::with_capacity(g.len());
    for id in g.ids() {
        let node = g.node(id);
        let image = match node.op {
            Op::Input(position) => match roles[position as usize] {
                Role::Invariant | Role::Lent => Some(id),
                Role::State(output) => Some(f.outputs()[output]).filter(|next| has_own_array(g, *next)),
                Role::Varying | Role::Unread => None,
            },
            _ => {
                let args: Option<Vec<NodeId>> = node.args.iter().map(|a| images[a.0 as usize]).collect();
                args.and_then(|args| g.find(&Node { args, ..node.clone() }))
            }
        };
        images.push(image);
    }
    images
}

/// True when the value is an array in row-major order, as an input is, and not a way to read another one: matrix
/// products add in an order that depends on the layout of their operands.
fn has_own_array(g: &Graph, id: NodeId) -> bool {
    match g.op(id) {
        Op::Const(_) | Op::Size(_) | Op::Iota | Op::Broadcast(_) | Op::Transpose(_) | Op::Slice { .. } => false,
        // A sum over axes of length one is a reshaped operand.
        Op::Reduce(..) => false,
        Op::Reshape => has_own_array(g, g.args(id)[0]),
        _ => true,
    }
}

fn depends_on_state(g: &Graph, roles: &[Role]) -> Vec<bool> {
    let mut depends = vec![false; g.len()];
    for id in g.ids() {
        depends[id.0 as usize] = match g.op(id) {
            Op::Input(position) => matches!(roles[*position as usize], Role::State(_)),
            _ => g.args(id).iter().any(|a| depends[a.0 as usize]),
        };
    }
    depends
}

/// True for what has an array of its own in any case, for reductions, which read more than they leave, and for
/// functions that take longer than reading their result. Cheap arithmetic fuses into what reads it.
fn is_costly(g: &Graph, id: NodeId, sizes: &Sizes) -> Result<bool, SizeError> {
    Ok(match g.op(id) {
        Op::Input(_) | Op::Const(_) | Op::Size(_) | Op::Iota => false,
        Op::Broadcast(_) | Op::Transpose(_) | Op::Reshape | Op::Slice { .. } => false,
        Op::Elementwise(f) => f.entry().cost == Cost::Function,
        Op::Reduce(..) => {
            let elements = |id: NodeId| Ok::<usize, SizeError>(count(&g.shape(id).sizes(sizes)?));
            elements(g.args(id)[0])? > elements(id)?
        }
        Op::MatMul | Op::Conv { .. } | Op::Pick(_) | Op::Put(_) | Op::Prox(_) | Op::Map { .. } => true,
        Op::Pad { .. } | Op::Concat(_) | Op::Gather(_) | Op::Scatter(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::elementwise;
    use crate::program::tests::random::{grow, recipe};
    use crate::program::tests::{Argument, function, real, same, set, shape};
    use crate::program::{Program, Workspace, compile};

    /// A program with its workspace, which carries or is told which output becomes which input.
    struct Runner {
        program: Program<f64>,
        ws: Workspace<f64>,
        state: Vec<usize>,
    }

    impl Runner {
        /// Output `k` is the next value of input `state[k]`.
        fn new(f: &Function, state: &[usize], others: &[Role], carries: bool, args: &[Argument]) -> Runner {
            let role = |i: usize| match state.iter().position(|s| *s == i) {
                Some(output) if carries => Role::State(output),
                _ => others[i],
            };
            let roles: Vec<Role> = (0..f.inputs.len()).map(role).collect();
            let program = compile::<f64>(f, &Sizes::new(), &roles).unwrap();
            let mut ws = program.workspace().unwrap();
            set(&program, &mut ws, args);
            program.prologue(&mut ws);
            Runner { program, ws, state: state.to_vec() }
        }

        fn accept(&mut self) {
            if !self.program.state.is_empty() {
                return self.program.accept(&mut self.ws);
            }
            for (output, input) in self.state.iter().enumerate() {
                self.program.advance(&mut self.ws, output, *input);
            }
        }
    }

    /// What happens between two runs.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Accept,
        /// Another step from the same state.
        Reject,
        /// Accepted and taken back.
        Undo,
        /// One part of the state is set.
        Set(usize),
        /// Data change, and the prologue runs.
        Data,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => Just(Event::Accept),
            2 => Just(Event::Reject),
            1 => Just(Event::Undo),
            1 => (0usize..4).prop_map(Event::Set),
            1 => Just(Event::Data),
        ]
    }

    /// A step whose outputs look at a random function at the state and at the next one. State: inputs 0 to 3; then an
    /// index, data, and the step size.
    fn step(r: &crate::program::tests::random::Recipe) -> (Function, Vec<Argument>) {
        let (look, mut args) = grow(r);
        let mut inputs = look.inputs.clone();
        inputs.extend([real("w", &[]), real("alpha", &[])]);
        args.extend([Argument::Real(vec![0.75]), Argument::Real(vec![0.25])]);
        let f = function(inputs, |g, x| {
            let here = look.instantiate(g, &x[..5]);
            let totals: Vec<NodeId> = here.iter().map(|h| g.sum_all(*h)).collect();
            let total = totals.into_iter().reduce(|a, b| g.add(a, b)).expect("there are outputs");
            let bounded = g.elementwise(elementwise::TANH, &[total]);
            let push = g.mul(x[6], bounded);
            let mut next: Vec<NodeId> = x[..4]
                .iter()
                .map(|s| {
                    let half = g.mul(x[5], *s);
                    let push = g.promote(push, &g.shape(*s).clone());
                    g.add(half, push)
                })
                .collect();
            next.push(x[4]);
            let there = look.instantiate(g, &next);
            next.pop();
            [next, here, there].concat()
        });
        (f, args)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        #[test]
        fn carrying_changes_no_bit(r in recipe(), events in prop::collection::vec(event(), 12)) {
            let (f, args) = step(&r);
            let data = [3, 3, 3, 3, 1, 1, 0].map(|i: u8| if i == 1 { Role::Invariant } else { Role::Varying });
            let [mut with, mut without] = [true, false].map(|c| Runner::new(&f, &[0, 1, 2, 3], &data, c, &args));
            for (k, event) in events.into_iter().enumerate() {
                for runner in [&mut with, &mut without] {
                    runner.program.set_input(&mut runner.ws, 6, &[0.5 / (k + 1) as f64]);
                    runner.program.run(&mut runner.ws);
                }
                for output in 0..f.outputs().len() {
                    let [a, b] = [&with, &without].map(|r| r.program.output(&r.ws, output));
                    prop_assert!(same(a, b), "output {output} of run {k}\n{}", with.program.plan());
                }
                for runner in [&mut with, &mut without] {
                    match event {
                        Event::Accept => runner.accept(),
                        Event::Reject => {}
                        Event::Undo => {
                            runner.accept();
                            runner.accept();
                        }
                        Event::Set(input) => runner.program.input_mut(&mut runner.ws, input).fill(0.125),
                        Event::Data => {
                            runner.program.set_input(&mut runner.ws, 5, &[0.5 + 0.01 * k as f64]);
                            runner.program.prologue(&mut runner.ws);
                        }
                    }
                }
            }
        }
    }

    /// `y+ = y - alpha A' r(y)` with `r(y) = A y - b`, and `|r(y+)|^2`.
    fn least_squares() -> Function {
        function(vec![real("y", &[3, 1]), real("a", &[9, 3]), real("b", &[9, 1]), real("alpha", &[])], |g, x| {
            let t = g.transpose(x[1]);
            let residual = |g: &mut Graph, y| {
                let product = g.matmul(x[1], y);
                g.sub(product, x[2])
            };
            let r = residual(g, x[0]);
            let slope = g.matmul(t, r);
            let alpha = g.promote(x[3], &shape(&[3, 1]));
            let step = g.mul(alpha, slope);
            let next = g.sub(x[0], step);
            g.label(next, "y+");
            let r = residual(g, next);
            let squares = g.mul(r, r);
            vec![next, g.sum_all(squares)]
        })
    }

    const ROLES: [Role; 4] = [Role::State(0), Role::Invariant, Role::Invariant, Role::Varying];

    #[test]
    fn a_product_of_the_next_state_is_kept() {
        let f = least_squares();
        let program = compile::<f64>(&f, &Sizes::new(), &ROLES).unwrap();
        insta::assert_snapshot!(program.plan());
        let found = carried(&f, &Sizes::new(), &ROLES).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(*f.graph().op(found[0].node), Op::MatMul);
        // The product needs the state and the matrix, not `b` and the step.
        assert_eq!(program.inputs.iter().map(|s| s.fills).collect::<Vec<_>>(), [true, true, false, false]);
    }

    #[test]
    fn what_depends_on_a_varying_input_is_not_kept() {
        let f = least_squares();
        let found = carried(&f, &Sizes::new(), &[Role::State(0), Role::Varying, Role::Invariant, Role::Varying]);
        assert_eq!(found.unwrap(), []);
        assert_eq!(carried(&f, &Sizes::new(), &[Role::Varying; 4]).unwrap(), []);
    }

    #[test]
    fn a_next_state_that_is_a_view_has_no_image() {
        // Both products would be by rows of the same numbers, but by rows of one and by columns of the other.
        let f = function(vec![real("z", &[30, 30]), real("v", &[30, 1])], |g, x| {
            let product = g.matmul(x[0], x[1]);
            let t = g.transpose(x[0]);
            let again = g.matmul(t, x[1]);
            vec![t, product, again]
        });
        assert_eq!(carried(&f, &Sizes::new(), &[Role::State(0), Role::Invariant]).unwrap(), []);
    }

    #[test]
    fn a_chain_of_delays_is_carried_too() {
        // a+ = b: the product with b is the next product with a.
        let f = function(vec![real("a", &[4, 1]), real("b", &[4, 1]), real("m", &[4, 4])], |g, x| {
            let (first, second) = (g.matmul(x[2], x[0]), g.matmul(x[2], x[1]));
            let sum = g.add(first, second);
            let next = g.scale(0.125, sum);
            vec![x[1], next]
        });
        let args = [vec![1.0, -2.0, 0.5, 3.0], vec![0.25; 4], (0..16).map(|i| f64::from(i % 5) - 2.0).collect()];
        let args = args.map(Argument::Real);
        let roles = [Role::Varying, Role::Varying, Role::Invariant];
        let [mut with, mut without] = [true, false].map(|c| Runner::new(&f, &[0, 1], &roles, c, &args));
        assert_eq!(with.program.carried.len(), 1, "{}", with.program.plan());
        for _ in 0..5 {
            for r in [&mut with, &mut without] {
                r.program.run(&mut r.ws);
                r.accept();
            }
            assert!((0..2).all(|i| same(with.program.input(&with.ws, i), without.program.input(&without.ws, i))));
        }
    }
}
