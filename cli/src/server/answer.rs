//! Requests that the words of a text answer at once.

use blo::editor;
use blo_grammar::span::Span;
use lsp_server::{ErrorCode, Request};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentHighlightRequest, DocumentSymbolRequest, Formatting, GotoDefinition,
    HoverRequest, PrepareRenameRequest, References, Rename, Request as _, SemanticTokensFullRequest,
    SignatureHelpRequest,
};
use lsp_types::{
    DocumentHighlight, DocumentHighlightKind, DocumentSymbolResponse, GotoDefinitionResponse, Hover, HoverContents,
    Location, ParameterInformation, ParameterLabel, PrepareRenameResponse, SemanticTokens, SignatureHelp,
    SignatureInformation, SymbolInformation, TextDocumentPositionParams, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::convert::{self, Ruler};
use super::fixes;
use super::open::Texts;
use crate::codes;

/// Why a request has no answer.
pub(super) struct Wrong {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Wrong {
    fn failed(message: String) -> Wrong {
        Wrong { code: ErrorCode::RequestFailed, message }
    }
}

type Answer = Result<Value, Wrong>;

/// The answer to a request. A text that is not open has none.
pub(super) fn answer(texts: &Texts, request: Request) -> Answer {
    let Request { method, params, .. } = request;
    match method.as_str() {
        HoverRequest::METHOD => {
            let p: lsp_types::HoverParams = read(params)?;
            to_value(hover(texts, &p.text_document_position_params))
        }
        Completion::METHOD => {
            let p: lsp_types::CompletionParams = read(params)?;
            to_value(completion(texts, &p.text_document_position))
        }
        SignatureHelpRequest::METHOD => {
            let p: lsp_types::SignatureHelpParams = read(params)?;
            to_value(signature(texts, &p.text_document_position_params))
        }
        GotoDefinition::METHOD => {
            let p: lsp_types::GotoDefinitionParams = read(params)?;
            to_value(definition(texts, &p.text_document_position_params))
        }
        References::METHOD => {
            let p: lsp_types::ReferenceParams = read(params)?;
            to_value(references(texts, &p.text_document_position, p.context.include_declaration))
        }
        DocumentHighlightRequest::METHOD => {
            let p: lsp_types::DocumentHighlightParams = read(params)?;
            to_value(highlights(texts, &p.text_document_position_params))
        }
        PrepareRenameRequest::METHOD => prepare_rename(texts, &read(params)?),
        Rename::METHOD => rename(texts, &read(params)?),
        Formatting::METHOD => {
            let p: lsp_types::DocumentFormattingParams = read(params)?;
            let Some((syntax, _)) = texts.newest(&p.text_document.uri) else { return Ok(Value::Null) };
            to_value(Some(fixes::formatting(texts, &syntax).map_err(Wrong::failed)?))
        }
        DocumentSymbolRequest::METHOD => {
            let p: lsp_types::DocumentSymbolParams = read(params)?;
            to_value(symbols(texts, &p.text_document.uri))
        }
        SemanticTokensFullRequest::METHOD => {
            let p: lsp_types::SemanticTokensParams = read(params)?;
            let words = texts.newest(&p.text_document.uri).map(|(syntax, _)| SemanticTokens {
                result_id: None,
                data: convert::coloured(&syntax, Ruler::of(&syntax, &texts.client)),
            });
            to_value(words)
        }
        CodeActionRequest::METHOD => to_value(fixes::actions(texts, &read(params)?)),
        _ => Err(Wrong { code: ErrorCode::MethodNotFound, message: format!("`{method}` is not supported") }),
    }
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, Wrong> {
    serde_json::from_value(params).map_err(|why| Wrong { code: ErrorCode::InvalidParams, message: why.to_string() })
}

fn to_value<T: Serialize>(answer: Option<T>) -> Answer {
    serde_json::to_value(answer).map_err(|why| Wrong { code: ErrorCode::InternalError, message: why.to_string() })
}

/// What is known of a word, and of what the check found there.
fn hover(texts: &Texts, at: &TextDocumentPositionParams) -> Option<Hover> {
    let (syntax, judged) = texts.newest(&at.text_document.uri)?;
    let ruler = Ruler::of(&syntax, &texts.client);
    let offset = ruler.offset(at.position);
    let found = editor::hover(&syntax, judged.as_deref(), offset);
    let mut span = found.as_ref().map(|h| h.span);
    let mut parts: Vec<String> = found.into_iter().map(|h| h.text).collect();
    let current = judged.filter(|j| j.document.text == syntax.text);
    for d in current.iter().flat_map(|j| j.findings()) {
        let place = d.primary.span;
        if (place.start as usize..=place.end as usize).contains(&offset)
            && let Some(page) = codes::entries().into_iter().find(|e| e.code == d.code)
        {
            span = span.or(Some(place));
            parts.push(format!("**{}**: {}\n\n{}", page.code, page.title, page.text));
        }
    }
    let contents = HoverContents::Markup(convert::markdown(parts.join("\n\n---\n\n")));
    Some(Hover { contents, range: Some(ruler.range(span?)) })
}

fn completion(texts: &Texts, at: &TextDocumentPositionParams) -> Option<Vec<lsp_types::CompletionItem>> {
    let (syntax, _) = texts.newest(&at.text_document.uri)?;
    let ruler = Ruler::of(&syntax, &texts.client);
    let places = texts.places(&at.text_document.uri);
    let files = places.as_ref().map(|(own, root)| (own.as_path(), root.as_path()));
    let found = editor::complete(&syntax, ruler.offset(at.position), files);
    Some(found.into_iter().map(|c| convert::completion(c, ruler)).collect())
}

fn signature(texts: &Texts, at: &TextDocumentPositionParams) -> Option<SignatureHelp> {
    let (syntax, _) = texts.newest(&at.text_document.uri)?;
    let found = editor::signature(&syntax, Ruler::of(&syntax, &texts.client).offset(at.position))?;
    let label = |(start, end): &(usize, usize)| ParameterInformation {
        label: ParameterLabel::Simple(found.form[*start..*end].to_owned()),
        documentation: None,
    };
    let parameters: Vec<ParameterInformation> = found.arguments.iter().map(label).collect();
    let active = u32::try_from(found.active).ok().filter(|a| (*a as usize) < parameters.len());
    let information = SignatureInformation {
        label: found.form.clone(),
        documentation: Some(lsp_types::Documentation::MarkupContent(convert::markdown(found.doc.clone()))),
        parameters: Some(parameters),
        active_parameter: active,
    };
    Some(SignatureHelp { signatures: vec![information], active_signature: Some(0), active_parameter: active })
}

fn definition(texts: &Texts, at: &TextDocumentPositionParams) -> Option<GotoDefinitionResponse> {
    let uri = &at.text_document.uri;
    let (syntax, _) = texts.newest(uri)?;
    let ruler = Ruler::of(&syntax, &texts.client);
    let span = editor::declaration(&syntax, ruler.offset(at.position))?;
    Some(GotoDefinitionResponse::Scalar(location(uri, ruler, span)))
}

fn location(uri: &Uri, ruler: Ruler<'_>, span: Span) -> Location {
    Location { uri: uri.clone(), range: ruler.range(span) }
}

fn references(texts: &Texts, at: &TextDocumentPositionParams, with_declaration: bool) -> Option<Vec<Location>> {
    let uri = &at.text_document.uri;
    let (syntax, _) = texts.newest(uri)?;
    let ruler = Ruler::of(&syntax, &texts.client);
    let found = editor::occurrences(&syntax, ruler.offset(at.position)).into_iter();
    Some(found.filter(|o| with_declaration || !o.declares).map(|o| location(uri, ruler, o.span)).collect())
}

fn highlights(texts: &Texts, at: &TextDocumentPositionParams) -> Option<Vec<DocumentHighlight>> {
    let (syntax, _) = texts.newest(&at.text_document.uri)?;
    let ruler = Ruler::of(&syntax, &texts.client);
    let highlight = |o: editor::Occurrence| DocumentHighlight {
        range: ruler.range(o.span),
        kind: Some(if o.declares { DocumentHighlightKind::WRITE } else { DocumentHighlightKind::READ }),
    };
    Some(editor::occurrences(&syntax, ruler.offset(at.position)).into_iter().map(highlight).collect())
}

fn prepare_rename(texts: &Texts, at: &TextDocumentPositionParams) -> Answer {
    let Some((syntax, _)) = texts.newest(&at.text_document.uri) else { return Ok(Value::Null) };
    let ruler = Ruler::of(&syntax, &texts.client);
    let span = editor::renamable(&syntax, ruler.offset(at.position)).map_err(|why| Wrong::failed(why.to_string()))?;
    let placeholder = syntax.text.get(span.range()).unwrap_or_default().to_owned();
    to_value(Some(PrepareRenameResponse::RangeWithPlaceholder { range: ruler.range(span), placeholder }))
}

fn rename(texts: &Texts, params: &lsp_types::RenameParams) -> Answer {
    let at = &params.text_document_position;
    let uri = &at.text_document.uri;
    let Some((version, (syntax, _))) = texts.version(uri).zip(texts.newest(uri)) else { return Ok(Value::Null) };
    let ruler = Ruler::of(&syntax, &texts.client);
    let edits = editor::rename(&syntax, ruler.offset(at.position), &params.new_name);
    let edits = edits.map_err(|why| Wrong::failed(why.to_string()))?;
    to_value(Some(convert::workspace_edit(uri, version, ruler.edits(&edits), &texts.client)))
}

/// The outline as a tree, or as a list for editors that know no tree.
fn symbols(texts: &Texts, uri: &Uri) -> Option<DocumentSymbolResponse> {
    let (syntax, _) = texts.newest(uri)?;
    let ruler = Ruler::of(&syntax, &texts.client);
    let outline = editor::outline(&syntax);
    if texts.client.nests_symbols {
        return Some(DocumentSymbolResponse::Nested(outline.into_iter().map(|e| convert::symbol(e, ruler)).collect()));
    }
    let mut flat = Vec::new();
    flatten(outline, None, &mut |entry, container| {
        #[allow(deprecated, reason = "the type has no other constructor")]
        flat.push(SymbolInformation {
            name: entry.name.clone(),
            kind: convert::symbol_kind(entry.kind),
            tags: None,
            deprecated: None,
            location: location(uri, ruler, entry.span),
            container_name: container.map(str::to_owned),
        });
    });
    Some(DocumentSymbolResponse::Flat(flat))
}

fn flatten(
    entries: Vec<editor::Outlined>,
    container: Option<&str>,
    each: &mut impl FnMut(&editor::Outlined, Option<&str>),
) {
    for entry in entries {
        each(&entry, container);
        let name = entry.name;
        flatten(entry.children, Some(&name), each);
    }
}
