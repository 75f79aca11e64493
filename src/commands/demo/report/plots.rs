//! Bars and layers as SVG, each named where it is. Knows nothing of what they mean.

use std::fmt::Write as _;

use crate::commands::simulate::page::escape;

/// One bar that lies.
pub struct Bar {
    /// What stands before it.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// What stands behind it.
    pub label: String,
    /// Its colour, as CSS says it.
    pub colour: &'static str,
}

/// A layer of shares: one value for each step along x.
pub struct Layer {
    /// What stands at its end.
    pub name: String,
    /// Its colour, as CSS says it.
    pub colour: &'static str,
    /// From the first step to the last; the layers of one step sum to 1.
    pub shares: Vec<f64>,
}

const WIDTH: f64 = 960.0;
/// Room for names before bars.
const NAMES: f64 = 250.0;
/// Room for labels behind bars and layers.
const LABELS: f64 = 215.0;
const ROW: f64 = 26.0;
const FRAME: &str = "font-family=\"system-ui,sans-serif\" font-size=\"15\" fill=\"#28303c\"";

fn open(height: f64, title: &str) -> String {
    format!("<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {WIDTH} {height}\" {FRAME}>", escape(title))
}

/// Bars below one another, the longest as long as there is room.
pub fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = open(ROW * float(bars.len()) + 8.0, title);
    for (at, bar) in bars.iter().enumerate() {
        let y = ROW * float(at) + 4.0;
        let length = (WIDTH - NAMES - LABELS) * (bar.value.max(0.0) / most);
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{NAMES}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#5b6472\">{}</text>",
            NAMES - 10.0,
            y + 15.0,
            escape(&bar.name),
            length.max(1.0),
            ROW - 7.0,
            bar.colour,
            NAMES + length.max(1.0) + 8.0,
            y + 15.0,
            escape(&bar.label)
        );
    }
    svg + "</svg>"
}

/// Layers on one another from left to right, with the name of each at its end. `steps` names the x axis at its ends.
pub fn layers(title: &str, layers: &[Layer], steps: (&str, &str)) -> String {
    const TOP: f64 = 10.0;
    const HEIGHT: f64 = 340.0;
    const LEFT: f64 = 60.0;
    let right = WIDTH - LABELS;
    let mut svg = open(TOP + HEIGHT + 34.0, title);
    let count = layers.iter().map(|layer| layer.shares.len()).max().unwrap_or(0);
    let x = |step: usize| LEFT + (right - LEFT) * float(step) / float(count.saturating_sub(1)).max(1.0);
    let y = |share: f64| TOP + HEIGHT * (1.0 - share);
    let mut below = vec![0.0; count];
    let mut free = f64::INFINITY;
    for layer in layers {
        let above: Vec<f64> = below.iter().zip(&layer.shares).map(|(from, share)| from + share).collect();
        let up = above.iter().enumerate().map(|(step, share)| (x(step), y(*share)));
        let back = below.iter().enumerate().rev().map(|(step, share)| (x(step), y(*share)));
        let points: Vec<String> = up.chain(back).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(
            svg,
            "<polygon points=\"{}\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"1\"/>",
            points.join(" "),
            layer.colour
        );
        if let Some((from, to)) = below.last().zip(above.last()) {
            let middle = y(f64::midpoint(*from, *to));
            // A name needs room of its own, or it is left out.
            if free - middle >= 17.0 {
                let _ = write!(
                    svg,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"{}\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    right + 8.0,
                    middle - 5.0,
                    layer.colour,
                    right + 24.0,
                    middle + 5.0,
                    escape(&layer.name)
                );
                free = middle;
            }
        }
        below = above;
    }
    for percent in [0_u32, 25, 50, 75, 100] {
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#5b6472\">{percent} %</text>",
            LEFT - 8.0,
            y(f64::from(percent) / 100.0) + 5.0
        );
    }
    let bottom = TOP + HEIGHT + 24.0;
    let _ = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"{bottom}\" fill=\"#5b6472\">{}</text>\
         <text x=\"{right}\" y=\"{bottom}\" text-anchor=\"end\" fill=\"#5b6472\">{}</text>",
        escape(steps.0),
        escape(steps.1)
    );
    svg + "</svg>"
}

/// Columns side by side: what stands below each, its height, and what stands above it.
pub fn columns(title: &str, columns: &[(String, f64, String)], colour: &str) -> String {
    const HEIGHT: f64 = 220.0;
    const TOP: f64 = 24.0;
    let most = columns.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let step = WIDTH / float(columns.len()).max(1.0);
    let mut svg = open(TOP + HEIGHT + 30.0, title);
    for (at, (below, value, above)) in columns.iter().enumerate() {
        let (x, height) = (step * float(at), HEIGHT * value / most);
        let (middle, top) = (x + step / 2.0, TOP + HEIGHT - height);
        let _ = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"2\" fill=\"{colour}\"/>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"13\" fill=\"#5b6472\">{}</text>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"13\">{}</text>",
            x + 3.0,
            (step - 6.0).max(1.0),
            top - 6.0,
            escape(above),
            TOP + HEIGHT + 20.0,
            escape(below)
        );
    }
    svg + "</svg>"
}

#[expect(clippy::cast_precision_loss, reason = "counts of marks on a page are small")]
fn float(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_text_and_the_longest_bar_takes_all_the_room() {
        let bar = |name: &str, value| Bar { name: name.into(), value, label: String::new(), colour: "#000" };
        let svg = bars("a<b", &[bar("x<y", 2.0), bar("z", 1.0), bar("minus", -3.0)]);
        assert!(svg.contains("aria-label=\"a&lt;b\"") && svg.contains(">x&lt;y<"), "{svg}");
        let widths: Vec<&str> = svg.split("width=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(widths, ["330.0", "165.0", "1.0"]);
    }

    #[test]
    fn layers_fill_the_whole_height_and_thin_ones_stay_nameless() {
        let layer = |name: &str, share| Layer { name: name.into(), colour: "#000", shares: vec![share, share] };
        let all = [layer("low", 0.5), layer("thin", 0.01), layer("thinner", 0.01), layer("high", 0.48)];
        let svg = layers("shares", &all, ("day 1", "day 2"));
        let named: Vec<bool> =
            ["low", "thin", "thinner", "high"].iter().map(|name| svg.contains(&format!(">{name}<"))).collect();
        assert_eq!(named, [true, true, false, true]);
        assert!(svg.contains("745.0,10.0"), "the last layer ends at the top: {svg}");
    }
}
