//! Requests of the page and their answers.

use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use super::checker::{self, Checker, Missing};
use super::child::{self, Told};
use super::edit;
use super::folder::Refusal;
use super::guard::Guard;
use super::http::{Connection, Request, reason};
use super::job::{Job, What};
use super::{Served, asset, gallery};

/// Bytes of a request: a program may be escaped in it.
const BODY: u64 = 8 * blo_grammar::MAX_BYTES as u64;

/// Methods that one comparison runs.
const METHODS: usize = 64;

/// What answers requests.
pub(super) struct Site {
    pub(super) served: Served,
    pub(super) guard: Guard,
    pub(super) checker: Checker,
    /// What cancels the run that goes on.
    pub(super) running: Mutex<Option<Sender<Told>>>,
}

/// An answer that is known at once.
enum Reply {
    Found(Value),
    Refused(u16, String),
    /// A newer text has come meanwhile.
    Stale,
}

impl From<Refusal> for Reply {
    fn from(why: Refusal) -> Reply {
        match why {
            Refusal::Outside => {
                Reply::Refused(403, "the page opens and saves only problem files of its folder: NAME.blo".to_owned())
            }
            Refusal::Changed(message) => Reply::Refused(409, message),
            Refusal::Failed(message) => Reply::Refused(422, message),
        }
    }
}

impl Site {
    /// What follows the token in the address; `None` for who may not ask.
    pub(super) fn admitted(&self, request: &Request) -> Option<String> {
        self.guard.admitted(&request.head)
    }

    /// Answers a request of the page.
    pub(super) fn answer(&self, mut request: Request, path: &str) {
        let (get, post) = (request.head.method == "GET", request.head.method == "POST");
        let asked = if post { body(&mut request) } else { Ok(Value::Null) };
        let to = &mut request.connection;
        // a browser that has gone away reads nothing
        let _ = match asked {
            _ if get && path == "api/start" => reply(to, Reply::Found(self.start())),
            _ if get => page(to, path),
            _ if !post => reply(to, Reply::Refused(405, "GET or POST".to_owned())),
            Err(refused) => reply(to, refused),
            Ok(asked) if path == "api/run" => self.run(to, &asked),
            Ok(asked) => reply(to, self.post(path, &asked)),
        };
        request.connection.end();
    }

    fn start(&self) -> Value {
        let Served { folder, name, file, shared, limits } = &self.served;
        let file = file.as_ref().map(|(name, text)| json!({"name": name, "text": text}));
        let example = |e: gallery::Example| json!({"name": e.name, "title": e.title, "text": e.text, "landscape": e.has_landscape()});
        let (first, others): (Vec<_>, Vec<_>) =
            blo_solvers::METHODS.iter().map(|m| m.entry).partition(|entry| entry.name == blo_solvers::DEFAULT_METHOD);
        let methods = first.iter().chain(&others).map(|entry| json!({"name": entry.name, "about": entry.doc}));
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "folder": name,
            "file": file,
            "files": folder.files(),
            "gallery": gallery::examples().into_iter().map(example).collect::<Vec<_>>(),
            "methods": methods.collect::<Vec<_>>(),
            "limits": {"seconds": limits.seconds, "memory": child::size(limits.bytes)},
            "text": shared,
        })
    }

    fn post(&self, path: &str, asked: &Value) -> Reply {
        let text = |key: &str| asked[key].as_str().unwrap_or_default();
        let at = || asked["at"].as_u64().unwrap_or_default();
        let folder = &self.served.folder;
        // of a text without a file, data are looked for in the folder
        let name = || Some(text("name")).filter(|name| folder.path(name).is_ok()).unwrap_or(UNNAMED);
        let question = |what: &str| checker::question(what, &folder.root, name(), text("text"), at());
        match path {
            "api/check" => match self.checker.check(&question("check")) {
                Ok(found) => Reply::Found(found),
                Err(Missing::Stale) => Reply::Stale,
                Err(Missing::Failed(why)) => Reply::Refused(422, why),
            },
            "api/hover" => Reply::Found(self.checker.hover(&question("hover"))),
            "api/complete" => Reply::Found(edit::complete(&folder.root, name(), text("text"), at())),
            "api/tokens" => Reply::Found(edit::tokens(text("text"))),
            "api/format" => Reply::Found(edit::format(text("text"))),
            "api/code" => edit::code(text("code"))
                .map_or_else(|| Reply::Refused(404, format!("there is no code {}", text("code"))), Reply::Found),
            "api/open" => match folder.open(text("name")) {
                Ok(found) => Reply::Found(json!({"name": text("name"), "text": found})),
                Err(why) => why.into(),
            },
            "api/save" => match folder.save(text("name"), text("text"), asked["was"].as_str()) {
                Ok(()) => Reply::Found(json!({})),
                Err(why) => why.into(),
            },
            "api/cancel" => {
                let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                // a run that has just ended needs no word
                let _ = running.as_ref().map(|told| told.send(Told::Cancelled));
                Reply::Found(json!({}))
            }
            _ => Reply::Refused(404, format!("there is no `{path}`")),
        }
    }

    /// Runs a program and sends what it says as it comes.
    fn run(&self, to: &mut Connection, asked: &Value) -> io::Result<()> {
        let job = match self.job(asked) {
            Ok(job) => job,
            Err(refused) => return reply(to, refused),
        };
        let (tell, told) = channel();
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if running.is_some() {
                let why = "another run goes on, perhaps of another page: cancel it, or wait until it has ended";
                return reply(to, Reply::Refused(409, why.to_owned()));
            }
            *running = Some(tell);
        }
        // whatever ends this run lets the next one begin
        let free = Free(&self.running);
        to.write_all(
            format!("{}Transfer-Encoding: chunked\r\n\r\n", head(200, "application/x-ndjson", None)).as_bytes(),
        )?;
        let mut send = |event: &str| to.write_all(format!("{:x}\r\n{event}\n\r\n", event.len() + 1).as_bytes());
        let last = child::run(&job, &told, &mut send)?;
        // who has seen the last event may ask for the next run
        drop(free);
        send(&last.to_string())?;
        to.write_all(b"0\r\n\r\n")
    }

    fn job(&self, asked: &Value) -> Result<Job, Reply> {
        let wrong = |why: &str| Reply::Refused(400, why.to_owned());
        let folder = &self.served.folder;
        let text = asked["text"].as_str().ok_or_else(|| wrong("there is no text"))?;
        let what =
            What::deserialize(&asked["what"]).map_err(|_| wrong("`what` is solve, compare, explain or landscape"))?;
        let methods = asked["methods"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let methods: Vec<String> = methods.map(str::to_owned).take(METHODS).collect();
        if what == What::Compare && methods.is_empty() {
            return Err(wrong("a comparison needs methods"));
        }
        let name = asked["name"].as_str().filter(|name| folder.path(name).is_ok()).unwrap_or(UNNAMED);
        Ok(Job {
            what,
            name: name.to_owned(),
            text: text.to_owned(),
            methods,
            root: folder.root.to_string_lossy().into_owned(),
            seconds: self.served.limits.seconds,
            bytes: self.served.limits.bytes,
        })
    }
}

/// A text that is no file of the folder.
const UNNAMED: &str = "problem.blo";

/// The place of the run that goes on, which is free again after it.
struct Free<'a>(&'a Mutex<Option<Sender<Told>>>);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What the page asks; other pages cannot send JSON without a question first, which nobody here answers.
fn body(request: &mut Request) -> Result<Value, Reply> {
    if !request.head.values("Content-Type").iter().any(|kind| kind.starts_with("application/json")) {
        return Err(Reply::Refused(415, "send JSON".to_owned()));
    }
    let bytes = request.body(BODY).map_err(|status| {
        let message = match status {
            413 => format!("a program has at most {}", child::size(blo_grammar::MAX_BYTES as u64)),
            411 => "the request has to say its length".to_owned(),
            _ => "the request is not whole".to_owned(),
        };
        Reply::Refused(status, message)
    })?;
    let value = serde_json::from_slice::<Value>(&bytes).ok();
    value.filter(Value::is_object).ok_or_else(|| Reply::Refused(400, "the request is no JSON object".to_owned()))
}

/// Says to somebody who is not answered why.
pub(super) fn refuse(mut connection: Connection, status: u16) {
    let why = match status {
        403 => {
            "403: this address needs the token that `blo play` has printed, and a page of its own.\n\
             A shared program opens with: blo play 'THIS ADDRESS'\n"
        }
        503 => "503: too many requests at once\n",
        _ => "this is no request of a page\n",
    };
    let _ = respond(&mut connection, status, "text/plain; charset=utf-8", None, why.as_bytes());
    connection.end();
}

/// Leads to another address.
pub(super) fn lead(mut connection: Connection, address: &str) {
    let head =
        format!("{}Location: {address}\r\nContent-Length: 0\r\n\r\n", head(303, "text/plain; charset=utf-8", None));
    // a browser that has gone away reads nothing
    let _ = connection.write_all(head.as_bytes());
    connection.end();
}

/// A file of the page.
fn page(to: &mut Connection, path: &str) -> io::Result<()> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let nonce: String = nonce.iter().map(|b| format!("{b:02x}")).collect();
    match asset::asset(path, &nonce) {
        Some(asset) => respond(to, 200, asset.kind, Some(&asset.policy), &asset.bytes),
        None => reply(to, Reply::Refused(404, "there is no such file".to_owned())),
    }
}

fn reply(to: &mut Connection, reply: Reply) -> io::Result<()> {
    let (status, value) = match reply {
        Reply::Found(value) => (200, value),
        Reply::Refused(status, message) => (status, json!({"message": message})),
        Reply::Stale => (409, json!({"message": "a newer text has come", "stale": true})),
    };
    respond(to, status, "application/json", None, value.to_string().as_bytes())
}

fn respond(to: &mut Connection, status: u16, kind: &str, policy: Option<&str>, bytes: &[u8]) -> io::Result<()> {
    let head = format!("{}Content-Length: {}\r\n\r\n", head(status, kind, policy), bytes.len());
    to.write_all(&[head.as_bytes(), bytes].concat())
}

/// What every answer says of itself.
fn head(status: u16, kind: &str, policy: Option<&str>) -> String {
    let reason = reason(status);
    let policy = policy.unwrap_or("default-src 'none'; frame-ancestors 'none'");
    format!(
        "HTTP/1.1 {status} {reason}\r\n\
         Content-Type: {kind}\r\n\
         Content-Security-Policy: {policy}\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Referrer-Policy: no-referrer\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\n\
         Cache-Control: no-store\r\n\
         Connection: close\r\n"
    )
}
