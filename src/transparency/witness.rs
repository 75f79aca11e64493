//! The other half of a log: whoever kept a checkpoint judges whether a newer one only adds to it. Asks nobody.

use super::checkpoint::Checkpoint;
use super::proof::verify_consistency;
use crate::domain::{Digest, Malformed};

/// Whether a newer checkpoint is of the log that an older one was of, with more leaves at most; if not, why not.
pub fn follows(seen: &Checkpoint, newest: &Checkpoint, path: &[Digest]) -> Result<(), Malformed> {
    let (old, new) = (seen.size, newest.size);
    if seen.origin != newest.origin {
        return Err(Malformed(format!("it is of the log `{}`, and `{}` was seen before", newest.origin, seen.origin)));
    }
    if new < old {
        return Err(Malformed(format!(
            "it is of {new} leaves, and one of {old} was seen before: the log was cut back"
        )));
    }
    if new == old && newest.root != seen.root {
        return Err(Malformed(format!(
            "it has another root for {new} leaves than the one seen before: there are two logs"
        )));
    }
    if !verify_consistency((old, seen.root), (new, newest.root), path) {
        return Err(Malformed(format!(
            "nothing proves that its {new} leaves begin with the {old} seen before: history was replaced"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::leaf;
    use crate::transparency::edge::Edge;
    use crate::transparency::merkle_root;
    use crate::transparency::proof::{consistency_ranges, hashes};

    #[test]
    fn a_log_that_only_grew_is_followed_and_any_other_is_told() {
        let leaves: Vec<Digest> = (0..9_u8).map(|number| leaf(&[number])).collect();
        let checkpoint = |size: usize, root| Checkpoint { origin: "log".to_owned(), size: size as u64, root };
        let of = |size: usize| checkpoint(size, merkle_root(&leaves[..size]));
        let mut edge = Edge::default();
        for leaf in &leaves {
            edge.append(*leaf);
        }
        let tiles = edge.into_changed();
        let path = |old, new| hashes(&tiles, &consistency_ranges(old, new).unwrap()).unwrap();
        assert_eq!(follows(&of(5), &of(9), &path(5, 9)), Ok(()));
        assert_eq!(follows(&of(9), &of(9), &[]), Ok(()));
        assert_eq!(follows(&of(0), &of(9), &[]), Ok(()));
        let told = |seen: &Checkpoint, newest: &Checkpoint, path: &[Digest]| {
            follows(seen, newest, path).unwrap_err().to_string()
        };
        assert_eq!(told(&of(9), &of(5), &[]), "it is of 5 leaves, and one of 9 was seen before: the log was cut back");
        let other = checkpoint(9, Digest([1; 32]));
        assert!(told(&of(9), &other, &[]).ends_with("there are two logs"));
        assert!(told(&of(5), &other, &path(5, 9)).ends_with("history was replaced"));
        assert!(told(&of(5), &of(9), &[]).ends_with("history was replaced"));
        let elsewhere = Checkpoint { origin: "other".to_owned(), ..of(9) };
        assert_eq!(told(&of(5), &elsewhere, &path(5, 9)), "it is of the log `other`, and `log` was seen before");
    }
}
