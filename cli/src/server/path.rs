//! Addresses of files, `file:///a/b%20c`, as paths.

use std::path::PathBuf;

use lsp_types::Uri;

/// The path of a `file:` address; `None` for any other.
pub(super) fn of(uri: &Uri) -> Option<PathBuf> {
    let text = uri.as_str();
    let rest = text.get(..5).filter(|s| s.eq_ignore_ascii_case("file:")).and(text.get(5..))?;
    // the host, if there is one, is this machine
    let path = rest.strip_prefix("//").map_or(rest, |r| &r[r.find('/').unwrap_or(r.len())..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let decoded = decoded(path)?;
    // `/C:/a` on Windows
    let drive = decoded.strip_prefix('/').filter(|p| cfg!(windows) && p.as_bytes().get(1) == Some(&b':'));
    let path = drive.map_or(decoded.as_str(), |p| p);
    (!path.is_empty()).then(|| PathBuf::from(path))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_decoded() {
        let of = |text: &str| text.parse::<Uri>().ok().and_then(|uri| of(&uri)).map(|p| p.display().to_string());
        assert_eq!(of("file:///a/b%20c/%C3%A9.blo").as_deref(), Some("/a/b c/é.blo"));
        assert_eq!(of("file://localhost/a").as_deref(), Some("/a"));
        assert_eq!(of("untitled:Untitled-1"), None);
        assert_eq!(of("file:///%ff"), None);
        assert_eq!(of("file:///a%00b"), None);
        assert_eq!(of("file://"), None);
    }
}
