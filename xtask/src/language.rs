//! The tables of `docs/book/src/language.md`.

use std::path::Path;

use blo_engine::calculus::Assumption;
use blo_engine::data::{self, FORMATS, GENERATORS};
use blo_engine::elementwise::{self, Visibility};
use blo_engine::limits::{self, Limit};
use blo_engine::{function, prox, set};
use blo_solvers::{COMMON, Features, METHODS, OptionEntry};

use crate::book::chapter::anchor;
use crate::codes;
use crate::parts::{code, replaced, table};

/// The page with its tables as the registries have them.
pub(crate) fn page(root: &Path, old: &str) -> Result<String, String> {
    replaced(old, ["<!-- begin ", "<!-- end ", " -->"], &|name| Ok(format!("\n{}", part(root, name)?)))
}

fn part(root: &Path, name: &str) -> Result<String, String> {
    Ok(match name {
        "functions" => functions(),
        "prox" => proxes(),
        "sets" => table(
            &["set", "meaning", "projection"],
            set::TABLE.iter().map(|e| vec![code(e.name), e.doc.into(), code(e.formula)]),
        ),
        "formats" => sources(FORMATS.iter().map(|f| (f.name, f.doc, f.options)), "format"),
        "generators" => sources(GENERATORS.iter().map(|g| (g.name, g.doc, g.options)), "generator"),
        "options" => table(&["options of every method"], COMMON.iter().map(|o| vec![option(o)])),
        "methods" => methods(),
        "assumptions" => assumptions(),
        "features" => features(),
        "limits" => limits(),
        "codes" => {
            let pages = codes::pages(root)?;
            let row = |file: &str, (code, meaning): &(String, String)| {
                let heading = anchor(&format!("{code}: {meaning}"));
                vec![format!("[{code}](codes/{file}#{heading})"), meaning.clone()]
            };
            table(&["code", "meaning"], pages.iter().flat_map(|p| p.codes.iter().map(|c| row(&p.file, c))))
        }
        other => return Err(format!("no table is called `{other}`")),
    })
}

fn limits() -> String {
    let row = |l: &&Limit| {
        let raise = if l.may_be_raised { format!("`--limit {}=N`", l.name) } else { "fixed".to_owned() };
        vec![code(l.name), l.value.to_string(), l.counts.into(), l.reason.into(), raise]
    };
    table(&["limit", "value", "counts", "why", "to raise it"], limits::TABLE.iter().map(row))
}

fn functions() -> String {
    let named = elementwise::TABLE.iter().filter(|e| e.visibility.is_named() && function::by_name(e.name).is_none());
    let mut rows: Vec<(&str, Vec<String>)> = named
        .map(|e| {
            let (call, doc) = e.doc.split_once(" = ").unwrap_or((e.name, e.doc));
            let kind = if e.visibility == Visibility::ConstantOnly { "of constants" } else { "elementwise" };
            (e.name, vec![code(call), kind.to_owned(), doc.to_owned()])
        })
        .collect();
    rows.extend(function::TABLE.iter().map(|e| (e.name, vec![code(e.signature), "array".into(), e.doc.into()])));
    rows.sort_by_key(|(name, _)| *name);
    table(&["function", "kind", "meaning"], rows.into_iter().map(|(_, row)| row))
}

fn proxes() -> String {
    let row = |e: &&prox::Entry| {
        vec![code(e.doc), e.name.into(), e.boxes.doc().into(), code(e.modulus.doc()), code(e.formula)]
    };
    table(&["term", "name", "boxes", "weak convexity", "prox, t = step times weight"], prox::TABLE.iter().map(row))
}

fn sources<'a>(all: impl Iterator<Item = (&'a str, &'a str, &'a [data::OptionEntry])>, title: &str) -> String {
    let rows = all.map(|(name, doc, options)| {
        let options: Vec<String> = options.iter().map(|o| format!("`{} =` {}", o.name, o.doc)).collect();
        vec![code(name), doc.to_owned(), options.join("<br>")]
    });
    table(&[title, "meaning", "options"], rows)
}

fn option(o: &OptionEntry) -> String {
    let default = o.default.map_or_else(|| "automatic".to_owned(), code);
    format!("`{}` {} ({}; {default})", o.name, o.doc, o.kind.text())
}

fn methods() -> String {
    let rows = METHODS.iter().map(|m| {
        let assumed: Vec<&str> = m.entry.requires.iter().map(|a| a.name()).collect();
        let options: Vec<String> = m.entry.options.iter().map(option).collect();
        let what = format!("{}. {}", m.entry.doc, m.entry.citation);
        vec![code(m.entry.name), what, assumed.join(", "), options.join("<br>")]
    });
    table(&["method", "what it does", "assumes f", "options of its own"], rows)
}

/// Each assumption with the methods whose theory makes it.
fn assumptions() -> String {
    let rows = Assumption::ALL.into_iter().map(|assumption| {
        let assume = METHODS.iter().filter(|m| m.entry.requires.contains(&assumption));
        let names: Vec<String> = assume.map(|m| code(m.entry.name)).collect();
        vec![assumption.name().to_owned(), assumption.doc().to_owned(), names.join(", ")]
    });
    table(&["line", "it says", "assumed by"], rows)
}

/// What each method that runs takes and needs.
fn features() -> String {
    let titles: Vec<&str> = std::iter::once("method").chain(Features::TITLES.map(|(title, _)| title)).collect();
    let rows = METHODS.iter().filter_map(|m| {
        let cells = m.features()?.cells().map(str::to_owned);
        Some(std::iter::once(code(m.entry.name)).chain(cells).collect())
    });
    let meanings = Features::TITLES.iter().map(|(title, meaning)| vec![(*title).to_owned(), (*meaning).to_owned()]);
    format!("{}\n{}", table(&titles, rows), table(&["column", "meaning"], meanings))
}
