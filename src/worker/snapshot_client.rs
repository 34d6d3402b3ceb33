//! Snapshot client: reads snapshots from the Durable Objects, one per target.

use std::borrow::Cow;
use std::pin::{Pin, pin};
use std::time::Duration;

use ::worker::js_sys::futures::JsFuture;
use ::worker::js_sys::{ArrayBuffer, Uint8Array};
use ::worker::wasm_bindgen::JsCast;
use ::worker::{ObjectNamespace, Result, web_sys};
use futures_util::future::{Either, select};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::location_hint;
use super::platform::WorkerPlatform;
use super::same_isolate;
use super::snapshot_protocol::{self, MAX_HEAD_BYTES, ObjectRequest};
use crate::aws::event::Change;
use crate::config::Config;
use crate::fleet::refresh::status::{Health, SnapshotStatus};
use crate::fleet::view::source::{SnapshotReply, SnapshotRequest, SnapshotSource};
use crate::platform::{Level, Log, Sleep};

/// The time that an object may take beyond that for which a request waits for a sweep.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct SnapshotClient {
    namespace: ObjectNamespace,
    platform: WorkerPlatform,
    /// The name of each target's object, and its location hint.
    targets: Vec<(String, Option<&'static str>)>,
    timeout: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectFailed {
    level: Level,
    event: &'static str,
    message: String,
}

impl SnapshotClient {
    pub(super) fn new(
        namespace: ObjectNamespace,
        platform: WorkerPlatform,
        config: &Config,
    ) -> Self {
        let targets = config.targets.iter();
        Self {
            namespace,
            platform,
            targets: targets
                .map(|target| (target.name.clone(), location_hint::of(&target.region)))
                .collect(),
            timeout: config.sweep_timeout + GRACE,
        }
    }

    /// The object's reply to a request, which has a body or none.
    /// In a box, since it has three callers.
    fn ask<'a>(
        &'a self,
        target: usize,
        request: &ObjectRequest<'_>,
        body: Option<String>,
    ) -> Pin<Box<dyn Future<Output = Result<Uint8Array>> + 'a>> {
        let path = request.to_path();
        Box::pin(async move {
            let reply = pin!(self.fetch(target, &path, body));
            let timeout = pin!(self.platform.sleep(self.timeout));
            match select(reply, timeout).await {
                Either::Left((reply, _)) => reply,
                Either::Right(_) => Err("no reply in time".into()),
            }
        })
    }

    /// The head of a reply, and the bytes behind it.
    fn decode<T: DeserializeOwned>(&self, reply: Result<Uint8Array>) -> Option<(T, Uint8Array)> {
        self.or_log(reply.and_then(|bytes| {
            let start = bytes.subarray(0, MAX_HEAD_BYTES.min(bytes.length()));
            let (head, length) = snapshot_protocol::decode_head(&start.to_vec())
                .map_err(|error| error.to_string())?;
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            Ok((head, bytes.subarray(length, bytes.length())))
        }))
    }

    /// Sends a request to the object of `target`. A stub belongs to the request that makes it, so
    /// each request makes its own.
    async fn fetch(&self, target: usize, path: &str, body: Option<String>) -> Result<Uint8Array> {
        let (name, hint) = self.targets.get(target).ok_or("no such target")?;
        let stub = match hint {
            Some(hint) => self.namespace.get_by_name_with_location_hint(name, hint),
            None => self.namespace.get_by_name(name),
        }?;
        let url = format!("https://object{path}");
        let reply: web_sys::Response = match body {
            None => stub.fetch_with_str(&url).await?.into(),
            Some(body) => {
                let init = web_sys::RequestInit::new();
                init.set_method("POST");
                init.set_body(&body.into());
                let request = web_sys::Request::new_with_str_and_init(&url, &init)?;
                stub.fetch_with_request(request.into()).await?.into()
            }
        };
        if reply.status() != 200 {
            return Err(format!("status {}", reply.status()).into());
        }
        let body: ArrayBuffer = JsFuture::from(reply.array_buffer()?)
            .await?
            .unchecked_into();
        Ok(Uint8Array::new(&body))
    }

    fn or_log<T>(&self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.log(&error)).ok()
    }

    /// Not inlined, since there are many callers.
    #[inline(never)]
    fn log(&self, error: &::worker::Error) {
        let record = ObjectFailed {
            level: Level::Warn,
            event: "object",
            message: error.to_string(),
        };
        self.platform.record(Level::Warn, &record);
    }
}

impl SnapshotSource for SnapshotClient {
    async fn read(&self, target: usize, request: SnapshotRequest<'_>) -> Option<SnapshotReply> {
        let snapshot = request.known;
        let known = snapshot.map(|snapshot| snapshot.version);
        let request = ObjectRequest::Read {
            request_id: Cow::Borrowed(request.request_id),
            known,
            wait: request.wait,
            isolate: same_isolate::name(),
        };
        let reply = self.ask(target, &request, None).await;
        let (status, bytes): (SnapshotStatus, _) = self.decode(reply)?;
        let mut newer = None;
        if snapshot_protocol::has_snapshot(&status, known) {
            let received = if bytes.length() == 0 {
                let (name, _) = self.targets.get(target)?;
                same_isolate::get(name, status.version).ok_or("no snapshot was handed over".into())
            } else {
                let decoded = snapshot_protocol::decode_snapshot(&bytes.to_vec(), snapshot);
                decoded.map_err(|error| error.to_string().into())
            };
            newer = Some(self.or_log(received)?);
        }
        Some(SnapshotReply {
            status,
            snapshot: newer,
        })
    }

    async fn check(&self, target: usize, request_id: &str) -> Option<Health> {
        let request_id = Cow::Borrowed(request_id);
        let request = ObjectRequest::Check { request_id };
        let reply = self.ask(target, &request, None).await;
        let (health, _) = self.decode(reply)?;
        Some(health)
    }

    async fn note(&self, target: usize, changes: &[Change], request_id: &str) -> Option<Vec<bool>> {
        let request_id = Cow::Borrowed(request_id);
        let request = ObjectRequest::Note { request_id };
        let lines = snapshot_protocol::to_lines(changes);
        let reply = self.ask(target, &request, Some(lines)).await;
        let (noted, _) = self.decode(reply)?;
        Some(noted)
    }
}
