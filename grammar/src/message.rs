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
//! | B0119 | integer variables |
//! | B0120 | a character that turns the order of text |
//! | B0121 | rows of `subject to` without `;` between them |
//! | B0605 | an option given twice; of a method, `solvers` says so |

mod rows;
pub(crate) use rows::*;

use crate::diagnostic::{Certainty, Diagnostic, Edit};
use crate::span::Span;

/// The code of a word that should have been a keyword.
pub(crate) const UNKNOWN_KEYWORD: &str = "B0104";

/// Spellings that can only mean the keyword beside them in American.
const BRITISH: [&str; 3] = ["minimise", "maximise", "regularise"];

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
            let error = error.help(format!("did you mean `{near}`?"));
            let text = format!("replace `{word}` by `{near}`");
            // two keywords may be equally near to a typing error, but not to a British spelling
            if BRITISH.contains(&word) {
                error.fix(text, edit(span, near))
            } else {
                error.suggest(text, edit(span, near))
            }
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
        .suggest(format!("write `let {word} = ...`"), edit(before(span), "let "))
}

pub(crate) fn misplaced_statement(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error("B0117", format!("`{word}` is outside a level"), span, "belongs to a level")
        .help(format!("write it inside `upper {{ ... }}` or `lower {{ ... }}`: `lower {{ {word} ... }}`"))
}

/// `product` tells how sure it is that `*` between the two is meant.
pub(crate) fn side_by_side(left: Span, right: Span, texts: (&str, &str), product: Option<Certainty>) -> Diagnostic {
    let (a, b) = texts;
    let product = product.filter(|_| b != "as");
    let short = a.chars().count() <= 30 && !a.contains('\n');
    let message =
        if short { format!("two values side by side: `{a}` and `{b}`") } else { "two values side by side".to_owned() };
    let error =
        Diagnostic::error("B0105", message, right, "an operator is missing before this").with(left, "after this value");
    let Some(certainty) = product else {
        return error.help(
            match a.starts_with(|c: char| c.is_ascii_digit()) && b.starts_with(|c: char| c.is_ascii_digit()) {
                true => "entries are separated by commas, and the rows of a matrix have brackets: `[[1, 2], [3, 4]]`",
                false => "write an operator or a comma between them, or start a statement with its keyword",
            },
        );
    };
    let product = if short { format!("`{a}*{b}`") } else { "`a*b`".to_owned() };
    let error = error.help(format!("a product is written with `*`: {product}"));
    let edits = edit(Span { start: left.end, end: right.start }, "*");
    // `2 x` is a product; two names may also be two statements
    match certainty {
        Certainty::Safe => error.fix("insert `*`", edits),
        Certainty::Suggestion => error.suggest("insert `*`", edits),
    }
}

/// `sin x`
pub(crate) fn argument_beside(left: Span, right: Span, (function, argument): (&str, &str)) -> Diagnostic {
    let error = side_by_side(left, right, (function, argument), None);
    let error = Diagnostic { help: Vec::new(), ..error };
    let error = error.help(format!("a function takes its argument in parentheses: `{function}({argument})`"));
    let open = Edit { span: Span { start: left.end, end: right.start }, text: "(".to_owned() };
    error.suggest(
        "add the parentheses",
        vec![open, Edit { span: Span { start: right.end, ..right }, text: ")".to_owned() }],
    )
}

/// `zeros(3, 3)(1, 2)`
pub(crate) fn entry_in_parentheses(span: Span, array: &str) -> Diagnostic {
    Diagnostic::error("B0105", "an entry is selected with brackets", span, "expected `[`")
        .help(format!("write `{}[i, j]`", if array.len() <= 30 { array } else { "a" }))
}

/// `np.sum(x)`; `prefix` is `np.`
pub(crate) fn function_with_prefix(prefix: Span, function: Span, name: &str) -> Diagnostic {
    let what = "functions stand before their arguments, without a prefix";
    Diagnostic::error("B0105", what, prefix.to(function), "not a function of the language")
        .help(format!("write `{name}(x)`"))
        .suggest(format!("write `{name}(...)`"), edit(prefix, ""))
}

/// `1_000`
pub(crate) fn grouped_digits(span: Span, plain: &str) -> Diagnostic {
    Diagnostic::error("B0113", "digits are not grouped", span, "an underscore in a number")
        .help(format!("write `{plain}`"))
        .fix(format!("write `{plain}`"), edit(span, plain))
}

/// `0x10`
pub(crate) fn other_base(span: Span, value: Option<u64>) -> Diagnostic {
    let error = Diagnostic::error("B0113", "numbers are written in decimal digits", span, "of another base");
    match value {
        Some(value) => {
            error.help(format!("write `{value}`")).suggest(format!("write `{value}`"), edit(span, value.to_string()))
        }
        None => error,
    }
}

/// `let a = 1,5`
pub(crate) fn decimal_comma(span: Span) -> Diagnostic {
    Diagnostic::error("B0113", "the decimal mark is a point", span, "expected `.`")
        .help("write `1.5`; a list has brackets: `[1, 5]`")
        .suggest("replace `,` by `.`", edit(span, "."))
}

/// `3 if a > 2 else 4`
pub(crate) fn condition_behind(span: Span) -> Diagnostic {
    Diagnostic::error("B0113", "`if` stands before its values", span, "not here").help("write `if a > 2 then 3 else 4`")
}

/// `if a > 2: 3 else 4`
pub(crate) fn colon_for_then(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "`then` stands before the value of an `if`", span, "expected `then`")
        .help("write `if a > 2 then 3 else 4`")
        .suggest("replace `:` by `then`", edit(span, " then"))
}

/// `minimize cost: x^2`; the span ends with the colon.
pub(crate) fn named_objective(span: Span, keyword: &str) -> Diagnostic {
    Diagnostic::error("B0116", "an objective has no name and no `:`", span, "not part of an objective")
        .help(format!("write `{keyword} x^2`; `metric cost = ...` gives a value a name"))
        .fix("remove it", edit(span, ""))
}

/// `fn f(x) { x^2 }`; `text` is what stands for `=`.
pub(crate) fn function_body(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("B0116", "the body of a function stands after `=`", span, format!("`{text}` has no meaning here"))
        .help("write `fn f(x) = x^2`; it is a single expression")
}

/// `f(x) = x^2`
pub(crate) fn bare_function(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(UNKNOWN_KEYWORD, format!("`{name}(...) = ...` needs a keyword before it"), span, "no keyword")
        .help(format!("write `fn {name}(x) = x^2`"))
        .suggest("insert `fn`", edit(before(span), "fn "))
}

/// `var x{1..3}`, `var x(3)`
pub(crate) fn shape_in_brackets(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "the shape of a variable stands in brackets", span, "expected `[`")
        .help("write `var x[3] >= 0`: its indices count from 1")
}

/// `param n : integer`
pub(crate) fn no_param_types(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error("B0116", "params have no types", span, "expected `=` and a value")
        .help(format!("write `param {name} = 50`"))
}

/// `let a <- 5`
pub(crate) fn arrow_in_definition(span: Span) -> Diagnostic {
    Diagnostic::error("B0110", "`=` gives a name its value", span, "expected `=`")
        .help("write `=`")
        .suggest("replace `<-` by `=`", edit(span, "="))
}

/// `\sum_{i=1}^n`
pub(crate) fn latex(span: Span, command: &str) -> Diagnostic {
    let help = match command.trim_end_matches('_') {
        "sum" => "a sum is written `sum(x[i] for i in 1..n)`",
        "frac" | "tfrac" | "dfrac" => "a quotient is written `a/b`",
        "cdot" | "times" => "products are written `*`, elementwise `.*`",
        "min" | "max" => "the levels say `minimize` and `maximize`; of numbers it is `min(a, b)`",
        "sqrt" => "the root is written `sqrt(x)`",
        "le" | "leq" => "write `<=`",
        "ge" | "geq" => "write `>=`",
        "in" => "write `in`",
        "infty" => "write `inf`",
        "top" | "intercal" => "the transpose is written `x'`",
        "lVert" | "Vert" | "|" | "rVert" | "norm" => "the norm is `norm2(x)`, its square `normsq(x)`",
        _ => "write a name without the `\\`; it may hold letters such as `λ`",
    };
    Diagnostic::error("B0113", format!("`\\{command}` has no meaning here"), span, "LaTeX").help(help)
}

/// `expect { a < 1  b < 1 }`
pub(crate) fn two_assertions(left: Span, right: Span) -> Diagnostic {
    let text = "two assertions on one line need a `;` between them";
    Diagnostic::error("B0105", text, right, "a `;` or an operator is missing before this")
        .with(left, "after this value")
        .help("write `;` or start a new line")
        .suggest("insert `;`", edit(after(left), ";"))
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
        .suggest(format!("insert `{closing}`"), edit(after(previous), closing))
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
        .suggest(format!("replace `{text}` by `{closing}`"), edit(span, closing))
}

/// `a <= b <= c`; `middle` is `b`. Behind a `not` both comparisons need brackets.
pub(crate) fn chained_comparison(second: Span, first: Span, middle: Span, text: &str, negated: bool) -> Diagnostic {
    let error = Diagnostic::error("B0109", "comparisons cannot be chained", second, "second comparison")
        .with(first, "first comparison");
    if text.len() > 40 || text.contains(['\n', '#']) {
        return error.help("join two comparisons with `and`: `a <= b and b <= c`");
    }
    if negated {
        return error.help("join the two comparisons with `and`, in brackets: `not (a <= b and b <= c)`");
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

/// `//` in a line of its own.
pub(crate) fn foreign_comment(span: Span) -> Diagnostic {
    Diagnostic::error("B0113", "comments start with `#`", span, "not a comment here")
        .help("write `#`")
        .fix("write `#`", edit(span, "#"))
}

/// `n//2`: the two sides are the texts around it.
pub(crate) fn whole_division(span: Span, left: &str, right: &str) -> Diagnostic {
    Diagnostic::error("B0113", "`//` has no meaning here", span, "not part of the language")
        .help(format!("whole-number division is written `floor({left}/{right})`; a comment starts with `#`"))
}

/// `// sum` after a statement.
pub(crate) fn trailing_comment(span: Span) -> Diagnostic {
    Diagnostic::error("B0113", "`//` has no meaning here", span, "not part of the language")
        .help("a comment starts with `#`; whole-number division is written `floor(a/b)`")
        .suggest("write `#`", edit(span, "#"))
}

/// Words of another language, with what to write in their place.
pub(crate) fn foreign_words(span: Span, words: &str, help: &str) -> Diagnostic {
    let text = format!("`{words}` has no meaning here");
    // what stands before it may be sound
    Diagnostic::error(UNKNOWN_KEYWORD, text, span, "a word of another language").help(help)
}

/// `{ x = 1, y = 1 }`
pub(crate) fn comma_between(span: Span, word: &str) -> Diagnostic {
    let word = if word == "subject" { "subject to" } else { word };
    Diagnostic::error("B0116", format!("the entries of `{word}` are separated by `;`"), span, "expected `;`")
        .help("write `;` or start a new line")
        .fix("replace `,` by `;`", edit(span, ";"))
}

/// `A[tr, :]`
pub(crate) fn colon_axis(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "a whole axis is written `_`", span, "expected `_`")
        .help("write `_` for all of an axis: `A[rows, _]`")
        .fix("replace `:` by `_`", edit(span, "_"))
}

/// `1:3`; MATLAB and Julia count the end in, as `..` does, Python and R's slices do not.
pub(crate) fn colon_range(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "a range is written with `..`", span, "expected `..`")
        .help("write `a..b`: both ends belong to it, and the first index is 1")
        .suggest("replace `:` by `..`", edit(span, ".."))
}

/// `x[2:]`, `x[:2]`
pub(crate) fn open_range(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "a range is written with `..` and both ends", span, "expected `..`")
        .help("write `x[1..2]` or `x[2..rows(x)]`: both ends belong to it, and the first index is 1")
}

/// `sum{i in 1..3} x[i]`
pub(crate) fn loop_before_term(span: Span, word: &str) -> Diagnostic {
    let what = format!("the loop of a `{}` stands behind its term", word.trim_end_matches('_'));
    Diagnostic::error("B0113", what, span, "not a loop here").help("write `sum(x[i] for i in 1..n)`")
}

/// `param n`
pub(crate) fn without_value(span: Span, keyword: &str, name: &str) -> Diagnostic {
    let example = match keyword {
        "param" => format!("`param {name} = 50`; `-D {name}=100` replaces it for one run"),
        "data" => format!("`data {name}[_, 3] = csv(\"{name}.csv\")`"),
        "set" => format!("`set {name} = [-1, 1]`"),
        _ => format!("`{keyword} {name} = ...`"),
    };
    Diagnostic::error("B0106", format!("`{name}` has no value"), span, "needs `=` and a value after this")
        .help(format!("write {example}"))
}

/// `var x, z`; `shared` tells that a set or a shape follows, which may be meant for both.
pub(crate) fn one_variable(comma: Span, next: Option<&str>, shared: bool) -> Diagnostic {
    let error = Diagnostic::error("B0116", "each variable has a `var` of its own", comma, "one variable ends here");
    let Some(name) = next else { return error.help("remove the `,`") };
    let (error, edits) = (error.help(format!("write `var {name}` in its place")), edit(comma, " var"));
    match shared {
        true => error.help("a set belongs to one variable").suggest("replace `,` by `var`", edits),
        false => error.fix("replace `,` by `var`", edits),
    }
}

/// `var x : real`
pub(crate) fn no_types(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "variables have no types: all are real", span, "not part of a declaration")
        .help("write `var x`, with its shape and bounds: `var x[3] >= 0`")
}

/// A bidirectional control: what people see is not what is run.
pub(crate) fn turned_text(span: Span, code: u32, name: &str) -> Diagnostic {
    let text = format!("the text holds U+{code:04X}, {name}: what follows is shown in another order than it is read");
    Diagnostic::error("B0120", text, span, "an invisible character")
        .help("remove it")
        .suggest(format!("remove U+{code:04X}"), edit(span, ""))
}

/// `normal(seed = 1, seed = 2)`
pub(crate) fn given_twice(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error("B0605", format!("`{name}` is given twice"), span, "second time")
        .with(first, "first time")
        .help("remove one of them")
}

/// `let a == 2`
pub(crate) fn equals_in_definition(span: Span) -> Diagnostic {
    Diagnostic::error("B0110", "`=` gives a name its value; `==` compares", span, "expected `=`")
        .help("write `=`")
        .fix("replace `==` by `=`", edit(span, "="))
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
        "?" => ("a choice is written `if a > 2 then 3 else 4`", None),
        "∞" => ("write `inf`", Some("inf")),
        "∑" | "Σ" | "∏" => ("a sum is written `sum(x[i] for i in 1..n)`", None),
        "∀" => ("a loop stands behind its term: `sum(x[i] for i in 1..n)`", None),
        "‖" | "∥" => ("the norm is `norm2(x)`, its square `normsq(x)`", None),
        "√" => ("the root is written `sqrt(x)`", None),
        "←" | "≔" => ("write `=`", Some("=")),
        "⊤" | "′" => ("the transpose is written `'`", Some("'")),
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
        ("`;`", wanted) if wanted.ends_with("`]`") => {
            error.help("the rows of a matrix have brackets of their own: `[[1, 2], [3, 4]]`")
        }
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
