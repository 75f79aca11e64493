//! The log as auditors meet it: proofs checked by a tool that is not ours, tiles, growth, what waits, what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proffer::domain::decision::{decode_skeleton, leaf};
use proffer::domain::key::MasterKey;
use proffer::runtime::site_key;
use proffer::transparency::checkpoint::{Checkpoint, verifier};
use proffer::transparency::tile::{TileId, Tiles, tile_hashes};
use serde_json::{Value, json};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::Hash;

use super::service::{Plan, Service};
use super::shop::{self, ask, ask_as, id, with};
use crate::harness::database::Kind;

fn logged(service: &Service) {
    service.wait(service.core.logged_all()).unwrap();
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn hash(value: &Value) -> Hash {
    Hash(bytes(value).try_into().unwrap())
}

fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

/// The checkpoint that is served, with its signature verified by another tool.
fn checkpoint(service: &Service) -> Checkpoint {
    let answer = service.call("GET", "/v1/log/checkpoint", None);
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "text/plain; charset=utf-8"));
    let site = site_key(&MasterKey([1; 32]));
    let checkpoint = Checkpoint::open(&answer.body, &site).unwrap();
    let known = StandardVerifier::new(&verifier(&checkpoint.origin, &site)).unwrap();
    let note = Note::from_bytes(answer.body.as_bytes()).unwrap();
    assert_eq!(note.verify(&VerifierList::new(vec![Box::new(known)])).unwrap().0.len(), 1);
    checkpoint
}

#[test]
fn every_decision_is_proved_to_stand_in_the_log_by_another_tool() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).engines(2).start();
        service.import(&shop::offers());
        service.consent("c-1", "granted");
        for number in 1..=9 {
            service.decide(&ask_as(number, &format!("c-{number}"))).ok();
        }
        service.decide(&json!({"placement": "home"})).ok();
        logged(&service);
        let newest = checkpoint(&service);
        let mut positions = Vec::new();
        for number in 1..=9 {
            let proof = service.call("GET", &format!("/v1/decisions/{}/proof", id(number)), None).ok();
            let record = bytes(&proof["record"]);
            assert_eq!(decode_skeleton(&record).unwrap().decision_id.to_string(), id(number));
            assert_eq!(bytes(&proof["leaf"]), leaf(&record).0);
            assert_eq!(proof["size"], newest.size);
            let (position, root) = (proof["position"].as_u64().unwrap(), Hash(newest.root.0));
            let proved = |record: &[u8]| {
                let (path, leaf) = (hashes(&proof["path"]), tlog_tiles::record_hash(record));
                tlog_tiles::check_record(&path, newest.size, root, position, leaf).is_ok()
            };
            assert!(proved(&record) && !proved(b"another record"), "{number}");
            positions.push(position);
        }
        positions.sort_unstable();
        positions.dedup();
        assert_eq!(positions.len(), 9);
        service.remove();
    }
}

#[test]
fn whoever_kept_a_checkpoint_sees_that_the_log_only_grew() {
    let service = Service::start();
    service.decide(&ask("c-1")).ok();
    logged(&service);
    let old = checkpoint(&service);
    for number in 1..=5 {
        service.decide(&ask_as(number, "c-2")).ok();
    }
    logged(&service);
    let new = checkpoint(&service);
    assert!(new.size > old.size && new.origin == old.origin);
    let growth = service.call("GET", &format!("/v1/log/consistency?from={}", old.size), None).ok();
    assert_eq!((growth["from"].as_u64(), growth["to"].as_u64()), (Some(old.size), Some(new.size)));
    let (before, after) = (Hash(old.root.0), Hash(new.root.0));
    tlog_tiles::check_tree(&hashes(&growth["path"]), new.size, after, old.size, before).unwrap();

    // The root follows from the tiles too, at either size.
    let mut tiles = Tiles::default();
    for size in [old.size, new.size] {
        let leaf = TileId { level: 0, index: 0 };
        let path = format!("{}/v1/log/tile/{}", service.url, leaf.path(usize::try_from(size).unwrap()));
        let mut answer = ureq::get(&path).header("authorization", format!("Bearer {}", service.admin)).call().unwrap();
        tiles.0.insert(leaf, tile_hashes(&answer.body_mut().read_to_vec().unwrap()).unwrap());
        let root = if size == old.size { old.root } else { new.root };
        assert_eq!(tiles.hash(&(0..size)), Ok(root));
    }
}

#[test]
fn what_is_not_there_is_told() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    logged(&service);
    let size = checkpoint(&service).size;
    let told = |path: &str| {
        let answer = service.call("GET", path, None);
        (answer.status, answer.json()["detail"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(told(&format!("/v1/decisions/{}/proof", id(9))), (404, format!("no decision `{}` is stored", id(9))));
    assert_eq!(told("/v1/decisions/x/proof").0, 422);
    let path = format!("/v1/log/consistency?from=1&to={}", size + 1);
    let none = format!("the log has no proof from 1 to {} leaves: its checkpoint is of {size}", size + 1);
    assert_eq!(told(&path), (404, none));
    assert_eq!(told("/v1/log/consistency?form=1").0, 422);
    let none = format!("tile `0/000` has {size} hashes so far, and 256 were asked for");
    assert_eq!(told("/v1/log/tile/0/000"), (404, none));
    assert_eq!(told("/v1/log/tile/9/000").0, 422);
    assert_eq!(
        told("/v1/log/tile/0/001.p/3"),
        (404, "tile `0/001.p/3` has 0 hashes so far, and 3 were asked for".into())
    );
}

#[test]
fn what_was_decided_before_a_restart_stays_where_it_was() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    logged(&service);
    let proof = |service: &Service| service.call("GET", &format!("/v1/decisions/{}/proof", id(1)), None).ok();
    let before = proof(&service);
    let service = service.restart();
    service.decide(&with(&ask("c-1"), "placement", &json!("explore"))).ok();
    logged(&service);
    let after = proof(&service);
    assert_eq!((&before["position"], &before["leaf"]), (&after["position"], &after["leaf"]));
    assert!(after["size"].as_u64() > before["size"].as_u64());
}
