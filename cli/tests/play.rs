//! `blo play` as a browser asks it, without one: who may ask, what a run says, and how it is held to its limits. The page
//! itself is tried in a browser by `.ci/browser`.
// The bans keep the engine off files; these tests make and read the files of a folder.
#![allow(clippy::disallowed_methods)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program that solves in no time, with x = y = 1.
const SHORT: &str = "upper { var x  minimize (x - 1)^2 + (y - 1)^2 }\nlower { var y  minimize (y - x)^2 }\n";

/// One that never ends by itself: the lower level has no solution that steps come to.
const LONG: &str = "upper { var x[3000]  minimize normsq(x - 1) + sum(sin(y[i]) for i in 1..3000) }\n\
                    lower { var y[3000]  minimize sum((y[i] - x[i])^4 + cos(y[i]*x[i]) for i in 1..3000) }\n\
                    method bda { K = 5000; max_iter = 100000000; tol = 0 }\n";

struct Server {
    child: Child,
    port: u16,
    token: String,
}

impl Server {
    fn start(folder: &Path, flags: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
        Server::started(command.arg("play").arg(folder).arg("--no-open").args(flags))
    }

    fn started(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut address).expect("its address");
        let parts: Vec<&str> = address.trim().split('/').collect();
        let port = parts[2].rsplit(':').next().and_then(|p| p.parse().ok()).expect("a port");
        Server { child, port, token: parts[3].to_owned() }
    }

    /// Sends a request as it stands.
    fn raw(&self, request: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.write_all(request.as_bytes()).expect("a request");
        BufReader::new(stream)
    }

    fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> BufReader<TcpStream> {
        let length = body.len();
        let port = self.port;
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    /// The status and the rest of an answer.
    fn answer(mut from: BufReader<TcpStream>) -> (u16, String) {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("an answer");
        let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_default();
        (status, text)
    }

    fn get(&self, path: &str, headers: &str) -> (u16, String) {
        Server::answer(self.request("GET", path, headers, ""))
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/{}/api/{path}", self.token);
        let (status, text) =
            Server::answer(self.request("POST", &path, "Content-Type: application/json\r\n", &body.to_string()));
        let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Starts a run; its events come one by one.
    fn run(&self, body: &Value) -> impl Iterator<Item = Value> + use<> {
        let path = format!("/{}/api/run", self.token);
        let lines = self.request("POST", &path, "Content-Type: application/json\r\n", &body.to_string()).lines();
        // lines of the head and of chunks are no objects
        let objects = lines.map_while(Result::ok).filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let mut over = false;
        objects.filter(Value::is_object).take_while(move |event| !std::mem::replace(&mut over, event["kind"] == "end"))
    }

    fn ended(&self, body: &Value) -> (Vec<Value>, Value) {
        let mut events: Vec<Value> = self.run(body).collect();
        let end = events.pop().expect("an end");
        assert_eq!(end["kind"], "end", "{events:?}");
        (events, end)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn solve(text: &str, method: &str) -> Value {
    json!({"name": "", "text": text, "what": "solve", "methods": [method]})
}

#[test]
fn only_the_page_itself_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let (own, port) = (format!("/{}/", server.token), server.port);
    let (status, page) = server.get(&own, "");
    assert_eq!(status, 200, "{page}");
    for header in ["Content-Security-Policy: default-src 'none'", "nosniff", "no-referrer", "no-store"] {
        assert!(page.contains(header), "{header}");
    }
    assert_eq!(server.get(&format!("{own}api/start"), &format!("Origin: http://127.0.0.1:{port}\r\n")).0, 200);
    let wrong = "0".repeat(server.token.len());
    for path in ["/", "/api/start", &format!("/{wrong}/"), &format!("/{wrong}/api/start"), &own[..own.len() - 2]] {
        assert_eq!(server.get(path, "").0, 403, "{path}");
    }
    for origin in ["http://evil.example", "null", "https://127.0.0.1:1"] {
        assert_eq!(server.get(&own, &format!("Origin: {origin}\r\n")).0, 403, "{origin}");
    }
    let foreign = server.raw(&format!("GET {own} HTTP/1.1\r\nHost: evil.example:{port}\r\nConnection: close\r\n\r\n"));
    assert_eq!(Server::answer(foreign).0, 403);
    // what a form of another page can send
    let form = server.request("POST", &format!("{own}api/save"), "Content-Type: text/plain\r\n", "{}");
    assert_eq!(Server::answer(form).0, 415);
    assert_eq!(server.get(&format!("{own}../Cargo.toml"), "").0, 404);
}

/// Everybody on a machine may read the command lines of its processes, those of browsers, too.
#[cfg(target_os = "linux")]
#[test]
fn the_address_that_starts_a_browser_is_good_for_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let (browser, seen) = (folder.path().join("xdg-open"), folder.path().join("seen"));
    std::fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > '{}'\n", seen.display())).expect("a browser");
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).expect("a browser that runs");
    let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
    let server = Server::started(command.arg("play").arg(folder.path()).env("PATH", folder.path()));
    let address = loop {
        match std::fs::read_to_string(&seen) {
            Ok(text) if text.ends_with('\n') => break text,
            _ => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    assert!(!address.contains(&server.token), "{address}");
    let path = address.trim().strip_prefix(&format!("http://127.0.0.1:{}", server.port)).expect("our address");
    let (status, answer) = server.get(path, "");
    let page = format!("Location: http://127.0.0.1:{}/{}/\r\n", server.port, server.token);
    assert!(status == 303 && answer.contains(&page), "{answer}");
    assert_eq!(server.get(path, "").0, 403);
}

#[test]
fn strangers_neither_end_the_server_nor_keep_it_from_its_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let own = format!("/{}/", server.token);
    // a body of a length that nobody has memory for
    for length in [u64::MAX, 1 << 62, 1 << 44] {
        let claimed = format!("Host: 127.0.0.1:{}\r\nContent-Length: {length}\r\n", server.port);
        assert_eq!(Server::answer(server.raw(&format!("POST / HTTP/1.1\r\n{claimed}\r\n{{}}"))).0, 403, "{length}");
        let with_token = format!("POST {own}api/check HTTP/1.1\r\n{claimed}Content-Type: application/json\r\n\r\n{{}}");
        assert_eq!(Server::answer(server.raw(&with_token)).0, 413, "{length}");
    }
    let host = format!("Host: 127.0.0.1:{}\r\n", server.port);
    for (request, status) in [
        (format!("GET {own} HTTP/1.0\r\n{host}\r\n"), 505),
        (format!("GET {own}\r\n\r\n"), 400),
        (format!("GET {own} HTTP/1.1\r\n\r\n"), 403),
        (format!("GET {own} HTTP/1.1\r\n{host}X: {}\r\n\r\n", "a".repeat(1 << 20)), 431),
        (
            format!(
                "POST {own}api/check HTTP/1.1\r\n{host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            ),
            411,
        ),
        (
            format!(
                "POST {own}api/check HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]"
            ),
            400,
        ),
    ] {
        // the server may have stopped reading before the end of a long request
        let mut answer = Vec::new();
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_end(&mut answer);
        let said = String::from_utf8_lossy(&answer).into_owned();
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{:.80}: {said:.80}", request);
    }
    // connections that say nothing, half a head, or a body that does not come
    let begun = ["", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"];
    let held: Vec<_> = begun.iter().cycle().take(150).map(|text| server.raw(text)).collect();
    assert_eq!(server.get(&own, "").0, 200);
    assert_eq!(server.post("check", &json!({"name": "", "text": SHORT})).0, 200);
    drop(held);
}

#[test]
fn a_run_says_what_it_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let (events, end) = server.ended(&solve(SHORT, "auto"));
    assert_eq!(end["how"], "done", "{end}");
    let of = |kind: &str| events.iter().filter(|e| e["kind"] == kind).collect::<Vec<_>>();
    assert!(of("row").len() > 1);
    let report = of("text").into_iter().find(|e| e["part"] == "report").expect("a report");
    assert!(report["text"].as_str().is_some_and(|t| t.contains("x = 1") && t.contains("converged")), "{report}");
    let pictures: Vec<_> = of("picture").iter().map(|p| p["which"].as_str().unwrap_or_default()).collect();
    assert!(pictures.contains(&"curves") && pictures.contains(&"landscape"), "{pictures:?}");

    let (events, end) = server.ended(&json!({"name": "", "text": SHORT, "what": "compare", "methods": ["cg", "rhg"]}));
    assert_eq!(end["how"], "done");
    let table = events.iter().rfind(|e| e["part"] == "table").expect("a table")["text"].to_string();
    assert!(table.contains("cg") && table.contains("rhg"), "{table}");

    let (events, end) = server.ended(&json!({"name": "", "text": SHORT, "what": "explain", "methods": []}));
    assert_eq!(end["how"], "done");
    assert!(
        events.iter().any(|e| e["part"] == "explain" && e["text"].to_string().contains("lower level")),
        "{events:?}"
    );

    let (events, end) = server.ended(&solve("upper { var x minimize z }", "auto"));
    assert_eq!(end["how"], "refused");
    assert!(events.iter().any(|e| e["part"] == "findings" && e["text"].to_string().contains("B0")), "{events:?}");
}

#[test]
fn one_run_at_a_time_is_cancelled_or_stopped_by_its_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--max-time", "600s"]);
    let mut first = server.run(&solve(LONG, "bda"));
    assert!(first.any(|e| e["kind"] == "row"));
    let (status, refused) = server.post("run", &solve(SHORT, "auto"));
    assert_eq!(status, 409, "{refused}");
    assert_eq!(server.post("cancel", &json!({})).0, 200);
    let end = first.last().expect("an end");
    assert_eq!(end["how"], "cancelled", "{end}");
    // its place is free again
    assert_eq!(server.ended(&solve(SHORT, "auto")).1["how"], "done");
    // so is the place of a run whose page has gone
    drop(server.run(&solve(LONG, "bda")).next());
    let free = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        server.post("run", &solve("", "auto")).0 != 409
    });
    assert!(free, "the run of a page that is gone goes on");

    let server = Server::start(folder.path(), &["--max-time", "1s"]);
    let (_, end) = server.ended(&solve(LONG, "bda"));
    assert_eq!(end["how"], "limit", "{end}");
    assert!(end["message"].as_str().is_some_and(|m| m.contains("--max-time")), "{end}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_takes_too_much_memory_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--max-memory", "4MB"]);
    let (_, end) = server.ended(&solve(LONG, "bda"));
    assert_eq!(end["how"], "limit", "{end}");
    assert!(end["message"].as_str().is_some_and(|m| m.contains("--max-memory")), "{end}");
}

/// As slow to check as a program can be: a size that takes all operations that a check spends on constants.
const SLOW_CHECK: &str = "param n = sum(fill(1, 45000000))/9000000\n\
                          upper { var x[n]  minimize normsq(x) + y^2 }\nlower { var y  minimize (y - sum(x))^2 }\n";

#[test]
fn a_check_takes_no_more_than_the_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |server: &Server, text: &str| server.post("check", &json!({"name": "", "text": text}));
    let server = Server::start(folder.path(), &["--max-time", "0.05s"]);
    let (status, refused) = check(&server, SLOW_CHECK);
    assert_eq!(status, 422, "{refused}");
    assert!(refused["message"].as_str().is_some_and(|m| m.contains("after 0.05 s")), "{refused}");

    // a newer text does not wait for it
    let server = Server::start(folder.path(), &[]);
    let (older, newer) = std::thread::scope(|scope| {
        let older = scope.spawn(|| check(&server, SLOW_CHECK));
        let mut newer = check(&server, SHORT);
        while !older.is_finished() {
            newer = check(&server, SHORT);
        }
        (older.join().expect("an answer"), newer)
    });
    assert_eq!((older.0, &older.1["stale"]), (409, &json!(true)));
    assert_eq!((newer.0, &newer.1["findings"]), (200, &json!([])));
    // what the check has found is known to those who ask more
    let hover = server.post("hover", &json!({"name": "", "text": SHORT, "at": SHORT.find('x').unwrap_or_default()}));
    assert!(hover.1["markdown"].as_str().is_some_and(|m| m.contains("free")), "{hover:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_check_that_takes_too_much_memory_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--max-memory", "200MB"]);
    let (status, refused) = server.post("check", &json!({"name": "", "text": SLOW_CHECK}));
    assert_eq!(status, 422, "{refused}");
    assert!(refused["message"].as_str().is_some_and(|m| m.contains("more than")), "{refused}");
    assert_eq!(server.post("check", &json!({"name": "", "text": SHORT})).1["findings"], json!([]));
}

#[test]
fn files_outside_of_the_folder_are_out_of_reach() {
    let outer = tempfile::tempdir().expect("a folder");
    std::fs::write(outer.path().join("secret.blo"), SHORT).expect("a file");
    std::fs::write(outer.path().join("secret.csv"), "a\n1\n2\n").expect("a file");
    let root = outer.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    std::fs::write(root.join("a.blo"), SHORT).expect("a file");
    let server = Server::start(&root, &[]);
    assert_eq!(server.post("open", &json!({"name": "a.blo"})).1["text"], SHORT);
    let absolute = outer.path().join("secret.blo").display().to_string();
    for name in ["../secret.blo", &absolute, "../secret.csv"] {
        assert_eq!(server.post("open", &json!({"name": name})).0, 403, "{name}");
        assert_eq!(server.post("save", &json!({"name": name, "text": "x", "was": null})).0, 403, "{name}");
    }
    assert_eq!(server.post("save", &json!({"name": "a.blo", "text": "new", "was": "old"})).0, 409);
    assert_eq!(server.post("save", &json!({"name": "a.blo", "text": "new", "was": SHORT})).0, 200);
    assert_eq!(std::fs::read_to_string(root.join("a.blo")).expect("the file"), "new");
    let data = "data A[_] = csv(\"../secret.csv\", column = \"a\")\nupper { var x  minimize (x - sum(A))^2 }\nlower { var y  minimize (y - x)^2 }\n";
    let (events, end) = server.ended(&solve(data, "auto"));
    assert_eq!(end["how"], "refused", "{events:?}");
    let said = events.iter().find(|e| e["part"] == "findings").expect("the reason")["text"].to_string();
    assert!(said.contains("outside of the folder"), "{said}");
}
