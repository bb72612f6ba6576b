//! Numbers, texts and lists as bytes. Reading trusts no length: a list is read item by item, and its memory is asked
//! for only as far as there are bytes.

#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn integer(&mut self, value: u64) {
        self.bytes.extend(value.to_le_bytes());
    }

    pub(super) fn real(&mut self, value: f64) {
        self.integer(value.to_bits());
    }

    pub(super) fn reals(&mut self, values: &[f64]) {
        self.integer(values.len() as u64);
        values.iter().for_each(|v| self.real(*v));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.integer(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }
}

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
}

impl Reader<'_> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*first)
    }

    pub(super) fn integer(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn real(&mut self) -> Option<f64> {
        self.integer().map(f64::from_bits)
    }

    pub(super) fn reals(&mut self) -> Option<Vec<f64>> {
        self.list(Reader::real)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.integer()?).ok()?;
        let (text, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    pub(super) fn list<E>(&mut self, item: impl Fn(&mut Self) -> Option<E>) -> Option<Vec<E>> {
        let length = usize::try_from(self.integer()?).ok()?;
        let mut list = Vec::with_capacity(length.min(self.bytes.len()));
        for _ in 0..length {
            list.push(item(self)?);
        }
        Some(list)
    }
}
