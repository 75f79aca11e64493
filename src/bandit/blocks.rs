//! Blocks: how the rows of a matrix stand eight by eight in lines, and how its packed lower triangle gets there and
//! back. Computes nothing.
//!
//! Packed, a lower triangle is column by column from the diagonal down. In blocks, eight rows of one column are a line,
//! four columns are a four, and a block of rows goes up to and with its square on the diagonal. Rows and columns of
//! zeros come first, so that every block is whole.

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use super::lines::{FOUR, Four, Half, LANES, Line, QUAD};

/// Numbers of a packed triangle.
pub(super) fn packed_len(dimensions: usize) -> usize {
    dimensions * (dimensions + 1) / 2
}

/// How so many rows make blocks of eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) blocks: usize,
    /// Rows of zeros before the first, fewer than a block has.
    pub(super) zeros: usize,
}

/// Fours as lines, from one of them on.
#[inline(always)]
pub(super) fn lines(fours: &[Four], from: usize) -> &[Line] {
    fours.as_flattened().get(from..).unwrap_or(&[])
}

impl Shape {
    /// Of so many rows.
    pub(super) fn of(dimensions: usize) -> Self {
        let blocks = dimensions.div_ceil(LANES);
        Self { blocks, zeros: LANES * blocks - dimensions }
    }

    /// Rows that are not zeros.
    #[inline(always)]
    pub(super) fn dimensions(self) -> usize {
        LANES * self.blocks - self.zeros
    }

    /// Fours of columns before a block of rows of a lower triangle.
    #[inline(always)]
    pub(super) fn before(block: usize) -> usize {
        block * (block + 1)
    }

    /// Fours of rows before a block of columns of a lower triangle.
    #[inline(always)]
    pub(super) fn above(self, block: usize) -> usize {
        block * (2 * self.blocks + 1 - block)
    }

    /// The first four in which not all is zero.
    #[inline(always)]
    pub(super) fn first(self) -> usize {
        self.zeros / QUAD
    }

    /// The first line that is not zero, counted from the start of a block.
    #[inline(always)]
    pub(super) fn from(self, block: usize) -> usize {
        if block == 0 { self.zeros } else { 0 }
    }

    /// Blocks of rows and of columns of a lower triangle.
    #[inline(always)]
    pub(super) fn pairs(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.blocks).flat_map(move |j| (j..self.blocks).map(move |i| (i, j)))
    }

    /// The blocks of a packed lower triangle; zeros stand above its diagonal.
    pub(super) fn unpack(self, packed: &[f64]) -> Vec<Four> {
        let mut blocks = vec![FOUR; Self::before(self.blocks)];
        let to = blocks.as_flattened_mut();
        let mut columns = packed;
        for j in self.zeros..LANES * self.blocks {
            let (column, next) = columns.split_at(LANES * self.blocks - j);
            let (head, rest) = column.split_at(LANES - j % LANES);
            to[QUAD * Self::before(j / LANES) + j].0[j % LANES..].copy_from_slice(head);
            for (i, rows) in (j / LANES + 1..).zip(rest.as_chunks().0) {
                to[QUAD * Self::before(i) + j].0 = *rows;
            }
            columns = next;
        }
        blocks
    }

    /// Puts four columns of a block of rows and one of columns into a packed lower triangle.
    #[inline(always)]
    pub(super) fn put(self, packed: &mut [f64], (i, j): (usize, usize), half: Half, four: &Four) {
        let first = LANES * j + if half == Half::Low { 0 } else { QUAD };
        for (position, line) in (first..).zip(four).filter(|(position, _)| *position >= self.zeros) {
            let column = position - self.zeros;
            let from = column * (2 * self.dimensions() + 1 - column) / 2;
            if i == j {
                let rows = &line.0[position % LANES..];
                packed[from..from + rows.len()].copy_from_slice(rows);
            } else if let Some(rows) = packed[from + LANES * i - position..].first_chunk_mut() {
                *rows = line.0;
            }
        }
    }
}
