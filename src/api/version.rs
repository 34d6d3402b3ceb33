//! Version: the number by which a release, its archive and its changelog are known.

/// The version of this crate, which is written down in Cargo.toml alone.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
