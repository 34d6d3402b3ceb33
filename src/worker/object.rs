//! The Durable Object: one a target, named by it; the only place of the Worker that calls AWS. A
//! thin shell around the target's [`Keeper`].

use std::cell::OnceCell;
use std::rc::Rc;

use ::worker::wasm_bindgen;
use ::worker::{DurableObject, Env, Error, Request, Response, Result, State, durable_object};
use serde::Serialize;

use super::platform::WorkerPlatform;
use super::storage::Storage;
use super::{lookup, split};
use crate::config::{self, Config};
use crate::fleet::keeper::Keeper;
use crate::fleet::stored;

/// What the log calls the invocation that an alarm makes.
const ALARM: &str = "alarm";

/// Keeps the snapshots of one target.
#[durable_object(fetch)]
#[derive(Debug)]
pub struct SnapshotObject {
    state: Rc<State>,
    env: Env,
    keeper: OnceCell<Rc<Keeper<WorkerPlatform, Storage>>>,
}

impl SnapshotObject {
    fn keeper(&self) -> Result<&Rc<Keeper<WorkerPlatform, Storage>>> {
        if let Some(keeper) = self.keeper.get() {
            return Ok(keeper);
        }
        let value = |name: &str| lookup(&self.env, name);
        let config = Config::from_lookup(value).map_err(|error| Error::from(error.to_string()))?;
        let name = self.state.id().name();
        let target = config
            .targets
            .iter()
            .find(|target| name.as_ref() == Some(&target.name))
            .ok_or_else(|| Error::from("no target has the name of this object"))?;
        let platform = WorkerPlatform::new(config::log_level(value));
        let storage = Storage(Rc::clone(&self.state));
        let keeper = Keeper::new(&platform, target, &config, config.policy, storage);
        Ok(self.keeper.get_or_init(|| Rc::new(keeper)))
    }
}

impl DurableObject for SnapshotObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state: Rc::new(state),
            env,
            keeper: OnceCell::new(),
        }
    }

    /// Answers the edge; [`super::objects`] asks. The path is `/check/{request id}` or
    /// `/read/{request id}/{version that is known, if any}`. The answer is a
    /// [`Word`](crate::fleet::reading::Word) or a [`Health`](crate::fleet::reading::Health), and
    /// behind it the snapshot, if it is not known yet.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let keeper = self.keeper()?;
        let url = request.inner().url();
        let mut parts = split(&url).1.split('/').skip(1);
        let (ask, id) = (parts.next(), parts.next().unwrap_or_default());
        if ask == Some("check") {
            return answer(&keeper.check(id).await, None);
        }
        let known = parts.next().and_then(|version| version.parse().ok());
        let word = keeper.read(id).await;
        let is_news = word.version.is_some() && word.version != known;
        answer(&word, keeper.encoded().filter(|_| is_news).as_ref())
    }

    /// Goes on with the sweep that the invocation before left.
    async fn alarm(&self) -> Result<Response> {
        self.keeper()?.resume(ALARM).await;
        Response::empty()
    }
}

fn answer(word: &impl Serialize, snapshot: Option<&Rc<Vec<u8>>>) -> Result<Response> {
    let mut body = stored::encode("", word).ok_or("the answer cannot be written")?;
    if let Some(bytes) = snapshot {
        body.extend_from_slice(bytes);
    }
    Response::from_bytes(body)
}
