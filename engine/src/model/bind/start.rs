//! Start values from outside of a file, such as the end of an earlier run: they take the place of the start that the file
//! states, variable by variable.

use crate::data::Array;
use crate::model::bind::Bindings;
use crate::model::problem::Problem;

/// Why values cannot be the start of a variable.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// The problem has no such variable.
    #[error("the problem has no variable `{name}`")]
    NoVariable {
        /// The name.
        name: String,
        /// The variable with the most similar name.
        near: Option<String>,
    },
    /// The variable has another shape.
    #[error("`{name}` is {}, and the variable is {}", shape(found), shape(expected))]
    Shape {
        /// The variable.
        name: String,
        /// The shape of the values.
        found: Vec<usize>,
        /// The shape of the variable.
        expected: Vec<usize>,
    },
    /// A value is not a finite number.
    #[error("{} is not a finite number", entry(name, at))]
    NotFinite {
        /// The variable.
        name: String,
        /// The place of the first such value, counted from 1.
        at: Vec<usize>,
    },
}

impl Bindings {
    /// Lets a variable start from these values instead of the start that the file states. Like any start, they are moved
    /// into the variable's set when a run begins.
    ///
    /// # Errors
    /// When the problem has no such variable, or it takes no such values.
    pub fn start_from(&mut self, problem: &Problem, name: &str, values: Array) -> Result<(), StartError> {
        let Some(variable) = problem.variables().find(|v| v.name == name) else {
            let names = problem.variables().map(|v| v.name.as_str());
            let near = blo_grammar::diagnostic::did_you_mean(name, names).map(str::to_owned);
            return Err(StartError::NoVariable { name: name.to_owned(), near });
        };
        let expected = variable.shape.sizes(&self.sizes).expect("the sizes of variables are bound with the data");
        if values.shape != expected {
            return Err(StartError::Shape { name: name.to_owned(), found: values.shape, expected });
        }
        if let Some(position) = values.values.iter().position(|v| !v.is_finite()) {
            return Err(StartError::NotFinite { name: name.to_owned(), at: place(position, &expected) });
        }
        self.start.retain(|(formal, _)| *formal != variable.formal);
        self.start.push((variable.formal, values.values));
        Ok(())
    }
}

/// The subscripts of an entry, from 1.
fn place(position: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = position;
    let mut at: Vec<usize> = shape.iter().rev().map(|n| (rest % n + 1, rest /= n).0).collect();
    at.reverse();
    at
}

fn shape(shape: &[usize]) -> String {
    match shape {
        [] => "a number".to_owned(),
        sizes => format!("an array {}", list(sizes)),
    }
}

fn entry(name: &str, at: &[usize]) -> String {
    if at.is_empty() { format!("`{name}`") } else { format!("`{name}{}`", list(at)) }
}

fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("[{}]", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Memory;
    use crate::model::{Settings, bind, check};

    #[test]
    fn values_replace_a_start_where_name_shape_and_numbers_fit() {
        let text =
            "param n = 2  upper { var x  var W[n, 3]  minimize x^2 + sum(W)*y } lower { var y  minimize (y - x)^2 }";
        let problem = check(&blo_grammar::parse(text).ast, text, "p", &Settings::default()).problem.unwrap();
        let mut data = bind(&problem, &Memory::new(), 0).unwrap();
        let mut said = |name: &str, shape: &[usize], values: Vec<f64>| {
            data.start_from(&problem, name, Array::new(shape.to_vec(), values)).map_err(|e| e.to_string())
        };
        assert_eq!(said("x", &[], vec![2.0]), Ok(()));
        assert_eq!(said("x", &[], vec![3.0]), Ok(()));
        assert_eq!(said("W", &[2, 3], vec![1.0; 6]), Ok(()));
        assert_eq!(said("V", &[], vec![1.0]).unwrap_err(), "the problem has no variable `V`");
        assert_eq!(said("x", &[1], vec![2.0]).unwrap_err(), "`x` is an array [1], and the variable is a number");
        assert_eq!(
            said("W", &[3, 2], vec![1.0; 6]).unwrap_err(),
            "`W` is an array [3, 2], and the variable is an array [2, 3]"
        );
        let bad = vec![1.0, 1.0, 1.0, 1.0, f64::NAN, 1.0];
        assert_eq!(said("W", &[2, 3], bad).unwrap_err(), "`W[2, 2]` is not a finite number");
        let kept: Vec<(usize, f64)> = data.start.iter().map(|(formal, values)| (*formal, values[0])).collect();
        assert_eq!(kept, [(0, 3.0), (1, 1.0)]);
    }
}
