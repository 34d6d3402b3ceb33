//! Events: what ECS tells about a service, of which the newest are read where they are wanted.

use std::time::SystemTime;

use crate::aws::lenient::{Field, Lenient, Members, ReadJson, decoded_by_member, first_objects};
use crate::order::sort_by;

/// The number of events that are read.
const MAX_EVENTS: usize = 20;

/// An event of a service.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ServiceEvent {
    pub created_at: Option<SystemTime>,
    /// Names accounts, roles, images and addresses: it is never shown.
    pub message: Option<String>,
}

decoded_by_member!(ServiceEvent {
    "createdAt" => created_at,
    "message" => message,
});

impl Lenient for ServiceEvent {
    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        Some(Self {
            created_at: members.time("createdAt"),
            message: members.text("message"),
        })
    }
}

/// The events of a service: the first ones, or where in the response they stand.
#[derive(Clone, Debug, Default)]
pub struct Events {
    first: Vec<ServiceEvent>,
    place: Option<(usize, usize)>,
}

impl Events {
    /// The newest events. Empty where they are not wanted.
    #[must_use]
    pub fn first(&self) -> &[ServiceEvent] {
        &self.first
    }

    /// The events in the JSON of the member. It is no fault if there are none.
    pub(super) fn from_json(json: &str) -> Self {
        let place = place(json);
        let first = match place {
            Some(_) => Vec::new(),
            None => newest(json.as_bytes()),
        };
        Self { first, place }
    }

    /// The newest events, read from `body` where they stand there.
    pub(super) fn read(mut self, body: &[u8]) -> Self {
        if let Some(array) = self.array(body) {
            self.first = newest(array);
        }
        self.place = None;
        self
    }

    /// The time of the first event.
    pub(super) fn first_created_at(&self, body: &[u8]) -> Option<SystemTime> {
        let read: Vec<ServiceEvent>;
        let first = match self.array(body) {
            Some(array) => {
                read = first_objects(array, 1);
                &read
            }
            None => &self.first,
        };
        first.first()?.created_at
    }

    fn array<'a>(&self, body: &'a [u8]) -> Option<&'a [u8]> {
        let (start, end) = self.place?;
        body.get(start..end)
    }
}

impl From<Vec<ServiceEvent>> for Events {
    fn from(first: Vec<ServiceEvent>) -> Self {
        Self { first, place: None }
    }
}

/// The newest events of `array`. ECS sends them first, but does not promise to: all are read where the
/// first ones are in another order.
fn newest(array: &[u8]) -> Vec<ServiceEvent> {
    let first: Vec<ServiceEvent> = first_objects(array, MAX_EVENTS);
    let is_descending = |pair: &[ServiceEvent]| match pair {
        [a, b] => a.created_at >= b.created_at,
        _ => true,
    };
    if first.len() < MAX_EVENTS || first.windows(2).all(is_descending) {
        return first;
    }
    let mut all = first_objects(array, usize::MAX);
    sort_by(&mut all, |a: &ServiceEvent, b| {
        b.created_at.cmp(&a.created_at)
    });
    all.truncate(MAX_EVENTS);
    all
}

/// The place that stands in an array where its content was left out.
fn place(json: &str) -> Option<(usize, usize)> {
    let inner = json.strip_prefix('[')?.strip_suffix(']')?;
    let (start, end) = inner.split_once(',')?;
    Some((start.parse().ok()?, end.parse().ok()?))
}

impl ReadJson for Events {
    fn read_json(&mut self, json: &str) {
        *self = Self::from_json(json);
    }
}

impl<'a> From<&'a mut Events> for Field<'a> {
    fn from(events: &'a mut Events) -> Self {
        Self::Json(events)
    }
}
