//! Configuration: the one that all tests start from.

use ecs_status::config::{Config, ConfigError};

/// The secret access key.
pub const SECRET: &str = "hush-hush-hush-hush";

const COMPLETE: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLEEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", SECRET),
    ("AWS_REGION", "us-east-1"),
];

/// A complete configuration with these variables changed; the first value of a name counts.
pub fn config(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_lookup(|name| {
        let mut variables = changes.iter().chain(&COMPLETE);
        let (_, value) = variables.find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    })
}
