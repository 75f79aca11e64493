//! Codes of findings, each shown right and wrong: a few lines of the bundle that `proffer policy init` writes, or lines
//! added to it. Checks nothing; a test checks that what is called wrong is told by its code, and what is right is not.

/// A gate that measures with the purpose that it asks for, then, where it is to be `measured`, the gate for consent to
/// that, and more lines.
macro_rules! fair_value {
    () => {
        r"fairness_gates:
  - id: fair.value
    why: Offers are worth as much to one tier as to another, charter 3
    attribute: customer.tier
    metric: parity
    at_least: 80%
    window: 30d
    min_group: 200
    interval: 95%
# catalog/purposes.yaml
  - {id: measurement, bases: {EU: [consent], US: [consent]}}"
    };
    (measured $(, $more:literal)?) => {
        concat!(
            fair_value!(),
            r"
# rules/10-consent.yaml
  - {id: consent.measured, why: Notice 9, purpose: measurement}",
            $($more)?
        )
    };
}

mod written;

mod meant;

mod asked;

mod warnings;

use serde::Serialize;

/// What a code is about, shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The code of the finding.
    pub code: &'static str,
    /// The file; `.` where it is about which files there are, of which the lines are then the names.
    pub path: &'static str,
    /// Lines as they should be. Those below a line `# catalog/stores.yaml` belong to that file.
    pub right: &'static str,
    /// The same with the mistake.
    pub wrong: &'static str,
}

/// The example of a code.
pub fn example(code: &str) -> Option<Example> {
    [warnings::WARNINGS, written::WRITTEN, meant::MEANT, asked::ASKED]
        .concat()
        .into_iter()
        .find(|example| example.code == code)
}

const FOLDER: &str = ".";
const MARGIN: &str = "rules/20-margin.yaml";
const CAPS: &str = "rules/30-caps.yaml";
const OFFERS: &str = "rules/40-offers.yaml";
const CONSENT: &str = "rules/10-consent.yaml";
const PLACEMENTS: &str = "placements.yaml";
const ATTRIBUTES: &str = "catalog/attributes.yaml";
const PURPOSES: &str = "catalog/purposes.yaml";
const CASES: &str = "tests/rules.test.yaml";
const FIXTURES: &str = "tests/fixtures/shop.yaml";

/// A row of a table.
const fn row(code: &'static str, path: &'static str, right: &'static str, wrong: &'static str) -> Example {
    Example { code, path, right, wrong }
}
