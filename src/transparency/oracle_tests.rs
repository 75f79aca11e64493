//! Trees, tiles, proofs and checkpoints against others' implementations, on random trees. Knows no store.
//!
//! `PROFFER_TEST_SEEDS` plays more trees, of 200 proofs each: 500 are 100,000 cases.

use std::collections::BTreeSet;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use sha2::Sha256;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Hash, TileHashReader, TileReader};

use super::checkpoint::{Checkpoint, origin, verifier};
use super::edge::Edge;
use super::proof::{consistency_ranges, hashes, inclusion_ranges, verify_consistency, verify_inclusion};
use super::signature::SiteKey;
use super::tile::{TileId, Tiles, tile_bytes, tiles_of};
use crate::domain::Digest;
use crate::domain::decision::leaf;

const CASES: u32 = 200;

fn trees() -> u64 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(12)
}

/// A tree as three implementations hold it.
struct Tree {
    tiles: Tiles,
    leaves: Vec<Digest>,
    memory: MemoryBackedTree<Sha256, Vec<u8>>,
}

impl Tree {
    fn grow(size: u64, random: &mut ChaCha8Rng) -> Self {
        let mut tree = Self { tiles: Tiles::default(), leaves: Vec::new(), memory: MemoryBackedTree::new() };
        let mut edge = Edge::default();
        for number in 0..size {
            // No two are equal: a proof cannot tell equal neighbours apart.
            let mut data = number.to_be_bytes().to_vec();
            data.extend((0..random.random_range(0..40)).map(|_| random.random::<u8>()));
            tree.leaves.push(leaf(&data));
            tree.memory.push(data);
            edge.append(*tree.leaves.last().unwrap());
        }
        assert_eq!(edge.root().0, **tree.memory.root().as_bytes(), "{size}");
        tree.tiles = edge.into_changed();
        tree
    }

    /// Others check it: they take no tile that does not lead to it.
    fn root(&self, size: u64) -> (u64, Digest) {
        (size, self.tiles.hash(&(0..size)).unwrap())
    }
}

/// Others read the tiles by their names, with the width of the tree that they know.
impl TileReader for Tiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &tlog_tiles::Tile| {
            let (id, width) = TileId::parse(tile.path().strip_prefix("tile/8/").unwrap()).unwrap();
            tile_bytes(&self.0[&id][..width])
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

/// Our hashes of the ranges, from no more tiles than were asked for.
fn ours(tree: &Tree, ranges: &[std::ops::Range<u64>]) -> Vec<Digest> {
    let wanted: BTreeSet<TileId> = tiles_of(ranges);
    let read =
        Tiles(tree.tiles.0.iter().filter(|(id, _)| wanted.contains(id)).map(|(id, t)| (*id, t.clone())).collect());
    hashes(&read, ranges).unwrap()
}

fn theirs(path: Vec<Hash>) -> Vec<Digest> {
    path.into_iter().map(|hash| Digest(hash.0)).collect()
}

/// The proof that a position stands in the tree of a size, by everybody.
fn check_inclusion(tree: &Tree, position: u64, size: u64) {
    let (root, at) = (tree.root(size), usize::try_from(position).unwrap());
    let path = ours(tree, &inclusion_ranges(position, size).unwrap());
    let reader = TileHashReader::new(size, Hash(root.1.0), &tree.tiles);
    assert_eq!(path, theirs(tlog_tiles::prove_record(size, position, &reader).unwrap()), "{position} of {size}");
    if size == tree.memory.len() {
        assert_eq!(tile_bytes(&path), tree.memory.prove_inclusion(at).as_bytes(), "{position} of {size}");
    }
    let leaf = tree.leaves[at];
    assert!(verify_inclusion(leaf, position, root, &path));
    let none = Digest([0xff; 32]);
    assert!(!verify_inclusion(none, position, root, &path));
    assert!(!verify_inclusion(leaf, position, (size, none), &path));
    assert!(!verify_inclusion(leaf, size, root, &path));
    assert!(!verify_inclusion(leaf, position, root, &[&path[..], &[none]].concat()));
    for wrong in 0..path.len() {
        let mut altered = path.clone();
        altered[wrong] = none;
        assert!(!verify_inclusion(leaf, position, root, &altered), "{position} of {size}, hash {wrong}");
    }
    // A neighbour has another path.
    assert!(size == 1 || !verify_inclusion(leaf, position ^ 1, root, &path));
}

/// The proof that the tree of a size begins with an older one, by everybody.
fn check_consistency(tree: &Tree, old: u64, size: u64) {
    let (before, after) = (tree.root(old), tree.root(size));
    let path = ours(tree, &consistency_ranges(old, size).unwrap());
    if old > 0 {
        let reader = TileHashReader::new(size, Hash(after.1.0), &tree.tiles);
        assert_eq!(path, theirs(tlog_tiles::prove_tree(size, old, &reader).unwrap()), "{old} of {size}");
    }
    if old > 0 && old < size && size == tree.memory.len() {
        let proof = tree.memory.prove_consistency(usize::try_from(size - old).unwrap());
        assert_eq!(tile_bytes(&path), proof.as_bytes(), "{old} of {size}");
    }
    assert!(verify_consistency(before, after, &path), "{old} of {size}");
    let none = Digest([0xff; 32]);
    assert!(!verify_consistency((old, none), after, &path));
    assert!(old == 0 || !verify_consistency(before, (size, none), &path));
    assert!(!verify_consistency(before, after, &[&path[..], &[none]].concat()));
    for wrong in 0..path.len() {
        let mut altered = path.clone();
        altered[wrong] = none;
        assert!(!verify_consistency(before, after, &altered), "{old} of {size}, hash {wrong}");
    }
}

fn check_tree(seed: u64, size: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let tree = Tree::grow(size, &mut random);
    for case in 0..CASES {
        // Every other one of the whole tree, which all three know.
        let of = if case % 2 == 0 { size } else { random.random_range(1..=size) };
        check_inclusion(&tree, random.random_range(0..of), of);
        check_consistency(&tree, random.random_range(0..=of), of);
    }
}

#[test]
fn random_trees_have_the_roots_and_proofs_that_others_make_of_them() {
    for seed in 0..trees() {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x7ee5);
        let size = 1 + (random.random::<u64>() >> random.random_range(52..64));
        check_tree(seed, size);
    }
}

#[test]
fn a_tree_with_tiles_of_three_levels_has_them_too() {
    check_tree(1, 66_000);
}

#[test]
fn a_checkpoint_is_verified_by_others() {
    let seed = [3; 32];
    let key = SiteKey::of(&seed);
    let checkpoint = Checkpoint { origin: origin("shop", &key), size: 77, root: Digest([1; 32]) };
    let note = Note::from_bytes(checkpoint.sign(&seed).as_bytes()).unwrap();
    let known = StandardVerifier::new(&verifier(&checkpoint.origin, &key)).unwrap();
    let (verified, unverified) = note.verify(&VerifierList::new(vec![Box::new(known)])).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((read.origin(), read.size(), read.hash().0), (checkpoint.origin.as_str(), 77, [1; 32]));
}
