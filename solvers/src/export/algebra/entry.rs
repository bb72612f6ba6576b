//! Entries of arrays as expressions in indices: nothing is expanded, a sum stays a sum. One match over the closed enum of
//! operations, so that a new one does not compile without its rule.

use std::collections::HashMap;
use std::rc::Rc;

use blo_engine::graph::{Function, Graph, NodeId, Op, Reduction};
use blo_engine::shape::{Dim, Shape, Sizes};
use blo_grammar::span::Span;

use super::Language;
use super::index::Index;
use super::names::Names;
use super::tables::{Rule, rule};

/// How tightly an expression holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Sum,
    Product,
    Power,
    Atom,
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) text: String,
    pub(super) level: Level,
}

impl Code {
    fn new(text: impl Into<String>, level: Level) -> Code {
        Code { text: text.into(), level }
    }

    /// An expression that needs no parentheses.
    pub(super) fn atom(text: impl Into<String>) -> Code {
        Code::new(text, Level::Atom)
    }

    /// A number.
    pub(super) fn number(value: f64) -> Code {
        let text = number(value);
        if text.starts_with('-') { Code::atom(format!("({text})")) } else { Code::atom(text) }
    }

    /// In parentheses unless it holds together at least so tightly.
    pub(super) fn within(&self, level: Level) -> String {
        if self.level >= level { self.text.clone() } else { format!("({})", self.text) }
    }
}

/// A number that reads back as the same.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value}") } else { format!("{value:?}") }
}

/// Why an operation cannot be written.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) span: Span,
}

/// A body that runs along an axis: what its inputs are outside, and the place along the axis.
struct Frame<'a> {
    function: &'a Function,
    outside: Vec<(NodeId, bool)>,
    place: Index,
    parent: Option<Rc<Frame<'a>>>,
}

/// An array that has a name: an input, or a shared part.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) rank: usize,
}

/// Writes entries.
pub(super) struct Writer<'a> {
    pub(super) language: Language,
    pub(super) function: &'a Function,
    pub(super) sizes: &'a Sizes,
    pub(super) names: Names,
    /// Nodes with names.
    pub(super) named: HashMap<NodeId, Named>,
    /// Indices that may be used, each at one place at a time.
    indices: Vec<String>,
    used: usize,
    /// Entries that may yet be written.
    left: usize,
}

type Scope<'f, 'a> = Option<&'f Rc<Frame<'a>>>;

/// Entries that a file may have: text grows where parts are not shared.
const MOST: usize = 400_000;

impl<'a> Writer<'a> {
    pub(super) fn new(language: Language, function: &'a Function, sizes: &'a Sizes, names: Names) -> Writer<'a> {
        Writer { language, function, sizes, names, named: HashMap::new(), indices: Vec::new(), used: 0, left: MOST }
    }

    /// Indices so far.
    pub(super) fn indices(&self) -> &[String] {
        &self.indices
    }

    /// An index that nothing around uses.
    pub(super) fn index(&mut self) -> String {
        if self.used == self.indices.len() {
            let name = self.names.take(&format!("i{}", self.used + 1));
            self.indices.push(name);
        }
        self.used += 1;
        self.indices[self.used - 1].clone()
    }

    /// The last indices may be used again.
    pub(super) fn release(&mut self, count: usize) {
        self.used -= count;
    }

    /// Lengths of a shape.
    pub(super) fn lengths(&self, shape: &Shape) -> Vec<usize> {
        shape.sizes(self.sizes).unwrap_or_else(|_| unreachable!("data are bound, so all sizes are known"))
    }

    /// An entry of a node.
    ///
    /// # Errors
    /// When the language lacks an operation.
    pub(super) fn entry(&mut self, node: NodeId, at: &[Index]) -> Result<Code, Refused> {
        self.write(None, node, at)
    }

    fn graph<'f>(&self, scope: Scope<'f, 'a>) -> &'a Graph
    where
        'a: 'f,
    {
        scope.map_or(self.function.graph(), |frame| frame.function.graph())
    }

    fn refused(&self, scope: Scope<'_, 'a>, node: NodeId, what: &str, why: &str) -> Refused {
        Refused { what: what.to_owned(), why: why.to_owned(), span: self.graph(scope).span_of(node) }
    }

    fn write(&mut self, scope: Scope<'_, 'a>, node: NodeId, at: &[Index]) -> Result<Code, Refused> {
        if self.left == 0 {
            let why = "the same parts occur too often: export to jax, which shares them";
            return Err(self.refused(scope, node, "a problem whose formulas", why));
        }
        self.left -= 1;
        let named = self.named.get(&node).filter(|_| scope.is_none()).cloned();
        if let Some(Named { name, rank }) = named {
            debug_assert_eq!(rank, at.len(), "{name}");
            return Ok(self.subscripted(&name, at));
        }
        let graph = self.graph(scope);
        let args = graph.args(node);
        match graph.op(node) {
            Op::Input(position) => {
                let Some(frame) = scope else { unreachable!("all inputs have names") };
                let (outside, mapped) = frame.outside[*position as usize];
                let mut place: Vec<Index> = if mapped { vec![frame.place.clone()] } else { Vec::new() };
                place.extend(at.iter().cloned());
                let parent = frame.parent.clone();
                self.write(parent.as_ref(), outside, &place)
            }
            Op::Const(bits) => Ok(Code::number(f64::from_bits(*bits))),
            Op::Size(dim) => Ok(Code::number(self.value(dim))),
            Op::Iota => {
                let place = at[0].sliced(0, 1);
                Ok(Code::new(self.place(&place), Level::Sum))
            }
            Op::Elementwise(e) => self.elementwise(scope, node, e.entry().name, at),
            Op::MatMul => {
                let length = self.length(graph.shape(args[0]), 1);
                let k = self.index();
                let inner = Index::named(&k);
                let left = self.write(scope, args[0], &[at[0].clone(), inner.clone()])?;
                let right = self.write(scope, args[1], &[inner, at[1].clone()])?;
                self.release(1);
                let product = format!("{}*{}", left.within(Level::Product), right.within(Level::Power));
                Ok(self.summed(&[(k, length)], &Code::new(product, Level::Product), None))
            }
            Op::Transpose(perm) => {
                let mut inner = vec![Index::at(1); at.len()];
                for (axis, from) in perm.iter().enumerate() {
                    inner[usize::from(*from)] = at[axis].clone();
                }
                self.write(scope, args[0], &inner)
            }
            Op::Reduce(how, mask) => self.reduced(scope, node, *how, *mask, at),
            Op::Broadcast(mask) => {
                let kept: Vec<Index> =
                    at.iter().enumerate().filter(|(axis, _)| mask >> axis & 1 == 1).map(|(_, i)| i.clone()).collect();
                self.write(scope, args[0], &kept)
            }
            Op::Reshape | Op::Slice { .. } | Op::Pad { .. } | Op::Concat(_) | Op::Gather(_) | Op::Scatter(_) => {
                self.moved(scope, node, at)
            }
            Op::Map { body, mapped, output } => {
                let outside = args.iter().copied().zip(mapped.iter().copied()).collect();
                let frame = Frame { function: body, outside, place: at[0].clone(), parent: scope.cloned() };
                self.write(Some(&Rc::new(frame)), body.outputs()[*output as usize], &at[1..])
            }
            Op::Prox(kernel) => {
                let what = format!("`{}`", kernel.entry().name);
                Err(self.refused(
                    scope,
                    node,
                    &what,
                    "it has no formula: export to jax, or run the file with `blo solve`",
                ))
            }
            Op::Conv { .. } | Op::Pick(_) | Op::Put(_) => {
                let why = "images need another tool: export to jax, or run the file with `blo solve`";
                Err(self.refused(scope, node, "an operation on images", why))
            }
        }
    }

    /// Operations that put entries in other places.
    fn moved(&mut self, scope: Scope<'_, 'a>, node: NodeId, at: &[Index]) -> Result<Code, Refused> {
        let graph = self.graph(scope);
        let args = graph.args(node);
        match graph.op(node) {
            Op::Reshape => {
                let inner = self.reshaped(scope, node, at)?;
                self.write(scope, args[0], &inner)
            }
            Op::Slice { axis, start, step } => {
                let mut inner = at.to_vec();
                let axis = usize::from(*axis);
                inner[axis] = at[axis].sliced(self.first(start) + 1, i64::from(*step));
                self.write(scope, args[0], &inner)
            }
            Op::Pad { axis, start, step } => {
                let (axis, first) = (usize::from(*axis), self.first(start) + 1);
                self.placed(scope, args[0], axis, at, &|k| k.sliced(first, i64::from(*step)))
            }
            Op::Concat(axis) => self.joined(scope, node, usize::from(*axis), at),
            Op::Gather(axis) => {
                let axis = usize::from(*axis);
                let found = self.write(scope, args[1], &[at[axis].clone()])?;
                let mut inner = at.to_vec();
                inner[axis] = Index { terms: vec![(1, found.within(Level::Atom))], constant: 1 };
                self.write(scope, args[0], &inner)
            }
            Op::Scatter(axis) => {
                let axis = usize::from(*axis);
                let k = self.index();
                let found = self.write(scope, args[1], &[Index::named(&k)])?;
                self.release(1);
                let place = Index { terms: vec![(1, found.within(Level::Atom))], constant: 1 };
                self.placed(scope, args[0], axis, at, &|_| place.clone())
            }
            other => unreachable!("{} moves no entries", other.name()),
        }
    }

    fn value(&self, dim: &Dim) -> f64 {
        dim.value(self.sizes).map_or(f64::NAN, |v| *v.numer() as f64 / *v.denom() as f64)
    }

    fn first(&self, start: &Dim) -> i64 {
        self.value(start) as i64
    }

    fn length(&self, shape: &Shape, axis: usize) -> usize {
        self.lengths(shape)[axis]
    }

    fn elementwise(&mut self, scope: Scope<'_, 'a>, node: NodeId, name: &str, at: &[Index]) -> Result<Code, Refused> {
        let graph = self.graph(scope);
        let operands = graph.args(node).iter().map(|a| self.write(scope, *a, at)).collect::<Result<Vec<Code>, _>>()?;
        let infix = |sign: &str, own: Level, right: Level| {
            Code::new(format!("{}{sign}{}", operands[0].within(own), operands[1].within(right)), own)
        };
        Ok(match name {
            "+" => infix(" + ", Level::Sum, Level::Product),
            "-" => infix(" - ", Level::Sum, Level::Product),
            ".*" => infix("*", Level::Product, Level::Power),
            "./" => infix("/", Level::Product, Level::Power),
            "neg" => Code::atom(format!("(-{})", operands[0].within(Level::Power))),
            "pow" if self.language == Language::Gams => match operands[1].text.parse::<i32>() {
                Ok(whole) => Code::atom(format!("power({}, {whole})", operands[0].text)),
                Err(_) => filled("{0}**{1}", &operands),
            },
            _ => match (rule(name), self.language) {
                (Rule::Of(form, _), Language::Ampl) | (Rule::Of(_, form) | Rule::GamsOnly(_, form), Language::Gams) => {
                    filled(form, &operands)
                }
                (Rule::Both(form), _) => filled(form, &operands),
                (Rule::GamsOnly(why, _), Language::Ampl) | (Rule::Neither(why), _) => {
                    return Err(self.refused(scope, node, &format!("`{name}`"), why));
                }
            },
        })
    }

    fn reduced(
        &mut self,
        scope: Scope<'_, 'a>,
        node: NodeId,
        how: Reduction,
        mask: u8,
        at: &[Index],
    ) -> Result<Code, Refused> {
        let graph = self.graph(scope);
        let operand = graph.args(node)[0];
        let lengths = self.lengths(graph.shape(operand));
        let (mut inner, mut over) = (Vec::new(), Vec::new());
        let mut kept = at.iter();
        for (axis, length) in lengths.iter().enumerate() {
            if mask >> axis & 1 == 1 {
                let k = self.index();
                inner.push(Index::named(&k));
                over.push((k, *length));
            } else {
                inner.push(kept.next().cloned().unwrap_or_else(|| unreachable!("an index per axis")));
            }
        }
        let body = self.write(scope, operand, &inner)?;
        self.release(over.len());
        let of = |form: &str| Code::atom(format!("{form}({})", body.text));
        Ok(match how {
            Reduction::Sum => self.summed(&over, &body, None),
            Reduction::LogSumExp => Code::atom(format!("log({})", self.summed(&over, &of("exp"), None).text)),
            Reduction::Norm2 => {
                let square = match self.language {
                    Language::Ampl => Code::new(format!("{}^2", body.within(Level::Atom)), Level::Power),
                    Language::Gams => of("sqr"),
                };
                Code::atom(format!("sqrt({})", self.summed(&over, &square, None).text))
            }
            Reduction::Max => self.largest(&over, &body),
        })
    }

    fn largest(&self, over: &[(String, usize)], body: &Code) -> Code {
        match self.language {
            Language::Ampl => {
                let sets: Vec<String> = over.iter().map(|(k, n)| format!("{k} in 1..{n}")).collect();
                Code::atom(format!("(max{{{}}} {})", sets.join(", "), body.within(Level::Product)))
            }
            Language::Gams => Code::atom(format!("smax({}, {})", controlled(over, None), body.text)),
        }
    }

    /// A sum over indices, under a condition or not.
    fn summed(&self, over: &[(String, usize)], body: &Code, condition: Option<&str>) -> Code {
        match self.language {
            Language::Ampl => {
                let sets: Vec<String> = over.iter().map(|(k, n)| format!("{k} in 1..{n}")).collect();
                let condition = condition.map_or_else(String::new, |c| format!(": {c}"));
                Code::atom(format!("(sum{{{}{condition}}} {})", sets.join(", "), body.within(Level::Product)))
            }
            Language::Gams => Code::atom(format!("sum({}, {})", controlled(over, condition), body.text)),
        }
    }

    /// An index as a number.
    pub(super) fn place(&self, index: &Index) -> String {
        let language = self.language;
        index.text(&|name| match language {
            Language::Gams if self.indices.iter().any(|i| i == name) => format!("ord({name})"),
            _ => name.to_owned(),
        })
    }

    /// `name[i, 2*j + 1]`. GAMS takes indices and labels alone: an expression becomes a sum over the one place that it is.
    pub(super) fn subscripted(&mut self, name: &str, at: &[Index]) -> Code {
        if at.is_empty() {
            return Code::atom(name);
        }
        if self.language == Language::Ampl {
            let all: Vec<String> = at.iter().map(|i| self.place(i)).collect();
            return Code::atom(format!("{name}[{}]", all.join(",")));
        }
        let (mut inside, mut found, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        for index in at {
            match (index.name().filter(|name| self.indices.iter().any(|i| i == name)), index.place()) {
                (Some(name), _) => inside.push(name.to_owned()),
                (None, Some(place)) => inside.push(format!("\"{place}\"")),
                (None, None) => {
                    let k = self.index();
                    conditions.push(format!("(ord({k}) = {})", self.place(index)));
                    inside.push(k.clone());
                    found.push(k);
                }
            }
        }
        self.release(found.len());
        let entry = format!("{name}({})", inside.join(","));
        match found.as_slice() {
            [] => Code::atom(entry),
            [k] => Code::atom(format!("sum({k}${}, {entry})", conditions[0])),
            _ => Code::atom(format!("sum(({})$({}), {entry})", found.join(","), conditions.join(" and "))),
        }
    }

    /// Entries at some places of an axis, zero elsewhere: a sum over the entries that stand there.
    fn placed(
        &mut self,
        scope: Scope<'_, 'a>,
        operand: NodeId,
        axis: usize,
        at: &[Index],
        place: &dyn Fn(&Index) -> Index,
    ) -> Result<Code, Refused> {
        let length = self.length(self.graph(scope).shape(operand), axis);
        let mut inner = at.to_vec();
        if length == 1 {
            let only = Index::at(1);
            let condition = format!("{} = {}", self.place(&at[axis]), self.place(&place(&only)));
            inner[axis] = only;
            let body = self.write(scope, operand, &inner)?;
            return Ok(Code::atom(match self.language {
                Language::Ampl => format!("(if {condition} then {} else 0)", body.text),
                Language::Gams => format!("({}$({condition}))", body.within(Level::Atom)),
            }));
        }
        let k = self.index();
        inner[axis] = Index::named(&k);
        let body = self.write(scope, operand, &inner)?;
        let condition = format!("{} = {}", self.place(&place(&Index::named(&k))), self.place(&at[axis]));
        self.release(1);
        Ok(self.summed(&[(k, length)], &body, Some(&condition)))
    }

    fn joined(&mut self, scope: Scope<'_, 'a>, node: NodeId, axis: usize, at: &[Index]) -> Result<Code, Refused> {
        let graph = self.graph(scope);
        let mut first = 1;
        let mut parts = Vec::new();
        for operand in graph.args(node) {
            let length = self.length(graph.shape(*operand), axis) as i64;
            match at[axis].place() {
                Some(place) if (first..first + length).contains(&place) => {
                    let mut inner = at.to_vec();
                    inner[axis] = Index::at(place - first + 1);
                    return self.write(scope, *operand, &inner);
                }
                Some(_) => {}
                None => {
                    let from = first;
                    parts.push(self.placed(scope, *operand, axis, at, &|k| k.sliced(from, 1))?.text);
                }
            }
            first += length;
        }
        Ok(Code::new(parts.join(" + "), Level::Sum))
    }

    /// The place in an array of another shape with the same entries in order.
    fn reshaped(&self, scope: Scope<'_, 'a>, node: NodeId, at: &[Index]) -> Result<Vec<Index>, Refused> {
        let graph = self.graph(scope);
        let (new, old) = (self.lengths(graph.shape(node)), self.lengths(graph.shape(graph.args(node)[0])));
        // axes of length 1 hold the place 1
        let long = |lengths: &[usize]| lengths.iter().copied().filter(|n| *n != 1).collect::<Vec<usize>>();
        let mut along: Vec<Index> = new.iter().zip(at).filter(|(n, _)| **n != 1).map(|(_, i)| i.clone()).collect();
        if long(&new) != long(&old) {
            let mut whole = Index::at(1);
            for (n, index) in new.iter().zip(at) {
                whole = whole.row_of(*n as i64, index);
            }
            along = match (long(&old).len(), whole.place(), self.language) {
                (1, ..) => vec![whole],
                (_, Some(place), _) => places(place, &long(&old)),
                (_, None, Language::Ampl) => divided(&self.place(&whole), &long(&old)),
                (_, None, Language::Gams) => {
                    let why = "GAMS has no remainders of indices: export to ampl, or keep the shape";
                    return Err(self.refused(scope, node, "an array in another shape", why));
                }
            };
        }
        let mut along = along.into_iter();
        let one = |n: &usize| if *n == 1 { Some(Index::at(1)) } else { along.next() };
        Ok(old.iter().map_while(one).collect())
    }
}

/// Places along axes of an entry by its number.
fn places(number: i64, lengths: &[usize]) -> Vec<Index> {
    let mut rest = number - 1;
    let mut found: Vec<Index> = lengths
        .iter()
        .rev()
        .map(|n| {
            let place = rest % *n as i64;
            rest /= *n as i64;
            Index::at(place + 1)
        })
        .collect();
    found.reverse();
    found
}

/// The same for a number that is an expression.
fn divided(number: &str, lengths: &[usize]) -> Vec<Index> {
    let mut found = Vec::new();
    let mut behind = 1;
    for (axis, length) in lengths.iter().enumerate().rev() {
        let over = if behind == 1 { format!("({number} - 1)") } else { format!("(({number} - 1) div {behind})") };
        let text = if axis == 0 { over } else { format!("({over} mod {length})") };
        found.push(Index { terms: vec![(1, text)], constant: 1 });
        behind *= length;
    }
    found.reverse();
    found
}

/// The indices of a sum of GAMS, each within its length.
fn controlled(over: &[(String, usize)], condition: Option<&str>) -> String {
    let names: Vec<&str> = over.iter().map(|(k, _)| k.as_str()).collect();
    let mut within: Vec<String> = over.iter().map(|(k, n)| format!("(ord({k}) <= {n})")).collect();
    within.extend(condition.map(|c| format!("({c})")));
    let names = if names.len() == 1 { names[0].to_owned() } else { format!("({})", names.join(",")) };
    let within = if within.len() == 1 { within[0].clone() } else { format!("({})", within.join(" and ")) };
    format!("{names}${within}")
}

/// A form with its operands put in.
fn filled(form: &str, operands: &[Code]) -> Code {
    let mut text = form.to_owned();
    for (i, operand) in operands.iter().enumerate() {
        let mark = format!("{{{i}}}");
        let alone = [format!("({mark})"), format!("({mark}, "), format!(", {mark})")];
        let plain = form.matches(&mark).count() == 1
            && alone.iter().any(|a| form.contains(a.as_str()))
            && !form.starts_with('(');
        text = text.replace(&mark, &if plain { operand.text.clone() } else { operand.within(Level::Atom) });
    }
    let power = form.starts_with("{0}^") || form.starts_with("{0}*");
    Code { text, level: if power { Level::Power } else { Level::Atom } }
}
