//! Headers: caching and conditional requests, CORS, and browser security.

pub(super) mod conditional;
pub(super) mod cors;
pub(super) mod security;
