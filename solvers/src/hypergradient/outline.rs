//! How the programs of an estimator are put together, as data: for what writes a hypergradient down in another language.

use blo_engine::graph::Function;

/// An estimator as its programs and the way they follow each other.
pub(crate) enum Outline {
    /// A sweep back over the steps.
    Reverse(ReverseOutline),
    /// Tangents that go along with the steps.
    Forward {
        /// `F`, `F_x`, `F_y` over the formals.
        ends: Function,
        /// One step of the tangents: inputs of the lower step, then tangents of x and of the steps' state.
        push: Function,
    },
    /// A linear system at the end of the steps.
    System(Box<SystemOutline>),
}

/// See [`Outline::Reverse`].
pub(crate) struct ReverseOutline {
    /// `F`, `F_x`, `F_y` over the formals.
    pub(crate) ends: Function,
    /// One step back: inputs of the lower step, adjoints of its state, the hypergradient so far.
    pub(crate) sweep: Function,
    /// The positions of the adjoints and of the hypergradient among the inputs; they become the outputs.
    pub(crate) carried: Vec<usize>,
    /// Steps that the sweep goes back at most.
    pub(crate) back: Option<u64>,
    /// It begins at the step with the largest F.
    pub(crate) pessimistic: bool,
}

/// See [`Outline::System`].
pub(crate) struct SystemOutline {
    /// `F`, `F_x`, `F_y` over the formals.
    pub(crate) ends: Function,
    /// `T_y' w`, `T_x' w` and, where the prox is not the identity, `P w`.
    pub(crate) lower: Function,
    pub(crate) upper: Function,
    pub(crate) prox: Option<Function>,
    /// The positions of the step size and of w among their inputs.
    pub(crate) step: usize,
    pub(crate) adjoint: Vec<usize>,
    /// How it is solved.
    pub(crate) solver: SystemSolver,
}

/// How a system is solved, with what ends the iterations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SystemSolver {
    /// Conjugate gradients.
    Conjugate {
        /// The residual against the first one, and by itself.
        rtol: f64,
        atol: f64,
        /// Most iterations.
        most: u64,
        /// Curvatures below this share of the largest end them.
        no_curvature: f64,
        /// Roundings of a product.
        roundings: f64,
    },
    /// A Neumann series.
    Neumann {
        /// Most terms.
        terms: u64,
        /// Terms below this share of the sum end it.
        small: f64,
    },
}
