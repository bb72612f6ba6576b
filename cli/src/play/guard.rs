//! Who may ask: the page that this server has served, in a browser on this machine. The address holds a random token; and
//! since other pages in the same browser can send requests here, too, the names of host and origin have to be ours.

use super::http::Head;

/// Bytes of the token: nobody guesses sixteen.
const BYTES: usize = 16;

/// What a request has to show.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    token: String,
    port: u16,
}

impl Guard {
    /// With a new token.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn new(port: u16) -> Result<Guard, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Guard { token: bytes.iter().map(|b| format!("{b:02x}")).collect(), port })
    }

    /// The address of the page.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// What follows the token in the address of a request that may ask; `None` for any other.
    pub(super) fn admitted(&self, head: &Head) -> Option<String> {
        self.path(&head.url, &head.values("Host"), &head.values("Origin"))
    }

    fn path(&self, url: &str, hosts: &[&str], origins: &[&str]) -> Option<String> {
        let ours = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        // exactly one host: a proxy and a server may each believe another one
        let [host] = hosts else { return None };
        let from_here = |origin: &&str| ours.iter().any(|our| origin.strip_prefix("http://") == Some(our));
        if !ours.iter().any(|our| our == host) || !origins.iter().all(from_here) {
            return None;
        }
        let (token, path) = url.strip_prefix('/')?.split_once('/')?;
        same(token, &self.token).then(|| path.split(['?', '#']).next().unwrap_or_default().to_owned())
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_itself_may_ask() {
        let guard = Guard::new(4000).unwrap();
        let other = Guard::new(4000).unwrap();
        assert_ne!(guard.token, other.token);
        let path = |token: &str, hosts: &[&str], origins: &[&str]| {
            guard.path(&format!("/{token}/api/start?x=1"), hosts, origins)
        };
        let admitted = Some("api/start".to_owned());
        assert_eq!(path(&guard.token, &["127.0.0.1:4000"], &[]), admitted);
        assert_eq!(path(&guard.token, &["localhost:4000"], &["http://127.0.0.1:4000"]), admitted);
        // a name that somebody else's DNS gives this address
        assert_eq!(path(&guard.token, &["evil.example:4000"], &[]), None);
        assert_eq!(path(&guard.token, &[], &[]), None);
        assert_eq!(path(&guard.token, &["127.0.0.1:4000", "evil.example"], &[]), None);
        for origin in ["http://evil.example", "https://127.0.0.1:4000", "http://127.0.0.1:4001", "null", ""] {
            assert_eq!(path(&guard.token, &["127.0.0.1:4000"], &[origin]), None, "{origin}");
        }
        for token in [&other.token, "", &guard.token[1..], &guard.token.to_uppercase().replace(char::is_numeric, "a")] {
            assert_eq!(path(token, &["127.0.0.1:4000"], &[]), None, "{token}");
        }
        assert_eq!(guard.path("/", &["127.0.0.1:4000"], &[]), None);
        assert_eq!(guard.path(&format!("/{}", guard.token), &["127.0.0.1:4000"], &[]), None);
    }
}
