//! `blo graph`: the expression graph of one function, for Graphviz or as data. Nodes are numbered in the order of
//! computation; what the function does not need is left out.

use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Problem;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::fmt::Write;

use super::derivative;
use super::help::Help;
use crate::args::{ModelArguments, RunArguments};
use crate::exit::{Exit, Failure};
use crate::input::model::load;
use crate::output::console::Console;
use blo::output::SCHEMA;

const HELP: Help = Help {
    examples: &[
        ("blo graph P.blo | dot -Tsvg > f.svg", "the lower objective as a picture"),
        ("blo graph P.blo --function F_x --format json", "a gradient as data"),
    ],
    exits: &[],
};

/// Prints the expression graph of an objective or a derivative
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    run: RunArguments,
    /// F, f, g, a gradient F_x, F_y, f_x, f_y, g_x, or the name of a row
    #[arg(long, default_value = "f", value_name = "FUNCTION")]
    function: String,
    /// How the graph is written
    #[arg(long, value_enum, default_value_t)]
    format: GraphFormat,
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// For Graphviz: `blo graph P.blo | dot -Tsvg > graph.svg`
    #[default]
    Dot,
    /// One JSON object
    Json,
}

/// Prints the graph; the number of operations is said beside it.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let model = load(&arguments.model, console)?;
    // the functions are those of the problem, whatever the run: its options are judged, so that a typo shows here too
    blo_solvers::resolve(&model.problem, &arguments.run.request())
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let function = derivative::named(&model.problem, &arguments.function)?;
    let nodes = needed(&function);
    let inputs = nodes.iter().filter(|id| function.input_position(**id).is_some()).count();
    let text = match arguments.format {
        GraphFormat::Dot => dot(&model.problem, &function, &nodes),
        GraphFormat::Json => format!("{:#}\n", object(&function, &nodes, &model.document.text)),
    };
    console.result(&text)?;
    console.say(&format!("{}: {} nodes, {inputs} of them inputs", arguments.function, nodes.len()));
    Ok(Exit::Done)
}

/// The nodes that the outputs need, operands first.
fn needed(function: &Function) -> Vec<NodeId> {
    let used = function.graph().reachable(function.outputs());
    function.graph().ids().filter(|id| used[id.0 as usize]).collect()
}

/// What a node is called: an input by its name, another by its operation.
fn title(function: &Function, id: NodeId) -> String {
    match function.input_position(id) {
        Some(position) => function.inputs[position].name.clone(),
        None => function.graph().op(id).name(),
    }
}

/// Where an input comes from: the upper level, the lower level, data.
fn color(problem: &Problem, input: usize) -> &'static str {
    match () {
        () if problem.upper_inputs().contains(&input) => "#f4c99b",
        () if problem.lower_inputs().contains(&input) => "#a9cdec",
        () => "#dddddd",
    }
}

/// Upper variables are orange, lower ones blue, data grey, constants dotted; the output has two frames.
fn dot(problem: &Problem, function: &Function, nodes: &[NodeId]) -> String {
    let graph = function.graph();
    let mut text = format!("digraph {} {{\n  rankdir=BT\n  node [shape=box, fontsize=11]\n", quoted(&function.name));
    for id in nodes {
        let mut label = title(function, *id);
        if let Some(name) = graph.label_of(*id).filter(|n| *n != label) {
            label = format!("{name} = {label}");
        }
        if !graph.shape(*id).is_scalar() {
            let _ = write!(label, "\n{}", graph.shape(*id));
        }
        let style = match function.input_position(*id) {
            Some(input) => format!(", style=\"rounded,filled\", fillcolor=\"{}\"", color(problem, input)),
            None if function.outputs().contains(id) => ", peripheries=2".to_owned(),
            None if graph.args(*id).is_empty() => ", style=dotted".to_owned(),
            None => String::new(),
        };
        let _ = writeln!(text, "  n{} [label={}{style}]", id.0, quoted(&label));
    }
    for id in nodes {
        for (i, a) in graph.args(*id).iter().enumerate() {
            // the order of operands matters, and layouts do not keep it
            let place = if graph.args(*id).len() > 1 {
                format!(" [taillabel=\"{}\", fontsize=8]", i + 1)
            } else {
                String::new()
            };
            let _ = writeln!(text, "  n{} -> n{}{place}", a.0, id.0);
        }
    }
    text + "}\n"
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn object(function: &Function, nodes: &[NodeId], source: &str) -> Value {
    let graph = function.graph();
    let shape = |id: NodeId| -> Vec<String> { graph.shape(id).0.iter().map(ToString::to_string).collect() };
    let node = |id: &NodeId| {
        let span = graph.span_of(*id);
        let text = source.get(span.range()).filter(|t| !t.is_empty());
        json!({
            "id": id.0,
            "operation": title(function, *id),
            "input": function.input_position(*id),
            "operands": graph.args(*id).iter().map(|a| a.0).collect::<Vec<_>>(),
            "shape": shape(*id),
            "label": graph.label_of(*id),
            "source": text.map(|t| json!({"start": span.start, "end": span.end, "text": t})),
        })
    };
    json!({
        "schema": SCHEMA,
        "function": function.name,
        "inputs": function.inputs.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
        "outputs": function.outputs().iter().map(|id| id.0).collect::<Vec<_>>(),
    })
}
