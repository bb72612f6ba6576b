//! What the check says of one version of a text. It takes longer than [`Syntax`](super::Syntax), so it is made apart and
//! may be of an older version: answers then go by names, not by places.

use blo_engine::model::problem::LevelId;
use blo_engine::model::{NamedValue, Nature, Problem};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;
use blo_solvers::audit::assumption;

use super::names::{Side, Symbol, SymbolKind};
use crate::document::Document;
use crate::input::checked::{Asked, Checked, examined};
use crate::output::explain::{self, Explained};

/// A checked version.
#[derive(Debug)]
pub struct Judged {
    /// The text with its place.
    pub document: Document,
    checked: Checked,
    /// What the calculus says of the objectives, upper and lower: it takes longer than an editor waits.
    objectives: [Vec<String>; 2],
}

impl Judged {
    /// Checks a text as `blo check` does; `None` if it is stale before that has ended.
    pub fn new(document: Document, asked: &Asked<'_>, is_stale: &dyn Fn() -> bool) -> Option<Judged> {
        let checked = examined(&document, asked, is_stale)?;
        let mut judged = Judged { document, checked, objectives: Default::default() };
        judged.objectives = [Side::Upper, Side::Lower].map(|side| judged.proofs(side));
        Some(judged)
    }

    /// Everything found, in the order of the text.
    pub fn findings(&self) -> &[Diagnostic] {
        &self.checked.diagnostics
    }

    /// The problem, when nothing is wrong with it.
    pub fn problem(&self) -> Option<&Problem> {
        self.checked.problem.as_ref()
    }

    fn explained(&self) -> Option<Explained<'_>> {
        let problem = self.checked.problem.as_ref()?;
        Some(Explained { document: &self.document, ast: &self.checked.ast, problem })
    }

    /// The value of a symbol: of the same place if the text has not changed, else of the same name.
    fn value(&self, symbol: &Symbol, is_current: bool) -> Option<&NamedValue> {
        let named = &self.checked.named;
        let by_name = || named.values.iter().find(|v| v.name == symbol.name);
        match (symbol.kind, is_current) {
            (SymbolKind::Column | SymbolKind::Argument | SymbolKind::Index | SymbolKind::Row(_), _) => None,
            (SymbolKind::Preset | SymbolKind::Problem | SymbolKind::Metric, _) => None,
            (_, true) => named.at(symbol.span),
            (_, false) => by_name(),
        }
    }

    /// What is known of a symbol's value, a line each; `dataset` is that of a column.
    pub(super) fn facts(&self, symbol: &Symbol, dataset: Option<&str>, is_current: bool) -> Vec<String> {
        let mut facts = Vec::new();
        let explained = self.explained();
        let value = self.value(symbol, is_current);
        match symbol.kind {
            SymbolKind::Variable(_) => {
                let shown = explained.as_ref().and_then(|e| e.variable(&symbol.name));
                let shown = shown.or_else(|| value.map(|v| self.shape(v)));
                facts.extend(shown);
                let sign = self.sign(&symbol.name);
                facts.extend(sign.map(|sign| format!("{sign} by its set")));
            }
            SymbolKind::Data => facts.extend(
                explained.as_ref().and_then(|e| e.data(None, &symbol.name)).or_else(|| value.map(|v| self.shape(v))),
            ),
            SymbolKind::Column => {
                facts.extend(explained.as_ref().zip(dataset).and_then(|(e, d)| e.data(Some(d), &symbol.name)));
            }
            SymbolKind::Row(_) if is_current => {
                facts.extend(explained.as_ref().map(|e| {
                    let folded = "part of the set of its variable".to_owned();
                    e.row(symbol.declaration).unwrap_or(folded)
                }));
            }
            SymbolKind::Param => facts.extend(self.param(symbol).or_else(|| value.map(|v| self.shape(v)))),
            _ => facts.extend(value.map(|v| self.shape(v))),
        }
        if let (SymbolKind::Let(_), Some(value)) = (symbol.kind, value) {
            facts.extend(self.checked.named.nature(value, self.checked.problem.as_ref()).map(in_words));
        }
        let level = match symbol.kind {
            SymbolKind::Variable(Side::Upper) => LevelId::UPPER,
            _ => LevelId::LOWER,
        };
        if let (SymbolKind::Variable(_), Some(explained)) = (symbol.kind, &explained) {
            let own = explained.proxes(level).into_iter().filter(|(name, _)| *name == symbol.name);
            facts.extend(own.map(|(_, prox)| format!("prox: `{prox}`")));
        }
        facts
    }

    fn shape(&self, value: &NamedValue) -> String {
        match &value.shape {
            Some(shape) => explain::shape(shape, &self.checked.named.sizes),
            None => value.what.clone(),
        }
    }

    fn param(&self, symbol: &Symbol) -> Option<String> {
        self.checked.named.sizes.get(&symbol.name).map(|value| format!("= {value}"))
    }

    /// The sign of a variable, where its set tells one.
    fn sign(&self, name: &str) -> Option<String> {
        use blo_engine::sign::Sign;
        let problem = self.checked.problem.as_ref()?;
        let variable = problem.variables().find(|v| v.name == name)?;
        let sign = problem.signs(&problem.upper().objective).get(variable.formal).copied()?;
        (sign != Sign::Unknown).then(|| sign.to_string())
    }

    /// What the calculus says of a level's objective.
    pub(super) fn objective(&self, side: Side) -> &[String] {
        &self.objectives[usize::from(side == Side::Lower)]
    }

    fn proofs(&self, side: Side) -> Vec<String> {
        let (Some(explained), Some(problem)) = (self.explained(), &self.checked.problem) else { return Vec::new() };
        let level = if side == Side::Upper { LevelId::UPPER } else { LevelId::LOWER };
        let mut facts: Vec<String> = explained.objective(level).into_iter().collect();
        if side == Side::Lower {
            let proofs = assumption::proved(problem);
            facts.extend(proofs.iter().map(|p| format!("{}: {} ({})", p.assumption.name(), p.verdict, p.reason)));
        }
        facts
    }

    /// The proximal maps of a level; at a place of this very text, first the atom of the term there.
    pub(super) fn proximal(&self, side: Side, place: Option<usize>) -> Vec<String> {
        let (Some(explained), Some(problem)) = (self.explained(), &self.checked.problem) else { return Vec::new() };
        let level = if side == Side::Upper { LevelId::UPPER } else { LevelId::LOWER };
        let terms = problem.levels[level.index()].terms.iter();
        let holds = |span: Span, at: usize| span.start as usize <= at && at <= span.end as usize;
        let here = terms.filter(|t| place.is_some_and(|at| holds(t.span, at)));
        let mut facts: Vec<String> = here.map(|t| format!("this term: `{}`, {}", t.atom.name, t.atom.doc)).collect();
        let proxes = explained.proxes(level).into_iter();
        facts.extend(proxes.map(|(name, prox)| format!("`{name}`: `{prox}`")));
        facts
    }
}

fn in_words(nature: Nature) -> String {
    use blo_engine::calculus::{Class, Convexity};
    use blo_engine::sign::Sign;
    let mut words = vec![nature.class.to_string()];
    match nature.convexity {
        Convexity::Convex if nature.class != Class::KinkedConvex => words.push("convex".into()),
        Convexity::Concave => words.push("concave".into()),
        _ => {}
    }
    if nature.sign != Sign::Unknown {
        words.push(nature.sign.to_string());
    }
    format!("{} in all variables", words.join(", "))
}

/// A finding in the words of its message, its label and its help.
pub fn message(d: &Diagnostic) -> String {
    let mut text = d.message.clone();
    if !d.primary.text.is_empty() && !text.contains(&d.primary.text) {
        text += &format!("\n{}", d.primary.text);
    }
    d.help.iter().for_each(|help| text += &format!("\nhelp: {help}"));
    text
}
