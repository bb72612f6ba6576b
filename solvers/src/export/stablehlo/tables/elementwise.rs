//! A rule for every elementwise function: what it is in StableHLO. Rules are found by the names of the table; a test holds
//! that every entry has one. All operands have the shape of the result.

use super::Rule;
use crate::export::stablehlo::block::{Block, Value};

/// The elementwise functions, by the names of their table.
pub(super) const ELEMENTWISE: &[(&str, Rule)] = &[
    ("+", Rule::Binary("add")),
    ("-", Rule::Binary("subtract")),
    (".*", Rule::Binary("multiply")),
    ("./", Rule::Binary("divide")),
    ("neg", Rule::Unary("negate")),
    ("abs", Rule::Unary("abs")),
    ("and", Rule::Own(|b, x| both(b, x, "and"))),
    ("or", Rule::Own(|b, x| both(b, x, "or"))),
    ("not", Rule::Own(|b, x| compared(b, "EQ", &x[0], None))),
    ("<", Rule::Own(|b, x| compared(b, "LT", &x[0], Some(&x[1])))),
    ("<=", Rule::Own(|b, x| compared(b, "LE", &x[0], Some(&x[1])))),
    ("==", Rule::Own(|b, x| compared(b, "EQ", &x[0], Some(&x[1])))),
    ("!=", Rule::Own(|b, x| compared(b, "NE", &x[0], Some(&x[1])))),
    ("if", Rule::Own(choice)),
    ("atan", Rule::Own(atan)),
    ("ceil", Rule::Unary("ceil")),
    ("cos", Rule::Unary("cosine")),
    ("cosh", Rule::Unary("cosh")),
    ("erf", Rule::Unary("erf")),
    ("exp", Rule::Unary("exponential")),
    ("floor", Rule::Unary("floor")),
    ("gelu", Rule::Own(gelu)),
    ("huber", Rule::Own(huber)),
    ("log", Rule::Unary("log")),
    ("log1p", Rule::Unary("log_plus_one")),
    ("max", Rule::Binary("maximum")),
    ("mcp", Rule::Own(mcp)),
    ("min", Rule::Binary("minimum")),
    ("mod", Rule::Own(modulo)),
    ("pow", Rule::Binary("power")),
    ("relu", Rule::Own(|b, x| b.with_number("maximum", &x[0], 0.0))),
    ("round", Rule::Unary("round_nearest_afz")),
    ("safe_div", Rule::Own(|b, x| safe_div(b, &x[0], &x[1]))),
    ("scad", Rule::Own(scad)),
    ("sigmoid", Rule::Unary("logistic")),
    ("sign", Rule::Unary("sign")),
    ("silu", Rule::Own(|b, x| times_sigmoid(b, &x[0], &x[0]))),
    ("sin", Rule::Unary("sine")),
    ("sinh", Rule::Unary("sinh")),
    ("soft", Rule::Own(soft)),
    ("softplus", Rule::Own(softplus)),
    ("sqrt", Rule::Unary("sqrt")),
    ("square", Rule::Own(|b, x| b.binary("multiply", &x[0], &x[0]))),
    ("stop", Rule::Own(|_, x| x[0].clone())),
    ("tan", Rule::Unary("tan")),
    ("tanh", Rule::Unary("tanh")),
];

/// 1 where two numbers compare so, else 0; without the second one it is 0.
fn compared(b: &mut Block, how: &str, x: &Value, y: Option<&Value>) -> Value {
    let which = match y {
        Some(y) => b.compare(how, x, y),
        None => against_zero(b, how, x),
    };
    b.indicator(&which)
}

fn against_zero(b: &mut Block, how: &str, x: &Value) -> Value {
    let zero = b.real(0.0, x.shape());
    b.compare(how, x, &zero)
}

/// Numbers as truth values: what is not 0 is true.
fn both(b: &mut Block, x: &[Value], operation: &str) -> Value {
    let [first, second] = [0, 1].map(|i| against_zero(b, "NE", &x[i]));
    let which = b.binary(operation, &first, &second);
    b.indicator(&which)
}

/// `x[1]` where `x[0]` is not 0, else `x[2]`.
fn choice(b: &mut Block, x: &[Value]) -> Value {
    let which = against_zero(b, "NE", &x[0]);
    b.select(&which, &x[1], &x[2])
}

fn atan(b: &mut Block, x: &[Value]) -> Value {
    let one = b.real(1.0, x[0].shape());
    b.binary("atan2", &x[0], &one)
}

/// `x sigmoid(u)`.
fn times_sigmoid(b: &mut Block, x: &Value, u: &Value) -> Value {
    let s = b.unary("logistic", u);
    b.binary("multiply", x, &s)
}

/// `x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))`.
fn gelu(b: &mut Block, x: &[Value]) -> Value {
    let linear = 2.0 * std::f64::consts::FRAC_2_PI.sqrt();
    let squared = b.binary("multiply", &x[0], &x[0]);
    let bent = b.with_number("multiply", &squared, linear * 0.044_715);
    let factor = b.with_number("add", &bent, linear);
    let u = b.binary("multiply", &x[0], &factor);
    times_sigmoid(b, &x[0], &u)
}

/// `x^2/2` within d of 0, else `d (|x| - d/2)`.
fn huber(b: &mut Block, x: &[Value]) -> Value {
    let (x, d) = (&x[0], &x[1]);
    let size = b.unary("abs", x);
    let near = b.compare("LE", &size, d);
    let squared = b.binary("multiply", x, x);
    let inner = b.with_number("multiply", &squared, 0.5);
    let half = b.with_number("multiply", d, 0.5);
    let beyond = b.binary("subtract", &size, &half);
    let outer = b.binary("multiply", d, &beyond);
    b.select(&near, &inner, &outer)
}

/// `|x| (l - |x|/(2 b))` below `b l`, else `b l^2/2`.
fn mcp(block: &mut Block, x: &[Value]) -> Value {
    let (x, b, l) = (&x[0], &x[1], &x[2]);
    let size = block.unary("abs", x);
    let end = block.binary("multiply", b, l);
    let within = block.compare("LT", &size, &end);
    let half = block.with_number("multiply", &size, 0.5);
    let share = block.binary("divide", &half, b);
    let slope = block.binary("subtract", l, &share);
    let inner = block.binary("multiply", &size, &slope);
    let most = block.binary("multiply", &end, l);
    let outer = block.with_number("multiply", &most, 0.5);
    block.select(&within, &inner, &outer)
}

/// `l |x|` up to l, then a parabola up to `a l`, then a constant.
fn scad(b: &mut Block, x: &[Value]) -> Value {
    let (x, a, l) = (&x[0], &x[1], &x[2]);
    let size = b.unary("abs", x);
    let end = b.binary("multiply", a, l);
    let left = b.binary("subtract", &end, &size);
    let squared = b.binary("multiply", &left, &left);
    let less = b.with_number("subtract", a, 1.0);
    let share = b.binary("divide", &squared, &less);
    let more = b.with_number("add", a, 1.0);
    let square = b.binary("multiply", l, l);
    let most = b.binary("multiply", &square, &more);
    let bent = b.binary("subtract", &most, &share);
    let [middle, outer] = [&bent, &most].map(|v| b.with_number("multiply", v, 0.5));
    let inner = b.binary("multiply", l, &size);
    let is_inner = b.compare("LE", &size, l);
    let is_middle = b.compare("LT", &size, &end);
    let beyond = b.select(&is_middle, &middle, &outer);
    b.select(&is_inner, &inner, &beyond)
}

/// `a - b floor(a/b)`.
fn modulo(block: &mut Block, x: &[Value]) -> Value {
    let (a, b) = (&x[0], &x[1]);
    let ratio = block.binary("divide", a, b);
    let whole = block.unary("floor", &ratio);
    let most = block.binary("multiply", b, &whole);
    block.binary("subtract", a, &most)
}

/// `a/b`, and 0 where b is 0.
pub(super) fn safe_div(block: &mut Block, a: &Value, b: &Value) -> Value {
    let zero = block.real(0.0, b.shape());
    let one = block.real(1.0, b.shape());
    let which = block.compare("EQ", b, &zero);
    let safe = block.select(&which, &one, b);
    let ratio = block.binary("divide", a, &safe);
    block.select(&which, &zero, &ratio)
}

/// x moved towards 0 by t.
fn soft(b: &mut Block, x: &[Value]) -> Value {
    let size = b.unary("abs", &x[0]);
    let less = b.binary("subtract", &size, &x[1]);
    let kept = b.with_number("maximum", &less, 0.0);
    let sign = b.unary("sign", &x[0]);
    b.binary("multiply", &sign, &kept)
}

/// `max(x, 0) + log1p(exp(-|x|))`.
fn softplus(b: &mut Block, x: &[Value]) -> Value {
    let size = b.unary("abs", &x[0]);
    let minus = b.unary("negate", &size);
    let small = b.unary("exponential", &minus);
    let rest = b.unary("log_plus_one", &small);
    let positive = b.with_number("maximum", &x[0], 0.0);
    b.binary("add", &positive, &rest)
}
