//! `blo lsp`: the language server protocol around `blo::editor`. This room translates messages; what they ask is answered
//! there. The main thread reads messages and answers from the words of a text at once; a thread beside it checks texts
//! and publishes what it finds, so that no answer waits for a check.

mod answer;
mod checking;
mod convert;
mod fixes;
mod offer;
mod open;
mod path;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _,
};
use lsp_types::{InitializeParams, InitializeResult, ServerInfo};
use serde_json::Value;

use checking::{Checking, Outlet};
use offer::Client;
use open::Texts;

use crate::exit::Exit;

/// Speaks the protocol over standard input and output until the editor ends it. Data are looked for beside each text,
/// then in `data_dirs`.
///
/// # Errors
/// When standard input or output fail, or what comes in is not the protocol.
pub(crate) fn serve(data_dirs: Vec<PathBuf>) -> std::io::Result<Exit> {
    let (connection, threads) = transport::stdio()?;
    let exit = converse(&connection, data_dirs);
    drop(connection);
    threads.join()?;
    Ok(exit)
}

/// From `initialize` to `exit`. An editor that goes away without `exit` has failed.
fn converse(connection: &Connection, data_dirs: Vec<PathBuf>) -> Exit {
    let Some(client) = introduce(connection) else { return Exit::Error };
    let texts = Arc::new(Texts::new(client, data_dirs));
    let sender = connection.sender.clone();
    // an editor that has gone away reads nothing
    let outlet: Outlet = Arc::new(move |message| drop(sender.send(message)));
    let checking = Checking::start(Arc::clone(&texts), Arc::clone(&outlet));
    let mut is_shut_down = false;
    let mut exit = Exit::Error;
    for message in &connection.receiver {
        match message {
            Message::Request(request) if request.method == "shutdown" => {
                is_shut_down = true;
                reply(connection, Response::new_ok(request.id, Value::Null));
            }
            Message::Request(request) if is_shut_down => {
                let why = "the server is shut down".to_owned();
                reply(connection, Response::new_err(request.id, ErrorCode::InvalidRequest as i32, why));
            }
            Message::Request(request) => respond(connection, &texts, &outlet, request),
            Message::Notification(note) if note.method == "exit" => {
                exit = if is_shut_down { Exit::Done } else { Exit::Error };
                break;
            }
            Message::Notification(note) => notice(connection, &texts, &checking, note),
            Message::Response(_) => {}
        }
    }
    checking.stop();
    exit
}

/// The handshake; `None` where the editor ends it.
fn introduce(connection: &Connection) -> Option<Client> {
    let (id, params) = connection.initialize_start().ok()?;
    let params: InitializeParams = match serde_json::from_value(params) {
        Ok(params) => params,
        Err(why) => {
            let why = format!("`initialize` cannot be read: {why}");
            reply(connection, Response::new_err(id, ErrorCode::InvalidParams as i32, why));
            return None;
        }
    };
    let client = Client::of(&params);
    let about = ServerInfo { name: "blo".into(), version: Some(env!("CARGO_PKG_VERSION").into()) };
    let result = InitializeResult { capabilities: offer::capabilities(&client), server_info: Some(about) };
    let result = serde_json::to_value(result).unwrap_or_default();
    connection.initialize_finish(id, result).ok()?;
    Some(client)
}

fn reply(connection: &Connection, response: Response) {
    // an editor that has gone away reads nothing
    let _ = connection.sender.send(response.into());
}

/// Answers a request. A bug of ours is an error of this one request: the next is answered again.
fn respond(connection: &Connection, texts: &Arc<Texts>, outlet: &Outlet, request: Request) {
    let id = request.id.clone();
    if fixes::is_slow(&request) {
        // edits of a whole file are checked one after the other
        return fixes::respond_apart(Arc::clone(outlet), Arc::clone(texts), request);
    }
    let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answer::answer(texts, request)));
    let response = match answered {
        Ok(Ok(value)) => Response::new_ok(id, value),
        Ok(Err(wrong)) => Response::new_err(id, wrong.code as i32, wrong.message),
        Err(_) => Response::new_err(id, ErrorCode::InternalError as i32, "a bug in blo".into()),
    };
    reply(connection, response);
}

fn notice(connection: &Connection, texts: &Arc<Texts>, checking: &Checking, note: Notification) {
    let noticed = match note.method.as_str() {
        DidOpenTextDocument::METHOD => read(note.params).map(|p| texts.open(p)),
        DidChangeTextDocument::METHOD => read(note.params).map(|p| texts.change(p)),
        DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => {
            // data files may have changed
            texts.all_changed();
            Ok(())
        }
        DidChangeWorkspaceFolders::METHOD => read(note.params).map(|p| texts.change_folders(p)),
        DidCloseTextDocument::METHOD => read(note.params).map(|p: lsp_types::DidCloseTextDocumentParams| {
            texts.close(&p.text_document.uri);
            checking.clear(p.text_document.uri);
        }),
        // `$/cancelRequest`, `$/setTrace` and what comes later: nothing here takes long enough
        _ => Ok(()),
    };
    if let Err(why) = noticed {
        log(connection, &format!("`{}` cannot be read: {why}", note.method));
    }
    checking.wake();
}

fn read<P: serde::de::DeserializeOwned>(params: Value) -> Result<P, serde_json::Error> {
    serde_json::from_value(params)
}

/// A line for the editor's log.
fn log(connection: &Connection, text: &str) {
    let params = lsp_types::LogMessageParams { typ: lsp_types::MessageType::WARNING, message: text.to_owned() };
    let method = lsp_types::notification::LogMessage::METHOD.to_owned();
    let _ = connection.sender.send(Notification::new(method, params).into());
}
