//! The server of `blo play`: a page for this machine's browser. It translates requests; what they ask is answered by
//! `blo::editor`; runs (`child`) and checks (`checker`) are processes of their own, which `command/play` is the other side
//! of. It listens on 127.0.0.1 only, answers only its own page (`guard`), and reads and writes only problem files of one
//! folder (`folder`).
//! Others may connect as they like (`http`): they neither stop it nor keep the page from being answered.

mod answer;
mod asset;
mod checker;
mod child;
mod edit;
mod folder;
mod gallery;
mod guard;
mod http;
mod job;
mod link;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use blo::stack::STACK_BYTES;

use answer::Site;
use checker::Checker;
pub(crate) use edit::Editing;
use folder::Folder;
use guard::Guard;
use http::Connection;
pub(crate) use job::{CANCEL, Job, What};

use crate::exit::{Exit, Failure};
use crate::output::console::Console;

/// Requests that are answered at the same time: a page has few.
const REQUESTS: usize = 32;
/// Connections that have not shown yet that they are the page's. The next one ends the oldest.
const STRANGERS: usize = 64;
/// After a connection that could not be accepted: the system may have none to give for a while.
const PAUSE: Duration = Duration::from_millis(100);

/// The limits of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
}

/// What the page is opened with.
pub(crate) struct Served {
    folder: Folder,
    /// The folder's name for people.
    name: String,
    /// The problem file that the command line names, with its text.
    file: Option<(String, String)>,
    /// The text of a link.
    shared: Option<String>,
    limits: Limits,
}

impl Served {
    /// From a file, a folder or a link; of a link, the folder is the present one.
    ///
    /// # Errors
    /// When it is none of these, or cannot be read.
    pub(crate) fn open(what: &str, limits: Limits) -> Result<Served, Failure> {
        let shared = if link::is_link(what) {
            let text = link::program(what).map_err(|message| Failure::Usage {
                message,
                help: Some("`Share` on the page copies a link".to_owned()),
            })?;
            Some(text)
        } else {
            None
        };
        let path = if shared.is_some() { Path::new(".") } else { Path::new(what) };
        let failed = |why: std::io::Error| Failure::File {
            message: format!("{}: cannot be opened: {why}", path.display()),
            help: Some("name a problem file, a folder, or a link in quotes".to_owned()),
        };
        let real = std::fs::canonicalize(path).map_err(failed)?;
        let root =
            if real.is_dir() { real.clone() } else { real.parent().map_or_else(|| real.clone(), Path::to_owned) };
        let name = root.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned());
        let folder = Folder { root };
        let file = if real.is_dir() {
            None
        } else {
            let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = folder.open(&name).map_err(|why| Failure::File {
                message: match why {
                    folder::Refusal::Failed(why) | folder::Refusal::Changed(why) => why,
                    folder::Refusal::Outside => format!("{what}: this is no problem file"),
                },
                help: Some("a problem file ends in `.blo`".to_owned()),
            })?;
            Some((name, text))
        };
        Ok(Served { folder, name, file, shared, limits })
    }

    /// Serves the page until the interrupt key.
    ///
    /// # Errors
    /// When the port is not free, or the address cannot be printed.
    pub(crate) fn serve(self, port: u16, open_browser: bool, console: &mut Console) -> Result<Exit, Failure> {
        let failed = |why: String| Failure::File {
            message: format!("cannot serve a page on port {port}: {why}"),
            help: Some("`--port 0` takes a free port".to_owned()),
        };
        let listener =
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(|e| failed(e.to_string()))?;
        let port = listener.local_addr().map_err(|e| failed(e.to_string()))?.port();
        let guard = Guard::new(port).map_err(|e| failed(e.to_string()))?;
        let address = guard.address();
        console.result(&format!("{address}\n"))?;
        console.say(&format!(
            "the page may read and write the problem files in {}; Ctrl-C ends it",
            self.folder.root.display()
        ));
        let opened = || guard.address_for_once().is_ok_and(|address| open::that_detached(address).is_ok());
        if open_browser && !opened() {
            console.say("no browser opens here: copy the address into one on this machine");
        }
        let checker = Checker::new(self.limits);
        let site = Site { served: self, guard, checker, running: Mutex::default() };
        listen(&listener, &Arc::new(site))
    }
}

/// Answers requests, each on a thread of its own: a run takes long, and the editor goes on beside it. Each has a connection
/// of its own, too: one that is kept for later requests takes a place.
fn listen(listener: &TcpListener, site: &Arc<Site>) -> ! {
    let (busy, strangers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Strangers::default()));
    for number in 0.. {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(PAUSE);
            continue;
        };
        let Ok(stranger) = strangers.come(number, &stream) else { continue };
        let (site, busy) = (Arc::clone(site), Arc::clone(&busy));
        let work = move || {
            if let Ok(connection) = Connection::new(stream) {
                serve(connection, &site, &busy, stranger);
            }
        };
        // without a thread, the connection ends
        let _ = std::thread::Builder::new().name("blo play".to_owned()).stack_size(STACK_BYTES).spawn(work);
    }
    unreachable!("there are more numbers than connections")
}

/// Answers the request of a connection.
fn serve(connection: Connection, site: &Site, busy: &AtomicUsize, stranger: Stranger) {
    match connection.request() {
        Err(None) => {}
        Err(Some((connection, status))) => answer::refuse(connection, status),
        Ok(request) => match site.admitted(&request) {
            None if site.guard.opens(&request.head) => answer::lead(request.connection, &site.guard.address()),
            None => answer::refuse(request.connection, 403),
            Some(path) => {
                drop(stranger);
                let one = One::more(busy);
                if one.before < REQUESTS {
                    site.answer(request, &path);
                } else {
                    answer::refuse(request.connection, 503);
                }
            }
        },
    }
}

/// A request that is being answered.
struct One<'a> {
    count: &'a AtomicUsize,
    before: usize,
}

impl One<'_> {
    fn more(count: &AtomicUsize) -> One<'_> {
        One { count, before: count.fetch_add(1, Ordering::SeqCst) }
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Connections of nobody knows whom, with their numbers, the oldest first.
#[derive(Default)]
struct Strangers(Mutex<VecDeque<(u64, TcpStream)>>);

/// One of them.
struct Stranger {
    all: Arc<Strangers>,
    number: u64,
}

impl Strangers {
    /// Takes one in.
    fn come(self: &Arc<Strangers>, number: u64, stream: &TcpStream) -> std::io::Result<Stranger> {
        let stream = stream.try_clone()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= STRANGERS
            && let Some((_, oldest)) = all.pop_front()
        {
            // its thread ends with it
            let _ = oldest.shutdown(Shutdown::Both);
        }
        all.push_back((number, stream));
        Ok(Stranger { all: Arc::clone(self), number })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(number, _)| *number != self.number);
    }
}
