//! Programs that the page offers wherever it is: those of `specs/` that read no file. `cargo xtask docs` writes their page.

use blo_engine::model::{self, Settings};
use blo_solvers::landscape::has_landscape;

/// `==> NAME <==` before each program.
const PAGE: &str = include_str!("../../pages/gallery.txt");

/// A program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Example {
    pub(super) name: &'static str,
    /// What it is, from its first line.
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

impl Example {
    /// Whether it has one number x and one number y.
    pub(super) fn has_landscape(self) -> bool {
        let ast = blo_grammar::parse(self.text).ast;
        let problem = model::check(&ast, self.text, self.name, &Settings::default()).problem;
        problem.is_some_and(|problem| has_landscape(&problem, &problem.sizes))
    }
}

/// All of them, by name.
pub(super) fn examples() -> Vec<Example> {
    let example = |part: &'static str| {
        let (name, text) = part.split_once(" <==\n")?;
        let title = text.lines().next().and_then(|line| line.strip_prefix("## ")).unwrap_or_default();
        Some(Example { name, title, text })
    };
    PAGE.split("==> ").filter_map(example).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_a_title_and_is_sound() {
        let all = examples();
        assert!(all.len() > 5, "{all:?}");
        for example in all {
            assert!(!example.title.is_empty(), "{}", example.name);
            assert!(blo_grammar::parse(example.text).is_sound(), "{}", example.name);
        }
    }
}
