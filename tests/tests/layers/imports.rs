//! Which room of a crate imports which: every path that starts with `crate`, `self`, `super` or a name that a `use`
//! brought in, followed through the crate's own `pub use` to the file that defines what is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Token, item_end, tokens, without_tests};

/// The sources of a crate: module paths such as `model::problem`, each with its file and its text. The root is empty.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) modules: BTreeMap<String, Module>,
}

/// One file.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// From the repository's root.
    pub(super) file: String,
    /// The paths it imports, each as segments from the crate's root.
    uses: Vec<Use>,
    /// Modules below it that only tests compile.
    test_modules: Vec<String>,
}

/// A path in a file.
#[derive(Clone, Debug)]
struct Use {
    line: usize,
    path: Vec<String>,
    /// The name it has from here on, for others too if it is `pub use`.
    name: Option<String>,
    public: bool,
    /// A `mod` line: it gives a name and imports nothing.
    declares: bool,
}

/// An import of one file by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) file: String,
    pub(super) line: usize,
    /// The importing module.
    pub(super) from: String,
    /// The module that is imported.
    pub(super) to: String,
}

impl Tree {
    /// The tree of files with paths below the crate's source folder, such as `model/mod.rs`.
    pub(super) fn new<'a>(folder: &str, files: impl Iterator<Item = (&'a str, &'a str)>) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            let name = module_of(path);
            let all = tokens(text);
            let (kept, test_modules) = without_tests(&all);
            let uses = uses(&name, &kept);
            let file = format!("{folder}/{path}");
            let test_modules = test_modules.into_iter().map(|m| join(&name, m)).collect();
            tree.modules.insert(name, Module { file, uses, test_modules });
        }
        let only_tests: Vec<String> = tree.modules.values().flat_map(|m| m.test_modules.clone()).collect();
        tree.modules.retain(|name, _| !only_tests.iter().any(|t| is_within(name, t)));
        tree
    }

    /// Every import of a file by another.
    pub(super) fn imports(&self) -> Vec<Import> {
        let mut found: Vec<Import> = Vec::new();
        for (from, module) in &self.modules {
            let mut seen = BTreeSet::new();
            for u in module.uses.iter().filter(|u| !u.declares) {
                let to = self.resolve(&u.path, 0);
                if to != *from && seen.insert(to.clone()) {
                    found.push(Import { file: module.file.clone(), line: u.line, from: from.clone(), to });
                }
            }
        }
        found
    }

    /// The module that defines what a path names: `pub use` of a module on the way is followed.
    fn resolve(&self, path: &[String], depth: usize) -> String {
        let mut module = String::new();
        for (i, segment) in path.iter().enumerate() {
            let below = join(&module, segment);
            if self.modules.contains_key(&below) {
                module = below;
                continue;
            }
            let exported = self
                .modules
                .get(&module)
                .and_then(|m| m.uses.iter().find(|u| u.public && u.name.as_deref() == Some(segment.as_str())));
            return match exported {
                Some(u) if depth < 8 => {
                    let whole: Vec<String> = u.path.iter().chain(&path[i + 1..]).cloned().collect();
                    self.resolve(&whole, depth + 1)
                }
                _ => module,
            };
        }
        module
    }
}

/// `model/problem/mod.rs` is `model::problem`; `lib.rs` and `main.rs` are the root.
fn module_of(path: &str) -> String {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if matches!(path, "lib" | "main") { String::new() } else { path.replace('/', "::") }
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// True for a module and everything below it.
pub(super) fn is_within(module: &str, room: &str) -> bool {
    module == room || module.strip_prefix(room).is_some_and(|rest| rest.starts_with("::"))
}

/// The paths within the crate that a file names.
fn uses(module: &str, tokens: &[Token<'_>]) -> Vec<Use> {
    let declared = tokens.windows(3).filter(|t| t[0].text == "mod" && t[2].text == ";");
    let declare = |t: &[Token<'_>]| {
        let path = absolute(module, vec!["self".to_owned(), t[1].text.to_owned()]).unwrap_or_default();
        Use { line: t[1].line, name: path.last().cloned(), path, public: false, declares: true }
    };
    let mut found: Vec<Use> = declared.map(declare).collect();
    // modules in braces, with the depth of the brace that ends each
    let mut inline: Vec<(String, usize)> = Vec::new();
    let (mut at, mut depth) = (0, 0);
    while at < tokens.len() {
        let here = inline.iter().fold(module.to_owned(), |m, (name, _)| join(&m, name));
        let next = |n: usize| tokens.get(at + n).map_or("", |t| t.text);
        match tokens[at].text {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.retain(|(_, d)| *d <= depth);
            }
            "mod" if next(2) == "{" => inline.push((next(1).to_owned(), depth + 1)),
            // `pub(in crate::model)` says who may look, and imports nothing
            "pub" if next(1) == "(" && next(2) == "in" => {
                at += tokens[at..].iter().take_while(|t| t.text != ")").count();
            }
            "use" if next(1) != "<" => {
                let end = item_end(tokens, at);
                let public = at > 0 && matches!(tokens[at - 1].text, "pub" | ")");
                let mut tree = UseTree { tokens: &tokens[at + 1..end], at: 0, public, found: &mut found };
                tree.read(&here, Vec::new());
                at = end;
                continue;
            }
            _ if tokens[at].is_word() && next(1) == "::" && (at == 0 || tokens[at - 1].text != "::") => {
                let mut path = vec![tokens[at].text.to_owned()];
                let line = tokens[at].line;
                while tokens.get(at + 1).is_some_and(|t| t.text == "::")
                    && tokens.get(at + 2).is_some_and(Token::is_word)
                {
                    path.push(tokens[at + 2].text.to_owned());
                    at += 2;
                }
                let path = absolute(&here, path).or_else(|path| by_alias(&found, path));
                found.extend(path.map(|path| Use { line, path, name: None, public: false, declares: false }));
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// A path from the crate's root; `Err` with the path itself for one that starts elsewhere.
fn absolute(here: &str, path: Vec<String>) -> Result<Vec<String>, Vec<String>> {
    let mut place: Vec<String> = here.split("::").filter(|s| !s.is_empty()).map(str::to_owned).collect();
    let mut rest = path.iter().peekable();
    match rest.peek().map(|s| s.as_str()) {
        Some("crate") => {
            rest.next();
            place.clear();
        }
        Some("self") => {
            rest.next();
        }
        Some("super") => {
            while rest.next_if(|s| *s == "super").is_some() {
                place.pop();
            }
        }
        _ => return Err(path),
    }
    place.extend(rest.cloned());
    Ok(place)
}

/// A path whose first name an earlier `use` brought in.
fn by_alias(found: &[Use], path: Vec<String>) -> Result<Vec<String>, ()> {
    let used = found.iter().find(|u| u.name.as_ref() == path.first()).ok_or(())?;
    Ok(used.path.iter().chain(&path[1..]).cloned().collect())
}

/// Reads what follows `use`: `a::{b, c as d}`.
struct UseTree<'a, 'f> {
    tokens: &'a [Token<'a>],
    at: usize,
    public: bool,
    found: &'f mut Vec<Use>,
}

impl UseTree<'_, '_> {
    fn read(&mut self, here: &str, before: Vec<String>) {
        let mut path = before;
        let mut alias = None;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "," | "}" | ";" => break,
                "{" => {
                    self.at += 1;
                    while self.tokens.get(self.at).is_some_and(|t| t.text != "}") {
                        self.read(here, path.clone());
                        if self.tokens.get(self.at).is_some_and(|t| t.text == ",") {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "as" => {
                    self.at += 1;
                    alias = self.tokens.get(self.at).map(|t| t.text.to_owned());
                }
                "self" if !path.is_empty() => {}
                text if token.is_word() => path.push(text.to_owned()),
                _ => {}
            }
            self.at += 1;
        }
        let line = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |t| t.line);
        let name = alias.or_else(|| path.last().cloned());
        let local = absolute(here, path.clone()).or_else(|path| by_alias(self.found, path));
        if let Ok(path) = local {
            self.found.push(Use { line, path, name, public: self.public, declares: false });
        }
    }
}
