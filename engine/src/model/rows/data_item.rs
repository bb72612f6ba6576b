//! `data` items: where an array comes from, and its shape before anything is read.

use blo_grammar::ast::{Argument, Column, Dimension, Expr, ExprKind, Name};
use blo_grammar::span::Span;

use crate::data::{self, OptionEntry, OptionValue};
use crate::graph::Elem;
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::problem::{DataItem, DataOrigin};
use crate::shape::{Dim, Shape};

impl Checker<'_> {
    /// `data A[_, m] = csv("a.csv")`.
    pub(crate) fn data_item(&mut self, column: &Column) -> Checked<LoopArray> {
        let name = &column.name;
        let dims = column.dims.as_deref().unwrap_or(&[]);
        if dims.len() > 4 {
            return self.fail(message::rank_above_four(name.span));
        }
        let mut shape = Vec::new();
        for (k, d) in dims.iter().enumerate() {
            shape.push(match d {
                Dimension::Size(e) => self.size(e)?,
                Dimension::Deferred(_) if k == 0 => Dim::symbol(&format!("rows({})", name.text)),
                Dimension::Deferred(_) => self.deferred_width(&name.text, k),
            });
        }
        let shape = Shape(shape);
        let (origin, kind) = self.origin(&column.value, &name.text, dims)?;
        let node = self.formal(name.text.clone(), shape.clone(), Elem::Real, origin, kind, name.span);
        Ok(LoopArray { kind, ..LoopArray::real(node, Vec::new(), shape) })
    }

    /// A size left to the data: axis `k`, counted from 0, of the item.
    pub(crate) fn deferred_width(&mut self, item: &str, k: usize) -> Dim {
        let symbol = if k == 1 { format!("cols({item})") } else { format!("axis {}({item})", k + 1) };
        self.widths.met.entry(symbol.clone()).or_insert_with(|| Dim::symbol(&symbol)).clone()
    }

    /// Where an array comes from: a reader or generator call. `stream` names the item.
    pub(crate) fn origin(&mut self, value: &Expr, stream: &str, dims: &[Dimension]) -> Checked<(DataOrigin, Kind)> {
        let (function, arguments) = match &value.kind {
            ExprKind::Call { function, arguments } => (function, arguments),
            _ => return self.fail(message::data_needs_source(value.span)),
        };
        if data::generator(&function.text).is_some() {
            if let Some(Dimension::Deferred(span)) = dims.iter().find(|d| matches!(d, Dimension::Deferred(_))) {
                return self.fail(message::generated_width(*span));
            }
            return Ok((self.generator(function, arguments, stream)?, Kind::Real));
        }
        if let Some(format) = data::format(&function.text) {
            let (path, path_span) = match arguments.first() {
                Some(Argument { name: None, value: Expr { kind: ExprKind::Text(path), span } }) => {
                    (path.clone(), *span)
                }
                _ => return self.fail(message::path_needed(function)),
            };
            let options = self.source_options(&arguments[1..], &function.text, format.options)?;
            let labels = options.iter().any(|(k, _)| k == "classes");
            let kind = if labels { Kind::Label(data::classes(&options)) } else { Kind::Real };
            return Ok((DataOrigin::File { format: function.text.clone(), path, path_span, options }, kind));
        }
        if self.names.globals.contains_key(&function.text) || crate::model::function::by_name(&function.text).is_some()
        {
            return self.fail(message::data_needs_source(value.span));
        }
        let known = data::FORMATS.iter().map(|f| f.name).chain(data::GENERATORS.iter().map(|g| g.name));
        let near = blo_grammar::diagnostic::did_you_mean(&function.text, known).map(str::to_string);
        self.fail(message::unknown_source(function, near))
    }

    /// A generator call; its stream is named after the item.
    pub(crate) fn generator(&mut self, function: &Name, arguments: &[Argument], stream: &str) -> Checked<DataOrigin> {
        let Some(generator) = data::generator(&function.text) else {
            unreachable!("the caller looked `{}` up", function.text)
        };
        let options = self.source_options(arguments, &function.text, generator.options)?;
        Ok(DataOrigin::Generator { generator: function.text.clone(), stream: stream.to_string(), options })
    }

    fn source_options(
        &mut self,
        arguments: &[Argument],
        of: &str,
        known: &[OptionEntry],
    ) -> Checked<Vec<(String, OptionValue)>> {
        let mut options = Vec::new();
        let names: Vec<&str> = known.iter().map(|o| o.name).collect();
        for a in arguments {
            let Some(name) = &a.name else {
                return self.fail(message::option_needs_name(a.value.span, of, &names));
            };
            if !names.contains(&name.text.as_str()) {
                let near = blo_grammar::diagnostic::did_you_mean(&name.text, names.iter().copied());
                return self.fail(message::unknown_key(name, of, &names, near));
            }
            let words = known.iter().find(|o| o.name == name.text).map_or(&[][..], |o| o.words);
            let value = match &a.value.kind {
                ExprKind::Name(word) if !words.is_empty() => OptionValue::Text(word.clone()),
                _ => self.option_value(&a.value)?,
            };
            options.push((name.text.clone(), value));
        }
        Ok(options)
    }

    pub(crate) fn option_value(&mut self, e: &Expr) -> Checked<OptionValue> {
        if let ExprKind::Array(parts) = &e.kind {
            let texts: Option<Vec<String>> = parts
                .iter()
                .map(|p| match &p.kind {
                    ExprKind::Text(t) => Some(t.clone()),
                    _ => None,
                })
                .collect();
            if let Some(texts) = texts {
                return Ok(OptionValue::Texts(texts));
            }
            let mut numbers = Vec::new();
            for p in parts {
                let a = self.scalar(p, "an option")?;
                match self.number(&a)? {
                    Some(v) => numbers.push(v),
                    None => return self.fail(message::constant_needed(p.span, "an option of a data item")),
                }
            }
            return Ok(OptionValue::Numbers(numbers));
        }
        match self.expression(e)? {
            Meaning::Text(t) => Ok(OptionValue::Text(t)),
            Meaning::Boolean(b) => Ok(OptionValue::Boolean(b)),
            Meaning::Range(r) => {
                let whole = |d: Option<Dim>, s: &crate::shape::Sizes| {
                    let v = d?.value(s).ok()?;
                    v.is_integer().then(|| v.to_integer() as i64)
                };
                match (whole(Some(r.start.clone()), &self.sizes), whole(r.last(), &self.sizes)) {
                    (Some(a), Some(b)) if r.stride == 1 => Ok(OptionValue::Range(a, b)),
                    _ => self.fail(message::constant_needed(e.span, "an option of a data item")),
                }
            }
            Meaning::Array(a) => match self.number(&a)? {
                Some(v) => Ok(OptionValue::Number(v)),
                None => self.fail(message::constant_needed(e.span, "an option of a data item")),
            },
            other => self.fail(message::option_value(e.span, &other.describe())),
        }
    }
}

/// The span of a data item's source, for messages about what was read.
pub(crate) fn source_span(item: &DataItem) -> Span {
    match &item.origin {
        DataOrigin::File { path_span, .. } => *path_span,
        _ => item.span,
    }
}
