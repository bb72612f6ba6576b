//! The whole module: a comment that says what every argument is, the functions that a caller sees (`main` is an iteration,
//! `init` the start, `F`, `f` and `g` the objectives), and those that they call.

use std::collections::HashMap;

use super::block::{Block, Element, Type, Value, Width};
use super::body::{Called, Module, Slices, define, function_text};
use super::hypergradient::Beside;
use crate::export::fields::Field;
use crate::export::kept::{Begin, Input, Kept, Refused};
use crate::export::source::Source;
use crate::export::{Array, Values};
use crate::iteration::Iteration;

/// A module under construction.
pub(super) struct Writer<'a> {
    pub(super) kept: Kept<'a>,
    pub(super) module: Module<'a>,
    public: Vec<Public>,
}

/// A body with the arguments that it has used.
pub(super) struct Scope {
    pub(super) block: Block,
    /// The number of the iteration.
    pub(super) k: Option<Value>,
    /// Values of inputs that are no data.
    pub(super) values: HashMap<usize, Value>,
    /// Values of fields of the data.
    pub(super) fields: HashMap<String, Value>,
    /// The state as it is given.
    state: Vec<Value>,
}

/// A function that a caller sees.
struct Public {
    name: &'static str,
    doc: String,
    scope: Scope,
    results: Vec<Value>,
}

/// The module and its arrays.
///
/// # Errors
/// When an operation is refused.
pub(in crate::export) fn program(source: &Source<'_>, single: bool) -> Result<(String, Vec<Array>), Refused> {
    let width = if single { Width::SINGLE } else { Width::DOUBLE };
    let module = Module::new(width, &source.data.sizes);
    let mut writer = Writer { kept: Kept::new(source), module, public: Vec::new() };
    let objectives = writer.objectives()?;
    let beside = match source.composition {
        Some(composition) => Some(writer.hypergradient(composition, &objectives[0].1)?),
        None => None,
    };
    writer.step(beside.as_ref())?;
    writer.init(beside.as_ref());
    for (name, called) in &objectives {
        writer.objective(name, called);
    }
    let text = writer.text();
    Ok((text, writer.kept.into_arrays()))
}

impl<'a> Writer<'a> {
    pub(super) fn iteration(&self) -> &'a Iteration {
        self.kept.source.iteration
    }

    /// A body: with the number of the iteration and the state as arguments, or without.
    fn scope(&self, step: bool, state: bool) -> Scope {
        let mut block = Block::new(self.module.width);
        let k = step.then(|| block.argument("k", self.module.width.of(blo_engine::graph::Elem::Index, Vec::new())));
        let mut scope = Scope { block, k, values: HashMap::new(), fields: HashMap::new(), state: Vec::new() };
        if state {
            for (input, field) in &self.kept.state {
                let ty = scope.block.real_type(&field.shape);
                let value = scope.block.argument(&field.name, ty);
                scope.values.insert(*input, value.clone());
                scope.state.push(value);
            }
        }
        scope
    }

    /// The value of an input.
    pub(super) fn input(&self, scope: &mut Scope, input: usize) -> Value {
        match &self.kept.inputs[input] {
            Input::Data(field) => self.field(scope, field),
            Input::Argument(name) => {
                scope.values.get(&input).unwrap_or_else(|| unreachable!("`{name}` has a value")).clone()
            }
        }
    }

    /// The value of a field of the data: an argument of every function that reads it.
    pub(super) fn field(&self, scope: &mut Scope, name: &str) -> Value {
        if let Some(known) = scope.fields.get(name) {
            return known.clone();
        }
        let value = scope.block.argument(name, self.field_type(name));
        scope.fields.insert(name.to_owned(), value.clone());
        value
    }

    pub(super) fn field_type(&self, name: &str) -> Type {
        let array = self.kept.fields.arrays.iter().find(|a| a.name == name).expect("a field has an array");
        let element = match array.values {
            Values::Real(_) => self.module.width.real,
            Values::Index(_) => self.module.width.whole,
        };
        Type { shape: array.shape.clone(), element }
    }

    /// What inputs are called as arguments.
    pub(super) fn argument_names(&self, count: usize) -> Vec<String> {
        let name = |input: &Input| match input {
            Input::Argument(name) | Input::Data(name) => name.clone(),
        };
        self.kept.inputs[..count].iter().map(name).collect()
    }

    /// A private function of F, f and g, as far as there are some.
    fn objectives(&mut self) -> Result<Vec<(&'static str, Called)>, Refused> {
        let mut found = Vec::new();
        for (name, doc, function) in self.kept.objectives() {
            let inputs = self.argument_names(function.inputs.len());
            let own = self.module.name(&format!("objective {name}"));
            let called = define(&mut self.module, (&own, doc), function, &inputs, Slices { lead: &[], leads: &[] })?;
            found.push((name, called));
        }
        Ok(found)
    }

    /// The public function of an objective, which takes the whole state.
    fn objective(&mut self, name: &'static str, called: &Called) {
        let mut scope = self.scope(false, true);
        let arguments: Vec<Value> = called.inputs.iter().map(|i| self.input(&mut scope, *i)).collect();
        let results = scope.block.call(&called.name, &arguments, &called.results);
        let level = if name == "F" { "upper" } else { "lower" };
        let part = if name == "g" { "the proximal part" } else { "to be minimized" };
        self.publish(name, &format!("The {level} objective, {part}."), scope, results);
    }

    pub(super) fn publish(&mut self, name: &'static str, doc: &str, scope: Scope, results: Vec<Value>) {
        self.public.push(Public { name, doc: doc.to_owned(), scope, results });
    }

    /// A body for `main`.
    pub(super) fn main_scope(&self) -> Scope {
        self.scope(true, true)
    }

    /// A body for functions that get their inputs by hand.
    pub(super) fn bare_scope(&self) -> Scope {
        self.scope(false, false)
    }

    /// `init`: the start.
    fn init(&mut self, beside: Option<&Beside>) {
        let mut scope = self.scope(false, false);
        let begins = self.kept.starts();
        let state = self.kept.state.clone();
        for (begin, (input, field)) in begins.iter().zip(&state) {
            let value = match begin {
                Begin::Array(array) => self.field(&mut scope, array),
                Begin::Zero => scope.block.real(0.0, &field.shape),
            };
            scope.values.insert(*input, value);
        }
        if let Some(beside) = beside {
            let k = scope.block.whole(0);
            self.call_beside(beside, &mut scope, &k);
        }
        let results = state.iter().map(|(input, _)| scope.values[input].clone()).collect();
        self.publish("init", "The state before the first iteration.", scope, results);
    }

    /// The text: what is public, then the rest.
    fn text(&mut self) -> String {
        let mut text = self.head();
        text += &format!("module @{} {{\n", identifier(&self.kept.source.problem.name));
        let order = ["main", "init", "F", "f", "g"];
        let mut public = std::mem::take(&mut self.public);
        public.sort_by_key(|p| order.iter().position(|name| *name == p.name));
        for function in public {
            text += &self.public_text(function);
            text += "\n";
        }
        text += &self.module.functions.join("\n");
        text + "}\n"
    }

    fn public_text(&self, public: Public) -> String {
        let Public { name, doc, mut scope, results } = public;
        let mut arguments: Vec<String> = Vec::new();
        let listed = |value: &Value, place: &str| format!("{}: {} loc(\"{place}\")", value.name, value.ty);
        arguments.extend(scope.k.iter().map(|k| listed(k, "k")));
        for (value, (_, field)) in scope.state.iter().zip(&self.kept.state) {
            arguments.push(listed(value, &format!("state.{}", field.name)));
        }
        for field in &self.kept.fields.data {
            let value = self.field(&mut scope, &field.name);
            arguments.push(listed(&value, &format!("data.{}", field.name)));
        }
        let head = format!("public @{name}({})", arguments.join(", "));
        function_text(&head, &doc, &scope.block, &results)
    }

    /// The first lines: what this is, and what the arguments are.
    fn head(&self) -> String {
        let Source { problem, about, record, .. } = self.kept.source;
        let Width { real, whole } = self.module.width;
        let objectives: Vec<&str> = self.kept.objectives().iter().map(|(name, ..)| *name).collect();
        let mut lines = vec![
            format!("Problem {}, method {}: made by `{}`.", problem.name, self.kept.source.method(), about.command),
            String::new(),
            "  @main(k, state, data) -> state   iteration k = 1, 2, ...".to_owned(),
            "  @init(data) -> state             the state before the first one".to_owned(),
            format!("  {:<33}objectives, to be minimized", format!("@{}(state, data)", objectives.join(", @"))),
            String::new(),
            format!(
                "`state` and `data` are these arrays, in this order; data are in {}, in the same order.",
                about.arrays
            ),
        ];
        if real == Element::F32 {
            lines.push("The file has them in double precision: convert them first.".to_owned());
        }
        let name = |field: &Field| field.name.len();
        let all = || self.kept.state.iter().map(|(_, f)| f).chain(&self.kept.fields.data);
        let width = all().map(name).max().unwrap_or(0).max(1);
        lines.push(String::new());
        lines.push(format!("  k      {:width$}  {}[]", "", whole.text()));
        for (_, field) in &self.kept.state {
            lines.push(listed("state", field, width, real));
        }
        for field in &self.kept.fields.data {
            lines.push(listed("data", field, width, self.field_type(&field.name).element));
        }
        lines.push(String::new());
        lines.push(format!("The local run had {} iterations; after them recorded numbers stay.", record.len()));
        if record.rejected > 0 {
            lines.push(format!("It took {} steps back; this module repeats the accepted ones.", record.rejected));
        }
        lines.iter().map(|line| format!("// {line}").trim_end().to_owned() + "\n").collect()
    }
}

fn listed(kind: &str, field: &Field, width: usize, element: Element) -> String {
    let shape: Vec<String> = field.shape.iter().map(usize::to_string).collect();
    format!("  {kind:5}  {:width$}  {}[{}]  {}", field.name, element.text(), shape.join(", "), field.doc)
}

/// The name of the problem as that of a module.
fn identifier(name: &str) -> String {
    let spelled: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if spelled.starts_with(|c: char| c.is_ascii_digit()) || spelled.is_empty() {
        format!("p{spelled}")
    } else {
        spelled
    }
}
