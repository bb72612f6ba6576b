//! What tests read of a picture: its elements with their attributes, and its texts.

/// A picture.
pub(crate) struct Svg<'a> {
    /// The name of each element, with all that stands in its tag.
    tags: Vec<(&'a str, &'a str)>,
    texts: Vec<String>,
}

impl<'a> Svg<'a> {
    /// Reads a picture. It has to be well-formed as far as this goes: tags that close, and no letters that XML reserves.
    pub(crate) fn read(text: &'a str) -> Svg<'a> {
        let (mut tags, mut texts, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for piece in text.split('<').skip(1) {
            let (tag, after) = piece.split_once('>').expect("a tag that ends");
            let after = after.trim();
            let name = tag.split([' ', '/']).find(|n| !n.is_empty()).expect("a name");
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed), "what is opened last is closed first");
            } else {
                tags.push((name, tag));
                if !tag.ends_with('/') {
                    open.push(name);
                }
            }
            if !after.is_empty() {
                assert_eq!(open.last(), Some(&"text"), "{after}");
                // a space that does not break a line is a space
                let plain =
                    [("\u{a0}", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
                texts.push(plain.iter().fold(after.to_owned(), |text, (from, to)| text.replace(from, to)));
            }
        }
        assert!(open.is_empty(), "{open:?} stays open");
        assert!(!text.contains("NaN") && !text.contains("inf "), "a place is not a number");
        Svg { tags, texts }
    }

    /// The texts in their order.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }

    /// True where a text is exactly this.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.texts.iter().any(|t| t == text)
    }

    /// The caption: all texts, one after the other.
    pub(crate) fn all(&self) -> String {
        self.texts.join(" ")
    }

    /// The values of an attribute of the elements of a name.
    pub(crate) fn attribute(&self, element: &str, name: &str) -> Vec<&'a str> {
        let value = |tag: &'a str| {
            let rest = tag.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest)?;
            rest.split_once('"').map(|(value, _)| value)
        };
        self.tags.iter().filter(|(n, _)| *n == element).filter_map(|(_, tag)| value(tag)).collect()
    }

    /// The lines of a color, each as its places in pixels.
    pub(crate) fn lines(&self, color: &str) -> Vec<Vec<[f64; 2]>> {
        let strokes = self.attribute("polyline", "stroke");
        let paths = self.attribute("polyline", "points");
        let place = |pair: &str| {
            let (x, y) = pair.split_once(',').expect("a pair of numbers");
            [x, y].map(|v| v.parse::<f64>().expect("a number") / 10.0)
        };
        let path = |path: &str| path.split_whitespace().map(place).collect();
        strokes.iter().zip(&paths).filter(|(stroke, _)| **stroke == color).map(|(_, p)| path(p)).collect()
    }
}
