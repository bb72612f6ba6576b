//! Names of a program as symbols: Greek words are letters, what follows `_` and digits at the end are subscripts, words of
//! several letters are upright, and `hat`, `bar`, `tilde` and `star` are marks.

/// A symbol whose scripts are still apart, so that indices join its subscripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// The letter or word.
    pub(super) base: String,
    /// What stands below, to be joined by commas.
    pub(super) below: Vec<String>,
    /// What stands above.
    pub(super) above: Option<&'static str>,
}

impl Symbol {
    /// The symbol as text.
    pub(super) fn text(&self) -> String {
        let mut text = self.base.clone();
        if !self.below.is_empty() {
            let below = self.below.join(",");
            // a single letter or digit needs no braces
            text += &if below.chars().count() == 1 { format!("_{below}") } else { format!("_{{{below}}}") };
        }
        if let Some(above) = self.above {
            text += &format!("^{{{above}}}");
        }
        text
    }
}

/// Greek letters by their names, which LaTeX shares.
const GREEK: [&str; 37] = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Xi",
    "Pi",
    "Sigma",
    "Upsilon",
    "Phi",
    "Psi",
    "Omega",
    "varepsilon",
    "vartheta",
    "varphi",
];

/// Greek letters that a program may hold, beside the names of LaTeX. Those that look like Latin letters have no command.
const LETTERS: [(char, &str); 34] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "varepsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('ι', "iota"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('π', "pi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('τ', "tau"),
    ('υ', "upsilon"),
    ('φ', "varphi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('ω', "omega"),
    ('Γ', "Gamma"),
    ('Δ', "Delta"),
    ('Θ', "Theta"),
    ('Λ', "Lambda"),
    ('Ξ', "Xi"),
    ('Π', "Pi"),
    ('Σ', "Sigma"),
    ('Υ', "Upsilon"),
    ('Φ', "Phi"),
    ('Ψ', "Psi"),
    ('Ω', "Omega"),
];

/// The symbol of a name.
pub(super) fn symbol(name: &str) -> Symbol {
    let mut pieces = name.split('_').filter(|piece| !piece.is_empty());
    let Some(first) = pieces.next() else { return plain(name) };
    // a name such as `_a` or `a__b` would share its symbol with another
    if name.starts_with('_') || name.ends_with('_') || name.contains("__") {
        return plain(name);
    }
    let (word, number) = without_number(first);
    let mut symbol = Symbol { base: letter(word), below: Vec::new(), above: None };
    if !number.is_empty() {
        symbol.below.push(number.to_owned());
    }
    for piece in pieces {
        match mark(piece) {
            Some(Mark::Accent(accent)) => symbol.base = format!("{accent}{{{}}}", symbol.base),
            Some(Mark::Above(above)) => symbol.above = Some(above),
            None => symbol.below.push(below(piece)),
        }
    }
    symbol
}

fn plain(name: &str) -> Symbol {
    Symbol { base: upright(name), below: Vec::new(), above: None }
}

/// The text of a name.
pub(super) fn named(name: &str) -> String {
    symbol(name).text()
}

enum Mark {
    Accent(&'static str),
    Above(&'static str),
}

fn mark(piece: &str) -> Option<Mark> {
    match piece {
        "hat" => Some(Mark::Accent("\\hat")),
        "bar" => Some(Mark::Accent("\\bar")),
        "tilde" => Some(Mark::Accent("\\tilde")),
        "dot" => Some(Mark::Accent("\\dot")),
        "star" => Some(Mark::Above("\\star")),
        "opt" => Some(Mark::Above("*")),
        "prime" => Some(Mark::Above("\\prime")),
        _ => None,
    }
}

/// A word and the number at its end: `y12` is `y` and `12`. A number that begins a piece is all of it.
fn without_number(word: &str) -> (&str, &str) {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if letters.is_empty() { (word, "") } else { word.split_at(letters.len()) }
}

/// A piece after `_`.
fn below(piece: &str) -> String {
    let (word, number) = without_number(piece);
    if word.chars().all(|c| c.is_ascii_digit()) { word.to_owned() } else { letter(word) + number }
}

/// A letter in italics, a Greek one by its command, a word upright.
fn letter(word: &str) -> String {
    if GREEK.contains(&word) {
        return format!("\\{word}");
    }
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(one), None) if one.is_ascii_alphabetic() => one.to_string(),
        (Some(one), None) => match LETTERS.iter().find(|(greek, _)| *greek == one) {
            Some((_, name)) => format!("\\{name}"),
            None => upright(word),
        },
        _ => upright(word),
    }
}

/// A word in upright letters.
pub(super) fn upright(word: &str) -> String {
    // letters that are not ASCII exist in text only
    let command = if word.is_ascii() { "\\mathrm" } else { "\\text" };
    format!("{command}{{{}}}", escaped(word))
}

/// Text without characters that LaTeX would obey.
pub(super) fn escaped(text: &str) -> String {
    let mut result = String::new();
    for c in text.chars() {
        match c {
            '\\' => result += "\\textbackslash{}",
            '^' => result += "\\textasciicircum{}",
            '~' => result += "\\textasciitilde{}",
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => {
                result.push('\\');
                result.push(c);
            }
            c if c.is_control() => result.push(' '),
            c => result.push(c),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_symbols() {
        let cases = [
            ("x", "x"),
            ("y1", "y_1"),
            ("y12", "y_{12}"),
            ("lambda", "\\lambda"),
            ("alpha_x", "\\alpha_x"),
            ("lambda2_max", "\\lambda_{2,\\mathrm{max}}"),
            ("x_hat", "\\hat{x}"),
            ("x_hat_2", "\\hat{x}_2"),
            ("y_star", "y^{\\star}"),
            ("beta1_bar_k", "\\bar{\\beta}_{1,k}"),
            ("demand", "\\mathrm{demand}"),
            ("conv2d", "\\mathrm{conv2d}"),
            ("W_in1", "W_{\\mathrm{in}1}"),
            ("λ", "\\lambda"),
            ("Σ_x", "\\Sigma_x"),
            ("größe", "\\text{größe}"),
            ("_a", "\\mathrm{\\_a}"),
            ("a__b", "\\mathrm{a\\_\\_b}"),
            ("x_1", "x_1"),
        ];
        for (name, wanted) in cases {
            assert_eq!(named(name), wanted, "{name}");
        }
    }

    #[test]
    fn text_is_harmless() {
        assert_eq!(
            escaped("a_b%{c}\\d^e~\u{7}"),
            "a\\_b\\%\\{c\\}\\textbackslash{}d\\textasciicircum{}e\\textasciitilde{} "
        );
    }
}
