//! Messages over standard input and output. `lsp_server` has a transport of its own, but it allocates what a header says
//! and ends at the first text that is not JSON.

use std::io::{self, BufRead, Read, Write};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lsp_server::{Connection, Message};

/// No message is longer: a text has at most 2 MiB, which JSON may write six times as long.
const LONGEST: usize = 64 << 20;
/// No header line is longer.
const LONGEST_HEADER: u64 = 4096;

/// The threads that read and write.
pub(super) struct Threads {
    reader: JoinHandle<io::Result<()>>,
    writer: JoinHandle<io::Result<()>>,
}

impl Threads {
    /// Waits until all is written. The reader has ended or is about to, unless the editor goes on after its first message
    /// was refused: nobody reads what it says then.
    pub(super) fn join(self) -> io::Result<()> {
        let ended = |thread: JoinHandle<io::Result<()>>| match thread.join() {
            Ok(result) => result,
            Err(_) => Err(io::Error::other("a bug in blo")),
        };
        let written = ended(self.writer);
        let patience = Instant::now() + Duration::from_millis(200);
        while !self.reader.is_finished() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(1));
        }
        if self.reader.is_finished() {
            ended(self.reader)?;
        }
        written
    }
}

/// A connection over standard input and output.
pub(super) fn stdio() -> io::Result<(Connection, Threads)> {
    let (ours, theirs) = Connection::memory();
    let Connection { sender, receiver } = theirs;
    let reader = thread::Builder::new().name("blo lsp reader".into()).spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(body) = frame(&mut input)? {
            // a text that is no message is lost; the next begins after it
            let Ok(message) = serde_json::from_slice::<Message>(&body) else {
                let _ = writeln!(io::stderr(), "blo lsp: a message that is not JSON-RPC was ignored");
                continue;
            };
            let is_exit = matches!(&message, Message::Notification(n) if n.method == "exit");
            if sender.send(message).is_err() || is_exit {
                break;
            }
        }
        Ok(())
    })?;
    let writer = thread::Builder::new().name("blo lsp writer".into()).spawn(move || {
        let mut output = io::stdout().lock();
        receiver.into_iter().try_for_each(|message: Message| message.write(&mut output))
    })?;
    Ok((ours, Threads { reader, writer }))
}

/// The body of the next message; `None` at the end of the input.
fn frame(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("this is not the protocol: {what}"));
    let mut length = None;
    loop {
        let mut line = Vec::new();
        input.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let Some(line) = line.strip_suffix(b"\r\n") else { return Err(wrong("a header line without its end")) };
        if line.is_empty() {
            break;
        }
        let header = std::str::from_utf8(line).ok().and_then(|l| l.split_once(':'));
        let Some((name, value)) = header else { return Err(wrong("a header line without `:`")) };
        if name.eq_ignore_ascii_case("Content-Length") {
            length = value.trim().parse::<usize>().ok();
        }
    }
    let length = length.filter(|n| *n <= LONGEST).ok_or_else(|| wrong("no sound `Content-Length`"))?;
    let mut body = Vec::new();
    input.by_ref().take(length as u64).read_to_end(&mut body)?;
    if body.len() < length { Err(wrong("a message ends early")) } else { Ok(Some(body)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(mut input: &[u8]) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        loop {
            match frame(&mut input) {
                Ok(Some(body)) => found.push(String::from_utf8_lossy(&body).into_owned()),
                Ok(None) => return Ok(found),
                Err(why) => return Err(why.to_string()),
            }
        }
    }

    #[test]
    fn frames_follow_each_other_and_broken_ones_end_it() {
        let two = b"Content-Length: 2\r\nContent-Type: x\r\n\r\n{}content-length:3\r\n\r\nabc";
        assert_eq!(bodies(two), Ok(vec!["{}".into(), "abc".into()]));
        assert_eq!(bodies(b""), Ok(Vec::new()));
        for bad in [
            &b"hello"[..],
            b"hello\n",
            b"hello\r\n\r\n",
            b"Content-Length: 99999999999999999999\r\n\r\n",
            b"Content-Length: 18446744073709551615\r\n\r\n",
            b"Content-Length: -1\r\n\r\n",
            b"A: b\r\n\r\n",
            b"Content-Length: 5\r\n\r\nabc",
            b"\xff\xfe: 3\r\n\r\nabc",
            b"Content-Length: 5",
        ] {
            assert!(bodies(bad).is_err_and(|why| why.contains("not the protocol")), "{bad:?}");
        }
    }
}
