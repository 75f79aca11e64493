//! Curves with bands as SVG, each named at its end. Knows nothing of what they mean.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// One curve.
pub struct Series<'a> {
    /// What stands at its end.
    pub name: &'a str,
    /// Its colour.
    pub colour: RGBColor,
    /// Points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// Lowest and highest at each point.
    pub band: Option<(Vec<f64>, Vec<f64>)>,
    /// Not a strategy but a yardstick.
    pub dashed: bool,
}

const WIDTH: u32 = 960;
const HEIGHT: u32 = 420;
/// Room for the numbers and the name of the x axis.
const AXIS: u32 = 46;
/// Room for names at the right.
const NAMES: u32 = 160;
/// Names do not stand closer than this.
const NAME_HEIGHT: i32 = 20;
const FONT: &str = "system-ui, sans-serif";
const FONT_SIZE: i32 = 16;
const INK: RGBColor = RGBColor(40, 48, 60);
const PALE: RGBColor = RGBColor(226, 230, 236);

/// Draws them over the events of a file.
pub fn draw(x_label: &str, y_label: &str, series: &[Series<'_>]) -> Result<String, String> {
    let mut svg = String::new();
    paint(&mut svg, (x_label, y_label), series).map_err(|error| error.to_string())?;
    // The page decides how wide it is.
    Ok(svg.replacen(&format!("<svg width=\"{WIDTH}\" height=\"{HEIGHT}\""), "<svg role=\"img\"", 1))
}

fn paint(
    svg: &mut String,
    (x_label, y_label): (&str, &str),
    series: &[Series<'_>],
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let (x_max, low, high) = extent(series);
    let mut chart = ChartBuilder::on(&root)
        .margin_top(12)
        .margin_right(NAMES)
        .x_label_area_size(AXIS)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..x_max, low..high)?;
    chart
        .configure_mesh()
        .x_desc(x_label)
        .y_desc(y_label)
        .axis_style(INK.mix(0.5))
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|x| short(*x))
        .y_label_formatter(&|y| short(*y))
        .label_style((FONT, FONT_SIZE).into_font().color(&INK))
        .axis_desc_style((FONT, FONT_SIZE).into_font().color(&INK))
        .draw()?;
    for one in series {
        if let Some((lowest, highest)) = &one.band {
            let x = || one.points.iter().map(|(x, _)| *x);
            let there = x().zip(highest.iter().copied());
            let mut outline: Vec<(f64, f64)> = x().zip(lowest.iter().copied()).collect();
            outline.reverse();
            let outline: Vec<(f64, f64)> = there.chain(outline).collect();
            chart.draw_series([Polygon::new(outline, one.colour.mix(0.15))])?;
        }
    }
    for one in series {
        let points = one.points.iter().copied();
        if one.dashed {
            chart.draw_series(DashedLineSeries::new(points, 6, 4, one.colour.stroke_width(2)))?;
        } else {
            chart.draw_series(LineSeries::new(points, one.colour.stroke_width(2)))?;
        }
    }
    let mut ends: Vec<(i32, i32, &Series<'_>)> = (series.iter())
        .filter_map(|one| one.points.last().map(|end| (chart.backend_coord(end), one)))
        .map(|((x, y), one)| (x, y, one))
        .collect();
    spread(&mut ends);
    let beside = Pos::new(HPos::Left, VPos::Center);
    for (x, y, one) in ends {
        root.draw(&Text::new(
            one.name.to_owned(),
            (x + 8, y),
            TextStyle::from((FONT, FONT_SIZE)).color(&one.colour).pos(beside),
        ))?;
    }
    root.present()?;
    Ok(())
}

/// Keeps names from standing on one another: from the top down, then back up from the bottom edge.
fn spread(ends: &mut [(i32, i32, &Series<'_>)]) {
    ends.sort_by_key(|(_, y, _)| *y);
    let mut free = NAME_HEIGHT / 2;
    for (_, y, _) in ends.iter_mut() {
        *y = (*y).max(free);
        free = *y + NAME_HEIGHT;
    }
    let mut room = i32::try_from(HEIGHT - AXIS).unwrap_or(i32::MAX) - NAME_HEIGHT / 2;
    for (_, y, _) in ends.iter_mut().rev() {
        *y = (*y).min(room);
        room = *y - NAME_HEIGHT;
    }
}

/// The largest x, and the least and largest y with some air.
fn extent(series: &[Series<'_>]) -> (f64, f64, f64) {
    let (mut x_max, mut low, mut high) = (1.0_f64, 0.0_f64, 0.0_f64);
    for one in series {
        let band = one.band.iter().flat_map(|(lowest, highest)| lowest.iter().chain(highest)).copied();
        for y in one.points.iter().map(|(_, y)| *y).chain(band) {
            (low, high) = (low.min(y), high.max(y));
        }
        x_max = one.points.iter().fold(x_max, |most, (x, _)| most.max(*x));
    }
    let air = if high > low { (high - low) * 0.04 } else { 1.0 };
    (x_max, if low < 0.0 { low - air } else { low }, high + air)
}

/// A number on an axis.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 10_000.0 => format!("{:.0}k", value / 1_000.0),
        size if size >= 10.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
