//! What a Durable Object stored or says. The input is a letter that tells what it is, and its bytes.

mod kept;

use std::rc::Rc;

use ecs_status::config::Config;
use ecs_status::fleet::reading::{Health, Reading, Source, Word};
use ecs_status::fleet::stored::{Underway, Useless, Versioned, decode, decode_first, encode};
use ecs_status::fleet::target::Target;
use ecs_status::fleet::view::Fleet;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::fleet::{Fixed, ask, config, get};
use super::support::Fake;

thread_local! {
    static CONFIG: Config = config(&[("AWS_REGION", "us-east-1")]);
    static IDENTITY: String = CONFIG.with(|config| {
        let platform = Fake::script(Vec::new());
        Target::new(&platform, config.targets[0].clone(), config).identity().to_owned()
    });
}

/// What can be read is written and read back as the same; nothing more or less than all of it can
/// be read; edges answer with it; and a keeper goes on with it, or without it.
pub fn check(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    match kind {
        b'w' => drop(read(bytes).map(|word| answer(Told(word)))),
        b'h' => drop(read(bytes).map(|health| answer(Checked(health)))),
        b's' | b'f' => {
            if let Some(stored) = read::<Versioned>(bytes) {
                answer(Fixed(vec![Rc::clone(&stored.snapshot)]));
                kept::replace(&stored, *kind == b'f');
            }
        }
        b'u' => drop(read::<Underway>(bytes).map(|underway| kept::go_on(&underway))),
        // Without the right start, nothing is.
        _ => {
            assert!(decode::<Versioned>(bytes, Some("another identity")).is_err());
            let _ = decode::<Underway>(bytes, None);
        }
    }
}

fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    IDENTITY.with(|identity| {
        let mut stored = encode(identity, &()).expect("it can be written");
        stored.extend_from_slice(bytes);
        let value: T = decode(&stored, Some(identity)).ok()?;
        let written = encode(identity, &value).expect("it can be written");
        let again: T = decode(&written, Some(identity)).expect("it was written");
        assert_eq!(encode(identity, &again).as_ref(), Some(&written));

        let why = |bytes: &[u8], identity| decode::<T>(bytes, Some(identity)).err();
        let shorter = &written[..written.len() - 1];
        assert_eq!(why(shorter, identity), Some(Useless::Unreadable));
        let longer = [&written[..], &[0]].concat();
        assert_eq!(why(&longer, identity), Some(Useless::Unreadable));
        assert!(matches!(decode_first::<T>(&longer), Ok((_, 1))));
        assert_eq!(why(&written, "another"), Some(Useless::OtherIdentity));
        Some(value)
    })
}

/// An edge that hears it has an answer, and an error too is JSON.
fn answer(source: impl Source) {
    let fleet = Fleet::new(CONFIG.with(Clone::clone), source);
    for path in ["/list", "/healthz"] {
        let response = ask(&fleet, &get(path, None));
        assert!(matches!(response.status().as_u16(), 200 | 500..=504));
        serde_json::from_slice::<IgnoredAny>(response.body()).expect("JSON is JSON");
    }
    ask(&fleet, &get("/metrics", None));
}

/// An object that has no snapshot.
struct Told(Word);

impl Source for Told {
    async fn read(&self, _: usize, _: &dyn Fn() -> Option<u64>, _: &str) -> Option<Reading> {
        Some(Reading {
            word: self.0.clone(),
            snapshot: None,
        })
    }

    async fn check(&self, _: usize, _: &str) -> Option<Health> {
        None
    }
}

/// An object that only knows whether the keys work.
struct Checked(Health);

impl Source for Checked {
    async fn read(&self, _: usize, _: &dyn Fn() -> Option<u64>, _: &str) -> Option<Reading> {
        None
    }

    async fn check(&self, _: usize, _: &str) -> Option<Health> {
        Some(self.0.clone())
    }
}
