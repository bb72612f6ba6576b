//! The pipeline from a function to a program: order and fuse, place buffers, lower to instructions.

use super::describe::describe;
use super::lower;
use super::place;
use super::role::Role;
use super::run::Program;
use super::scalar::Scalar;
use super::schedule::{self, Schedule};
use crate::graph::{Elem, Function};
use crate::shape::{SizeError, Sizes};

/// Most elements of all arrays together.
const LIMIT: usize = 1 << 40;

/// Compiles a function for known sizes; `roles` has one role per input.
///
/// # Errors
/// When a dimension has no usable value or the arrays would hold more than 2^40 elements. Nothing is allocated yet:
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
    assemble(f, schedule::schedule(f, sizes, roles)?, sizes, roles)
}

/// A program from a schedule, after those of the bodies of its Maps.
fn assemble<T: Scalar>(f: &Function, mut s: Schedule, sizes: &Sizes, roles: &[Role]) -> Result<Program<T>, SizeError> {
    let bodies = std::mem::take(&mut s.bodies).into_iter();
    let bodies = bodies.map(|b| assemble(&b.function, b.schedule, sizes, &b.roles)).collect::<Result<Vec<_>, _>>()?;
    let placement = place::place(&s);
    let total = placement.buffers.iter().chain(&placement.lent).try_fold(0usize, |t, n| t.checked_add(*n));
    if total.is_none_or(|t| t > LIMIT) {
        return Err(SizeError::TooLarge(format!("the memory of {}", f.name)));
    }
    let plans: Vec<_> = bodies.iter().map(Program::plan).collect();
    let plan = describe(f, &s, &placement, &plans, size_of::<T>());
    lower::lower(f, s, placement, plan, bodies, sizes, roles)
}
