//! What can be said of a function without numbers: signs, convexity, smoothness, and the assumptions of methods that
//! they prove. It needs the graph and the facts in the elementwise table, and nothing of the language.

mod analysis;
mod assumption;
mod by_rows;
mod convexity;
mod definite;
mod poles;
mod rounding;
mod rules;
mod strong_convexity;

pub use analysis::{Analysis, Class, depends};
pub use assumption::{Assumption, Proof, proofs};
pub use by_rows::{BatchInputs, Coupled, on_batch, row_dims};
pub use convexity::Convexity;
pub use rounding::rounded;
pub use strong_convexity::{Verdict, convex, strongly_convex};

use analysis::Roughness;
