//! The right edge of a growing tree: appends leaves and says which tiles that changes. Keeps no tile that is full.

use std::collections::BTreeMap;

use super::merkle_root;
use super::tile::{TileId, Tiles, WIDTH};
use crate::domain::{Digest, Malformed};

/// What of a tree is needed to append to it: at most one tile of each level, those that are not full.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    /// By level: the hashes of the tile that is not full, which may be none.
    levels: Vec<Vec<Digest>>,
    /// By level: whether that tile has changed.
    changed: Vec<bool>,
    full: BTreeMap<TileId, Vec<Digest>>,
}

impl Edge {
    /// The tiles that the edge of a tree of a size consists of.
    pub fn tiles(size: u64) -> Vec<TileId> {
        let level = |level: u8| {
            let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
            (!hashes.is_multiple_of(WIDTH as u64)).then_some(TileId { level, index: hashes / WIDTH as u64 })
        };
        (0..8).filter_map(level).collect()
    }

    /// The edge of a tree of a size, from [its tiles](Edge::tiles). A tile may have been read with more hashes.
    pub fn open(size: u64, tiles: &Tiles) -> Result<Self, Malformed> {
        let mut edge = Self { size, ..Self::default() };
        for id in Self::tiles(size) {
            let (level, width) = (usize::from(id.level), id.width(size));
            let hashes = tiles.0.get(&id).map_or(&[][..], Vec::as_slice);
            let hashes = hashes.get(..width).ok_or_else(|| {
                let path = id.path(WIDTH);
                Malformed(format!("tile {path} has {} hashes, where a tree of {size} has {width}", hashes.len()))
            })?;
            edge.levels.resize_with(level + 1, Vec::new);
            if let Some(tile) = edge.levels.last_mut() {
                tile.extend_from_slice(hashes);
            }
        }
        edge.changed = vec![false; edge.levels.len()];
        Ok(edge)
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf that is hashed already.
    pub fn append(&mut self, leaf: Digest) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.levels.len() <= at {
                self.levels.push(Vec::new());
                self.changed.push(false);
            }
            let (Some(tile), Some(changed)) = (self.levels.get_mut(at), self.changed.get_mut(at)) else { return };
            tile.push(hash);
            *changed = tile.len() < WIDTH;
            if *changed {
                return;
            }
            let full = std::mem::take(tile);
            hash = merkle_root(&full);
            let index = (self.size >> (8 * (u32::from(level) + 1))) - 1;
            self.full.insert(TileId { level, index }, full);
        }
    }

    /// The root: what is incomplete on a level stands behind what is complete on the next.
    pub fn root(&self) -> Digest {
        let rest = self.levels.iter().fold(None, |rest: Option<Digest>, tile| {
            if tile.is_empty() {
                return rest;
            }
            let mut hashes = tile.clone();
            hashes.extend(rest);
            Some(merkle_root(&hashes))
        });
        rest.unwrap_or_else(|| merkle_root(&[]))
    }

    /// The tiles that became full since they were last taken.
    pub fn take_full(&mut self) -> Tiles {
        Tiles(std::mem::take(&mut self.full))
    }

    /// Every tile that differs from when the edge was opened, as it is now.
    pub fn into_changed(self) -> Tiles {
        let mut tiles = self.full;
        for ((level, tile), changed) in (0_u8..).zip(self.levels).zip(self.changed) {
            if changed {
                tiles.insert(TileId { level, index: self.size >> (8 * (u32::from(level) + 1)) }, tile);
            }
        }
        Tiles(tiles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::leaf;

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|number| leaf(&number.to_be_bytes())).collect()
    }

    #[test]
    fn a_tree_that_grows_in_steps_has_the_root_and_the_tiles_of_one_made_at_once() {
        let leaves = leaves(66_700);
        let (mut kept, mut size) = (Tiles::default(), 0);
        for step in [1, 0, 254, 1, 1, 255, 512, 3, 64_000, 1_672] {
            let mut edge = Edge::open(size, &kept).unwrap();
            let before = kept.clone();
            for leaf in &leaves[usize::try_from(size).unwrap()..][..step] {
                edge.append(*leaf);
            }
            size = edge.size();
            let expected = merkle_root(&leaves[..usize::try_from(size).unwrap()]);
            assert_eq!(edge.root(), expected, "{size}");
            let changed = edge.into_changed();
            assert!(changed.0.iter().all(|(id, tile)| before.0.get(id) != Some(tile)), "{size}");
            kept.0.extend(changed.0);
            assert_eq!(kept.hash(&(0..size)), Ok(expected), "{size}");
            assert!(kept.0.iter().all(|(id, tile)| tile.len() == id.width(size)), "{size}");
        }
        assert_eq!(kept.0.keys().map(|id| id.level).max(), Some(2));
    }

    #[test]
    fn an_edge_without_its_tiles_is_refused() {
        let told = Edge::open(300, &Tiles::default()).unwrap_err().to_string();
        assert_eq!(told, "tile 0/001 has 0 hashes, where a tree of 300 has 44");
    }
}
