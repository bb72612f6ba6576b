//! The elementwise functions in AMPL and in GAMS: an expression in the operands `{0}`, `{1}`, ..., or why there is none.

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// In AMPL and in GAMS.
    Of(&'static str, &'static str),
    /// The same in both.
    Both(&'static str),
    /// In AMPL alone a reason why not, then in GAMS an expression.
    GamsOnly(&'static str, &'static str),
    /// Neither has it.
    Neither(&'static str),
}

use Rule::{Both, GamsOnly, Neither, Of};

const PROX: &str =
    "it belongs to a proximal map, which a modelling language has no need of: run the file with `blo solve`";
const PENALTY: &str = "its pieces are no smooth function: run the file with `blo solve`, or write `norm1`";
const NUMBERS: &str = "it has no derivative: use it of constants, as a `param`";

/// All entries, by the names of their table. `+ - .* ./ neg` are operators and stand with the operations.
pub(super) const ELEMENTWISE: &[(&str, Rule)] = &[
    ("abs", Both("abs({0})")),
    ("and", Of("(if {0} <> 0 and {1} <> 0 then 1 else 0)", "ifthen({0} <> 0 and {1} <> 0, 1, 0)")),
    ("or", Of("(if {0} <> 0 or {1} <> 0 then 1 else 0)", "ifthen({0} <> 0 or {1} <> 0, 1, 0)")),
    ("not", Of("(if {0} = 0 then 1 else 0)", "ifthen({0} = 0, 1, 0)")),
    ("<", Of("(if {0} < {1} then 1 else 0)", "ifthen({0} < {1}, 1, 0)")),
    ("<=", Of("(if {0} <= {1} then 1 else 0)", "ifthen({0} <= {1}, 1, 0)")),
    ("==", Of("(if {0} = {1} then 1 else 0)", "ifthen({0} = {1}, 1, 0)")),
    ("!=", Of("(if {0} <> {1} then 1 else 0)", "ifthen({0} <> {1}, 1, 0)")),
    ("if", Of("(if {0} <> 0 then {1} else {2})", "ifthen({0} <> 0, {1}, {2})")),
    ("atan", Of("atan({0})", "arctan({0})")),
    ("ceil", Neither(NUMBERS)),
    ("cos", Both("cos({0})")),
    ("cosh", Both("cosh({0})")),
    (
        "erf",
        GamsOnly(
            "AMPL has no error function: export to GAMS, or write `tanh`",
            "(2*errorf({0}*1.4142135623730951) - 1)",
        ),
    ),
    ("exp", Both("exp({0})")),
    ("floor", Neither(NUMBERS)),
    ("gelu", Both("({0}*0.5*(1 + tanh(0.7978845608028654*({0} + 0.044715*{0}*{0}*{0}))))")),
    (
        "huber",
        Of(
            "(if abs({0}) <= {1} then {0}^2/2 else {1}*(abs({0}) - {1}/2))",
            "ifthen(abs({0}) <= {1}, sqr({0})/2, {1}*(abs({0}) - {1}/2))",
        ),
    ),
    ("log", Both("log({0})")),
    ("log1p", Both("log(1 + {0})")),
    ("max", Both("max({0}, {1})")),
    ("mcp", Neither(PENALTY)),
    ("min", Both("min({0}, {1})")),
    ("mod", Neither(NUMBERS)),
    ("pow", Of("{0}^{1}", "{0}**{1}")),
    ("relu", Both("max({0}, 0)")),
    ("round", Neither(NUMBERS)),
    ("safe_div", Of("(if {1} = 0 then 0 else {0}/{1})", "ifthen({1} = 0, 0, {0}/{1})")),
    ("scad", Neither(PENALTY)),
    ("sigmoid", Both("(1/(1 + exp(-{0})))")),
    ("sign", Of("(if {0} > 0 then 1 else if {0} < 0 then -1 else 0)", "sign({0})")),
    ("silu", Both("({0}/(1 + exp(-{0})))")),
    ("sin", Both("sin({0})")),
    ("sinh", Both("sinh({0})")),
    ("soft", Neither(PROX)),
    ("softplus", Both("log(1 + exp({0}))")),
    ("sqrt", Both("sqrt({0})")),
    ("square", Of("{0}^2", "sqr({0})")),
    ("stop", Both("{0}")),
    ("tan", Both("tan({0})")),
    ("tanh", Both("tanh({0})")),
];

/// The rule of an entry.
pub(super) fn rule(name: &str) -> Rule {
    let found = ELEMENTWISE.iter().find(|(entry, _)| *entry == name);
    found.map(|(_, rule)| *rule).unwrap_or_else(|| unreachable!("`{name}` has a rule: a test holds it"))
}
