//! Whoever may write to the database alters it in whatever way, over every table that the log covers: verification
//! finds it. And it finds nothing where nothing was altered.
//!
//! Not covered, and not tried: which node and which of its starts committed a batch, and the term that appended last.
//!
//! `PROFFER_TEST_SEEDS` plays more: 10,000 are the whole trial.

mod alter;
mod ground;

use proffer::runtime::RuntimeError;
use proffer::runtime::verify::{Findings, Omitted, Verified, Verifier};
use proffer::store::{Store, StoreError};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use self::alter::{Altered, Database, TABLES, alter};
use self::ground::Ground;
use crate::harness::database::Kind;

fn seeds(otherwise: u64) -> u64 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(otherwise)
}

async fn verify(ground: &Ground, store: &dyn Store, omitted: Option<Omitted>) -> Result<Verified, RuntimeError> {
    let (master, key_file) = (&ground.master, ground.key_file.as_path());
    Verifier { store, master, key_file, progress: &|_, _| {}, omitted }.run().await
}

/// What was found; what cannot be read at all counts as found.
fn found(verified: Result<Verified, RuntimeError>) -> Findings {
    match verified {
        Ok(verified) => verified.findings,
        Err(RuntimeError::Store(StoreError::Corrupt(told))) => {
            let mut findings = Findings::default();
            findings.add("store", told);
            findings
        }
        Err(error) => panic!("verification failed: {error}"),
    }
}

fn told(findings: &Findings) -> String {
    findings.first.iter().fold(String::new(), |told, finding| told + &format!("{finding}\n"))
}

async fn clean(ground: &Ground, store: &dyn Store) {
    let verified = verify(ground, store, None).await.unwrap();
    assert!(verified.findings.is_empty(), "a false alarm:\n{}", told(&verified.findings));
    assert!(verified.decisions > 256 && verified.changes > 5 && verified.batches > 10, "{verified:?}");
    assert_eq!(verified.head.size, verified.decisions + verified.changes);
}

async fn trial(ground: &Ground, seed: u64) -> Altered {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut database = ground.fresh().await;
    let altered = alter(&mut database, &mut random).await;
    let store = ground.open(&database).await;
    let findings = found(verify(ground, store.as_ref(), None).await);
    assert!(
        !findings.is_empty(),
        "seed {seed}: nobody found that {altered}; PROFFER_TEST_SEED={seed} PROFFER_TEST_SEEDS=1 plays it again"
    );
    altered
}

async fn trials(kind: Kind, count: u64) {
    let ground = Ground::make(kind).await;
    for _ in 0..count.div_ceil(10) {
        let database = ground.fresh().await;
        clean(&ground, ground.open(&database).await.as_ref()).await;
    }
    let first = std::env::var("PROFFER_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0_u64);
    let (mut tables, mut ways) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
    for seed in first..first + count {
        let altered = trial(&ground, seed).await;
        *tables.entry(altered.table).or_insert(0_u32) += 1;
        *ways.entry(altered.way).or_insert(0_u32) += 1;
    }
    println!("{kind:?}: {count} found, {} clean; by table {tables:?}; by way {ways:?}", count.div_ceil(10));
    if count >= 200 {
        assert!(TABLES.iter().all(|table| tables.contains_key(table.name)), "{tables:?}");
    }
    ground.remove().await;
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future);
}

#[test]
fn whatever_is_altered_in_an_sqlite_file_is_found() {
    block_on(trials(Kind::Sqlite, seeds(30)));
}

#[test]
fn whatever_is_altered_in_a_postgresql_database_is_found() {
    block_on(trials(Kind::Postgres, seeds(10).div_ceil(10)));
}

/// Something is altered that one check alone finds: with it, and not without it.
async fn only(ground: &Ground, check: Omitted, sql: &[&str], expected: &str) {
    let mut database = ground.fresh().await;
    for sql in sql {
        database.run(sql).await;
    }
    let store = ground.open(&database).await;
    let findings = found(verify(ground, store.as_ref(), None).await);
    assert!(told(&findings).contains(expected), "{check:?}: expected `{expected}`, found:\n{}", told(&findings));
    let missed = found(verify(ground, store.as_ref(), Some(check)).await);
    assert!(missed.is_empty(), "{check:?} is not needed:\n{}", told(&missed));
}

#[test]
fn a_check_that_is_left_out_is_noticed() {
    block_on(async {
        let ground = Ground::make(Kind::Sqlite).await;
        let private = "update decision set private = randomblob(length(private)) where rowid = 7";
        only(&ground, Omitted::Records, &[private], "its private part is not what its record commits to").await;
        let batch = "update batch set digest = randomblob(32) where number = 3";
        only(&ground, Omitted::Batches, &[batch], "its digest is not that of its decisions").await;
        let posting =
            "update log_posting set bits = cast(x'ff' || substr(bits, 2) as blob) where field = 0 and segment = 0";
        only(&ground, Omitted::Postings, &[posting], "a search for placement").await;
        let decision = "insert into decision select cast(x'00' || substr(decision_id, 2) as blob), subject_id, at, \
             request_digest, skeleton, private, leaf from decision where rowid = 9";
        only(&ground, Omitted::Extras, &[decision], "neither the log nor a batch that waits has it").await;

        // The whole file as it was: only what is kept beside it knows better.
        let database = ground.older().await;
        let store = ground.open(&database).await;
        let findings = found(verify(&ground, store.as_ref(), None).await);
        assert!(told(&findings).contains("the store was cut back"), "{}", told(&findings));
        assert_eq!(found(verify(&ground, store.as_ref(), Some(Omitted::Outside)).await), Findings::default());
        ground.remove().await;
    });
}

#[test]
fn seeds_play_the_same_again() {
    block_on(async {
        let ground = Ground::make(Kind::Sqlite).await;
        let mut seen = Vec::new();
        for _ in 0..2 {
            let mut random = ChaCha8Rng::seed_from_u64(5);
            let mut database: Database = ground.fresh().await;
            seen.push((alter(&mut database, &mut random).await.to_string(), random.random::<u64>()));
        }
        assert_eq!(seen[0], seen[1]);
        ground.remove().await;
    });
}
