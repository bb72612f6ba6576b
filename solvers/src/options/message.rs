//! Every diagnostic about methods and their options, one constructor each. A mistake in a flag has no place in the
//! file: its span is empty and at offset 0, and its text quotes the flag.

use blo_engine::model::BatchError;
use blo_grammar::diagnostic::{Diagnostic, counted, did_you_mean};
use blo_grammar::span::Span;

use super::entry::{COMMON, MethodEntry, OptionEntry};
use super::settings::Setting;

/// Adds the nearest name, with the edit where the name stands in the file.
fn respelt(d: Diagnostic, span: Span, near: &str) -> Diagnostic {
    match span == Span::default() {
        true => d.help(format!("did you mean `{near}`?")),
        false => d.respelt(near, span),
    }
}

/// `with nesterov`
pub(crate) fn unknown_method(span: Span, name: &str, names: &[&str]) -> Diagnostic {
    let d = Diagnostic::error("B0601", format!("there is no method `{name}`"), span, "not a method");
    match did_you_mean(name, names.iter().copied()) {
        Some(near) => respelt(d, span, near),
        None => d.help(format!("the methods are {}", names.join(", "))),
    }
}

/// `meha:papre`
pub(crate) fn unknown_preset(span: Span, method: &str, name: &str, presets: &[&str]) -> Diagnostic {
    let text = format!("the file has no preset `{name}` of method `{method}`");
    let d = Diagnostic::error("B0602", text, span, "no such preset");
    match did_you_mean(name, presets.iter().copied()) {
        Some(near) => d.help(format!("did you mean `{method}:{near}`?")),
        None if presets.is_empty() => d.help(format!("write `method {method} {name} {{ ... }}` or leave the name out")),
        None => d.help(format!("its presets are `{method}:{}`", presets.join(&format!("`, `{method}:")))),
    }
}

/// `gama = 1`; `having` are methods that have an option of the name.
pub(crate) fn unknown_option(span: Span, method: &MethodEntry, name: &str, having: &[&str]) -> Diagnostic {
    let text = format!("method `{}` has no option `{name}`", method.name);
    let d = Diagnostic::error("B0603", text, span, "no such option");
    let is_own = |o: &&OptionEntry| COMMON.iter().all(|c| c.name != o.name);
    let own: Vec<&str> = method.options.iter().filter(is_own).map(|o| o.name).collect();
    let d = match having {
        [] => d,
        _ if span == Span::default() => {
            d.help(format!("methods with `{name}`, one of which `--method` names: {}", having.join(", ")))
        }
        _ => d.help(format!("methods with `{name}`: {}", having.join(", "))),
    };
    match did_you_mean(name, method.all_options().map(|o| o.name)) {
        Some(near) => respelt(d, span, near).help(format!("`blo methods {}` lists its options", method.name)),
        None if own.is_empty() => d.help(format!("its options are those of every method: {}", common())),
        None => d.help(format!("its options are {}, and those of every method: {}", own.join(", "), common())),
    }
}

/// `option gamma = 1`
pub(crate) fn not_a_common_option(span: Span, name: &str) -> Diagnostic {
    let d = Diagnostic::error("B0603", format!("there is no file-wide option `{name}`"), span, "no such option");
    match did_you_mean(name, COMMON.iter().map(|o| o.name)) {
        Some(near) => respelt(d, span, near),
        None => d
            .help(format!("the file-wide options are {}", common()))
            .help("write options of one method in `method NAME { ... }`"),
    }
}

fn common() -> String {
    COMMON.iter().map(|o| o.name).collect::<Vec<_>>().join(", ")
}

/// `K = 1.5`
pub(crate) fn wrong_value(span: Span, option: &OptionEntry, found: &str) -> Diagnostic {
    // Options of the command line have no line that a label could stand at: the text says it all.
    let kind = option.kind.text();
    let text = format!("option `{}` is {found}, but takes {kind}", option.name);
    Diagnostic::error("B0604", text, span, format!("expected {kind}"))
        .help(format!("`{}`: {}", option.name, option.doc))
}

/// `update = adamm`
pub(crate) fn wrong_word(span: Span, option: &OptionEntry, written: Option<&str>, words: &[&str]) -> Diagnostic {
    let Some(word) = written else { return wrong_value(span, option, "not a word") };
    let d = wrong_value(span, option, &format!("`{word}`"));
    let near = did_you_mean(word, words.iter().copied()).filter(|_| span != Span::default());
    match near {
        Some(near) => respelt(d, span, near),
        None => d,
    }
}

/// `K = 1e18`
pub(crate) fn too_large(span: Span, option: &OptionEntry, found: &str, most: u64) -> Diagnostic {
    let text = format!("option `{}` is {found}, but takes a whole number of at most {most}", option.name);
    Diagnostic::error("B0604", text, span, format!("at most {most}")).help(format!("`{}`: {}", option.name, option.doc))
}

/// `alpha = 0.1  alpha = 0.2`
pub(crate) fn option_given_twice(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error("B0605", format!("option `{name}` is given twice"), span, "second value")
        .with(first, "first value")
        .help("remove one of them")
}

/// `c = 0.1*k^0.4  p = 0.49`
pub(crate) fn exclusive(schedule: &Setting, other: &Setting, formula: &str) -> Diagnostic {
    let (s, o) = (schedule.entry.name, other.entry.name);
    let text = format!("`{s}` is a schedule and `{o}` is given too");
    let d = Diagnostic::error("B0606", text, other.span, format!("`{o}` has no effect on a schedule")).help(format!(
        "`{s} = {formula}` is the whole formula; remove `{o}`, or make `{s}` a number, which gives `{s}*k^{o}`"
    ));
    if schedule.span == Span::default() { d } else { d.with(schedule.span, format!("`{s}` depends on `k`")) }
}

/// `xi = 2` without `alpha`
pub(crate) fn without(option: &Setting, other: &str) -> Diagnostic {
    let (o, doc) = (option.entry.name, option.entry.doc);
    let text = format!("`{o}` is given without `{other}`");
    Diagnostic::error("B0606", text, option.span, format!("`{o}` has no effect without `{other}`"))
        .help(format!("`{o}`: {doc}; remove it, or give `{other}` too"))
}

/// `alpha = 0.1*x`
pub(crate) fn unknown_in_a_schedule(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error("B0607", format!("`{name}` has no value in an option"), span, "not a param")
        .help("an option may use numbers, scalar params, `pi` and the iteration `k`, counted from 1")
}

/// `alpha = [1, 2]`
pub(crate) fn not_in_a_schedule(span: Span, what: &str) -> Diagnostic {
    let what = if what == "this" { what.to_string() } else { format!("`{what}`") };
    Diagnostic::error("B0608", format!("{what} cannot stand in an option's value"), span, "not a formula in `k`")
        .help("an option is a number, or a formula in `k` of + - * / ^, min, max, sqrt, exp, log")
}

/// `--set alpha=0.1*`
pub(crate) fn flag_syntax(name: &str, text: &str, why: Option<&str>) -> Diagnostic {
    let why = why.unwrap_or("expected one value");
    let message = format!("cannot read `{name}={text}`: {why}");
    Diagnostic::error("B0611", message, Span::default(), "given by a flag")
}

/// A finding about a flag's value: the place in the flag's text is dropped, the flag is quoted.
pub(crate) fn in_flag(mut d: Diagnostic, name: &str, text: &str) -> Diagnostic {
    d.message = format!("{} (in `{name}={text}`)", d.message);
    d.primary.span = Span::default();
    d.secondary.clear();
    d.fix = None;
    d
}

/// Two blocks `method meha paper`.
pub(crate) fn preset_given_twice(span: Span, preset: &str, first: Span) -> Diagnostic {
    Diagnostic::error("B0612", format!("preset `{preset}` is given twice"), span, "second block")
        .with(first, "first block")
        .help("rename one of them")
}

/// `method rhg auto { K = 5 }`
pub(crate) fn preset_out_of_reach(span: Span, method: &str) -> Diagnostic {
    let text = format!("no run can take this preset: `{method}:auto` stands for no preset at all");
    Diagnostic::warning("W0628", text, span, "a name of its own is needed")
        .help(format!("give it another name, such as `method {method} own {{ ... }}`"))
}

/// `p = 0.6`
pub(crate) fn penalty_grows_too_fast(p: &Setting, value: f64) -> Diagnostic {
    Diagnostic::warning("W0601", format!("`p` is {value}: the theory needs p < 1/2"), p.span, "0 <= p < 1/2")
        .help("with p >= 1/2 the penalty grows faster than the steps follow")
}

/// `gamma = 200` with a lower level whose curvature is known.
pub(crate) fn outside_the_theorem(s: &Setting, value: f64, most: f64, bound: &str, because: &str) -> Diagnostic {
    let name = s.entry.name;
    let text = format!("`{name}` is {value}: the convergence theorem needs at most {bound} = {most:.3e}");
    Diagnostic::warning("W0609", text, s.span, format!("at most {most:.3e}"))
        .help(format!("{because}; leave `{name}` out, and the method chooses it for the problem"))
}

/// A term that no square makes convex, with a method whose theory needs one.
pub(crate) fn not_weakly_convex(span: Span, term: &str, method: &str) -> Diagnostic {
    let text = format!("`{term}` is not weakly convex: the convergence theorem of {method} does not hold");
    Diagnostic::warning("W0609", text, span, "no multiple of `normsq(y)` makes this convex")
        .help("`scad` and `mcp` select entries too and are weakly convex")
}

/// Choices that do not go together.
pub(crate) fn cannot_combine(s: &Setting, other: &str, because: &str, instead: &[&str]) -> Diagnostic {
    let value = s.value.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = format!("`{} = {value}` does not go with {other}: {because}", s.entry.name);
    let d = Diagnostic::error("B0616", text, s.span, "this choice");
    d.help(format!("choose `{} = {}`", s.entry.name, instead.join("`, `")))
}

/// `batch = 64` with a method that compares objectives.
pub(crate) fn no_batches(s: &Setting, method: &str, instead: &[&str]) -> Diagnostic {
    let text = format!("method {method} cannot step on batches: it compares objectives of different iterations");
    Diagnostic::error("B0633", text, s.span, "rows of a batch")
        .help(format!("methods that can: {}", instead.join(", ")))
}

/// `batch = 64` with a method that chooses its steps.
pub(crate) fn batches_need_stated_steps(s: &Setting, method: &str, needed: &[&str]) -> Diagnostic {
    let text = format!("method {method} steps on batches only as it is printed, with stated steps");
    Diagnostic::error("B0633", text, s.span, "rows of a batch")
        .help(format!("state `{}`: to choose steps it compares objectives, which differ by batch", needed.join("`, `")))
}

/// `batch = 64` with an objective that is not a sum over rows.
pub(crate) fn not_a_sum_over_rows(s: &Setting, upper: bool, why: BatchError) -> Diagnostic {
    let (level, other, name) = if upper { ("upper", "lower", s.entry.name) } else { ("lower", "upper", s.entry.name) };
    let (text, span, label) = match why {
        BatchError::NoRows { span } => (
            format!("`{name}` is given, but the {level} objective has no rows of a dataset"),
            span,
            "no rows to choose from".to_string(),
        ),
        BatchError::SeveralDatasets { span, names } => (
            format!("`{name}` is given, but the {level} objective has rows of {}", names.join(" and ")),
            span,
            "rows of one dataset make a batch".to_string(),
        ),
        BatchError::Coupled { coupled, name: rows } => (
            format!("`{name}` is given, but the {level} objective is not a sum over the rows of `{rows}`"),
            coupled.span,
            coupled.why.to_string(),
        ),
    };
    let d = Diagnostic::error("B0634", text, span, label);
    let d = if s.span == Span::default() { d } else { d.with(s.span, "rows of a batch") };
    d.help(format!(
        "state `batch_{other}` alone, or no batch: a mean over the rows, plus terms without rows, has batches"
    ))
}

/// `batch = 64` of 50 rows.
pub(crate) fn batch_of_too_many_rows(s: &Setting, name: &str, rows: usize) -> Diagnostic {
    let (option, size) = (s.entry.name, s.value.as_ref().map(ToString::to_string).unwrap_or_default());
    let text = format!("`{option}` is {size}, but `{name}` has {}", counted(rows, "row", "rows"));
    Diagnostic::error("B0635", text, s.span, "rows of a batch").help(format!("choose at most {rows}"))
}

/// `resample = 10` in a problem whose objectives have no tasks.
pub(crate) fn nothing_to_resample(span: Span) -> Diagnostic {
    Diagnostic::warning(
        "W0625",
        "`resample` has no effect: no objective depends on `episodes`",
        span,
        "nothing to draw",
    )
    .help("it draws new tasks of `episodes` during the run")
}
