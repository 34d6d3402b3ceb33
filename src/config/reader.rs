//! Variable reader: parses named variables and collects what is wrong with them.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::VariableError;
use super::pasted;

/// The named variables, and the errors of those that were read so far.
pub(super) struct VariableReader<'a> {
    /// Not generic: V8 would compile all of the parsing twice, for the edge and for the object.
    lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) errors: Vec<VariableError>,
}

impl<'a> VariableReader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            errors: Vec::new(),
        }
    }

    /// The trimmed value of `variable`. An empty value counts as none.
    pub(super) fn get(&self, variable: &str) -> Option<String> {
        self.get_even_if_empty(variable)
            .filter(|value| !value.is_empty())
    }

    fn get_even_if_empty(&self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable)?;
        Some(pasted::trim(&value).to_owned())
    }

    /// The parsed value of a variable that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        parse: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(variable)?;
        self.parsed(variable, value, expected, parse)
    }

    /// The parsed value of a secret that has to be present. A secret that is set and empty is
    /// malformed: it was meant to be set.
    pub(super) fn required_secret<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        parse: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = self.get_even_if_empty(variable) else {
            self.error(variable, expected, true);
            return None;
        };
        self.parsed(variable, value, expected, parse)
    }

    /// The parsed value of a secret that may be absent. One that is set and empty is malformed: an
    /// empty token would open what it was meant to protect.
    pub(super) fn optional_secret<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        parse: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let value = self.get_even_if_empty(variable)?;
        self.parsed(variable, value, expected, parse)
    }

    /// The parsed `value`. The error names what may have been pasted with it.
    fn parsed<T>(
        &mut self,
        variable: &'static str,
        value: String,
        expected: &'static str,
        parse: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let hint = pasted::hint(&value);
        let parsed = if value.is_empty() || pasted::is_quoted(&value) {
            None
        } else {
            parse(value)
        };
        if parsed.is_none() {
            self.error(variable, pasted::with_hint(expected, hint), false);
        }
        parsed
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
            let hint = pasted::hint(&text);
            self.error(variable, pasted::with_hint(expected, hint), false);
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
        variable: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        missing: bool,
    ) {
        self.errors.push(VariableError {
            variable: variable.into(),
            expected: expected.into(),
            missing,
        });
    }
}
