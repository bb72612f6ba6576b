//! Numbers as they come from a file: memory is asked for before it is taken, and gaps are filled at the end.

use super::error::ReadErrorKind;
use crate::limits::NUMBERS;

/// Numbers in rows of a width.
pub(super) struct Values {
    values: Vec<f64>,
    width: usize,
    /// Places without a number.
    gaps: Vec<usize>,
}

impl Values {
    /// No rows yet.
    pub(super) fn new(width: usize) -> Values {
        Values { values: Vec::new(), width, gaps: Vec::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Appends a number, or a gap.
    pub(super) fn push(&mut self, value: Option<f64>) -> Result<(), ReadErrorKind> {
        if self.values.len() == self.values.capacity() {
            self.grow()?;
        }
        if value.is_none() {
            self.gaps.push(self.values.len());
        }
        self.values.push(value.unwrap_or(0.0));
        Ok(())
    }

    /// By half rather than by doubling: less is held in vain.
    fn grow(&mut self) -> Result<(), ReadErrorKind> {
        let more = (self.values.len() / 2).max(1024);
        let no_memory = || ReadErrorKind::NoMemory { megabytes: (((self.values.len() + more) * 8) >> 20) as u64 };
        if self.values.len() as u64 >= NUMBERS.value {
            return Err(no_memory());
        }
        let failed = self.values.try_reserve_exact(more).is_err();
        if failed {
            Err(ReadErrorKind::NoMemory { megabytes: (((self.values.len() + more) * 8) >> 20) as u64 })
        } else {
            Ok(())
        }
    }

    /// The numbers, with the mean of its column in every gap, and how many gaps there were.
    ///
    /// # Errors
    /// The first column, zero-based, that is all gaps.
    pub(super) fn filled(mut self) -> Result<(Vec<f64>, usize), usize> {
        if self.gaps.is_empty() {
            return Ok((self.values, 0));
        }
        let mut counts = vec![(0.0f64, 0usize); self.width];
        let mut gaps = self.gaps.iter().peekable();
        for (i, value) in self.values.iter().enumerate() {
            if gaps.next_if(|gap| **gap == i).is_some() {
                continue;
            }
            let (mean, n) = &mut counts[i % self.width];
            *n += 1;
            // The running mean does not overflow where the sum would.
            *mean += value / *n as f64 - *mean / *n as f64;
        }
        for gap in &self.gaps {
            let column = gap % self.width;
            let (mean, n) = counts[column];
            if n == 0 {
                return Err(column);
            }
            self.values[*gap] = mean;
        }
        Ok((self.values, self.gaps.len()))
    }
}

/// Zeros, if the memory is there.
pub(super) fn zeros(count: usize) -> Result<Vec<f64>, ReadErrorKind> {
    let mut values = Vec::new();
    let no_memory = ReadErrorKind::NoMemory { megabytes: (count as u64).saturating_mul(8) >> 20 };
    values.try_reserve_exact(count).map_err(|_| no_memory)?;
    values.resize(count, 0.0);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_become_means_of_their_columns() {
        let mut values = Values::new(2);
        for value in [Some(1.0), None, Some(3.0), Some(1e308), None, Some(1e308)] {
            values.push(value).expect("memory");
        }
        let (values, filled) = values.filled().expect("every column has a value");
        assert_eq!((values[4], filled), (2.0, 2));
        assert!((values[1] / 1e308 - 1.0).abs() < 1e-12);
        let mut empty = Values::new(2);
        empty.push(Some(1.0)).expect("memory");
        empty.push(None).expect("memory");
        assert_eq!(empty.filled(), Err(1));
    }

    #[test]
    fn memory_is_asked_for() {
        assert!(matches!(zeros(usize::MAX / 16), Err(ReadErrorKind::NoMemory { .. })));
        assert_eq!(zeros(2), Ok(vec![0.0; 2]));
    }
}
