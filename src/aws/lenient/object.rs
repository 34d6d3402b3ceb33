//! Object: decodes an object of a response as a whole, by the table of its members.
//!
//! The code that serde derives for a type of a dozen members takes 8 KB of wasm, and V8 optimizes it
//! during the first report, which takes longer than the decoding. Here one set of functions decodes the
//! objects of all types.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::members::{Field, Objects, Table};
use super::scalar::optional_time;

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

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Self::Text(text) => *text = value(deserializer)?,
            Self::Count(count) => *count = value(deserializer)?,
            Self::Time(time) => *time = optional_time(deserializer)?,
            Self::Texts(texts) => *texts = value::<D, Option<_>>(deserializer)?.unwrap_or_default(),
            Self::Objects(objects) => Elements::of(objects).deserialize(deserializer)?,
            Self::Json(value) => value.read_json(<&RawValue>::deserialize(deserializer)?.get()),
        }
        Ok(())
    }
}

/// A list that may not be `null`.
struct Required<'a>(Field<'a>);

impl<'de> DeserializeSeed<'de> for Required<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Field::Texts(texts) => *texts = value(deserializer)?,
            Field::Objects(objects) => deserializer.deserialize_seq(Elements::of(objects))?,
            other => other.deserialize(deserializer)?,
        }
        Ok(())
    }
}

/// Not inlined, so that what V8 optimizes is small.
#[inline(never)]
fn value<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(deserializer)
}

/// Deserializes an object into a default value. An array of its members' values, which the code that
/// serde derives takes as well, is none.
struct InPlace<'a>(&'a mut dyn Table);

impl<'de> DeserializeSeed<'de> for InPlace<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for InPlace<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (names, required) = (self.0.names(), self.0.required());
        let mut missing = required;
        while let Some(index) = next_index(&mut map, names)? {
            let is_required = required.is_some() && required == names.get(index).copied();
            match self.0.field(index) {
                Some(field) if is_required => {
                    map.next_value_seed(Required(field))?;
                    missing = None;
                }
                Some(field) => map.next_value_seed(field)?,
                None => {}
            }
        }
        missing.map_or(Ok(()), |name| Err(A::Error::missing_field(name)))
    }
}

/// The index in `names` of the next member that has one of them. All others are skipped.
#[inline(never)]
fn next_index<'de, A: MapAccess<'de>>(
    map: &mut A,
    names: &'static [&'static str],
) -> Result<Option<usize>, A::Error> {
    while let Some(index) = map.next_key_seed(IndexIn(names))? {
        if index.is_some() {
            return Ok(index);
        }
        map.next_value::<IgnoredAny>()?;
    }
    Ok(None)
}

struct IndexIn(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for IndexIn {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for IndexIn {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }
}

/// Deserializes a list of objects; `null` is an empty one.
struct Elements<'a>(&'a mut dyn Objects);

impl<'a> Elements<'a> {
    /// The list that replaces `objects`.
    fn of(objects: &'a mut dyn Objects) -> Self {
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
