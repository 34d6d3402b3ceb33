//! Fuzz targets: everything that reads bytes from outside, and the properties that hold for any
//! bytes. A target panics where one of them does not hold.
//!
//! `tests/native/corpora.rs` runs the same targets over the inputs in `corpus/`.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod answers;
pub mod configuration;
pub mod errors;
pub mod events;
pub mod formats;
pub mod reasons;
pub mod requests;
pub mod stored;
pub mod sts;
pub mod sweep;

mod fleet;
mod message;
mod oracle;
// The support of the native tests, of which the targets use a part.
#[allow(dead_code, unused_imports, clippy::unnecessary_wraps)]
#[path = "../../tests/native/support/mod.rs"]
pub(crate) mod support;

/// Checks one input.
pub type Check = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Check); 10] = [
    ("answers", answers::check),
    ("configuration", configuration::check),
    ("errors", errors::check),
    ("events", events::check),
    ("formats", formats::check),
    ("reasons", reasons::check),
    ("requests", requests::check),
    ("stored", stored::check),
    ("sts", sts::check),
    ("sweep", sweep::check),
];
