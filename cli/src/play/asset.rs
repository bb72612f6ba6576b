//! The files of the page, which are part of the command, and what browsers are told of them.

/// Nothing but the page's own files is loaded, and no other page shows this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page is at its address.
const INDEX: &str = "index.html";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// Name, type and content.
const FILES: [(&str, &str, &[u8]); 15] = [
    (INDEX, HTML, include_bytes!("../../page/index.html")),
    ("page.css", STYLE, include_bytes!("../../page/page.css")),
    ("page.js", SCRIPT, include_bytes!("../../page/page.js")),
    ("dom.js", SCRIPT, include_bytes!("../../page/dom.js")),
    ("editor.js", SCRIPT, include_bytes!("../../page/editor.js")),
    ("files.js", SCRIPT, include_bytes!("../../page/files.js")),
    ("findings.js", SCRIPT, include_bytes!("../../page/findings.js")),
    ("markdown.js", SCRIPT, include_bytes!("../../page/markdown.js")),
    ("notice.js", SCRIPT, include_bytes!("../../page/notice.js")),
    ("results.js", SCRIPT, include_bytes!("../../page/results.js")),
    ("runs.js", SCRIPT, include_bytes!("../../page/runs.js")),
    ("server.js", SCRIPT, include_bytes!("../../page/server.js")),
    ("share.js", SCRIPT, include_bytes!("../../page/share.js")),
    ("texts.js", SCRIPT, include_bytes!("../../page/texts.js")),
    ("icon.svg", PICTURE, include_bytes!("../../page/icon.svg")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_imports_is_served() {
        let scripts = FILES.iter().filter(|(name, kind, _)| *kind == SCRIPT && *name != "editor.js");
        for (name, _, bytes) in scripts {
            let text = std::str::from_utf8(bytes).unwrap();
            for import in text.split(" from \"./").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(asset(import, "").is_some(), "{name} imports {import}");
            }
        }
        let served = |word: &str| asset(word, "").is_some();
        let index = std::str::from_utf8(FILES[0].2).unwrap();
        let addresses = index
            .split(['"', ' '])
            .filter(|word| word.ends_with(".js") || word.ends_with(".css") || word.ends_with(".svg"));
        assert!(addresses.clone().count() >= 3 && addresses.clone().all(served), "{:?}", addresses.collect::<Vec<_>>());
    }

    #[test]
    fn the_page_shows_its_nonce_and_nothing_of_another_one() {
        let page = asset("", "n0").unwrap();
        let text = String::from_utf8(page.bytes).unwrap();
        assert!(text.contains("content=\"n0\"") && !text.contains("NONCE"));
        assert!(page.policy.contains("'nonce-n0'"));
        assert!(asset("editor/package.json", "n0").is_none() && asset("../Cargo.toml", "n0").is_none());
    }
}
