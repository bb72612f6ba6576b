//! What can be said of data without reading them: files are opened, their headers looked at, and sizes compared as far
//! as headers tell. Values are judged when they are read.

use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::span::Span;

use super::files::column_name;
use super::{Binder, Wanted};
use crate::data::{self, Header, OptionValue, ReadErrorKind, Source};
use crate::limits::CONSTANTS;
use crate::model::message;
use crate::model::problem::{DataItem, DataOrigin, Problem};

/// The code of the warning for a file that [`headers`] cannot find.
pub const FILE_NOT_THERE: &str = "W0508";

/// Mistakes that the headers of a problem's files show. A file that is not there may be on another machine: a warning.
pub fn headers(problem: &Problem, source: &dyn Source) -> Vec<Diagnostic> {
    let mut binder = Binder::new(problem);
    for d in &problem.tables.datasets {
        let mut counted: Option<(&str, Span, usize)> = None;
        for c in &d.columns {
            let lent = source.lent(&column_name(&d.name, &c.name));
            let (found, path) = match (lent, &c.origin) {
                (Some(numbers), _) => (numbers.shape.iter().map(|n| Some(*n)).collect(), None),
                (None, DataOrigin::File { format, path, path_span, options }) => {
                    let Some(header) = binder.header(format, path, *path_span, options, source) else { continue };
                    (header.shape, Some(path.as_str()))
                }
                _ => continue,
            };
            if let Err(diagnostic) = binder.match_column(&d.name, c, &found, path) {
                binder.diagnostics.push(*diagnostic);
                continue;
            }
            let Some(rows) = found.first().copied().flatten() else { continue };
            match counted {
                Some(first) if first.2 != rows => {
                    binder.diagnostics.push(message::rows_differ(first, (&c.name, c.span, rows)));
                }
                Some(_) => {}
                None => counted = Some((&c.name, c.span, rows)),
            }
        }
        binder.derive_sizes();
    }
    for item in &problem.data {
        binder.derive_sizes();
        binder.look_at(item, source);
    }
    binder.derive_sizes();
    if !binder.diagnostics.iter().any(Diagnostic::is_error) && binder.discharge() {
        // Larger sets are judged when the data are read: this may run while somebody types.
        let most = problem.limits.of(&CONSTANTS) as f64;
        binder.check_sets(most);
        let doubts = binder.doubts_of_values(most);
        binder.diagnostics.extend(doubts);
    }
    binder.diagnostics
}

impl Binder<'_> {
    fn look_at(&mut self, item: &DataItem, source: &dyn Source) {
        let is_source = matches!(item.origin, DataOrigin::File { .. } | DataOrigin::Generator { .. });
        let lent = source.lent(&item.name).filter(|_| is_source);
        let matched = match (lent, &item.origin) {
            (Some(numbers), _) => {
                let found: Vec<Option<usize>> = numbers.shape.iter().map(|n| Some(*n)).collect();
                self.match_shape(&Wanted::lent(item), &found, "")
            }
            (None, DataOrigin::File { format, path, path_span, options }) => {
                let Some(header) = self.header(format, path, *path_span, options, source) else { return };
                self.match_shape(&Wanted::of(item), &header.shape, path)
            }
            _ => return,
        };
        if let Err(diagnostic) = matched {
            self.diagnostics.push(*diagnostic);
        }
    }

    fn header(
        &mut self,
        format: &str,
        path: &str,
        span: Span,
        options: &[(String, OptionValue)],
        source: &dyn Source,
    ) -> Option<Header> {
        let Some(format) = data::format(format) else { unreachable!("the checker looked `{format}` up") };
        match format.header(source, path, options) {
            Ok(header) => {
                let doubts = self.doubts(&header, path, span);
                self.diagnostics.extend(doubts);
                Some(header)
            }
            Err(why) => {
                let mut d = message::unreadable(span, &why);
                if matches!(*why.kind, ReadErrorKind::NotFound { .. }) {
                    (d.code, d.severity) = (FILE_NOT_THERE, Severity::Warning);
                }
                self.diagnostics.push(d);
                None
            }
        }
    }
}
