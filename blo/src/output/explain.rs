//! What a problem says, level by level: variables with shapes and sets, the objectives with their class and curvature, the
//! proximal terms with the map that was found for them, and what the file adds to the mathematics.

use blo_engine::calculus::Analysis;
use blo_engine::calculus::Assumption;
use blo_engine::calculus::Verdict;
use blo_engine::graph::Function;
use blo_engine::model::problem::{Constraint, ConstraintClass, ConstraintKind, DataOrigin, Level, LevelId, Variable};
use blo_engine::model::{Bindings, Problem};
use blo_engine::shape::{Shape, Sizes};
use blo_grammar::ast::{Ast, Domain, Expr, FactRelation, ItemKind, Row, Statement, StatementKind};
use blo_grammar::span::Span;
use blo_solvers::METHODS;
use blo_solvers::audit::assumption::{self, AssumptionFinding};
use blo_solvers::audit::scales::{self, ScaleFinding};

use crate::document::Document;
use crate::output::table::{Align, lines};
use crate::output::text::visible::on_one_line;

/// Expressions are cut after this many characters; the file has the rest.
const LONGEST: usize = 120;

/// Before every line of a section.
const INDENT: &str = "  ";

/// Lines of three columns: a word, a name, what there is to say.
type Rows = Vec<Vec<String>>;

/// What is known of the lower level: with numbers where there are any.
fn judgements(problem: &Problem, data: Option<&Bindings>) -> Vec<AssumptionFinding> {
    let judged = data.and_then(|data| assumption::judge(problem, data, 1, &Assumption::ALL, f64::INFINITY).ok());
    judged.unwrap_or_else(|| assumption::proved(problem))
}

/// A checked problem with its text.
#[derive(Clone, Copy)]
pub struct Explained<'a> {
    /// The text.
    pub document: &'a Document,
    /// Its syntax tree.
    pub ast: &'a Ast,
    /// The problem.
    pub problem: &'a Problem,
}

/// What a problem says, in `page` columns; with data, assumptions may be refuted and scales are judged.
pub fn explanation(model: Explained<'_>, data: Option<&Bindings>, page: usize) -> String {
    let assumptions = judgements(model.problem, data);
    let scales = data.map(|data| scales::scales(model.problem, data)).unwrap_or_default();
    let (assumptions, scales) = (assumptions.as_slice(), scales.as_slice());
    let mut text = format!("{}\n", on_one_line(&model.problem.name));
    let items = &model.ast.items;
    // the doc comment of the first item is the file's
    let head = items.iter().find(|i| matches!(i.kind, ItemKind::Problem { .. })).or(items.first());
    for line in head.iter().flat_map(|i| &i.doc) {
        text += &format!("  {}\n", on_one_line(line.trim()));
    }
    let writer = Writer { model, problem: model.problem };
    for (title, rows) in [
        ("given", writer.given()),
        ("upper level", writer.level(model.problem.upper(), false)),
        ("lower level", writer.level(model.problem.lower(), true)),
        ("assumptions of methods on the lower level", writer.assumptions(assumptions)),
        ("scales of the lower level", out_of_scale(scales)),
        ("checked when data are known", writer.obligations()),
        ("known", writer.known()),
        ("reported", writer.metrics()),
        ("methods", writer.methods()),
    ] {
        if !rows.is_empty() {
            text += &format!("\n{title}\n");
            for line in lines(&[Align::Left; 3], &rows, page - INDENT.len()).lines() {
                text += &format!("{INDENT}{line}\n");
            }
        }
    }
    text
}

/// Pieces of the explanation, for tools that show one of them beside the text.
impl Explained<'_> {
    fn writer(&self) -> Writer<'_> {
        Writer { model: *self, problem: self.problem }
    }

    /// A variable's shape and set.
    pub fn variable(&self, name: &str) -> Option<String> {
        let writer = self.writer();
        let declared = [false, true].into_iter().flat_map(|is_lower| writer.statements(is_lower));
        let domain = declared.into_iter().find_map(|s| match &s.kind {
            StatementKind::Var { name: own, domain, .. } if own.text == name => Some(domain.as_ref()),
            _ => None,
        })?;
        let variable = self.problem.variables().find(|v| v.name == name)?;
        Some(writer.variable(variable, domain))
    }

    /// The shape of a data item, or of a column of a dataset.
    pub fn data(&self, dataset: Option<&str>, name: &str) -> Option<String> {
        let found = match dataset {
            None => self.problem.data.iter().find(|d| d.name == name).map(|d| &d.shape),
            Some(dataset) => {
                let dataset = self.problem.tables.datasets.iter().find(|d| d.name == dataset)?;
                dataset.columns.iter().find(|c| c.name == name).map(|c| &c.shape)
            }
        };
        found.map(|s| shape(s, &self.problem.sizes))
    }

    /// What the calculus proves of a level's objective.
    pub fn objective(&self, level: LevelId) -> Option<String> {
        self.writer().nature(&self.problem.levels[level.index()])
    }

    /// The prox of a variable with the terms that concern it, each by its name.
    pub fn proxes(&self, level: LevelId) -> Vec<(String, String)> {
        let variables = self.problem.levels[level.index()].variables.iter();
        variables.filter_map(|v| Some((v.name.clone(), prox(v)?))).collect()
    }

    /// What is known of the row with this place.
    pub fn row(&self, span: Span) -> Option<String> {
        let writer = self.writer();
        [LevelId::UPPER, LevelId::LOWER].into_iter().find_map(|id| {
            let rows = self.problem.levels[id.index()].constraints.iter();
            let found: Vec<&Constraint> = rows.filter(|c| c.span == span).collect();
            (!found.is_empty()).then(|| writer.nature_of_row(&found, id == LevelId::LOWER))
        })
    }
}

/// The map that was found for the terms of a variable.
fn prox(v: &Variable) -> Option<String> {
    let p = v.prox.as_ref()?;
    let merged = if p.with_box { ", merged with the box" } else { "" };
    let entry = p.map.entry;
    Some(format!("{}: prox of {}: {}{merged}", p.map.name(), entry.doc, entry.formula))
}

struct Writer<'a> {
    model: Explained<'a>,
    problem: &'a Problem,
}

impl Writer<'_> {
    /// The text of a span on one line, cut if it is long.
    fn text(&self, span: Span) -> String {
        let text = self.model.document.text.get(span.range()).unwrap_or_default();
        let without_comments = text.lines().map(|l| l.split('#').next().unwrap_or_default());
        let text = without_comments.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        let text = on_one_line(&text).into_owned();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }

    fn kinds(&self) -> impl Iterator<Item = &ItemKind> {
        self.model.ast.items.iter().map(|i| &i.kind)
    }

    /// Params, data and what the file lets stand for something.
    fn given(&self) -> Rows {
        let mut rows = Rows::new();
        for item in &self.model.ast.items {
            let (word, name, mut what) = match &item.kind {
                ItemKind::Param { name, value, .. } => {
                    let given = self.problem.sizes.get(&name.text).map(|v| v.to_string());
                    let written = self.text(value.span);
                    let value = match given {
                        Some(v) if v != written => format!("{written} = {v}"),
                        _ => written,
                    };
                    ("param", &name.text, value)
                }
                ItemKind::Data(column) => {
                    let found = self.problem.data.iter().find(|d| d.name == column.name.text);
                    let shape = found.map(|d| shape(&d.shape, &self.problem.sizes)).unwrap_or_default();
                    let origin = match found.map(|d| &d.origin) {
                        Some(DataOrigin::File { format, path, .. }) => format!("{format} file {path}"),
                        _ => self.text(column.value.span),
                    };
                    ("data", &column.name.text, [shape, origin].join("  ").trim().to_owned())
                }
                ItemKind::Dataset { name, .. } => ("dataset", &name.text, self.columns(&name.text)),
                ItemKind::Split { source, parts, .. } => {
                    let parts = parts.iter().map(|(name, size)| format!("{}: {}", name.text, self.text(size.span)));
                    ("split", &source.text, parts.collect::<Vec<_>>().join(", "))
                }
                ItemKind::Episodes { name, source, options } => {
                    let options = options.iter().map(|o| format!("{} = {}", o.name.text, self.text(o.value.span)));
                    let options: Vec<String> = options.collect();
                    ("episodes", &name.text, format!("from {}: {}", source.text, options.join(", ")))
                }
                ItemKind::Corrupt { target, options } => {
                    let options = options.iter().map(|o| format!("{} = {}", o.name.text, self.text(o.value.span)));
                    rows.push(vec!["corrupt".into(), self.text(target.span), options.collect::<Vec<_>>().join(", ")]);
                    continue;
                }
                ItemKind::Let(b) => ("let", &b.name.text, self.text(b.value.span)),
                ItemKind::Function { name, body, .. } => ("fn", &name.text, self.text(body.span)),
                ItemKind::Set { name, value, .. } => ("set", &name.text, self.text(value.span)),
                _ => continue,
            };
            let is_head = self.model.ast.items.first().is_some_and(|first| first.span == item.span);
            if !item.doc.is_empty() && !is_head {
                what += &format!("  # {}", joined(&item.doc));
            }
            rows.push(vec![word.into(), name.clone(), what]);
        }
        rows
    }

    /// The columns of a dataset with their shapes and files.
    fn columns(&self, dataset: &str) -> String {
        let found = self.problem.tables.datasets.iter().find(|d| d.name == dataset);
        let columns = found.map_or(&[][..], |d| &d.columns).iter().map(|c| {
            let origin = match &c.origin {
                DataOrigin::File { format, path, .. } => format!(" from {format} file {path}"),
                _ => String::new(),
            };
            format!("{} {}{origin}", c.name, shape(&c.shape, &self.problem.sizes))
        });
        columns.collect::<Vec<_>>().join("; ")
    }

    fn statements(&self, is_lower: bool) -> &[Statement] {
        let body = self.kinds().find_map(|k| match k {
            ItemKind::Upper { body, .. } if !is_lower => Some(body),
            ItemKind::Lower(lower) if is_lower => Some(&lower.body),
            _ => None,
        });
        body.map_or(&[], Vec::as_slice)
    }

    fn level(&self, level: &Level, is_lower: bool) -> Rows {
        let mut rows = Rows::new();
        for statement in self.statements(is_lower) {
            let row = match &statement.kind {
                StatementKind::SubjectTo(written) => {
                    written.iter().for_each(|row| rows.extend(self.row(row, level, is_lower)));
                    continue;
                }
                StatementKind::Var { name, domain, .. } => {
                    let Some(v) = level.variables.iter().find(|v| v.name == name.text) else { continue };
                    let mut what = self.variable(v, domain.as_ref());
                    if !statement.doc.is_empty() {
                        what += &format!("  # {}", joined(&statement.doc));
                    }
                    vec!["var".into(), v.name.clone(), what]
                }
                StatementKind::Minimize(e) => self.objective("minimize", e, is_lower),
                StatementKind::Maximize(e) => self.objective("maximize", e, is_lower),
                StatementKind::Regularize(e) => vec!["regularize".into(), "g".into(), self.text(e.span)],
                StatementKind::Let(b) => vec!["let".into(), b.name.text.clone(), self.text(b.value.span)],
                StatementKind::Lower(_) => continue,
            };
            let variable =
                if matches!(statement.kind, StatementKind::Var { .. }) { Some(row[1].clone()) } else { None };
            rows.push(row);
            if let Some(v) = level.variables.iter().find(|v| Some(&v.name) == variable.as_ref()) {
                rows.extend(self.moving_ends(v, level, is_lower));
            }
            if matches!(statement.kind, StatementKind::Minimize(_) | StatementKind::Maximize(_)) {
                rows.extend(self.nature(level).map(|n| vec![String::new(), String::new(), n]));
            }
        }
        let proxes = level.variables.iter().filter_map(|v| Some(vec!["prox".into(), v.name.clone(), prox(v)?]));
        rows.extend(proxes);
        rows
    }

    /// A row as written, and what is known of it.
    fn row(&self, row: &Row, level: &Level, is_lower: bool) -> Rows {
        let name = row.name.as_ref().map(|n| n.text.clone()).unwrap_or_default();
        let sides = Span { start: row.first.span.start, ..row.span };
        let found = level.constraints.iter().filter(|c| c.span == row.span).collect::<Vec<_>>();
        let what = match found.as_slice() {
            [] => "part of the set of its variable".to_owned(),
            _ => self.nature_of_row(&found, is_lower),
        };
        let written = vec!["row".into(), name, self.text(sides)];
        vec![written, vec![String::new(), String::new(), what]]
    }

    /// The rows that a variable's set makes where an end of it moves.
    fn moving_ends(&self, v: &Variable, level: &Level, is_lower: bool) -> Rows {
        let ends = level.constraints.iter().filter(|c| !c.named && c.span.start == v.span.start);
        let rows = ends.map(|c| {
            let what = format!("a row, as an end of the set moves: {}", self.nature_of_row(&[c], is_lower));
            vec!["row".into(), String::new(), format!("{}; {what}", on_one_line(&c.name))]
        });
        rows.collect()
    }

    /// Class, what moves the row, and the methods that take it.
    fn nature_of_row(&self, row: &[&Constraint], is_lower: bool) -> String {
        let own = if is_lower { "y" } else { "x" };
        let class = match row.iter().map(|c| c.class).max_by_key(|class| *class as u8) {
            Some(ConstraintClass::Unknown) if row[0].kind == ConstraintKind::Equality => "not affine, so not convex",
            Some(ConstraintClass::Unknown) => "not proved convex",
            Some(ConstraintClass::Convex) => "convex, proved,",
            _ => "affine",
        };
        let of = |inputs: Vec<usize>| {
            let held = self.problem.variables().filter(|v| inputs.contains(&v.formal));
            let held = held.filter(|v| row.iter().any(|c| c.value.depends_on(v.formal)));
            held.map(|v| v.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let others = of(if is_lower { self.problem.upper_inputs() } else { self.problem.lower_inputs() });
        let moving = match (row.iter().any(|c| c.moving), is_lower) {
            (false, _) => "fixed".to_owned(),
            (true, true) => format!("moves with {others}"),
            (true, false) => format!("holds {others} of the lower level"),
        };
        let id = if is_lower { LevelId::LOWER } else { LevelId::UPPER };
        let takes: Vec<&str> =
            METHODS.iter().filter(|m| m.keeps_to_rows(self.problem, id)).map(|m| m.entry.name).collect();
        let takes =
            if takes.is_empty() { "no method takes it".into() } else { format!("taken by {}", takes.join(", ")) };
        let shape = shape(&row[0].shape, &self.problem.sizes);
        format!("{class} in {own}; {moving}; {shape}; {takes}")
    }

    fn variable(&self, v: &Variable, domain: Option<&Domain>) -> String {
        let mut parts = vec![shape(&v.shape, &self.problem.sizes)];
        parts.push(match domain {
            None => "free".into(),
            Some(Domain::In(e)) => format!("in {}", self.text(e.span)),
            Some(Domain::AtLeast(e)) => format!(">= {}", self.text(e.span)),
            Some(Domain::AtMost(e)) => format!("<= {}", self.text(e.span)),
        });
        if let Some(set) = v.set.as_ref().filter(|s| !s.set.is_box) {
            parts.push(format!("({})", set.set.doc));
        }
        parts.join("  ")
    }

    fn objective(&self, word: &str, e: &Expr, is_lower: bool) -> Vec<String> {
        vec![word.into(), if is_lower { "f" } else { "F" }.into(), self.text(e.span)]
    }

    /// What the calculus proves of the objective.
    fn nature(&self, level: &Level) -> Option<String> {
        let f: &Function = &level.objective;
        let root = f.outputs()[0];
        let (upper, lower) = (self.problem.upper_inputs(), self.problem.lower_inputs());
        let signs = self.problem.signs(f);
        let both: Vec<usize> = upper.iter().chain(&lower).copied().collect();
        let class = Analysis::new(f, &signs, &both).class(root);
        let mut parts = vec![format!("{class} in all variables")];
        if level.maximize {
            parts.push("minimized as its negative".into());
        }
        Some(parts.join("; "))
    }

    fn assumptions(&self, found: &[AssumptionFinding]) -> Rows {
        let mut rows = Rows::new();
        for j in found {
            let blame = j.blame.map(|span| format!(": `{}`", self.text(span))).unwrap_or_default();
            rows.push(vec![j.assumption.name().into(), j.verdict.to_string(), format!("{}{blame}", j.reason)]);
            if j.verdict == Verdict::Refuted {
                let need = METHODS.iter().filter(|m| m.entry.requires.contains(&j.assumption)).map(|m| m.entry.name);
                let need: Vec<&str> = need.collect();
                rows.push(vec![String::new(), String::new(), format!("assumed by {}", need.join(", "))]);
            }
        }
        rows
    }

    /// What the check leaves to the data, each with the text that asks for it.
    fn obligations(&self) -> Rows {
        let mut open: Vec<_> = self.problem.obligations.iter().filter(|o| !o.of_node).collect();
        open.sort_by_key(|o| o.span);
        let line = |span: Span| {
            let before = self.model.document.text.get(..span.start as usize).unwrap_or_default();
            format!("line {}", before.matches('\n').count() + 1)
        };
        open.into_iter().map(|o| vec![line(o.span), self.text(o.span), o.words()]).collect()
    }

    fn known(&self) -> Rows {
        let facts = self.kinds().filter_map(|k| if let ItemKind::Known(facts) = k { Some(facts) } else { None });
        let row = |fact: &blo_grammar::ast::Fact| {
            let relation = match fact.relation {
                FactRelation::Equals => "=",
                FactRelation::In => "in",
            };
            let each = fact.each.as_ref().map(|(i, set)| format!("  for {} in {}", i.text, self.text(set.span)));
            let value = format!("{relation} {}{}", self.text(fact.value.span), each.unwrap_or_default());
            vec![self.text(fact.target.span), value]
        };
        facts.flatten().map(row).collect()
    }

    fn metrics(&self) -> Rows {
        let metrics = self.kinds().filter_map(|k| if let ItemKind::Metric(b) = k { Some(b) } else { None });
        metrics.map(|b| vec!["metric".into(), b.name.text.clone(), self.text(b.value.span)]).collect()
    }

    fn methods(&self) -> Rows {
        let preset = |p: &blo_engine::model::problem::Preset| {
            let name = p.preset.as_ref().map_or(String::new(), |n| format!(":{}", n.text));
            let options = p.options.iter().map(|o| format!("{} = {}", o.name.text, self.text(o.value.span)));
            vec!["preset".into(), format!("{}{name}", p.method.text), options.collect::<Vec<_>>().join(", ")]
        };
        let mut rows: Rows = self.problem.presets.iter().map(preset).collect();
        let expectation = |e: &blo_engine::model::problem::Expectation| {
            let name = e.preset.as_ref().map_or(String::new(), |n| format!(":{}", n.text));
            let body: Vec<String> = e.body.iter().map(|b| b.text.clone()).collect();
            let method = e.method.as_ref().map_or("", |m| m.text.as_str());
            vec!["expect".into(), format!("{method}{name}"), body.join(", ")]
        };
        rows.extend(self.problem.expectations.iter().map(expectation));
        rows
    }
}

/// What is out of scale, and what to do about it.
fn out_of_scale(found: &[ScaleFinding]) -> Rows {
    let mut rows = Rows::new();
    let mut matrix = None;
    for finding in found {
        rows.push(match finding {
            ScaleFinding::Curvatures { least, largest } => {
                let what = format!(
                    "at the start the second derivative of f is {:.1e} in {} and {:.1e} in {}: the condition of the \
                     lower level is at least {:.0e}",
                    least.1,
                    least.0,
                    largest.1,
                    largest.0,
                    largest.1 / least.1
                );
                vec!["curvature".into(), "f".into(), what]
            }
            ScaleFinding::Columns { data, column: (place, name), size, middle, constant } => {
                matrix.get_or_insert((data, *constant));
                let named = name.as_ref().map(|n| format!(" (`{}`)", on_one_line(n))).unwrap_or_default();
                let what = format!(
                    "column {place}{named} is out of scale: its root mean square is {size:.1e}, that of a middle column \
                     {middle:.1e}"
                );
                vec!["columns".into(), data.clone(), what]
            }
        });
    }
    if !rows.is_empty() {
        let (name, constant) = matrix.map_or(("A", None), |(name, constant)| (name.as_str(), constant));
        let but = constant.map(|j| format!(" (without column {j}, which is constant)")).unwrap_or_default();
        let advice = format!(
            "the steps of most methods depend on these units: write `standardize({name}, rows = tr)`{but}, or measure \
             in other units"
        );
        rows.push(vec![String::new(), String::new(), advice]);
    }
    rows
}

fn joined(doc: &[String]) -> String {
    // control characters of a comment must not reach the terminal
    on_one_line(&doc.iter().map(|l| l.trim()).collect::<Vec<_>>().join(" ")).into_owned()
}

/// `[n, 2] = [50, 2]`; `number` for a scalar.
pub fn shape(shape: &Shape, sizes: &Sizes) -> String {
    if shape.is_scalar() {
        return "number".into();
    }
    match shape.sizes(sizes) {
        Ok(values) if shape.0.iter().any(|d| d.as_integer().is_none()) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{shape} = [{}]", values.join(", "))
        }
        _ => shape.to_string(),
    }
}
