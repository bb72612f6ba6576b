//! A rule for every operation of a graph: what it is in JAX. The match is over the closed enum, so that a new operation
//! does not compile without its rule.

use blo_engine::graph::{ConvPart, Node, Op, Reduction, Windows};

use super::body::{Body, Refused};
use super::code::{Code, Level, number, tuple};
use super::tables::{ELEMENTWISE, OPAQUE, Rule, needs, rule};

impl Body<'_> {
    /// The expression of a node on the expressions of its operands.
    ///
    /// # Errors
    /// When the operation is refused.
    pub(super) fn rule(&mut self, node: &Node, args: &[Code]) -> Result<Code, Refused> {
        let shape = self.shape(&node.shape);
        let whole =
            |body: &Body<'_>, i: usize| body.whole(&args[i], &body.shape(&body.graph().node(node.args[i]).shape));
        Ok(match &node.op {
            Op::Input(_) => unreachable!("inputs have their names"),
            Op::Const(bits) => Code::number(f64::from_bits(*bits)),
            Op::Size(dim) => {
                let value = dim.value(self.sizes()).map_or(f64::NAN, |v| *v.numer() as f64 / *v.denom() as f64);
                Code::number(value)
            }
            Op::Iota => Code::atom(format!("jnp.arange({}.0)", shape[0])),
            Op::Elementwise(e) if e.entry().name == "neg" => {
                let text = format!("-{}", args[0].within(Level::Sign));
                Code { text, level: Level::Sign, repeats: args[0].repeats }
            }
            Op::Elementwise(e) => {
                let found = self.entry(ELEMENTWISE, e.entry().name, args)?;
                Code { repeats: !shape.is_empty() && args.iter().all(|a| a.repeats), ..found }
            }
            Op::Prox(kernel) => {
                let operands: Vec<Code> = (0..args.len()).map(|i| whole(self, i)).collect();
                self.entry(OPAQUE, kernel.entry().name, &operands)?
            }
            Op::MatMul => Code::infix(&whole(self, 0), "@", &whole(self, 1), Level::Product),
            Op::Transpose(perm) => transposed(&whole(self, 0), perm),
            Op::Reduce(how, mask) => self.reduced(*how, &axes(*mask), &whole(self, 0), node),
            Op::Broadcast(mask) => self.repeated(*mask, &args[0], node, shape.len()),
            Op::Reshape => Code::atom(format!("jnp.reshape({}, {})", whole(self, 0).text, tuple(&shape))),
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
                self.own("conv", CONV);
                let function = match part {
                    ConvPart::Output => return Ok(self.conv(&whole(self, 0), &whole(self, 1), *stride, *padding)),
                    ConvPart::Image => ("conv_image", CONV_IMAGE),
                    ConvPart::Kernel => ("conv_kernel", CONV_KERNEL),
                };
                self.own(function.0, function.1);
                let [a, b] = [whole(self, 0).text, whole(self, 1).text];
                Code::atom(format!("{}({a}, {b}, {}, {stride}, {padding})", function.0, tuple(&shape)))
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

    fn conv(&mut self, images: &Code, kernels: &Code, stride: u32, padding: u32) -> Code {
        Code::atom(format!("conv({}, {}, {stride}, {padding})", images.text, kernels.text))
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
            return Code { repeats: true, ..a.clone() };
        }
        let a = if a.repeats { self.whole(a, &self.shape(inner)) } else { a.clone() };
        let kept: Vec<bool> = (0..rank).map(|axis| mask >> axis & 1 == 1).collect();
        if kept[rank - own..].iter().all(|k| *k) {
            return Code { repeats: true, ..a };
        }
        let first = kept.iter().position(|k| *k).unwrap_or(0);
        let index: Vec<&str> = kept[first..].iter().map(|k| if *k { ":" } else { "None" }).collect();
        let text = format!("{}[{}]", a.within(Level::Atom), index.join(", "));
        Code { text, level: Level::Atom, repeats: true }
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
