//! Named values, and everything that is wrong with them.

use std::borrow::Cow;
use std::fmt;

/// What is wrong with one variable. Never holds its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    /// What it should be.
    pub expected: Cow<'static, str>,
    /// Whether it is missing, rather than malformed.
    pub missing: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = if self.missing {
            "is missing"
        } else {
            "is malformed"
        };
        write!(f, "{} {fault}: {}", self.variable, self.expected)
    }
}

/// Everything that is wrong with the configuration, at least one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order in which the variables are documented.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The named values, and what was wrong with those read so far.
pub(super) struct Values<F> {
    lookup: F,
    pub(super) problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Option<String>> Values<F> {
    pub(super) fn new(lookup: F) -> Self {
        Self {
            lookup,
            problems: Vec::new(),
        }
    }

    pub(super) fn get(&self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn required<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        read: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(variable);
        let missing = value.is_none();
        let read = value.and_then(read);
        if read.is_none() {
            self.problem(variable, expected, missing);
        }
        read
    }

    pub(super) fn problem(
        &mut self,
        variable: &'static str,
        expected: impl Into<Cow<'static, str>>,
        missing: bool,
    ) {
        self.problems.push(Problem {
            variable,
            expected: expected.into(),
            missing,
        });
    }

    pub(super) fn optional<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        read: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        self.get(variable)?;
        self.required(variable, expected, read)
    }
}
