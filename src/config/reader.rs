//! Variable reader: parses named variables and collects what is wrong with them.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::VariableError;

/// The named variables, and the errors of those that were read so far.
pub(super) struct VariableReader<F> {
    lookup: F,
    pub(super) errors: Vec<VariableError>,
}

impl<F: Fn(&str) -> Option<String>> VariableReader<F> {
    pub(super) fn new(lookup: F) -> Self {
        Self {
            lookup,
            errors: Vec::new(),
        }
    }

    /// The trimmed value of `variable`. An empty value counts as none.
    pub(super) fn get(&self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    /// The parsed value of a variable that has to be present.
    pub(super) fn required<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        parse: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(variable);
        let missing = value.is_none();
        let parsed = value.and_then(parse);
        if parsed.is_none() {
            self.error(variable, expected, missing);
        }
        parsed
    }

    /// The parsed value of a variable that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        parse: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        self.get(variable)?;
        self.required(variable, expected, parse)
    }

    /// A whole number in `range`, or `default` if the variable is absent.
    pub(super) fn number(
        &mut self,
        variable: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        let Some(text) = self.get(variable) else {
            return default;
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            self.error(variable, expected, false);
        }
        number.unwrap_or(default)
    }

    /// As [`Self::number`], in seconds.
    pub(super) fn seconds(
        &mut self,
        variable: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> Duration {
        Duration::from_secs(self.number(variable, range, default).into())
    }

    pub(super) fn error(
        &mut self,
        variable: &'static str,
        expected: impl Into<Cow<'static, str>>,
        missing: bool,
    ) {
        self.errors.push(VariableError {
            variable,
            expected: expected.into(),
            missing,
        });
    }
}
