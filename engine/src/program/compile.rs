//! The pipeline from a function to a program: order and fuse, place buffers, lower to instructions.

use super::lower;
use super::place;
use super::plan;
use super::program::Program;
use super::scalar::Scalar;
use super::schedule;
use crate::graph::{Elem, Function};
use crate::shape::{SizeError, Sizes};

/// How often an input changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Between runs: what depends on it is computed in every run.
    Varying,
    /// It becomes this output when a step is accepted ([`Program::accept`]), and is seldom set otherwise: what the run
    /// before has computed of it already is not computed again.
    State(usize),
    /// Seldom: what depends on such inputs only is computed by the prologue.
    Invariant,
    /// Seldom as well, and the program only reads it: the caller lends the array ([`Program::lend`]), which takes no
    /// memory in the workspace and may serve other programs at the same time. Positions are copied all the same: they
    /// are few.
    Lent,
    /// Never: no output depends on it, and it takes no memory.
    Unread,
}

/// Most elements of all buffers together.
const LIMIT: usize = 1 << 40;

/// Compiles a function for known sizes; `roles` has one role per input.
///
/// # Errors
/// When a dimension has no usable value or the buffers would hold more than 2^40 elements. Nothing is allocated yet:
/// see [`Program::memory_bytes`].
///
/// ```
/// use blo_engine::prelude::*;
///
/// // f(x) = exp(x) + 1
/// let shape = Shape(vec![Dim::symbol("n")]);
/// let mut g = Graph::new();
/// let x = g.input(0, shape.clone(), Elem::Real);
/// let exp = g.elementwise(blo_engine::elementwise::EXP, &[x]);
/// let one = g.constant(1.0);
/// let sum = g.add(exp, one);
/// let f = Function::new("f", &g, vec![Formal { name: "x".into(), shape, elem: Elem::Real }], &[sum]);
///
/// let mut sizes = Sizes::new();
/// sizes.set("n", 2);
/// let program = compile::<f64>(&f, &sizes, &[Role::Varying])?;
/// let mut workspace = program.workspace()?;
/// program.set_input(&mut workspace, 0, &[0.0, 1.0]);
/// program.run(&mut workspace);
/// assert_eq!(program.output(&workspace, 0)[0], 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compile<T: Scalar>(f: &Function, sizes: &Sizes, roles: &[Role]) -> Result<Program<T>, SizeError> {
    assert_eq!(roles.len(), f.inputs.len(), "one role per input of {}", f.name);
    for (formal, role) in f.inputs.iter().zip(roles) {
        let fits = |output: usize| formal.elem == Elem::Real && *f.output_shape(output) == formal.shape;
        assert!(!matches!(role, Role::State(output) if !fits(*output)), "the next {} has its shape", formal.name);
    }
    let next = |role: &Role| matches!(role, Role::State(_));
    let twice = |(i, role): (usize, &Role)| next(role) && roles[..i].contains(role);
    assert!(!roles.iter().enumerate().any(twice), "an output becomes one input of {}", f.name);
    let unread = |(i, role): (usize, &Role)| *role != Role::Unread || !f.depends_on(i);
    assert!(roles.iter().enumerate().all(unread), "no output of {} depends on an input that is not to be read", f.name);
    let schedule = schedule::schedule::<T>(f, sizes, roles)?;
    let placement = place::place(&schedule, &lower::partial_sums);
    let total = placement.buffers.iter().chain(&placement.lent).try_fold(0usize, |t, n| t.checked_add(*n));
    if total.is_none_or(|t| t > LIMIT) {
        return Err(SizeError::TooLarge(format!("the memory of {}", f.name)));
    }
    let plan = plan::describe::<T>(f, &schedule, &placement);
    lower::lower(f, schedule, placement, plan, sizes, roles)
}
