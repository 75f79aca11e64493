//! Alterations of one table, at random: a value edited, rows deleted, two values swapped, a row planted, everything cut
//! off. Knows nothing of what they mean.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::harness::database::Kind;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Bytes,
    Number,
    Text,
}

/// A table that the log covers, with its key and the columns that it covers.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    key: &'static str,
    columns: &'static [(&'static str, Of)],
}

use Of::{Bytes, Number, Text};

pub const TABLES: &[Table] = &[
    Table {
        name: "decision",
        key: "decision_id",
        columns: &[
            ("decision_id", Bytes),
            ("subject_id", Bytes),
            ("at", Number),
            ("request_digest", Bytes),
            ("skeleton", Bytes),
            ("private", Bytes),
            ("leaf", Bytes),
        ],
    },
    Table {
        name: "batch",
        key: "node, incarnation, number",
        columns: &[("number", Number), ("digest", Bytes), ("decision_ids", Bytes), ("position", Number)],
    },
    Table {
        name: "privileged_change",
        key: "sequence",
        columns: &[
            ("sequence", Number),
            ("at", Number),
            ("by_key", Text),
            ("what", Text),
            ("detail", Text),
            ("position", Number),
        ],
    },
    Table {
        name: "log_head",
        key: "single",
        columns: &[("size", Number), ("root", Bytes), ("checkpoint", Text), ("checkpoint_size", Number)],
    },
    Table { name: "log_tile", key: "level, number", columns: &[("number", Number), ("hashes", Bytes)] },
    Table { name: "log_position", key: "decision_id", columns: &[("decision_id", Bytes), ("position", Number)] },
    Table { name: "log_segment", key: "number", columns: &[("number", Number), ("ids", Bytes)] },
    Table {
        name: "log_posting",
        key: "field, term, segment",
        columns: &[("term", Text), ("segment", Number), ("bits", Bytes)],
    },
];

/// A database to write to without asking anybody.
pub struct Database {
    pub url: String,
    connection: Connection,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Bytes(Option<Vec<u8>>),
    Number(Option<i64>),
    Text(Option<String>),
}

impl Database {
    pub async fn connect(kind: Kind, url: &str) -> Self {
        let connection = match kind {
            Kind::Sqlite => Connection::Sqlite(SqliteConnection::connect(url).await.unwrap()),
            Kind::Postgres => Connection::Postgres(PgConnection::connect(url).await.unwrap()),
        };
        Self { url: url.to_owned(), connection }
    }

    /// Runs a statement that must work.
    pub async fn run(&mut self, sql: &str) {
        self.execute(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn execute(&mut self, sql: &str, values: &[&Value]) -> Result<u64, sqlx::Error> {
        macro_rules! on {
            ($connection:expr) => {{
                let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
                for value in values {
                    query = match value {
                        Value::Bytes(bytes) => query.bind(bytes.clone()),
                        Value::Number(number) => query.bind(*number),
                        Value::Text(text) => query.bind(text.clone()),
                    };
                }
                query.execute($connection).await.map(|done| done.rows_affected())
            }};
        }
        match &mut self.connection {
            Connection::Sqlite(connection) => on!(connection),
            Connection::Postgres(connection) => on!(connection),
        }
    }

    async fn value(&mut self, sql: &str, of: Of) -> Value {
        macro_rules! on {
            ($connection:expr) => {{
                let sql = AssertSqlSafe(sql.to_owned());
                match of {
                    Of::Bytes => Value::Bytes(sqlx::query_scalar(sql).fetch_one($connection).await.unwrap()),
                    Of::Number => Value::Number(sqlx::query_scalar(sql).fetch_one($connection).await.unwrap()),
                    Of::Text => Value::Text(sqlx::query_scalar(sql).fetch_one($connection).await.unwrap()),
                }
            }};
        }
        match &mut self.connection {
            Connection::Sqlite(connection) => on!(connection),
            Connection::Postgres(connection) => on!(connection),
        }
    }

    async fn count(&mut self, table: &str) -> u64 {
        match self.value(&format!("select count(*) from {table}"), Number).await {
            Value::Number(Some(count)) => count.unsigned_abs(),
            other => panic!("{other:?}"),
        }
    }
}

/// What was altered.
#[derive(Debug)]
pub struct Altered {
    pub table: &'static str,
    pub way: &'static str,
    told: String,
}

impl std::fmt::Display for Altered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table `{}` was altered ({}): {}", self.table, self.way, self.told)
    }
}

/// Alters something that changes what the table says.
pub async fn alter(database: &mut Database, random: &mut ChaCha8Rng) -> Altered {
    loop {
        let table = &TABLES[random.random_range(0..TABLES.len())];
        let rows = database.count(table.name).await;
        let (way, told) = match random.random_range(0..20) {
            0..=9 => ("edit", edit(database, table, rows, random).await),
            10..=12 => ("delete", delete(database, table, rows, random).await),
            13..=16 => ("swap", swap(database, table, rows, random).await),
            17..=18 => ("plant", plant(database, table, rows, random).await),
            _ => ("truncate", truncate(database, table).await),
        };
        if let Some(told) = told {
            return Altered { table: table.name, way, told };
        }
    }
}

fn row(table: &Table, at: u64) -> String {
    let (name, key) = (table.name, table.key);
    format!("({key}) = (select {key} from {name} order by {key} limit 1 offset {at})")
}

fn column(table: &Table, random: &mut ChaCha8Rng) -> (&'static str, Of) {
    table.columns[random.random_range(0..table.columns.len())]
}

async fn read(database: &mut Database, table: &Table, (column, of): (&str, Of), at: u64) -> Value {
    database.value(&format!("select {column} from {} where {}", table.name, row(table, at)), of).await
}

async fn edit(database: &mut Database, table: &Table, rows: u64, random: &mut ChaCha8Rng) -> Option<String> {
    let (column, at) = (column(table, random), random.random_range(0..rows));
    let before = read(database, table, column, at).await;
    let after = another(&before, random);
    let sql = format!("update {} set {} = $1 where {}", table.name, column.0, row(table, at));
    // What a constraint refuses was not altered.
    let done = database.execute(&sql, &[&after]).await.ok()?;
    (done == 1 && after != before).then(|| format!("`{}` of row {at} from {before:?} to {after:?}", column.0))
}

fn another(value: &Value, random: &mut ChaCha8Rng) -> Value {
    match value {
        Value::Bytes(None) => Value::Bytes(Some((0..16).map(|_| random.random()).collect())),
        Value::Bytes(Some(bytes)) => {
            let mut bytes = bytes.clone();
            match random.random_range(0..8) {
                0 => bytes.push(random.random()),
                1 => drop(bytes.pop()),
                2 => bytes.truncate(bytes.len() / 2),
                3 => bytes.iter_mut().for_each(|byte| *byte = random.random()),
                _ if bytes.is_empty() => bytes.push(0),
                _ => {
                    let at = random.random_range(0..bytes.len());
                    bytes[at] ^= 1 << random.random_range(0..8);
                }
            }
            Value::Bytes(Some(bytes))
        }
        Value::Number(None) => Value::Number(Some(random.random_range(0..300))),
        Value::Number(Some(number)) => Value::Number(match random.random_range(0..5) {
            0 => Some(number + 1),
            1 => Some(number - 1),
            2 => Some(random.random_range(0..400)),
            3 => Some(-1),
            _ => Some(number + 256),
        }),
        Value::Text(None) => Value::Text(Some("planted".to_owned())),
        Value::Text(Some(text)) => {
            let mut letters: Vec<char> = text.chars().collect();
            let at = random.random_range(0..letters.len().max(1));
            match random.random_range(0..3) {
                0 if !letters.is_empty() => drop(letters.remove(at)),
                1 if !letters.is_empty() => letters[at] = if letters[at] == 'x' { 'y' } else { 'x' },
                _ => letters.insert(at.min(letters.len()), 'z'),
            }
            Value::Text(Some(letters.into_iter().collect()))
        }
    }
}

async fn delete(database: &mut Database, table: &Table, rows: u64, random: &mut ChaCha8Rng) -> Option<String> {
    let count = if random.random() { 1 } else { random.random_range(1..=rows) };
    let at = random.random_range(0..=rows - count);
    let (name, key) = (table.name, table.key);
    let sql = format!(
        "delete from {name} where ({key}) in (select {key} from {name} order by {key} limit {count} offset {at})"
    );
    database.run(&sql).await;
    Some(format!("{count} rows from row {at} on deleted"))
}

async fn truncate(database: &mut Database, table: &Table) -> Option<String> {
    database.run(&format!("delete from {}", table.name)).await;
    Some("all rows deleted".to_owned())
}

async fn swap(database: &mut Database, table: &Table, rows: u64, random: &mut ChaCha8Rng) -> Option<String> {
    let (column, [one, other]) = (column(table, random), [0; 2].map(|_: u64| random.random_range(0..rows)));
    if table.key.split(", ").any(|key| key == column.0) {
        return None;
    }
    let (first, second) = (read(database, table, column, one).await, read(database, table, column, other).await);
    if first == second {
        return None;
    }
    for (at, value) in [(one, &second), (other, &first)] {
        let sql = format!("update {} set {} = $1 where {}", table.name, column.0, row(table, at));
        database.execute(&sql, &[value]).await.unwrap();
    }
    Some(format!("`{}` of rows {one} and {other} swapped", column.0))
}

/// A copy of a row with other values where the key, or something unique, must differ.
async fn plant(database: &mut Database, table: &Table, rows: u64, random: &mut ChaCha8Rng) -> Option<String> {
    let at = random.random_range(0..rows);
    let id = Value::Bytes(Some((0..16).map(|_| random.random()).collect()));
    let number = Value::Number(Some(random.random_range(1_000..2_000)));
    let term = Value::Text(Some("planted".to_owned()));
    let (columns, values, value) = match table.name {
        "decision" => {
            let rest = "subject_id, at, request_digest, skeleton, private, leaf";
            (format!("decision_id, {rest}"), format!("$1, {rest}"), id)
        }
        "log_position" => ("decision_id, position".to_owned(), "$1, position".to_owned(), id),
        "log_tile" => ("level, number, hashes".to_owned(), "level, $1, hashes".to_owned(), number),
        "log_segment" => ("number, ids".to_owned(), "$1, ids".to_owned(), number),
        "log_posting" => ("field, term, segment, bits".to_owned(), "field, $1, segment, bits".to_owned(), term),
        "batch" => {
            let rest = "digest, decision_ids, position";
            (format!("node, incarnation, number, {rest}"), format!("node, incarnation, $1, {rest}"), number)
        }
        _ => return None,
    };
    let sql = format!("insert into {0} ({columns}) select {values} from {0} where {1}", table.name, row(table, at));
    let done = database.execute(&sql, &[&value]).await.ok()?;
    (done == 1).then(|| format!("a copy of row {at} planted with {value:?}"))
}
