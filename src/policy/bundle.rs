//! The bundle: one checked, hashed, immutable set of policies, and how it is compiled. Reads no disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::authority::{self, Demands, Uses, definition};
use super::cases::{self, Tests};
use super::condition::{self, Asked, Columns, Facts, Program};
use super::declare::Declared;
use super::declared::attributes::{self, AttributeKind, AttributeSpec, CATEGORY};
use super::declared::calendars::{self, CALENDARS, Calendars};
use super::declared::features::Catalog;
use super::declared::measured::{self, FAIRNESS};
use super::declared::placements;
use super::declared::purposes::{self, PurposeSpec, Purposes};
use super::declared::stores::{self, STORES, StoreNames, Stores};
use super::finding::{Place, Report};
use super::kinds::caps::{self, CapWindows};
use super::kinds::guards;
use super::kinds::measures;
use super::kinds::overrides;
use super::read::{self, Fields};
use super::rules::{self, Categories, Known, Rule, RuleKind};
use super::shelf::{Memo, Shelves};
use super::suggest::nearest;
use super::syntax::{self, Node};
use super::{Finding, codes};
use crate::domain::{
    AttributeId, AttributeScope, Catalogue, DecisionRequest, Digest, LocalTime, Malformed, Placement, PlacementId,
    PurposeId, StoreId, SubjectKinds, Timestamp, Value,
};

/// Names the meaning given to the text: it changes whenever the same text would come to mean something else that a
/// record does not say by itself, as it says what variants began as.
pub const COMPILER: &str = "proffer/policy/1";

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Relative to the directory of the bundle, with `/`, such as `rules/10-consent.yaml`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// One checked, hashed, immutable set of policies.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// BLAKE3 over [`COMPILER`] and every path and text.
    pub hash: Digest,
    /// The revision of the switches that were set beside it, whose rules are among its own; nothing where none ever
    /// were. No part of the hash.
    pub switches: Option<u64>,
    /// For people.
    pub name: String,
    /// What it was compiled from, by path, with line ends normalised.
    pub sources: Vec<Source>,
    /// Where decisions are asked for.
    pub placements: BTreeMap<PlacementId, Placement>,
    /// What is declared about customers, contexts and offers.
    pub attributes: BTreeMap<AttributeId, AttributeSpec>,
    /// What data may be processed for.
    pub purposes: BTreeMap<PurposeId, PurposeSpec>,
    /// The clocks and regions of stores.
    pub(super) stores: Stores,
    /// What is measured of it: as [`Self::hash`], without its tests and without [`FAIRNESS`].
    pub measured: Digest,
    /// The report of its fairness, where it names one.
    pub report: Option<Digest>,
    /// By kind and id, built-in ones among them. Positions name rules in records.
    pub rules: Vec<Rule>,
    /// Changes with whatever changes what a cap counts; counters built for another set are rebuilt from contacts.
    pub cap_set: Digest,
    /// The kinds of subject that caps count for.
    pub counted: SubjectKinds,
    /// Whether every rule leaves out what it speaks against and none is lifted, so that nothing is ever noted.
    pub(super) only_blocks: bool,
    /// Positions of guards of audiences.
    pub(super) guards: Vec<u16>,
    /// Every condition, compiled.
    program: Program,
    /// What it says of the offers of the catalogues asked about last.
    memo: Memo,
    /// What people have to approve.
    pub demands: Demands,
    /// Every use of an attribute that they have to.
    pub uses: Uses,
    /// The position of the rule about offers that they have to.
    pub(super) approval: Option<u16>,
}

impl Bundle {
    /// The hash as people and answers show it: `b3:` and hexadecimal.
    pub fn hash_text(&self) -> String {
        format!("b3:{}", self.hash.hex())
    }

    /// The same with other rules, in their order, among which no cap is another one. Whatever names rules by their
    /// position is made anew.
    pub(super) fn with_rules(&self, rules: Vec<Rule>, switches: u64) -> Self {
        Self {
            only_blocks: only_blocks(&rules),
            guards: guards::positions(&rules),
            program: Program::new(&rules, &self.placements),
            approval: position(&rules, |kind| *kind == RuleKind::Approval),
            memo: Memo::default(),
            switches: Some(switches),
            rules,
            ..self.clone()
        }
    }

    /// The placement of this id.
    pub fn placement(&self, id: &str) -> Option<&Placement> {
        self.placements.get(id)
    }

    /// Everything wrong with attribute values of one scope, given by the name behind the scope: (name, message).
    pub fn check_attributes(&self, scope: AttributeScope, values: &BTreeMap<String, Value>) -> Vec<(String, String)> {
        attributes::problems(&self.attributes, scope, values)
    }

    /// What the bundle says of the offers of a catalogue, whoever asks. Computed when first asked for.
    pub fn shelves(&self, catalogue: &Arc<Catalogue>) -> Arc<Shelves> {
        self.memo.shelves(catalogue, || {
            let columns = Arc::new(self.program.columns(&self.rules, catalogue));
            Shelves::new(&self.rules, self.placements.values(), columns, catalogue)
        })
    }

    /// What the conditions of the bundle know of the offers of a catalogue.
    #[cfg(test)]
    pub(super) fn columns(&self, catalogue: &Arc<Catalogue>) -> Arc<Columns> {
        self.shelves(catalogue).columns.clone()
    }

    /// Asks the conditions that apply at a placement about one request; [`Asked::fail`] then tells for each offer.
    pub fn ask<'a>(&'a self, columns: &'a Columns, placement: &Placement, facts: &Facts<'_>) -> Asked<'a> {
        Asked::new(&self.program, &self.rules, columns, placement, facts)
    }

    /// Whether a condition at the placement reads an attribute of customer or context.
    pub fn reads(&self, placement: &Placement, id: &AttributeId) -> bool {
        self.program.reads(&placement.id, id)
    }

    /// The hash of an attribute's definition, which approvals of its uses are pinned to; nothing where it is not
    /// declared.
    pub fn definition(&self, id: &AttributeId) -> Option<Digest> {
        Some(definition(self.attributes.get(id)?, &|id| self.attributes.get(id)))
    }

    /// The position of the built-in rule by which an offer that needs approval and has none is left out; nothing where
    /// offers need none.
    pub fn approval_rule(&self) -> Option<u16> {
        self.approval
    }

    /// Whether a guard of an audience applies at the placement.
    pub fn guards(&self, placement: &Placement) -> bool {
        let rules = self.guards.iter().filter_map(|at| self.rule(*at));
        rules.into_iter().any(|rule| rule.applies_to.covers_placement(placement))
    }

    /// The time where the customer is, in UTC if the request names no time zone; nothing where no rule of the placement
    /// asks for it.
    pub fn local_time_read(&self, placement: &Placement, time_zone: Option<&str>, now: Timestamp) -> Option<LocalTime> {
        if !self.program.reads_local_time(&placement.id) {
            return None;
        }
        let zone = time_zone.and_then(|name| name.parse().ok());
        condition::local_time(now, zone.unwrap_or(chrono_tz::UTC), zone.is_some())
    }

    /// What the rule at a position wants said beside a personalised price.
    pub fn disclosure(&self, at: u16) -> Option<&str> {
        match &self.rule(at)?.kind {
            RuleKind::PricePersonalisation(personalisation) => personalisation.disclosure.as_deref(),
            _ => None,
        }
    }

    /// Where a request comes from as rules about regions see it: the jurisdiction it names, else the region of the
    /// store it names. Gates never guess one.
    pub fn region<'a>(&'a self, jurisdiction: Option<&'a str>, store: Option<&StoreId>) -> Option<&'a str> {
        jurisdiction.or_else(|| self.stores.region(store))
    }

    /// Where the windows of caps begin for a request decided at `now`.
    pub fn windows(&self, request: &DecisionRequest, now: Timestamp) -> CapWindows {
        CapWindows::at(now, request.time_zone.as_deref()).in_store(self.stores.zone(request.store.as_ref()))
    }

    /// The rule at a position.
    pub fn rule(&self, at: u16) -> Option<&Rule> {
        self.rules.get(usize::from(at))
    }
}

const LAYOUT: &str = "a bundle has bundle.yaml, placements.yaml, fairness.yaml, catalog/attributes.yaml, \
                      catalog/calendars.yaml, catalog/purposes.yaml, catalog/stores.yaml, rules/*.yaml and tests/**";

const NEEDED: [(&str, &str); 3] = [
    ("bundle.yaml", "add it with `name: my-shop` and `schema: 1`"),
    ("catalog/purposes.yaml", "add it with a list `purposes:`; every placement names one"),
    ("placements.yaml", "add it with a list `placements:`"),
];

const ATTRIBUTES: &str = "catalog/attributes.yaml";

/// Compiles the files of a bundle, or says everything that is wrong with them, by file and line. What stands below
/// `tests/` belongs to the bundle and is not read: a bundle once published stays readable, whatever tests come to mean.
pub fn compile(files: &[Source]) -> Result<Bundle, Vec<Finding>> {
    compiled(files, false).map(|(bundle, _)| bundle)
}

/// As [`compile`], with the tests of the bundle: what is wrong with them is told together with the rest.
pub fn compile_with_tests(files: &[Source]) -> Result<(Bundle, Tests), Vec<Finding>> {
    compiled(files, true)
}

fn compiled(files: &[Source], with_tests: bool) -> Result<(Bundle, Tests), Vec<Finding>> {
    let mut sources: Vec<Source> = files
        .iter()
        .map(|file| Source { path: file.path.clone(), text: file.text.replace("\r\n", "\n").replace('\r', "\n") })
        .collect();
    sources.sort_by(|a, b| (&a.path, &a.text).cmp(&(&b.path, &b.text)));
    let mut report = Report::new(&sources);
    check_layout(&mut report, &sources);
    if with_tests {
        cases::check_layout(&mut report, sources.iter().map(|source| source.path.as_str()).enumerate());
    }
    let parts = read_all(&mut report, &sources, with_tests);
    let findings = report.finish();
    match parts {
        Some(parts) if findings.is_empty() => {
            let bundle = Bundle {
                hash: hash(sources.iter()),
                measured: hash(sources.iter().filter(|source| is_measured(&source.path))),
                report: parts.report,
                cap_set: caps::cap_set(&parts.rules, &parts.placements),
                counted: caps::counted_kinds(&parts.rules),
                only_blocks: only_blocks(&parts.rules),
                guards: guards::positions(&parts.rules),
                program: Program::new(&parts.rules, &parts.placements),
                memo: Memo::default(),
                switches: None,
                demands: parts.demands,
                uses: parts.uses,
                approval: position(&parts.rules, |kind| *kind == RuleKind::Approval),
                name: parts.name,
                sources,
                placements: parts.placements,
                attributes: parts.attributes,
                purposes: parts.purposes,
                stores: parts.stores,
                rules: parts.rules,
            };
            Ok((bundle, parts.tests))
        }
        _ => Err(findings),
    }
}

fn only_blocks(rules: &[Rule]) -> bool {
    rules.iter().all(|rule| rule.blocks() && !rule.lifts())
}

fn is_rules(path: &str) -> bool {
    path.strip_prefix("rules/")
        .and_then(|name| name.strip_suffix(".yaml"))
        .is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

fn check_layout(report: &mut Report<'_>, sources: &[Source]) {
    let fixed = || NEEDED.iter().map(|(path, _)| *path).chain([ATTRIBUTES, CALENDARS, STORES, FAIRNESS]);
    for (at, source) in sources.iter().enumerate() {
        let path = source.path.as_str();
        if at > 0 && sources[at - 1].path == path {
            report
                .add(codes::FILE_TWICE, Place::file(at), format!("file `{path}` is given twice"), "")
                .with_help("keep one");
        }
        if !fixed().any(|known| known == path) && !is_rules(path) && !path.starts_with("tests/") {
            let yaml = path.strip_suffix(".yml").map(|stem| format!("{stem}.yaml"));
            let renamed = yaml.filter(|yaml| is_rules(yaml) || fixed().any(|known| known == yaml));
            let meant = renamed.or_else(|| nearest(path, fixed()).map(str::to_owned));
            let meant = meant.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            let message = format!("a bundle has no file `{path}`{meant}");
            report.add(codes::FILE_UNKNOWN, Place::file(at), message, "").with_help(LAYOUT);
        }
    }
    for (path, help) in NEEDED {
        if !sources.iter().any(|source| source.path == path) {
            report.add_missing(path, format!("file `{path}` is missing")).with_help(help);
        }
    }
}

fn position(rules: &[Rule], of: impl Fn(&RuleKind) -> bool) -> Option<u16> {
    rules.iter().position(|rule| of(&rule.kind)).and_then(|at| u16::try_from(at).ok())
}

struct Parts {
    name: String,
    demands: Demands,
    uses: Uses,
    placements: BTreeMap<PlacementId, Placement>,
    attributes: BTreeMap<AttributeId, AttributeSpec>,
    purposes: BTreeMap<PurposeId, PurposeSpec>,
    stores: Stores,
    report: Option<Digest>,
    rules: Vec<Rule>,
    tests: Tests,
}

/// Reads every file, each even where others are broken. `None` where there is no bundle to speak of.
fn read_all(report: &mut Report<'_>, sources: &[Source], with_tests: bool) -> Option<Parts> {
    let mut trees: BTreeMap<&str, Node> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        let path = source.path.as_str();
        let known = [ATTRIBUTES, CALENDARS, STORES, FAIRNESS].contains(&path)
            || is_rules(path)
            || NEEDED.iter().any(|(needed, _)| *needed == path);
        let known = known || with_tests && cases::is_tests(path);
        if known && let Some(node) = syntax::parse(report, at, &source.text) {
            trees.insert(path, node);
        }
    }
    let named = trees.get("bundle.yaml").and_then(|root| bundle_file(report, root));
    let (attributes, attribute_names) = match trees.get(ATTRIBUTES) {
        Some(root) => attributes::read(report, root),
        None if sources.iter().any(|source| source.path == ATTRIBUTES) => (BTreeMap::new(), Declared::unreadable()),
        None => (BTreeMap::new(), Declared::default()),
    };
    let Purposes { specs: purposes, declared: purpose_names, obeying } = match trees.get("catalog/purposes.yaml") {
        Some(root) => purposes::read(report, root),
        None => Purposes { specs: BTreeMap::new(), declared: Declared::unreadable(), obeying: Vec::new() },
    };
    let calendars = match trees.get(CALENDARS) {
        Some(root) => calendars::read(report, root),
        None if sources.iter().any(|source| source.path == CALENDARS) => Calendars::unreadable(),
        None => Calendars::default(),
    };
    let stores = match trees.get(STORES) {
        Some(root) => stores::read(report, root),
        None if sources.iter().any(|source| source.path == STORES) => StoreNames::unreadable(),
        None => StoreNames::default(),
    };
    let catalog = Catalog { specs: &attributes, declared: &attribute_names, calendars: &calendars };
    let (placements, placement_names) = match trees.get("placements.yaml") {
        Some(root) => placements::read(report, root, catalog, &purpose_names),
        None => (BTreeMap::new(), Declared::unreadable()),
    };
    let measured = trees.get(FAIRNESS).and_then(|root| measured::read(report, root));
    let known = Known {
        specs: &purposes,
        purposes: &purpose_names,
        placements: &placements,
        placement_names: &placement_names,
        categories: categories(&attributes, &attribute_names),
        attributes: catalog,
        stores: &stores,
    };
    let mut rules = Vec::new();
    let mut declared = Declared::default();
    for (_, root) in trees.iter().filter(|(path, _)| is_rules(path)) {
        rules::read(report, root, known, &mut declared, &mut rules);
    }
    if !report.any_below("rules/") {
        purposes::check_signals(report, &obeying, &rules);
        measures::check(report, &rules, &placements, &declared);
    }
    let demands = named.as_ref().map(|(_, demands)| demands.clone()).unwrap_or_default();
    let rules = rules::in_order(rules, &demands);
    overrides::contradictions(report, &rules, &placements, &declared);
    let names = rules::names(report, &declared, &rules);
    let unread = |path: &str| cases::is_tests(path) && !trees.contains_key(path);
    let whole = !sources.iter().any(|source| unread(&source.path));
    let tests = if with_tests { cases::read(report, &trees, known, &names, whole) } else { Tests::default() };
    if u16::try_from(rules.len()).is_err() {
        let help = "split the bundle: records number the rules with 16 bits";
        let message = format!("{} rules are more than a bundle can number", rules.len());
        report.add(codes::RULES_MANY, Place::file(0), message, "").with_help(help);
    }
    let uses = authority::gather(report, &trees, (&placements, &rules), &attributes, &demands);
    let (name, demands) = named?;
    Some(Parts {
        name,
        demands,
        uses,
        placements,
        attributes,
        purposes,
        stores: stores.stores,
        report: measured,
        rules,
        tests,
    })
}

fn categories<'a>(specs: &'a BTreeMap<AttributeId, AttributeSpec>, declared: &Declared) -> Categories<'a> {
    match specs.get(CATEGORY).map(|spec| &spec.kind) {
        Some(AttributeKind::Enum(names)) => Categories::Declared(names),
        None if declared.lacks(CATEGORY) => Categories::Undeclared,
        _ => Categories::Unreadable,
    }
}

/// The fields of `bundle.yaml`.
pub(super) const FIELDS: [&str; 3] = ["name", "schema", "approvers"];

fn bundle_file(report: &mut Report<'_>, root: &Node) -> Option<(String, Demands)> {
    let fields = Fields::open(report, "bundle", root, &FIELDS, &[])?;
    let name = fields.need(report, "name", "name: my-shop").and_then(|node| {
        read::parsed(report, "bundle", node, "a name such as `my-shop`", |text| {
            let fits = !text.trim().is_empty() && text.len() <= 128;
            fits.then(|| text.to_owned()).ok_or_else(|| Malformed::new("a name has 1 to 128 bytes"))
        })
    });
    let schema =
        fields.need(report, "schema", "schema: 1").and_then(|node| read::whole(report, "bundle: schema", node, 1, 1));
    let demands = fields.get("approvers").map_or(Some(Demands::default()), |node| authority::read(report, node));
    schema?;
    Some((name?, demands?))
}

/// Feeds texts to a hash so that no two lists of texts give the same bytes.
fn feed(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
}

/// Whether a file says something that is measured.
fn is_measured(path: &str) -> bool {
    path != FAIRNESS && !path.starts_with("tests/")
}

fn hash<'a>(sources: impl Iterator<Item = &'a Source>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    feed(&mut hasher, COMPILER);
    for source in sources {
        feed(&mut hasher, &source.path);
        feed(&mut hasher, &source.text);
    }
    Digest(*hasher.finalize().as_bytes())
}
