//! Storage: `Store` over the `SQLite` database and the alarm of a Durable Object.

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::worker::{Error, SqlStorageValue, State};

use crate::fleet::refresh::store::Store;

/// A row may hold 2 MB (Cloudflare Durable Objects documentation, "Limits").
const PART_BYTES: usize = 1_000_000;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS stored \
    (name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (name, part))";
/// Replaces a part in place, which writes one row; a DELETE and an INSERT write three.
const UPSERT: &str = "INSERT INTO stored (name, part, bytes) VALUES (?, ?, ?) \
    ON CONFLICT (name, part) DO UPDATE SET bytes = excluded.bytes";
const DELETE_FROM: &str = "DELETE FROM stored WHERE name = ? AND part >= ?";
const SELECT: &str = "SELECT bytes FROM stored WHERE name = ? ORDER BY part";

#[derive(Debug)]
pub(super) struct Storage(pub(super) Rc<State>);

impl Storage {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let sql = self.0.storage().sql();
        sql.exec(CREATE, None)?;
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

    /// The statements run without an await, so no other event sees a part of them.
    fn write(&self, name: &str, bytes: Option<&[u8]>) -> Result<(), Error> {
        let sql = self.0.storage().sql();
        sql.exec(CREATE, None)?;
        let mut count = 0;
        for part in bytes.unwrap_or_default().chunks(PART_BYTES) {
            let row = vec![
                name.into(),
                SqlStorageValue::Integer(count),
                part.to_vec().into(),
            ];
            sql.exec(UPSERT, row)?;
            count += 1;
        }
        let rest = vec![name.into(), SqlStorageValue::Integer(count)];
        sql.exec(DELETE_FROM, rest)?;
        Ok(())
    }
}

impl Store for Storage {
    const PERSISTENT: bool = true;

    fn load(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        self.read(name).map_err(|error| error.to_string())
    }

    fn save(&self, name: &'static str, bytes: Option<&[u8]>) -> Result<(), String> {
        self.write(name, bytes).map_err(|error| error.to_string())
    }

    async fn resume_later(&self) -> bool {
        self.wake_after(Duration::ZERO).await.is_ok()
    }

    async fn next_wake(&self) -> Option<SystemTime> {
        let milliseconds = self.0.storage().get_alarm().await.ok()??;
        Some(UNIX_EPOCH + Duration::from_millis(milliseconds.try_into().ok()?))
    }

    async fn wake_after(&self, delay: Duration) -> Result<(), String> {
        let set = self.0.storage().set_alarm(delay).await;
        set.map_err(|error| error.to_string())
    }

    /// Removes the alarm too, from which the object would exist for ever.
    async fn clear(&self) -> Result<(), String> {
        let storage = self.0.storage();
        let error = |error: Error| error.to_string();
        storage.delete_alarm().await.map_err(error)?;
        storage.delete_all().await.map_err(error)
    }
}
