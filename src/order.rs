//! Order: sorts values of any type by one function, since the standard library's takes 5 KB of wasm
//! for each type.

use std::cmp::Ordering;
use std::mem::take;

/// Sorts `items` by `compare`. Items that are equal stay in their order.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let by_index = |a: usize, b: usize| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    };
    let order = sorted_indices(items.len(), &by_index);
    let mut unsorted: Vec<Option<T>> = take(items).into_iter().map(Some).collect();
    for index in order {
        items.extend(unsorted.get_mut(index).and_then(Option::take));
    }
}

/// Sorts `items`.
pub fn sort<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, T::cmp);
}

/// The indices of `length` items in the order that `compare` puts the items in.
#[must_use]
pub fn sorted_indices(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..length).collect();
    indices.sort_unstable_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
    indices
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn items_are_sorted_as_by_the_standard_library(
            items in prop::collection::vec((0_u8..8, any::<u8>()), 0..80),
        ) {
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            let mut stable = items.clone();
            sort_by(&mut stable, |a, b| a.0.cmp(&b.0));
            prop_assert_eq!(stable, expected);
            let mut all = items.clone();
            sort(&mut all);
            let mut expected = items;
            expected.sort_unstable();
            prop_assert_eq!(all, expected);
        }
    }
}
