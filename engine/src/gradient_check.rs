//! `blo grad`: every derivative a method may use, computed four ways at one point. Reverse and forward mode are the rules
//! of `diff`; the oracle is num-dual arithmetic over the same Function, which shares no rule with them; central
//! differences share nothing at all. The point is the start, moved a little at random and projected onto the sets, so
//! that it does not sit on a kink by design.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::data::stream;
use crate::diff::{forward, reverse};
use crate::elementwise;
use crate::graph::{Elem, Formal, Function, Graph, NodeId, Op};
use crate::model::problem::{Problem, ProxUse, Variable};
use crate::model::{Bindings, Bound};
use crate::oracle::{self, Tensor, Value};
use crate::prox::Arguments;
use crate::shape::Sizes;

/// Entries checked per variable; larger variables are sampled evenly.
const ENTRIES: usize = 48;
/// Agreement of the exact modes, relative to the largest derivative of the variable.
const EXACT: f64 = 1e-9;
/// Agreement with central differences.
const DIFFERENCE: f64 = 1e-4;

/// The derivative of one function in one variable.
#[derive(Clone, Debug)]
pub struct Check {
    /// Which derivative, such as `F_x` or `prox of y in x`.
    pub name: String,
    /// How many entries were compared.
    pub entries: usize,
    /// The entry with the largest disagreement.
    pub worst: Worst,
    /// True when all modes agree.
    pub agrees: bool,
    /// Where the variable is declared.
    pub span: Span,
}

/// The worst entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    /// Its one-based position, row-major.
    pub entry: usize,
    /// Reverse mode.
    pub reverse: f64,
    /// Forward mode.
    pub forward: f64,
    /// num-dual.
    pub oracle: f64,
    /// Central difference.
    pub difference: f64,
    /// Largest disagreement of reverse, forward and oracle, relative to the variable's largest derivative.
    pub exact_error: f64,
    /// Disagreement of reverse mode with the central difference, relative likewise.
    pub difference_error: f64,
}

/// Checks every derivative of a problem at its start, moved by normal noise of size `spread`.
///
/// # Errors
/// When the memory does not suffice: every array of every formula is kept.
pub fn check(problem: &Problem, bindings: &Bindings, spread: f64, seed: u64) -> Result<Vec<Check>, Box<Diagnostic>> {
    problem.affords(&problem.start, &bindings.sizes, 1.0)?;
    let point = point(problem, bindings, spread, seed);
    let mut checks = Vec::new();
    let mut scalars = vec![("F", &problem.upper().objective), ("f", &problem.lower().objective)];
    if let Some(g) = &problem.lower().regularizer {
        scalars.push(("g", g));
    }
    for (name, f) in scalars {
        for v in problem.variables().filter(|v| f.depends_on(v.formal)) {
            let name = format!("{name}_{}", v.name);
            checks.push(compare(&name, f, v.formal, v.span, &point, (problem, bindings))?);
        }
        for (item, _, row) in problem.multiplier_inputs().filter(|(item, ..)| f.depends_on(item.formal)) {
            let name = format!("{name}_multiplier({row})");
            checks.push(compare(&name, f, item.formal, item.span, &point, (problem, bindings))?);
        }
    }
    for (name, f) in rows(problem) {
        for v in problem.variables().filter(|v| f.depends_on(v.formal)) {
            checks.push(compare(&format!("{name}_{}", v.name), &f, v.formal, v.span, &point, (problem, bindings))?);
        }
    }
    // Second derivatives: the gradient is a Function like any other; a fixed direction makes it a number.
    for y in problem.lower().variables.iter().filter(|y| problem.lower().objective.depends_on(y.formal)) {
        let gradient = directional_gradient(&problem.lower().objective, y.formal);
        for v in problem.variables().filter(|v| gradient.depends_on(v.formal)) {
            let name = format!("f_{}{} u", y.name, v.name);
            checks.push(compare(&name, &gradient, v.formal, v.span, &point, (problem, bindings))?);
        }
    }
    for v in problem.variables() {
        let map = if let Some(p) = &v.prox {
            prox_map(problem, v, p)
        } else if v.set.is_some() {
            projection(problem, v)
        } else {
            continue;
        };
        let mut inputs = point.clone();
        let shape = v.shape.sizes(&bindings.sizes).unwrap_or_default();
        inputs.push(Value::Real(random(&shape, 1.0, seed, &format!("argument of prox of {}", v.name))));
        inputs.push(Value::Real(Tensor::scalar(0.3)));
        let first = map.inputs.len() - 2;
        for (i, what) in (0..map.inputs.len()).filter(|i| map.depends_on(*i)).filter_map(|i| {
            let variable = problem.variables().find(|u| u.formal == i).map(|u| u.name.clone());
            let own = (i == first).then(|| "v".to_string()).or((i == first + 1).then(|| "the step".to_string()));
            Some((i, own.or(variable)?))
        }) {
            let name = format!("prox of {} in {what}", v.name);
            checks.push(compare(&name, &map, i, v.span, &inputs, (problem, bindings))?);
        }
    }
    Ok(checks)
}

/// The rows of all levels, each against fixed weights; one without a name by its number in its level.
fn rows(problem: &Problem) -> Vec<(String, Function)> {
    let mut all = Vec::new();
    for (level, word) in problem.levels.iter().zip(["upper", "lower"]) {
        for (k, row) in level.constraints.iter().enumerate() {
            let name = if row.named { row.name.clone() } else { format!("{word} row {}", k + 1) };
            let is_second = k.checked_sub(1).is_some_and(|before| level.constraints[before].span == row.span);
            let name = if is_second { format!("{name}, second") } else { name };
            all.push((name, weighted(&row.value, 0)));
        }
    }
    all
}

/// `u' f_y` for a fixed direction `u`: a scalar whose gradient is a Hessian-vector product.
fn directional_gradient(f: &Function, wrt: usize) -> Function {
    weighted(&reverse::gradient(f, &[wrt]), 0)
}

/// A scalar: an output against fixed weights `cos(1), cos(2), ...`, which no symmetry annihilates.
fn weighted(f: &Function, output: usize) -> Function {
    let mut g = Graph::new();
    let inputs: Vec<NodeId> = f.inputs.iter().enumerate().map(|(i, x)| g.input(i, x.shape.clone(), x.elem)).collect();
    let out = f.instantiate(&mut g, &inputs)[output];
    let shape = g.shape(out).clone();
    let node = match shape.count() {
        Some(count) if !shape.is_scalar() => {
            let iota = g.iota(&count);
            let one = g.constant(1.0);
            let shifted = g.add(iota, one);
            let weights = g.elementwise(elementwise::COS, &[shifted]);
            let flat = g.reshape(out, &crate::shape::Shape(vec![count]));
            let product = g.mul(weights, flat);
            g.sum_all(product)
        }
        _ => g.sum_all(out),
    };
    Function::new(f.name.clone(), &g, f.inputs.clone(), &[node])
}

/// The prox of a variable as a function of the formals, then `v` and the step.
fn prox_map(problem: &Problem, variable: &Variable, p: &ProxUse) -> Function {
    map_of(problem, variable, |g, formals, v, step| {
        let weights = p.weights.instantiate(g, formals);
        let bounds = variable.set.as_ref().filter(|_| p.with_box).map(|s| s.parameters.instantiate(g, formals));
        let bounds = bounds.map(|b| (b[0], b[1]));
        p.map.apply(g, &Arguments { v, step, weights: &weights, bounds })
    })
}

fn projection(problem: &Problem, variable: &Variable) -> Function {
    map_of(problem, variable, |g, formals, v, _| match &variable.set {
        Some(set) => {
            let parameters = set.parameters.instantiate(g, formals);
            set.project(g, v, &parameters)
        }
        None => v,
    })
}

fn map_of(
    problem: &Problem,
    variable: &Variable,
    build: impl FnOnce(&mut Graph, &[NodeId], NodeId, NodeId) -> NodeId,
) -> Function {
    let mut inputs = problem.formals.clone();
    inputs.push(Formal { name: "v".into(), shape: variable.shape.clone(), elem: Elem::Real });
    inputs.push(Formal { name: "step".into(), shape: Default::default(), elem: Elem::Real });
    let mut g = Graph::new();
    let nodes: Vec<NodeId> = inputs.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let n = problem.formals.len();
    let out = build(&mut g, &nodes[..n], nodes[n], nodes[n + 1]);
    weighted(&Function::new(format!("prox of {}", variable.name), &g, inputs, &[out]), 0)
}

/// One scalar function in one input.
fn compare(
    name: &str,
    f: &Function,
    wrt: usize,
    span: Span,
    point: &[Value<f64>],
    (problem, bindings): (&Problem, &Bindings),
) -> Result<Check, Box<Diagnostic>> {
    let sizes = &bindings.sizes;
    let gradient = reverse::gradient(f, &[wrt]);
    // A dual number is two numbers.
    problem.affords(f, sizes, 2.0)?;
    problem.affords(&gradient, sizes, 1.0)?;
    let Value::Real(at) = &point[wrt] else { unreachable!("derivatives are taken in numbers") };
    let count = at.values.len();
    let reverse = oracle::evaluate(&gradient, sizes, point).swap_remove(0).values;
    let tangent = forward::jvp(f, &[wrt]);
    problem.affords(&tangent, sizes, 1.0)?;
    let entries: Vec<usize> =
        if count <= ENTRIES { (0..count).collect() } else { (0..ENTRIES).map(|k| k * count / ENTRIES).collect() };
    let unit = |i: usize, size: f64| {
        let mut v = vec![0.0; count];
        v[i] = size;
        v
    };
    let mut rows = Vec::new();
    // Differences move what `stop` holds unless it is an input of its own.
    let (varied, held) = held(f, sizes, point);
    // Copied once: among the inputs are the data.
    let mut moved = point.to_vec();
    moved.extend(held);
    let mut inputs = point.to_vec();
    inputs.push(Value::Real(at.clone()));
    for i in &entries {
        inputs[point.len()] = Value::Real(Tensor::new(at.shape.clone(), unit(*i, 1.0)));
        let forward = oracle::evaluate(&tangent, sizes, &inputs)[0].values[0];
        let direction: Vec<Option<Vec<f64>>> = (0..point.len()).map(|k| (k == wrt).then(|| unit(*i, 1.0))).collect();
        let dual = oracle::directional(f, sizes, point, &direction).1[0].values[0];
        let h = 6e-6 * at.values[*i].abs().max(1.0);
        let mut shifted = |sign: f64| {
            let mut values = at.values.clone();
            values[*i] += sign * h;
            moved[wrt] = Value::Real(Tensor::new(at.shape.clone(), values));
            oracle::evaluate(&varied, sizes, &moved)[0].values[0]
        };
        let difference = (shifted(1.0) - shifted(-1.0)) / (2.0 * h);
        rows.push((*i, reverse[*i], forward, dual, difference));
    }
    let value = oracle::evaluate(f, sizes, point)[0].values[0].abs();
    // What cancels, such as a shift that a later normalization takes away, leaves the rounding of its terms.
    let least = 1e-6 * value.max(1.0);
    let scale = rows.iter().map(|r| r.1.abs().max(r.3.abs())).fold(least, f64::max);
    // Rounding of a central difference grows with the value itself.
    let noise = scale.max(value * 1e-6).max(1e-6);
    let mut worst = Worst::default();
    let mut agrees = true;
    for (k, (i, reverse, forward, dual, difference)) in rows.iter().enumerate() {
        let exact_error = (reverse - dual).abs().max((forward - dual).abs()).max((reverse - forward).abs()) / scale;
        let difference_error = (reverse - difference).abs() / noise;
        // A NaN agrees with nothing.
        let good = exact_error <= EXACT && difference_error <= DIFFERENCE;
        agrees &= good;
        let badness = (exact_error / EXACT).max(difference_error / DIFFERENCE);
        let so_far = (worst.exact_error / EXACT).max(worst.difference_error / DIFFERENCE);
        if k == 0 || badness > so_far || badness.is_nan() {
            worst = Worst {
                entry: i + 1,
                reverse: *reverse,
                forward: *forward,
                oracle: *dual,
                difference: *difference,
                exact_error,
                difference_error,
            };
        }
    }
    Ok(Check { name: name.to_string(), entries: entries.len(), worst, agrees, span })
}

/// A function with further inputs in the place of what `stop` holds, and the values of these at a point.
fn held(f: &Function, sizes: &Sizes, point: &[Value<f64>]) -> (Function, Vec<Value<f64>>) {
    let from = f.graph();
    let used = from.reachable(f.outputs());
    let is_held = |id: NodeId| used[id.0 as usize] && *from.op(id) == Op::Elementwise(elementwise::STOP);
    let nodes: Vec<NodeId> = from.ids().filter(|id| is_held(*id)).collect();
    if nodes.is_empty() {
        return (f.clone(), Vec::new());
    }
    let values = oracle::evaluate(&Function::new("held", from, f.inputs.clone(), &nodes), sizes, point);
    let mut inputs = f.inputs.clone();
    let shape = |id: &NodeId| from.shape(*id).clone();
    inputs.extend(nodes.iter().map(|id| Formal { name: "held".into(), shape: shape(id), elem: Elem::Real }));
    let mut g = Graph::new();
    let given: Vec<NodeId> = inputs.iter().enumerate().map(|(i, x)| g.input(i, x.shape.clone(), x.elem)).collect();
    let mut images: Vec<Option<NodeId>> = vec![None; from.len()];
    for id in from.ids() {
        let image = match (nodes.iter().position(|held| *held == id), from.op(id)) {
            (Some(k), _) => given[f.inputs.len() + k],
            (None, Op::Input(i)) => given[*i as usize],
            (None, op) => {
                let args: Option<Vec<NodeId>> = from.args(id).iter().map(|a| images[a.0 as usize]).collect();
                let Some(args) = args else { continue };
                g.push(op.clone(), args, from.shape(id).clone())
            }
        };
        images[id.0 as usize] = Some(image);
    }
    let outputs: Vec<NodeId> = f.outputs().iter().filter_map(|o| images[o.0 as usize]).collect();
    (Function::new(f.name.clone(), &g, inputs, &outputs), values.into_iter().map(Value::Real).collect())
}

/// A value per formal of the problem: the start, moved by normal noise of size `spread` and projected onto the sets;
/// then the data.
pub fn point(problem: &Problem, bindings: &Bindings, spread: f64, seed: u64) -> Vec<Value<f64>> {
    let count = problem.variables().count();
    let data: Vec<Value<f64>> = bindings.values.iter().map(Bound::value).collect();
    let zeros = problem.variables().map(|v| {
        let shape = v.shape.sizes(&bindings.sizes).unwrap_or_default();
        let n = shape.iter().product();
        Value::Real(Tensor::new(shape, vec![0.0; n]))
    });
    let mut inputs: Vec<Value<f64>> = zeros.chain(data).collect();
    // no run has given multipliers yet
    for (item, _, name) in problem.multiplier_inputs() {
        let shape = item.shape.sizes(&bindings.sizes).unwrap_or_default();
        inputs[item.formal] = Value::Real(random(&shape, 1.0, seed, &format!("multiplier of {name}")));
    }
    let start = oracle::evaluate(&problem.start, &bindings.sizes, &inputs);
    for (v, s) in problem.variables().zip(start) {
        let noise = random(&s.shape, spread, seed, &v.name);
        let mut moved = |sign: f64| {
            let values = s.values.iter().zip(&noise.values).map(|(a, b)| a + sign * b).collect();
            inputs[v.formal] = Value::Real(Tensor::new(s.shape.clone(), values));
            oracle::evaluate(&project_at(problem, v), &bindings.sizes, &inputs).swap_remove(0)
        };
        let mut point = moved(1.0);
        if v.set.is_some() {
            // Between the nearest points of both sides lies a point off the boundary, also where the start is on it:
            // differences stay inside.
            let other = moved(-1.0);
            point.values.iter_mut().zip(&other.values).for_each(|(p, o)| *p = 0.75 * *p + 0.25 * o);
        }
        inputs[v.formal] = Value::Real(point);
    }
    debug_assert!(inputs.len() >= count);
    inputs
}

fn project_at(problem: &Problem, variable: &Variable) -> Function {
    let mut g = Graph::new();
    let formals = problem.formals.iter().enumerate();
    let nodes: Vec<NodeId> = formals.map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let out = match &variable.set {
        Some(set) => {
            let parameters = set.parameters.instantiate(&mut g, &nodes);
            set.project(&mut g, nodes[variable.formal], &parameters)
        }
        None => nodes[variable.formal],
    };
    Function::new("projection", &g, problem.formals.clone(), &[out])
}

fn random(shape: &[usize], size: f64, seed: u64, name: &str) -> Tensor<f64> {
    use rand_chacha::rand_core::Rng;
    let mut rng = stream(seed, 0, name);
    let n = shape.iter().product();
    // Uniform on [-1, 1) is enough: only general position matters.
    let values = (0..n).map(|_| size * ((rng.next_u64() >> 11) as f64 * 2f64.powi(-52) - 1.0)).collect();
    Tensor::new(shape.to_vec(), values)
}
