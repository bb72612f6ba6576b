//! A rule for every operation of a graph: what it is in JAX. The match is over the closed enum, so that a new operation
//! does not compile without its rule.

use blo_engine::graph::{ConvPart, Node, NodeId, Op, Reduction, Windows};

use super::body::Body;
use super::code::{Code, Level, number, tuple};
use super::tables::{ELEMENTWISE, OPAQUE, Rule, needs, rule};
use crate::export::kept::Refused;

impl Body<'_> {
    /// The expression of a node on the expressions of its operands.
    ///
    /// # Errors
    /// When the operation is refused.
    pub(super) fn rule(&mut self, node: &Node, args: &[Code]) -> Result<Code, Refused> {
        let shape = self.shape(&node.shape);
        let whole = |body: &Body<'_>, i: usize| {
            body.whole(&args[i].number_of(), &body.shape(&body.graph().node(node.args[i]).shape))
        };
        Ok(match &node.op {
            Op::Input(_) => unreachable!("inputs have their names"),
            Op::Const(bits) => Code::number(f64::from_bits(*bits)),
            Op::Size(dim) => {
                let value = dim.value(self.sizes()).map_or(f64::NAN, |v| *v.numer() as f64 / *v.denom() as f64);
                Code::number(value)
            }
            Op::Iota => Code::atom(format!("jnp.arange({}.0)", shape[0])),
            Op::Elementwise(e) => self.elementwise(e.entry().name, node, args, shape.is_empty())?,
            Op::Prox(kernel) => {
                let operands: Vec<Code> = (0..args.len()).map(|i| whole(self, i)).collect();
                self.entry(OPAQUE, kernel.entry().name, &operands)?
            }
            Op::MatMul => match args[1].column.as_deref() {
                Some(vector) => Code::column(Code::infix(&whole(self, 0), "@", vector, Level::Product)),
                None => Code::infix(&whole(self, 0), "@", &whole(self, 1), Level::Product),
            },
            Op::Transpose(perm) => transposed(&whole(self, 0), perm),
            Op::Reduce(how, mask) if *mask == 0b11 && args[0].column.is_some() => {
                let vector = args[0].column.as_deref().expect("it is a column");
                self.reduced(*how, &[0, 1], vector, node)
            }
            Op::Reduce(how, mask) => self.reduced(*how, &axes(*mask), &whole(self, 0), node),
            Op::Broadcast(mask) => self.repeated(*mask, &args[0].number_of(), node, shape.len()),
            Op::Reshape => match (args[0].column.as_deref(), self.lengths_of(node.args[0]).as_slice()) {
                (Some(vector), _) if shape.len() == 1 => vector.clone(),
                (_, [_]) if shape.len() == 2 && shape[1] == 1 => Code::column(whole(self, 0)),
                _ => Code::atom(format!("jnp.reshape({}, {})", whole(self, 0).text, tuple(&shape))),
            },
            Op::Slice { axis, start, step } => {
                let first = start.place(shape[*axis as usize], self.sizes()).unwrap_or(0);
                let index = range(*axis, first, shape[*axis as usize], *step);
                Code::atom(format!("{}[{index}]", whole(self, 0).within(Level::Atom)))
            }
            Op::Pad { axis, start, step } => {
                let count = self.shape(&self.graph().node(node.args[0]).shape)[*axis as usize];
                let first = start.place(count, self.sizes()).unwrap_or(0);
                let index = range(*axis, first, count, *step);
                Code::atom(format!("jnp.zeros({}).at[{index}].set({})", tuple(&shape), whole(self, 0).text))
            }
            Op::Concat(axis) => {
                let parts: Vec<String> = (0..args.len()).map(|i| whole(self, i).text).collect();
                Code::atom(format!("jnp.concatenate([{}], axis={axis})", parts.join(", ")))
            }
            Op::Gather(axis) => {
                Code::atom(format!("jnp.take({}, {}, axis={axis})", whole(self, 0).text, whole(self, 1).text))
            }
            Op::Scatter(axis) => {
                let index = placed(*axis, &whole(self, 1).text);
                Code::atom(format!("jnp.zeros({}).at[{index}].add({})", tuple(&shape), whole(self, 0).text))
            }
            Op::Conv { part, stride, padding } => {
                let [a, b] = [whole(self, 0).text, whole(self, 1).text];
                self.conv(*part, [&a, &b], &shape, [*stride, *padding])
            }
            Op::Pick(Windows { size, stride }) => {
                self.own("pick", PICK);
                Code::atom(format!("pick({}, {}, {size}, {stride})", whole(self, 0).text, whole(self, 1).text))
            }
            Op::Put(Windows { size, stride }) => {
                self.own("pick", PICK);
                self.own("put", PUT);
                Code::atom(format!("put({}, {}, {size}, {stride})", whole(self, 0).text, whole(self, 1).text))
            }
            Op::Map { body, mapped, output } => {
                let operands: Vec<Code> = (0..args.len()).map(|i| whole(self, i)).collect();
                self.mapped(body, mapped, *output as usize, &operands, &node.args)?
            }
        })
    }

    /// An entry of the table of elementwise functions; on columns it is one on their vectors.
    fn elementwise(&mut self, name: &str, node: &Node, args: &[Code], is_scalar: bool) -> Result<Code, Refused> {
        if name == "neg" {
            let text = format!("-{}", args[0].number_of().within(Level::Sign));
            return Ok(Code { text, level: Level::Sign, repeats: args[0].repeats, column: None, truth: false });
        }
        if args.iter().any(|a| a.column.is_some()) && self.are_columns(node, args) {
            let vectors = args.iter().map(|a| a.column.as_deref().unwrap_or(a).clone()).collect::<Vec<_>>();
            let found = self.entry(ELEMENTWISE, name, &vectors)?;
            if !found.truth {
                return Ok(Code::column(found));
            }
        }
        let found = self.entry(ELEMENTWISE, name, args)?;
        Ok(Code { repeats: !is_scalar && args.iter().all(|a| a.repeats), ..found })
    }

    /// True where every operand is a column or one number.
    fn are_columns(&self, node: &Node, args: &[Code]) -> bool {
        node.args.iter().zip(args).all(|(id, a)| a.column.is_some() || self.is_one_number(*id))
    }

    fn is_one_number(&self, id: NodeId) -> bool {
        let node = self.graph().node(id);
        match node.op {
            Op::Broadcast(_) => self.is_one_number(node.args[0]),
            _ => node.shape.0.is_empty(),
        }
    }

    fn lengths_of(&self, id: NodeId) -> Vec<usize> {
        self.shape(&self.graph().node(id).shape)
    }

    fn entry(&mut self, table: &[(&str, Rule)], name: &str, args: &[Code]) -> Result<Code, Refused> {
        let found = rule(table, name).unwrap_or_else(|| unreachable!("`{name}` has a rule: a test holds it"));
        if let Rule::Own(function, text) = found {
            if let Some((other, text)) = needs(function) {
                self.own(other, text);
            }
            self.own(function, text);
        }
        found.apply(args).ok_or_else(|| {
            let Rule::Refused(why) = found else { unreachable!("only refusals have no expression") };
            Refused { what: format!("`{name}`"), why: why.to_owned(), node: None }
        })
    }

    /// A convolution or one of its transposes.
    fn conv(&mut self, part: ConvPart, [a, b]: [&str; 2], shape: &[usize], [stride, padding]: [u32; 2]) -> Code {
        self.own("conv", CONV);
        let (function, text) = match part {
            ConvPart::Output => return Code::atom(format!("conv({a}, {b}, {stride}, {padding})")),
            ConvPart::Image => ("conv_image", CONV_IMAGE),
            ConvPart::Kernel => ("conv_kernel", CONV_KERNEL),
        };
        self.own(function, text);
        Code::atom(format!("{function}({a}, {b}, {}, {stride}, {padding})", tuple(shape)))
    }

    fn reduced(&mut self, how: Reduction, axes: &[usize], a: &Code, node: &Node) -> Code {
        let rank = self.graph().node(node.args[0]).shape.0.len();
        let axis = match axes {
            all if all.len() == rank => String::new(),
            [one] => format!(", axis={one}"),
            several => format!(", axis={}", tuple(several)),
        };
        Code::atom(match how {
            Reduction::Sum => format!("jnp.sum({}{axis})", a.text),
            Reduction::Max => format!("jnp.max({}{axis})", a.text),
            Reduction::LogSumExp => format!("jax.nn.logsumexp({}{axis})", a.text),
            Reduction::Norm2 => format!("jnp.sqrt(jnp.sum(jnp.square({}){axis}))", a.text),
        })
    }

    /// A repeated operand is not repeated here: NumPy does it where it meets an array of the full shape.
    fn repeated(&mut self, mask: u8, a: &Code, node: &Node, rank: usize) -> Code {
        let inner = &self.graph().node(node.args[0]).shape;
        let own = inner.0.len();
        if own == 0 {
            return Code { repeats: true, column: None, ..a.clone() };
        }
        let a = if a.repeats { self.whole(a, &self.shape(inner)) } else { a.clone() };
        let kept: Vec<bool> = (0..rank).map(|axis| mask >> axis & 1 == 1).collect();
        if kept[rank - own..].iter().all(|k| *k) {
            return Code { repeats: true, column: None, ..a };
        }
        let first = kept.iter().position(|k| *k).unwrap_or(0);
        let index: Vec<&str> = kept[first..].iter().map(|k| if *k { ":" } else { "None" }).collect();
        let text = format!("{}[{}]", a.within(Level::Atom), index.join(", "));
        Code { repeats: true, ..Code::atom(text) }
    }

    /// An expression with all of its entries.
    pub(super) fn whole(&self, code: &Code, shape: &[usize]) -> Code {
        if !code.repeats {
            return code.clone();
        }
        match code.text.parse::<f64>() {
            Ok(0.0) => Code::atom(format!("jnp.zeros({})", tuple(shape))),
            Ok(1.0) => Code::atom(format!("jnp.ones({})", tuple(shape))),
            Ok(value) => Code::atom(format!("jnp.full({}, {})", tuple(shape), number(value))),
            Err(_) => Code::atom(format!("jnp.broadcast_to({}, {})", code.text, tuple(shape))),
        }
    }
}

fn axes(mask: u8) -> Vec<usize> {
    (0..8).filter(|axis| mask >> axis & 1 == 1).collect()
}

fn transposed(a: &Code, perm: &[u8]) -> Code {
    if perm == [1, 0] {
        return Code::atom(format!("{}.T", a.within(Level::Atom)));
    }
    let perm: Vec<usize> = perm.iter().map(|p| usize::from(*p)).collect();
    Code::atom(format!("jnp.transpose({}, {})", a.text, tuple(&perm)))
}

/// `count` places of an axis from the first on, as an index.
fn range(axis: u8, first: usize, count: usize, step: u32) -> String {
    let step = step as usize;
    let end = if count == 0 { first } else { first + (count - 1) * step + 1 };
    let text = if step == 1 { format!("{first}:{end}") } else { format!("{first}:{end}:{step}") };
    placed(axis, &text)
}

/// An index of an axis.
fn placed(axis: u8, index: &str) -> String {
    format!("{}{index}", ":, ".repeat(usize::from(axis)))
}

const CONV: &str = "def conv(u, W, stride, padding):
    \"\"\"Images [i, c, h, w] under kernels [o, c, a, b].\"\"\"
    return lax.conv_general_dilated(u, W, (stride, stride), [(padding, padding)] * 2)
";
const CONV_IMAGE: &str = "def conv_image(W, v, shape, stride, padding):
    \"\"\"The transpose of conv in the images.\"\"\"
    images = jax.ShapeDtypeStruct(shape, v.dtype)
    return jax.linear_transpose(lambda u: conv(u, W, stride, padding), images)(v)[0]
";
const CONV_KERNEL: &str = "def conv_kernel(u, v, shape, stride, padding):
    \"\"\"The transpose of conv in the kernels.\"\"\"
    kernels = jax.ShapeDtypeStruct(shape, v.dtype)
    return jax.linear_transpose(lambda W: conv(u, W, stride, padding), kernels)(v)[0]
";
const PICK: &str = "def pick(key, values, size, stride):
    \"\"\"What values has at the largest entry of each window of key, [m, h, w].\"\"\"
    rows, columns = [(length - size) // stride + 1 for length in key.shape[1:]]

    def windows(u):
        ends = [(a, a + (rows - 1) * stride + 1, b, b + (columns - 1) * stride + 1)
                for a in range(size) for b in range(size)]
        return jnp.stack([u[:, a:c:stride, b:d:stride] for a, c, b, d in ends], axis=-1)

    place = jnp.argmax(windows(key), axis=-1)[..., None]
    return jnp.take_along_axis(windows(values), place, axis=-1)[..., 0]
";
const PUT: &str = "def put(key, values, size, stride):
    \"\"\"The transpose of pick in its values.\"\"\"
    return jax.linear_transpose(lambda u: pick(key, u, size, stride), key)(values)[0]
";
