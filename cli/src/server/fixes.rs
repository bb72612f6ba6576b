//! Code actions: the fix of a finding, and all safe ones. The latter checks the text after each round of edits, so it is
//! made when somebody takes it, on a thread of its own.

use std::sync::Arc;
use std::thread;

use blo::editor::{Judged, Lines, Syntax, all_safe, quick_fixes};
use blo::input::checked::limits_of_machine;
use blo::stack::STACK_BYTES;
use blo_grammar::diagnostic::{Certainty, Edit};
use blo_grammar::span::Span;
use lsp_server::{ErrorCode, Request, Response};
use lsp_types::request::{CodeActionRequest, CodeActionResolveRequest, Request as _};
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Uri};
use serde_json::Value;

use super::checking::{Outlet, with_asked};
use super::convert::{self, Ruler};
use super::offer::FIX_ALL;
use super::open::Texts;

/// Whether a request checks texts.
pub(super) fn is_slow(request: &Request) -> bool {
    match request.method.as_str() {
        CodeActionResolveRequest::METHOD => true,
        // on saving, editors ask for this kind alone and take what comes
        CodeActionRequest::METHOD => {
            let only = request.params["context"]["only"].as_array();
            only.is_some_and(|kinds| kinds.iter().any(|k| k.as_str().is_some_and(is_fix_all)))
        }
        _ => false,
    }
}

/// `source.fixAll.blo`, or a kind that it is one of.
fn is_fix_all(kind: &str) -> bool {
    FIX_ALL.as_str().strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Answers a slow request without holding up the next.
pub(super) fn respond_apart(outlet: Outlet, texts: Arc<Texts>, request: Request) {
    let (id, out) = (request.id.clone(), Arc::clone(&outlet));
    let work = move || {
        let id = request.id.clone();
        let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slow(&texts, request)));
        let bug = || Response::new_err(id.clone(), ErrorCode::InternalError as i32, "a bug in blo".into());
        out(answered.unwrap_or_else(|_| bug()).into());
    };
    let thread = thread::Builder::new().name("blo lsp fix".into()).stack_size(STACK_BYTES).spawn(work);
    if let Err(why) = thread {
        let why = format!("cannot start a thread: {why}");
        outlet(Response::new_err(id, ErrorCode::InternalError as i32, why).into());
    }
}

fn slow(texts: &Texts, request: Request) -> Response {
    let id = request.id.clone();
    let wrong =
        |why: serde_json::Error| Response::new_err(id.clone(), ErrorCode::InvalidParams as i32, why.to_string());
    if request.method == CodeActionRequest::METHOD {
        let params: CodeActionParams = match serde_json::from_value(request.params) {
            Ok(params) => params,
            Err(why) => return wrong(why),
        };
        let mut found = actions(texts, &params).unwrap_or_default();
        found.retain(|a| !matches!(a, CodeActionOrCommand::CodeAction(a) if a.kind == Some(FIX_ALL)));
        let action = mended(texts, &params.text_document.uri, fix_all_action()).filter(|a| a.edit.is_some());
        found.extend(action.map(CodeActionOrCommand::CodeAction));
        return Response::new_ok(id, found);
    }
    let action: CodeAction = match serde_json::from_value(request.params) {
        Ok(action) => action,
        Err(why) => return wrong(why),
    };
    let uri = action.data.as_ref().and_then(Value::as_str).and_then(|uri| uri.parse::<Uri>().ok());
    let resolved = uri.and_then(|uri| mended(texts, &uri, action.clone()));
    Response::new_ok(id, resolved.unwrap_or(action))
}

fn fix_all_action() -> CodeAction {
    CodeAction { title: "Make all safe edits".into(), kind: Some(FIX_ALL), ..CodeAction::default() }
}

/// The action with the edits of `blo check --fix`.
fn mended(texts: &Texts, uri: &Uri, action: CodeAction) -> Option<CodeAction> {
    let limits = limits_of_machine();
    let (document, version) = texts.all().get(uri.as_str()).map(|text| (text.document(), text.version))?;
    let after = with_asked(texts, &document, &limits, |asked| {
        let judged = Judged::new(document.clone(), asked, &|| false)?;
        all_safe(&judged, asked)
    });
    // another version may have come meanwhile
    let (syntax, _) = texts.newest(uri)?;
    if document.text != syntax.text {
        return None;
    }
    let edit = after.map(|after| {
        let whole = Edit { span: Span::new(0, syntax.text.len()), text: after };
        convert::workspace_edit(uri, version, Ruler::of(&syntax, &texts.client).edits(&[whole]), &texts.client)
    });
    Some(CodeAction { edit, data: None, ..action })
}

/// The actions of the findings that a range touches, from the last check if it is of this version.
pub(super) fn actions(texts: &Texts, params: &CodeActionParams) -> Option<Vec<CodeActionOrCommand>> {
    let uri = &params.text_document.uri;
    let (version, (syntax, judged)) = texts.version(uri).zip(texts.newest(uri))?;
    let judged = judged.filter(|j| j.document.text == syntax.text)?;
    let lines = Lines::new(&syntax.text);
    let ruler = Ruler { text: &syntax.text, lines: &lines, encoding: texts.client.encoding };
    let wants = |kind: &CodeActionKind| {
        let fits = |only: &CodeActionKind| kind.as_str().starts_with(only.as_str());
        params.context.only.as_ref().is_none_or(|kinds| kinds.iter().any(fits))
    };
    let mut actions = Vec::new();
    if wants(&CodeActionKind::QUICKFIX) {
        let (start, end) = (ruler.offset(params.range.start), ruler.offset(params.range.end));
        for fix in quick_fixes(&judged, Span::new(start.min(end), end.max(start))) {
            actions.push(CodeAction {
                title: sentence(&fix.title),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![convert::diagnostic(fix.finding, ruler, uri, &texts.client)]),
                edit: Some(convert::workspace_edit(uri, version, ruler.edits(fix.edits), &texts.client)),
                is_preferred: Some(fix.is_safe),
                ..CodeAction::default()
            });
        }
    }
    let safe = |d: &blo_grammar::diagnostic::Diagnostic| d.fix.as_ref().is_some_and(|f| f.certainty == Certainty::Safe);
    if texts.client.resolves_edits && wants(&FIX_ALL) && judged.findings().iter().any(safe) {
        actions.push(CodeAction { data: Some(Value::from(uri.as_str())), ..fix_all_action() });
    }
    Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect())
}

/// With a capital letter, as menus have it.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The edit that lays a text out.
pub(super) fn formatting(texts: &Texts, syntax: &Syntax) -> Result<Vec<lsp_types::TextEdit>, String> {
    let style = blo_grammar::Style::Keep;
    match blo::editor::formatted(&syntax.text, style) {
        Ok(edit) => Ok(Ruler::of(syntax, &texts.client).edits(edit.as_slice())),
        Err(_) => Err("the text has syntax errors, so it has no layout; mend these first".into()),
    }
}
