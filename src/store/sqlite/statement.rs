//! Statement: SQL for many rows at once, in few different texts. Runs nothing.
//!
//! Every text is prepared once and then kept, so a text for each number of rows would be prepared again and again.
//! Lists of keys are padded to a power of two, rows are written in pieces whose sizes are powers of two.

use sqlx::{QueryBuilder, Sqlite};

/// Rows of one statement at most: 11 columns of 1024 rows stay below SQLite's 32766 parameters.
const ROWS_MAX: usize = 1024;

/// Appends `(?, ?, ...)` with the keys; the last one is repeated, which changes nothing to `in`.
pub(super) fn push_keys<K: AsRef<[u8]>>(statement: &mut QueryBuilder<Sqlite>, keys: &[K]) {
    statement.push("(");
    let mut list = statement.separated(", ");
    let padding = keys.len().next_power_of_two() - keys.len();
    for key in keys.iter().chain(keys.last().into_iter().cycle().take(padding)) {
        list.push_bind(key.as_ref());
    }
    statement.push(")");
}

/// Keys in pieces that fit into one statement.
pub(super) fn key_pieces<K>(keys: &[K]) -> impl Iterator<Item = &[K]> {
    keys.chunks(ROWS_MAX)
}

/// Rows in pieces whose sizes are powers of two, largest first.
pub(super) fn row_pieces<R>(mut rows: &[R]) -> impl Iterator<Item = &[R]> {
    std::iter::from_fn(move || {
        let largest = rows.len().checked_ilog2().map(|power| ROWS_MAX.min(1 << power))?;
        let (piece, rest) = rows.split_at(largest);
        rows = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_pieces_of_powers_of_two() {
        let check = |rows: usize, expected: &[usize]| {
            let rows: Vec<usize> = (0..rows).collect();
            assert_eq!(row_pieces(&rows).map(<[usize]>::len).collect::<Vec<_>>(), expected);
            assert_eq!(row_pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        };
        check(0, &[]);
        check(1, &[1]);
        check(100, &[64, 32, 4]);
        check(2049, &[1024, 1024, 1]);
    }

    #[test]
    fn keys_are_padded_with_the_last() {
        let check = |keys: &[[u8; 1]], expected: &str| {
            let mut statement = QueryBuilder::new("in ");
            push_keys(&mut statement, keys);
            assert_eq!(statement.sql().as_str(), expected);
        };
        check(&[], "in ()");
        check(&[[1]], "in (?)");
        check(&[[1], [2], [3]], "in (?, ?, ?, ?)");
    }
}
