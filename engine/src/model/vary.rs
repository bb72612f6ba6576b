//! A problem whose params vary: each of them is one more upper variable, so that what differentiates in upper variables
//! differentiates in params, too. Only what a solution depends on is there: levels and data. The start, `known`, metrics,
//! assertions and presets are left out.

use std::collections::HashMap;

use blo_grammar::ast::{Ast, ItemKind, Name};
use blo_grammar::diagnostic::Diagnostic;

use super::bind::Bindings;
use super::check::check;
use super::checker::{Checker, Settings};
use super::problem::Problem;

/// Params that vary are looked for one by one where not all of a file can: no more of them.
const MOST: usize = 200;

/// A problem with params as upper variables.
#[derive(Debug)]
pub struct Varied {
    /// The problem; its last upper variables are [`Problem::varied`]. `None` where no param can vary.
    pub problem: Option<Problem>,
    /// Scalar params that cannot vary, each with the first reason: a size or an index, data that are generated with it.
    pub refused: Vec<(String, Diagnostic)>,
}

/// The problem of a sound text with all of its scalar params varying that can.
pub fn vary(ast: &Ast, source: &str, fallback: &str, settings: &Settings) -> Varied {
    let levels = of_levels(ast);
    let scalar = |kind: &ItemKind| match kind {
        ItemKind::Param { name, dims, .. } if dims.is_empty() => Some(name.clone()),
        _ => None,
    };
    let mut names: Vec<Name> = ast.items.iter().filter_map(|item| scalar(&item.kind)).collect();
    names.truncate(MOST);
    let values = Checker::new(&levels, source, settings, HashMap::new()).values_of_params(&names);
    let pairs = names.into_iter().zip(values);
    let mut varied: Vec<(String, f64)> = pairs.filter_map(|(name, value)| Some((name.text, value?))).collect();
    let with = |varied: &[(String, f64)]| {
        check(&levels, source, fallback, &Settings { varied: varied.to_vec(), ..settings.clone() })
    };
    let mut refused = Vec::new();
    let mut problem = with(&varied).problem;
    if problem.is_none() {
        varied.retain(|one| match with(std::slice::from_ref(one)) {
            outcome if outcome.problem.is_some() => true,
            outcome => {
                let first = outcome.diagnostics.into_iter().find(Diagnostic::is_error);
                refused.extend(first.map(|d| (one.0.clone(), d)));
                false
            }
        });
        let outcome = with(&varied);
        if outcome.problem.is_none() {
            // each may vary, and not all of them at once
            let first = outcome.diagnostics.into_iter().find(Diagnostic::is_error);
            refused.extend(varied.drain(..).filter_map(|(name, _)| Some((name, first.clone()?))));
        }
        problem = outcome.problem;
    }
    Varied { problem: problem.filter(|p| !p.varied.is_empty()), refused }
}

/// A file without what a solution does not depend on.
fn of_levels(ast: &Ast) -> Ast {
    let counts = |kind: &ItemKind| {
        !matches!(
            kind,
            ItemKind::Start(_)
                | ItemKind::Known(_)
                | ItemKind::Metric { .. }
                | ItemKind::Expect { .. }
                | ItemKind::Method { .. }
                | ItemKind::Option(_)
        )
    };
    Ast { items: ast.items.iter().filter(|item| counts(&item.kind)).cloned().collect() }
}

impl Varied {
    /// The data of the problem as it was, for the one whose params vary. `None` where an array is not among them.
    pub fn bindings(&self, original: &Problem, data: &Bindings) -> Option<Bindings> {
        let problem = self.problem.as_ref()?;
        let first = original.variables().count();
        let value = |name: &str, span| {
            let item = original.data.iter().find(|item| item.name == name && item.span == span)?;
            data.values.get(item.formal - first).cloned()
        };
        let own = problem.variables().count();
        let mut items: Vec<_> = problem.data.iter().collect();
        items.sort_by_key(|item| item.formal);
        debug_assert!(items.iter().enumerate().all(|(i, item)| item.formal == own + i), "data follow the variables");
        let values = items.iter().map(|item| value(&item.name, item.span)).collect::<Option<Vec<_>>>()?;
        Some(Bindings { values, start: Vec::new(), ..data.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Memory;
    use crate::model::bind;

    fn varied(text: &str) -> Varied {
        vary(&blo_grammar::parse(text).ast, text, "p", &Settings::default())
    }

    #[test]
    fn params_of_objectives_vary_and_sizes_do_not() {
        let text =
            "param n = 2  param a = 0.5  param b = 2*a  param top = 3  param noise = 0.1  param twice[n] = fill(b, n)
            data e[n] = normal(mean = 0, sd = noise, seed = 1)
            upper { var x[n] in [0, top]  minimize normsq(y - b) + a*normsq(x) }
            lower { var y[n] in [-a, top]  minimize normsq(y - x - e - twice)  regularize a*norm1(y) }
            start { x = a }  metric m = a*sum(x)  expect { upper <= a }";
        let v = varied(text);
        let values: Vec<(&str, f64)> =
            v.problem.iter().flat_map(|p| &p.varied).map(|p| (p.name.as_str(), p.value)).collect();
        assert_eq!(values, [("a", 0.5), ("b", 1.0), ("top", 3.0)]);
        let names: Vec<&str> = v.refused.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["n", "noise"]);
        let problem = v.problem.as_ref().unwrap();
        let upper: Vec<&str> = problem.upper().variables.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(upper, ["x", "a", "b", "top"]);
        let original = check(&blo_grammar::parse(text).ast, text, "p", &Settings::default()).problem.unwrap();
        let data = bind(&original, &Memory::new(), 0).unwrap();
        let of_varied = v.bindings(&original, &data).unwrap();
        assert_eq!(of_varied.values.len(), 1);
    }
}
