//! Conversations with `blo lsp` over its standard input and output.
// The bans keep the engine off files and processes; these tests are about them.
#![allow(clippy::disallowed_methods)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// The command, as an editor sees it.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    requests: i64,
    /// Notifications that came before the answer that was waited for.
    notes: Vec<Value>,
}

const URI: &str = "file:///nowhere/p.blo";

/// A warning, a Greek name and a letter that is two units of UTF-16.
const TEXT: &str = "\
param n = 3
# 🦀 note
upper { var α[n] in [0, 1]  minimize normsq(α - 1) }
lower {
  var y[n]
  minimize normsq(y - α)
  regularize norm1(y)
}
";

impl Server {
    fn start() -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_blo"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        Server { child, input, output: BufReader::new(output), requests: 0, notes: Vec::new() }
    }

    /// A server that has been introduced, with what it offers.
    fn introduced(encodings: &[&str]) -> (Server, Value) {
        Server::introduced_to(encodings, json!({}))
    }

    /// A server that has been introduced to an editor with these capabilities of a workspace.
    fn introduced_to(encodings: &[&str], workspace: Value) -> (Server, Value) {
        let mut server = Server::start();
        let document = json!({
            "publishDiagnostics": {"relatedInformation": true},
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": true},
            "codeAction": {"resolveSupport": {"properties": ["edit"]}},
        });
        let general = json!({"positionEncodings": encodings});
        let capabilities = json!({"general": general, "textDocument": document, "workspace": workspace});
        let offered =
            server.request("initialize", json!({"processId": null, "rootUri": null, "capabilities": capabilities}));
        server.notify("initialized", json!({}));
        (server, offered)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("still open");
        // a server that has ended reads nothing
        let _ = input.write_all(bytes).and_then(|()| input.flush());
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.bytes(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn receive(&mut self) -> Option<Value> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).expect("text") == 0 {
                return None;
            }
            match line.trim().split_once(": ") {
                Some(("Content-Length", n)) => length = n.parse().expect("a number"),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("all of it");
        Some(serde_json::from_slice(&body).expect("JSON"))
    }

    /// The whole response.
    fn respond(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.receive().expect("an answer");
            if message["id"] == id {
                return message;
            }
            self.notes.push(message);
        }
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let response = self.respond(method, params);
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].clone()
    }

    fn open(&mut self, uri: &str, text: &str) {
        self.notify(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": "blo", "version": 1, "text": text}}),
        );
    }

    /// The findings of a version.
    fn findings(&mut self, uri: &str, version: impl Into<Value>) -> Value {
        let version = version.into();
        loop {
            let wanted = |m: &Value| {
                m["method"] == "textDocument/publishDiagnostics"
                    && m["params"]["uri"] == uri
                    && m["params"]["version"] == version
            };
            if let Some(at) = self.notes.iter().position(wanted) {
                return self.notes.remove(at)["params"]["diagnostics"].clone();
            }
            let message = self.receive().expect("findings");
            self.notes.push(message);
        }
    }

    /// Closes the input and returns the exit code and what was said on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        let mut said = String::new();
        let mut errors = self.child.stderr.take().expect("a pipe");
        let code = self.child.wait().expect("it ends").code();
        errors.read_to_string(&mut said).expect("text");
        (code, said)
    }

    fn shut_down(mut self) -> (Option<i32>, String) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        self.end()
    }
}

fn at(uri: &str, line: usize, character: usize) -> Value {
    json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}})
}

fn with(mut params: Value, key: &str, value: Value) -> Value {
    params[key] = value;
    params
}

#[test]
fn a_session_from_the_first_message_to_the_last() {
    let (mut server, offered) = Server::introduced(&["utf-16"]);
    assert_eq!(offered["capabilities"]["positionEncoding"], "utf-16");
    server.open(URI, TEXT);
    assert_eq!(server.findings(URI, 1), json!([]));

    // α is one unit of UTF-16
    let hover = server.request("textDocument/hover", at(URI, 2, 12));
    let text = hover["contents"]["value"].as_str().expect("markdown");
    assert!(text.contains("upper variable") && text.contains("[n] = [3]"), "{text}");
    let hover = server.request("textDocument/hover", at(URI, 6, 4));
    assert!(hover["contents"]["value"].as_str().is_some_and(|t| t.contains("`y`: `l1: prox of")), "{hover}");

    let completion = server.request("textDocument/completion", at(URI, 5, 11));
    let labels: Vec<&str> = completion.as_array().expect("a list").iter().filter_map(|c| c["label"].as_str()).collect();
    assert!(labels.contains(&"normsq") && labels.contains(&"α") && labels.contains(&"y"), "{labels:?}");

    let definition = server.request("textDocument/definition", at(URI, 5, 22));
    assert_eq!(definition["range"]["start"], json!({"line": 2, "character": 12}));
    let references =
        server.request("textDocument/references", with(at(URI, 2, 12), "context", json!({"includeDeclaration": true})));
    assert_eq!(references.as_array().map(Vec::len), Some(3));
    let highlights = server.request("textDocument/documentHighlight", at(URI, 4, 6));
    assert_eq!(highlights.as_array().map(Vec::len), Some(3));

    let place = server.request("textDocument/prepareRename", at(URI, 5, 22));
    assert_eq!(place["placeholder"], "α");
    let renamed = server.request("textDocument/rename", with(at(URI, 5, 22), "newName", json!("weights")));
    let edits = renamed["changes"][URI].as_array().expect("edits").clone();
    assert_eq!(edits.len(), 3);
    assert!(edits.iter().all(|e| e["newText"] == "weights"));
    let refused = server.respond("textDocument/rename", with(at(URI, 5, 22), "newName", json!("y")));
    assert!(refused["error"]["message"].as_str().is_some_and(|m| m.contains("something else")), "{refused}");

    let symbols = server.request("textDocument/documentSymbol", json!({"textDocument": {"uri": URI}}));
    let names: Vec<&str> = symbols.as_array().expect("a list").iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["n", "upper", "lower"]);
    let tokens = server.request("textDocument/semanticTokens/full", json!({"textDocument": {"uri": URI}}));
    assert_eq!(tokens["data"].as_array().map(|d| d[..5].to_vec()), json!([0, 0, 5, 0, 0]).as_array().cloned());
    let signature = server.request("textDocument/signatureHelp", at(URI, 5, 18));
    assert_eq!(signature["signatures"][0]["label"], "normsq(a)");

    let unknown = server.respond("textDocument/inlayHint", json!({}));
    assert_eq!(unknown["error"]["code"], -32601);
    let wrong = server.respond("textDocument/hover", json!({"textDocument": 3}));
    assert_eq!(wrong["error"]["code"], -32602);
    assert_eq!(server.request("textDocument/hover", at("file:///nowhere/other.blo", 0, 0)), Value::Null);
    let (code, said) = server.shut_down();
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn findings_follow_the_edits_and_have_their_fix() {
    let (mut server, offered) = Server::introduced(&["utf-8", "utf-16"]);
    assert_eq!(offered["capabilities"]["positionEncoding"], "utf-8");
    server.open(URI, TEXT);
    assert_eq!(server.findings(URI, 1), json!([]));
    // `minimize` of the upper level, at a byte of a line with a Greek letter
    let line = "upper { var α[n] in [0, 1]  ";
    let range = json!({"start": {"line": 2, "character": line.len()}, "end": {"line": 2, "character": line.len() + 8}});
    let change = json!({"range": range, "text": "minimise"});
    let version =
        |v: i64, changes: Value| json!({"textDocument": {"uri": URI, "version": v}, "contentChanges": changes});
    server.notify("textDocument/didChange", version(2, json!([change])));
    let found = server.findings(URI, 2);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!((&found[0]["severity"], &found[0]["source"], &found[0]["range"]), (&json!(1), &json!("blo"), &range));
    assert!(found[0]["code"].as_str().is_some_and(|c| c.starts_with('B')));

    let about = json!({"diagnostics": found});
    let action = |server: &mut Server, context: &Value| {
        let params = json!({"textDocument": {"uri": URI}, "range": range, "context": context});
        server.request("textDocument/codeAction", params)
    };
    let actions = action(&mut server, &about);
    let edit = &actions[0]["edit"]["changes"][URI][0];
    assert_eq!((&actions[0]["kind"], &edit["newText"]), (&json!("quickfix"), &json!("minimize")), "{actions}");
    let hover = server.request("textDocument/hover", at(URI, 2, line.len() + 2));
    let code = found[0]["code"].as_str().expect("a code");
    assert!(hover["contents"]["value"].as_str().is_some_and(|t| t.contains(code)), "{hover}");

    // all of it anew, with a safe edit and a place that belongs to the finding
    let wrong = TEXT.replace("normsq(y - α)", "2 normsq(y - α)") + "param n = 4\n";
    server.notify("textDocument/didChange", version(3, json!([{"text": wrong}])));
    let found = server.findings(URI, 3);
    let twice = found.as_array().and_then(|f| f.iter().find(|d| d["relatedInformation"].is_array()));
    assert!(twice.is_some(), "{found}");
    let only = json!({"diagnostics": [], "only": ["source.fixAll"]});
    let mended = action(&mut server, &only);
    let text = mended[0]["edit"]["changes"][URI][0]["newText"].as_str().expect("the text");
    assert!(text.contains("2*normsq(y - α)"), "{mended}");
    let offered = action(&mut server, &json!({"diagnostics": []}));
    let lazy = offered.as_array().and_then(|a| a.iter().find(|a| a["kind"] == "source.fixAll.blo")).expect("offered");
    let resolved = server.request("codeAction/resolve", lazy.clone());
    assert_eq!(resolved["edit"]["changes"][URI][0]["newText"].as_str(), Some(text));
    assert_eq!(server.shut_down(), (Some(0), String::new()));
}

#[test]
fn edits_are_of_the_version_that_they_were_made_for() {
    let (mut server, _) = Server::introduced_to(&["utf-8"], json!({"workspaceEdit": {"documentChanges": true}}));
    server.open(URI, TEXT);
    let of_version = |version: i64, edit: &Value| {
        assert!(edit["changes"].is_null(), "{edit}");
        let changes = edit["documentChanges"].as_array().expect("a list");
        let document = json!({"uri": URI, "version": version});
        assert_eq!((changes.len(), &changes[0]["textDocument"]), (1, &document), "{edit}");
        changes[0]["edits"].as_array().expect("edits").clone()
    };
    let renamed = server.request("textDocument/rename", with(at(URI, 4, 6), "newName", json!("z")));
    assert_eq!(of_version(1, &renamed).len(), 3);

    let wrong = TEXT.replace("normsq(y - α)", "2 normsq(y - α)");
    let document = json!({"uri": URI, "version": 7});
    server.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": [{"text": wrong}]}));
    assert_eq!(server.findings(URI, 7).as_array().map(Vec::len), Some(1));
    let range = json!({"start": {"line": 5, "character": 0}, "end": {"line": 6, "character": 0}});
    let context = json!({"diagnostics": [], "only": ["quickfix", "source.fixAll"]});
    let params = json!({"textDocument": {"uri": URI}, "range": range, "context": context});
    let actions = server.request("textDocument/codeAction", params);
    // an editor that asks for two kinds has both
    assert_eq!((&actions[0]["kind"], &actions[1]["kind"]), (&json!("quickfix"), &json!("source.fixAll.blo")));
    assert_eq!(of_version(7, &actions[0]["edit"])[0]["newText"], "*", "{actions}");
    let mended = of_version(7, &actions[1]["edit"])[0]["newText"].clone();
    assert!(mended.as_str().is_some_and(|text| text.contains("2*normsq(y - α)")), "{actions}");
    assert_eq!(server.shut_down(), (Some(0), String::new()));
}

#[test]
fn layout_is_that_of_the_formatter_with_the_line_ends_of_the_text() {
    let (mut server, _) = Server::introduced(&[]);
    let options = json!({"tabSize": 8, "insertSpaces": false});
    let format = |server: &mut Server, uri: &str| {
        server.respond("textDocument/formatting", json!({"textDocument": {"uri": uri}, "options": options}))
    };
    server.open(URI, "param n = 3\r\nlet 🦀 = 1\r\n");
    assert!(format(&mut server, URI)["error"]["message"].as_str().is_some_and(|m| m.contains("syntax errors")));
    let other = "file:///nowhere/q.blo";
    server.open(other, "param n = 3\r\nlet α=n\r\nlet b = n\r\n");
    let edits = format(&mut server, other)["result"].clone();
    let range = json!({"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}});
    assert_eq!(edits, json!([{"range": range, "newText": "let α = n\r\n"}]));
    assert_eq!(server.shut_down(), (Some(0), String::new()));
}

#[test]
fn data_files_are_findings_and_completions() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.csv"), "1,2\n3,4\n").expect("a file");
    let uri = format!("file://{}/p.blo", folder.path().display());
    let text = "data A[_, 2] = csv(\"b.csv\")\n\
                upper { var x  minimize normsq(y) + (x - 1)^2 }\n\
                lower { var y[2]  minimize normsq(A*y) + (y[1] - x)^2 }\n";
    let (mut server, _) = Server::introduced(&["utf-8"]);
    server.open(&uri, text);
    let found = server.findings(&uri, 1);
    assert!(found[0]["message"].as_str().is_some_and(|m| m.contains("b.csv")), "{found}");
    let files = server.request("textDocument/completion", at(&uri, 0, 20));
    assert_eq!(files.as_array().and_then(|f| f[0]["label"].as_str()), Some("a.csv"), "{files}");
    // the file comes, and saving says so
    std::fs::write(folder.path().join("b.csv"), "1,2\n3,4\n").expect("a file");
    server.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
    assert_eq!(server.findings(&uri, 1), json!([]));
    server.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    // of no version, as the text is gone
    assert_eq!(server.findings(&uri, Value::Null), json!([]));
    assert_eq!(server.shut_down(), (Some(0), String::new()));
}

#[test]
fn what_is_not_the_protocol_ends_in_an_error_and_no_panic() {
    for bad in [
        &b"hello\n"[..],
        b"Content-Length: 99999999999999999999999\r\n\r\n{}",
        b"Content-Length: 18446744073709551615\r\n\r\n{}",
        b"Content-Length: 10\r\n\r\n{}",
        b"\xff\xfe\xfd\r\n\r\n",
        b"",
    ] {
        let mut server = Server::start();
        server.bytes(bad);
        let (code, said) = server.end();
        assert_eq!(code, Some(1), "{said}");
        assert!(!said.contains("internal error") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_message_that_is_no_message_is_passed_over() {
    let (mut server, _) = Server::introduced(&[]);
    for body in ["{", "[]", "null", "\"a\"", "{\"jsonrpc\": \"2.0\", \"id\": {}, \"method\": 3}", "\u{0}", ""] {
        server.bytes(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }
    // notifications with anything in them, and edits at places that are not there
    server.notify("textDocument/didOpen", json!({"textDocument": []}));
    server.notify("textDocument/didChange", json!(3));
    server.notify("$/unknown", json!({"a": [1]}));
    server.open(URI, TEXT);
    let position = |line: u64, character: u64| json!({"line": line, "character": character});
    let range = json!({"start": position(4_000_000_000, 4_000_000_000), "end": position(0, 0)});
    let changes = json!([{"range": range, "text": "# 🦀"}, {"range": {"start": position(1, 3), "end": position(1, 3)}, "text": "x"}]);
    server.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}),
    );
    server.findings(URI, 2);
    for method in ["hover", "completion", "definition", "signatureHelp", "prepareRename", "documentHighlight"] {
        for (line, character) in [(0, 0), (1, 3), (99, 99), (2, 4_000_000_000_usize)] {
            let response = server.respond(&format!("textDocument/{method}"), at(URI, line, character));
            assert_ne!(response["error"]["code"], -32603, "{method}: {response}");
        }
    }
    let (code, said) = server.shut_down();
    assert_eq!(code, Some(0));
    assert!(!said.contains("internal error"), "{said}");
}

#[test]
fn an_editor_that_goes_away_or_forgets_to_shut_down_has_failed() {
    let (server, _) = Server::introduced(&[]);
    assert_eq!(server.end(), (Some(1), String::new()));
    let (mut server, _) = Server::introduced(&[]);
    server.notify("exit", Value::Null);
    assert_eq!(server.end(), (Some(1), String::new()));
    let (mut server, _) = Server::introduced(&[]);
    server.request("shutdown", Value::Null);
    let late = server.respond("textDocument/hover", at(URI, 0, 0));
    assert_eq!(late["error"]["code"], -32600);
    server.notify("exit", Value::Null);
    assert_eq!(server.end().0, Some(0));
}
