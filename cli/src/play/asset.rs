//! The files of the page, which are part of the command, and what browsers are told of them.

/// Nothing but the page's own files is loaded, and no other page shows this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page is at its address.
const INDEX: &str = "index.html";

/// A name with its content.
macro_rules! file {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../page/", $name)) as &[u8])
    };
}

/// The files, by name.
const FILES: [(&str, &[u8]); 15] = [
    file!("dom.js"),
    file!("editor.js"),
    file!("files.js"),
    file!("findings.js"),
    file!("icon.svg"),
    file!("index.html"),
    file!("markdown.js"),
    file!("notice.js"),
    file!("page.css"),
    file!("page.js"),
    file!("results.js"),
    file!("runs.js"),
    file!("server.js"),
    file!("share.js"),
    file!("texts.js"),
];

/// Types by the ending of the name.
const KINDS: [(&str, &str); 4] = [
    ("html", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("svg", "image/svg+xml"),
];

/// A file as it is sent.
pub(super) struct Asset {
    pub(super) kind: &'static str,
    pub(super) policy: String,
    pub(super) bytes: Vec<u8>,
}

/// The file of a path; the page itself has a new nonce each time, which its styles show.
pub(super) fn asset(path: &str, nonce: &str) -> Option<Asset> {
    let name = if path.is_empty() { INDEX } else { path };
    let (name, bytes) = FILES.iter().find(|(file, _)| *file == name)?;
    let ending = name.rsplit('.').next().unwrap_or_default();
    let kind = KINDS.iter().find(|(of, _)| *of == ending).map(|(_, kind)| *kind)?;
    let bytes = match *name {
        INDEX => String::from_utf8_lossy(bytes).replace("NONCE", nonce).into_bytes(),
        _ => bytes.to_vec(),
    };
    Some(Asset { kind, policy: POLICY.replace("NONCE", nonce), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
        let files = std::fs::read_dir(folder).expect("the page").flatten().filter(|e| e.path().is_file());
        let names: Vec<String> = files.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(names.len(), FILES.len());
        for name in names {
            assert!(asset(&name, "n").is_some(), "{name}");
        }
        let page = String::from_utf8(asset("", "n0").expect("the page").bytes).expect("text");
        assert!(page.contains("content=\"n0\"") && !page.contains("NONCE"));
        assert!(asset("../Cargo.toml", "n").is_none());
    }
}
