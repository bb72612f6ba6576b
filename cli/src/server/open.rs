//! The texts that the editor has open, each version with its words, and with the check that was made last.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use blo::document::Document;
use blo::editor::{Judged, Lines, Syntax};
use lsp_types::{
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidOpenTextDocumentParams,
    TextDocumentContentChangeEvent, Uri,
};

use super::offer::Client;
use super::{convert, path};

/// All open texts.
pub(super) struct Texts {
    pub(super) client: Client,
    pub(super) data_dirs: Vec<PathBuf>,
    open: Mutex<HashMap<String, Text>>,
    folders: Mutex<Vec<PathBuf>>,
}

/// An open text.
pub(super) struct Text {
    pub(super) uri: Uri,
    /// As the editor counts versions.
    pub(super) version: i32,
    /// Counts changes, also those of data beside the text.
    pub(super) change: u64,
    /// When it last changed; `None` once that version is checked or being checked.
    pub(super) changed: Option<Instant>,
    text: String,
    /// The words of this version, made when somebody asks.
    syntax: Option<Arc<Syntax>>,
    pub(super) judged: Option<Arc<Judged>>,
}

impl Texts {
    pub(super) fn new(client: Client, data_dirs: Vec<PathBuf>) -> Texts {
        let folders = Mutex::new(client.folders.clone());
        Texts { client, data_dirs, open: Mutex::default(), folders }
    }

    /// All texts, by address. A thread that has panicked leaves a text as it was before.
    pub(super) fn all(&self) -> MutexGuard<'_, HashMap<String, Text>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self, params: DidOpenTextDocumentParams) {
        let item = params.text_document;
        let text = Text {
            uri: item.uri.clone(),
            version: item.version,
            change: 0,
            changed: Some(Instant::now()),
            text: item.text,
            syntax: None,
            judged: None,
        };
        self.all().insert(item.uri.as_str().to_owned(), text);
    }

    pub(super) fn change(&self, params: DidChangeTextDocumentParams) {
        let mut all = self.all();
        let Some(text) = all.get_mut(params.text_document.uri.as_str()) else { return };
        for change in params.content_changes {
            self.edit(&mut text.text, change);
        }
        text.version = params.text_document.version;
        text.change += 1;
        text.changed = Some(Instant::now());
        text.syntax = None;
    }

    fn edit(&self, text: &mut String, change: TextDocumentContentChangeEvent) {
        let Some(range) = change.range else {
            *text = change.text;
            return;
        };
        let lines = Lines::new(text);
        let at = |p| lines.offset(text, convert::from_position(p), self.client.encoding);
        let (start, end) = (at(range.start), at(range.end));
        // both are at characters; an end before the start is a mistake of the editor
        text.replace_range(start..end.max(start), &change.text);
    }

    /// Something beside the texts has changed, so that all have to be checked again.
    pub(super) fn all_changed(&self) {
        for text in self.all().values_mut() {
            text.change += 1;
            text.changed = Some(Instant::now());
        }
    }

    pub(super) fn close(&self, uri: &Uri) {
        self.all().remove(uri.as_str());
    }

    pub(super) fn change_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<PathBuf> = params.event.removed.iter().filter_map(|f| path::of(&f.uri)).collect();
        folders.retain(|f| !gone.contains(f));
        folders.extend(params.event.added.iter().filter_map(|f| path::of(&f.uri)));
    }

    /// The words of the newest version of a text, and its last check.
    pub(super) fn newest(&self, uri: &Uri) -> Option<(Arc<Syntax>, Option<Arc<Judged>>)> {
        let mut all = self.all();
        let text = all.get_mut(uri.as_str())?;
        if text.syntax.is_none() {
            text.syntax = Some(Arc::new(Syntax::new(text.text.clone())));
        }
        Some((Arc::clone(text.syntax.as_ref()?), text.judged.clone()))
    }

    /// The number that the editor gave to the newest version of a text. Who edits asks for it first: should another version
    /// come before the words are asked for, the editor refuses the edits.
    pub(super) fn version(&self, uri: &Uri) -> Option<i32> {
        self.all().get(uri.as_str()).map(|text| text.version)
    }

    /// The folder of a text, and the opened folder that files may be offered from.
    pub(super) fn places(&self, uri: &Uri) -> Option<(PathBuf, PathBuf)> {
        let own = path::of(uri)?.parent().map(Path::to_owned)?;
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let root = folders.iter().filter(|f| own.starts_with(f)).max_by_key(|f| f.as_os_str().len());
        let root = root.cloned().unwrap_or_else(|| own.clone());
        Some((own, root))
    }
}

impl Text {
    /// The text as the check takes it.
    pub(super) fn document(&self) -> Document {
        let path = path::of(&self.uri);
        let name = path.as_ref().map_or_else(|| self.uri.as_str().to_owned(), |p| p.display().to_string());
        Document { name, path, text: self.text.clone() }
    }
}
