//! The frozen corpus: decisions of every strategy and kind, in `tests/golden/replay`, made again to the bit wherever
//! this is run. Makes none of them, unless it is asked to.
//!
//! `tests/replay-elsewhere` runs it on processors with fewer instructions, on another C library and on another
//! architecture. `PROFFER_REWRITE_GOLDEN=1` makes the files anew: only for a new encoding or another distribution rule.

mod made;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{ModelAt, Verdict, Versions, replay, told};
use crate::bandit::Model;
use crate::domain::decision::{FallbackReason, Record, Skeleton};
use crate::domain::key::{GeneratorKey, SubjectKey};
use crate::domain::{Campaign, Catalogue, Digest, Offer, Strategy};
use crate::policy::{Bundle, Source, SwitchSpec, compile};

/// What all draws of the corpus are made with.
const GENERATOR: GeneratorKey = GeneratorKey { period: 7, key: [7; 32] };

/// The revision of its switches.
const SWITCHES: u64 = 3;

/// A record with its key and the model that it names, as they stand in a line.
#[derive(Serialize, Deserialize)]
struct Line {
    skeleton: String,
    private: String,
    leaf: String,
    key: String,
}

/// A model as it stands in a line.
#[derive(Serialize, Deserialize)]
struct ModelLine {
    digest: String,
    state: String,
}

/// Everything that the decisions of the corpus refer to, and the decisions.
struct Corpus {
    files: Vec<Source>,
    catalogue: Json,
    switches: Json,
    models: Vec<Model>,
    records: Vec<(Record, SubjectKey)>,
}

fn folder() -> PathBuf {
    // Under an emulator as on any machine: where the sources lie.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/replay")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

impl Corpus {
    fn bundle(&self) -> Bundle {
        compile(&self.files).unwrap_or_else(|findings| {
            panic!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })
    }

    fn catalogue(&self) -> Catalogue {
        let offers: Vec<Offer> = serde_json::from_value(self.catalogue["offers"].clone()).unwrap();
        let campaigns: Vec<Campaign> = serde_json::from_value(self.catalogue["campaigns"].clone()).unwrap();
        Catalogue::new(1, offers, campaigns)
    }

    fn switched(&self, bundle: &Bundle) -> Bundle {
        let switches: Vec<SwitchSpec> = serde_json::from_value(self.switches.clone()).unwrap();
        bundle.switched(SWITCHES, &switches).unwrap()
    }

    fn read() -> Self {
        let read = |name: &str| std::fs::read_to_string(folder().join(name)).unwrap();
        let files: Vec<String> = serde_json::from_str(&read("bundle/files.json")).unwrap();
        let source = |path: String| Source { text: read(&format!("bundle/{path}")), path };
        let lines = read("records.ndjson");
        let records = lines.lines().map(|line| {
            let Line { skeleton, private, leaf, key } = serde_json::from_str(line).unwrap();
            let leaf = Digest::from_hex(&leaf).unwrap();
            let record = Record { skeleton: unhex(&skeleton), private: unhex(&private), leaf };
            (record, SubjectKey(unhex(&key).try_into().unwrap()))
        });
        let models = read("models.ndjson");
        let models = models.lines().map(|line| {
            let ModelLine { digest, state } = serde_json::from_str(line).unwrap();
            let model = Model::decode(&unhex(&state)).unwrap();
            assert_eq!(model.digest().hex(), digest);
            model
        });
        Self {
            catalogue: serde_json::from_str(&read("catalogue.json")).unwrap(),
            switches: serde_json::from_str(&read("switches.json")).unwrap(),
            models: models.collect(),
            records: records.collect(),
            files: files.into_iter().map(source).collect(),
        }
    }

    fn write(&self) {
        let write = |name: &str, text: &str| {
            let path = folder().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let pretty = |json: &Json| format!("{}\n", serde_json::to_string_pretty(json).unwrap());
        for Source { path, text } in &self.files {
            write(&format!("bundle/{path}"), text);
        }
        let paths: Vec<&str> = self.files.iter().map(|source| source.path.as_str()).collect();
        write("bundle/files.json", &pretty(&json!(paths)));
        write("catalogue.json", &pretty(&self.catalogue));
        write("switches.json", &pretty(&self.switches));
        let line = |model: &Model| ModelLine { digest: model.digest().hex(), state: hex(&model.encode()) };
        let lines: Vec<String> =
            self.models.iter().map(|model| serde_json::to_string(&line(model)).unwrap() + "\n").collect();
        write("models.ndjson", &lines.concat());
        let line = |(record, key): &(Record, SubjectKey)| Line {
            skeleton: hex(&record.skeleton),
            private: hex(&record.private),
            leaf: record.leaf.hex(),
            key: hex(&key.0),
        };
        let lines: Vec<String> =
            self.records.iter().map(|record| serde_json::to_string(&line(record)).unwrap() + "\n").collect();
        write("records.ndjson", &lines.concat());
    }
}

/// What there has to be among them.
#[derive(Default)]
struct Met {
    strategies: BTreeSet<&'static str>,
    fallbacks: BTreeSet<String>,
    others: BTreeMap<&'static str, usize>,
}

impl Met {
    fn add(&mut self, skeleton: &Skeleton, record: &Record, key: &SubjectKey, bundle: &Bundle) {
        let private = record.private(key).unwrap();
        let placement = bundle.placement(skeleton.placement.as_str()).unwrap();
        let by = placement.contender_of(skeleton.challenger.as_ref()).unwrap();
        if !skeleton.slots.is_empty() {
            self.strategies.insert(by.strategy.name());
        }
        self.fallbacks.extend(skeleton.fallback.map(|reason| format!("{reason:?}")));
        let contacts = &private.contacts.readings;
        for (what, so) in [
            ("several slots", skeleton.slots.len() > 1),
            ("nothing drawn", skeleton.shown.len() < skeleton.slots.len()),
            ("personas", private.context.personas.is_some()),
            ("caps", contacts.iter().any(|reading| reading.until.is_none())),
            ("cool-downs", contacts.iter().any(|reading| reading.until.is_some())),
            ("pools", skeleton.pools.is_some()),
            ("switches", skeleton.switches.is_some()),
            ("a challenger", skeleton.challenger.is_some()),
            ("money", skeleton.money.is_some()),
            ("margins learned", skeleton.candidates.iter().any(|row| row.learned.is_some())),
            ("a refused purpose", skeleton.refused.is_some()),
            ("nobody", private.subject.read.is_none()),
            ("a household", private.subject.beside.is_some()),
            ("named offers", private.context.asked.as_ref().unwrap().restricted),
            ("a time zone", private.context.asked.as_ref().unwrap().time_zone.is_some()),
            ("a guard", private.context.guarded.is_some()),
            ("a warning", skeleton.candidates.iter().any(|row| row.noted.is_some())),
            ("something learned", skeleton.model.sequence > 0),
        ] {
            *self.others.entry(what).or_default() += usize::from(so);
        }
    }
}

#[test]
fn the_frozen_corpus_is_decided_again_to_the_bit() {
    if std::env::var_os("PROFFER_REWRITE_GOLDEN").is_some() {
        made::corpus().write();
    }
    let corpus = Corpus::read();
    let (bundle, catalogue) = (Arc::new(corpus.bundle()), Arc::new(corpus.catalogue()));
    let switched = Arc::new(corpus.switched(&bundle));
    let models: BTreeMap<Digest, &Model> = corpus.models.iter().map(|model| (model.digest(), model)).collect();
    let mut met = Met::default();
    for (at, (record, key)) in corpus.records.iter().enumerate() {
        let skeleton = record.skeleton().unwrap();
        let bundle = if skeleton.switches.is_some() { &switched } else { &bundle };
        let versions = Versions { bundle, catalogue: &catalogue, generator: &GENERATOR, key };
        let verdict = replay(record, &versions, ModelAt::Known(models[&skeleton.model.digest]));
        assert_eq!(verdict, Verdict::Identical, "line {}: {}", at + 1, told(&verdict).join("\n"));
        met.add(&skeleton, record, key, bundle);
    }
    assert_eq!(met.strategies, Strategy::NAMES.into_iter().collect());
    let reasons = [FallbackReason::PurposeRefused, FallbackReason::NoEligibleCandidate, FallbackReason::Holdout];
    let reasons = reasons.into_iter().chain([FallbackReason::Contention]).map(|reason| format!("{reason:?}"));
    assert_eq!(met.fallbacks, reasons.collect());
    assert!(met.others.values().all(|number| *number > 0), "{:?}", met.others);
    println!("{} decisions: {:?}", corpus.records.len(), met.others);
}
