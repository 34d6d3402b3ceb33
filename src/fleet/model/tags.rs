//! Tags: the tags of a cluster or a service, by key.

use std::fmt;
use std::slice;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of tags that a resource of ECS may have ("Tagging your Amazon ECS resources").
const MAX_TAGS: usize = 50;

/// Tags by key, sorted. A tag without a value has the value `""`.
///
/// A list, since a resource has few tags: it takes a third of a `BTreeMap`'s memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// No tags, and room for `count`.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count.min(MAX_TAGS)))
    }

    /// The value of the tag with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.get(self.place(key).ok()?)?;
        Some(value)
    }

    /// Whether there is a tag with this key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_ok()
    }

    /// Whether there are no tags.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a tag, in place of one with the same key.
    pub fn insert(&mut self, key: String, value: String) {
        match self.place(&key) {
            Ok(at) => {
                if let Some(tag) = self.0.get_mut(at) {
                    tag.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// The pairs of key and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.into_iter()
    }

    /// Where the tag with this key is, or else would have to be.
    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(known, _)| known.as_str().cmp(key))
    }
}

impl FromIterator<(String, String)> for Tags {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        let mut tags = Self::with_capacity(pairs.size_hint().1.unwrap_or_default());
        for (key, value) in pairs {
            tags.insert(key, value);
        }
        tags
    }
}

impl<'a> IntoIterator for &'a Tags {
    type Item = (&'a str, &'a str);
    type IntoIter =
        std::iter::Map<slice::Iter<'a, (String, String)>, fn(&(String, String)) -> (&str, &str)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl IntoIterator for Tags {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<const N: usize> From<[(String, String); N]> for Tags {
    fn from(tags: [(String, String); N]) -> Self {
        tags.into_iter().collect()
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TagsVisitor;

        impl<'de> Visitor<'de> for TagsVisitor {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tags")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                let mut tags = Tags::with_capacity(map.size_hint().unwrap_or_default());
                while let Some((key, value)) = map.next_entry()? {
                    tags.insert(key, value);
                }
                Ok(tags)
            }
        }

        deserializer.deserialize_map(TagsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn tags_are_read_and_written_like_a_sorted_map(pairs in prop::collection::vec(("[a-c]{0,2}", ".{0,3}"), 0..9)) {
            let mut tags = Tags::default();
            let mut map = BTreeMap::new();
            for (key, value) in pairs {
                tags.insert(key.clone(), value.clone());
                map.insert(key, value);
            }
            let borrowed = map.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            prop_assert!(tags.iter().eq(borrowed));
            prop_assert_eq!(tags.is_empty(), map.is_empty());
            for key in ["", "a", "ab", "c", "zz"] {
                prop_assert_eq!(tags.get(key), map.get(key).map(String::as_str));
                prop_assert_eq!(tags.contains_key(key), map.contains_key(key));
            }
            // What earlier versions stored as a map is read, and the other way round.
            let stored = postcard::to_allocvec(&map).unwrap();
            prop_assert_eq!(&postcard::to_allocvec(&tags).unwrap(), &stored);
            prop_assert_eq!(&postcard::from_bytes::<Tags>(&stored).unwrap(), &tags);
            prop_assert_eq!(serde_json::to_string(&tags).unwrap(), serde_json::to_string(&map).unwrap());
            prop_assert!(tags.into_iter().eq(map));
        }
    }
}
