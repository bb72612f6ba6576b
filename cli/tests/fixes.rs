//! `check --fix` on the mistakes that newcomers make most: one call, and the next check finds nothing. Comments and
//! everything else stay.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use std::path::Path;
use std::process::Command;

fn check(folder: &Path, flags: &[&str]) -> (i32, String) {
    let mut blo = Command::new(env!("CARGO_BIN_EXE_blo"));
    let run = blo.args(["check", "p.blo", "--message-format", "short"]).args(flags).current_dir(folder);
    let run = run.env("NO_COLOR", "1").output().expect("the command runs");
    let text = [run.stdout, run.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
    (run.status.code().unwrap_or(-1), text)
}

/// The program after `check --fix`, which must leave nothing to say.
fn fixed(program: &str) -> String {
    mended(program, "--fix")
}

/// The program after `check --fix=all`, which must leave nothing to say, where `--fix` has changed nothing.
fn guessed(program: &str) -> String {
    assert_eq!(after(program, "--fix"), program, "a guess was made without asking");
    mended(program, "--fix=all")
}

/// The program after `check` with a flag, whatever it says.
fn after(program: &str, edits: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("p.blo"), program).expect("a file");
    check(folder.path(), &[edits]);
    std::fs::read_to_string(folder.path().join("p.blo")).expect("the program")
}

fn mended(program: &str, edits: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("study.csv"), "1,2\n3,4\n").expect("a file");
    std::fs::write(folder.path().join("p.blo"), program).expect("a file");
    assert_ne!(check(folder.path(), &[]).1, "", "nothing is wrong with\n{program}");
    check(folder.path(), &[edits]);
    let text = std::fs::read_to_string(folder.path().join("p.blo")).expect("the program");
    assert_eq!(check(folder.path(), &[]), (0, String::new()), "{text}");
    // fixing again changes nothing, and no other file is left behind
    check(folder.path(), &[edits]);
    assert_eq!(std::fs::read_to_string(folder.path().join("p.blo")).expect("the program"), text);
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 2);
    text
}

#[test]
fn products_and_powers_of_columns() {
    let text = mended(
        "# leader\nupper { var x[3]   minimize x^2 + sum(x^2) }   # squared\n\
         lower { var y[3]   minimize 1/2*(y - 1)^2 - (x + 1)*y + sum(x*y) }\n",
        "--fix=all",
    );
    let wanted = "# leader\nupper { var x[3]   minimize normsq(x) + sum(x.^2) }   # squared\n\
         lower { var y[3]   minimize 1/2*normsq(y - 1) - (x + 1)'*y + sum(x.*y) }\n";
    assert_eq!(text.replace("((x + 1))'", "(x + 1)'"), wanted);
}

#[test]
fn a_weight_without_a_bound() {
    let text = guessed(
        "upper { var x   minimize (x - 1)^2 }   # the weight\n\
         lower { var y[3]   minimize normsq(y - 1)   regularize x*norm1(y) }\n",
    );
    assert!(text.starts_with("upper { var x >= 0   minimize (x - 1)^2 }   # the weight\n"), "{text}");
}

#[test]
fn a_kink_in_minimize() {
    let text = fixed(
        "upper { var x   minimize x^2 }\nlower {\n  var y[3]\n  # data, then penalty\n  \
         minimize normsq(y - x) + 0.1*norm1(y)   # end\n}\n",
    );
    let wanted = "  # data, then penalty\n  minimize normsq(y - x)\n  regularize 0.1*norm1(y)   # end\n}\n";
    assert!(text.ends_with(wanted), "{text}");
}

/// The terms beside a kink keep their signs, and what is maximized is not what is regularized.
#[test]
fn a_kink_before_a_minus() {
    let upper = "upper { var x in [0, 1]   minimize (y - 1)^2 + x }\n";
    let text = fixed(&format!("{upper}lower {{ var y   minimize x*abs(y) - 3*y + y^2 }}\n"));
    assert!(text.ends_with("minimize - 3*y + y^2\n  regularize x*abs(y) }\n"), "{text}");
    let text = fixed(&format!("{upper}lower {{ var y   maximize 3*x*y - abs(y) - y^2 }}\n"));
    assert!(text.ends_with("maximize 3*x*y - y^2\n  regularize abs(y) }\n"), "{text}");
    for kept in [
        "lower { var y   maximize abs(y) - 3*x*y - y^2 }\n",
        "lower { var y   minimize (y - x)^2   # a note\n + abs(y) }\n",
    ] {
        let program = format!("{upper}{kept}");
        assert_eq!(after(&program, "--fix"), program);
    }
}

#[test]
fn a_misspelt_file() {
    let text = guessed(
        "data A[_, 2] = csv(\"stdy.csv\")   # rows\nupper { var x   minimize x^2 }\n\
         lower { var y[2]   minimize normsq(A*y) + normsq(y - x) }\n",
    );
    assert!(text.starts_with("data A[_, 2] = csv(\"study.csv\")   # rows\n"), "{text}");
}

#[test]
fn misspelt_options_methods_and_words() {
    let text = mended(
        "upper { var x   minimise x^2 }\nlower { var y   minimize (y - x)^2 }\n\
         method meha { gama = 1 }   # step\nmethod mehaa slow { gamma = 2 }\n\
         data a[3] = normal(seeed = 1)\nmetric size = sum(a)\noption precison = f32\n",
        "--fix=all",
    );
    for part in
        ["minimize x^2", "method meha { gamma = 1 }   # step", "method meha slow", "seed = 1", "precision = f32"]
    {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

/// Several mistakes of one line need several rounds.
#[test]
fn rounds_go_on_until_nothing_is_left() {
    let text = fixed("upper { var x   minimize 2 x + 3 x + 4 x^2 }\n// sum\nlower { var y   minimize (y - x)**2 }\n");
    assert_eq!(text, "upper { var x   minimize 2*x + 3*x + 4*x^2 }\n# sum\nlower { var y   minimize (y - x)^2 }\n");
}

/// What has another meaning too stays as it is without a request.
#[test]
fn a_guess_is_not_made_without_asking() {
    const LOWER: &str = "lower { var y   minimize (y - x)^2 }\n";
    for program in [
        "param n = 6\nlet half = n//2\nupper { var x[half]   minimize normsq(x - 1) }\n",
        "param n = 6\nlet half = n // 2\nupper { var x[half]   minimize normsq(x - 1) }\n",
        "data A[3] = normal(sed = 2)\nupper { var x   minimize (x - sum(A))^2 }\n",
        "data A_tr[4] = normal(seed = 1)\nupper { var x   minimize (x - 1)^2 }\nmetric test = sum(A_te)\n",
        "upper { var x   minimize x batch 16 }\n",
        "upper { var x in [0, 1)   minimize x }\n",
        "upper { var x   minimize (x + 1 }\n",
        "data A[3, 3] = normal()\nlet b = A^2\nupper { var x   minimize x }\n",
        "upper { var x   minimize x + log(x // + 1\n) }\n",
        "upper { var x   minimize (x - 1)^2 + 1/2x }\n",
        "upper { var x   minimize (x - 1)^2 + 1/-2 x }\n",
        "upper { var x   minimize (x - 1)^2x }\n",
        "upper { var x   minimize (x - 1)^-2(x + 1) }\n",
        "upper { var x   minimize (x - 0.1f)^2 }\n",
        "upper { var x   minimize (x - 5e--4)^2 }\n",
        "upper { var x, z >= 0   minimize x^2 + z }\n",
        "upper { var x, z[3]   minimize x^2 + normsq(z) }\n",
        "upper { var x   minimize x^2 }\nmetric a = sum(i for i in 1..3 if not 1 < i < 3)\n",
        // a number of another notation is not a product
        "let x10 = 3\nupper { var x   minimize x + 0x10 }\n",
        "let f = 3\nupper { var x   minimize x + 1e-3f }\n",
        "let d3 = 3\nupper { var x   minimize x + 1.5d3 }\n",
        "upper { var x   minimize 5 mod 3 + x }\n",
        "upper { var x   minimize 1,5*x }\n",
        // a name, and a place, that another language counts in another way
        "let A = [1, 2]\nupper { var x   minimize x + sum(A[0:2]) }\n",
        "let A = [1, 2]\nupper { var x   minimize x + len(A) }\n",
        "upper { var x   minimize log10(x) }\n",
        "upper { var x   minimize x + True }\n",
        "set Box = [0, 1]\nupper { var x in Bxo   minimize x }\n",
        "upper { var x in simplx(1)   minimize x }\n",
        "upper { var x   minimize x }\noption precision = f23\n",
        "upper { var x   minimize x }\nmethod meha fast { gamma = 1 }\nexpect with meha:fsat { x <= 1 }\n",
    ] {
        let program = format!("{program}{LOWER}");
        assert_eq!(after(&program, "--fix"), program);
    }
    for upper in [
        "data a[3] = normal()\nupper { var x[3]   minimize (a*x - 1)^2 }\n",
        "data a[3] = normal()\nupper { var x[3]   minimize norm2(a*x) }\n",
        "data A[3, 3] = normal()\nupper { var x[3]   let r = x*x   minimize (A*r)^2 }\n",
        "upper { var x[3]   minimize (x - 1)^2*x^2 }\n",
        "upper { var x[3]   minimize sum(x^2) }\n",
        "upper { var x[3]   minimize sum(x*x) }\n",
    ] {
        let program = format!("{upper}lower {{ var y[3]   minimize normsq(y - x) }}\n");
        assert_eq!(after(&program, "--fix"), program);
    }
}

/// What can mean nothing else is mended, whatever language it comes from.
#[test]
fn other_spellings_of_the_same() {
    let rest = "lower { var y   minimize (y - x)^2 }\n";
    for (wrong, right) in [
        ("minimize 1_000*x^2", "minimize 1000*x^2"),
        ("minimize cost: x^2", "minimize x^2"),
        ("minimise: x^2", "minimize x^2"),
        ("minimize x^2 − 1", "minimize x^2 - 1"),
        ("minimize x² + 2", "minimize x^2 + 2"),
        ("minimize max(x, −∞)", "minimize max(x, -inf)"),
    ] {
        assert_eq!(
            fixed(&format!("upper {{ var x   {wrong} }}\n{rest}")),
            format!("upper {{ var x   {right} }}\n{rest}")
        );
    }
}

/// Guesses of names of other languages, one each.
#[test]
fn guesses_of_other_names() {
    let rest = "lower { var y   minimize (y - x)^2 }\n";
    for (wrong, right) in [
        ("x^2 + ln(2)", "x^2 + log(2)"),
        ("x^2 + np.sum([1, 2])", "x^2 + sum([1, 2])"),
        ("x^2 + sum_squares([1, 2])", "x^2 + normsq([1, 2])"),
        ("x^2*π", "x^2*pi"),
        ("x^2 + 0x10", "x^2 + 16"),
        ("1,5*x^2", "1.5*x^2"),
        ("if 2 > 1: x^2 else x^3", "if 2 > 1 then x^2 else x^3"),
        ("x^2 + sum(i for i in 1:3)", "x^2 + sum(i for i in 1..3)"),
    ] {
        let program = |text: &str| format!("upper {{ var x   minimize {text} }}\n{rest}");
        assert_eq!(guessed(&program(wrong)), program(right));
    }
}

/// Words of other languages are named, never joined to what stands before them.
#[test]
fn words_of_other_languages() {
    for (words, said) in [
        ("forall i in 1..3", "`forall` has no meaning here"),
        ("for all i in 1..3", "`for all` has no meaning here"),
        ("where x >= 0", "`where` has no meaning here"),
        ("batch 16", "`batch` has no meaning here"),
    ] {
        let program = format!("upper {{ var x   minimize x^2  {words} }}\nlower {{ var y   minimize (y - x)^2 }}\n");
        assert_eq!(after(&program, "--fix=all"), program);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("p.blo"), &program).expect("a file");
        let (code, text) = check(folder.path(), &[]);
        assert!(code == 1 && text.contains(said) && text.lines().count() == 1, "{words}: {text}");
    }
}

/// Words for constraints become blocks of rows, and the rows get what is between them.
#[test]
fn constraints_of_other_languages() {
    for (words, block) in [
        ("s.t. x <= 3", "subject to { x <= 3 }"),
        ("st x <= 3;", "subject to { x <= 3 };"),
        ("such that x <= 3, x >= [0, 1][1],  y <= 2", "subject to { x <= 3; x >= [0, 1][1];  y <= 2 }"),
        ("subject to x = 3", "subject to { x == 3 }"),
        ("subject to: x <= 3", "subject to { x <= 3 }"),
        ("subject to { x + y <= 3 x >= 1 }", "subject to { x + y <= 3; x >= 1 }"),
        ("constraint x <= 3", "subject to { x <= 3 }"),
        ("constraints { x <= 3 }", "subject to { x <= 3 }"),
        ("s.t.\n  x + y <= 3\n  2*x >= 1\n", "subject to {\n  x + y <= 3;\n  2*x >= 1 }\n"),
    ] {
        let program =
            |rows: &str| format!("upper {{ var x   minimize x^2  {rows} }}\nlower {{ var y   minimize (y - x)^2 }}\n");
        assert_eq!(after(&program(words), "--fix"), program(block), "{words}");
    }
}

#[test]
fn notations_of_other_languages() {
    let rest = "upper { var x; minimise x^2 }\nlower { var y   minimize (y - x)^2 }\n";
    for (wrong, right) in [
        ("known { x = 0, y = 0 }\n", "known { x = 0; y = 0 }\n"),
        ("start { x = 0, y = 0 }\n", "start { x = 0; y = 0 }\n"),
        ("param n == 5\nmetric size = n\n", "param n = 5\nmetric size = n\n"),
        (
            "data A[3, 3] = normal()\nmetric size = sum(A[1..2, :])\n",
            "data A[3, 3] = normal()\nmetric size = sum(A[1..2, _])\n",
        ),
    ] {
        let wanted = format!("{}{right}", rest.replace("minimise", "minimize"));
        assert_eq!(fixed(&format!("{rest}{wrong}")), wanted);
    }
}
