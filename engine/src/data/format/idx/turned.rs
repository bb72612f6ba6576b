//! Images turned by quarters, as items of their own: what few-shot learning on Omniglot counts as new classes (Santoro et
//! al., ICML 2016).

/// Square images with these extents and so many bytes per element: all items, then all of them turned a quarter to the
/// left, and so on, `turns` times in all. `turns = 1` needs no square.
pub(super) fn images(bytes: Vec<u8>, element: usize, extents: &[usize], turns: usize) -> Vec<u8> {
    if turns == 1 {
        return bytes;
    }
    let (side, channels) = (extents[1], element * extents[3..].iter().product::<usize>());
    let mut all = bytes;
    let count = all.len();
    for turn in 1..turns {
        for item in ((turn - 1) * count..turn * count).step_by((side * side * channels).max(1)) {
            for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
                // column c of the turned image was row c, row r was the r-th column from the right
                let from = item + (column * side + side - 1 - row) * channels;
                all.extend_from_within(from..from + channels);
            }
        }
    }
    all
}

/// The labels of the items in the order of [`images`].
pub(super) fn labels(labels: &[f64], turns: usize) -> Vec<f64> {
    let class = |turn: usize| labels.iter().map(move |label| label * turns as f64 + turn as f64);
    (0..turns).flat_map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_turns_lead_back() {
        let image: Vec<u8> = (0..18).collect();
        let turned = images(image.clone(), 2, &[1, 3, 3], 4);
        assert_eq!(turned.len(), 4 * 18);
        let again = images(turned[54..].to_vec(), 2, &[1, 3, 3], 2);
        assert_eq!(again[18..], image);
        // the right column of the first becomes the upper row
        assert_eq!(turned[18..24], [4, 5, 10, 11, 16, 17]);
    }

    #[test]
    fn channels_stay_together() {
        let turned = images(vec![1, 2, 3, 4, 5, 6, 7, 8], 1, &[1, 2, 2, 2], 2);
        assert_eq!(turned[8..], [3, 4, 7, 8, 1, 2, 5, 6]);
    }
}
