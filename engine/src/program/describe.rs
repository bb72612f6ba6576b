//! The lines of a plan, from the schedule and the buffers of a program.

use std::collections::HashMap;

use super::plan::{Carried, Line, Plan};
use super::section::Section;
use crate::elementwise::{self, Elementwise};
use crate::graph::{ConvPart, Function, NodeId, Op, Reduction};
use crate::program::place::Placement;
use crate::program::schedule::Schedule;
use crate::program::schedule::item::{Call, CarriedValue, Fused, Group, Item, Maker, What};
use crate::program::schedule::view::{Root, ValueId, View, count};

/// Describes a program; `bodies` are the plans of the bodies of its Maps, `size` the bytes of a number.
pub(super) fn describe(f: &Function, s: &Schedule, p: &Placement, bodies: &[&Plan], size: usize) -> Plan {
    let mut names: Vec<String> = vec![String::new(); s.values.len()];
    let mut remarks: HashMap<ValueId, String> = HashMap::new();
    let mut used: HashMap<String, usize> = HashMap::new();
    // A reshaped array is the same values under the name it was given.
    let mut reshaped: HashMap<NodeId, &str> = HashMap::new();
    let g = f.graph();
    for id in g.ids().filter(|id| *g.op(*id) == Op::Reshape) {
        if let Some(label) = g.label_of(id) {
            reshaped.entry(g.args(id)[0]).or_insert(label);
        }
    }
    let (mut stored, mut inner) = (0, 0);
    // The fill comes last, so that the body has the plain names, and leaves what is carried under the name it has there.
    let fills = |v: &ValueId| matches!(s.values[*v].maker, Maker::Item(Section::Fill, _));
    let filled = |v: ValueId| s.carried.iter().find(|c| c.filled == v);
    let (last, first): (Vec<ValueId>, Vec<ValueId>) = (0..s.values.len()).partition(fills);
    for at in first.into_iter().chain(last) {
        if let Some(c) = filled(at) {
            names[at] = names[c.current].clone();
            continue;
        }
        let v = &s.values[at];
        let label = f
            .input_position(v.node)
            .map(|i| f.inputs[i].name.as_str())
            .or(g.label_of(v.node))
            .or(reshaped.get(&v.node).copied());
        let name = label.map_or_else(
            || {
                let (letter, n) = if v.stored { ("v", &mut stored) } else { ("t", &mut inner) };
                *n += 1;
                format!("{letter}{n}")
            },
            str::to_string,
        );
        // `x+ = Proj_X` names the value and says what its formula is.
        let name = match name.split_once(" = ") {
            Some((short, remark)) => {
                remarks.insert(at, remark.to_string());
                short.to_string()
            }
            None => name,
        };
        // Several values may stand for one labelled node: its copies and outputs.
        let times = used.entry(name.clone()).and_modify(|n| *n += 1).or_insert(1);
        names[at] = if *times == 1 { name } else { format!("{name}.{times}") };
    }
    let d = Describer { s, p, bodies, names, remarks, size: size as u128 };
    let lines = s.items().map(|(item, section)| d.item(item, section)).collect();
    let carry = |c: &CarriedValue| Carried {
        name: d.names[c.current].clone(),
        from: d.names[c.next].clone(),
        shape: s.values[c.current].shape.clone(),
    };
    let carried = s.carried.iter().map(carry).collect();
    let bytes = |lengths: &[usize]| lengths.iter().map(|n| *n as u128).sum::<u128>() * d.size;
    let (memory, lent) = (bytes(&p.buffers), bytes(&p.lent));
    Plan { name: f.name.clone(), lines, carried, memory, lent, buffers: p.buffers.len() }
}

struct Describer<'a> {
    s: &'a Schedule,
    p: &'a Placement,
    /// What the bodies of Maps do.
    bodies: &'a [&'a Plan],
    names: Vec<String>,
    remarks: HashMap<ValueId, String>,
    size: u128,
}

/// The places that a view reads, as the language counts them: `2..5`, `1..9 by 2`, `3, 1..4`; `from 7` where they are no
/// rectangle.
fn places(view: &View, shape: &[usize]) -> String {
    let axes: Vec<(usize, usize)> = view.collapse().into_iter().filter(|a| a.1 > 0).collect();
    let range = |first: usize, length: usize, step: usize| match (length, step) {
        (1, _) => format!("{}", first + 1),
        (n, 1) => format!("{}..{}", first + 1, first + n),
        (n, step) => format!("{}..{} by {step}", first + 1, first + 1 + (n - 1) * step),
    };
    match (shape, &axes[..]) {
        ([_], []) => range(view.offset, 1, 1),
        ([_], [(n, step)]) => range(view.offset, *n, *step),
        ([_, columns], axes) if *columns > 0 => {
            let (row, column) = (view.offset / columns, view.offset % columns);
            let is_row = |a: &&(usize, usize)| a.1.is_multiple_of(*columns);
            let rows: Vec<(usize, usize)> = axes.iter().filter(is_row).copied().collect();
            let cells: Vec<(usize, usize)> = axes.iter().filter(|a| !is_row(a)).copied().collect();
            let of = |axes: &[(usize, usize)], first, unit| match axes {
                [] => Some(range(first, 1, 1)),
                [(n, step)] => Some(range(first, *n, step / unit)),
                _ => None,
            };
            let within = cells.first().is_none_or(|(n, step)| column + (n - 1) * step < *columns);
            match (of(&rows, row, *columns), of(&cells, column, 1)) {
                (Some(rows), Some(cells)) if within => format!("{rows}, {cells}"),
                _ => format!("from {}", view.offset + 1),
            }
        }
        _ => format!("from {}", view.offset + 1),
    }
}

/// Binding of a formula: sum, product, sign, atom.
type Formula = (String, u8);

impl Describer<'_> {
    fn item(&self, item: &Item, section: Section) -> Line {
        let outs: Vec<ValueId> = item.writes().into_iter().filter(|v| self.s.values[*v].stored).collect();
        let mut reads: Vec<ValueId> = item
            .reads()
            .filter_map(|v| match v.source {
                Root::Value(v) if self.s.values[v].stored && !outs.contains(&v) => Some(v),
                _ => None,
            })
            .collect();
        reads.sort_unstable();
        reads.dedup();
        let elements = reads.iter().chain(&outs).map(|v| count(&self.s.values[*v].shape) as u128).sum::<u128>();
        let (results, shape, flops) = match item {
            Item::Group(g) => self.group(g),
            Item::Call(c) => {
                let name = outs.iter().map(|v| self.names[*v].as_str()).collect::<Vec<_>>().join(", ");
                (vec![(name, self.call(c))], self.s.values[c.outs[0]].shape.clone(), self.call_flops(c))
            }
        };
        Line {
            section,
            results,
            shape,
            flops,
            buffers: outs.iter().filter_map(|v| self.p.of[*v]).collect(),
            bytes: elements * self.size,
        }
    }

    fn group(&self, g: &Group) -> (Vec<(String, String)>, Vec<usize>, u128) {
        let mut uses: HashMap<ValueId, usize> = HashMap::new();
        for view in g.ops.iter().flat_map(Fused::reads) {
            if let Root::Value(v) = view.source {
                *uses.entry(v).or_insert(0) += 1;
            }
        }
        let mut inline: HashMap<ValueId, Formula> = HashMap::new();
        let mut results = Vec::new();
        for op in &g.ops {
            let formula = match op {
                Fused::Apply { f, args, .. } => apply(*f, args.iter().map(|a| self.operand(a, &inline)).collect()),
                Fused::Copy { arg, .. } => self.operand(arg, &inline),
                Fused::Sum { arg, length, .. } if *length == g.n => {
                    (format!("sum({})", self.operand(arg, &inline).0), 4)
                }
                Fused::Sum { arg, length, .. } => (format!("sum({} by {length})", self.operand(arg, &inline).0), 4),
            };
            let out = op.out();
            match (self.s.values[out].stored, uses.get(&out)) {
                (true, _) => {
                    let formula = match self.remarks.get(&out) {
                        Some(remark) => format!("{remark}: {}", formula.0),
                        None => formula.0,
                    };
                    results.push((self.names[out].clone(), formula));
                }
                (false, Some(1)) => {
                    inline.insert(out, formula);
                }
                (false, _) => results.push((self.names[out].clone(), formula.0)),
            }
        }
        let shape = g.ops.iter().map(|op| &self.s.values[op.out()].shape).find(|s| count(s) == g.n);
        let flops = g.ops.iter().filter(|op| !matches!(op, Fused::Copy { .. })).count() as u128 * g.n as u128;
        (results, shape.cloned().unwrap_or_else(|| vec![g.n]), flops)
    }

    fn operand(&self, view: &View, inline: &HashMap<ValueId, Formula>) -> Formula {
        if let Root::Value(v) = view.source
            && let Some(formula) = inline.get(&v)
        {
            return formula.clone();
        }
        (self.view(view), 4)
    }

    fn view(&self, view: &View) -> String {
        let v = match view.source {
            Root::Const(bits) => return format!("{}", f64::from_bits(bits)),
            Root::Iota => return "iota".into(),
            Root::Value(v) => v,
        };
        let name = &self.names[v];
        let mut strides = view.collapse().into_iter().map(|a| a.1).filter(|s| *s > 0);
        let mut last = usize::MAX;
        let ordered = strides.all(|s| std::mem::replace(&mut last, s) >= s);
        let distinct: usize = view.axes.iter().filter(|a| a.1 > 0).map(|a| a.0).product();
        let all = distinct == count(&self.s.values[v].shape);
        match (ordered, all) {
            (true, true) => name.clone(),
            (false, true) => format!("{name}'"),
            (true, false) => format!("{name}[{}]", places(view, &self.s.values[v].shape)),
            (false, false) => format!("{name}[{}]'", places(view, &self.s.values[v].shape)),
        }
    }

    fn call(&self, c: &Call) -> String {
        let args: Vec<String> = c.args.iter().map(|a| self.view(a)).collect();
        let input = |position: &usize| format!("index {position}");
        match &c.what {
            What::MatMul => format!("{} * {}", args[0], args[1]),
            What::SumMiddle { outer: 1, length, .. } => format!("sum(rows of {}, {length})", args[0]),
            What::SumMiddle { length, .. } => format!("sum(middle of {}, {length})", args[0]),
            What::Rows { how, length } => format!("{}({} by {length})", reduction(*how), args[0]),
            What::Gather { index, .. } => format!("gather({}, {})", args[0], input(index)),
            What::Scatter { index, .. } => format!("scatter({}, {})", args[0], input(index)),
            What::Place { zero: true, .. } => format!("pad({})", args[0]),
            What::Place { .. } => format!("concat({})", args.join(", ")),
            What::Conv { part: ConvPart::Output, .. } => format!("conv({}, {})", args[0], args[1]),
            What::Conv { part: ConvPart::Image, .. } => format!("conv transposed({}, {})", args[0], args[1]),
            What::Conv { part: ConvPart::Kernel, .. } => format!("conv correlated({}, {})", args[0], args[1]),
            What::Pick(_) if c.args[0] == c.args[1] => format!("maxpool({})", args[0]),
            What::Pick(_) => format!("pick(at the largest of {}, {})", args[0], args[1]),
            What::Put(_) => format!("put(at the largest of {}, {})", args[0], args[1]),
            What::Prox(kernel) => format!("{}({})", kernel.entry().name, args.join(", ")),
            What::Map { body, lead, .. } => format!("map {} x {lead}({})", self.bodies[*body].name, args.join(", ")),
        }
    }

    fn call_flops(&self, c: &Call) -> u128 {
        let out = count(&self.s.values[c.outs[0]].shape) as u128;
        let read = c.args.iter().map(|a| a.count() as u128).sum::<u128>();
        match &c.what {
            What::MatMul => 2 * out * c.args[0].axes[1].0 as u128,
            What::SumMiddle { .. } | What::Rows { .. } | What::Scatter { .. } => read,
            What::Gather { .. } | What::Place { .. } => 0,
            What::Conv { geometry, .. } => 2 * geometry.products() as u128,
            What::Pick(_) | What::Put(_) => c.args[0].count() as u128,
            What::Prox(kernel) => (kernel.entry().flops)(&c.args.iter().map(View::count).collect::<Vec<_>>()),
            What::Map { body, lead, .. } => {
                self.bodies[*body].flops(Section::Prologue) + self.bodies[*body].flops(Section::Body) * *lead as u128
            }
        }
    }
}

fn reduction(how: Reduction) -> &'static str {
    match how {
        Reduction::Sum => "sum",
        Reduction::Max => "max",
        Reduction::LogSumExp => "logsumexp",
        Reduction::Norm2 => "norm2",
    }
}

fn apply(f: Elementwise, args: Vec<Formula>) -> Formula {
    let bracket = |a: &Formula, least: u8| if a.1 < least { format!("({})", a.0) } else { a.0.clone() };
    let infix = |symbol: &str, level: u8| {
        (format!("{} {symbol} {}", bracket(&args[0], level), bracket(&args[1], level + 1)), level)
    };
    match f {
        elementwise::ADD => infix("+", 1),
        elementwise::SUB => infix("-", 1),
        elementwise::MUL => infix("*", 2),
        elementwise::DIV => infix("/", 2),
        elementwise::NEG => (format!("-{}", bracket(&args[0], 3)), 3),
        _ => {
            let args: Vec<&str> = args.iter().map(|a| a.0.as_str()).collect();
            (format!("{}({})", f.entry().name, args.join(", ")), 4)
        }
    }
}
