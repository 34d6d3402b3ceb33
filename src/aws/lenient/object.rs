//! Objects, and lists of them, as serde decodes a response as a whole.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use super::members::{InPlace, Table};

/// Decodes an object into `object`, which has default values.
///
/// # Errors
/// If `json` is no such object.
#[inline(never)]
pub(super) fn read(json: &str, object: &mut dyn Table) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    InPlace(object).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// A list of objects that have default values, whatever their type.
pub trait Objects {
    /// Removes all objects.
    fn clear(&mut self);

    /// Adds a default object.
    fn add(&mut self) -> &mut dyn Table;
}

impl<T: Table + Default> Objects for Vec<T> {
    fn clear(&mut self) {
        Self::clear(self);
    }

    fn add(&mut self) -> &mut dyn Table {
        self.push_mut(T::default())
    }
}

/// Deserializes a list of objects; `null` is an empty one.
pub(super) struct Elements<'a>(&'a mut dyn Objects);

impl<'a> Elements<'a> {
    /// The list that replaces `objects`.
    pub(super) fn of(objects: &'a mut dyn Objects) -> Self {
        objects.clear();
        Self(objects)
    }
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Element(self.0))?.is_some() {}
        Ok(())
    }
}

struct Element<'a>(&'a mut dyn Objects);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        InPlace(self.0.add()).deserialize(deserializer)
    }
}
