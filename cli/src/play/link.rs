//! A program in the fragment of an address: `#blo1=` and the text, deflated, in base64 for addresses. Browsers do not send
//! fragments, so the text goes to nobody but the one who gets the link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::DeflateDecoder;
use std::io::Read;

/// What stands before the text.
const MARK: &str = "#blo1=";

/// Whether a command line means a link.
pub(super) fn is_link(what: &str) -> bool {
    what.contains(MARK)
}

/// The program of a link.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn program(link: &str) -> Result<String, String> {
    let packed = link.split_once(MARK).map(|(_, packed)| packed).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(packed.trim().trim_end_matches('=')).map_err(|_| broken())?;
    let most = blo_grammar::MAX_BYTES as u64;
    let mut text = Vec::new();
    // a few bytes may unpack to all memory
    DeflateDecoder::new(&bytes[..]).take(most + 1).read_to_end(&mut text).map_err(|_| broken())?;
    if text.len() as u64 > most {
        return Err(format!("the link holds more than the {most} bytes that a program may have"));
    }
    blo_grammar::decode(&text).map_err(|d| format!("the link holds no text: {}", d.message))
}

fn broken() -> String {
    "the link is not whole: copy it again, and put it in quotes".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::DeflateEncoder;

    fn link(bytes: &[u8]) -> String {
        let mut packed = Vec::new();
        DeflateEncoder::new(bytes, Compression::best()).read_to_end(&mut packed).unwrap();
        format!("http://127.0.0.1:4000/{MARK}{}", URL_SAFE_NO_PAD.encode(packed))
    }

    #[test]
    fn a_link_holds_a_program() {
        let text = "upper { var x minimize x^2 } # α 🦀\n";
        assert!(is_link(&link(text.as_bytes())) && !is_link("a.blo"));
        assert_eq!(program(&link(text.as_bytes())).as_deref(), Ok(text));
    }

    #[test]
    fn broken_and_endless_links_are_refused() {
        let whole = link(b"upper { var x minimize x^2 }");
        for broken in [&whole[..whole.len() - 8], "#blo1=", "#blo1=%%%", "#blo1=AAAA"] {
            assert!(program(broken).is_err() || program(broken).as_deref() == Ok(""), "{broken}");
        }
        let bomb = link(&vec![b' '; blo_grammar::MAX_BYTES + 1]);
        assert!(bomb.len() < 100_000);
        assert!(program(&bomb).unwrap_err().contains("more than"));
        assert!(program(&link(b"\xff\xfe")).unwrap_err().contains("no text"));
    }
}
