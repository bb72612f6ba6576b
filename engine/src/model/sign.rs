//! Signs of values, known before any data is read.

/// What is known of the sign of every element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// Zero.
    Zero,
    /// At least zero.
    NonNegative,
    /// Above zero.
    Positive,
    /// At most zero.
    NonPositive,
    /// Below zero.
    Negative,
    /// Not known.
    Unknown,
}
