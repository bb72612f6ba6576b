//! Mutations of programs by words instead of bytes: what they make parses often enough to reach the checker.

/// Words of the language that are worth putting somewhere.
const WORDS: &[&str] = &[
    "problem",
    "param",
    "let",
    "fn",
    "set",
    "data",
    "dataset",
    "split",
    "corrupt",
    "episodes",
    "upper",
    "lower",
    "start",
    "known",
    "metric",
    "method",
    "expect",
    "option",
    "var",
    "minimize",
    "maximize",
    "regularize",
    "if",
    "then",
    "else",
    "for",
    "in",
    "by",
    "and",
    "or",
    "not",
    "true",
    "from",
    "into",
    "with",
    "x",
    "y",
    "n",
    "A",
    "W",
    "_",
    "i",
    "j",
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "1e300",
    "1e-300",
    "1000000007",
    "9223372036854775807",
    "4294967296",
    "inf",
    "pi",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "+",
    "-",
    "*",
    "/",
    ".*",
    "./",
    "^",
    ".^",
    "'",
    "..",
    "=",
    "==",
    "<=",
    ">=",
    "<",
    ">",
    ",",
    ";",
    ":",
    ".",
    "sum",
    "mean",
    "max",
    "min",
    "abs",
    "norm1",
    "norm2",
    "normsq",
    "exp",
    "log",
    "sqrt",
    "fill",
    "zeros",
    "ones",
    "eye",
    "diag",
    "rows",
    "cols",
    "blocks",
    "hcat",
    "vcat",
    "reshape",
    "standardize",
    "dense",
    "xent",
    "softmax",
    "logistic",
    "conv2d",
    "maxpool",
    "batchnorm",
    "argmax",
    "accuracy",
    "f1",
    "normal",
    "uniform",
    "csv",
    "ball2",
    "simplex",
    "halfspace",
    "affine",
    "nuclear",
    "tv1d",
    "scad",
    "mcp",
    "norm0",
    "normq",
    "logsumexp",
    "dot",
    "trace",
    "tasks",
    "ways",
    "shots",
    "query",
    "seed",
    "classes",
    "column",
    "columns",
    "\"a.csv\"",
    "\"b.csv\"",
    "err",
    "dist",
];

/// The words of a text with the blanks between them.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut found = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (i, c) in text.char_indices() {
        let k = kind(c);
        if last.is_some_and(|l| l != k || k == 2) {
            found.push(&text[start..i]);
            start = i;
        }
        last = Some(k);
    }
    found.push(&text[start..]);
    found
}

/// What people write who think of another language, or whose finger slips: the right form, and the wrong ones.
const SLIPS: &[(&str, &[&str])] = &[
    ("*", &[" ", "", "×", "·", ".*", "@"]),
    (".*", &["*", "⊙", "∘", " "]),
    ("/", &["//", "÷", "./", "\\"]),
    ("./", &["/"]),
    ("^", &["**", ".^", ""]),
    (".^", &["^", "**"]),
    ("^2", &["²", "^ 2", "2"]),
    ("+", &["+=", "++", "+ +"]),
    ("-", &["−", "–", "--"]),
    ("'", &["", ".'", "^T", ".T"]),
    ("=", &["==", ":=", ":", "<-", " is "]),
    ("==", &["=", "===", " is "]),
    ("<=", &["=<", "≤", "⩽", "<"]),
    (">=", &["=>", "≥", "⩾", ">"]),
    ("..", &[":", "...", ",", " to "]),
    ("_", &[":", "", "*"]),
    (";", &[",", "", ";;"]),
    ("\n", &[";\n", ",\n", "; ", " "]),
    (",", &[";", "", ", ,"]),
    ("#", &["//", "%", "--", "/*", ""]),
    ("(", &["", "[", "(("]),
    (")", &["", "]", "))"]),
    ("[", &["", "(", "{"]),
    ("]", &["", ")", "}"]),
    ("{", &["", ":", "(", "{{"]),
    ("}", &["", ")", "end", "}}"]),
    ("\"", &["", "“", "'"]),
    ("0.", &["0", ".", "0,", "0. "]),
    ("1", &["1.", "1e", "1.0.0", "1f"]),
    ("2", &["2.", "2 ", "2,"]),
    (" in ", &[" ∈ ", " : ", " = "]),
    (" and ", &[" && ", " & ", " AND "]),
    (" or ", &[" || ", " | ", " OR "]),
    ("not ", &["!", "~", "NOT "]),
    ("minimize", &["minimise", "min", "minmize", "argmin", "Minimize", "minimize:"]),
    ("maximize", &["maximise", "max", "argmax"]),
    ("regularize", &["regularise", "regularizer", "penalty", "plus"]),
    ("upper", &["Upper", "leader", "outer", "uper"]),
    ("lower", &["Lower", "follower", "inner", "lwoer"]),
    ("var ", &["variable ", "Var ", ""]),
    ("param ", &["parameter ", "const ", "parm "]),
    ("data ", &["Data ", "dat ", "input "]),
    ("let ", &["def ", "var ", "Let ", ""]),
    ("fn ", &["function ", "def ", "func "]),
    ("for ", &["forall ", "∀ ", "foreach "]),
    ("if ", &["when ", "where ", "If "]),
    ("then", &[":", "", "{"]),
    ("else", &["otherwise", "elif", ""]),
    ("known", &["Known", "solution", "know"]),
    ("start", &["init", "initial", "strat"]),
    ("norm1", &["norm_1", "l1", "norm"]),
    ("norm2", &["norm_2", "norm", "l2"]),
    ("normsq", &["norm_sq", "sumsq", "normsqr"]),
    ("exp", &["Exp", "e^", "epx"]),
    ("log", &["ln", "Log", "lgo"]),
    ("sqrt", &["root", "sqr", "Sqrt"]),
    ("max", &["Max", "maximum", "mx"]),
    ("sum", &["Sum", "Σ", "smu"]),
    ("seed", &["sed", "sd", "Seed"]),
];

/// A program with one slip: a form of another language, or a letter too few, too many, exchanged or wrong. What the
/// program meant is known, unlike what [`program`] makes.
pub fn slip(text: &str, seed: u32) -> String {
    let mut below = generator(seed);
    for _ in 0..20 {
        let (right, wrong) = SLIPS[below(SLIPS.len())];
        let places: Vec<usize> = text.match_indices(right).map(|(at, _)| at).collect();
        if !places.is_empty() && below(3) > 0 {
            let at = places[below(places.len())];
            return [&text[..at], wrong[below(wrong.len())], &text[at + right.len()..]].concat();
        }
        let words = words(text);
        let at = below(words.len());
        let mut letters: Vec<char> = words[at].chars().collect();
        // another digit is another number, which nothing can tell
        if letters.len() > 1 && letters[0].is_alphabetic() {
            let i = below(letters.len() - 1);
            match below(4) {
                0 => drop(letters.remove(i)),
                1 => letters.insert(i, letters[i]),
                2 => letters.swap(i, i + 1),
                _ => letters[i] = b"aeinst_1"[below(8)].into(),
            }
            let new: String = letters.into_iter().collect();
            return [words[..at].concat(), new, words[at + 1..].concat()].concat();
        }
    }
    text.to_owned()
}

/// Numbers below a bound, from a seed alone.
fn generator(seed: u32) -> impl FnMut(usize) -> usize {
    let mut state = u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % n.max(1)
    }
}

/// Changes some words of a program: taken out, written twice, exchanged, replaced by others of the text or the language.
/// `other` is a second program whose words may come in.
pub fn program(text: &str, other: &str, seed: u32) -> String {
    let mut below = generator(seed);
    let own = words(text);
    let theirs = words(other);
    let mut new = own.clone();
    // one change in half of the programs: these check most often
    for _ in 0..=below(8).saturating_sub(3) {
        let (at, from) = (below(new.len()), below(own.len()));
        match below(7) {
            0 if !new.is_empty() => {
                let end = (at + 1 + below(4)).min(new.len());
                new.drain(at..end);
            }
            1 => {
                let run = own[from..(from + 1 + below(8)).min(own.len())].to_vec();
                new.splice(at..at, run);
            }
            2 if !new.is_empty() => {
                let with = below(new.len());
                new.swap(at, with);
            }
            3 if !new.is_empty() => new[at] = WORDS[below(WORDS.len())],
            4 => {
                new.splice(at..at, [" ", WORDS[below(WORDS.len())], " "]);
            }
            5 if !theirs.is_empty() => {
                let from = below(theirs.len());
                let run = theirs[from..(from + 1 + below(30)).min(theirs.len())].to_vec();
                new.splice(at..at, run);
            }
            _ if !new.is_empty() => new[at] = own[from],
            _ => {}
        }
    }
    new.concat()
}
