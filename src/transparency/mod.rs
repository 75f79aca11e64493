//! Transparency: the RFC 6962 tree over leaves, its tiles and proofs, and what a site signs. Keeps no log.

pub mod checkpoint;

pub mod edge;

pub mod entry;

#[cfg(test)]
mod oracle_tests;

pub mod proof;

pub mod signature;

pub mod tile;

pub mod witness;

use sha2::{Digest as _, Sha256};

use crate::domain::Digest;

/// Merkle tree hash of RFC 6962, section 2.1, over leaves that are hashed already; of no leaves, SHA-256 of nothing.
pub fn merkle_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest(Sha256::digest(b"").into()),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(merkle_root(left), merkle_root(right))
        }
    }
}

/// The largest power of two below `n`.
fn split(n: u64) -> u64 {
    n.next_power_of_two() / 2
}

fn node(left: Digest, right: Digest) -> Digest {
    Digest(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::leaf;

    #[test]
    fn roots_match_the_published_test_tree() {
        // The eight entries and roots of the reference test of Certificate Transparency.
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves: Vec<Digest> = entries.iter().map(|entry| leaf(entry)).collect();
        let check = |n: usize, root: &str| assert_eq!(merkle_root(&leaves[..n]).hex(), root, "{n} leaves");
        check(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        check(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        check(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
        check(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
        check(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    }
}
