//! Values: those that a filter accepts for a key, which are looked up for every service.

use std::ops::Deref;

use crate::order::sorted_indices;

/// Values in the order of the request. A look-up takes the logarithm of their number, since a URL has
/// room for thousands of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    given: Vec<String>,
    /// The indices of the values, sorted by value.
    sorted: Vec<usize>,
}

impl Values {
    pub(super) fn contains(&self, value: &str) -> bool {
        let found = |&index: &usize| self.given.get(index).map(String::as_str);
        let compare = |index: &usize| found(index).cmp(&Some(value));
        self.sorted.binary_search_by(compare).is_ok()
    }
}

impl From<Vec<String>> for Values {
    fn from(given: Vec<String>) -> Self {
        let sorted = sorted_indices(given.len(), &|a, b| given.get(a).cmp(&given.get(b)));
        Self { given, sorted }
    }
}

impl Deref for Values {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    /// The time of many look-ups among `count` values, the best of a few.
    #[expect(clippy::disallowed_methods, reason = "a test has a clock")]
    fn time_of_look_ups(count: usize) -> Duration {
        let name = |number: usize| format!("value-{number}");
        let values: Values = (0..count).map(name).collect::<Vec<_>>().into();
        let time = || {
            let started = std::time::Instant::now();
            assert!((0..2_000).all(|_| !values.contains("value-x")));
            started.elapsed()
        };
        (0..5).map(|_| time()).min().unwrap()
    }

    #[test]
    fn a_look_up_among_thousands_of_values_costs_hardly_more_than_among_a_few() {
        let (few, many) = (time_of_look_ups(4), time_of_look_ups(4_000));
        assert!(many < 50 * few, "{few:?} {many:?}");
    }

    proptest! {
        #[test]
        fn a_value_is_found_wherever_it_stands(
            given in prop::collection::vec("[ab]{0,3}", 0..9),
            value in "[ab]{0,3}",
        ) {
            let values = Values::from(given.clone());
            prop_assert_eq!(values.contains(&value), given.contains(&value));
            prop_assert_eq!(&*values, &*given);
        }
    }
}
