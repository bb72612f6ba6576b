//! Operations on sequences: the order of numbers, means over runs of equal numbers, the nearest falling sequence, and the
//! prox of the total variation. What the last two return consists of runs of exactly equal numbers; their derivatives are
//! means over these runs.

use std::collections::VecDeque;

use num_dual::DualNum;
use num_traits::ToPrimitive;

use super::{ISOTONIC, KernelEntry, PERMUTE, RUN_MEANS, ResultShape, UNPERMUTE};
use crate::elementwise;
use crate::graph::{Graph, NodeId, Op};
use crate::shape::Dim;

/// A comparison for each entry and level of a merge sort.
fn sorting(entries: &[usize]) -> u128 {
    (entries[0] * (1 + entries[0].max(1).ilog2() as usize)) as u128
}

/// A few operations for each entry.
fn linear(entries: &[usize]) -> u128 {
    4 * entries[0] as u128
}

/// `b` in the order in which `key` falls.
pub(super) static SORTED: KernelEntry = KernelEntry {
    name: "permute",
    doc: "b in the order in which key falls, equal keys in their own order; O(n log n)",
    operands: &["key", "b"],
    result: ResultShape::Operand(1),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: sorting,
    apply_f64: permute,
    apply_f32: permute,
    dual: permute,
    hyper: permute,
    jvp: |g, args, _, tangents| tangents[1].map(|t| pushed(g, PERMUTE, args[0], t)),
    vjp: |g, args, _, cotangent| vec![None, Some(pushed(g, UNPERMUTE, args[0], cotangent))],
};

/// The inverse order.
pub(super) static PUT_BACK: KernelEntry = KernelEntry {
    name: "unpermute",
    doc: "the array that is c in the order in which key falls; O(n log n)",
    operands: &["key", "c"],
    result: ResultShape::Operand(1),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: sorting,
    apply_f64: unpermute,
    apply_f32: unpermute,
    dual: unpermute,
    hyper: unpermute,
    jvp: |g, args, _, tangents| tangents[1].map(|t| pushed(g, UNPERMUTE, args[0], t)),
    vjp: |g, args, _, cotangent| vec![None, Some(pushed(g, PERMUTE, args[0], cotangent))],
};

/// Means over runs.
pub(super) static MEANS: KernelEntry = KernelEntry {
    name: "run_means",
    doc: "for every run of equal neighbors in p the mean of a over it; O(n)",
    operands: &["p", "a"],
    result: ResultShape::Operand(1),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: linear,
    apply_f64: run_means,
    apply_f32: run_means,
    dual: run_means,
    hyper: run_means,
    jvp: |g, args, _, tangents| tangents[1].map(|t| pushed(g, RUN_MEANS, args[0], t)),
    vjp: |g, args, _, cotangent| vec![None, Some(pushed(g, RUN_MEANS, args[0], cotangent))],
};

/// The projection onto falling sequences.
pub(super) static FALLING: KernelEntry = KernelEntry {
    name: "isotonic",
    doc: "nearest sequence to z that does not rise, by pooling adjacent violators; O(n)",
    operands: &["z"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: linear,
    apply_f64: isotonic,
    apply_f32: isotonic,
    dual: isotonic,
    hyper: isotonic,
    jvp: |g, _, out, tangents| tangents[0].map(|t| pushed(g, RUN_MEANS, out, t)),
    vjp: |g, _, out, cotangent| vec![Some(pushed(g, RUN_MEANS, out, cotangent))],
};

/// The prox of the total variation. With s the signs of the steps of the result p, the mean of `p - v` over a run is t times
/// that of `d(s)`, d the differences `s_i - s_(i-1)` with zeros at the ends.
pub(super) static TOTAL_VARIATION: KernelEntry = KernelEntry {
    name: "tv1d",
    doc: "the u that minimizes t*sum(abs(u[i+1] - u[i])) + normsq(u - v)/2; O(n)",
    operands: &["v", "t"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: linear,
    apply_f64: total_variation,
    apply_f32: total_variation,
    dual: total_variation,
    hyper: total_variation,
    jvp: |g, args, out, tangents| {
        let along = tangents[0].map(|t| along(g, args[1], out, t));
        let shared = tangents[1].map(|t| {
            let pulls = pulls(g, out);
            g.mul(t, pulls)
        });
        match (along, shared) {
            (Some(a), Some(b)) => Some(g.add(a, b)),
            (a, b) => a.or(b),
        }
    },
    vjp: |g, args, out, cotangent| {
        let pulls = pulls(g, out);
        let product = g.mul(pulls, cotangent);
        vec![Some(along(g, args[1], out, cotangent)), Some(g.sum_all(product))]
    },
};

fn pushed(g: &mut Graph, kernel: super::Kernel, first: NodeId, second: NodeId) -> NodeId {
    let shape = g.shape(second).clone();
    let op = Op::Prox(kernel);
    g.push(op, vec![first, second], shape)
}

/// The numbers, the largest first.
pub fn sorted_of(g: &mut Graph, a: NodeId) -> NodeId {
    pushed(g, PERMUTE, a, a)
}

/// The nearest sequence that does not rise.
pub fn isotonic_of(g: &mut Graph, z: NodeId) -> NodeId {
    let shape = g.shape(z).clone();
    g.push(Op::Prox(ISOTONIC), vec![z], shape)
}

/// Means over runs; for a t of 0 neighbors that happen to be equal are not tied.
fn along(g: &mut Graph, t: NodeId, out: NodeId, h: NodeId) -> NodeId {
    let means = pushed(g, RUN_MEANS, out, h);
    let zero = g.constant(0.0);
    let is_free = g.elementwise(elementwise::LESS_EQUAL, &[t, zero]);
    g.elementwise(elementwise::SELECT, &[is_free, h, means])
}

/// What a unit of t moves every entry by: the derivative of the prox of the total variation in t.
fn pulls(g: &mut Graph, out: NodeId) -> NodeId {
    let n: Dim = g.shape(out).0[0].clone();
    let (zero, one) = (Dim::constant(0), Dim::constant(1));
    let steps = n.sub(&one).expect("a sequence has a length");
    let (next, this) = (g.slice(out, 0, &one, 1, &steps), g.slice(out, 0, &zero, 1, &steps));
    let rises = g.sub(next, this);
    let signs = g.elementwise(elementwise::SIGN, &[rises]);
    // u_i rises towards u_(i+1) above it and falls towards what is below.
    let (before, after) = (g.pad(signs, 0, &zero, 1, &n), g.pad(signs, 0, &one, 1, &n));
    let pull = g.sub(before, after);
    pushed(g, RUN_MEANS, out, pull)
}

fn real<D: DualNum + Copy>(a: D) -> f64 {
    a.re().to_f64().unwrap_or(f64::NAN)
}

/// Positions, those of the largest numbers first.
fn order<D: DualNum + Copy>(key: &[D]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..key.len()).collect();
    order.sort_by(|a, b| real(key[*b]).total_cmp(&real(key[*a])));
    order
}

fn permute<D: DualNum + Copy>(out: &mut [D], args: &[&[D]]) {
    out.iter_mut().zip(order(args[0])).for_each(|(to, from)| *to = args[1][from]);
}

fn unpermute<D: DualNum + Copy>(out: &mut [D], args: &[&[D]]) {
    order(args[0]).into_iter().zip(args[1]).for_each(|(to, value)| out[to] = *value);
}

/// The mean relative to the first number: a common offset loses nothing.
fn mean<D: DualNum + Copy>(a: &[D]) -> D {
    let first = a[0];
    let sum = a[1..].iter().fold(D::zero(), |sum, a| sum + (*a - first));
    first + sum / number::<D>(a.len() as f64)
}

fn number<D: DualNum + Copy>(value: f64) -> D {
    D::from_f64(value).expect("every number type has the counts")
}

/// The end of the run that begins at a position.
fn run_end<D: DualNum + Copy>(p: &[D], start: usize) -> usize {
    let same = |i: &usize| p[*i] == p[start];
    (start + 1..p.len()).take_while(same).last().unwrap_or(start) + 1
}

fn run_means<D: DualNum + Copy>(out: &mut [D], args: &[&[D]]) {
    let mut start = 0;
    while start < out.len() {
        let end = run_end(args[0], start);
        out[start..end].fill(mean(&args[1][start..end]));
        start = end;
    }
}

fn isotonic<D: DualNum + Copy>(out: &mut [D], args: &[&[D]]) {
    let z = args[0];
    // Ends and means of the runs so far.
    let mut runs: Vec<(usize, f64)> = Vec::new();
    for (i, value) in z.iter().enumerate() {
        let (mut start, mut level) = (i, real(*value));
        while let Some((_, above)) = runs.last().copied().filter(|(_, above)| *above < level) {
            runs.pop();
            let first = runs.last().map_or(0, |(end, _)| *end);
            let (left, right) = ((start - first) as f64, (i + 1 - start) as f64);
            level = above + (level - above) * (right / (left + right));
            start = first;
        }
        runs.push((i + 1, level));
    }
    let mut start = 0;
    for (end, _) in runs {
        out[start..end].fill(mean(&z[start..end]));
        start = end;
    }
}

/// Dynamic programming over the derivative of the cost of the first k entries as a function of the last of them: a rising
/// piecewise linear function, cut to [-t, t] where the next entry comes (Johnson, A dynamic programming algorithm for the
/// fused lasso and L0-segmentation, Journal of Computational and Graphical Statistics 22, 2013). Every entry adds two
/// knots, and a knot is removed once, so it is O(n) for every v, which the direct algorithms are not. The runs of its
/// result are what is used of it; their levels are computed from v again, without the sums along the way.
fn total_variation<D: DualNum + Copy>(out: &mut [D], args: &[&[D]]) {
    let (v, t) = (args[0], args[1][0]);
    let radius = real(t);
    if v.len() < 2 || radius <= 0.0 {
        out.copy_from_slice(v);
        return;
    }
    if radius.is_nan() || v.iter().any(|v| real(*v).is_nan()) {
        out.fill(number(f64::NAN));
        return;
    }
    let levels = Knots::default().levels(v.iter().map(|v| real(*v)), radius);
    let mut start = 0;
    while start < v.len() {
        let end = run_end(&levels, start);
        let toward = |k: usize| (levels[k] - levels[start]).signum();
        let left = if start == 0 { 0.0 } else { toward(start - 1) };
        let right = if end == v.len() { 0.0 } else { toward(end) };
        let pull = number::<D>((left + right) / (end - start) as f64);
        out[start..end].fill(mean(&v[start..end]) + t * pull);
        start = end;
    }
}

/// A piece of the derivative: to the right of `at` its slope and its constant change by these.
#[derive(Clone, Copy, Default)]
struct Knot {
    at: f64,
    slope: f64,
    constant: f64,
}

/// The derivative so far: knots from left to right. They are few where v has few steps, so the list grows with them: an
/// array for the most there can be took three times as long as the work at 1e6 entries.
#[derive(Default)]
struct Knots(VecDeque<Knot>);

impl Knots {
    /// The minimizer.
    fn levels(&mut self, mut v: impl ExactSizeIterator<Item = f64>, t: f64) -> Vec<f64> {
        let n = v.len();
        let first = v.next().expect("a sequence of at least two");
        // Where the derivative is cut, after each entry but the last.
        let mut cuts = Vec::with_capacity(n - 1);
        cuts.push((first - t, first + t));
        self.0.push_back(Knot { at: first - t, slope: 1.0, constant: t - first });
        self.0.push_back(Knot { at: first + t, slope: -1.0, constant: first + t });
        for value in v.by_ref().take(n - 2) {
            cuts.push(self.cut(value, t));
        }
        let last = v.next().expect("a sequence of at least two");
        let (slope, constant) = self.skip_left(-t - last, 0.0);
        let mut level = -constant / slope;
        let mut levels = vec![level; n];
        for (to, cut) in levels.iter_mut().zip(&cuts).rev() {
            level = level.max(cut.0).min(cut.1);
            *to = level;
        }
        levels
    }

    /// Adds an entry, cuts the derivative to [-t, t], and returns where it is cut.
    fn cut(&mut self, value: f64, t: f64) -> (f64, f64) {
        let (slope, constant) = self.skip_left(-t - value, -t);
        let (mut fall, mut rest) = (-1.0, value - t);
        while let Some(k) = self.0.back() {
            if -fall * k.at - rest < t {
                break;
            }
            fall += k.slope;
            rest += k.constant;
            self.0.pop_back();
        }
        let ends = ((-t - constant) / slope, (t + rest) / -fall);
        self.0.push_front(Knot { at: ends.0, slope, constant: constant + t });
        self.0.push_back(Knot { at: ends.1, slope: fall, constant: rest + t });
        ends
    }

    /// Removes the knots at which the derivative is not above a value; the line from there on.
    fn skip_left(&mut self, mut constant: f64, above: f64) -> (f64, f64) {
        let mut slope = 1.0;
        while let Some(k) = self.0.front() {
            if slope * k.at + constant > above {
                break;
            }
            slope += k.slope;
            constant += k.constant;
            self.0.pop_front();
        }
        (slope, constant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denoised(v: &[f64], t: f64) -> Vec<f64> {
        let mut out = vec![0.0; v.len()];
        total_variation(&mut out, &[v, &[t]]);
        out
    }

    /// By the definition of the prox: the sums of `v - u` are the dual variables, at most t, and t where u steps.
    fn check(v: &[f64], t: f64) {
        let u = denoised(v, t);
        let mut dual = 0.0;
        let size = v.iter().fold(t, |m: f64, v| m.max(v.abs()));
        let slack = 1e-12 * size * v.len() as f64;
        for i in 0..v.len() - 1 {
            dual += v[i] - u[i];
            assert!(dual.abs() <= t + slack, "entry {i} of {v:?}: {dual}");
            let step = u[i + 1] - u[i];
            assert!(
                step == 0.0 || (dual + t * step.signum()).abs() <= slack,
                "entry {i} of {v:?}: {dual}, step {step}"
            );
        }
        assert!((dual + v[v.len() - 1] - u[v.len() - 1]).abs() <= slack, "the means agree");
    }

    #[test]
    fn known_total_variations() {
        assert_eq!(denoised(&[3.0, 1.0], 0.5), [2.5, 1.5]);
        assert_eq!(denoised(&[3.0, 1.0], 5.0), [2.0, 2.0]);
        assert_eq!(denoised(&[0.0, 0.0, 4.0, 0.0, 0.0], 1.0), [0.5, 0.5, 2.0, 0.5, 0.5]);
        assert_eq!(denoised(&[7.0], 5.0), [7.0]);
        assert_eq!(denoised(&[], 5.0), [0.0; 0]);
        assert!(denoised(&[1.0, f64::NAN], 1.0).iter().all(|u| u.is_nan()));
    }

    #[test]
    fn total_variations_meet_the_conditions_of_their_optimum() {
        let mut draw = crate::data::symmetric(0, 3, "runs");
        for n in [2, 3, 7, 50, 400] {
            for t in [1e-3, 0.1, 1.0, 30.0] {
                let noise: Vec<f64> = (0..n).map(|_| draw()).collect();
                check(&noise, t);
                check(&noise.iter().enumerate().map(|(i, e)| i as f64 + e).collect::<Vec<f64>>(), t);
                check(&noise.iter().map(|e| 1e6 + e.round()).collect::<Vec<f64>>(), t);
            }
        }
    }

    #[test]
    fn falling_sequences() {
        let fitted = |z: &[f64]| {
            let mut out = vec![0.0; z.len()];
            isotonic(&mut out, &[z]);
            out
        };
        assert_eq!(fitted(&[3.0, 2.0, 1.0]), [3.0, 2.0, 1.0]);
        assert_eq!(fitted(&[1.0, 3.0, 2.0]), [2.0, 2.0, 2.0]);
        assert_eq!(fitted(&[4.0, 1.0, 3.0, 0.0]), [4.0, 2.0, 2.0, 0.0]);
        assert_eq!(fitted(&[1.0, 2.0, 6.0]), [3.0, 3.0, 3.0]);
    }

    #[test]
    fn orders_are_inverse() {
        let (key, b) = ([1.0, 3.0, -1.0, 3.0], [1.0, 2.0, 3.0, 4.0]);
        let (mut there, mut back) = ([0.0; 4], [0.0; 4]);
        permute(&mut there, &[&key, &b]);
        assert_eq!(there, [2.0, 4.0, 1.0, 3.0]);
        unpermute(&mut back, &[&key, &there]);
        assert_eq!(back, b);
    }
}
