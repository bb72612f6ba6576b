//! What the editor can do, and what the server offers it.

use std::path::PathBuf;

use blo::editor::{Encoding, MODIFIERS, TYPES};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions, HoverProviderCapability,
    InitializeParams, OneOf, PositionEncodingKind, RenameOptions, SaveOptions, SemanticTokenModifier,
    SemanticTokenType, SemanticTokensFullOptions, SemanticTokensLegend, SemanticTokensOptions, ServerCapabilities,
    SignatureHelpOptions, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use super::path;

/// The kind of the action that makes all safe edits.
pub(super) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.blo");

/// What matters of the editor.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) encoding: Encoding,
    /// The opened folders.
    pub(super) folders: Vec<PathBuf>,
    /// It shows places that belong to a finding.
    pub(super) shows_related: bool,
    /// It asks for the edits of an action when the user takes it.
    pub(super) resolves_edits: bool,
    /// It tells edits of an earlier version of a text from those of the newest.
    pub(super) knows_versions: bool,
    /// It knows the outline as a tree.
    pub(super) nests_symbols: bool,
}

impl Client {
    pub(super) fn of(params: &InitializeParams) -> Client {
        let general = params.capabilities.general.as_ref();
        let offered = general.and_then(|g| g.position_encodings.as_ref());
        let utf8 = offered.is_some_and(|o| o.contains(&PositionEncodingKind::UTF8));
        let document = params.capabilities.text_document.as_ref();
        let related = document.and_then(|d| d.publish_diagnostics.as_ref()?.related_information);
        let resolves = document.and_then(|d| d.code_action.as_ref()?.resolve_support.as_ref());
        let nests = document.and_then(|d| d.document_symbol.as_ref()?.hierarchical_document_symbol_support);
        let workspace = params.capabilities.workspace.as_ref();
        let versions = workspace.and_then(|w| w.workspace_edit.as_ref()?.document_changes);
        let opened = params.workspace_folders.iter().flatten().filter_map(|f| path::of(&f.uri));
        let mut folders: Vec<PathBuf> = opened.collect();
        #[allow(deprecated, reason = "editors that have no folders send the root only here")]
        if folders.is_empty() {
            folders.extend(params.root_uri.as_ref().and_then(path::of));
        }
        Client {
            encoding: if utf8 { Encoding::Utf8 } else { Encoding::Utf16 },
            folders,
            shows_related: related.unwrap_or(false),
            resolves_edits: resolves.is_some_and(|r| r.properties.iter().any(|p| p == "edit")),
            knows_versions: versions.unwrap_or(false),
            nests_symbols: nests.unwrap_or(false),
        }
    }
}

/// Everything that the server does.
pub(super) fn capabilities(client: &Client) -> ServerCapabilities {
    let none = WorkDoneProgressOptions::default;
    let characters = |list: &[&str]| Some(list.iter().map(|c| (*c).to_owned()).collect());
    ServerCapabilities {
        position_encoding: Some(match client.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(SaveOptions { include_text: Some(false) }.into()),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: characters(&[".", "\"", "/", ":"]),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: characters(&["(", ","]),
            retrigger_characters: None,
            work_done_progress_options: none(),
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, FIX_ALL]),
            resolve_provider: Some(true),
            work_done_progress_options: none(),
        })),
        document_formatting_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: none(),
        })),
        semantic_tokens_provider: Some(
            SemanticTokensOptions {
                legend: SemanticTokensLegend {
                    token_types: TYPES.iter().map(|t| SemanticTokenType::new(t)).collect(),
                    token_modifiers: MODIFIERS.iter().map(|m| SemanticTokenModifier::new(m)).collect(),
                },
                range: None,
                full: Some(SemanticTokensFullOptions::Bool(true)),
                work_done_progress_options: none(),
            }
            .into(),
        ),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    }
}
