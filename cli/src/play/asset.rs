//! The files of the page, which are part of the command, and what browsers are told of them.

/// Nothing but the page's own files is loaded, and no other page shows this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page is at its address.
const INDEX: &str = "index.html";

/// Name, type and content.
const FILES: [(&str, &str, &[u8]); 5] = [
    (INDEX, "text/html; charset=utf-8", include_bytes!("../../page/index.html")),
    ("page.css", "text/css; charset=utf-8", include_bytes!("../../page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_bytes!("../../page/page.js")),
    ("editor.js", "text/javascript; charset=utf-8", include_bytes!("../../page/editor.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../page/icon.svg")),
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
    let (name, kind, bytes) = FILES.iter().find(|(file, _, _)| *file == name)?;
    let bytes = match *name {
        INDEX => String::from_utf8_lossy(bytes).replace("NONCE", nonce).into_bytes(),
        _ => bytes.to_vec(),
    };
    Some(Asset { kind, policy: POLICY.replace("NONCE", nonce), bytes })
}
