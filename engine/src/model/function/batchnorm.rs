//! Batch normalization (Ioffe and Szegedy, ICML 2015), from sums and elementwise functions, so that its derivatives need no
//! rule. Statistics are always those of the rows at hand, as in the few-shot literature: nothing is remembered.

use super::Entry;
use super::call::Call;
use super::image::{dim_text, layers, per_channel, spread, steps};
use super::learn::below;
use crate::elementwise;
use crate::graph::NodeId;
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::model::problem::Claim;
use crate::shape::{Dim, Shape, SizeError};

pub(super) const BATCHNORM: Entry = Entry {
    name: "batchnorm",
    signature: "batchnorm(u, scale, shift, eps = 1e-5, channels = 32)",
    doc: "scale .* (u - m)./sqrt(v + eps) + shift with mean m and population variance v of the rows given, never \
          remembered: of each channel over rows and pixels, without `channels` of each column; scale and shift have one \
          number each",
    arguments: 3..=3,
    keys: &["eps", "channels"],
    labels: None,
    build: |c, call| {
        let e = call.positional();
        let rows = ImageRows::of(c, call)?;
        let eps = epsilon(c, call)?;
        let scale = per_channel(c, call, e[1], "scale", &rows.channels)?;
        let shift = per_channel(c, call, e[2], "shift", &rows.channels)?;
        let (centered, deviation) = rows.standardized(c, call, eps)?;
        // Scale and shift may vary with more loops than the rows.
        let all = union(&union(&rows.u.loops, &scale.loops), &shift.loops);
        let full = layers(c, call, &all, &rows.rows, &rows.channels, rows.pixels.as_ref())?;
        let one = Shape(vec![rows.channels.clone()]);
        let (scale, deviation) = (c.align(&scale, &all, &one, call.span)?, c.align(&deviation, &all, &one, call.span)?);
        let factor = LoopArray::real(c.graph.div(scale, deviation), all.clone(), one);
        let factor = spread(c, &factor, &all, &full, call.span)?;
        let shift = spread(c, &shift, &all, &full, call.span)?;
        let centered = c.align(&centered, &all, &centered.shape.clone(), call.span)?;
        let scaled = c.graph.mul(centered, factor);
        let node = c.graph.add(scaled, shift);
        let mut flat = steps(c, &all);
        flat.extend(rows.u.shape.0.iter().cloned());
        let node = c.graph.reshape(node, &Shape(flat));
        Ok(Meaning::Array(LoopArray::real(node, all, rows.u.shape)))
    },
};

/// What is normalized: rows of `pixels` numbers per channel.
struct ImageRows {
    u: LoopArray,
    rows: Dim,
    channels: Dim,
    /// None for one.
    pixels: Option<Dim>,
}

impl ImageRows {
    fn of(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<ImageRows> {
        let e = call.positional()[0];
        let u = c.array(e)?;
        let [rows, row] = u.shape.0.as_slice() else {
            return c.fail(message::expected_matrix(e.span, "batchnorm", &u.shape));
        };
        let (rows, row) = (rows.clone(), row.clone());
        let Some(at) = call.named("channels") else { return Ok(ImageRows { u, rows, channels: row, pixels: None }) };
        let channels = c.size(at)?;
        let Some(pixels) = row.div(&channels) else { return c.fail(message::size_overflow(at.span)) };
        match pixels.size(&c.sizes) {
            Ok(_) => {}
            // The row comes from a file: looked at when its header is.
            Err(SizeError::Unknown(_)) => c.require(Claim::Size(pixels.clone()), at.span)?,
            Err(_) => {
                let (n, row) = (dim_text(c, &channels), dim_text(c, &row));
                return c.fail(message::channels_divide(at.span, &n, e.span, &row));
            }
        }
        Ok(ImageRows { u, rows, channels, pixels: Some(pixels) })
    }

    /// The rows without their mean, `[loops..., rows, channels, pixels]`, and `sqrt(v + eps)` per channel.
    fn standardized(&self, c: &mut Checker<'_>, call: &Call<'_>, eps: f64) -> Checked<(LoopArray, LoopArray)> {
        let (loops, lead) = (&self.u.loops, self.u.loops.len());
        let full = layers(c, call, loops, &self.rows, &self.channels, self.pixels.as_ref())?;
        let count = self.pixels.iter().try_fold(self.rows.clone(), |n, p| n.mul(p));
        let Some(count) = count else { return c.fail(message::size_overflow(call.span)) };
        let mut one = steps(c, loops);
        one.push(self.channels.clone());
        let one = Shape(one);
        let count = c.graph.size(&count);
        let count = c.graph.promote(count, &one);
        // Pixels first, which lie together; then rows.
        let mean = |c: &mut Checker<'_>, x: NodeId| {
            let by_image = if self.pixels.is_some() { c.graph.sum(x, 1 << (lead + 2)) } else { x };
            let total = c.graph.sum(by_image, 1 << lead);
            c.graph.div(total, count)
        };
        let x = c.graph.reshape(self.u.node, &full);
        let center = mean(c, x);
        let center = c.graph.broadcast(center, below(lead) | 1 << (lead + 1), &full);
        let centered = c.graph.sub(x, center);
        let squares = c.graph.elementwise(elementwise::SQUARE, &[centered]);
        let variance = mean(c, squares);
        let eps = c.graph.filled(eps, &one);
        let variance = c.graph.add(variance, eps);
        let deviation = c.graph.elementwise(elementwise::SQRT, &[variance]);
        let own = Shape(full.0[lead..].to_vec());
        let deviation = LoopArray::real(deviation, loops.clone(), Shape(vec![self.channels.clone()]));
        Ok((LoopArray::real(centered, loops.clone(), own), deviation))
    }
}

/// What keeps the divisor from zero.
fn epsilon(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<f64> {
    let Some(at) = call.named("eps") else { return Ok(1e-5) };
    let a = c.scalar(at, "`eps`")?;
    match c.number(&a)? {
        Some(v) if v >= 0.0 => Ok(v),
        Some(v) => c.fail(message::negative_eps(at.span, v)),
        None => c.fail(message::constant_needed(at.span, "`eps`")),
    }
}
