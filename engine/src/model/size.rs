//! Sizes and shapes while they are checked: constants that need no data, dimensions that must agree, declared sizes.

use std::collections::{HashMap, HashSet};

use blo_grammar::ast::{Expr, ExprKind};
use blo_grammar::diagnostic::{Diagnostic, Edit};
use blo_grammar::span::Span;

use super::checker::{Checked, Checker, Reported};
use super::meaning::{Kind, LoopArray};
use super::message;
use crate::elementwise::Elementwise;
use crate::graph::{Function, NodeId, Op};
use crate::limits::CONSTANTS;
use crate::model::problem::{Claim, DataItem, DataOrigin, Need, Obligation, Verdict, of_nodes, well_formed};
use crate::oracle;
use crate::shape::{Dim, Shape, Sizes};

impl Checker<'_> {
    /// A scalar's value, when it needs no data and no variable. Fails where it takes too much work.
    pub(super) fn number(&mut self, a: &LoopArray) -> Checked<Option<f64>> {
        if !a.loops.is_empty() || !a.is_scalar() || self.first_input.of(&self.graph, a.node).is_some() {
            return Ok(None);
        }
        let f = Function::new("constant", &self.graph, Vec::new(), &[a.node]);
        if !well_formed(&f, &self.sizes, &self.file.settings.limits) {
            return Ok(None);
        }
        let (needed, most) = (oracle::operations(&f, &self.sizes), self.file.settings.limits.of(&CONSTANTS) as f64);
        if self.size_checks.computed + needed > most {
            return self.fail(message::too_much_work(self.graph.span_of(a.node), needed, most));
        }
        self.size_checks.computed += needed;
        Ok(Some(oracle::evaluate::<f64>(&f, &self.sizes, &[])[0].values[0]))
    }

    /// True when two dimensions agree; a width left to the data is bound to what it meets.
    pub(super) fn same_dim(&mut self, a: &Dim, b: &Dim) -> Checked<bool> {
        if a == b {
            return Ok(true);
        }
        for (symbol, other) in [(a, b), (b, a)] {
            if let Some(s) = symbol.as_symbol().filter(|s| self.is_deferred(s)) {
                self.widths.met.insert(s.to_string(), other.clone());
                self.widths.restart = true;
                return Err(Reported);
            }
        }
        Ok(false)
    }

    fn is_deferred(&self, symbol: &str) -> bool {
        self.widths.met.get(symbol).is_some_and(|d| *d == Dim::symbol(symbol))
    }

    /// True when two shapes agree.
    pub(super) fn same_shape(&mut self, a: &Shape, b: &Shape) -> Checked<bool> {
        if a.rank() != b.rank() {
            return Ok(false);
        }
        for (x, y) in a.0.iter().zip(&b.0) {
            if !self.same_dim(x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn shape_mismatch(
        &self,
        f: Elementwise,
        a: &LoopArray,
        b: &LoopArray,
        spans: (Span, Span),
    ) -> Diagnostic {
        let shapes = (self.shape_text(&a.shape), self.shape_text(&b.shape));
        let texts = (self.quoted(spans.0), self.quoted(spans.1));
        let d = message::shape_mismatch(f.entry().name, &shapes, &texts, spans);
        self.with_declarations(d, spans)
    }

    pub(super) fn product_mismatch(
        &self,
        a: &LoopArray,
        b: &LoopArray,
        operator: Span,
        spans: (Span, Span),
    ) -> Diagnostic {
        let shapes = (self.shape_text(&a.shape), self.shape_text(&b.shape));
        let texts = (self.text(spans.0), self.text(spans.1));
        // a column is a matrix of one column
        let columns = |s: &Shape| s.0.get(1).cloned().unwrap_or_else(|| Dim::constant(1));
        let transpose = if a.shape.0.first() == b.shape.0.first() {
            let (edit, text) = turned(spans.0, &texts.0);
            Some((edit, format!("{text}*{}", texts.1)))
        } else if b.shape.rank() == 2 && columns(&a.shape) == columns(&b.shape) {
            let (edit, text) = turned(spans.1, &texts.1);
            Some((edit, format!("{}*{text}", texts.0)))
        } else {
            None
        };
        let d = message::product_mismatch(operator, &shapes, &texts, spans, transpose);
        self.with_declarations(d, spans)
    }

    /// A shape as written and, where values are known, as numbers.
    pub(super) fn shape_text(&self, shape: &Shape) -> String {
        let symbolic = shape.0.iter().any(|d| d.as_integer().is_none());
        let numbers: Option<Vec<String>> =
            shape.0.iter().map(|d| d.value(&self.sizes).ok().map(|v| v.to_string())).collect();
        match numbers {
            Some(n) if symbolic => format!("{shape} = [{}]", n.join(", ")),
            _ => shape.to_string(),
        }
    }

    /// Adds where the names in two spans are declared.
    fn with_declarations(&self, mut d: Diagnostic, spans: (Span, Span)) -> Diagnostic {
        for span in [spans.0, spans.1] {
            let text = self.text(span);
            let name = text.trim_end_matches(['\'', 'ᵀ']);
            if let Some((_, at)) = self.names.globals.get(name) {
                d = d.with(*at, format!("`{name}` is declared here"));
            }
        }
        d
    }

    /// Adds the declaration of a plain name.
    pub(super) fn declared_at(&self, e: &Expr, d: Diagnostic) -> Diagnostic {
        match &e.kind {
            ExprKind::Name(n) => match self.names.globals.get(n) {
                Some((_, at)) => d.with(*at, format!("`{n}` is declared here")),
                None => d,
            },
            _ => d,
        }
    }

    /// A declared size, as a dimension that must turn out whole.
    pub(super) fn size(&mut self, e: &Expr) -> Checked<Dim> {
        let a = self.scalar(e, "a size")?;
        if a.kind != Kind::Real {
            return self.fail(message::expected_scalar(e.span, "a size", &a.shape));
        }
        let dim = self.dim_of(&a, e.span, "a size")?;
        self.require(Claim::Size(dim.clone()), e.span)?;
        Ok(dim)
    }

    /// States what must hold: judged now as far as values are known, else when data are bound.
    pub(super) fn require(&mut self, claim: Claim, span: Span) -> Checked<()> {
        let mut origins: Vec<(String, Span)> = Vec::new();
        for s in claim.dims().into_iter().flat_map(Dim::symbols) {
            // `rows(A)` comes from where `A` is declared.
            let item = s.split_once('(').map_or(&**s, |(_, rest)| rest.trim_end_matches(')'));
            let declared = self.names.globals.get(item).map(|(_, at)| (s.to_string(), *at));
            origins.extend(declared.filter(|o| !origins.contains(o)));
        }
        let obligation = Obligation { claim, span, origins, of_node: false };
        if !self.size_checks.stated.insert(obligation.clone()) {
            return Ok(());
        }
        match obligation.judge(&self.sizes, &self.file.settings.limits) {
            Verdict::Holds => Ok(()),
            Verdict::Open => {
                self.size_checks.open.push(obligation);
                Ok(())
            }
            Verdict::Broken(diagnostic) => self.fail(*diagnostic),
        }
    }

    /// States that positions, if there are any, lie within an axis.
    pub(super) fn require_within(&mut self, first: &Dim, last: &Dim, extent: &Dim, span: Span) -> Checked<()> {
        let (first, last, extent) = (first.clone(), last.clone(), extent.clone());
        self.require(Claim::Within { first, last, extent }, span)
    }

    /// States that an array has an entry, for a function without a value for none.
    pub(super) fn require_some(&mut self, shape: &Shape, name: &'static str, span: Span) -> Checked<()> {
        let needs = Need::Function(name);
        shape.0.iter().try_for_each(|d| self.require(Claim::Some { length: d.clone(), needs }, span))
    }

    /// What the nodes of the graph take for granted, after all that has been stated; a mistake is reported once.
    pub(super) fn obligations(&mut self) -> Checked<Vec<Obligation>> {
        let mut all = std::mem::take(&mut self.size_checks.open);
        let stated: HashSet<Claim> = self.size_checks.stated.iter().map(|o| o.claim.clone()).collect();
        let data: HashMap<usize, &DataItem> = self.rows.data.iter().map(|d| (d.formal, d)).collect();
        let input = |formal: u32| {
            let Some(item) = data.get(&(formal as usize)) else {
                let variable = self.names.globals.get(&self.formals[formal as usize].name);
                return (variable.map(|(_, at)| *at).unwrap_or_default(), None);
            };
            let extent = match &item.origin {
                DataOrigin::Filter { extent, .. } => Some(extent.clone()),
                DataOrigin::TaskRows { episodes, .. } => {
                    let tables = &self.rows.tables;
                    Some(tables.views[tables.episodes[*episodes].view].rows.clone())
                }
                _ => None,
            };
            (item.span, extent)
        };
        for o in of_nodes(&self.graph, &input).into_iter().filter(|o| !stated.contains(&o.claim)) {
            match o.judge(&self.sizes, &self.file.settings.limits) {
                Verdict::Holds => {}
                Verdict::Open => all.push(o),
                Verdict::Broken(diagnostic) => return self.fail(*diagnostic),
            }
        }
        Ok(all)
    }
}

/// The transpose of an operand, as an edit and as its new text: of what is transposed already the mark is one too many,
/// and of more than a name with indices the mark would transpose the last part alone.
fn turned(span: Span, text: &str) -> (Edit, String) {
    let (mut depth, mut is_one) = (0, true);
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => is_one &= depth > 0 || c.is_alphanumeric() || matches!(c, '_' | '.' | '\''),
        }
    }
    if !is_one {
        let text = format!("({text})'");
        return (Edit { span, text: text.clone() }, text);
    }
    let at = |length: usize| Span { start: span.end - length as u32, ..span };
    match ['\'', 'ᵀ'].into_iter().find_map(|mark| text.strip_suffix(mark)) {
        Some(rest) => (Edit { span: at(text.len() - rest.len()), text: String::new() }, rest.to_owned()),
        None => (Edit { span: at(0), text: "'".to_owned() }, format!("{text}'")),
    }
}

/// A constant output's value.
pub(super) fn number_of(f: &Function, output: NodeId, sizes: &Sizes) -> Option<f64> {
    let g = f.graph();
    if let Some(c) = g.as_const(output) {
        return Some(c);
    }
    match g.op(output) {
        Op::Size(d) => {
            let v = d.value(sizes).ok()?;
            Some(*v.numer() as f64 / *v.denom() as f64)
        }
        Op::Broadcast(_) => number_of(f, g.args(output)[0], sizes),
        _ => None,
    }
}
