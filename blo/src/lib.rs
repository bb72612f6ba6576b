//! Bilevel optimization: programs in the `blo` language, checked, solved and explained.
//!
//! A bilevel problem has an upper level that chooses `x`, and a lower level that answers with `y`:
//!
//! ```text
//! minimize F(x, y) over x,  where y minimizes f(x, y)
//! ```
//!
//! The penalty of a regression is such an `x`: the lower level fits with it, and the upper level judges the fit on rows
//! that were not fitted.
//!
//! ```
//! use blo::{Options, Problem};
//!
//! let problem = Problem::from_str(
//!     "dataset d { u[1] = csv(\"d.csv\", columns = 1..1)  v = csv(\"d.csv\", column = 2) }
//!      split d into train: 3, val: 1
//!      upper { var x in [-5, 5]  minimize normsq(val.u*w - val.v) }
//!      lower { var w[1]  minimize normsq(train.u*w - train.v) + exp(x)*normsq(w) }",
//! )?
//! .dataset("d", [
//!     ("u", ([4, 1], vec![1.0, 2.0, 3.0, 2.0]).into()),
//!     ("v", vec![1.2, 2.1, 3.3, 1.9].into()),
//! ]);
//! let solution = problem.solve(&Options::new())?;
//! println!("{solution}");
//! assert!((solution.lower("w").unwrap().values()[0] - 0.95).abs() < 1e-3);
//! # Ok::<(), blo::Error>(())
//! ```
//!
//! [`Problem`] is the program with what its caller gives, [`Options`] what a run is asked for, [`solve`] the run, and
//! [`Solution`] its result. All of it works without any file; the command `blo` is made of the same calls.
// The bans keep engine and solvers off files and clocks; this crate is the caller that provides them.
#![allow(clippy::disallowed_methods)]
#![warn(missing_docs)]

mod asked;
mod data;
mod error;
mod observer;
mod options;
mod problem;
mod report;
mod run;
mod solution;
#[doc(hidden)]
pub mod stop;

#[doc(hidden)]
pub mod document;
#[doc(hidden)]
pub mod editor;
#[doc(hidden)]
pub mod ended;
#[doc(hidden)]
pub mod input;
#[doc(hidden)]
pub mod latex;
#[doc(hidden)]
pub mod output;
#[doc(hidden)]
pub mod stack;

pub use asked::{
    Compared, Comparison, Gradient, Method, MethodOption, Plan, compare, explain, format, gradient, methods, plan,
};
pub use data::{Data, Element};
pub use error::Error;
pub use latex::Latex;
pub use observer::{Observer, Residuals, Silent, Step};
pub use options::{Options, Precision};
pub use problem::Problem;
pub use report::{Finding, Fix, Report, Severity};
pub use run::solve;
pub use solution::{History, Solution, Status, Values, Verdict};
pub use stop::Stop;

/// The examples of the read-me file run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever holds one of these may hand it to another thread, and several may look at it.
    #[test]
    fn everything_may_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Problem>();
        shared::<Options>();
        shared::<Solution>();
        shared::<Data>();
        shared::<Error>();
        shared::<Stop>();
        shared::<Gradient>();
        shared::<Plan>();
    }
}
