//! Requests as they come over a connection, one each. Whoever is on this machine can connect and send anything, so nothing
//! here takes more time or memory than a page needs: a request has a short head and a body of a stated length, and both
//! come soon. What is refused is refused by its status.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Bytes of a head. Browsers send the cookies of all servers on this machine in it.
const HEAD: usize = 64 << 10;
/// A head comes within this time, and a body.
const HEAD_TIME: Duration = Duration::from_secs(10);
const BODY_TIME: Duration = Duration::from_secs(30);
/// Who reads nothing for so long has gone.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// After an answer, what still comes is read away for so long: an end before it may cost the other side the answer.
const REST_TIME: Duration = Duration::from_secs(1);

/// The end of a head.
const END: &[u8] = b"\r\n\r\n";

/// A connection.
pub(super) struct Connection(TcpStream);

/// What a request says before its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    /// The path with the query, as it was sent.
    pub(super) url: String,
    headers: Vec<(String, String)>,
}

/// A request whose body may still be on its way.
pub(super) struct Request {
    pub(super) head: Head,
    pub(super) connection: Connection,
    /// The part of the body that has come with the head.
    begun: Vec<u8>,
}

impl Head {
    /// All values of a header.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    /// From its bytes without the empty line.
    ///
    /// # Errors
    /// A status.
    fn read(bytes: &[u8]) -> Result<Head, u16> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).ok_or(400u16)?;
        let mut lines = text.split("\r\n");
        let parts: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let &[method, url, version] = &parts[..] else { return Err(400) };
        match version {
            "HTTP/1.1" => {}
            // a run comes in chunks, which it does not know
            _ if version.starts_with("HTTP/") => return Err(505),
            _ => return Err(400),
        }
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
            let is_value = value.bytes().all(|b| b == b'\t' || !b.is_ascii_control());
            (is_name && is_value).then(|| (name.to_owned(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<Option<_>>().ok_or(400u16)?;
        Ok(Head { method: method.to_owned(), url: url.to_owned(), headers })
    }

    /// Bytes of the body.
    ///
    /// # Errors
    /// A status: the length has to be known.
    fn length(&self) -> Result<u64, u16> {
        if !self.values("Transfer-Encoding").is_empty() {
            return Err(411);
        }
        match self.values("Content-Length")[..] {
            [] => Ok(0),
            [length] if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => {
                length.parse().map_err(|_| 413)
            }
            // two lengths are two ends
            _ => Err(400),
        }
    }
}

impl Connection {
    /// Takes a connection over.
    pub(super) fn new(stream: TcpStream) -> io::Result<Connection> {
        stream.set_write_timeout(Some(WRITE_TIME))?;
        // an answer is written as a whole, and an event at once
        stream.set_nodelay(true)?;
        Ok(Connection(stream))
    }

    /// Reads what has come; nothing at the end of the stream.
    fn some<'a>(&mut self, piece: &'a mut [u8], until: Instant) -> io::Result<&'a [u8]> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.0.set_read_timeout(Some(left))?;
        let count = self.0.read(piece)?;
        Ok(&piece[..count])
    }

    /// Reads a head.
    ///
    /// # Errors
    /// A status, and the connection to send it over; `None` where nobody waits for it.
    pub(super) fn request(mut self) -> Result<Request, Option<(Connection, u16)>> {
        let (until, mut bytes, mut piece) = (Instant::now() + HEAD_TIME, Vec::new(), [0; 4096]);
        loop {
            let come = match self.some(&mut piece, until) {
                Ok([]) => return Err(None),
                Ok(come) => come,
                // a browser opens connections that it may want later
                Err(_) if bytes.is_empty() => return Err(None),
                Err(_) => return Err(Some((self, 408))),
            };
            let from = (bytes.len() + 1).saturating_sub(END.len());
            bytes.extend_from_slice(come);
            if let Some(at) = bytes[from..].windows(END.len()).position(|four| four == END) {
                let begun = bytes.split_off(from + at + END.len());
                bytes.truncate(from + at);
                return match Head::read(&bytes) {
                    Ok(head) => Ok(Request { head, connection: self, begun }),
                    Err(status) => Err(Some((self, status))),
                };
            }
            if bytes.len() > HEAD {
                return Err(Some((self, 431)));
            }
        }
    }

    /// Ends it: nothing more is sent, and what still comes is dropped.
    pub(super) fn end(mut self) {
        let (until, mut piece) = (Instant::now() + REST_TIME, [0; 4096]);
        if self.0.shutdown(Shutdown::Write).is_ok() {
            while matches!(self.some(&mut piece, until), Ok([_, ..])) {}
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Request {
    /// Reads the body, which has at most so many bytes.
    ///
    /// # Errors
    /// A status.
    pub(super) fn body(&mut self, most: u64) -> Result<Vec<u8>, u16> {
        let length = self.head.length()?;
        let length = usize::try_from(length).ok().filter(|_| length <= most).ok_or(413u16)?;
        if self.head.values("Expect").iter().any(|what| what.eq_ignore_ascii_case("100-continue")) {
            self.connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| 408u16)?;
        }
        let (until, mut piece) = (Instant::now() + BODY_TIME, vec![0; 64 << 10]);
        let mut bytes = std::mem::take(&mut self.begun);
        while bytes.len() < length {
            match self.connection.some(&mut piece, until) {
                Ok([]) => return Err(400),
                Ok(come) => bytes.extend_from_slice(come),
                Err(_) => return Err(408),
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// The words of a status.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        303 => "See Other",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn head(lines: &str) -> Result<Head, u16> {
        Head::read(lines.as_bytes())
    }

    #[test]
    fn a_head_is_read_or_refused() {
        let found = head("POST /t/api/check?x HTTP/1.1\r\nHost: a:1\r\nhost:  b \r\nContent-Length: 12").unwrap();
        assert_eq!((&*found.method, &*found.url), ("POST", "/t/api/check?x"));
        assert_eq!(found.values("HOST"), ["a:1", "b"]);
        assert_eq!(found.length(), Ok(12));
        for (lines, status) in [
            ("GET / HTTP/1.0", 505),
            ("GET / HTTP/2.0", 505),
            ("GET /", 400),
            ("GET / x HTTP/1.1", 400),
            ("GET / HTTP/1.1\r\n folded: 1", 400),
            ("GET / HTTP/1.1\r\nHost : a", 400),
            ("GET / HTTP/1.1\r\nHost", 400),
            ("GET / HTTP/1.1\r\nHost: a\nOrigin: b", 400),
            ("GET /\u{e9} HTTP/1.1", 400),
            ("", 400),
        ] {
            assert_eq!(head(lines), Err(status), "{lines:?}");
        }
    }

    #[test]
    fn a_body_has_one_length() {
        for (lines, length) in [
            ("", Ok(0)),
            ("Content-Length: 0", Ok(0)),
            ("Content-Length: 18446744073709551615", Ok(u64::MAX)),
            ("Content-Length: 18446744073709551616", Err(413)),
            ("Content-Length: -1", Err(400)),
            ("Content-Length:", Err(400)),
            ("Content-Length: +1", Err(400)),
            ("Content-Length: 1, 1", Err(400)),
            ("Content-Length: 1\r\nContent-Length: 1", Err(400)),
            ("Transfer-Encoding: chunked", Err(411)),
            ("Transfer-Encoding: identity\r\nContent-Length: 1", Err(411)),
        ] {
            let lines = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}");
            assert_eq!(head(lines.trim_end()).unwrap().length(), length, "{lines:?}");
        }
    }

    /// The request that a server sees, of pieces that are sent one after the other.
    fn sent(pieces: &[&[u8]]) -> Result<Request, Option<(Connection, u16)>> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for piece in pieces {
                    stream.write_all(piece).and_then(|()| stream.flush()).unwrap();
                }
            });
            let request = Connection::new(server).unwrap().request();
            request.map(|mut request| {
                request.begun = request.body(8).unwrap_or_default();
                request
            })
        })
    }

    #[test]
    fn a_request_comes_in_pieces() {
        let whole: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n{\r\n}GET / HTTP/1.1\r\n\r\n";
        let pieces: Vec<&[u8]> = whole.chunks(1).collect();
        for pieces in [&[whole][..], &pieces[..]] {
            let request = sent(pieces).map_err(|_| ()).unwrap();
            assert_eq!(request.head.values("host"), ["a"]);
            assert_eq!(request.begun, b"{\r\n}");
        }
        let endless = vec![b'a'; HEAD + 5000];
        assert!(matches!(sent(&[b"GET / HTTP/1.1\r\nX: ", &endless]), Err(Some((_, 431)))));
        assert!(matches!(sent(&[]), Err(None)));
    }
}
