//! A landscape: what a teacher draws on the board of a problem with one number x and one number y. Contours of the lower
//! objective, the curve of lower solutions, the iterates of a run from its start to its end, and the known optimum.

use blo_solvers::landscape::Landscape;

use super::axis::Axis;
use super::canvas::{Canvas, Spot, picture};
use super::contour;
use super::curves::Caption;
use super::panel::{ABOVE, BELOW, Entry, Footer, Panel, Sample, WIDTH};
use super::style::{Dash, FAINT, HAIR, INK, LINE, Marker, PATH, Style};

/// The height of the frame.
const HEIGHT: f64 = 330.0;

/// Contours, at quantiles of the values on the map: as much of it lies between two of them as between any others. Where
/// they would fill the map with ink there are fewer.
const CONTOURS: [usize; 3] = [14, 8, 4];

/// The length of all contours, in widths of the map, that is not too much.
const INK_LENGTH: f64 = 40.0;

/// The width of the curve of lower solutions.
const BOLD: f64 = 2.6;

/// The dash of the path of a run.
const STEPS: Dash = Some([4.0, 2.0]);

/// A run on a map.
pub(crate) struct Walk<'a> {
    /// The names of x and y.
    pub(crate) names: [&'a str; 2],
    /// The iterates (x, y) that are known, in their order, a list for each pass of the run.
    pub(crate) passes: &'a [Vec<[f64; 2]>],
    /// The point that was returned.
    pub(crate) end: [f64; 2],
    /// The run has left the finite numbers there.
    pub(crate) failed: bool,
}

/// The picture of a run on a map, as svg.
pub(crate) fn draw(map: &Landscape, walk: &Walk, caption: &Caption) -> String {
    let style = |marker: Marker, color| Style { color, dash: None, marker };
    let end = if walk.failed { Marker::Cross } else { Marker::Square };
    // what may lie on each other does not hide each other
    let marks = [
        (walk.passes.first().and_then(|p| p.first()).copied(), style(Marker::OpenSquare, PATH), 1.5, "start"),
        (Some(walk.end), style(end, PATH), 1.2, if walk.failed { "last finite iterate" } else { "end" }),
        (map.known, style(Marker::Ring, INK), 2.2, "known optimum"),
    ];
    let [x, y] = walk.names;
    let line = |name: String, color, width, dash| Entry { name, sample: Sample::Line(color, width, dash) };
    let mut entries = vec![
        line("contours of the lower objective".to_owned(), FAINT, HAIR, None),
        line(format!("lower solution {y}({x})"), INK, BOLD, None),
        Entry {
            name: "iterates".to_owned(),
            sample: Sample::Curve(Style { color: PATH, dash: STEPS, marker: Marker::Circle }),
        },
    ];
    let marked = marks.iter().filter(|(spot, ..)| spot.is_some_and(is_finite));
    entries.extend(
        marked.map(|(_, style, size, name)| Entry { name: (*name).to_owned(), sample: Sample::Mark(*style, *size) }),
    );
    let note = "contours at quantiles of the lower objective in this window; of several lower solutions the one that the \
                upper level prefers";
    let lines: Vec<String> = caption.0.iter().cloned().chain([note.to_owned()]).collect();
    let footer = Footer::new(entries, &lines);
    let panel = Panel::new(Axis::between(map.window[0]), Axis::between(map.window[1]), ABOVE, HEIGHT);
    let below = ABOVE + HEIGHT + BELOW;
    picture(WIDTH, below + footer.height(), |canvas| {
        contours(canvas, &panel, map);
        for piece in &map.solutions {
            for inside in piece.chunk_by(|a, b| is_inside(map, *a) && is_inside(map, *b)) {
                if is_inside(map, inside[0]) {
                    canvas.line(&spots(&panel, inside), INK, BOLD, None);
                }
            }
        }
        for pass in walk.passes {
            let spots = spots(&panel, pass);
            canvas.line(&spots, PATH, LINE, STEPS);
            for spot in spots {
                canvas.mark(Marker::Circle, spot, PATH, 1.0);
            }
        }
        for (spot, style, size, _) in marks {
            for spot in spots(&panel, spot.as_slice()) {
                canvas.mark(style.marker, spot, style.color, size);
            }
        }
        panel.outline(canvas, walk.names);
        footer.draw(canvas, below);
    })
}

fn is_finite(point: [f64; 2]) -> bool {
    point.iter().all(|v| v.is_finite())
}

/// True in the window; the axes have no place for anything else.
fn is_inside(map: &Landscape, point: [f64; 2]) -> bool {
    point.iter().zip(&map.window).all(|(v, [low, high])| (low..=high).contains(&v))
}

fn spots(panel: &Panel, points: &[[f64; 2]]) -> Vec<Spot> {
    points.iter().filter(|point| is_finite(**point)).map(|point| panel.place(*point).0).collect()
}

fn contours(canvas: &mut Canvas, panel: &Panel, map: &Landscape) {
    let mut sorted: Vec<f64> = map.lower.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut drawn = Vec::new();
    for count in CONTOURS {
        let level = |i: usize| sorted.get((2 * i + 1) * sorted.len() / (2 * count)).copied();
        let mut levels: Vec<f64> = (0..count).filter_map(level).collect();
        levels.dedup();
        drawn = levels.into_iter().flat_map(|level| contour::lines(&map.lower, map.count, level)).collect();
        let step = |pair: &[[f64; 2]]| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
        let length: f64 = drawn.iter().flat_map(|line: &Vec<[f64; 2]>| line.windows(2).map(step)).sum();
        if length <= INK_LENGTH {
            break;
        }
    }
    let at = |[low, high]: [f64; 2], share: f64| low + share * (high - low);
    for line in drawn {
        let points = line.into_iter().map(|[x, y]| [at(map.window[0], x), at(map.window[1], y)]);
        canvas.line(&spots(panel, &points.collect::<Vec<_>>()), FAINT, HAIR, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::svg::Svg;

    fn map() -> Landscape {
        let count = 21;
        let at = |i: usize| i as f64 / 20.0;
        let lower = (0..count * count).map(|i| (at(i / count) - at(i % count)).powi(2)).collect();
        let piece = |xs: std::ops::RangeInclusive<usize>| xs.map(|i| [at(i), at(i)]).collect();
        Landscape {
            window: [[0.0, 1.0]; 2],
            count,
            lower,
            solutions: vec![piece(0..=9), piece(11..=20)],
            known: Some([0.5, 0.5]),
        }
    }

    fn drawn(iterates: &[[f64; 2]], failed: bool) -> String {
        let passes = [iterates.to_vec()];
        let walk = Walk { names: ["rho", "w"], passes: &passes, end: [0.5, 0.5], failed };
        draw(&map(), &walk, &Caption(vec!["problem p".to_owned()]))
    }

    #[test]
    fn everything_is_drawn_and_named() {
        let text = drawn(&[[0.0, 1.0], [0.2, 0.3]], false);
        let svg = Svg::read(&text);
        for said in ["rho", "w", "lower solution w(rho)", "iterates", "start", "end", "known optimum", "problem p"] {
            assert!(svg.says(said), "{said}: {:?}", svg.texts());
        }
        let bold = svg.attribute("polyline", "stroke-width").iter().filter(|w| **w == "26").count();
        // two pieces and the one of the legend
        assert_eq!(bold, 3);
        // contours come in pairs, on both sides of the solutions
        assert!(svg.lines("#969696").len() > CONTOURS[0]);
        // two iterates and the legend, each a disc with its outline, and the optimum with its own
        assert_eq!(svg.attribute("circle", "r").len(), 8);
    }

    #[test]
    fn contours_do_not_fill_a_map_with_ink() {
        let mut map = map();
        map.count = 121;
        map.lower = (0..121 * 121).map(|i| (0.9 * (i / 121) as f64).sin()).collect();
        let walk = Walk { names: ["x", "y"], passes: &[], end: [0.5, 0.5], failed: false };
        let text = draw(&map, &walk, &Caption::default());
        let lines = Svg::read(&text).lines("#969696").len();
        // 17 periods, each of which has every level twice
        assert!((100..150).contains(&lines), "{lines}");
    }

    #[test]
    fn a_run_that_failed_ends_in_a_cross() {
        let text = drawn(&[[0.0, 1.0], [f64::NAN, 0.0]], true);
        let svg = Svg::read(&text);
        assert!(svg.says("last finite iterate") && !svg.says("end"));
        assert_eq!(svg.attribute("circle", "r").len(), 6);
    }

    #[test]
    fn holes_and_flat_maps_are_drawn() {
        let mut map = map();
        map.lower.fill(f64::NAN);
        (map.solutions, map.known) = (Vec::new(), None);
        let walk = Walk { names: ["x", "y"], passes: &[], end: [0.5, 0.5], failed: false };
        let text = draw(&map, &walk, &Caption::default());
        assert!(Svg::read(&text).says("end") && !Svg::read(&text).says("start"));
        map.lower.fill(1.0);
        Svg::read(&draw(&map, &walk, &Caption::default()));
    }
}
