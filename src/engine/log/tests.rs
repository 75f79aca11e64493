//! Steps of the log: what is refused, and how tiles and segments go on from one step to the next. Stores nothing.

use super::*;
use crate::domain::decision::{Private, Record, Skeleton, decode_skeleton};
use crate::domain::key::SubjectKey;
use crate::domain::{OfferId, Timestamp};

/// A record as it is kept on the page of the worked example, under another id.
fn leaf(number: u8) -> (NewLeaf, Skeleton) {
    let hex: String = include_str!("../../../tests/golden/worked_example.skeleton.2.hex").split_whitespace().collect();
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    let mut skeleton = decode_skeleton(&(0..hex.len() / 2).map(byte).collect::<Vec<u8>>()).unwrap();
    skeleton.decision_id = DecisionId::from_parts(1_700_000_000_000, [number; 10]);
    if number.is_multiple_of(2) {
        skeleton.shown[0].offer = OfferId::new("even").unwrap();
    }
    let record = Record::seal(&mut skeleton, &Private::default(), &SubjectKey([1; 32]));
    (NewLeaf { decision_id: skeleton.decision_id, skeleton: record.skeleton, leaf: record.leaf }, skeleton)
}

fn batch(number: u64, leaves: &[(NewLeaf, Skeleton)]) -> (NewBatch, Vec<Skeleton>) {
    let digest = merkle_root(&leaves.iter().map(|(leaf, _)| leaf.leaf).collect::<Vec<_>>());
    let key = BatchKey { node: "node".to_owned(), incarnation: 1, number };
    let decisions = leaves.iter().map(|(leaf, _)| leaf.clone()).collect();
    (NewBatch { key, digest, decisions }, leaves.iter().map(|(_, skeleton)| skeleton.clone()).collect())
}

#[test]
fn steps_go_on_where_the_one_before_ended_in_the_same_tile_and_segment() {
    let (mut tiles, mut head, mut segment) = (Tiles::default(), Head::default(), None);
    let mut ids = Vec::new();
    for step in 0..4_u8 {
        let leaves: Vec<_> = (0..75).map(|at| leaf(step * 60 + at)).collect();
        let (batch, skeletons) = batch(1, &leaves);
        let change = Change::new(step.into(), (Timestamp(0), "jane".to_owned()), "what".to_owned(), "which".to_owned());
        let work = Unlogged { head, tiles: tiles.clone(), segment, changes: vec![change], batches: vec![batch] };
        let appended = append(work, &skeletons, &RuleNames::new()).unwrap();
        assert_eq!((appended.before, appended.after.size), (head, head.size + 76));
        assert_eq!(appended.changes, [(step.into(), head.size)]);
        assert_eq!(appended.batches[0].1, head.size + 1);
        ids.push(LeafId::Change(step.into()));
        ids.extend(appended.decisions.iter().map(|(id, _)| LeafId::Decision(*id)));
        head = appended.after;
        tiles.0.extend(appended.tiles.0);
        assert_eq!(tiles.hash(&(0..head.size)), Ok(head.root));
        for filled in &appended.segments {
            let begin = usize::try_from(filled.number * SEGMENT_LEAVES).unwrap();
            assert_eq!(filled.ids, ids[begin..(begin + 256).min(ids.len())]);
            let even = filled.postings[&(Field::Offer, "even".to_owned())];
            for (at, id) in filled.ids.iter().enumerate() {
                let is_even = matches!(id, LeafId::Decision(id) if id.as_bytes()[15].is_multiple_of(2));
                assert_eq!(even[at / 8] >> (at % 8) & 1 == 1, is_even, "{at} of segment {}", filled.number);
            }
        }
        segment = appended.segments.last().cloned();
    }
    assert_eq!((head.size, segment.unwrap().number), (304, 1));
}

#[test]
fn what_was_altered_after_its_commit_gets_no_position_and_is_named() {
    let leaves = [leaf(1), leaf(2)];
    let (good, skeletons) = batch(7, &leaves);
    let told = |batch: NewBatch, skeletons: &[Skeleton], head: Head| {
        let work = Unlogged { head, batches: vec![batch], ..Unlogged::default() };
        append(work, skeletons, &RuleNames::new()).map_err(|error| error.to_string())
    };
    assert!(told(good.clone(), &skeletons, Head::default()).is_ok());
    let id = leaves[1].0.decision_id;

    let mut altered = good.clone();
    *altered.decisions[1].skeleton.last_mut().unwrap() ^= 1;
    let expected = format!(
        "the record of decision {id} is not the one that its leaf was made of: it was altered after it was committed"
    );
    assert_eq!(told(altered.clone(), &skeletons, Head::default()), Err(expected));
    // Its leaf with it: the batch knows.
    altered.decisions[1].leaf = crate::domain::decision::leaf(&altered.decisions[1].skeleton);
    let expected =
        "batch 7 of incarnation 1 of node `node` does not have the decisions that it was committed with".to_owned();
    assert_eq!(told(altered, &skeletons, Head::default()), Err(expected));

    let mut moved = good.clone();
    moved.decisions[1].decision_id = leaves[0].0.decision_id;
    let error = told(moved, &skeletons, Head::default()).unwrap_err();
    assert!(error.ends_with("its row was altered after it was committed"), "{error}");

    let error = told(good, &skeletons, Head { root: Digest([1; 32]), ..Head::default() }).unwrap_err();
    assert!(error.starts_with("the log of 0 leaves has the root 0101"), "{error}");
}
