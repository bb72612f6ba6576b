//! The thread that checks texts. It waits until nobody has typed for a moment, checks the newest version, and publishes
//! the findings unless the text has changed meanwhile.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use blo::document::Document;
use blo::editor::Judged;
use blo::input::checked::{Asked, limits_of_machine};
use blo::input::source::Folders;
use blo::stack::STACK_BYTES;
use blo_engine::data::Source;
use blo_engine::limits::Limits;
use blo_engine::model::Settings;
use lsp_server::{Message, Notification};
use lsp_types::notification::{Notification as _, PublishDiagnostics};
use lsp_types::{Diagnostic, PublishDiagnosticsParams, Uri};

use super::convert;
use super::open::Texts;

/// How long nobody has typed before a text is checked.
const PAUSE: Duration = Duration::from_millis(120);
/// A text that was just opened is not being typed, but editors ask for its colours and its outline at once; these go first.
const OPENING: Duration = Duration::from_millis(60);

/// What sends a message to the editor.
pub(super) type Outlet = Arc<dyn Fn(Message) + Send + Sync>;

/// The thread, and how to call it.
pub(super) struct Checking {
    shared: Arc<Shared>,
    outlet: Outlet,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_called: Mutex<bool>,
    called: Condvar,
    is_over: AtomicBool,
}

/// A version to be checked.
struct Due {
    key: String,
    uri: Uri,
    version: i32,
    change: u64,
    document: Document,
}

impl Checking {
    /// Starts the thread.
    pub(super) fn start(texts: Arc<Texts>, outlet: Outlet) -> Checking {
        let shared = Arc::new(Shared::default());
        let (own, out) = (Arc::clone(&shared), Arc::clone(&outlet));
        let thread = thread::Builder::new().name("blo lsp check".into()).stack_size(STACK_BYTES).spawn(move || {
            let limits = limits_of_machine();
            while let Some(due) = own.wait(&texts) {
                // the panic hook has said what is wrong; the next version is checked again
                let _ = catch_unwind(AssertUnwindSafe(|| check(&texts, &due, &limits, &own, &out)));
            }
        });
        Checking { shared, outlet, thread: thread.ok() }
    }

    /// Says that a text has changed.
    pub(super) fn wake(&self) {
        *self.shared.is_called.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.called.notify_all();
    }

    /// Takes the findings of a text that was closed out of the editor.
    pub(super) fn clear(&self, uri: Uri) {
        publish(&self.outlet, uri, None, Vec::new());
    }

    /// Ends the thread. A check that it is in ends with the next of its phases.
    pub(super) fn stop(mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The next version to be checked, once its time has come; `None` at the end.
    fn wait(&self, texts: &Texts) -> Option<Due> {
        loop {
            let mut is_called = self.is_called.lock().unwrap_or_else(PoisonError::into_inner);
            if self.is_over.load(Ordering::Relaxed) {
                return None;
            }
            let next = match next(texts) {
                Ok(due) => return Some(due),
                Err(next) => next,
            };
            if !*is_called {
                is_called = match next {
                    None => self.called.wait(is_called).unwrap_or_else(PoisonError::into_inner),
                    Some(time) => {
                        let time = time.saturating_duration_since(Instant::now());
                        self.called.wait_timeout(is_called, time).unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            }
            *is_called = false;
        }
    }
}

/// The text that has waited longest, or when the next one's time comes.
fn next(texts: &Texts) -> Result<Due, Option<Instant>> {
    let mut all = texts.all();
    let first = all.iter_mut().filter(|(_, t)| t.changed.is_some()).min_by_key(|(_, t)| t.changed);
    let Some((key, text)) = first else { return Err(None) };
    let pause = if text.change == 0 { OPENING } else { PAUSE };
    let time = text.changed.map(|changed| changed + pause).filter(|time| *time > Instant::now());
    if time.is_some() {
        return Err(time);
    }
    text.changed = None;
    let (uri, version, change) = (text.uri.clone(), text.version, text.change);
    Ok(Due { key: key.clone(), uri, version, change, document: text.document() })
}

fn check(texts: &Texts, due: &Due, limits: &Limits, shared: &Shared, outlet: &Outlet) {
    let is_stale = || {
        let newest = texts.all().get(&due.key).map(|t| t.change);
        newest != Some(due.change) || shared.is_over.load(Ordering::Relaxed)
    };
    let judged = with_asked(texts, &due.document, limits, |asked| Judged::new(due.document.clone(), asked, &is_stale));
    let Some(judged) = judged else { return };
    let judged = Arc::new(judged);
    let found = convert::diagnostics(&judged, &due.uri, &texts.client);
    // under the lock, so that a newer version cannot be published in between
    let mut all = texts.all();
    let Some(text) = all.get_mut(&due.key).filter(|t| t.change == due.change) else { return };
    text.judged = Some(judged);
    publish(outlet, due.uri.clone(), Some(due.version), found);
}

/// Calls with what `blo check` asks of a text.
pub(super) fn with_asked<T>(
    texts: &Texts,
    document: &Document,
    limits: &Limits,
    call: impl FnOnce(&Asked<'_>) -> T,
) -> T {
    let mut seen = HashSet::new();
    let others: Vec<_> = texts.data_dirs.iter().filter(|d| seen.insert(*d)).cloned().collect();
    let folders = Folders::new(document.folder(), &others).within(limits.clone()).described_by(&document.text);
    let settings = Settings { limits: limits.clone(), ..Settings::default() };
    // of a text without a file nobody knows where its data are
    let data = document.path.is_some().then_some(&folders as &(dyn Source + Sync));
    call(&Asked { settings, data, request: None, seed: 0 })
}

fn publish(outlet: &Outlet, uri: Uri, version: Option<i32>, diagnostics: Vec<Diagnostic>) {
    let params = PublishDiagnosticsParams { uri, diagnostics, version };
    outlet(Message::Notification(Notification::new(PublishDiagnostics::METHOD.to_owned(), params)));
}
