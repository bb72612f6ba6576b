//! What both languages share of a file: names of inputs, parts that get a name because they occur more than once or hold a
//! sum, and statements in lines that fit.

use std::collections::HashMap;

use blo_engine::graph::{NodeId, Op};
use blo_engine::model::Bound;

use super::Language;
use super::entry::{Code, Named, Refused, Writer};
use super::index::Index;
use super::model::Model;
use super::names::Names;

/// Columns of a line, where it can be broken.
const LINE: usize = 100;

/// An input or a part by its name, with its lengths.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub(super) node: NodeId,
    pub(super) name: String,
    pub(super) lengths: Vec<usize>,
}

/// The names of a file.
pub(super) struct Sheet<'a> {
    pub(super) language: Language,
    pub(super) model: &'a Model<'a>,
    pub(super) names: Names,
    /// Per input, those that are not read have no name.
    inputs: HashMap<usize, Array>,
    /// Parts, operands first; true for those that hold variables.
    pub(super) parts: Vec<(Array, bool)>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(language: Language, model: &'a Model<'a>) -> Sheet<'a> {
        let mut sheet = Sheet { language, model, names: Names::default(), inputs: HashMap::new(), parts: Vec::new() };
        let f = &model.function;
        let variables = model.start.len();
        for (position, formal) in f.inputs.iter().enumerate() {
            if position < variables || f.depends_on(position) {
                let name = sheet.names.take(&formal.name);
                let lengths = sheet.lengths(f.input(position));
                sheet.inputs.insert(position, Array { node: f.input(position), name, lengths });
            }
        }
        sheet.share();
        sheet
    }

    fn lengths(&self, node: NodeId) -> Vec<usize> {
        let shape = self.model.function.graph().shape(node);
        shape.sizes(&self.model.data.sizes).unwrap_or_else(|_| unreachable!("data are bound, so all sizes are known"))
    }

    /// An input.
    pub(super) fn input(&self, position: usize) -> &Array {
        &self.inputs[&position]
    }

    /// The data that are read, with their numbers.
    pub(super) fn data(&self) -> impl Iterator<Item = (&Array, Vec<f64>)> {
        let problem = self.model.problem;
        let items = problem.data.iter().filter_map(|item| {
            let array = self.inputs.get(&item.formal)?;
            let values = match self.model.data.values.get(item.formal - self.model.start.len())? {
                Bound::Real(numbers) => numbers.values().collect(),
                Bound::Index(positions) => positions.iter().map(|p| *p as f64).collect(),
            };
            Some((array, values))
        });
        items.collect::<Vec<_>>().into_iter()
    }

    /// Numbers that the file will hold.
    pub(super) fn numbers(&self) -> usize {
        let entries = |a: &Array| a.lengths.iter().product::<usize>();
        self.inputs.values().map(entries).sum()
    }

    /// True for inputs whose values are sought.
    fn is_sought(&self, position: usize) -> bool {
        position < self.model.start.len() || position >= self.model.problem.formals.len()
    }

    /// Names parts: what holds a sum within something that repeats it, and what is long and occurs twice.
    fn share(&mut self) {
        let f = &self.model.function;
        let g = f.graph();
        let reached = g.reachable(f.outputs());
        let count = reached.len();
        let (mut uses, mut cost, mut sought) = (vec![0_usize; count], vec![1_usize; count], vec![false; count]);
        let mut repeated = vec![false; count];
        let place = |id: NodeId| id.0 as usize;
        for id in g.ids().filter(|id| reached[place(*id)]) {
            sought[place(id)] = f.input_position(id).is_some_and(|p| self.is_sought(p));
            for a in g.args(id) {
                uses[place(*a)] += 1;
                sought[place(id)] |= sought[place(*a)];
                cost[place(id)] += cost[place(*a)];
                cost[place(id)] = cost[place(id)].min(1000);
                // an entry of this node asks for the operand more than once, or for all of its entries
                let again = matches!(g.op(id), Op::Broadcast(_) | Op::MatMul | Op::Reduce(..) | Op::Map { .. });
                repeated[place(*a)] |= again || repeated_by(g.op(id));
            }
        }
        for id in g.ids().filter(|id| reached[place(*id)]) {
            let i = place(id);
            let sums = matches!(g.op(id), Op::MatMul | Op::Reduce(..) | Op::Map { .. } | Op::Scatter(_));
            let plain = matches!(
                g.op(id),
                Op::Input(_)
                    | Op::Const(_)
                    | Op::Size(_)
                    | Op::Iota
                    | Op::Broadcast(_)
                    | Op::Transpose(_)
                    | Op::Reshape
                    | Op::Slice { .. }
            );
            let lengths = self.lengths(id);
            let fits = lengths.len() <= 2 && !(self.language == Language::Gams && sought[i]);
            let worth = (sums && (repeated[i] || !lengths.is_empty())) || (uses[i] > 1 && cost[i] > 3);
            if fits && worth && !plain && !(f.outputs().contains(&id) && uses[i] == 0) {
                let name = self.names.take(g.label_of(id).unwrap_or("t"));
                self.parts.push((Array { node: id, name, lengths }, sought[i]));
            }
        }
    }
}

/// Operations whose expression holds an operand twice.
fn repeated_by(op: &Op) -> bool {
    let Op::Elementwise(e) = op else { return false };
    matches!(e.entry().name, "gelu" | "huber" | "silu" | "safe_div" | "sign" | "if")
}

/// A file as it is written.
pub(super) struct Page<'s, 'a> {
    pub(super) writer: Writer<'a>,
    pub(super) lines: Vec<String>,
    pub(super) sheet: &'s Sheet<'a>,
}

impl<'s, 'a> Page<'s, 'a> {
    /// A page on which inputs have their names; parts get theirs as they are defined. `names` holds those of the sheet.
    pub(super) fn new(sheet: &'s Sheet<'a>, names: Names) -> Page<'s, 'a> {
        let model = sheet.model;
        let mut writer = Writer::new(sheet.language, &model.function, &model.data.sizes, names);
        for array in sheet.inputs.values() {
            writer.named.insert(array.node, Named { name: array.name.clone(), rank: array.lengths.len() });
        }
        Page { writer, lines: Vec::new(), sheet }
    }

    /// A line.
    pub(super) fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    /// A statement, broken where it is long.
    pub(super) fn statement(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.trim().is_empty() && line.len() + word.len() > LINE {
                self.lines.push(std::mem::take(&mut line));
                line.push_str("   ");
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.lines.push(line);
    }

    /// Indices for the axes of an array; release as many after use.
    pub(super) fn indices(&mut self, lengths: &[usize]) -> Vec<String> {
        lengths.iter().map(|_| self.writer.index()).collect()
    }

    /// The entry of an output or a part at indices.
    pub(super) fn entry(&mut self, node: NodeId, at: &[String]) -> Result<Code, Refused> {
        let at: Vec<Index> = at.iter().map(|name| Index::named(name)).collect();
        self.writer.entry(node, &at)
    }

    /// An output's lengths.
    pub(super) fn lengths(&self, output: usize) -> Vec<usize> {
        let f = &self.sheet.model.function;
        self.writer.lengths(f.output_shape(output))
    }

    /// The text.
    pub(super) fn text(self) -> String {
        self.lines.join("\n") + "\n"
    }
}
