//! Snapshot object: the Durable Object of a target, named by it; the only place of the Worker that
//! calls AWS. A thin shell around the target's [`Refresher`].

use std::cell::OnceCell;
use std::rc::Rc;

use ::worker::js_sys::futures::JsFuture;
use ::worker::wasm_bindgen;
use ::worker::{DurableObject, Env, Error, Request, Response, Result, State, durable_object};

use super::env::variable;
use super::platform::WorkerPlatform;
use super::request::split_url;
use super::same_isolate;
use super::snapshot_protocol::{self, ObjectRequest};
use super::storage::Storage;
use crate::config;
use crate::fleet::refresh::forgetting;
use crate::fleet::refresh::policy::Policy;
use crate::fleet::refresh::refresher::Refresher;

/// The request id of an invocation by an alarm, in the log.
const ALARM: &str = "alarm";

/// Refreshes the snapshot of one target.
#[durable_object(alarm)]
#[derive(Debug)]
pub struct SnapshotObject {
    state: Rc<State>,
    env: Env,
    refresher: OnceCell<Rc<Refresher<WorkerPlatform, Storage>>>,
}

impl SnapshotObject {
    fn refresher(&self) -> Result<&Rc<Refresher<WorkerPlatform, Storage>>> {
        if let Some(refresher) = self.refresher.get() {
            return Ok(refresher);
        }
        let (platform, storage) = (self.platform(), self.storage());
        let api = super::api(&self.env, &platform);
        let config = api.config();
        let config = config.map_err(|error| Error::from(error.to_string()))?;
        let name = self.state.id().name();
        let mut targets = config.targets.iter();
        let target = targets
            .find(|target| name.as_ref() == Some(&target.name))
            .ok_or_else(|| Error::from("no target has the name of this object"))?;
        let policy = Policy::new(config.age_limits);
        let refresher = Refresher::new(&platform, target, config, policy, storage);
        Ok(self.refresher.get_or_init(|| Rc::new(refresher)))
    }

    /// The bytes for a reader who has version `known`. `None` if it runs in the same isolate, where the
    /// snapshot itself is handed over.
    fn send(
        &self,
        refresher: &Refresher<WorkerPlatform, Storage>,
        known: Option<u64>,
        isolate: Option<u64>,
    ) -> Option<Vec<u8>> {
        if isolate.is_some()
            && isolate == same_isolate::name()
            && let Some(newest) = refresher.share()
        {
            let target = self.state.id().name().unwrap_or_default();
            same_isolate::put(target, newest);
            return None;
        }
        refresher.encoded_since(known)
    }

    async fn clear(&self) -> Result<(), String> {
        let name = self.state.id().name().unwrap_or_default();
        forgetting::clear(&self.storage(), &self.platform(), &name).await
    }

    fn platform(&self) -> WorkerPlatform {
        WorkerPlatform::new(config::log_level(|name| variable(&self.env, name)))
    }

    fn storage(&self) -> Storage {
        Storage::new(Rc::clone(&self.state))
    }
}

impl DurableObject for SnapshotObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state: Rc::new(state),
            env,
            refresher: OnceCell::new(),
        }
    }

    /// Replies to the edge by the [`snapshot_protocol`].
    async fn fetch(&self, request: Request) -> Result<Response> {
        let refresher = self.refresher()?;
        let url = request.inner().url();
        let frame = match ObjectRequest::from_path(split_url(&url).1) {
            Some(ObjectRequest::Read {
                request_id,
                known,
                wait,
                isolate,
            }) => {
                let status = refresher.read(wait, &request_id).await;
                refresher.postpone_forgetting().await;
                let is_sent = snapshot_protocol::has_snapshot(&status, known);
                let encoded = is_sent.then(|| self.send(refresher, known, isolate));
                let encoded = encoded.flatten();
                snapshot_protocol::snapshot_frame(&status, known, encoded.as_deref())
            }
            Some(ObjectRequest::Check { request_id }) => {
                snapshot_protocol::health_frame(&refresher.check(&request_id).await)
            }
            Some(ObjectRequest::Note { .. }) => {
                let lines = JsFuture::from(request.inner().text()?).await?;
                let changes = snapshot_protocol::from_lines(&lines.as_string().unwrap_or_default());
                snapshot_protocol::noted_frame(&refresher.note(&changes))
            }
            None => return Err(Error::from("the path is not one of the snapshot protocol")),
        };
        Response::from_bytes(frame.ok_or("the reply could not be encoded")?)
    }

    /// Continues the sweep that the previous invocation has paused, or forgets a target that nobody
    /// reads any more. Without a target, as where it has left the configuration, there is nothing to
    /// continue.
    async fn alarm(&self) -> Result<Response> {
        match self.refresher() {
            Ok(refresher) => refresher.wake(ALARM).await?,
            Err(_) => self.clear().await?,
        }
        Response::empty()
    }
}
