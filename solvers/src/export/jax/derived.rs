//! Derived data: what the file names with `let` and what depends on data alone is computed once, before the first iteration,
//! and is a field of the data like those that are read.

use blo_engine::graph::{Elem, Function, Graph, NodeId, Op};

use super::body::{Called, Functions, define};
use super::program::Writer;
use super::step::Lines;
use crate::export::fields::Field;
use crate::export::kept::{Input, Refused};

/// A field of the data that the program computes.
pub(super) struct Derived {
    pub(super) field: Field,
    /// The expression that gives it, and the body of a function that does.
    function: String,
    body: String,
}

impl Writer<'_> {
    /// Writes a function of the problem or of the method; values that depend on data alone become derived data.
    ///
    /// # Errors
    /// When an operation is refused.
    pub(super) fn define(
        &mut self,
        named: (&str, &str),
        function: &Function,
        inputs: &[Input],
    ) -> Result<Called, Refused> {
        let mut derived = Vec::new();
        for id in given(function, inputs) {
            derived.push((id, self.derive(id, function, inputs)?));
        }
        define(&mut self.functions, named, function, inputs, &derived, self.kept.fields.sizes)
    }

    /// The field of the data that a node is.
    fn derive(&mut self, id: NodeId, function: &Function, inputs: &[Input]) -> Result<String, Refused> {
        let graph = function.graph();
        let label = &name_of(graph, id, inputs).unwrap_or_default();
        let alone = Function::new(label.as_str(), graph, function.inputs.clone(), &[id]);
        let mut written = Functions::default();
        define(&mut written, ("_", ""), &alone, inputs, &[], self.kept.fields.sizes)?;
        let body = written.take("_");
        if let Some(known) = self.derived.iter().find(|d| d.body == body) {
            return Ok(known.field.name.clone());
        }
        self.functions.take_over(written);
        let name = self.kept.fields.names.fresh(label);
        let function = match expression(&body) {
            Some(expression) => expression.to_owned(),
            None => self.derived_function(&name, label, &body),
        };
        let shape = graph.shape(id);
        let field = Field {
            name: name.clone(),
            shape: self.kept.fields.lengths(shape),
            rows: self.kept.fields.is_by_rows(shape) || matches!(graph.op(id), Op::Gather(0)),
            doc: "derived".to_owned(),
        };
        self.derived.push(Derived { field, function, body });
        Ok(name)
    }

    /// Adds the function of a derived array; gives the call.
    fn derived_function(&mut self, name: &str, label: &str, body: &str) -> String {
        let function = self.module_name(name);
        let arguments = if body.contains("data.") { "data" } else { "" };
        let doc = format!("`{label}` of the problem, from the data alone.");
        self.functions.add_first(&function, &format!("def {function}({arguments}):\n    \"\"\"{doc}\"\"\"\n{body}"));
        format!("{function}({arguments})")
    }

    /// `derive`: all derived data. What only they read is let go.
    pub(super) fn derivation(&self, others: &[&str]) -> Option<String> {
        if self.derived.is_empty() {
            return None;
        }
        let own = |name: &str| self.derived.iter().any(|d| d.function.split('(').next() == Some(name));
        let is_read = |field: &str| {
            let text = format!("data.{field}");
            self.functions.read(field).any(|name| !own(name)) || others.iter().any(|other| other.contains(&text))
        };
        let mut lines = Lines::default();
        lines.add(0, "def derive(data):");
        lines.add(1, "\"\"\"The data with what depends on them alone; what nothing else reads is let go.\"\"\"");
        lines.add(1, "return data._replace(");
        for Derived { field, function, .. } in &self.derived {
            lines.add(2, format!("{}={function},", field.name));
        }
        for field in self.kept.fields.data.iter().filter(|field| !is_read(&field.name)) {
            lines.add(2, format!("{}=None,", field.name));
        }
        lines.add(1, ")");
        Some(lines.text())
    }
}

/// The expression that a body is, where it is one: `return a + b`, or the same with a name in between.
fn expression(body: &str) -> Option<&str> {
    let lines: Vec<&str> = body.lines().map(str::trim).collect();
    match lines.as_slice() {
        [last] => last.strip_prefix("return "),
        [line, last] => line.strip_prefix(last.strip_prefix("return ")?)?.strip_prefix(" = "),
        _ => None,
    }
}

/// The nodes with names of the author that depend on data alone and that something else reads: the last ones on each way.
fn given(function: &Function, inputs: &[Input]) -> Vec<NodeId> {
    let graph = function.graph();
    let mut fixed = vec![false; graph.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        fixed[id.0 as usize] = match node.op {
            Op::Input(i) => matches!(inputs.get(i as usize), Some(Input::Data(_))),
            _ => node.args.iter().all(|a| fixed[a.0 as usize]),
        };
    }
    let is_given = |id: NodeId| {
        let node = graph.node(id);
        let trivial = is_one_number(graph, id) || matches!(node.op, Op::Input(_)) || node.elem != Elem::Real;
        fixed[id.0 as usize] && !trivial && name_of(graph, id, inputs).is_some()
    };
    let mut used = graph.reachable(&[]);
    function.outputs().iter().for_each(|id| used[id.0 as usize] = true);
    let mut found = Vec::new();
    for id in graph.ids().rev().filter(|id| function.input_position(*id).is_none()) {
        if !used[id.0 as usize] {
            continue;
        }
        if is_given(id) && !function.outputs().contains(&id) {
            found.push(id);
        } else {
            graph.args(id).iter().for_each(|a| used[a.0 as usize] = true);
        }
    }
    found.reverse();
    found
}

/// The name that the problem has for a node: that of a `let`, and `D.tr.u` for the rows of a dataset that `D.tr` has.
fn name_of(graph: &Graph, id: NodeId, inputs: &[Input]) -> Option<String> {
    if let Some(label) = graph.label_of(id) {
        return label.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| label.to_owned());
    }
    let field = |id: NodeId| match graph.node(id).op {
        Op::Input(i) => match inputs.get(i as usize) {
            Some(Input::Data(field)) => Some(field.as_str()),
            _ => None,
        },
        _ => None,
    };
    let node = graph.node(id);
    let Op::Gather(0) = node.op else { return None };
    let (_, column) = field(node.args[0])?.rsplit_once('_')?;
    Some(format!("{}_{column}", field(node.args[1])?.strip_suffix("_rows")?))
}

/// True for a number of the file, and for an array that has it everywhere.
fn is_one_number(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    match node.op {
        Op::Const(_) | Op::Size(_) => true,
        Op::Broadcast(_) => is_one_number(graph, node.args[0]),
        _ => false,
    }
}
