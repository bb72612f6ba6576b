//! The engine: problems, expression graphs and compiled programs.

pub mod data {
    //! Stub.
    pub mod format {
        //! Stub.
        /// Stub.
        #[derive(Clone, Debug)]
        pub struct OptionValue;
    }
}
pub mod elementwise;
pub mod graph;
mod kernel;
pub mod model;
pub mod program;
pub mod prox;
pub mod set;
