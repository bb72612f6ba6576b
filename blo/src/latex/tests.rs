//! Expressions and programs with their formulas.

use super::*;

pub(super) fn of(text: &str) -> Latex {
    let parsed = blo_grammar::parse(text);
    assert!(parsed.is_sound(), "{text}: {:?}", parsed.diagnostics);
    latex(&parsed.ast, &[], "problem")
}

/// The lines of the problem, without its declarations.
pub(super) fn problem_of(text: &str) -> String {
    of(text).problem.join("\n")
}

/// The right side of a `let` among declarations whose shapes the notation looks at.
fn formula(expr: &str) -> String {
    let text = format!(
        "param n = 3  param a = 2  param c = 3  data A[n, n] = csv(\"a.csv\")  dataset d {{ u = csv(\"u.csv\") }}  fn g(t) = t
         upper {{ var x[n]  var s  minimize 1  subject to {{ r: s >= 0 }} }}
         lower {{ var y[n]  var Y[n, n]  minimize 1 }}
         let result = {expr}"
    );
    let rows = of(&text).rows;
    let row = rows.iter().find_map(|row| row.strip_prefix("\\mathrm{result} &= "));
    row.unwrap_or_else(|| panic!("{expr}: {rows:?}")).to_owned()
}

/// Expressions with their formulas.
const CASES: [(&str, &str); 101] = [
    // signs
    ("-a^2", "-a^2"),
    ("(-a)^2", "(-a)^2"),
    ("-a*c", "-a c"),
    ("a*-c", "a (-c)"),
    ("a - -c", "a - (-c)"),
    ("a + -c*s", "a + (-c s)"),
    ("-(a + c)", "-(a + c)"),
    ("--a", "-(-a)"),
    ("-a/c", "-\\frac{a}{c}"),
    ("a - (c - s)", "a - (c - s)"),
    ("(a - c) - s", "a - c - s"),
    ("a^-c", "a^{-c}"),
    // powers
    ("a^c^2", "a^{c^2}"),
    ("(a^c)^2", "(a^c)^2"),
    ("(a*c)^2", "(a c)^2"),
    ("(a/c)^2", "\\left( \\frac{a}{c} \\right)^2"),
    ("(a + c)^(n/2)", "(a + c)^{n/2}"),
    ("a^(1/(c*s))", "a^{1/(c s)}"),
    ("exp(a)^2", "(\\exp(a))^2"),
    ("abs(a)^2", "\\lvert a \\rvert^2"),
    ("normsq(x)^2", "\\lVert x \\rVert_2^4"),
    ("norm2(x)^2", "\\lVert x \\rVert_2^2"),
    ("x.^2", "x^{\\odot 2}"),
    ("s.^2", "s^2"),
    // products and quotients
    ("1/2*a*c", "\\frac{1}{2} a c"),
    ("a*c/n", "\\frac{a c}{n}"),
    ("a/c/n", "\\frac{a}{c n}"),
    ("a/(c*n)", "\\frac{a}{c n}"),
    ("a/c*n", "\\frac{a}{c} n"),
    ("1/2*a/n", "\\frac{1}{2} \\frac{a}{n}"),
    ("1/2*(a + c)/n", "\\frac{1}{2} \\frac{a + c}{n}"),
    ("1/2*(a + c)*s", "\\frac{1}{2} (a + c) s"),
    ("1/2*-a*s", "\\frac{1}{2} (-a) s"),
    ("A/2*(x.*y)", "\\frac{A}{2} (x \\odot y)"),
    ("1/2*a*c/n*s", "\\frac{1}{2} \\frac{a c}{n} s"),
    ("(a + c)/(a - c)", "\\frac{a + c}{a - c}"),
    ("a*(c/n)", "a \\frac{c}{n}"),
    ("a*(c + n)", "a (c + n)"),
    ("(a + c)*n", "(a + c) n"),
    ("2*3", "2 \\cdot 3"),
    ("a*2", "a \\cdot 2"),
    ("2*(1/3)", "2 \\cdot \\frac{1}{3}"),
    ("a*(c*s)", "a (c s)"),
    ("a - c*s", "a - c s"),
    ("x.*y", "x \\odot y"),
    ("A*x.*y", "A x \\odot y"),
    ("A*(x.*y)", "A (x \\odot y)"),
    ("(A.*Y)*x", "(A \\odot Y) x"),
    ("A.*Y*x", "(A \\odot Y) x"),
    ("x./y", "x \\oslash y"),
    ("x./y.*x", "(x \\oslash y) \\odot x"),
    ("x.*y/n", "\\frac{x \\odot y}{n}"),
    ("1/2*x.*y", "\\frac{1}{2} x \\odot y"),
    ("s./a", "\\frac{s}{a}"),
    ("1.5e-3*a", "1.5 \\cdot 10^{-3} a"),
    ("1e4*a", "10^4 a"),
    // transposes
    ("x'*y", "x^{\\top} y"),
    ("x'*A*y", "x^{\\top} A y"),
    ("(A*x)'*y", "(A x)^{\\top} y"),
    ("A'*x", "A^{\\top} x"),
    ("A''", "(A^{\\top})^{\\top}"),
    ("(A')[1, 2]", "[A^{\\top}]_{1,2}"),
    ("s'", "s"),
    ("(x - y)'*(x - y)/2", "\\frac{(x - y)^{\\top} (x - y)}{2}"),
    // numbers beside columns
    ("x - 1", "x - \\mathbf{1}"),
    ("x + a", "x + a \\mathbf{1}"),
    ("s - 1", "s - 1"),
    // indices
    ("x[2]", "x_2"),
    ("x[n - 1]", "x_{n - 1}"),
    ("A[1, _]", "A_{1,\\cdot}"),
    ("x[2..n]", "x_{2:n}"),
    ("x[1..n by 2]", "x_{1:2:n}"),
    ("(A*x)[2]", "[A x]_2"),
    ("x[2..n][1]", "[x_{2:n}]_1"),
    ("A[1, _]'", "A_{1,\\cdot}^{\\top}"),
    ("d.u", "u_d"),
    ("d.u[1, 2]", "u_{d,1,2}"),
    // sums over indices
    ("sum(x[i]^2 for i in 1..n)", "\\sum_{i = 1}^n x_i^2"),
    ("sum(x[i] - y[i] for i in 1..n)", "\\sum_{i = 1}^n (x_i - y_i)"),
    ("sum(x[i] for i in 1..n) + a", "\\sum_{i = 1}^n x_i + a"),
    ("sum(x[i] for i in 1..n)*a", "\\left( \\sum_{i = 1}^n x_i \\right) a"),
    ("a*sum(x[i] for i in 1..n)", "a \\sum_{i = 1}^n x_i"),
    ("sum(x[i] for i in 1..n)^2", "\\left( \\sum_{i = 1}^n x_i \\right)^2"),
    ("sum(A[i, j] for i in 1..n for j in 1..i)", "\\sum_{i = 1}^n \\sum_{j = 1}^i A_{i,j}"),
    (
        "sum(A[i, j] for i in 1..n for j in 1..n if i < j)",
        "\\sum_{i = 1}^n \\sum_{\\substack{1 \\le j \\le n \\\\ i < j}} A_{i,j}",
    ),
    ("mean(x[i] for i in 1..n/2)", "\\frac{1}{\\frac{n}{2}} \\sum_{i = 1}^{n/2} x_i"),
    ("max(x[i] for i in 1..n)", "\\max_{1 \\le i \\le n} x_i"),
    ("[x[i]^2 for i in 1..n]", "(x_i^2)_{i = 1}^n"),
    ("[x[i] for i in 1..n if i != 2]", "(x_i)_{i = 1, \\dots, n,\\; i \\ne 2}"),
    ("1..n", "\\{1, \\dots, n\\}"),
    ("1..n by 2", "\\{1, 3, \\dots \\le n\\}"),
    // lists, cases, conditions
    ("[1, 2]", "(1, 2)"),
    ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]", "(1, 2, 3, \\dots, 13)"),
    ("[[1, 2], [3, 4]]", "\\begin{bmatrix} 1 & 2 \\\\ 3 & 4 \\end{bmatrix}"),
    ("if a > 0 then 1 else -1", "\\begin{cases} 1 & \\text{if } a > 0, \\\\ -1 & \\text{otherwise} \\end{cases}"),
    (
        "1 + (if a > 0 and not (c == 1 or true) then 1 else 2)",
        "1 + \\left( \\begin{cases} 1 & \\text{if } a > 0 \\land \\lnot (c = 1 \\lor \\mathrm{true}), \\\\ 2 & \\text{otherwise} \\end{cases} \\right)",
    ),
    ("\"a_b\"", "\\text{``a\\_b''}"),
    ("max(a, g(c))", "\\max(a, g(c))"),
    ("dense(A, Y, x)*a", "(A Y + \\mathbf{1} x^{\\top}) a"),
    ("multiplier(r) - inf", "\\lambda_{r} - \\infty"),
    ("sum(x) + dot(x, y)", "\\mathbf{1}^{\\top} x + \\langle x, y \\rangle"),
];

#[test]
fn expressions_have_the_parentheses_that_they_need() {
    let wrong: Vec<String> = CASES
        .iter()
        .map(|(expr, wanted)| (expr, wanted, formula(expr)))
        .filter(|(_, wanted, found)| found != *wanted)
        .map(|(expr, wanted, found)| format!("{expr}\n  wanted {wanted}\n  found  {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Why a text is no LaTeX, if it is none: braces, fences and environments are nested, and nothing has two scripts of a kind.
fn fault(text: &str) -> Option<String> {
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    let (mut above, mut below) = (vec![false], vec![false]);
    while let Some(c) = rest.chars().next() {
        let word: usize = rest[1.min(rest.len())..].chars().take_while(char::is_ascii_alphabetic).count();
        let length = if c == '\\' { if word > 0 { 1 + word } else { 2 } } else { c.len_utf8() };
        let token = &rest[..length];
        rest = &rest[length..];
        let mut close = |wanted: &str| match open.pop() {
            Some(last) if last == wanted => None,
            other => Some(format!("{token} closes {other:?} before {rest}")),
        };
        let found = match token {
            "{" => {
                open.push("}".to_owned());
                above.push(false);
                below.push(false);
                continue;
            }
            "}" => {
                above.pop();
                below.pop();
                let found = close("}");
                if found.is_none() {
                    continue;
                }
                found
            }
            "\\left" => {
                open.push("\\right".to_owned());
                None
            }
            "\\right" => close("\\right"),
            "\\begin" | "\\end" => {
                let name = rest[1..].split('}').next().unwrap_or_default();
                if token == "\\begin" {
                    open.push(format!("end {name}"));
                    None
                } else {
                    close(&format!("end {name}"))
                }
            }
            "^" | "_" => {
                let of = if token == "^" { &mut above } else { &mut below };
                let had = of.last_mut().map(|had| std::mem::replace(had, true));
                if had == Some(true) {
                    return Some(format!("two scripts before {rest}"));
                }
                // the script itself: a group or one character
                if !rest.starts_with('{') {
                    rest = &rest[1..];
                }
                continue;
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        if let (Some(above), Some(below)) = (above.last_mut(), below.last_mut()) {
            (*above, *below) = (false, false);
        }
    }
    open.pop().map(|left| format!("{left} is missing"))
}

#[test]
fn faults_are_found() {
    for text in ["{", "a}", "\\left( a", "\\begin{cases} a", "\\begin{a} \\end{b}", "a^2^3", "x_{1}_2", "\\left( } {"] {
        assert!(fault(text).is_some(), "{text}");
    }
    for text in ["x_1^2", "{x^2}^3", "a^{b^c}", "\\left( a \\right)^2", "\\{ a \\}", "x^{\\top} y^2"] {
        assert_eq!(fault(text), None, "{text}");
    }
}

#[test]
fn every_program_of_the_repository_has_formulas() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let suite = root.join("tests/suite");
    let mut folders = vec![root.join("specs")];
    folders.extend(std::fs::read_dir(suite).unwrap().map(|entry| entry.unwrap().path()));
    let mut count = 0;
    for path in folders.iter().filter(|f| f.is_dir()).flat_map(|f| std::fs::read_dir(f).unwrap()) {
        let path = path.unwrap().path();
        if path.extension().is_none_or(|e| e != "blo") {
            continue;
        }
        let parsed = blo_grammar::parse(&std::fs::read_to_string(&path).unwrap());
        if !parsed.is_sound() {
            continue;
        }
        count += 1;
        let found = latex(&parsed.ast, &[], "problem");
        assert_eq!(fault(&found.document()), None, "{}", path.display());
        for line in found.problem.iter().filter(|line| !line.contains("aligned")) {
            assert_eq!(line.replace("\\&", "").matches('&').count() - cells(line), 1, "{}: {line}", path.display());
        }
    }
    assert!(count > 250, "{count}");
}

/// Marks of columns within cases and matrices.
fn cells(line: &str) -> usize {
    line.split("\\begin{")
        .skip(1)
        .map(|part| part.split("\\end{").next().unwrap_or_default().matches('&').count())
        .sum()
}

#[test]
fn a_problem_reads_like_a_paper() {
    let latex = of("## Two roads.
         problem roads
         param n = 3
         data c[n] = normal(seed = 1)
         set P[n] = simplex(1)
         set Q[n] = [0, 1]  fn cost(y, t) = c'*y + t*y[1]
         upper { var t in [0, 20]  maximize t*y[1] - sum((y[i] - 1/n)^2 for i in 1..n if i > 1)  regularize abs(t) }
         lower {
           var y[n] in P
           minimize cost(y, t)
           regularize 0.1*norm1(y)
           subject to { room: y[i] + y[i + 1] <= 2/3 for i in 1..n - 1; 0 <= t - y[1] <= 30 }
         }");
    insta::assert_snapshot!("roads", latex.document());
}
