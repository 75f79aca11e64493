//! The log: what one step costs on one core, by candidates of a decision: decoding, search terms and tree alone, and
//! with the store that keeps it. Times no decision and no commit.
//!
//! `cargo bench --bench log -- postgres://...` measures on that database instead of an SQLite file.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::time::Instant;

use proffer::domain::decision::{Private, Record, Skeleton, decode_skeleton};
use proffer::domain::key::SubjectKey;
use proffer::domain::{DecisionId, Span};
use proffer::engine::batch::{Batch, CommitOutcome, DecisionWrite};
use proffer::engine::log::{RuleNames, Unlogged, append};
use proffer::store::{Holder, Store, open};
use proffer::transparency::merkle_root;

const DECISIONS: u64 = 20_000;
const BATCH: u64 = 250;
const STEP: u32 = 1_024;

fn golden() -> Skeleton {
    let hex: String = include_str!("../tests/golden/worked_example.skeleton.2.hex").split_whitespace().collect();
    let bytes: Vec<u8> =
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    decode_skeleton(&bytes).unwrap()
}

/// A decision among so many candidates.
fn record(template: &Skeleton, number: u64, candidates: usize) -> DecisionWrite {
    let mut skeleton = template.clone();
    let mut bits = [0; 10];
    bits[2..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    skeleton.decision_id = DecisionId::from_parts(1_780_000_000_000 + i64::try_from(number / 10).unwrap(), bits);
    skeleton.candidates = template.candidates.iter().cycle().take(candidates).cloned().collect();
    for slot in &mut skeleton.slots {
        slot.probabilities = template.slots[0].probabilities.iter().cycle().take(candidates).copied().collect();
    }
    let record = Record::seal(&mut skeleton, &Private::default(), &SubjectKey([7; 32]));
    let (decision_id, request_digest, at) = (skeleton.decision_id, skeleton.request_digest, skeleton.at);
    DecisionWrite { decision_id, subject: None, beside: Vec::new(), at, request_digest, record, takes: Vec::new() }
}

async fn fill(store: &dyn Store, node: &str, candidates: usize) -> usize {
    let template = golden();
    // No id twice in one database.
    let (mut bytes, first) = (0, 1_000_000 * candidates as u64);
    for number in 1..=DECISIONS / BATCH {
        let decisions: Vec<DecisionWrite> =
            (0..BATCH).map(|at| record(&template, first + number * BATCH + at, candidates)).collect();
        bytes += decisions.iter().map(|decision| decision.record.skeleton.len()).sum::<usize>();
        let leaves: Vec<_> = decisions.iter().map(|decision| decision.record.leaf).collect();
        let digest = merkle_root(&leaves);
        let (node, subjects) = (node.to_owned(), Vec::new());
        let batch = Batch { node, incarnation: 1, number, digest, control_sequence: 0, subjects, decisions };
        assert!(store.commit(&batch).await.unwrap() == CommitOutcome::Stored, "batch {number} is not stored");
    }
    bytes
}

fn skeletons(work: &Unlogged) -> Vec<Skeleton> {
    work.decisions().map(|leaf| decode_skeleton(&leaf.skeleton).unwrap()).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let given = std::env::args().find(|argument| argument.starts_with("postgres"));
    println!(
        "| store | candidates | bytes | reading | decoding, terms, tree | storing | all | decisions/s on one core |"
    );
    for candidates in [20, 100] {
        let folder = tempfile::tempdir().unwrap();
        let url = given.clone().unwrap_or_else(|| format!("sqlite:{}", folder.path().join("p.sqlite").display()));
        let store = open(&url, 2).await.unwrap();
        let node = format!("bench-{candidates}");
        // Longer than the benchmark takes.
        let who = Holder { node: node.clone(), incarnation: store.start_incarnation(&node).await.unwrap() };
        let term = store.elect(&who, Span(1)).await.unwrap().unwrap();
        let bytes = fill(store.as_ref(), &node, candidates).await;
        let (mut reading, mut making, mut storing) = (0.0, 0.0, 0.0);
        loop {
            let start = Instant::now();
            let work = store.unlogged(STEP).await.unwrap();
            reading += start.elapsed().as_secs_f64();
            if work.is_empty() {
                break;
            }
            let start = Instant::now();
            let skeletons = skeletons(&work);
            let step = append(work, &skeletons, &RuleNames::new()).unwrap();
            making += start.elapsed().as_secs_f64();
            let start = Instant::now();
            assert!(store.append_log(term, &step).await.unwrap());
            storing += start.elapsed().as_secs_f64();
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
        let (count, bytes) = (DECISIONS as f64, bytes as f64);
        let us = |seconds: f64| seconds * 1e6 / count;
        let all = reading + making + storing;
        println!(
            "| {} | {candidates} | {:.0} | {:.1} us | {:.1} us | {:.1} us | {:.1} us | {:.0} |",
            url.split(':').next().unwrap_or_default(),
            bytes / count,
            us(reading),
            us(making),
            us(storing),
            us(all),
            count / all
        );
    }
}
