//! A Function of the engine as a function of the module: an operation per node. A function may be applied to slices of some
//! of its inputs: then these have leading axes, and so has what is made of them.

use std::collections::HashMap;
use std::sync::Arc;

use blo_engine::graph::{Function, Graph, NodeId, Op};
use blo_engine::shape::{Shape, Sizes};
use blo_grammar::span::Span;

use super::block::{Block, Type, Value, Width, names, types};
use crate::export::kept::Refused;
use crate::export::names::Names;

/// A body of a map that is there: with the leading axes, and the inputs that have them.
pub(super) struct Known {
    pub(super) body: Arc<Function>,
    pub(super) lead: Vec<usize>,
    pub(super) leads: Vec<bool>,
    pub(super) called: Called,
}

/// The module under construction.
pub(super) struct Module<'a> {
    pub(super) width: Width,
    pub(super) sizes: &'a Sizes,
    /// Texts of functions, in order.
    pub(super) functions: Vec<String>,
    pub(super) bodies: Vec<Known>,
    names: Names,
}

impl<'a> Module<'a> {
    pub(super) fn new(width: Width, sizes: &'a Sizes) -> Module<'a> {
        let mut names = Names::of_fields();
        for public in ["main", "init", "F", "f", "g"] {
            names.fresh(public);
        }
        Module { width, sizes, functions: Vec::new(), bodies: Vec::new(), names }
    }

    /// A name for a function.
    pub(super) fn name(&mut self, wanted: &str) -> String {
        self.names.fresh(wanted)
    }
}

/// A function as it is called.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) name: String,
    /// Inputs that it takes, by position.
    pub(super) inputs: Vec<usize>,
    pub(super) results: Vec<Type>,
}

impl Called {
    /// A call, given what stands for an input.
    pub(super) fn call(&self, block: &mut Block, argument: &dyn Fn(usize) -> Value) -> Vec<Value> {
        let arguments: Vec<Value> = self.inputs.iter().map(|i| argument(*i)).collect();
        block.call(&self.name, &arguments, &self.results)
    }
}

/// Slices that a function is applied to.
#[derive(Clone, Copy)]
pub(super) struct Slices<'a> {
    /// Lengths of the leading axes.
    pub(super) lead: &'a [usize],
    /// The inputs that have them.
    pub(super) leads: &'a [bool],
}

/// A value, and whether it has the leading axes.
pub(super) type Led = (Value, bool);

/// A body under construction.
pub(super) struct Body<'a, 'm> {
    pub(super) function: &'a Function,
    pub(super) module: &'a mut Module<'m>,
    pub(super) block: Block,
    pub(super) values: HashMap<NodeId, Led>,
    /// The leading axes.
    pub(super) lead: Vec<usize>,
    /// Results of maps.
    pub(super) maps: HashMap<(usize, Vec<NodeId>), Vec<Led>>,
}

/// A function with its text in lines.
pub(super) fn function_text(head: &str, doc: &str, block: &Block, results: &[Value]) -> String {
    let doc = if doc.is_empty() { String::new() } else { format!("  // {doc}\n") };
    let given = if let [one] = results { one.ty.to_string() } else { format!("({})", types(results)) };
    format!(
        "{doc}  func.func {head} -> {given} {{\n{}    func.return {} : {}\n  }}\n",
        block.text(),
        names(results),
        types(results)
    )
}

/// Writes a function. `inputs` are the names of its inputs. All results have the leading axes.
///
/// # Errors
/// When an operation is refused.
pub(super) fn define(
    module: &mut Module<'_>,
    (name, doc): (&str, &str),
    function: &Function,
    inputs: &[String],
    slices: Slices<'_>,
) -> Result<Called, Refused> {
    let used = function.graph().reachable(function.outputs());
    let mut block = Block::new(module.width);
    let mut values = HashMap::new();
    let (mut taken, mut arguments) = (Vec::new(), Vec::new());
    for (i, formal) in function.inputs.iter().enumerate().filter(|(i, _)| used[*i]) {
        let led = slices.leads.get(i).copied().unwrap_or(false);
        let own = lengths(&formal.shape, module.sizes);
        let shape = if led { [slices.lead, &own].concat() } else { own };
        let value = block.argument(&inputs[i], module.width.of(formal.elem, shape));
        values.insert(function.input(i), (value.clone(), led));
        taken.push(i);
        arguments.push(value);
    }
    let maps = HashMap::new();
    let mut body = Body { function, module, block, values, lead: slices.lead.to_vec(), maps };
    let results = body.write(&used)?;
    let listed: Vec<String> = arguments.iter().map(|a| format!("{}: {}", a.name, a.ty)).collect();
    let head = format!("private @{name}({})", listed.join(", "));
    let text = function_text(&head, doc, &body.block, &results);
    body.module.functions.push(text);
    let results = results.into_iter().map(|r| r.ty).collect();
    Ok(Called { name: name.to_owned(), inputs: taken, results })
}

/// The lengths of a shape.
pub(super) fn lengths(shape: &Shape, sizes: &Sizes) -> Vec<usize> {
    shape.sizes(sizes).expect("sizes are known once the data are read")
}

impl Body<'_, '_> {
    pub(super) fn graph(&self) -> &Graph {
        self.function.graph()
    }

    /// The shape of a node, without leading axes.
    pub(super) fn shape(&self, id: NodeId) -> Vec<usize> {
        lengths(self.graph().shape(id), self.module.sizes)
    }

    /// The leading axes that a value has.
    pub(super) fn lead_of(&self, led: bool) -> Vec<usize> {
        if led { self.lead.clone() } else { Vec::new() }
    }

    /// The value of a node; a number is written where it is first needed.
    pub(super) fn value(&mut self, id: NodeId) -> Led {
        if let Some(known) = self.values.get(&id) {
            return known.clone();
        }
        let Some(number) = self.number(id) else { unreachable!("operands come first") };
        let shape = self.shape(id);
        let value = (self.block.real(number, &shape), false);
        self.values.insert(id, value.clone());
        value
    }

    /// The value of a node with or without the leading axes; a value that has none is repeated.
    pub(super) fn value_led(&mut self, id: NodeId, led: bool) -> Value {
        let (value, has) = self.value(id);
        if has == led { value } else { self.repeated(&value) }
    }

    /// A value without leading axes in every slice.
    pub(super) fn repeated(&mut self, value: &Value) -> Value {
        let depth = self.lead.len();
        let dims: Vec<usize> = (depth..depth + value.rank()).collect();
        let shape = [self.lead.as_slice(), value.shape()].concat();
        self.block.broadcast(value, &dims, &shape)
    }

    /// The number that a node is, if it is one.
    pub(super) fn number(&self, id: NodeId) -> Option<f64> {
        match self.graph().op(id) {
            Op::Const(bits) => Some(f64::from_bits(*bits)),
            Op::Size(dim) => {
                let value = dim.value(self.module.sizes);
                Some(value.map_or(f64::NAN, |v| *v.numer() as f64 / *v.denom() as f64))
            }
            _ => None,
        }
    }

    /// All operations; gives the outputs.
    fn write(&mut self, used: &[bool]) -> Result<Vec<Value>, Refused> {
        let function = self.function;
        let graph = function.graph();
        for id in graph.ids().filter(|id| used[id.0 as usize]) {
            if self.values.contains_key(&id) || self.number(id).is_some() {
                continue;
            }
            let (value, led) = self.rule(id).map_err(|refused| {
                let node = refused.node.or_else(|| Some(graph.span_of(id)).filter(|span| *span != Span::default()));
                Refused { node, ..refused }
            })?;
            let own = [self.lead_of(led), self.shape(id)].concat();
            debug_assert_eq!(value.shape(), own.as_slice(), "{}", graph.op(id).name());
            let value = match graph.label_of(id).map(|label| label.split_once(" = ").unwrap_or((label, ""))) {
                Some((name, comment)) => self.block.rename(value, name, comment),
                None => value,
            };
            self.values.insert(id, (value, led));
        }
        let led = !self.lead.is_empty();
        Ok(function.outputs().iter().map(|id| self.value_led(*id, led)).collect())
    }
}
