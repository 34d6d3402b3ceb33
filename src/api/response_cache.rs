//! Response cache: the bodies rendered from the newest snapshot, so that each is rendered once.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use http::HeaderValue;

use crate::api::headers::conditional;
use crate::api::query::ReportQuery;
use crate::api::response::Body;
use crate::fleet::model::snapshot::{Cluster, Snapshot};

/// The most bodies that are held.
const MAX_ENTRIES: usize = 16;

/// The most bytes that are held: there is no limit to the different queries that a client can send.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Bodies by snapshot and query.
#[derive(Debug, Default)]
pub(super) struct ResponseCache {
    entries: RefCell<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    snapshot: Rc<Snapshot>,
    query: ReportQuery,
    etag: HeaderValue,
    rendering: Rendering<Body>,
}

/// A body, and where the clusters lie in it, if that is known.
#[derive(Clone, Debug)]
pub(super) struct Rendering<B = Vec<u8>> {
    pub(super) body: B,
    pub(super) parts: Vec<Part>,
}

/// The place of a cluster in a body.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its address, which is no other cluster's as long as the snapshot is held.
    cluster: usize,
    bytes: Range<usize>,
}

/// A body and its entity tag.
#[derive(Clone, Debug)]
pub(super) struct RenderedBody {
    pub(super) body: Body,
    pub(super) etag: HeaderValue,
}

impl Part {
    pub(super) fn new(cluster: &Cluster, bytes: Range<usize>) -> Self {
        Self {
            cluster: address(cluster),
            bytes,
        }
    }
}

fn address(cluster: &Cluster) -> usize {
    std::ptr::from_ref(cluster).addr()
}

impl From<Vec<u8>> for Rendering {
    fn from(body: Vec<u8>) -> Self {
        Self {
            body,
            parts: Vec::new(),
        }
    }
}

impl Rendering<Body> {
    /// The bytes of the cluster, if it is the one that stands at `index`.
    pub(super) fn part(&self, index: usize, cluster: &Cluster) -> Option<&[u8]> {
        let part = self.parts.get(index)?;
        let is_same = part.cluster == address(cluster);
        self.body.get(part.bytes.clone()).filter(|_| is_same)
    }
}

impl Entry {
    fn rendered(&self) -> RenderedBody {
        RenderedBody {
            body: Rc::clone(&self.rendering.body),
            etag: self.etag.clone(),
        }
    }
}

impl ResponseCache {
    /// The body for `query` about `snapshot`; `render` renders it if it is not held, and gets the one
    /// that was rendered from the snapshot before.
    ///
    /// # Errors
    /// Those of `render`.
    pub(super) fn get_or_render<E>(
        &self,
        snapshot: &Rc<Snapshot>,
        query: &ReportQuery,
        render: impl FnOnce(Option<&Rendering<Body>>) -> Result<Rendering, E>,
    ) -> Result<RenderedBody, E> {
        let Rendering { mut body, parts } = {
            let entries = self.entries.borrow();
            let known = entries.iter().find(|entry| entry.query == *query);
            if let Some(entry) = known.filter(|entry| Rc::ptr_eq(&entry.snapshot, snapshot)) {
                return Ok(entry.rendered());
            }
            // Which services a query selects may depend on this time.
            let is_patched = |entry: &&Entry| entry.snapshot.generated_at == snapshot.generated_at;
            let before = known.filter(is_patched).map(|entry| &entry.rendering);
            render(before)?
        };
        // The buffer grew by doubling, and is held for long.
        body.shrink_to_fit();
        let entry = Entry {
            snapshot: Rc::clone(snapshot),
            query: query.clone(),
            etag: conditional::etag(&body),
            rendering: Rendering {
                body: body.into(),
                parts,
            },
        };
        let rendered = entry.rendered();
        let mut entries = self.entries.borrow_mut();
        entries.retain(|entry| Rc::ptr_eq(&entry.snapshot, snapshot));
        entries.push(entry);
        let bytes = |entries: &[Entry]| -> usize {
            entries.iter().map(|entry| entry.rendering.body.len()).sum()
        };
        while entries.len() > MAX_ENTRIES || bytes(&entries) > MAX_BYTES {
            entries.remove(0);
        }
        Ok(rendered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::query::ReportFormat;
    use crate::fleet::model::filter::Filter;
    use std::cell::Cell;
    use std::time::UNIX_EPOCH;

    fn snapshot() -> Rc<Snapshot> {
        Rc::new(Snapshot {
            generated_at: UNIX_EPOCH,
            account: None,
            clusters: Vec::new(),
            failures: Vec::new(),
            carried_over: Vec::new(),
        })
    }

    fn query(service: &str, format: ReportFormat) -> ReportQuery {
        let mut filter = Filter::default();
        filter.services = vec![service.to_owned()].into();
        ReportQuery { filter, format }
    }

    #[derive(Default)]
    struct Fixture {
        cache: ResponseCache,
        renders: Cell<usize>,
    }

    impl Fixture {
        /// The number of renders so far, after a request for a body of `length` bytes.
        fn request(&self, snapshot: &Rc<Snapshot>, query: &ReportQuery, length: usize) -> usize {
            let rendered = self.cache.get_or_render(snapshot, query, |_| {
                self.renders.set(self.renders.get() + 1);
                Ok::<_, ()>(vec![b'x'; length].into())
            });
            assert_eq!(rendered.unwrap().body.len(), length);
            self.renders.get()
        }

        fn entries(&self) -> usize {
            self.cache.entries.borrow().len()
        }
    }

    #[test]
    fn a_body_is_rendered_once_for_each_snapshot_query_and_format() {
        let fixture = Fixture::default();
        let (one, other) = (snapshot(), snapshot());
        let (a, b) = (
            query("a", ReportFormat::Json),
            query("b", ReportFormat::Json),
        );
        assert_eq!(fixture.request(&one, &a, 1), 1);
        assert_eq!(fixture.request(&one, &a, 1), 1);
        assert_eq!(fixture.request(&one, &b, 1), 2);
        assert_eq!(fixture.request(&one, &query("a", ReportFormat::Csv), 1), 3);
        assert_eq!(fixture.request(&other, &a, 1), 4);
        assert_eq!(fixture.request(&other, &a, 1), 4);
        assert_eq!(
            fixture.request(&one, &a, 1),
            5,
            "the older snapshot's bodies are dropped"
        );
    }

    #[test]
    fn the_cache_is_bounded_in_entries_and_in_bytes() {
        let fixture = Fixture::default();
        let snapshot = snapshot();
        let request = |name: &str, length| {
            fixture.request(&snapshot, &query(name, ReportFormat::Json), length);
            fixture.entries()
        };
        for number in 0..2 * MAX_ENTRIES {
            request(&number.to_string(), 1);
        }
        assert_eq!(fixture.entries(), MAX_ENTRIES);
        request("half", MAX_BYTES / 2);
        assert_eq!(request("more than half", MAX_BYTES / 2 + 1), 1);
        assert_eq!(request("as much as fits", MAX_BYTES), 1);
        assert_eq!(request("too much", MAX_BYTES + 1), 0);
    }
}
