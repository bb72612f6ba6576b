//! What the names of a file stand for, for tools that show it beside the text. The check has it anyway, and it is there
//! where the file has mistakes too: of the names that could be resolved.

use blo_grammar::span::Span;

use crate::calculus::{Analysis, Class, Convexity};
use crate::graph::{Formal, Function, Graph, NodeId};
use crate::model::checker::Checker;
use crate::model::meaning::Meaning;
use crate::model::problem::Problem;
use crate::shape::{Shape, Sizes};
use crate::sign::Sign;

/// The names of a file that stand for a value.
#[derive(Debug, Default)]
pub struct Named {
    graph: Graph,
    formals: Vec<Formal>,
    /// The first formals are the variables.
    variables: usize,
    /// Values of the params that are whole numbers.
    pub sizes: Sizes,
    /// Each name once per declaration.
    pub values: Vec<NamedValue>,
}

/// A name and its value.
#[derive(Clone, Debug)]
pub struct NamedValue {
    /// The name.
    pub name: String,
    /// The name in its declaration.
    pub span: Span,
    /// What the value is, in a few words.
    pub what: String,
    /// Its shape, if it is an array.
    pub shape: Option<Shape>,
    node: Option<NodeId>,
}

/// What the calculus knows of a value in all variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Its sign.
    pub sign: Sign,
    /// Its class.
    pub class: Class,
    /// Its curvature.
    pub convexity: Convexity,
}

impl Named {
    /// The value that a name stands for, by the place of the name in its declaration.
    pub fn at(&self, declaration: Span) -> Option<&NamedValue> {
        self.values.iter().find(|v| v.span == declaration)
    }

    /// What the calculus knows of a value; with the problem, the sets of its variables tell signs.
    pub fn nature(&self, value: &NamedValue, problem: Option<&Problem>) -> Option<Nature> {
        let f = Function::new(&value.name, &self.graph, self.formals.clone(), &[value.node?]);
        let signs = problem.map(|p| p.signs(&f)).unwrap_or_default();
        let variables: Vec<usize> = (0..self.variables).collect();
        let (analysis, root) = (Analysis::new(&f, &signs, &variables), f.outputs()[0]);
        Some(Nature { sign: analysis.sign(root), class: analysis.class(root), convexity: analysis.convexity(root) })
    }
}

impl Checker<'_> {
    /// What is left of a check when its problem has been made.
    pub(super) fn into_named(self) -> Named {
        let value = |name: &str, span: Span, meaning: &Meaning| {
            let array = match meaning {
                Meaning::Array(a) | Meaning::Stack(a) => Some(a),
                _ => None,
            };
            let node = array.filter(|a| a.loops.is_empty()).map(|a| a.node);
            let shape = array.map(|a| a.shape.clone());
            NamedValue { name: name.to_owned(), span, what: meaning.describe(), shape, node }
        };
        let globals = self.names.globals.iter().filter_map(|(name, (_, span))| {
            let meaning = self.names.values.get(name)?.as_ref().ok()?;
            Some(value(name, *span, meaning))
        });
        let of_levels = self.names.of_levels.iter().map(|(name, meaning)| value(&name.text, name.span, meaning));
        let values = globals.chain(of_levels).collect();
        Named { graph: self.graph, formals: self.formals, variables: self.variable_count, sizes: self.sizes, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Settings, check};

    fn named(text: &str) -> (Named, Option<Problem>) {
        let outcome = check(&blo_grammar::parse(text).ast, text, "p", &Settings::default());
        (outcome.named, outcome.problem)
    }

    #[test]
    fn names_have_shapes_and_what_the_calculus_knows() {
        let text = "param n = 3  let s = exp(sum(x)) upper { var x[n] in [0, 1]  minimize s }
                    lower { var y[n]  let r = y - x  minimize normsq(r) }";
        let (named, problem) = named(text);
        let of = |name: &str| named.values.iter().find(|v| v.name == name).expect("the name has a value");
        assert_eq!(of("r").shape.as_ref().map(ToString::to_string).as_deref(), Some("[n]"));
        assert_eq!(of("s").what, "a number");
        let nature = named.nature(of("s"), problem.as_ref()).expect("an array");
        assert!(nature.sign == Sign::Positive && nature.class == Class::Smooth && nature.convexity.is_convex());
        assert_eq!(named.nature(of("r"), problem.as_ref()).map(|n| n.class), Some(Class::Affine));
        assert_eq!(&text[named.at(of("x").span).expect("its place").span.range()], "x");
    }

    #[test]
    fn a_mistake_elsewhere_leaves_the_names_that_are_right() {
        let (named, problem) = named("let a = ones(4)  upper { var x  minimize x*zz }  lower { var y  minimize y^2 }");
        assert!(problem.is_none());
        assert!(named.values.iter().any(|v| v.name == "a" && v.shape.is_some()));
    }
}
