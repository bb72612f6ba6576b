//! Contours of numbers on a grid, by marching squares: a line crosses each edge of a cell between whose ends the level lies,
//! at the place that linear interpolation gives, and the crossings of a cell are joined in pairs.

use std::collections::HashMap;

/// An edge of the grid from the point at a row and a column: to the next column, or to the next row.
type Edge = (usize, usize, bool);

/// The lines on which `values`, `count` rows of as many numbers, have a level; places are shares of the grid, column first.
/// There is no line through a cell with a value that is not finite.
pub(super) fn lines(values: &[f64], count: usize, level: f64) -> Vec<Vec<[f64; 2]>> {
    let mut joined: HashMap<Edge, Vec<Edge>> = HashMap::new();
    let mut order = Vec::new();
    for row in 0..count.saturating_sub(1) {
        for column in 0..count - 1 {
            for (a, b) in crossings(values, count, level, row, column) {
                joined.entry(a).or_default().push(b);
                joined.entry(b).or_default().push(a);
                order.extend([a, b]);
            }
        }
    }
    // lines that end are walked from an end, then those that are closed from anywhere
    let ends: Vec<Edge> = order.iter().filter(|e| joined[*e].len() == 1).copied().collect();
    let mut found = Vec::new();
    for start in ends.into_iter().chain(order) {
        let mut path = vec![start];
        let mut at = start;
        while let Some(next) = joined.get_mut(&at).and_then(Vec::pop) {
            if let Some(back) = joined.get_mut(&next)
                && let Some(i) = back.iter().position(|e| *e == at)
            {
                back.swap_remove(i);
            }
            path.push(next);
            at = next;
        }
        if path.len() > 1 {
            found.push(path.into_iter().map(|edge| place(values, count, level, edge)).collect());
        }
    }
    found
}

/// Pairs of edges of a cell that a line joins.
fn crossings(values: &[f64], count: usize, level: f64, row: usize, column: usize) -> Vec<(Edge, Edge)> {
    let value = |r: usize, c: usize| values[(row + r) * count + column + c];
    // around the cell
    let corners = [value(0, 0), value(0, 1), value(1, 1), value(1, 0)];
    if corners.iter().any(|v| !v.is_finite()) {
        return Vec::new();
    }
    let edges: [Edge; 4] =
        [(row, column, true), (row, column + 1, false), (row + 1, column, true), (row, column, false)];
    let above = corners.map(|v| v > level);
    let crossed: Vec<Edge> = (0..4).filter(|i| above[*i] != above[(i + 1) % 4]).map(|i| edges[i]).collect();
    match crossed[..] {
        [a, b] => vec![(a, b)],
        [a, b, c, d] => {
            // a saddle: its middle belongs to the side of the mean
            let middle = corners.iter().map(|v| v / 4.0).sum::<f64>() > level;
            if middle == above[0] { vec![(a, b), (c, d)] } else { vec![(d, a), (b, c)] }
        }
        _ => Vec::new(),
    }
}

/// Where a line crosses an edge.
fn place(values: &[f64], count: usize, level: f64, (row, column, along): Edge) -> [f64; 2] {
    let from = values[row * count + column];
    let to = values[if along { row * count + column + 1 } else { (row + 1) * count + column }];
    // halves, since a difference may be too large for a number
    let share = ((level / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0)).clamp(0.0, 1.0);
    let [x, y] = if along { [share, 0.0] } else { [0.0, share] };
    [column as f64 + x, row as f64 + y].map(|v| v / (count - 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(count: usize, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let at = |i: usize| i as f64 / (count - 1) as f64;
        (0..count * count).map(|i| f(at(i % count), at(i / count))).collect()
    }

    #[test]
    fn a_circle_is_one_closed_line() {
        let values = grid(41, |x, y| (x - 0.5).hypot(y - 0.5));
        let [circle] = &lines(&values, 41, 0.3)[..] else { panic!("one line") };
        assert_eq!(circle.first(), circle.last());
        assert!(circle.iter().all(|[x, y]| ((x - 0.5).hypot(y - 0.5) - 0.3).abs() < 1e-3), "{circle:?}");
        assert!(circle.len() > 60);
    }

    #[test]
    fn a_plane_has_straight_lines_from_side_to_side() {
        let values = grid(11, |x, y| x + 2.0 * y);
        let [line] = &lines(&values, 11, 1.23)[..] else { panic!("one line") };
        assert!(line.iter().all(|[x, y]| (x + 2.0 * y - 1.23).abs() < 1e-12));
        let ends = [line[0], line[line.len() - 1]];
        assert!(ends.iter().all(|[x, _]| *x == 0.0 || *x == 1.0), "{ends:?}");
    }

    #[test]
    fn saddles_do_not_cross() {
        let values = grid(10, |x, y| (x - 0.5) * (y - 0.5));
        for level in [-0.01, 0.01] {
            let found = lines(&values, 10, level);
            assert_eq!(found.len(), 2, "{found:?}");
        }
        // the middle of a cell decides
        let cell = [1.0, 0.0, 0.0, 1.0];
        assert_eq!([0.4, 0.6].map(|level| lines(&cell, 2, level).len()), [2, 2]);
        let [low, high] = [0.4, 0.6].map(|level| lines(&cell, 2, level)[0].clone());
        assert_ne!(low[1][0] > 0.5, high[1][0] > 0.5);
    }

    #[test]
    fn there_are_no_lines_through_holes_or_where_nothing_changes() {
        let values = grid(11, |x, y| if x > 0.45 && x < 0.55 { f64::NAN } else { y });
        let found = lines(&values, 11, 0.51);
        assert_eq!(found.len(), 2);
        assert!(found.iter().flatten().all(|[x, _]| *x <= 0.4 + 1e-12 || *x >= 0.6 - 1e-12));
        assert!(lines(&[2.0; 9], 3, 2.0).is_empty() && lines(&[], 0, 0.0).is_empty());
        assert!(lines(&[f64::MAX, f64::MIN, f64::MAX, f64::MIN], 2, 0.0)[0].iter().flatten().all(|v| v.is_finite()));
    }
}
