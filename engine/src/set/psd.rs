//! `psd`: symmetric positive semidefinite matrices. Members are symmetric: a matrix that is not is moved to the nearest
//! member, which is that of its symmetric part.

use super::{Entry, UNBOUNDED, VariableShape, as_given, norm};
use crate::opaque;
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "psd",
    doc: "{ Y : Y = Y', u'*Y*u >= 0 for all u }, for a square matrix Y",
    formula: "Q*diag(max(w, 0))*Q' for (V + V')/2 = Q*diag(w)*Q'",
    source: "Higham, Linear Algebra and its Applications 103, 1988; Parikh and Boyd, Proximal Algorithms, 2014, section 6.3",
    variable: VariableShape::Square,
    parameters: &[],
    is_box: false,
    as_box: None,
    prepare: as_given,
    project: |g, v, _| opaque::positive_part_of(g, v),
    violation: |v, _| {
        let nearest = opaque::nearest_semidefinite(v);
        norm(&v.iter().zip(&nearest).map(|(v, p)| v - p).collect::<Vec<f64>>())
    },
    sign: |_| Sign::Unknown,
    hull: |_| UNBOUNDED,
    rows: None,
    check: |_| Ok(()),
};
