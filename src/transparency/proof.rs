//! Proofs of RFC 6962: that a leaf stands in a tree, and that a tree only ever grew. Made from tiles, verified without
//! them.

use std::ops::Range;

use super::tile::Tiles;
use super::{node, split};
use crate::domain::{Digest, Malformed};

/// The ranges of leaves whose hashes prove that the leaf at a position stands in a tree of a size, from the leaf up.
pub fn inclusion_ranges(position: u64, size: u64) -> Result<Vec<Range<u64>>, Malformed> {
    if position >= size {
        return Err(Malformed(format!("position {position} lies behind a tree of {size} leaves")));
    }
    let (mut tree, mut ranges) = (0..size, Vec::new());
    while tree.end - tree.start > 1 {
        let middle = tree.start + split(tree.end - tree.start);
        let (left, right) = (tree.start..middle, middle..tree.end);
        let (inside, beside) = if position < middle { (left, right) } else { (right, left) };
        ranges.push(beside);
        tree = inside;
    }
    ranges.reverse();
    Ok(ranges)
}

/// The ranges of leaves whose hashes prove that a tree of a size begins with one of an older size.
pub fn consistency_ranges(old: u64, size: u64) -> Result<Vec<Range<u64>>, Malformed> {
    if old > size {
        return Err(Malformed(format!("a tree of {size} leaves cannot begin with one of {old}")));
    }
    let (mut tree, mut ranges) = (0..size, Vec::new());
    // Of nothing there is nothing to prove.
    while old > 0 && old < tree.end {
        let middle = tree.start + split(tree.end - tree.start);
        let (left, right) = (tree.start..middle, middle..tree.end);
        let (inside, beside) = if old <= middle { (left, right) } else { (right, left) };
        ranges.push(beside);
        tree = inside;
    }
    // The old tree itself is known to whoever asks.
    if tree.start > 0 {
        ranges.push(tree);
    }
    ranges.reverse();
    Ok(ranges)
}

/// The hashes of ranges.
pub fn hashes(tiles: &Tiles, ranges: &[Range<u64>]) -> Result<Vec<Digest>, Malformed> {
    ranges.iter().map(|range| tiles.hash(range)).collect()
}

/// Whether the path leads from a leaf at a position to the root of a tree of a size.
pub fn verify_inclusion(leaf: Digest, position: u64, (size, root): (u64, Digest), path: &[Digest]) -> bool {
    position < size && climb(leaf, position, size, path) == Some(root)
}

/// The root that a path leads to.
fn climb(leaf: Digest, position: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (beside, path) = path.split_last()?;
    let middle = split(size);
    if position < middle {
        Some(node(climb(leaf, position, middle, path)?, *beside))
    } else {
        Some(node(*beside, climb(leaf, position - middle, size - middle, path)?))
    }
}

/// Whether the path proves that a tree begins with an older one.
pub fn verify_consistency((old, old_root): (u64, Digest), (size, root): (u64, Digest), path: &[Digest]) -> bool {
    if old == 0 {
        return old_root == super::merkle_root(&[]) && path.is_empty();
    }
    old <= size && grow(old, size, Some(old_root), path) == Some((old_root, root))
}

/// The roots of both trees that a path leads to; `known` is the older one where that is the whole of what is left.
fn grow(old: u64, size: u64, known: Option<Digest>, path: &[Digest]) -> Option<(Digest, Digest)> {
    if old == size {
        let root = match (known, path) {
            (Some(known), []) => known,
            (None, [told]) => *told,
            _ => return None,
        };
        return Some((root, root));
    }
    let (beside, path) = path.split_last()?;
    let middle = split(size);
    if old <= middle {
        let (before, after) = grow(old, middle, known, path)?;
        Some((before, node(after, *beside)))
    } else {
        let (before, after) = grow(old - middle, size - middle, None, path)?;
        Some((node(*beside, before), node(*beside, after)))
    }
}
