//! Tiles of C2SP tlog-tiles: 256 hashes of one level of the tree at most, their names, and hashes of ranges read from
//! them. Reads no tile from anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::merkle_root;
use crate::domain::{Digest, Malformed};

/// Levels of the tree in one tile.
const HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const WIDTH: usize = 1 << HEIGHT;
/// Levels of tiles that 2^64 leaves have.
const LEVELS: u8 = 8;

/// Which tile. One of level `l` holds the hashes of complete subtrees of 256^l leaves each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileId {
    /// 0 is that of the leaves.
    pub level: u8,
    /// From the left, from 0.
    pub index: u64,
}

impl TileId {
    /// How many hashes it has in a tree of a size.
    pub fn width(self, size: u64) -> usize {
        let hashes = size.checked_shr(HEIGHT * u32::from(self.level)).unwrap_or(0);
        let before = self.index.saturating_mul(WIDTH as u64);
        usize::try_from(hashes.saturating_sub(before).min(WIDTH as u64)).unwrap_or(WIDTH)
    }

    /// Its path below `tile/` with so many hashes: `0/x001/234`, and `0/x001/234.p/17` where it is not full.
    pub fn path(self, width: usize) -> String {
        let mut path = format!("{}/{}", self.level, index_path(self.index));
        if width < WIDTH {
            path = format!("{path}.p/{width}");
        }
        path
    }

    /// Reads a path that [`TileId::path`] made, with the number of hashes that it asks for.
    pub fn parse(path: &str) -> Result<(Self, usize), Malformed> {
        let malformed = || {
            Malformed(format!(
                "`{path}` is no path of a tile: expected the level 0 to {}, then its number in groups of three digits, \
                 all but the last behind an `x`, and `.p/` with 1 to 255 where it is not full, such as `0/x001/234.p/17`",
                LEVELS - 1
            ))
        };
        let (level, rest) = path.split_once('/').ok_or_else(malformed)?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok().filter(|width| (1..WIDTH).contains(width))),
            None => (rest, Some(WIDTH)),
        };
        let id =
            Self { level: level.parse().map_err(|_| malformed())?, index: parse_index(index).ok_or_else(malformed)? };
        let width = width.ok_or_else(malformed)?;
        // There is one way to write a path, so that caches hold a tile once.
        if id.level >= LEVELS || id.path(width) != path {
            return Err(malformed());
        }
        Ok((id, width))
    }
}

fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn parse_index(path: &str) -> Option<u64> {
    path.split('/').try_fold(0_u64, |index, group| {
        index.checked_mul(1000)?.checked_add(group.trim_start_matches('x').parse().ok()?)
    })
}

/// A complete subtree of 2^height leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subtree {
    height: u32,
    index: u64,
}

impl Subtree {
    /// The tile that its hash is computed from, with the place of its hashes there.
    fn place(self) -> (TileId, Range<usize>) {
        let (level, above) = (self.height / HEIGHT, self.height % HEIGHT);
        let first = self.index << above;
        let begin = usize::try_from(first % WIDTH as u64).unwrap_or(0);
        let level = u8::try_from(level).unwrap_or(LEVELS);
        (TileId { level, index: first / WIDTH as u64 }, begin..begin + (1 << above))
    }
}

/// The complete subtrees that a range of leaves consists of, largest first. As RFC 6962 splits trees, the range begins
/// at a multiple of the largest.
fn subtrees(range: &Range<u64>) -> Vec<Subtree> {
    let (mut begin, mut found) = (range.start, Vec::new());
    while let Some(height) = range.end.saturating_sub(begin).checked_ilog2() {
        found.push(Subtree { height, index: begin >> height });
        begin += 1 << height;
    }
    found
}

/// The tiles that the hashes of these ranges are computed from.
pub fn tiles_of(ranges: &[Range<u64>]) -> BTreeSet<TileId> {
    ranges.iter().flat_map(subtrees).map(|subtree| subtree.place().0).collect()
}

/// Tiles that were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tiles(pub BTreeMap<TileId, Vec<Digest>>);

impl Tiles {
    /// The hash over a range of leaves: of nothing, SHA-256 of nothing.
    pub fn hash(&self, range: &Range<u64>) -> Result<Digest, Malformed> {
        let mut hashes = Vec::new();
        for subtree in subtrees(range) {
            let (id, place) = subtree.place();
            let tile = self.0.get(&id).map_or(&[][..], Vec::as_slice);
            let needed = place.end;
            let part = tile.get(place).ok_or_else(|| {
                Malformed(format!("tile {} has {} hashes, and {needed} are needed", id.path(WIDTH), tile.len()))
            })?;
            hashes.push(merkle_root(part));
        }
        let last = hashes.pop().unwrap_or_else(|| Digest(Sha256::digest(b"").into()));
        Ok(hashes.into_iter().rev().fold(last, |right, left| super::node(left, right)))
    }
}

/// The bytes of a tile.
pub fn tile_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes that the bytes of a tile hold.
pub fn tile_hashes(bytes: &[u8]) -> Result<Vec<Digest>, Malformed> {
    let hashes: Option<Vec<Digest>> = bytes.chunks(32).map(Digest::from_slice).collect();
    hashes.filter(|hashes| hashes.len() <= WIDTH).ok_or_else(|| {
        Malformed(format!("{} bytes are no tile: expected 32 for each of at most {WIDTH} hashes", bytes.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification_and_are_read_back() {
        let check = |level, index, width, path: &str| {
            assert_eq!(TileId { level, index }.path(width), path);
            assert_eq!(TileId::parse(path), Ok((TileId { level, index }, width)));
        };
        check(0, 0, 256, "0/000");
        check(0, 1_234_067, 256, "0/x001/x234/067");
        check(1, 273, 112, "1/273.p/112");
        check(7, u64::MAX, 1, "7/x018/x446/x744/x073/x709/x551/615.p/1");
        for path in ["", "0", "0/0", "0/1000", "0/x001", "00/000", "8/000", "0/000.p/0", "0/000.p/256", "0/000.p/01"] {
            let told = TileId::parse(path).unwrap_err().to_string();
            assert!(told.starts_with(&format!("`{path}` is no path of a tile: expected the level 0 to 7")), "{told}");
        }
    }

    #[test]
    fn a_tile_is_as_wide_as_the_tree_lets_it() {
        let check = |level, index, size, width| {
            assert_eq!(TileId { level, index }.width(size), width, "{level}/{index} of {size}");
        };
        check(0, 0, 0, 0);
        check(0, 0, 255, 255);
        check(0, 1, 70_000, 256);
        check(0, 273, 70_000, 112);
        check(0, 274, 70_000, 0);
        check(1, 0, 70_000, 256);
        check(1, 1, 70_000, 17);
        check(2, 0, 70_000, 1);
        check(3, 0, 70_000, 0);
    }

    #[test]
    fn a_tile_that_is_too_short_is_named() {
        let tiles = Tiles(BTreeMap::from([(TileId { level: 0, index: 0 }, vec![Digest([1; 32]); 3])]));
        assert_eq!(tiles.hash(&(0..4)).unwrap_err().to_string(), "tile 0/000 has 3 hashes, and 4 are needed");
        assert_eq!(
            tile_hashes(&[0; 33]).unwrap_err().to_string(),
            "33 bytes are no tile: expected 32 for each of at most 256 hashes"
        );
    }
}
