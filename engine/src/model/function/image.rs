//! Operations on images. A row of a matrix is one image, channel after channel, each row by row: what `flatten = true`
//! makes of an image file, and what these functions give, so that layers follow one another. Whole images fill a row:
//! `channels*height*width` numbers, which is checked against the array.

use blo_grammar::ast::Expr;
use blo_grammar::span::Span;

use super::Entry;
use super::call::Call;
use super::learn::below;
use crate::graph::{ConvPart, Elem, Formal, Function, Graph, NodeId, Windows};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::model::problem::Claim;
use crate::shape::{Dim, Rational, Shape};

pub(super) const CONV2D: Entry = Entry {
    name: "conv2d",
    signature: "conv2d(u, W, b, height = 28, width = 28, stride = 1, padding = 0)",
    doc: "out[o, p, q] = b[o] + sum(W[o, c, i, j] * u[c, p*stride + i - padding, q*stride + j - padding]) per row of u, \
          images of as many channels as W[out, in, rows, columns]; zeros around, b may be left out, \
          (height + 2*padding - rows)/stride + 1 rounded down is the new height",
    arguments: 2..=3,
    keys: &["height", "width", "stride", "padding"],
    labels: None,
    build: conv2d,
};

pub(super) const MAXPOOL: Entry = Entry {
    name: "maxpool",
    signature: "maxpool(u, channels = 32, height = 28, width = 28, size = 2, stride = 2)",
    doc: "largest entry of each size by size window, stride (default size) apart; what does not fill a window is left \
          out; of equal entries the first has the derivative",
    arguments: 1..=1,
    keys: &["channels", "height", "width", "size", "stride"],
    labels: None,
    build: |c, call| {
        let (images, windows, counts) = pooled(c, call)?;
        let planes = images.planes(c);
        let node = c.graph.pick(windows, planes, planes, counts.clone());
        Ok(images.array(c, node, counts))
    },
};

pub(super) const AVGPOOL: Entry = Entry {
    name: "avgpool",
    signature: "avgpool(u, channels = 32, height = 28, width = 28, size = 2, stride = 2)",
    doc: "mean of each size by size window, stride (default size) apart; what does not fill a window is left out",
    arguments: 1..=1,
    keys: &["channels", "height", "width", "size", "stride"],
    labels: None,
    build: |c, call| {
        let (images, windows, counts) = pooled(c, call)?;
        let mut node = images.planes(c);
        for axis in [1, 2] {
            node = summed(c, node, axis, windows, &counts[axis - 1], call.span)?;
        }
        let size = f64::from(windows.size);
        let node = c.graph.scale(1.0 / (size * size), node);
        Ok(images.array(c, node, counts))
    },
};

/// Images of an array: rows under loops.
struct Images {
    /// Its node, `[loops..., rows, channels*height*width]`.
    node: NodeId,
    loops: Vec<usize>,
    /// The array's own number of rows; a column is one image.
    rows: Dim,
    single: bool,
    channels: Dim,
    height: Dim,
    width: Dim,
    /// All images, those of every loop step.
    count: Dim,
}

impl Images {
    /// The first argument of a call, its rows of the given number of channels and the size in the options.
    fn of(c: &mut Checker<'_>, call: &Call<'_>, signature: &str, channels: Dim) -> Checked<Images> {
        let e = call.positional()[0];
        let name = call.function.text.as_str();
        let u = c.array(e)?;
        let (single, row) = match u.shape.0.as_slice() {
            [row] => (true, row.clone()),
            [_, row] => (false, row.clone()),
            _ => {
                let d = message::expected_matrix(e.span, name, &u.shape);
                return c.fail(d.help("images become rows with `flatten = true`"));
            }
        };
        let height = extent(c, call, "height", signature)?;
        let width = extent(c, call, "width", signature)?;
        let whole = channels.mul(&height).and_then(|d| d.mul(&width));
        let Some(whole) = whole else { return c.fail(message::size_overflow(call.span)) };
        if !c.same_dim(&row, &whole)? {
            let d = misfit(c, (e, call), name, &row, [&channels, &height, &width], &whole);
            return c.fail(d);
        }
        let rows = if single { Dim::constant(1) } else { u.shape.0[0].clone() };
        let count = u.loops.iter().try_fold(rows.clone(), |count, l| count.mul(&c.loops[*l].length));
        let Some(count) = count else { return c.fail(message::size_overflow(call.span)) };
        Ok(Images { node: u.node, loops: u.loops, rows, single, channels, height, width, count })
    }

    /// Every channel of every image as a plane, `[planes, height, width]`.
    fn planes(&self, c: &mut Checker<'_>) -> NodeId {
        let planes = self.count.mul(&self.channels).unwrap_or_else(|| self.count.clone());
        c.graph.reshape(self.node, &Shape(vec![planes, self.height.clone(), self.width.clone()]))
    }

    /// What a node that holds planes of another size, or other channels, is to the language.
    fn array(&self, c: &mut Checker<'_>, node: NodeId, [down, across]: [Dim; 2]) -> Meaning {
        self.with_channels(c, node, &self.loops, &self.channels, [down, across])
    }

    fn with_channels(
        &self,
        c: &mut Checker<'_>,
        node: NodeId,
        loops: &[usize],
        channels: &Dim,
        [down, across]: [Dim; 2],
    ) -> Meaning {
        let row = channels.mul(&down).and_then(|d| d.mul(&across)).unwrap_or_else(|| channels.clone());
        let shape = if self.single { Shape(vec![row]) } else { Shape(vec![self.rows.clone(), row]) };
        let mut full = steps(c, loops);
        full.extend(shape.0.iter().cloned());
        let node = c.graph.reshape(node, &Shape(full));
        Meaning::Array(LoopArray::real(node, loops.to_vec(), shape))
    }
}

fn conv2d(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<Meaning> {
    let e = call.positional();
    let kernels = c.array(e[1])?;
    let [out, channels, rows, columns] = kernels.shape.0.as_slice() else {
        let (shape, text) = (c.shape_text(&kernels.shape), c.text(e[1].span));
        return c.fail(message::kernel_shape(e[1].span, &shape, &text));
    };
    let (out, rows, columns) = (out.clone(), rows.clone(), columns.clone());
    let images = Images::of(c, call, CONV2D.signature, channels.clone())?;
    let stride = whole(c, call, "stride", 1)?.unwrap_or(1);
    let padding = whole(c, call, "padding", 0)?.unwrap_or(0);
    let down = windows(c, call, e[1].span, (&images.height, &rows, "rows"), stride, padding)?;
    let across = windows(c, call, e[1].span, (&images.width, &columns, "columns"), stride, padding)?;
    let mut loops = union(&images.loops, &kernels.loops);
    let node = if kernels.loops.is_empty() {
        let shape = |count: &Dim, rest: [&Dim; 3]| Shape([count].into_iter().chain(rest).cloned().collect());
        let u = shape(&images.count, [&images.channels, &images.height, &images.width]);
        let u = c.graph.reshape(images.node, &u);
        let v = shape(&images.count, [&out, &down, &across]);
        c.graph.conv(ConvPart::Output, stride, padding, [u, kernels.node], &v)
    } else {
        convolved_per_step(c, call, &images, &kernels, &loops, (stride, padding), [&out, &down, &across])?
    };
    let Some(pixels) = down.mul(&across) else { return c.fail(message::size_overflow(call.span)) };
    let node = match e.get(2) {
        None => node,
        Some(bias) => {
            let b = per_channel(c, call, bias, "bias", &out)?;
            let (node, all) = (node, union(&loops, &b.loops));
            let full = layers(c, call, &all, &images.rows, &out, Some(&pixels))?;
            let mut own = steps(c, &loops);
            own.extend(full.0[all.len()..].iter().cloned());
            let node = c.graph.reshape(node, &Shape(own.clone()));
            let made = LoopArray::real(node, loops, Shape(own[own.len() - 3..].to_vec()));
            let node = c.align(&made, &all, &made.shape.clone(), call.span)?;
            loops = all;
            let b = spread(c, &b, &loops, &full, call.span)?;
            c.graph.add(node, b)
        }
    };
    Ok(images.with_channels(c, node, &loops, &out, [down, across]))
}

/// A convolution for each loop step, where kernels differ between steps.
fn convolved_per_step(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    images: &Images,
    kernels: &LoopArray,
    loops: &[usize],
    (stride, padding): (u32, u32),
    out: [&Dim; 3],
) -> Checked<NodeId> {
    let count = steps(c, loops).iter().try_fold(Dim::constant(1), |count, n| count.mul(n));
    let Some(count) = count else { return c.fail(message::size_overflow(call.span)) };
    c.require_axes(loops.len() + 4, call.span)?;
    let size = [&images.rows, &images.channels, &images.height, &images.width];
    let u = Shape(size.into_iter().cloned().collect());
    let mut own = steps(c, &images.loops);
    own.extend(u.0.iter().cloned());
    let node = c.graph.reshape(images.node, &Shape(own));
    let image = LoopArray::real(node, images.loops.clone(), u);
    let (mut formals, mut operands) = (Vec::new(), Vec::new());
    for a in [&image, kernels] {
        let varies = !a.loops.is_empty();
        let mut stacked = a.shape.0.clone();
        let mut node = a.node;
        if varies {
            stacked.insert(0, count.clone());
            node = c.align(a, loops, &a.shape, call.span)?;
        }
        operands.push(c.graph.reshape(node, &Shape(stacked)));
        formals.push(Formal { name: "operand".into(), shape: a.shape.clone(), elem: Elem::Real });
    }
    let mut g = Graph::new();
    let [u, w] = [0, 1].map(|i| g.input(i, formals[i].shape.clone(), Elem::Real));
    let shape = Shape([&images.rows].into_iter().chain(out).cloned().collect());
    let made = g.conv(ConvPart::Output, stride, padding, [u, w], &shape);
    let body = std::sync::Arc::new(Function::new("convolution", &g, formals, &[made]));
    let mapped = [!image.loops.is_empty(), true];
    Ok(c.graph.map(&body, &mapped, 0, &operands))
}

/// The images, windows and numbers of windows of a pooling.
fn pooled(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<(Images, Windows, [Dim; 2])> {
    let signature = if call.function.text == "maxpool" { MAXPOOL.signature } else { AVGPOOL.signature };
    let channels = extent(c, call, "channels", signature)?;
    let images = Images::of(c, call, signature, channels)?;
    let Some(size) = whole(c, call, "size", 1)? else {
        return c.fail(message::missing_argument(call.span, signature, "size"));
    };
    let stride = whole(c, call, "stride", 1)?.unwrap_or(size);
    let (at, window) = (call.named("size").map_or(call.span, |e| e.span), Dim::constant(i64::from(size)));
    let down = windows(c, call, at, (&images.height, &window, "rows"), stride, 0)?;
    let across = windows(c, call, at, (&images.width, &window, "columns"), stride, 0)?;
    Ok((images, Windows { size, stride }, [down, across]))
}

/// Sums windows along an axis of `[planes, h, w]`: side by side they are an axis of their own, else strided slices.
fn summed(c: &mut Checker<'_>, node: NodeId, axis: usize, w: Windows, count: &Dim, span: Span) -> Checked<NodeId> {
    let shape = c.graph.shape(node).clone();
    let zero = Dim::constant(0);
    if w.stride == w.size {
        let Some(used) = count.mul(&Dim::constant(i64::from(w.size))) else {
            return c.fail(message::size_overflow(span));
        };
        let node = c.graph.slice(node, axis, &zero, 1, &used);
        let mut split = shape.0;
        split[axis] = count.clone();
        split.insert(axis + 1, Dim::constant(i64::from(w.size)));
        let node = c.graph.reshape(node, &Shape(split));
        return Ok(c.graph.sum(node, 1 << (axis + 1)));
    }
    let mut total = None;
    for start in 0..w.size {
        let part = c.graph.slice(node, axis, &Dim::constant(i64::from(start)), w.stride, count);
        total = Some(total.map_or(part, |t| c.graph.add(t, part)));
    }
    Ok(total.expect("windows have a size"))
}

/// A required size among the options.
fn extent(c: &mut Checker<'_>, call: &Call<'_>, name: &str, signature: &str) -> Checked<Dim> {
    match call.named(name) {
        Some(e) => c.size(e),
        None => c.fail(message::missing_argument(call.span, signature, name)),
    }
}

/// A whole number among the options.
fn whole(c: &mut Checker<'_>, call: &Call<'_>, name: &str, least: u32) -> Checked<Option<u32>> {
    let Some(e) = call.named(name) else { return Ok(None) };
    let a = c.scalar(e, &format!("`{name}`"))?;
    match c.number(&a)? {
        Some(v) if v.fract() == 0.0 && v >= f64::from(least) && v < 1e6 => Ok(Some(v as u32)),
        Some(v) => c.fail(message::window_option(e.span, &call.function.text, name, least, &v.to_string())),
        None => c.fail(message::constant_needed(e.span, &format!("`{name}`"))),
    }
}

/// How many windows fit along an axis. What does not fill a window is left out, as other tools do; a size with a param
/// stays symbolic where it divides.
fn windows(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    at: Span,
    (image, window, what): (&Dim, &Dim, &str),
    stride: u32,
    padding: u32,
) -> Checked<Dim> {
    let step = Dim::constant(i64::from(stride));
    let reach = image.add(&Dim::constant(2 * i64::from(padding))).and_then(|d| d.sub(window));
    let count = reach.as_ref().and_then(|r| r.div(&step)).and_then(|d| d.add(&Dim::constant(1)));
    let (Some(reach), Some(count)) = (reach, count) else { return c.fail(message::size_overflow(call.span)) };
    match reach.value(&c.sizes) {
        Ok(value) if value < Rational::from_integer(0) => {
            let sizes = (dim_text(c, window), dim_text(c, image));
            let d = message::window_too_large(at, &call.function.text, what, (&sizes.0, &sizes.1), padding);
            c.fail(d)
        }
        Ok(_) => match count.value(&c.sizes) {
            Ok(n) if !n.is_integer() => Ok(Dim::constant(n.floor().to_integer() as i64)),
            _ => Ok(count),
        },
        Err(_) => {
            c.require(Claim::Size(reach), at)?;
            c.require(Claim::Size(count.clone()), at)?;
            Ok(count)
        }
    }
}

/// An argument with a number per channel, or one for all.
pub(super) fn per_channel(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    e: &Expr,
    what: &str,
    channels: &Dim,
) -> Checked<LoopArray> {
    let a = c.array(e)?;
    if a.kind != Kind::Real {
        return c.fail(message::expected_numbers(e.span, &Meaning::Array(a).describe()));
    }
    let wanted = Shape(vec![channels.clone()]);
    if !a.is_scalar() && !c.same_shape(&a.shape, &wanted)? {
        let (found, wanted) = (c.shape_text(&a.shape), c.shape_text(&wanted));
        return c.fail(message::per_channel(e.span, &call.function.text, what, &found, &wanted));
    }
    Ok(a)
}

/// `[loops..., rows, channels, pixels]`.
pub(super) fn layers(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    loops: &[usize],
    rows: &Dim,
    channels: &Dim,
    pixels: Option<&Dim>,
) -> Checked<Shape> {
    let mut dims = steps(c, loops);
    dims.extend([rows, channels].into_iter().chain(pixels).cloned());
    c.require_axes(dims.len(), call.span)?;
    Ok(Shape(dims))
}

/// A number per channel repeated to `[loops..., rows, channels, ...]`.
pub(super) fn spread(c: &mut Checker<'_>, a: &LoopArray, loops: &[usize], full: &Shape, span: Span) -> Checked<NodeId> {
    let channels = loops.len() + 1;
    let one = c.align(a, loops, &Shape(vec![full.0[channels].clone()]), span)?;
    Ok(c.graph.broadcast(one, below(loops.len()) | 1 << channels, full))
}

/// The lengths of loops.
pub(super) fn steps(c: &Checker<'_>, loops: &[usize]) -> Vec<Dim> {
    loops.iter().map(|l| c.loops[*l].length.clone()).collect()
}

/// A size as written and, where known, as a number.
pub(super) fn dim_text(c: &Checker<'_>, d: &Dim) -> String {
    match (d.as_integer(), d.value(&c.sizes)) {
        (None, Ok(value)) => format!("{d} = {value}"),
        _ => d.to_string(),
    }
}

fn misfit(
    c: &Checker<'_>,
    (e, call): (&Expr, &Call<'_>),
    name: &str,
    row: &Dim,
    sizes: [&Dim; 3],
    whole: &Dim,
) -> blo_grammar::diagnostic::Diagnostic {
    let number = |d: &Dim| d.size(&c.sizes).ok();
    let [channels, height, width] = sizes.map(number);
    // Kernels say how many channels there are; pooling is told, so that may be the mistake.
    let pixels = height.zip(width).map(|(h, w)| h * w).filter(|n| *n > 0 && name != "conv2d");
    let of = number(row).zip(pixels).filter(|(row, pixels)| row % pixels == 0 && row > &0);
    let side = number(row).zip(channels).and_then(|(row, channels)| {
        let pixels = row.checked_div(channels).filter(|p| p * channels == row)?;
        let side = pixels.isqrt();
        (side * side == pixels && side > 0).then_some(side)
    });
    let fits = match (of, side) {
        (Some((row, pixels)), _) => Some(format!("images of that height and width have `channels = {}`", row / pixels)),
        (None, Some(side)) => Some(format!("square images of so many channels are `height = {side}, width = {side}`")),
        (None, None) => None,
    };
    let product = sizes.map(|d| number(d).map_or_else(|| d.to_string(), |n| n.to_string())).join("*");
    let total = number(whole).map_or_else(|| whole.to_string(), |n| n.to_string());
    let at = call.named("height").or(call.named("width")).map_or(call.span, |h| h.span);
    message::image_size(e.span, at, name, &dim_text(c, row), (&product, &total), fits)
}
