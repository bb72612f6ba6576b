//! Places, findings and answers in the words of the protocol.

use std::collections::HashMap;

use blo::editor::{
    Completion, CompletionKind, Encoding, Judged, Lines, MODIFIERS, Outlined, Position, SymbolKind, Syntax, TYPES,
    message, semantic_tokens,
};
use blo_grammar::diagnostic::{Edit, Severity};
use blo_grammar::span::Span;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Diagnostic, DiagnosticRelatedInformation,
    DiagnosticSeverity, DocumentChanges, DocumentSymbol, Documentation, Location, MarkupContent, MarkupKind,
    NumberOrString, OneOf, OptionalVersionedTextDocumentIdentifier, Range, SemanticToken, SymbolKind as Kind,
    TextDocumentEdit, TextEdit, Uri, WorkspaceEdit,
};

use super::offer::Client;

/// A position of the protocol.
pub(super) fn from_position(p: lsp_types::Position) -> Position {
    Position { line: p.line, character: p.character }
}

fn to_position(p: Position) -> lsp_types::Position {
    lsp_types::Position { line: p.line, character: p.character }
}

/// A text with its lines and what a character is.
#[derive(Clone, Copy)]
pub(super) struct Ruler<'a> {
    pub(super) text: &'a str,
    pub(super) lines: &'a Lines,
    pub(super) encoding: Encoding,
}

impl<'a> Ruler<'a> {
    pub(super) fn of(syntax: &'a Syntax, client: &Client) -> Ruler<'a> {
        Ruler { text: &syntax.text, lines: &syntax.lines, encoding: client.encoding }
    }

    pub(super) fn offset(self, p: lsp_types::Position) -> usize {
        self.lines.offset(self.text, from_position(p), self.encoding)
    }

    pub(super) fn range(self, span: Span) -> Range {
        let [start, end] = self.lines.range(self.text, span, self.encoding).map(to_position);
        Range { start, end }
    }

    pub(super) fn edits(self, edits: &[Edit]) -> Vec<TextEdit> {
        edits.iter().map(|e| TextEdit { range: self.range(e.span), new_text: e.text.clone() }).collect()
    }
}

/// Edits of one version of a text. An editor that knows versions refuses them once it has a newer one, where their places
/// are other places.
pub(super) fn workspace_edit(uri: &Uri, version: i32, edits: Vec<TextEdit>, client: &Client) -> WorkspaceEdit {
    if client.knows_versions {
        let text_document = OptionalVersionedTextDocumentIdentifier { uri: uri.clone(), version: Some(version) };
        let edit = TextDocumentEdit { text_document, edits: edits.into_iter().map(OneOf::Left).collect() };
        return WorkspaceEdit {
            document_changes: Some(DocumentChanges::Edits(vec![edit])),
            ..WorkspaceEdit::default()
        };
    }
    #[allow(clippy::mutable_key_type, reason = "an address does not change; the protocol's type says otherwise")]
    let changes = HashMap::from([(uri.clone(), edits)]);
    WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
}

/// The findings of a checked text.
pub(super) fn diagnostics(judged: &Judged, uri: &Uri, client: &Client) -> Vec<Diagnostic> {
    let text = &judged.document.text;
    let lines = Lines::new(text);
    let ruler = Ruler { text, lines: &lines, encoding: client.encoding };
    judged.findings().iter().map(|d| diagnostic(d, ruler, uri, client)).collect()
}

/// A finding.
pub(super) fn diagnostic(
    d: &blo_grammar::diagnostic::Diagnostic,
    ruler: Ruler<'_>,
    uri: &Uri,
    client: &Client,
) -> Diagnostic {
    let related = d.secondary.iter().map(|label| DiagnosticRelatedInformation {
        location: Location { uri: uri.clone(), range: ruler.range(label.span) },
        message: label.text.clone(),
    });
    Diagnostic {
        range: ruler.range(d.primary.span),
        severity: Some(match d.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(d.code.to_owned())),
        source: Some("blo".into()),
        message: message(d),
        related_information: Some(related.collect()).filter(|r: &Vec<_>| client.shows_related && !r.is_empty()),
        ..Diagnostic::default()
    }
}

/// Markdown.
pub(super) fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

/// A word that may stand at a place.
pub(super) fn completion(c: Completion, ruler: Ruler<'_>) -> CompletionItem {
    CompletionItem {
        kind: Some(match c.kind {
            CompletionKind::Keyword => CompletionItemKind::KEYWORD,
            CompletionKind::Function => CompletionItemKind::FUNCTION,
            CompletionKind::Set => CompletionItemKind::CLASS,
            CompletionKind::Constant => CompletionItemKind::CONSTANT,
            CompletionKind::Variable => CompletionItemKind::VARIABLE,
            CompletionKind::Field => CompletionItemKind::FIELD,
            CompletionKind::Option => CompletionItemKind::PROPERTY,
            CompletionKind::Method => CompletionItemKind::MODULE,
            CompletionKind::Value => CompletionItemKind::VALUE,
            CompletionKind::File => CompletionItemKind::FILE,
            CompletionKind::Folder => CompletionItemKind::FOLDER,
        }),
        detail: Some(c.detail).filter(|d| !d.is_empty()),
        documentation: (!c.doc.is_empty()).then(|| Documentation::MarkupContent(markdown(c.doc))),
        sort_text: Some(format!("{}{}", c.rank, c.label)),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: ruler.range(c.span), new_text: c.text })),
        label: c.label,
        ..CompletionItem::default()
    }
}

/// An entry of the outline.
pub(super) fn symbol(entry: Outlined, ruler: Ruler<'_>) -> DocumentSymbol {
    let children: Vec<DocumentSymbol> = entry.children.into_iter().map(|c| symbol(c, ruler)).collect();
    #[allow(deprecated, reason = "the type has no other constructor")]
    DocumentSymbol {
        name: entry.name,
        detail: Some(entry.detail).filter(|d| !d.is_empty()),
        kind: symbol_kind(entry.kind),
        tags: None,
        deprecated: None,
        range: ruler.range(entry.span),
        selection_range: ruler.range(entry.selection),
        children: Some(children).filter(|c| !c.is_empty()),
    }
}

/// The kind of an entry of the outline.
pub(super) fn symbol_kind(kind: Option<SymbolKind>) -> Kind {
    match kind {
        None => Kind::NAMESPACE,
        Some(SymbolKind::Problem) => Kind::MODULE,
        Some(SymbolKind::Param) => Kind::CONSTANT,
        Some(SymbolKind::Function) => Kind::FUNCTION,
        Some(SymbolKind::Set) => Kind::CLASS,
        Some(SymbolKind::Data) => Kind::ARRAY,
        Some(SymbolKind::Dataset | SymbolKind::Part | SymbolKind::Episodes) => Kind::STRUCT,
        Some(SymbolKind::Column) => Kind::FIELD,
        Some(SymbolKind::Preset) => Kind::PROPERTY,
        Some(SymbolKind::Row(_)) => Kind::EVENT,
        Some(
            SymbolKind::Let(_)
            | SymbolKind::Variable(_)
            | SymbolKind::Argument
            | SymbolKind::Index
            | SymbolKind::Metric,
        ) => Kind::VARIABLE,
    }
}

/// The words of a text with their kinds, each after the one before it.
pub(super) fn coloured(syntax: &Syntax, ruler: Ruler<'_>) -> Vec<SemanticToken> {
    let mut before = lsp_types::Position::default();
    let mut found = Vec::new();
    for word in semantic_tokens(syntax) {
        let Range { start, end } = ruler.range(word.span);
        let kind = TYPES.iter().position(|t| *t == word.kind).unwrap_or_default();
        // a lone `\r` ends lines of editors, but no string
        if start.line != end.line {
            continue;
        }
        let delta_line = start.line - before.line;
        let from = if delta_line == 0 { before.character } else { 0 };
        found.push(SemanticToken {
            delta_line,
            delta_start: start.character - from,
            length: end.character - start.character,
            token_type: kind as u32,
            token_modifiers_bitset: word.modifiers & ((1 << MODIFIERS.len()) - 1),
        });
        before = start;
    }
    found
}
