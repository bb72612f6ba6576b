//! The engine of `blo`: checks a problem, builds its expression graph, differentiates it graph to graph, and compiles
//! functions to programs on dense kernels. It touches no file, clock or terminal but through what the caller passes.
//!
//! The way of a program through the rooms, each of which uses only those after it:
//!
//! | room | from, to |
//! |---|---|
//! | [`model`] | a syntax tree to a [`Problem`](model::Problem) whose pieces are functions; its data to arrays |
//! | [`program`], [`kernel`] | a function to an instruction list on planned buffers, and the loops that run it |
//! | [`calculus`] | a function to what can be proved of it: signs, convexity, smoothness |
//! | [`prox`], [`set`] | the tables of proximal operators and constraint sets |
//! | [`diff`], [`oracle`] | a function to its derivatives, and to its values over dual numbers |
//! | [`graph`] with the tables [`elementwise`] and [`opaque`] | operations, the arena, functions |
//! | [`data`] | files and generators to arrays |
//! | [`shape`], [`sign`], [`stop`], [`profile`] | symbolic dimensions, signs, the token that stops work, and times: the ground |
//! | [`machine`] | the rates that the machine reaches at best |
//!
//! [`gradient_check`] and [`finite`] judge a problem at a point. [`prelude`] holds what most users need.

pub mod arena;
pub mod calculus;
pub mod data;
pub mod diff;
pub mod elementwise;
pub mod finite;
pub mod gradient_check;
pub mod graph;
pub mod kernel;
pub mod limits;
pub mod machine;
pub mod model;
pub mod opaque;
pub mod oracle;
pub mod prelude;
pub mod profile;
pub mod program;
pub mod prox;
pub mod set;
pub mod shape;
pub mod sign;
pub mod stop;

pub use model::function;
