//! Bytes of public parts: what has nothing new is written as it was. Seals no record.

use super::*;
use crate::domain::{AttributeId, Propensity, PurposeId};

#[test]
fn what_has_no_notes_is_written_as_it_was_before_they_were_known_and_reads() {
    let row = CandidateRow {
        candidate: Some(3),
        margin_minor: 5,
        cost_minor: 0,
        failed: Vec::new(),
        scored: None,
        learned: None,
        money: None,
        noted: None,
    };
    // candidate, margin_minor, cost_minor, failed.
    let old = [0x84, 0x03, 0x05, 0x00, 0x80];
    assert_eq!(minicbor::to_vec(&row).unwrap(), old);
    assert_eq!(minicbor::decode::<CandidateRow>(&old).unwrap(), row);
    let draw = Draw { key_period: 1, u: 0.5, chosen: 0, propensity: Propensity::new(0.25).unwrap() };
    let slot = Slot {
        probabilities: Vec::new(),
        left_out: Vec::new(),
        draw,
        money: None,
        persona: None,
        noted: None,
        price: None,
    };
    // probabilities, left_out, draw.
    let old = [vec![0x83, 0x80, 0x80], minicbor::to_vec(draw).unwrap()].concat();
    assert_eq!(minicbor::to_vec(&slot).unwrap(), old);
    assert_eq!(minicbor::decode::<Slot>(&old).unwrap(), slot);
    let refused = RefusedPurpose { rule: 4, purpose: PurposeId::new("ads").unwrap(), also: None };
    let old = [0x82, 0x04, 0x63, b'a', b'd', b's'];
    assert_eq!(minicbor::to_vec(&refused).unwrap(), old);
    assert_eq!(minicbor::decode::<RefusedPurpose>(&old).unwrap(), refused);

    let noted = vec![Failed { rule: 7, observed: Some(4000), limit: Some(4500) }];
    let row = CandidateRow { noted: Some(noted.clone()), ..row };
    assert_eq!(minicbor::decode::<CandidateRow>(&minicbor::to_vec(&row).unwrap()).unwrap(), row);
    let attributes = vec![AttributeId::parse("customer.tier").unwrap()];
    let price = Some(SlotPrice { personalised: true, rule: Some(3), attributes });
    let noted = Some(vec![LeftOut { row: 0, failed: noted }]);
    let slot = Slot { noted, price, ..slot };
    assert_eq!(minicbor::decode::<Slot>(&minicbor::to_vec(&slot).unwrap()).unwrap(), slot);
    let refused = RefusedPurpose { also: Some(vec![5]), ..refused };
    assert_eq!(minicbor::decode::<RefusedPurpose>(&minicbor::to_vec(&refused).unwrap()).unwrap(), refused);
}
