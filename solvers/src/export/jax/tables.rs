//! A rule for every elementwise function and every opaque operation: what it is in JAX. Rules are found by the names of
//! the tables; a test holds that every entry has one.

use super::code::{Code, Level};

/// What an entry is in Python.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// An operator between two operands.
    Infix(&'static str, Level),
    /// An expression in the operands `{0}`, `{1}`, ..., each an argument of a call.
    Call(&'static str),
    /// A call of a function of the program, with its text.
    Own(&'static str, &'static str),
    /// Not exported: why, and what to do.
    Refused(&'static str),
}

/// The elementwise functions, by the names of their table.
pub(super) const ELEMENTWISE: &[(&str, Rule)] = &[
    ("+", Rule::Infix("+", Level::Sum)),
    ("-", Rule::Infix("-", Level::Sum)),
    (".*", Rule::Infix("*", Level::Product)),
    ("./", Rule::Infix("/", Level::Product)),
    ("abs", Rule::Call("jnp.abs({0})")),
    ("and", Rule::Call("jnp.where(({0} != 0) & ({1} != 0), 1.0, 0.0)")),
    ("or", Rule::Call("jnp.where(({0} != 0) | ({1} != 0), 1.0, 0.0)")),
    ("not", Rule::Call("jnp.where({0} != 0, 0.0, 1.0)")),
    ("<", Rule::Call("jnp.where({0} < {1}, 1.0, 0.0)")),
    ("<=", Rule::Call("jnp.where({0} <= {1}, 1.0, 0.0)")),
    ("==", Rule::Call("jnp.where({0} == {1}, 1.0, 0.0)")),
    ("!=", Rule::Call("jnp.where({0} != {1}, 1.0, 0.0)")),
    ("if", Rule::Call("jnp.where({0} != 0, {1}, {2})")),
    ("atan", Rule::Call("jnp.arctan({0})")),
    ("ceil", Rule::Call("jnp.ceil({0})")),
    ("cos", Rule::Call("jnp.cos({0})")),
    ("cosh", Rule::Call("jnp.cosh({0})")),
    ("erf", Rule::Call("jax.scipy.special.erf({0})")),
    ("exp", Rule::Call("jnp.exp({0})")),
    ("floor", Rule::Call("jnp.floor({0})")),
    ("gelu", Rule::Call("jax.nn.gelu({0}, approximate=True)")),
    ("huber", Rule::Own("huber", HUBER)),
    ("log", Rule::Call("jnp.log({0})")),
    ("log1p", Rule::Call("jnp.log1p({0})")),
    ("max", Rule::Call("jnp.maximum({0}, {1})")),
    ("mcp", Rule::Own("mcp", MCP)),
    ("min", Rule::Call("jnp.minimum({0}, {1})")),
    ("mod", Rule::Own("modulo", MODULO)),
    ("pow", Rule::Infix("**", Level::Power)),
    ("relu", Rule::Call("jnp.maximum({0}, 0.0)")),
    ("round", Rule::Own("rounded", ROUNDED)),
    ("safe_div", Rule::Own("safe_div", SAFE_DIV)),
    ("scad", Rule::Own("scad", SCAD)),
    ("sigmoid", Rule::Call("jax.nn.sigmoid({0})")),
    ("sign", Rule::Call("jnp.sign({0})")),
    ("silu", Rule::Call("jax.nn.silu({0})")),
    ("sin", Rule::Call("jnp.sin({0})")),
    ("sinh", Rule::Call("jnp.sinh({0})")),
    ("soft", Rule::Own("soft", SOFT)),
    ("softplus", Rule::Call("jax.nn.softplus({0})")),
    ("sqrt", Rule::Call("jnp.sqrt({0})")),
    ("square", Rule::Call("jnp.square({0})")),
    ("stop", Rule::Call("lax.stop_gradient({0})")),
    ("tan", Rule::Call("jnp.tan({0})")),
    ("tanh", Rule::Call("jnp.tanh({0})")),
];

/// The opaque operations, by the names of their table. `neg` is with the operations: it is a sign.
pub(super) const OPAQUE: &[(&str, Rule)] = &[
    ("cholesky", Rule::Call("jnp.linalg.cholesky(({0} + {0}.T) / 2)")),
    ("eigenvectors", Rule::Call("jnp.linalg.eigh(({0} + {0}.T) / 2)[1]")),
    ("group_shrink", Rule::Own("group_shrink", GROUP_SHRINK)),
    ("isotonic", Rule::Refused(SEQUENCE)),
    ("logdet", Rule::Call("2 * jnp.sum(jnp.log(jnp.diagonal({1})))")),
    ("nuclear", Rule::Call("jnp.sum(jnp.linalg.svd({0}, compute_uv=False))")),
    ("permute", Rule::Own("permute", PERMUTE)),
    (
        "positive_bend",
        Rule::Refused("write the set as `psd` of a lower level that a first-order method takes, such as meha"),
    ),
    ("positive_part", Rule::Own("positive_part", POSITIVE_PART)),
    ("positive_slope", Rule::Own("positive_slope", POSITIVE_SLOPE)),
    ("pseudo_inverse", Rule::Call("jnp.linalg.pinv({0}).T")),
    ("rotation", Rule::Own("rotation", ROTATION)),
    ("rotation_along", Rule::Refused(VALUES)),
    ("run_means", Rule::Refused(SEQUENCE)),
    ("shrink_values", Rule::Own("shrink_values", SHRINK_VALUES)),
    ("shrink_values_along", Rule::Refused(VALUES)),
    ("simplex", Rule::Own("simplex", SIMPLEX)),
    ("solve", Rule::Call("jax.scipy.linalg.cho_solve(({1}, True), {2})")),
    ("tv1d", Rule::Refused(SEQUENCE)),
    ("unpermute", Rule::Own("unpermute", UNPERMUTE)),
];

const SEQUENCE: &str =
    "its algorithm runs along the sequence and has no counterpart in JAX: run the file with `blo solve`";
const VALUES: &str =
    "derivatives of singular values have no stable counterpart in JAX: a first-order method such as meha needs none";

const HUBER: &str = "def huber(x, d):
    return jnp.where(jnp.abs(x) <= d, 0.5 * x * x, d * (jnp.abs(x) - 0.5 * d))
";
const MCP: &str = "def mcp(x, b, l):
    size = jnp.abs(x)
    return jnp.where(size < b * l, size * (l - 0.5 * size / b), 0.5 * b * l * l)
";
const MODULO: &str = "def modulo(a, b):
    return a - b * jnp.floor(a / b)
";
const ROUNDED: &str = "def rounded(x):
    \"\"\"The nearest whole number, halves away from zero.\"\"\"
    return jnp.sign(x) * jnp.floor(jnp.abs(x) + 0.5)
";
const SAFE_DIV: &str = "def safe_div(a, b):
    \"\"\"a / b, and 0 where b is 0.\"\"\"
    return jnp.where(b == 0, 0.0, a / jnp.where(b == 0, 1.0, b))
";
const SCAD: &str = "def scad(x, a, l):
    size = jnp.abs(x)
    left = a * l - size
    middle = 0.5 * (l * l * (a + 1) - left * left / (a - 1))
    return jnp.where(size <= l, l * size, jnp.where(size < a * l, middle, 0.5 * l * l * (a + 1)))
";
const SOFT: &str = "def soft(x, t):
    \"\"\"The prox of t |x|: x moved towards 0 by t.\"\"\"
    return jnp.sign(x) * jnp.maximum(jnp.abs(x) - t, 0.0)
";
const GROUP_SHRINK: &str = "def group_shrink(v, t):
    \"\"\"Groups of v, as many as t has entries, each with its norm lowered by t, at least to 0.\"\"\"
    t = jnp.reshape(t, (-1, 1))
    blocks = jnp.reshape(v, (t.shape[0], -1))
    longest = jnp.maximum(jnp.linalg.norm(blocks, axis=1, keepdims=True), t)
    return jnp.reshape(blocks * (1 - safe_div(t, longest)) * (longest > t), v.shape)
";
const PERMUTE: &str = "def permute(key, b):
    \"\"\"b in the order in which key falls.\"\"\"
    return b[jnp.argsort(-key, stable=True)]
";
const UNPERMUTE: &str = "def unpermute(key, c):
    \"\"\"The array that is c in the order in which key falls.\"\"\"
    return jnp.zeros_like(c).at[jnp.argsort(-key, stable=True)].set(c)
";
const POSITIVE_PART: &str = "def positive_part(S, Q):
    \"\"\"The nearest positive semidefinite matrix, from the eigenvectors Q of S.\"\"\"
    w = jnp.diagonal(Q.T @ ((S + S.T) / 2) @ Q)
    return (Q * jnp.maximum(w, 0.0)) @ Q.T
";
const POSITIVE_SLOPE: &str = "def positive_slope(S, Q, H):
    \"\"\"The derivative of positive_part along H.\"\"\"
    w = jnp.diagonal(Q.T @ ((S + S.T) / 2) @ Q)
    rise = jnp.maximum(w, 0.0)[:, None] - jnp.maximum(w, 0.0)[None, :]
    gap = w[:, None] - w[None, :]
    slope = jnp.where(gap == 0, jnp.where(w > 0, 1.0, 0.0)[:, None], rise / jnp.where(gap == 0, 1.0, gap))
    return Q @ (slope * (Q.T @ ((H + H.T) / 2) @ Q)) @ Q.T
";
const ROTATION: &str = "def rotation(Y, t, columns):
    \"\"\"Y with its singular values above t set to 1, the others to 0.\"\"\"
    U, s, V = jnp.linalg.svd(Y, full_matrices=False)
    return (U * (s > t)) @ V
";
const SHRINK_VALUES: &str = "def shrink_values(Y, t, columns):
    \"\"\"Y with its singular values lowered by t, at least to 0: the prox of the nuclear norm.\"\"\"
    U, s, V = jnp.linalg.svd(Y, full_matrices=False)
    return (U * jnp.maximum(s - t, 0.0)) @ V
";
const SIMPLEX: &str = "def simplex(v, s):
    \"\"\"The nearest array with nonnegative entries of total s.\"\"\"
    u = jnp.sort(v.ravel())[::-1]
    count = jnp.arange(1, u.size + 1)
    tau = (jnp.cumsum(u) - s) / count
    last = jnp.max(jnp.where(u > tau, count, 1)) - 1
    return jnp.maximum(v - tau[last], 0.0)
";

/// Texts of the program's own functions that another one calls.
pub(super) fn needs(function: &str) -> Option<(&'static str, &'static str)> {
    (function == "group_shrink").then_some(("safe_div", SAFE_DIV))
}

/// The rule of an entry.
pub(super) fn rule(table: &[(&str, Rule)], name: &str) -> Option<Rule> {
    table.iter().find(|(entry, _)| *entry == name).map(|(_, rule)| *rule)
}

impl Rule {
    /// The expression of operands; `None` where the entry is refused.
    pub(super) fn apply(self, operands: &[Code]) -> Option<Code> {
        match self {
            Rule::Infix("**", _) => Some(power(&operands[0], &operands[1])),
            Rule::Infix(operator, level) => Some(Code::infix(&operands[0], operator, &operands[1], level)),
            Rule::Own(function, _) => Some(Code::call(function, operands)),
            Rule::Refused(_) => None,
            Rule::Call(form) => Some(filled(form, operands)),
        }
    }
}

/// `x**p`, with a whole p as an integer: it is exact then.
fn power(x: &Code, p: &Code) -> Code {
    let whole =
        p.text.strip_suffix(".0").filter(|digits| digits.len() < 3 && digits.chars().all(|c| c.is_ascii_digit()));
    let exponent = whole.map_or_else(|| p.within(Level::Atom), str::to_owned);
    Code { text: format!("{}**{exponent}", x.within(Level::Atom)), level: Level::Power, repeats: false }
}

/// A form with its operands put in; an operand beside an operator is put in parentheses where it has to be.
fn filled(form: &str, operands: &[Code]) -> Code {
    let mut text = form.to_owned();
    for (i, operand) in operands.iter().enumerate() {
        let mark = format!("{{{i}}}");
        let argument = [format!("({mark})"), format!("({mark},"), format!(", {mark})"), format!(", {mark},")];
        let plain = argument.iter().any(|a| form.contains(a.as_str())) && form.matches(&mark).count() == 1;
        let value = if plain { operand.text.clone() } else { operand.within(Level::Power) };
        text = text.replace(&mark, &value);
    }
    let level = if form.starts_with("2 *") { Level::Product } else { Level::Atom };
    Code { text, level, repeats: false }
}

#[cfg(test)]
mod tests {
    use blo_engine::elementwise;
    use blo_engine::opaque::KERNELS;

    use super::*;

    #[test]
    fn every_entry_of_the_tables_has_a_rule_or_a_reason() {
        let names: Vec<&str> = elementwise::TABLE.iter().map(|e| e.name).filter(|n| *n != "neg").collect();
        assert_eq!(sorted(names), sorted(ELEMENTWISE.iter().map(|(name, _)| *name).collect()));
        let kernels: Vec<&str> = KERNELS.iter().map(|k| k.name).collect();
        assert_eq!(sorted(kernels), sorted(OPAQUE.iter().map(|(name, _)| *name).collect()));
        for (name, rule) in ELEMENTWISE.iter().chain(OPAQUE) {
            match rule {
                Rule::Refused(why) => assert!(why.contains(": "), "{name}: a reason and what to do"),
                Rule::Own(function, text) => assert!(text.starts_with(&format!("def {function}(")), "{name}"),
                Rule::Infix(..) | Rule::Call(_) => {}
            }
        }
    }

    fn sorted(mut names: Vec<&str>) -> Vec<&str> {
        names.sort_unstable();
        names
    }

    #[test]
    fn operands_are_put_in_with_parentheses_where_they_have_to_be() {
        let sum = Code::infix(&Code::atom("a"), "+", &Code::atom("b"), Level::Sum);
        let of = |name: &str, operands: &[Code]| rule(ELEMENTWISE, name).unwrap().apply(operands).unwrap().text;
        assert_eq!(of("exp", std::slice::from_ref(&sum)), "jnp.exp(a + b)");
        assert_eq!(of("<", &[sum.clone(), Code::atom("c")]), "jnp.where((a + b) < c, 1.0, 0.0)");
        assert_eq!(of("pow", &[sum, Code::number(2.0)]), "(a + b)**2");
    }
}
