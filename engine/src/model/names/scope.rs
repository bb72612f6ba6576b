//! Names and their scopes, and the values of params. Global names are resolved on demand, so items may stand in any order.

use std::collections::HashMap;

use blo_grammar::ast::{Dimension, Expr, Name};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::elementwise::Elementwise;
use crate::limits;
use crate::model::checker::{Checked, Checker, Declared, Reported, SUGGESTIONS};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::shape::{Dim, Shape};

/// How many names may be defined through one another before one has been seen; lets in the order of the file do not count.
const DEPTH: usize = limits::DEFINITIONS.value as usize;

impl<'a> Checker<'a> {
    /// Runs with a scope of names of its own; loops opened inside stay numbered, so that nesting order is kept.
    pub(crate) fn scoped<T>(&mut self, body: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        self.names.scopes.push(HashMap::new());
        let result = body(self);
        self.names.scopes.pop();
        result
    }

    /// Binds a name in the innermost scope.
    pub(crate) fn bind(&mut self, name: &str, value: Meaning) {
        self.names.scopes.last_mut().expect("names are bound within `scoped`").insert(name.to_string(), value);
    }

    /// Runs without the local names of the caller, for the bodies of global items.
    pub(crate) fn isolated<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let scopes = std::mem::take(&mut self.names.scopes);
        let result = body(self);
        self.names.scopes = scopes;
        result
    }

    /// The meaning of a name.
    pub(crate) fn name(&mut self, name: &str, span: Span) -> Checked<Meaning> {
        if let Some(value) = self.names.scopes.iter().rev().find_map(|s| s.get(name)) {
            return Ok(value.clone());
        }
        if self.reporting.in_metric
            && let Some(value) = self.reported_name(name)
        {
            return value;
        }
        if let Some((from, to)) = self.meta_test.moved {
            return self.moved_name(name, span, from, to);
        }
        if let Some(value) = self.names.values.get(name) {
            return value.clone();
        }
        let Some((declared, at)) = self.names.globals.get(name).cloned() else {
            return match name {
                "pi" => Ok(Meaning::Array(self.number_literal(std::f64::consts::PI))),
                "inf" => Ok(Meaning::Array(self.number_literal(f64::INFINITY))),
                _ if self.followers.hidden.as_deref() == Some(name) => {
                    self.fail(message::set_of_one_follower(span, name))
                }
                // sizes of variables are found before any variable has a name
                _ if self.varies(name) => self.fail(message::constant_needed(span, "a size")),
                _ if !self.names.unknown.insert(span) => Err(Reported),
                _ => {
                    let d = self.unknown_name(name, span);
                    self.fail(d)
                }
            };
        };
        let outer = self.names.current_let.replace(name.to_string());
        let value = self.within(name, span, at, |c| c.global(name, &declared, span, at));
        self.names.current_let = outer;
        self.names.values.insert(name.to_string(), value.clone());
        if let Ok(Meaning::Array(a)) = &value {
            self.graph.label(a.node, name);
        }
        value
    }

    /// Runs in the definition of a global name, used at `span` and declared at `at`.
    pub(crate) fn within<T>(
        &mut self,
        name: &str,
        span: Span,
        at: Span,
        body: impl FnOnce(&mut Self) -> Checked<T>,
    ) -> Checked<T> {
        if self.names.resolving.iter().any(|n| n == name) {
            if let Some(row) = self.row_that_holds_itself(name) {
                let d = message::multiplier_by_name(span, at, row);
                return self.fail(d);
            }
            let cycle = self.names.resolving.clone();
            return self.fail(message::cycle(name, span, at, &cycle));
        }
        if self.names.resolving.len() + self.names.calls.len() >= DEPTH {
            return self.fail(message::too_deep(span, at, DEPTH));
        }
        self.names.resolving.push(name.to_string());
        let value = self.isolated(body);
        self.names.resolving.pop();
        value
    }

    fn global(&mut self, name: &str, declared: &Declared<'a>, span: Span, at: Span) -> Checked<Meaning> {
        match declared {
            Declared::Param(dims, value) => self.param(name, dims, value, at),
            Declared::Let(value) => self.expression(value),
            Declared::Data(column) => self.data_item(column).map(Meaning::Array),
            Declared::Dataset(columns) => self.dataset(name, columns, at),
            Declared::Part(item, part) => self.part(*item, *part),
            Declared::Episodes(item) => self.episodes(*item),
            Declared::Variable(formal) => {
                let f = self.formals[*formal].clone();
                let node = self.graph.input(*formal, f.shape.clone(), f.elem);
                let array = LoopArray::real(node, Vec::new(), f.shape);
                if self.followers.variables.contains(formal) && array.is_scalar() {
                    // Its loop has failed, so it has no axis for the followers.
                    return Err(Reported);
                }
                Ok(if self.followers.variables.contains(formal) {
                    Meaning::Stack(array)
                } else {
                    Meaning::Array(array)
                })
            }
            Declared::Function(..) => self.fail(message::function_as_value(name, span, at)),
            Declared::Set(_) => self.fail(message::set_as_value(name, span, at)),
        }
    }

    /// Records a global name, or reports that it is taken.
    pub(crate) fn declare(&mut self, name: &Name, declared: Declared<'a>) {
        if let Some((_, at)) = self.names.globals.get(&name.text) {
            self.diagnostics.push(message::declared_twice(&name.text, name.span, *at));
            return;
        }
        if Elementwise::by_name(&name.text).is_some() || crate::model::function::by_name(&name.text).is_some() {
            self.diagnostics.push(message::shadows_function(&name.text, name.span));
        }
        self.names.globals.insert(name.text.clone(), (declared, name.span));
    }

    fn unknown_name(&mut self, name: &str, span: Span) -> Diagnostic {
        let functions = crate::model::function::TABLE.iter().map(|f| f.name);
        if functions.chain(crate::elementwise::TABLE.iter().map(|f| f.name)).any(|f| f == name) {
            return message::function_without_arguments(name, span);
        }
        if self.names.unknown.len() > SUGGESTIONS {
            return message::unknown_name(name, span, None, None);
        }
        let locals: Vec<String> = self.names.scopes.iter().flat_map(|s| s.keys().cloned()).collect();
        let near = blo_grammar::diagnostic::did_you_mean(
            name,
            self.names.globals.keys().map(String::as_str).chain(locals.iter().map(String::as_str)),
        );
        let at = near.and_then(|n| self.names.globals.get(n)).map(|(_, s)| *s);
        message::unknown_name(name, span, near.map(str::to_string), at)
    }

    /// A param's value; a whole number is a size of the same name.
    pub(crate) fn param(&mut self, name: &str, dims: &[Dimension], value: &Expr, at: Span) -> Checked<Meaning> {
        let given = self.file.settings.params.iter().rev().find(|(n, _)| n == name).map(|(_, v)| *v);
        let a = self.array(value)?;
        if !dims.is_empty() {
            let sizes: Vec<Dim> = dims
                .iter()
                .map(|d| match d {
                    Dimension::Size(e) => self.size(e),
                    Dimension::Deferred(span) => self.fail(message::deferred_variable(*span)),
                })
                .collect::<Checked<_>>()?;
            let shape = Shape(sizes);
            if given.is_some() {
                return self.fail(message::array_param_given(name, at));
            }
            if !a.is_scalar() && !self.same_shape(&a.shape, &shape)? {
                let (found, wanted) = (self.shape_text(&a.shape), self.shape_text(&shape));
                return self.fail(message::declared_shape(value.span, name, &found, &wanted));
            }
            let node = self.align(&a, &[], &shape, value.span)?;
            return Ok(Meaning::Array(LoopArray::real(node, Vec::new(), shape)));
        }
        if !a.is_scalar() {
            return self.fail(message::declared_shape(value.span, name, &a.shape.to_string(), "a number"));
        }
        let Some(number) = (match given {
            Some(number) => Some(number),
            None => self.number(&a)?,
        }) else {
            if !self.file.settings.varied.is_empty() && self.depends_on_variables(a.node) {
                return Ok(Meaning::Array(a));
            }
            return self.fail(message::param_not_constant(name, value.span));
        };
        // A symbol stands for a size, which is at least zero; the calculus proves things by that.
        if number.fract() == 0.0 && (0.0..9e15).contains(&number) {
            self.sizes.set(name, number as i64);
            return Ok(Meaning::Array(self.dim_array(Dim::symbol(name))));
        }
        Ok(Meaning::Array(self.number_literal(number)))
    }
}
