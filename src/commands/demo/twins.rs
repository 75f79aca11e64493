//! Placements that differ from those of a bundle in their strategy alone, written as text. Compiles nothing.
//!
//! Strategies can only be compared fairly on the same visits. So every placement gets one twin for each other strategy,
//! which the same visits are sent past; whatever rules say of the placement they say of its twins too.

use proffer::policy::Source;

/// The strategies compared: what is appended to a placement's id, and how its `strategy` begins. The first one is the
/// placement as its author wrote it.
pub const LANES: [Lane; 3] = [
    Lane { suffix: "", strategy: None, label: "as declared" },
    Lane { suffix: "_linucb", strategy: Some("name: linucb, alpha: 1"), label: "linucb" },
    Lane { suffix: "_uniform", strategy: Some("name: uniform"), label: "uniform" },
];

/// One strategy among those compared.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    /// Behind the placement's id.
    pub suffix: &'static str,
    /// In place of the declared strategy's name.
    pub strategy: Option<&'static str>,
    /// For people.
    pub label: &'static str,
}

/// The id of a placement in a lane.
pub fn placement_id(placement: &str, lane: usize) -> String {
    format!("{placement}{}", LANES.get(lane).map_or("", |lane| lane.suffix))
}

/// The bundle with a twin of every placement in every lane but the first.
pub fn with_twins(bundle: Vec<Source>) -> Vec<Source> {
    let ids: Vec<String> = bundle.iter().filter(|file| is_placements(file)).flat_map(|file| ids(&file.text)).collect();
    let twinned = bundle.into_iter().map(|file| {
        let text = if is_placements(&file) { twin_blocks(&file.text) } else { twin_scopes(&file.text, &ids) };
        Source { path: file.path, text }
    });
    twinned.collect()
}

fn is_placements(file: &Source) -> bool {
    file.path == "placements.yaml"
}

const ITEM: &str = "  - id: ";

fn ids(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix(ITEM)).map(|id| id.trim().to_owned()).collect()
}

/// Every item of the list once more for each lane, behind the list as it is.
fn twin_blocks(text: &str) -> String {
    let mut all = text.trim_end().to_owned();
    all.push('\n');
    for block in text.split_inclusive('\n').fold(Vec::<String>::new(), items) {
        for lane in LANES.iter().filter(|lane| lane.strategy.is_some()) {
            all.push('\n');
            let lines = block.lines().map(|line| in_lane(line, *lane));
            all.extend(lines.map(|line| line + "\n"));
        }
    }
    all
}

/// Gathers the lines of each item; what stands before the first one and comments belong to none.
fn items(mut blocks: Vec<String>, line: &str) -> Vec<String> {
    if line.starts_with(ITEM) {
        blocks.push(line.to_owned());
    } else if let Some(block) = blocks.last_mut().filter(|_| line.starts_with("    ")) {
        block.push_str(line);
    }
    blocks
}

fn in_lane(line: &str, lane: Lane) -> String {
    if let Some(id) = line.strip_prefix(ITEM) {
        return format!("{ITEM}{}{}", id.trim(), lane.suffix);
    }
    match (line.split_once("strategy: {"), lane.strategy) {
        (Some((before, settings)), Some(strategy)) => {
            let kept = settings.trim_end().trim_end_matches('}').split(',').map(str::trim);
            let kept = kept.filter(|setting| !setting.starts_with("name:") && !setting.starts_with("alpha:"));
            let settings: Vec<&str> = std::iter::once(strategy).chain(kept).collect();
            format!("{before}strategy: {{{}}}", settings.join(", "))
        }
        _ => line.to_owned(),
    }
}

/// Whatever is said of some placements is said of their twins.
fn twin_scopes(text: &str, ids: &[String]) -> String {
    const LIST: &str = "placements: [";
    let lines = text.split_inclusive('\n').map(|line| {
        let Some((before, rest)) = line.split_once(LIST) else { return line.to_owned() };
        let Some((listed, after)) = rest.split_once(']') else { return line.to_owned() };
        let named = listed.split(',').map(str::trim).flat_map(|id| {
            let lanes = if ids.iter().any(|known| known == id) { LANES.len() } else { 1 };
            (0..lanes).map(move |lane| placement_id(id, lane))
        });
        format!("{before}{LIST}{}]{after}", named.collect::<Vec<_>>().join(", "))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use proffer::policy::compile;

    use super::*;
    use crate::commands::sample;

    #[test]
    fn a_twin_differs_from_its_placement_in_id_and_strategy_alone() {
        let shop = compile(&sample::policies()).unwrap();
        let twinned = compile(&with_twins(sample::policies())).unwrap();
        assert_eq!(twinned.placements.len(), LANES.len() * shop.placements.len());
        for (id, declared) in &shop.placements {
            for (at, lane) in LANES.iter().enumerate() {
                let twin = twinned.placement(&placement_id(id.as_str(), at)).unwrap();
                let mut expected = declared.clone();
                expected.id = twin.id.clone();
                if lane.strategy.is_some() {
                    assert_eq!(twin.champion.strategy.name(), lane.label);
                    // What variants begin as goes with the strategy, where the placement does not say it.
                    (expected.champion.strategy, expected.champion.prior) =
                        (twin.champion.strategy, twin.champion.prior);
                }
                assert_eq!(*twin, expected);
            }
        }
    }

    #[test]
    fn a_rule_about_a_placement_is_about_its_twins() {
        let ids = ["email".to_owned()];
        assert_eq!(
            twin_scopes("  - id: x\n    applies_to: {placements: [email, other], offers: [a]}\n", &ids),
            "  - id: x\n    applies_to: {placements: [email, email_linucb, email_uniform, other], offers: [a]}\n"
        );
    }
}
