//! Everything that reads bytes from outside, and what has to hold whatever the bytes are. A target
//! panics where it does not.
//!
//! `tests/corpora.rs` runs the same targets over what is kept in `corpus/`.

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
pub mod formats;
pub mod requests;
pub mod stored;
pub mod sts;
pub mod sweep;

mod fleet;
mod message;
mod oracle;
#[path = "../../tests/support/mod.rs"]
mod support;

/// What looks at an input.
pub type Check = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Check); 8] = [
    ("answers", answers::check),
    ("configuration", configuration::check),
    ("errors", errors::check),
    ("formats", formats::check),
    ("requests", requests::check),
    ("stored", stored::check),
    ("sts", sts::check),
    ("sweep", sweep::check),
];
