//! Convergence curves: a quantity of one or several runs against iterations and against time, a panel each.
//!
//! Nothing is left out in silence: zero and negative numbers on a logarithmic axis, and what is not finite on any, have
//! bands of their own and marks, and the caption says what these mean.

use super::axis::{Axis, Scale, scale_of};
use super::canvas::{Canvas, Spot, picture};
use super::panel::{ABOVE, BELOW, Entry, Footer, Panel, Sample, WIDTH};
use super::style::{LINE, Marker, style};

/// The height of a frame.
const HEIGHT: f64 = 190.0;

/// Marks of a curve are at least so far apart.
const APART: f64 = 26.0;

/// A curve with more points is thinned: no more are kept in a column of pixels than show.
const MANY: usize = 2000;

/// A value of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Iterations done.
    pub(crate) iteration: f64,
    /// Seconds since the run began.
    pub(crate) seconds: f64,
    /// The pass of the run; a curve is interrupted between passes.
    pub(crate) pass: u64,
    /// The quantity.
    pub(crate) value: f64,
}

/// A quantity along a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    /// What the legend calls it: a method, a file, a quantity.
    pub(crate) name: String,
    /// In the order of the run.
    pub(crate) points: Vec<Point>,
}

/// What the curves show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quantity {
    /// The title of the vertical axis.
    pub(crate) title: String,
    /// The vertical axis.
    pub(crate) scale: Scale,
}

/// What a picture says of where it comes from, a text per line; lines that are too long are broken.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Caption(pub(crate) Vec<String>);

/// How curves become a picture: [`compare`] or [`along_iterations`].
pub(crate) type Draw = fn(&[Curve], &Quantity, &Caption) -> String;

/// The picture of some curves, one for each run or quantity, as svg.
pub(crate) fn compare(curves: &[Curve], quantity: &Quantity, caption: &Caption) -> String {
    let iterations = Abscissa { of: |p| p.iteration, title: "iterations", scale: Scale::Log };
    let seconds = Abscissa { of: |p| p.seconds, title: "time (s)", scale: Scale::Log };
    drawn(curves, quantity, caption, &[iterations, seconds])
}

/// The same without the panel against time, so that it is the same in every run.
pub(crate) fn along_iterations(curves: &[Curve], quantity: &Quantity, caption: &Caption) -> String {
    drawn(curves, quantity, caption, &[Abscissa { of: |p| p.iteration, title: "iterations", scale: Scale::Log }])
}

/// The picture of a quantity over values of a name: they stand in the place of iterations.
pub(crate) fn over(name: &str, curves: &[Curve], quantity: &Quantity, caption: &Caption) -> String {
    let scale = scale_of(name, curves.iter().flat_map(|c| c.points.iter().map(|p| p.iteration)));
    drawn(curves, quantity, caption, &[Abscissa { of: |p| p.iteration, title: name, scale }])
}

/// A panel for each abscissa, one below the other, and the legend with the caption.
fn drawn(curves: &[Curve], quantity: &Quantity, caption: &Caption, abscissas: &[Abscissa<'_>]) -> String {
    let entries =
        curves.iter().enumerate().map(|(i, curve)| Entry { name: curve.name.clone(), sample: Sample::Curve(style(i)) });
    let lines: Vec<String> = caption.0.iter().cloned().chain(remark(curves, quantity.scale)).collect();
    let footer = Footer::new(entries.collect(), &lines);
    let panel = |abscissa: &Abscissa<'_>, top: f64| {
        let all = || curves.iter().flat_map(|c| &c.points);
        let x = Axis::new(abscissa.scale, all().map(abscissa.of));
        Panel::new(x, Axis::new(quantity.scale, all().map(|p| p.value)), top, HEIGHT)
    };
    let step = HEIGHT + BELOW;
    let below = ABOVE + abscissas.len() as f64 * step;
    picture(WIDTH, below + footer.height(), |canvas| {
        for (i, abscissa) in abscissas.iter().enumerate() {
            let panel = panel(abscissa, ABOVE + i as f64 * step);
            panel.grid(canvas);
            for (i, curve) in curves.iter().enumerate() {
                draw(canvas, &panel, abscissa.of, curve, i);
            }
            panel.outline(canvas, [abscissa.title, &quantity.title]);
        }
        footer.draw(canvas, below);
    })
}

/// What a panel is drawn against.
struct Abscissa<'a> {
    of: fn(&Point) -> f64,
    title: &'a str,
    scale: Scale,
}

/// What the marks of a picture mean, where there are some.
fn remark(curves: &[Curve], scale: Scale) -> Option<String> {
    let values = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.value));
    let mut parts = Vec::new();
    if scale == Scale::Log && values().any(|v| v.is_finite() && v <= 0.0) {
        let negative = values().any(|v| v.is_finite() && v < 0.0);
        parts.push(if negative { "\u{25bd}: zero or less" } else { "\u{25bd}: zero" });
    }
    if values().any(|v| !v.is_finite()) {
        parts.push("\u{00d7}: not finite, or the run has failed");
    }
    if curves.iter().any(|c| c.points.windows(2).any(|p| p[0].pass != p[1].pass)) {
        parts.push("a curve is interrupted where the run begins again");
    }
    if values().next().is_none() {
        parts.push("no values");
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A curve of a panel in the style of its place.
fn draw(canvas: &mut Canvas, panel: &Panel, abscissa: fn(&Point) -> f64, curve: &Curve, place: usize) {
    let style = style(place);
    let mut marks: Vec<(Spot, Marker)> = Vec::new();
    // marks of curves that lie on each other are not at the same places
    let (mut last, mut apart) = (f64::NEG_INFINITY, APART * (place % 3) as f64 / 3.0);
    for piece in curve.points.chunk_by(follows) {
        let places: Vec<(Spot, Option<Marker>)> = piece.iter().map(|p| panel.place([abscissa(p), p.value])).collect();
        for (i, (spot, marker)) in places.iter().enumerate() {
            if let Some(marker) = marker {
                marks.push((*spot, *marker));
            } else if i + 1 == places.len() || (spot[0] - last).abs() >= apart {
                marks.push((*spot, style.marker));
                (last, apart) = (spot[0], APART);
            }
        }
        let path: Vec<Spot> = places.into_iter().map(|(spot, _)| spot).collect();
        let path = if path.len() > MANY { thin(&path) } else { path };
        canvas.line(&path, style.color, LINE, style.dash);
    }
    marks.dedup_by(|a, b| a.1 == b.1 && (a.0[0] - b.0[0]).abs() < 1.0 && (a.0[1] - b.0[1]).abs() < 1.0);
    for (spot, marker) in marks {
        canvas.mark(marker, spot, style.color, 1.0);
    }
}

/// True where a line joins two points: it does not where one is not finite, or where the run begins again.
fn follows(a: &Point, b: &Point) -> bool {
    a.pass == b.pass && [a, b].iter().all(|p| p.value.is_finite() && p.iteration.is_finite() && p.seconds.is_finite())
}

/// The first, the lowest, the highest and the last point of every column of pixels, in their order.
fn thin(path: &[Spot]) -> Vec<Spot> {
    let mut kept = Vec::new();
    for column in path.chunk_by(|a, b| a[0].floor() == b[0].floor()) {
        let by_height = |i: &usize, j: &usize| column[*i][1].total_cmp(&column[*j][1]);
        let ends = [(0..column.len()).min_by(by_height), (0..column.len()).max_by(by_height)];
        let mut places: Vec<usize> = ends.into_iter().flatten().chain([0, column.len() - 1]).collect();
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().map(|i| column[i]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::svg::Svg;

    const BLACK: &str = "#000000";
    const RED: &str = "#D55E00";

    fn curve(name: &str, values: &[f64]) -> Curve {
        let point =
            |(i, value): (usize, &f64)| Point { iteration: i as f64, seconds: 1e-3 * i as f64, pass: 1, value: *value };
        Curve { name: name.to_owned(), points: values.iter().enumerate().map(point).collect() }
    }

    fn drawn(curves: &[Curve], scale: Scale) -> String {
        let quantity = Quantity { title: "residual".to_owned(), scale };
        compare(curves, &quantity, &Caption(vec!["problem p, blo".to_owned()]))
    }

    #[test]
    fn every_run_has_a_curve_in_both_panels_and_a_name() {
        let curves = [curve("meha", &[1.0, 0.5, 0.25, 0.125]), curve("rhg", &[1.0, 0.1, 0.01, 1e-3])];
        let text = drawn(&curves, Scale::Log);
        let svg = Svg::read(&text);
        for said in ["meha", "rhg", "iterations", "time (s)", "residual", "10⁻³", "problem p, blo"] {
            assert!(svg.says(said), "{said}: {:?}", svg.texts());
        }
        // the first curve is solid, the other one in dashes; axes are black, too, but not as wide
        let wide = svg.attribute("polyline", "stroke-width").iter().filter(|w| **w == "15").count();
        assert!(wide > 20, "{wide}");
        assert!(svg.lines(RED).len() > 10);
        let solid: Vec<_> = svg.lines(BLACK).into_iter().filter(|l| l.len() == 4).collect();
        assert_eq!(solid.len(), 2, "{solid:?}");
        assert!(solid.iter().all(|l| l.is_sorted_by(|a, b| a[0] < b[0] && a[1] < b[1])), "{solid:?}");
    }

    #[test]
    fn zeros_and_failures_are_marked_and_said() {
        let zero = drawn(&[curve("a", &[1.0, 0.0])], Scale::Log);
        assert!(Svg::read(&zero).all().contains("▽: zero") && Svg::read(&zero).says("0"));
        let negative = drawn(&[curve("a", &[1.0, -1.0])], Scale::Log);
        assert!(Svg::read(&negative).all().contains("▽: zero or less") && Svg::read(&negative).says("≤ 0"));
        let failed = drawn(&[curve("a", &[1.0, 2.0, f64::NAN])], Scale::Log);
        assert!(Svg::read(&failed).all().contains("×: not finite"));
        let plain = drawn(&[curve("a", &[-1.0, 0.0, 1.0])], Scale::Linear);
        assert!(!Svg::read(&plain).all().contains(['▽', '×']));
        // the cross of the failure is two strokes in each panel
        let strokes = |text: &str| {
            Svg::read(text)
                .lines(BLACK)
                .iter()
                .filter(|l| l.len() == 2 && l[0][0] != l[1][0] && l[0][1] != l[1][1])
                .count()
        };
        assert_eq!((strokes(&failed) - strokes(&plain)).min(4), 4);
    }

    #[test]
    fn a_new_pass_interrupts_a_curve() {
        let mut twice = curve("meha", &[1.0, 0.5, 0.25, 1.0, 0.4, 0.2]);
        twice.points[3..].iter_mut().for_each(|p| p.pass = 2);
        let text = drawn(&[twice], Scale::Log);
        let svg = Svg::read(&text);
        assert_eq!(svg.lines(BLACK).iter().filter(|l| l.len() == 3).count(), 4);
        assert!(svg.all().contains("interrupted"));
    }

    #[test]
    fn values_of_a_name_are_an_abscissa() {
        let mut curve = curve("K = 8", &[0.5, 0.25, f64::NAN, 0.125]);
        for (point, value) in curve.points.iter_mut().zip([1e-3, 1e-2, 0.1, 1.0]) {
            point.iteration = value;
        }
        let quantity = Quantity { title: "upper".to_owned(), scale: Scale::Linear };
        let text = over("lambda", &[curve], &quantity, &Caption::default());
        let svg = Svg::read(&text);
        assert!(
            svg.says("lambda") && svg.says("10⁻³") && svg.says("K = 8") && !svg.says("iterations"),
            "{:?}",
            svg.texts()
        );
        assert!(svg.all().contains("×: not finite"));
    }

    #[test]
    fn extremes_are_drawn() {
        let cases: [&[f64]; 9] = [
            &[],
            &[1.0],
            &[0.0],
            &[f64::NAN],
            &[f64::INFINITY, 1.0],
            &[0.25, 0.25, 0.25],
            &[1e300, 1e-300],
            &[f64::MAX, f64::MIN],
            &[-1e300, 0.0, 1e300],
        ];
        for values in cases {
            for scale in [Scale::Log, Scale::Linear] {
                let text = drawn(&[curve("a", values), curve("b", values)], scale);
                let svg = Svg::read(&text);
                let size: f64 = svg.attribute("svg", "height")[0].parse().unwrap();
                let inside = |[x, y]: &[f64; 2]| (0.0..=WIDTH).contains(x) && (0.0..=size).contains(y);
                for color in [BLACK, RED] {
                    assert!(svg.lines(color).iter().flatten().all(inside), "{values:?}");
                }
                // each curve leaves a mark beside that in the legend
                let marks = svg.attribute("circle", "fill").iter().filter(|f| **f == BLACK).count();
                let finite = values.iter().any(|v| v.is_finite() && (*v > 0.0 || scale == Scale::Linear));
                assert!(marks >= if finite { 3 } else { 1 }, "{values:?} {marks}");
            }
        }
    }

    #[test]
    fn long_curves_keep_what_shows() {
        let values: Vec<f64> = (0..100_000).map(|i| if i == 77_777 { 1e6 } else { 1.0 + (i % 7) as f64 }).collect();
        let text = drawn(&[curve("a", &values)], Scale::Log);
        assert!(text.len() < 200_000, "{}", text.len());
        let svg = Svg::read(&text);
        // in the upper panel as in the lower one, the one value is not lost
        let highest = |l: &Vec<[f64; 2]>| l.iter().map(|p| p[1]).fold(f64::INFINITY, f64::min);
        let curves: Vec<f64> = svg.lines(BLACK).iter().filter(|l| l.len() > 100).map(highest).collect();
        assert_eq!(curves, [ABOVE, ABOVE + HEIGHT + BELOW]);
    }
}
