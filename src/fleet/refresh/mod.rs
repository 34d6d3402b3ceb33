//! Refresh: decides when to sweep a target, runs its sweep in slices, and stores what was found.

mod carry_over;
pub mod encoding;
pub mod forgetting;
mod log;
mod marks;
mod patch;
mod persistence;
pub mod policy;
pub mod refresher;
mod reread;
mod slices;
pub mod status;
pub mod store;
