//! `Source` over the Durable Objects, one a target.

use std::pin::pin;
use std::time::Duration;

use ::worker::js_sys::futures::JsFuture;
use ::worker::js_sys::{ArrayBuffer, Uint8Array};
use ::worker::wasm_bindgen::JsCast;
use ::worker::{ObjectNamespace, Result, web_sys};
use futures_util::future::{Either, select};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::platform::WorkerPlatform;
use crate::aws::platform::{Level, Log, Sleep};
use crate::config::{Config, location};
use crate::fleet::reading::{Health, Reading, Source, Word};
use crate::fleet::stored;

/// How much longer than a request waits for a sweep its object may take to say so.
const GRACE: Duration = Duration::from_secs(5);

/// No [`Word`] or [`Health`] takes more, in bytes.
const WORD_BYTES: u32 = 512;

#[derive(Debug)]
pub(super) struct Objects {
    namespace: ObjectNamespace,
    platform: WorkerPlatform,
    /// Each object's name, and where it is best placed.
    targets: Vec<(String, Option<&'static str>)>,
    patience: Duration,
}

impl Objects {
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
                .map(|target| (target.name.clone(), location::hint(&target.region)))
                .collect(),
            patience: config.sweep_timeout + GRACE,
        }
    }

    /// What the object says, and what stands behind it.
    async fn ask<T: DeserializeOwned>(&self, target: usize, path: &str) -> Option<(T, Uint8Array)> {
        let asked = pin!(self.fetch(target, path));
        let patience = pin!(self.platform.sleep(self.patience));
        let answer = match select(asked, patience).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err("no answer in time".into()),
        };
        self.or_log(answer.and_then(|bytes| {
            let start = bytes.subarray(0, WORD_BYTES.min(bytes.length())).to_vec();
            let (word, left) = stored::decode_first(&start).map_err(|e| e.to_string())?;
            let behind = start.len() - left;
            let behind = u32::try_from(behind).unwrap_or(u32::MAX);
            Ok((word, bytes.subarray(behind, bytes.length())))
        }))
    }

    /// Stubs belong to the request that asks, so each gets its own.
    async fn fetch(&self, target: usize, path: &str) -> Result<Uint8Array> {
        let (name, hint) = self.targets.get(target).ok_or("no such target")?;
        let stub = match hint {
            Some(hint) => self.namespace.get_by_name_with_location_hint(name, hint),
            None => self.namespace.get_by_name(name),
        }?;
        let url = format!("https://object{path}");
        let answer: web_sys::Response = stub.fetch_with_str(&url).await?.into();
        if answer.status() != 200 {
            return Err(format!("status {}", answer.status()).into());
        }
        let body: ArrayBuffer = JsFuture::from(answer.array_buffer()?)
            .await?
            .unchecked_into();
        Ok(Uint8Array::new(&body))
    }

    fn or_log<T>(&self, result: Result<T>) -> Option<T> {
        result
            .map_err(|error| {
                if self.platform.enabled(Level::Warn) {
                    let line = serde_json::json!({
                        "level": Level::Warn, "event": "object", "message": error.to_string(),
                    });
                    self.platform.write(Level::Warn, line.to_string());
                }
            })
            .ok()
    }
}

fn segment(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

impl Source for Objects {
    async fn read(
        &self,
        target: usize,
        known: &dyn Fn() -> Option<u64>,
        request_id: &str,
    ) -> Option<Reading> {
        let version = known().map(|known| known.to_string()).unwrap_or_default();
        let path = format!("/read/{}/{version}", segment(request_id));
        let (word, snapshot): (Word, _) = self.ask(target, &path).await?;
        // Another request may have brought it meanwhile.
        if word.version.is_none() || word.version == known() {
            let snapshot = None;
            return Some(Reading { word, snapshot });
        }
        let decoded = stored::decode(&snapshot.to_vec(), None);
        let snapshot = self.or_log(decoded.map_err(|useless| useless.to_string().into()))?;
        Some(Reading {
            word,
            snapshot: Some(snapshot),
        })
    }

    async fn check(&self, target: usize, request_id: &str) -> Option<Health> {
        let path = format!("/check/{}", segment(request_id));
        let (health, _) = self.ask(target, &path).await?;
        Some(health)
    }
}
