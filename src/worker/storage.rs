//! Storage: `Store` over the `SQLite` database and the alarm of a Durable Object.
//!
//! The free plan counts rows written, one for each row that a statement changes and one for each
//! alarm that is set. So a value takes as few rows as it can, each is written over in place, and a
//! row that is stored already is left alone.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::worker::{Error, SqlStorage, SqlStorageValue, State};

use crate::fleet::refresh::store::{Continuation, Store};

/// A row may hold 2 MB (Cloudflare Durable Objects documentation, "Limits").
const PART_BYTES: usize = 1_900_000;

/// With a rowid, the index of the primary key would be one more row for each new part. Tables that
/// version 0.1.0 has created have one; all statements work on both.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS stored \
    (name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (name, part)) \
    WITHOUT ROWID";
const INSERT: &str = "INSERT INTO stored (name, part, bytes) VALUES (?, ?, ?)";
const ON_CONFLICT: &str = " ON CONFLICT (name, part) DO UPDATE SET bytes = excluded.bytes";
/// Writes no row if there is no such part.
const DELETE: &str = "DELETE FROM stored WHERE name = ? AND part >= ?";
const SELECT: &str = "SELECT bytes FROM stored WHERE name = ? ORDER BY part";

#[derive(Debug)]
pub(super) struct Storage {
    state: Rc<State>,
    has_table: Cell<bool>,
    /// The hashes of the parts that this object has stored under a name, if there are several.
    hashes: RefCell<BTreeMap<&'static str, Vec<u64>>>,
}

impl Storage {
    pub(super) fn new(state: Rc<State>) -> Self {
        Self {
            state,
            has_table: Cell::new(false),
            hashes: RefCell::default(),
        }
    }

    /// The database, with the table.
    fn database(&self) -> Result<SqlStorage, Error> {
        let sql = self.state.storage().sql();
        if !self.has_table.get() {
            sql.exec(CREATE, None)?;
            self.has_table.set(true);
        }
        Ok(sql)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let sql = self.database()?;
        let mut found = None;
        for row in sql.exec(SELECT, vec![name.into()])?.raw() {
            for value in row? {
                if let SqlStorageValue::Blob(part) = value {
                    found.get_or_insert_with(Vec::new).extend(part);
                }
            }
        }
        Ok(found)
    }

    /// Writes all parts that differ by one statement, so that a failure leaves the old value whole.
    /// The statements run without an await, so no other event sees a part of them.
    fn write(&self, name: &'static str, bytes: &[u8]) -> Result<(), Error> {
        let sql = self.database()?;
        let known = self.hashes.borrow_mut().remove(name).unwrap_or_default();
        let parts = parts(bytes);
        let hashes = hashes(&parts);
        let is_stored = |index: usize| {
            let hash = hashes.get(index);
            hash.is_some() && hash == known.get(index)
        };
        let mut statement = String::new();
        let mut values = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if !is_stored(index) {
                statement += if values.is_empty() {
                    INSERT
                } else {
                    ", (?, ?, ?)"
                };
                values.extend([name.into(), integer(index), part.to_vec().into()]);
            }
        }
        if !values.is_empty() {
            sql.exec(&(statement + ON_CONFLICT), values)?;
        }
        sql.exec(DELETE, vec![name.into(), integer(parts.len())])?;
        self.hashes.borrow_mut().insert(name, hashes);
        Ok(())
    }
}

/// The parts of a value. Its head, which always changes, lies in the first, which alone is shorter:
/// a head of another length moves no byte from one of the others to the next.
fn parts(bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts: Vec<&[u8]> = bytes.rchunks(PART_BYTES).collect();
    parts.reverse();
    parts
}

/// The hashes of several parts. A single one always changes.
fn hashes(parts: &[&[u8]]) -> Vec<u64> {
    let hash = |part: &&[u8]| {
        let mut hasher = DefaultHasher::new();
        part.hash(&mut hasher);
        hasher.finish()
    };
    let parts = if parts.len() > 1 { parts } else { &[] };
    parts.iter().map(hash).collect()
}

fn integer(value: usize) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

impl Store for Storage {
    const PERSISTENT: bool = true;

    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        self.read(name).map_err(|error| error.to_string())
    }

    fn save(&self, name: &'static str, bytes: Option<&[u8]>) -> Result<(), String> {
        let bytes = bytes.unwrap_or_default();
        self.write(name, bytes).map_err(|error| error.to_string())
    }

    async fn resume_later(&self) -> Result<Continuation, String> {
        self.wake_after(Duration::ZERO).await?;
        Ok(Continuation::OtherInvocation)
    }

    async fn next_wake(&self) -> Option<SystemTime> {
        let milliseconds = self.state.storage().get_alarm().await.ok()??;
        Some(UNIX_EPOCH + Duration::from_millis(milliseconds.try_into().ok()?))
    }

    async fn wake_after(&self, delay: Duration) -> Result<(), String> {
        let set = self.state.storage().set_alarm(delay).await;
        set.map_err(|error| error.to_string())
    }

    /// Removes the alarm too, from which the object would exist for ever.
    async fn clear(&self) -> Result<(), String> {
        let storage = self.state.storage();
        let error = |error: Error| error.to_string();
        storage.delete_alarm().await.map_err(error)?;
        storage.delete_all().await.map_err(error)?;
        self.has_table.set(false);
        self.hashes.borrow_mut().clear();
        Ok(())
    }
}
