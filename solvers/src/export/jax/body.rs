//! A Function of the engine as a function of Python: a line per node that has a label, is used more than once or is long,
//! the others within the lines that use them.

use std::collections::HashMap;
use std::sync::Arc;

use blo_engine::graph::{Function, Graph, NodeId, Op};
use blo_engine::shape::{Shape, Sizes};
use blo_grammar::span::Span;

use super::code::{Code, Level, Names};

/// An expression longer than this has a line of its own.
const LONG: usize = 44;

/// The same of a result.
const LONGEST: usize = 80;

/// Why a function cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::export) struct Refused {
    /// The operation.
    pub(in crate::export) what: String,
    /// Why, and what to do.
    pub(in crate::export) why: String,
    /// Where the file has it.
    pub(in crate::export) node: Option<Span>,
}

/// The functions of a program, in the order in which they are defined.
#[derive(Debug, Default)]
pub(super) struct Functions {
    /// Names with their texts.
    all: Vec<(String, String)>,
    /// Bodies of maps that are there, with their names.
    bodies: Vec<(Arc<Function>, String)>,
}

impl Functions {
    /// Adds a function, once.
    pub(super) fn add(&mut self, name: &str, text: &str) {
        if !self.has(name) {
            self.all.push((name.to_owned(), text.to_owned()));
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(n, _)| n == name)
    }

    /// All texts, with two empty lines between them.
    pub(super) fn text(&self) -> String {
        self.all.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n\n")
    }
}

/// A function as it is called.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) name: String,
    /// Inputs that it takes, by position; data are taken together.
    pub(super) inputs: Vec<usize>,
    /// It reads data.
    pub(super) data: bool,
}

impl Called {
    /// A call, given what stands for an input.
    pub(super) fn call(&self, argument: &dyn Fn(usize) -> String) -> String {
        let mut arguments: Vec<String> = self.inputs.iter().map(|i| argument(*i)).collect();
        if self.data {
            arguments.push("data".to_owned());
        }
        format!("{}({})", self.name, arguments.join(", "))
    }
}

/// What an input is in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// An argument of that name.
    Argument(String),
    /// A field of the data.
    Data(String),
}

/// A body under construction.
pub(super) struct Body<'a> {
    function: &'a Function,
    sizes: &'a Sizes,
    functions: &'a mut Functions,
    names: Names,
    lines: Vec<String>,
    codes: HashMap<NodeId, Code>,
    maps: HashMap<(usize, Vec<NodeId>), String>,
}

/// Writes a function: its text goes to `functions`. `inputs` says what each input is.
///
/// # Errors
/// When an operation is refused.
pub(super) fn define(
    functions: &mut Functions,
    (name, doc): (&str, &str),
    function: &Function,
    inputs: &[Input],
    sizes: &Sizes,
) -> Result<Called, Refused> {
    let graph = function.graph();
    let used = graph.reachable(function.outputs());
    let needs = |i: &usize| used[*i];
    let taken: Vec<usize> =
        (0..inputs.len()).filter(needs).filter(|i| matches!(inputs[*i], Input::Argument(_))).collect();
    let data = (0..inputs.len()).filter(needs).any(|i| matches!(inputs[i], Input::Data(_)));
    let mut names = Names::new();
    let mut arguments: Vec<String> = Vec::new();
    let mut codes = HashMap::new();
    for (i, input) in inputs.iter().enumerate().filter(|(i, _)| used[*i]) {
        let code = match input {
            Input::Argument(name) => {
                arguments.push(name.clone());
                names.fresh(name);
                name.clone()
            }
            Input::Data(field) => format!("data.{field}"),
        };
        codes.insert(function.input(i), Code::atom(code));
    }
    arguments.extend(data.then(|| "data".to_owned()));
    let mut body = Body { function, sizes, functions, names, lines: Vec::new(), codes, maps: HashMap::new() };
    let results = body.write(&used)?;
    let lines = std::mem::take(&mut body.lines);
    let mut text = format!("def {name}({}):\n", arguments.join(", "));
    if !doc.is_empty() {
        text += &format!("    \"\"\"{doc}\"\"\"\n");
    }
    for line in lines {
        text += &format!("    {line}\n");
    }
    text += &format!("    return {}\n", results.join(", "));
    functions.add(name, &text);
    Ok(Called { name: name.to_owned(), inputs: taken, data })
}

impl Body<'_> {
    pub(super) fn graph(&self) -> &Graph {
        self.function.graph()
    }

    pub(super) fn sizes(&self) -> &Sizes {
        self.sizes
    }

    /// The lengths of a shape, which are known once the data are.
    pub(super) fn shape(&self, shape: &Shape) -> Vec<usize> {
        shape.sizes(self.sizes).expect("sizes are known once the data are read")
    }

    /// Adds one of the program's own functions.
    pub(super) fn own(&mut self, name: &str, text: &str) {
        self.functions.add(name, text);
    }

    /// All lines; gives the expressions of the outputs.
    fn write(&mut self, used: &[bool]) -> Result<Vec<String>, Refused> {
        let (function, graph) = (self.function, self.function.graph());
        let mut uses = vec![0_usize; graph.len()];
        for id in graph.ids().filter(|id| used[id.0 as usize]) {
            graph.args(id).iter().for_each(|a| uses[a.0 as usize] += 1);
        }
        for id in graph.ids().filter(|id| used[id.0 as usize]) {
            if self.codes.contains_key(&id) {
                continue;
            }
            let node = graph.node(id);
            let args: Vec<Code> = node.args.iter().map(|a| self.codes[a].clone()).collect();
            let code = self.rule(node, &args).map_err(|refused| {
                let node = refused.node.or_else(|| Some(graph.span_of(id)).filter(|span| *span != Span::default()));
                Refused { node, ..refused }
            })?;
            let code = self.named(id, code, uses[id.0 as usize]);
            self.codes.insert(id, code);
        }
        let outputs = function.outputs().iter();
        Ok(outputs
            .map(|id| {
                let shape = self.shape(graph.shape(*id));
                let whole = self.whole(&self.codes[id], &shape);
                // a number that is a result is an array, too
                if whole.text.parse::<f64>().is_ok() { format!("jnp.array({})", whole.text) } else { whole.text }
            })
            .collect())
    }

    /// The expression, or its name once it has a line.
    fn named(&mut self, id: NodeId, code: Code, uses: usize) -> Code {
        let graph = self.function.graph();
        let label = graph.label_of(id);
        let is_name = code.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-');
        let free = matches!(graph.op(id), Op::Const(_) | Op::Size(_) | Op::Broadcast(_)) || is_name;
        let cheap = matches!(graph.op(id), Op::Transpose(_)) && code.text.len() < LONG;
        // a result that nothing else needs is written where it is returned
        let long = if uses == 0 { LONGEST } else { LONG };
        let own_line = !free && (label.is_some() || (uses > 1 && !cheap) || code.text.len() > long);
        if !own_line {
            return code;
        }
        let (name, comment) = match label.map(|label| label.split_once(" = ").unwrap_or((label, ""))) {
            Some((name, comment)) => (self.names.fresh(name), comment),
            None => (self.names.counted(&base(graph, id)), ""),
        };
        let comment = if comment.is_empty() { String::new() } else { format!("  # {comment}") };
        self.lines.push(format!("{name} = {}{comment}", code.text));
        Code { text: name, level: Level::Atom, repeats: code.repeats }
    }

    /// A function applied to slices: a function of its own under `vmap`.
    pub(super) fn mapped(
        &mut self,
        body: &Arc<Function>,
        mapped: &[bool],
        output: usize,
        operands: &[Code],
        nodes: &[NodeId],
    ) -> Result<Code, Refused> {
        let name = self.body_of(body)?;
        let several = body.outputs().len() > 1;
        let key = (Arc::as_ptr(body) as usize, nodes.to_vec());
        if let Some(known) = self.maps.get(&key) {
            return Ok(Code::atom(format!("{known}[{output}]")));
        }
        let axes: Vec<&str> = mapped.iter().map(|m| if *m { "0" } else { "None" }).collect();
        let axes = if mapped.iter().all(|m| *m) {
            String::new()
        } else {
            format!(", in_axes=({}{})", axes.join(", "), if axes.len() == 1 { "," } else { "" })
        };
        let list: Vec<&str> = operands.iter().map(|o| o.text.as_str()).collect();
        let call = format!("jax.vmap({name}{axes})({})", list.join(", "));
        if !several {
            return Ok(Code::atom(call));
        }
        let result = self.names.counted(&name);
        self.lines.push(format!("{result} = {call}"));
        self.maps.insert(key, result.clone());
        Ok(Code::atom(format!("{result}[{output}]")))
    }

    fn body_of(&mut self, body: &Arc<Function>) -> Result<String, Refused> {
        if let Some((_, name)) =
            self.functions.bodies.iter().find(|(known, _)| Arc::ptr_eq(known, body) || known == body)
        {
            return Ok(name.clone());
        }
        let mut names = Names::new();
        let inputs: Vec<Input> = body.inputs.iter().map(|f| Input::Argument(names.fresh(&f.name))).collect();
        let wanted = names.fresh(&format!("each {}", body.name));
        let free = |name: &String| !self.functions.has(name);
        let name = (1..).map(|i| if i == 1 { wanted.clone() } else { format!("{wanted}_{i}") }).find(free);
        let name = name.expect("one is free");
        // all of its arguments are there, whether it needs them or not: `vmap` has one axis per argument
        let called = define(self.functions, (&name, ""), body, &inputs, self.sizes)?;
        if called.inputs.len() < inputs.len() {
            let arguments: Vec<String> = inputs
                .iter()
                .map(|i| if let Input::Argument(name) = i { name.clone() } else { String::new() })
                .collect();
            self.functions.with_arguments(&name, &arguments);
        }
        let name = self.functions.without_twin(name);
        self.functions.bodies.push((body.clone(), name.clone()));
        Ok(name)
    }
}

impl Functions {
    /// Takes the last function away where another one has its text: bodies that differ in shapes alone are one.
    fn without_twin(&mut self, name: String) -> String {
        let rest = |name: &str, text: &str| text.strip_prefix(&format!("def {name}(")).map(str::to_owned);
        let own = self.all.iter().find(|(n, _)| *n == name).and_then(|(n, text)| rest(n, text));
        let twin = self.all.iter().find(|(n, text)| *n != name && rest(n, text) == own).map(|(n, _)| n.clone());
        match twin {
            None => name,
            Some(twin) => {
                self.all.retain(|(n, _)| *n != name);
                twin
            }
        }
    }

    /// Gives a function that is there these arguments.
    fn with_arguments(&mut self, name: &str, arguments: &[String]) {
        let found = self.all.iter_mut().find(|(n, _)| n == name);
        let (_, text) = found.expect("it was defined");
        let (_, rest) = text.split_once(":\n").expect("a definition has a body");
        *text = format!("def {name}({}):\n{rest}", arguments.join(", "));
    }
}

/// What a node without a label is called.
fn base(graph: &Graph, id: NodeId) -> String {
    let name = graph.op(id).name();
    match name.as_str() {
        "+" => "sum".to_owned(),
        "-" => "difference".to_owned(),
        ".*" | "matmul" => "product".to_owned(),
        "./" => "quotient".to_owned(),
        "if" => "choice".to_owned(),
        "neg" => "minus".to_owned(),
        "<" | "<=" | "==" | "!=" | "and" | "or" | "not" => "where".to_owned(),
        "sum" => "total".to_owned(),
        "max" => "largest".to_owned(),
        other => {
            let word: String = other.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if word.is_empty() { "value".to_owned() } else { word }
        }
    }
}
