//! Every message of the syntax phase, one constructor each: code, words, labels, help and safe edits. Nothing here
//! decides *when* a message is shown.
//!
//! | code | meaning |
//! |---|---|
//! | B0101 | the file is not UTF-8 |
//! | B0102 | the file is too large |
//! | B0103 | nested too deep |
//! | B0104 | an unknown keyword |
//! | B0105 | two values side by side |
//! | B0106 | a value is missing |
//! | B0107 | a bracket is never closed |
//! | B0108 | a closing bracket without its opening one |
//! | B0109 | a chained comparison or range |
//! | B0110 | `=` where `==` is meant |
//! | B0111 | a string is never closed |
//! | B0112 | a decimal point without a digit |
//! | B0113 | a symbol or comment of another language |
//! | B0114 | a missing `{` |
//! | B0115 | a keyword used as a name |
//! | B0116 | something else was expected |
//! | B0117 | a statement outside its block |
//! | B0118 | an unknown escape in a string |

use crate::diagnostic::{Diagnostic, Edit};
use crate::span::Span;

/// The code of a word that should have been a keyword.
pub(crate) const UNKNOWN_KEYWORD: &str = "B0104";

const HOW_TO_WRITE_A_VALUE: &str = "write a number, a name, or an expression in parentheses";

fn edit(span: Span, text: impl Into<String>) -> Vec<Edit> {
    vec![Edit { span, text: text.into() }]
}

fn after(span: Span) -> Span {
    Span { start: span.end, end: span.end }
}

fn before(span: Span) -> Span {
    Span { start: span.start, end: span.start }
}

/// `offset` is the first bad byte.
pub(crate) fn not_utf8(offset: usize, line: usize, byte: u8) -> Diagnostic {
    let span = Span::new(offset, offset + 1);
    Diagnostic::error(
        "B0101",
        format!("the file is not UTF-8 text: byte 0x{byte:02x} at offset {offset}, line {line}"),
        span,
        "not UTF-8",
    )
    .help("save the file as UTF-8")
}

/// A gzip, npy or UTF-16 file, or one with NUL bytes, was given.
pub(crate) fn not_text(kind: &str) -> Diagnostic {
    Diagnostic::error("B0101", format!("the file is {kind}, not a `.blo` text"), Span::new(0, 0), "not UTF-8 text")
        .help("save the file as UTF-8; data belong in files that `csv`, `npy`, `idx` ... read")
}

pub(crate) fn too_large(length: usize, limit: usize) -> Diagnostic {
    Diagnostic::error(
        "B0102",
        format!("the file has {length} bytes; a problem file may have at most {limit}"),
        Span::new(0, 0),
        "the file starts here",
    )
    .help("keep data in files of their own and read them with `csv`, `npy` or `idx`")
}

pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("B0103", "the text is nested too deep here: more than 256 levels", span, "one level too many")
        .help("name parts of the expression with `let`")
}

pub(crate) fn unknown_keyword(span: Span, word: &str, nearest: Option<&str>, in_level: bool) -> Diagnostic {
    let what = if in_level { "statement" } else { "item" };
    let error =
        Diagnostic::error(UNKNOWN_KEYWORD, format!("no {what} starts with `{word}`"), span, format!("no such {what}"));
    match nearest {
        Some(near) => {
            error.help(format!("did you mean `{near}`?")).fix(format!("replace `{word}` by `{near}`"), edit(span, near))
        }
        None if in_level => error.help("a level holds `var`, `minimize` or `maximize`, `regularize` and `let`"),
        None => error.help(
            "a file holds `problem`, `param`, `let`, `fn`, `set`, `data`, `dataset`, `split`, `corrupt`, `episodes`, \
             `upper`, `lower`, `start`, `known`, `metric`, `method`, `expect` and `option`",
        ),
    }
}

/// `x = 5` where an item or statement should start.
pub(crate) fn bare_assignment(span: Span, word: &str, in_level: bool) -> Diagnostic {
    let other =
        if in_level { format!("`var {word}` declares a variable") } else { format!("`param {word} = ...` a constant") };
    Diagnostic::error(UNKNOWN_KEYWORD, format!("`{word} = ...` needs a keyword before it"), span, "no keyword")
        .help(format!("`let {word} = ...` names an expression, {other}"))
        .fix(format!("write `let {word} = ...`"), edit(before(span), "let "))
}

pub(crate) fn misplaced_statement(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error("B0117", format!("`{word}` is outside a level"), span, "belongs to a level")
        .help(format!("write it inside `upper {{ ... }}` or `lower {{ ... }}`: `lower {{ {word} ... }}`"))
}

/// `product` tells that `*` between the two is a safe guess.
pub(crate) fn side_by_side(left: Span, right: Span, texts: (&str, &str), product: bool) -> Diagnostic {
    let (a, b) = texts;
    let product = product && b != "as";
    let short = a.chars().count() <= 30 && !a.contains('\n');
    let message =
        if short { format!("two values side by side: `{a}` and `{b}`") } else { "two values side by side".to_owned() };
    let error =
        Diagnostic::error("B0105", message, right, "an operator is missing before this").with(left, "after this value");
    if !product {
        return error.help("write an operator or a comma between them, or start a statement with its keyword");
    }
    let product = if short { format!("`{a}*{b}`") } else { "`a*b`".to_owned() };
    error
        .help(format!("a product is written with `*`: {product}"))
        .fix("insert `*`", edit(Span { start: left.end, end: right.start }, "*"))
}

/// `found` is `None` at the end of the text.
pub(crate) fn missing_value(after_text: &str, operator: Span, found: Option<(Span, &str)>) -> Diagnostic {
    let error = Diagnostic::error(
        "B0106",
        format!("a value is missing after `{after_text}`"),
        operator,
        "needs a value after it",
    );
    match found {
        Some((span, "{")) => error.with(span, "found `{`").help("lists and sets are written in brackets: `[a, b]`"),
        Some((span, text)) => error.with(span, format!("found `{text}`")).help(HOW_TO_WRITE_A_VALUE),
        None => error.help(HOW_TO_WRITE_A_VALUE),
    }
}

pub(crate) fn missing_before(span: Span, operator: &str) -> Diagnostic {
    Diagnostic::error("B0106", format!("a value is missing before `{operator}`"), span, "needs a value before it")
        .help(HOW_TO_WRITE_A_VALUE)
}

/// `previous` is the last token before the proof that the bracket stays open; `next` is that proof.
pub(crate) fn never_closed(open: Span, text: &str, previous: Span, next: Option<(Span, &str)>) -> Diagnostic {
    let closing = match text {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    let error = Diagnostic::error("B0107", format!("this `{text}` is never closed"), open, "opened here");
    let error = match next {
        Some((span, ")" | "]" | "}")) => error.with(span, "another bracket closes here"),
        Some((span, word)) => error.with(span, format!("`{word}` starts the next statement here")),
        None => error.with(previous, "the file ends after this"),
    };
    if text == "{" {
        return error.help("write `}` where the block ends");
    }
    error
        .help(format!("write `{closing}` where it belongs, perhaps here"))
        .fix(format!("insert `{closing}`"), edit(after(previous), closing))
}

pub(crate) fn stray_closing(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("B0108", format!("this `{text}` closes nothing"), span, "no bracket is open here")
        .help("remove it, or open the bracket before")
}

pub(crate) fn wrong_closing(span: Span, text: &str, open: Span, open_text: &str) -> Diagnostic {
    let closing = if open_text == "(" { ")" } else { "]" };
    Diagnostic::error("B0108", format!("`{open_text}` is closed by `{text}`"), span, format!("expected `{closing}`"))
        .with(open, "opened here")
        .help(format!("write `{closing}`"))
        .fix(format!("replace `{text}` by `{closing}`"), edit(span, closing))
}

/// `a <= b <= c`; `middle` is `b`.
pub(crate) fn chained_comparison(second: Span, first: Span, middle: Span, text: &str) -> Diagnostic {
    let error = Diagnostic::error("B0109", "comparisons cannot be chained", second, "second comparison")
        .with(first, "first comparison");
    if text.len() > 40 || text.contains(['\n', '#']) {
        return error.help("join two comparisons with `and`: `a <= b and b <= c`");
    }
    error
        .help("join the two comparisons with `and`")
        .fix(format!("insert `and {text}`"), edit(after(middle), format!(" and {text}")))
}

/// `var x >= 0 <= 5`
pub(crate) fn chained_bound(span: Span) -> Diagnostic {
    Diagnostic::error("B0109", "a variable has one bound or one set", span, "a second comparison")
        .help("two bounds are a set: `var x in [lo, hi]`")
}

pub(crate) fn chained_range(second: Span, word: &str) -> Diagnostic {
    Diagnostic::error(
        "B0109",
        format!("a range has one `..` and at most one `by`; this `{word}` is one too many"),
        second,
        "one too many",
    )
    .help("ranges are written `a..b` or `a..b by step`")
}

pub(crate) fn equals_for_comparison(span: Span) -> Diagnostic {
    Diagnostic::error("B0110", "`=` gives a name its value; values are compared with `==`", span, "expected `==`")
        .help("write `==`")
        .fix("replace `=` by `==`", edit(span, "=="))
}

pub(crate) fn open_text(span: Span) -> Diagnostic {
    Diagnostic::error("B0111", "this string is never closed", span, "no closing `\"` on this line")
        .help("close it with `\"`; a string ends on the line where it starts")
}

pub(crate) fn bare_point(span: Span, digits: &str) -> Diagnostic {
    Diagnostic::error("B0112", "a decimal point needs a digit after it", span, "no digit after the point")
        .help(format!("write `{digits}.0` or `{digits}`; a range is `{digits}..n`"))
        .fix(format!("write `{digits}.0`"), edit(span, format!("{digits}.0")))
}

pub(crate) fn foreign_comment(span: Span) -> Diagnostic {
    Diagnostic::error("B0113", "comments start with `#`", span, "not a comment here")
        .help("write `#`")
        .fix("write `#`", edit(span, "#"))
}

/// A symbol of another language, with what to write in its place.
pub(crate) fn unknown_token(span: Span, text: &str) -> Diagnostic {
    let (help, replacement) = match text {
        "**" => ("powers are written `^`, elementwise `.^`", Some("^")),
        "&&" | "&" => ("write `and`", Some("and")),
        // no edit: bars may be a norm as well as a condition
        "||" | "|" => ("write `or`; the absolute value is `abs(x)`, the norm `norm2(x)`, its square `normsq(x)`", None),
        "!" => ("write `not`", Some("not ")),
        "=>" => ("write `>=`", Some(">=")),
        "=<" => ("write `<=`", Some("<=")),
        "<>" | "~=" | "!==" => ("write `!=`", Some("!=")),
        "===" => ("write `==`", Some("==")),
        ":=" => ("write `=`", Some("=")),
        "+=" | "-=" | "*=" | "/=" => ("a name keeps its value; write a `let` with a new name", None),
        ".'" => ("the transpose is written `'`", Some("'")),
        "×" | "⋅" | "∙" => ("products are written `*`, elementwise `.*`", Some("*")),
        "÷" => ("write `/`", Some("/")),
        "−" | "–" | "—" => ("this dash is not the minus sign `-`", Some("-")),
        "²" => ("write `^2`, elementwise `.^2`", Some("^2")),
        "³" => ("write `^3`, elementwise `.^3`", Some("^3")),
        "⩽" => ("write `<=`", Some("<=")),
        "⩾" => ("write `>=`", Some(">=")),
        "“" | "”" | "„" | "‘" | "’" => ("strings are written in straight quotes: `\"...\"`", None),
        "%" => ("comments start with `#`; the remainder is `mod(a, b)`", None),
        "@" => ("the matrix product is written `*`; variables are declared in a level: `var x >= 0`", None),
        "\\" => {
            ("a quotient is written `a/b`; for a linear system let the lower level `minimize normsq(A*y - b)`", None)
        }
        _ => ("remove it", None),
    };
    let error = Diagnostic::error("B0113", format!("`{text}` has no meaning here"), span, "not part of the language")
        .help(help);
    match replacement {
        Some(new) => error.fix(format!("replace `{text}` by `{}`", new.trim()), edit(span, new)),
        None => error,
    }
}

/// `upper` or another block head without `{`; `last` is the end of the head.
pub(crate) fn missing_block(last: Span, word: &str, next: Span) -> Diagnostic {
    Diagnostic::error("B0114", format!("`{word}` needs a block: `{{` is missing"), last, "expected `{` after this")
        .with(next, "the block starts here")
        .help(format!("write `{word} {{ ... }}`"))
}

pub(crate) fn missing_brace(word: &str, span: Span, found: &str) -> Diagnostic {
    Diagnostic::error(
        "B0114",
        format!("`{word}` needs a block: `{{` is missing"),
        span,
        format!("expected `{{`, found {found}"),
    )
    .help(format!("write `{word} ... {{ ... }}`"))
}

pub(crate) fn keyword_as_name(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error("B0115", format!("`{word}` is a keyword and cannot be a name"), span, "a keyword")
        .help(format!("choose another name, such as `{word}_`"))
}

pub(crate) fn expected(span: Span, found: &str, wanted: &str) -> Diagnostic {
    let error =
        Diagnostic::error("B0116", format!("expected {wanted}, found {found}"), span, format!("expected {wanted}"));
    match (found, wanted) {
        ("`,`", "`)`") => error.help("lists are written in brackets: `[a, b]`"),
        ("`{`", "a name") => error.help("every item has a name: `data A[_, 3] = csv(\"a.csv\")`, `param n = 5`"),
        (_, "a name") if found.trim_matches('`').starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            error.help("the name comes first, its bounds after it: `var x[n] in [0, 1]`")
        }
        _ => error,
    }
}

pub(crate) fn misplaced_not(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "`not` cannot follow this operator", span, "needs parentheses").help("write `(not ...)`")
}

pub(crate) fn bad_escape(span: Span, escape: char) -> Diagnostic {
    Diagnostic::error("B0118", format!("`\\{escape}` has no meaning in a string"), span, "unknown escape")
        .help("the escapes are `\\\\`, `\\\"`, `\\n` and `\\t`; paths are written with `/`")
}

/// `sum(a, b for b in S)`
pub(crate) fn comprehension_alone(span: Span, function: &str) -> Diagnostic {
    Diagnostic::error("B0116", "an argument with `for` must be the only one", span, "not the only argument")
        .help(format!("write `{function}(... for i in S)`, or put the list in brackets: `[... for i in S]`"))
}
