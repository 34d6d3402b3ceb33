//! Configuration errors: everything that is wrong with the variables, at once.

use std::borrow::Cow;
use std::fmt;

/// A variable that is missing or malformed. Never holds its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// The name of the variable.
    pub variable: Cow<'static, str>,
    /// The value that is expected, as a noun phrase.
    pub expected: Cow<'static, str>,
    /// Whether the variable is missing, rather than malformed.
    pub missing: bool,
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = if self.missing { "missing" } else { "malformed" };
        write!(
            f,
            "{} is {fault}: expected {}",
            self.variable, self.expected
        )
    }
}

/// Everything that is wrong with the configuration, at least one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order in which the variables are documented.
    pub errors: Vec<VariableError>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
