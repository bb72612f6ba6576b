//! Functions of the language in the notation of papers: a table by name. What a reader may not know is explained beside the
//! formulas that use it.

/// How a call is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Its name in upright letters, then the arguments in parentheses.
    Name(&'static str),
    /// Bars around the argument.
    Bars,
    /// Double bars around the argument, with what stands below and above.
    Norm(&'static str, &'static str),
    /// `floor` and `ceil`.
    Fence(&'static str, &'static str),
    /// Written by a function of its own; see `call`.
    Special(Special),
}

/// Calls that are no name with arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// `u W + 1 b'`
    Dense,
    /// `diag(v)`
    Dot,
    /// `S^{-1}`
    Inverse,
    /// `S^{-1} b`
    Solve,
    /// The identity, zeros, ones.
    Constant(&'static str),
    /// `c 1`
    Fill,
    /// Sums and means of all entries.
    Total,
    /// As `Total`, divided by the number.
    Mean,
    /// Largest and smallest.
    Extreme(&'static str),
    /// `a^p`
    Power,
    /// `a^2`
    Square,
    /// `||a||^2`
    NormSquared,
    /// `||a||_q^q`
    NormPower,
    /// The root.
    Root,
    /// `(a; b)` or `(a, b)`
    Stack(&'static str),
    /// The multiplier of a row.
    Multiplier,
}

/// What a call gives, as far as the text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// A number.
    Scalar,
    /// What its arguments are.
    Same,
    /// A column.
    Column,
    /// A matrix.
    Matrix,
    /// What the text does not tell.
    Unknown,
}

/// A function.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) gives: Gives,
    /// What it means, where no reader could guess it: the left and the right side of a definition.
    pub(super) meaning: Option<(&'static str, &'static str)>,
}

const fn plain(name: &'static str, form: Form, gives: Gives) -> Entry {
    Entry { name, form, gives, meaning: None }
}

const fn explained(name: &'static str, form: Form, gives: Gives, left: &'static str, right: &'static str) -> Entry {
    Entry { name, form, gives, meaning: Some((left, right)) }
}

use Form::{Bars, Fence, Name, Norm, Special as By};
use Gives::{Column, Matrix, Same, Scalar, Unknown};

/// All functions, by name.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Entry] = &[
    plain("abs", Bars, Same),
    plain("accuracy", Name("\\operatorname{accuracy}"), Scalar),
    plain("argmax", Name("\\operatorname*{arg\\,max}"), Unknown),
    plain("atan", Name("\\arctan"), Same),
    plain("avgpool", Name("\\operatorname{avgpool}"), Unknown),
    explained("batchnorm", Name("\\operatorname{batchnorm}"), Unknown, "\\operatorname{batchnorm}(u, s, t)",
        "s \\odot (u - m) \\oslash \\sqrt{v + \\varepsilon} + t \\text{ with mean $m$ and variance $v$ over rows}"),
    plain("blocks", Name("\\operatorname{blocks}"), Unknown),
    plain("ceil", Fence("\\lceil", "\\rceil"), Same),
    plain("cols", Name("\\operatorname{cols}"), Scalar),
    plain("conv2d", Name("\\operatorname{conv2d}"), Unknown),
    plain("cos", Name("\\cos"), Same),
    plain("cosh", Name("\\cosh"), Same),
    plain("dense", By(Special::Dense), Unknown),
    plain("diag", Name("\\operatorname{diag}"), Unknown),
    plain("dist", Name("\\operatorname{dist}"), Scalar),
    plain("dot", By(Special::Dot), Scalar),
    explained("erf", Name("\\operatorname{erf}"), Same, "\\operatorname{erf}(t)",
        "\\frac{2}{\\sqrt{\\pi}} \\int_0^t e^{-s^2}\\, ds"),
    plain("err", Name("\\operatorname{err}"), Scalar),
    plain("exp", Name("\\exp"), Same),
    plain("eye", By(Special::Constant("I")), Matrix),
    plain("f1", Name("\\operatorname{F1}"), Scalar),
    plain("fill", By(Special::Fill), Unknown),
    plain("floor", Fence("\\lfloor", "\\rfloor"), Same),
    explained("gelu", Name("\\operatorname{gelu}"), Same, "\\operatorname{gelu}(t)",
        "\\frac{t}{2} \\left(1 + \\tanh\\left(\\sqrt{\\frac{2}{\\pi}} \\left(t + 0.044715\\, t^3\\right)\\right)\\right)"),
    plain("hcat", By(Special::Stack("&")), Unknown),
    explained("huber", Name("\\operatorname{huber}"), Same, "\\operatorname{huber}(t, d)",
        "\\begin{cases} \\frac{1}{2} t^2 & \\text{if } \\lvert t \\rvert \\le d, \\\\ d \\left(\\lvert t \\rvert - \\frac{d}{2}\\right) & \\text{otherwise} \\end{cases}"),
    plain("inv", By(Special::Inverse), Matrix),
    plain("log", Name("\\log"), Same),
    explained("log1p", Name("\\operatorname{log1p}"), Same, "\\operatorname{log1p}(t)", "\\log(1 + t)"),
    plain("logdet", Name("\\log\\det"), Scalar),
    explained("logistic", Name("\\operatorname{logistic}"), Unknown, "\\operatorname{logistic}(s, v)", "\\log(1 + e^{s}) - v\\, s"),
    explained("logsumexp", Name("\\operatorname{logsumexp}"), Scalar, "\\operatorname{logsumexp}(u)", "\\log \\sum_i e^{u_i}"),
    plain("max", By(Special::Extreme("\\max")), Same),
    plain("maxpool", Name("\\operatorname{maxpool}"), Unknown),
    explained("mcp", Name("\\operatorname{mcp}"), Scalar, "\\operatorname{mcp}(u, b, l)",
        "\\sum_i \\begin{cases} l \\lvert u_i \\rvert - \\frac{u_i^2}{2 b} & \\text{if } \\lvert u_i \\rvert \\le b l, \\\\ \\frac{b l^2}{2} & \\text{otherwise} \\end{cases} \\quad (l = 1 \\text{ where left out})"),
    plain("mean", By(Special::Mean), Scalar),
    plain("min", By(Special::Extreme("\\min")), Same),
    plain("mod", Name("\\operatorname{mod}"), Same),
    explained("mse", Name("\\operatorname{mse}"), Scalar, "\\operatorname{mse}(u, v)", "\\operatorname{mean}\\left((u - v)^{\\odot 2}\\right)"),
    plain("multiplier", By(Special::Multiplier), Unknown),
    plain("norm0", Norm("0", ""), Scalar),
    plain("norm1", Norm("1", ""), Scalar),
    plain("norm2", Norm("2", ""), Scalar),
    plain("norminf", Norm("\\infty", ""), Scalar),
    plain("normq", By(Special::NormPower), Scalar),
    plain("normsq", By(Special::NormSquared), Scalar),
    plain("nuclear", Norm("*", ""), Scalar),
    plain("ones", By(Special::Constant("\\mathbf{1}")), Unknown),
    plain("pow", By(Special::Power), Same),
    plain("precision", Name("\\operatorname{precision}"), Scalar),
    plain("recall", Name("\\operatorname{recall}"), Scalar),
    explained("relu", Name("\\operatorname{relu}"), Same, "\\operatorname{relu}(t)", "\\max(t, 0)"),
    plain("reshape", Name("\\operatorname{reshape}"), Unknown),
    plain("round", Name("\\operatorname{round}"), Same),
    plain("rows", Name("\\operatorname{rows}"), Scalar),
    explained("scad", Name("\\operatorname{scad}"), Scalar, "\\operatorname{scad}(u, a, l)",
        "\\sum_i \\int_0^{\\lvert u_i \\rvert} \\min\\left(l, \\frac{\\max(a l - t, 0)}{a - 1}\\right) dt \\quad (l = 1 \\text{ where left out})"),
    explained("sigmoid", Name("\\operatorname{sigmoid}"), Same, "\\operatorname{sigmoid}(t)", "\\frac{1}{1 + e^{-t}}"),
    plain("sign", Name("\\operatorname{sign}"), Same),
    explained("silu", Name("\\operatorname{silu}"), Same, "\\operatorname{silu}(t)", "\\frac{t}{1 + e^{-t}}"),
    plain("sin", Name("\\sin"), Same),
    plain("sinh", Name("\\sinh"), Same),
    explained("slope", Name("\\operatorname{slope}"), Scalar, "\\operatorname{slope}(u, c)",
        "\\sum_i c_{(i)} \\lvert u \\rvert_{(i)} \\text{, both sorted from the largest}"),
    explained("softmax", Name("\\operatorname{softmax}"), Same, "\\operatorname{softmax}(u)_i", "\\frac{e^{u_i}}{\\sum_j e^{u_j}}"),
    explained("softplus", Name("\\operatorname{softplus}"), Same, "\\operatorname{softplus}(t)", "\\log(1 + e^t)"),
    plain("solve", By(Special::Solve), Unknown),
    plain("sqrt", By(Special::Root), Same),
    plain("square", By(Special::Square), Same),
    explained("standardize", Name("\\operatorname{standardize}"), Matrix, "\\operatorname{standardize}(A)",
        "\\text{columns of $A$ less their means, divided by their deviations}"),
    plain("stop", Name("\\operatorname{stop}"), Same),
    plain("sum", By(Special::Total), Scalar),
    plain("tan", Name("\\tan"), Same),
    plain("tanh", Name("\\tanh"), Same),
    plain("trace", Name("\\operatorname{tr}"), Scalar),
    explained("tv1d", Name("\\operatorname{TV}"), Scalar, "\\operatorname{TV}(u)", "\\sum_i \\lvert u_{i+1} - u_i \\rvert"),
    plain("vcat", By(Special::Stack("\\\\")), Unknown),
    plain("violation", Name("\\operatorname{violation}"), Scalar),
    explained("xent", Name("\\operatorname{xent}"), Column, "\\operatorname{xent}(Z, v)_i", "\\log \\sum_k e^{Z_{i,k}} - Z_{i, 1 + v_i}"),
    plain("zeros", By(Special::Constant("\\mathbf{0}")), Unknown),
];

/// The entry of a name.
pub(super) fn by_name(name: &str) -> Option<&'static Entry> {
    FUNCTIONS.binary_search_by(|entry| entry.name.cmp(name)).ok().map(|at| &FUNCTIONS[at])
}

/// What a call gives.
pub(super) fn gives(name: &str, arguments: usize) -> Gives {
    match (by_name(name), name) {
        // one argument is an array whose largest entry is asked for
        (Some(_), "max" | "min") if arguments == 1 => Gives::Scalar,
        (Some(_), "zeros" | "ones") => {
            if arguments == 1 {
                Gives::Column
            } else {
                Gives::Matrix
            }
        }
        (Some(_), "fill") => {
            if arguments == 2 {
                Gives::Column
            } else {
                Gives::Matrix
            }
        }
        (Some(entry), _) => entry.gives,
        (None, _) => Gives::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_language_has_its_notation() {
        let mut names: Vec<&str> = blo_engine::function::TABLE.iter().map(|e| e.name).collect();
        names.extend(blo_engine::elementwise::TABLE.iter().filter(|e| e.visibility.is_named()).map(|e| e.name));
        names.sort_unstable();
        names.dedup();
        let here: Vec<&str> = FUNCTIONS.iter().map(|e| e.name).collect();
        assert_eq!(here, names);
    }
}
