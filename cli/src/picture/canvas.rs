//! A canvas: lines, marks and texts at places in pixels, y downwards. The svg writer of `plotters` draws at whole numbers,
//! so that its unit here is a part of a pixel.

use plotters::element::{DashedPathElement, Drawable};
use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};
use std::fmt::Display;

use super::style::{Dash, INK, LINE, MARKER, Marker, OUTLINE, Style};
use blo::output::text::visible::on_one_line;

/// Units of a pixel.
const UNITS: f64 = 10.0;

/// A font size of `plotters` is so many times that of its svg.
const FONT: f64 = 1.24;

/// The width of a letter of a usual font against its size, rather too wide than too narrow.
const LETTER: f64 = 0.6;

/// A place in pixels.
pub(super) type Spot = [f64; 2];

/// Which part of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Its left end, half way up.
    Left,
    /// Its right end, half way up.
    Right,
    /// Its middle, below its top.
    Top,
    /// The middle of a text that is read upwards, right of its top.
    Upwards,
}

/// What is being drawn.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Draws a picture of a size in pixels.
pub(super) fn picture(width: f64, height: f64, draw: impl FnOnce(&mut Canvas)) -> String {
    let mut text = String::new();
    let [w, h] = [width, height].map(|v| unit(v) as u32);
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut text, (w, h)) };
    draw(&mut canvas);
    sure(canvas.backend.present());
    drop(canvas);
    // a picture is as large as its pixels, whatever they are divided into
    let rest = text.split_once("viewBox").map_or("", |(_, rest)| rest);
    let background = format!("<rect width=\"{w}\" height=\"{h}\" fill=\"#FFFFFF\"/>\n");
    let (head, body) = rest.split_once('\n').unwrap_or((rest, ""));
    format!("<svg width=\"{width}\" height=\"{height}\" viewBox{head}\n{background}{body}")
}

/// What a text takes at most, in pixels.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    LETTER * size * text.chars().count() as f64
}

fn unit(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// A text takes all that is written to it.
fn sure(drawn: Result<(), impl Display>) {
    drawn.unwrap_or_else(|why| unreachable!("a picture is drawn into a text: {why}"));
}

impl Canvas<'_> {
    /// A line through places.
    pub(super) fn line(&mut self, path: &[Spot], color: RGBColor, width: f64, dash: Dash) {
        if path.len() < 2 {
            return;
        }
        let stroke = ShapeStyle::from(color).stroke_width(unit(width) as u32);
        let path: Vec<(i32, i32)> = path.iter().map(|[x, y]| (unit(*x), unit(*y))).collect();
        match dash {
            None => sure(self.backend.draw_path(path, &stroke)),
            Some([drawn, space]) => {
                let element = DashedPathElement::new(path.clone(), unit(drawn) as u32, unit(space) as u32, stroke);
                let size = self.backend.get_size();
                sure(Drawable::draw(&element, path.into_iter(), &mut self.backend, size));
            }
        }
    }

    /// A mark at a place, so many times as large as others.
    pub(super) fn mark(&mut self, marker: Marker, [x, y]: Spot, color: RGBColor, size: f64) {
        let r = MARKER * size;
        let polygon =
            |corners: &[[f64; 2]]| -> Vec<Spot> { corners.iter().map(|[a, b]| [x + r * a, y + r * b]).collect() };
        const SQUARE: [[f64; 2]; 4] = [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]];
        const DIAMOND: [[f64; 2]; 4] = [[0.0, -1.2], [1.2, 0.0], [0.0, 1.2], [-1.2, 0.0]];
        const TRIANGLE: [[f64; 2]; 3] = [[-1.1, 0.85], [1.1, 0.85], [0.0, -1.15]];
        match marker {
            Marker::Disc => self.circle([x, y], r, color, true),
            Marker::Circle => {
                self.circle([x, y], r, plotters::style::WHITE, true);
                self.circle([x, y], r, color, false);
            }
            Marker::Square => self.polygon(&polygon(&SQUARE), color, true),
            Marker::OpenSquare => self.polygon(&polygon(&SQUARE), color, false),
            Marker::Diamond => self.polygon(&polygon(&DIAMOND), color, true),
            Marker::OpenDiamond => self.polygon(&polygon(&DIAMOND), color, false),
            Marker::Triangle => self.polygon(&polygon(&TRIANGLE), color, true),
            Marker::OpenTriangle => self.polygon(&polygon(&TRIANGLE), color, false),
            Marker::Down => self.polygon(&polygon(&TRIANGLE.map(|[a, b]| [a, -b])), color, false),
            Marker::Ring => self.circle([x, y], r, color, false),
            Marker::Cross => {
                for side in [-1.0, 1.0] {
                    self.line(&polygon(&[[-1.2, -1.2 * side], [1.2, 1.2 * side]]), color, LINE, None);
                }
            }
        }
    }

    fn circle(&mut self, [x, y]: Spot, radius: f64, color: RGBColor, filled: bool) {
        let stroke = ShapeStyle::from(color).stroke_width(unit(LINE) as u32);
        sure(self.backend.draw_circle((unit(x), unit(y)), unit(radius) as u32, &stroke, filled));
    }

    /// A polygon; an open one hides what is below it, as a filled one does.
    fn polygon(&mut self, corners: &[Spot], color: RGBColor, filled: bool) {
        let fill = if filled { color } else { plotters::style::WHITE };
        let path = corners.iter().map(|[x, y]| (unit(*x), unit(*y)));
        sure(self.backend.fill_polygon(path, &ShapeStyle::from(fill).filled()));
        if !filled {
            let closed: Vec<Spot> = corners.iter().chain(corners.first()).copied().collect();
            self.line(&closed, color, OUTLINE, None);
        }
    }

    /// A text on one line.
    pub(super) fn text(&mut self, text: &str, [x, y]: Spot, size: f64, anchor: Anchor) {
        let (h, v) = match anchor {
            Anchor::Left => (HPos::Left, VPos::Center),
            Anchor::Right => (HPos::Right, VPos::Center),
            Anchor::Top | Anchor::Upwards => (HPos::Center, VPos::Top),
        };
        let font = ("sans-serif", size * UNITS * FONT).into_font();
        let turned = if anchor == Anchor::Upwards { FontTransform::Rotate270 } else { FontTransform::None };
        let style = TextStyle::from(font.transform(turned)).color(&INK).pos(Pos::new(h, v));
        sure(self.backend.draw_text(&on_one_line(text), &style, (unit(x), unit(y))));
    }

    /// The piece of a line with its mark that stands for a curve in a legend, from its left end.
    pub(super) fn sample(&mut self, [x, y]: Spot, length: f64, style: Style) {
        self.line(&[[x, y], [x + length, y]], style.color, LINE, style.dash);
        self.mark(style.marker, [x + length / 2.0, y], style.color, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::svg::Svg;

    #[test]
    fn a_picture_is_as_large_as_its_pixels() {
        let text = picture(120.0, 50.5, |canvas| canvas.text("a < b\u{1b}", [10.0, 10.0], 12.0, Anchor::Left));
        let svg = Svg::read(&text);
        assert_eq!((svg.attribute("svg", "width"), svg.attribute("svg", "height")), (vec!["120"], vec!["50.5"]));
        assert_eq!(svg.attribute("svg", "viewBox"), ["0 0 1200 505"]);
        let sizes: Vec<f64> = svg.attribute("text", "font-size").iter().map(|s| s.parse().unwrap()).collect();
        assert!(sizes.len() == 1 && (sizes[0] - 120.0).abs() < 1e-6, "{sizes:?}");
        // what a terminal or a reader of XML would not take is shown
        assert_eq!(svg.texts(), ["a < b\u{241b}"]);
    }
}
