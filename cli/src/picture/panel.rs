//! A panel: a frame with its axes, and what is drawn at numbers within it. Below the panels of a picture stand the legend
//! and the caption, broken into lines.

use plotters::style::RGBColor;

use super::axis::{Axis, Place, Tick};
use super::canvas::{Anchor, Canvas, Spot, text_width};
use super::style::{Dash, GRID, HAIR, INK, Marker, OUTLINE, SMALL, Style, TEXT};

/// The width of every picture: that of a column, where its texts are about as large as those around it.
pub(super) const WIDTH: f64 = 480.0;

/// Room around a frame for labels and titles.
pub(super) const LEFT: f64 = 74.0;
pub(super) const RIGHT: f64 = 18.0;
pub(super) const ABOVE: f64 = 12.0;
pub(super) const BELOW: f64 = 46.0;

/// The length of a tick, of a smaller one, and the space to its label.
const TICK: f64 = 5.0;
const SMALL_TICK: f64 = 3.0;
const SPACE: f64 = 4.0;

/// A line of the legend and of the caption.
const LEGEND_LINE: f64 = 19.0;
const CAPTION_LINE: f64 = 15.0;

/// The piece of a curve in the legend, and the space behind an entry.
const SAMPLE: f64 = 34.0;
const BETWEEN: f64 = 16.0;

/// The frame of a panel in pixels, with its axes.
pub(super) struct Panel {
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// Left, right, top, bottom.
    pub(super) frame: [f64; 4],
}

impl Panel {
    /// A panel across the picture whose frame begins at `top`.
    pub(super) fn new(x: Axis, y: Axis, top: f64, height: f64) -> Panel {
        Panel { x, y, frame: [LEFT, WIDTH - RIGHT, top, top + height] }
    }

    /// The place at shares of the axes.
    fn spot(&self, x: f64, y: f64) -> Spot {
        let [left, right, top, bottom] = self.frame;
        [left + x * (right - left), bottom - y * (bottom - top)]
    }

    /// The place of a point, and what marks it there if an axis has only a band for it.
    pub(super) fn place(&self, [x, y]: [f64; 2]) -> (Spot, Option<Marker>) {
        let (x, y) = (self.x.place(x), self.y.place(y));
        let share = |place| match place {
            Place::At(share) | Place::Low(share) | Place::Lost(share) => share,
        };
        let marker = match (x, y) {
            (Place::Lost(_), _) | (_, Place::Lost(_)) => Some(Marker::Cross),
            (_, Place::Low(_)) => Some(Marker::Down),
            _ => None,
        };
        (self.spot(share(x), share(y)), marker)
    }

    /// Lines across the panel at labeled numbers, below all else.
    pub(super) fn grid(&self, canvas: &mut Canvas) {
        let labeled = |axis: &Axis| axis.ticks().into_iter().filter(|t| !t.label.is_empty()).collect::<Vec<Tick>>();
        for tick in labeled(&self.x) {
            canvas.line(&[self.spot(tick.at, 0.0), self.spot(tick.at, 1.0)], GRID, HAIR, None);
        }
        for tick in labeled(&self.y) {
            canvas.line(&[self.spot(0.0, tick.at), self.spot(1.0, tick.at)], GRID, HAIR, None);
        }
    }

    /// The frame with ticks, labels and titles, above all else.
    pub(super) fn outline(&self, canvas: &mut Canvas, titles: [&str; 2]) {
        let [left, right, top, bottom] = self.frame;
        for share in self.x.bands() {
            canvas.line(&[self.spot(share, 0.0), self.spot(share, 1.0)], INK, HAIR, BROKEN);
        }
        for share in self.y.bands() {
            canvas.line(&[self.spot(0.0, share), self.spot(1.0, share)], INK, HAIR, BROKEN);
        }
        canvas.line(&[[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], INK, OUTLINE, None);
        let length = |tick: &Tick| if tick.label.is_empty() { SMALL_TICK } else { TICK };
        for tick in self.x.ticks() {
            let [x, y] = self.spot(tick.at, 0.0);
            canvas.line(&[[x, y], [x, y + length(&tick)]], INK, OUTLINE, None);
            canvas.text(&tick.label, [x, y + TICK + SPACE], TEXT, Anchor::Top);
        }
        for tick in self.y.ticks() {
            let [x, y] = self.spot(0.0, tick.at);
            canvas.line(&[[x - length(&tick), y], [x, y]], INK, OUTLINE, None);
            canvas.text(&tick.label, [x - TICK - SPACE, y], TEXT, Anchor::Right);
        }
        canvas.text(titles[0], [left.midpoint(right), bottom + 26.0], TEXT, Anchor::Top);
        canvas.text(titles[1], [6.0, top.midpoint(bottom)], TEXT, Anchor::Upwards);
    }
}

/// The line that parts a band from the axis.
const BROKEN: Dash = Some([3.0, 3.0]);

/// An entry of a legend.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) sample: Sample,
}

/// What stands before the name of an entry.
#[derive(Clone, Copy)]
pub(super) enum Sample {
    /// A piece of a curve with its mark.
    Curve(Style),
    /// A mark alone, and its size against that of others.
    Mark(Style, f64),
    /// A line alone, of a color, a width and a dash.
    Line(RGBColor, f64, Dash),
}

/// The legend and the caption of a picture, as lines.
pub(super) struct Footer {
    legend: Vec<Vec<Entry>>,
    caption: Vec<String>,
}

impl Footer {
    /// Broken to fit the picture.
    pub(super) fn new(entries: Vec<Entry>, caption: &[String]) -> Footer {
        let (mut legend, mut taken): (Vec<Vec<Entry>>, f64) = (Vec::new(), f64::INFINITY);
        let room = WIDTH - RIGHT - LEFT / 2.0;
        for mut entry in entries {
            shorten(&mut entry.name, room - SAMPLE - BETWEEN, TEXT);
            let width = entry_width(&entry);
            if taken + width > room {
                legend.push(Vec::new());
                taken = 0.0;
            }
            taken += width;
            legend.last_mut().unwrap_or_else(|| unreachable!("the first entry begins a line")).push(entry);
        }
        let caption = caption.iter().flat_map(|line| broken(line, WIDTH - 2.0 * RIGHT, SMALL)).collect();
        Footer { legend, caption }
    }

    /// What it takes below the panels.
    pub(super) fn height(&self) -> f64 {
        LEGEND_LINE * self.legend.len() as f64 + CAPTION_LINE * self.caption.len() as f64 + 16.0
    }

    /// Draws it below a height.
    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let mut y = top + LEGEND_LINE / 2.0;
        for line in &self.legend {
            let mut x = LEFT / 2.0;
            for entry in line {
                match entry.sample {
                    Sample::Curve(style) => canvas.sample([x, y], SAMPLE, style),
                    Sample::Mark(style, size) => canvas.mark(style.marker, [x + SAMPLE / 2.0, y], style.color, size),
                    Sample::Line(color, width, dash) => canvas.line(&[[x, y], [x + SAMPLE, y]], color, width, dash),
                }
                canvas.text(&entry.name, [x + SAMPLE + SPACE, y], TEXT, Anchor::Left);
                x += entry_width(entry);
            }
            y += LEGEND_LINE;
        }
        y += 6.0;
        for line in &self.caption {
            canvas.text(line, [RIGHT, y], SMALL, Anchor::Left);
            y += CAPTION_LINE;
        }
    }
}

fn entry_width(entry: &Entry) -> f64 {
    SAMPLE + SPACE + text_width(&entry.name, TEXT) + BETWEEN
}

/// A name as long as there is room for it, its end left out.
fn shorten(name: &mut String, room: f64, size: f64) {
    if text_width(name, size) > room {
        let letters = (room / text_width("x", size)) as usize;
        *name = name.chars().take(letters.saturating_sub(1)).chain(['\u{2026}']).collect();
    }
}

/// A text in lines that fit; a word that is too long is cut.
fn broken(text: &str, room: f64, size: f64) -> Vec<String> {
    let letters = (room / text_width("x", size)) as usize;
    textwrap::wrap(text, letters).into_iter().map(|line| line.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::style::style;

    #[test]
    fn the_footer_fits_the_picture() {
        let entry = |name: &str| Entry { name: name.to_owned(), sample: Sample::Curve(style(0)) };
        let names = ["meha", "rhg(K = 20)", "bda", "a".repeat(90).as_str(), "cg"].map(entry);
        let footer = Footer::new(names.into(), &[format!("{} {}", "word ".repeat(40), "x".repeat(200))]);
        let widths = footer.legend.iter().map(|line| line.iter().map(entry_width).sum::<f64>());
        assert!(widths.clone().all(|w| w <= WIDTH - RIGHT - LEFT / 2.0 + BETWEEN), "{:?}", widths.collect::<Vec<_>>());
        assert_eq!(footer.legend.iter().map(Vec::len).sum::<usize>(), 5);
        assert!(footer.caption.iter().all(|line| text_width(line, SMALL) <= WIDTH - 2.0 * RIGHT));
    }
}
