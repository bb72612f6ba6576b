//! How lines are told apart: by dash and marker, so that a print in black and white is legible, and by color beside.

use plotters::style::RGBColor;

/// Black, for axes and texts.
pub(super) const INK: RGBColor = RGBColor(0, 0, 0);
/// For what stays in the background.
pub(super) const GRID: RGBColor = RGBColor(222, 222, 222);
/// For contours.
pub(super) const FAINT: RGBColor = RGBColor(150, 150, 150);

/// For the path of a run.
pub(super) const PATH: RGBColor = RGBColor(213, 94, 0);

/// Sizes of texts in pixels.
pub(super) const TEXT: f64 = 13.0;
pub(super) const SMALL: f64 = 11.0;

/// Widths of lines in pixels.
pub(super) const HAIR: f64 = 0.75;
pub(super) const OUTLINE: f64 = 1.0;
pub(super) const LINE: f64 = 1.5;

/// Half the size of a marker in pixels.
pub(super) const MARKER: f64 = 3.5;

/// Lengths of a dash and of the space behind it in pixels; `None` for a solid line.
pub(super) type Dash = Option<[f64; 2]>;

/// A mark of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Disc,
    Circle,
    Square,
    OpenSquare,
    Triangle,
    OpenTriangle,
    Diamond,
    OpenDiamond,
    /// A circle that hides nothing.
    Ring,
    /// The mark of a value that the axis cannot hold.
    Down,
    /// The mark of what is not finite.
    Cross,
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) color: RGBColor,
    pub(super) dash: Dash,
    pub(super) marker: Marker,
}

/// Colors that people with any sight tell apart (Okabe and Ito 2008), the dark ones first.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 0, 0),
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

const DASHES: [Dash; 3] = [None, Some([7.0, 3.0]), Some([2.0, 2.5])];

const MARKERS: [Marker; 8] = [
    Marker::Disc,
    Marker::Circle,
    Marker::Square,
    Marker::OpenTriangle,
    Marker::Diamond,
    Marker::OpenSquare,
    Marker::Triangle,
    Marker::OpenDiamond,
];

/// The style of the curve at a place in the legend: 24 differ by dash and marker alone.
pub(super) fn style(place: usize) -> Style {
    let of = |list: usize| place % list;
    Style { color: COLORS[of(COLORS.len())], dash: DASHES[of(DASHES.len())], marker: MARKERS[of(MARKERS.len())] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_dozen_curves_differ_without_color() {
        let plain: Vec<_> = (0..24).map(|i| (style(i).dash, style(i).marker)).collect();
        assert!((0..24).all(|i| !plain[..i].contains(&plain[i])));
        let marks = |i: usize| style(i).marker;
        assert!((0..24).all(|i| !matches!(marks(i), Marker::Down | Marker::Cross | Marker::Ring)));
    }
}
