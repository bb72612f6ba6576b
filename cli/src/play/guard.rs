//! Who may ask: the page that this server has served, in a browser on this machine. The address holds a random token; and
//! since other pages in the same browser can send requests here, too, the names of host and origin have to be ours.

use std::sync::{Mutex, PoisonError};

use super::http::Head;

/// The beginning of an address that leads to the page once.
const OPEN: &str = "open/";

/// Bytes of the token: nobody guesses sixteen.
const BYTES: usize = 16;

/// What a request has to show.
#[derive(Debug)]
pub(super) struct Guard {
    token: String,
    /// What the browser that is started has in its address: the list of processes shows that to everybody on this machine,
    /// so it leads to the page once.
    opening: Mutex<Option<String>>,
    port: u16,
}

impl Guard {
    /// With a new token.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn new(port: u16) -> Result<Guard, getrandom::Error> {
        Ok(Guard { token: token()?, opening: Mutex::default(), port })
    }

    /// The address of the page.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// An address that leads to the page once, instead of the one before.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn address_for_once(&self) -> Result<String, getrandom::Error> {
        let key = token()?;
        let address = format!("http://127.0.0.1:{}/{OPEN}{key}", self.port);
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(address)
    }

    /// True for the first request of that address.
    pub(super) fn opens(&self, head: &Head) -> bool {
        head.method == "GET" && self.is_opening(&head.url, &head.values("Host"), &head.values("Origin"))
    }

    fn is_opening(&self, url: &str, hosts: &[&str], origins: &[&str]) -> bool {
        let Some(key) = url.strip_prefix('/').and_then(|url| url.strip_prefix(OPEN)) else { return false };
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = self.comes_from_here(hosts, origins) && opening.as_ref().is_some_and(|wanted| same(key, wanted));
        is_ours && opening.take().is_some()
    }

    /// What follows the token in the address of a request that may ask; `None` for any other.
    pub(super) fn admitted(&self, head: &Head) -> Option<String> {
        self.path(&head.url, &head.values("Host"), &head.values("Origin"))
    }

    /// True where host and origin are this server.
    fn comes_from_here(&self, hosts: &[&str], origins: &[&str]) -> bool {
        let ours = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        // exactly one host: a proxy and a server may each believe another one
        let [host] = hosts else { return false };
        let from_here = |origin: &&str| ours.iter().any(|our| origin.strip_prefix("http://") == Some(our));
        ours.iter().any(|our| our == host) && origins.iter().all(from_here)
    }

    fn path(&self, url: &str, hosts: &[&str], origins: &[&str]) -> Option<String> {
        if !self.comes_from_here(hosts, origins) {
            return None;
        }
        let (token, path) = url.strip_prefix('/')?.split_once('/')?;
        same(token, &self.token).then(|| path.split(['?', '#']).next().unwrap_or_default().to_owned())
    }
}

/// Sixteen random bytes as text.
fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
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

    #[test]
    fn the_address_of_the_browser_that_is_started_leads_to_the_page_once() {
        let (guard, ours) = (Guard::new(4000).unwrap(), ["127.0.0.1:4000"]);
        assert!(!guard.is_opening("/open/", &ours, &[]));
        let address = guard.address_for_once().unwrap();
        assert!(!address.contains(&guard.token));
        let url = address.strip_prefix("http://127.0.0.1:4000").unwrap();
        for (url, host) in [(url, "evil.example:4000"), ("/open/", ours[0]), (&format!("{url}0"), ours[0])] {
            assert!(!guard.is_opening(url, &[host], &[]), "{url} {host}");
        }
        assert!(!guard.is_opening(url, &ours, &["http://evil.example"]));
        assert!(guard.is_opening(url, &ours, &[]));
        assert!(!guard.is_opening(url, &ours, &[]));
    }
}
