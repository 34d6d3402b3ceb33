//! Members: decodes an object of a response as a whole, member by member into a default value.
//!
//! The code that serde derives for a type of a dozen members takes 8 KB of wasm, and V8 optimizes it
//! during the first report, which takes longer than the decoding. Here the members are a table, and one
//! set of functions decodes the objects of all types.

use std::fmt;
use std::time::SystemTime;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::object::{Elements, Objects};
use super::scalar::optional_time;

/// An object whose members have default values. [`decoded_by_member`] implements it.
pub trait Table {
    /// The names of the members.
    fn names(&self) -> &'static [&'static str];

    /// The field that the member of this index is read into.
    fn field(&mut self, index: usize) -> Option<Field<'_>>;

    /// The member that the object cannot be read without, a list.
    fn required(&self) -> Option<&'static str>;
}

/// Implements [`Table`] for a type by the names of its members, and the fields that they are read into,
/// and by the name of the list that is required, if there is one. Of several members of one name the last
/// one counts.
macro_rules! decoded_by_member {
    ($type:ty { $($name:literal => $field:ident),+ $(,)? } $(requires $required:literal)?) => {
        impl $crate::aws::lenient::members::Table for $type {
            fn names(&self) -> &'static [&'static str] {
                &[$($name),+]
            }

            fn field(&mut self, index: usize) -> Option<$crate::aws::lenient::members::Field<'_>> {
                let mut fields = 0..;
                $(
                    if fields.next() == Some(index) {
                        return Some((&mut self.$field).into());
                    }
                )+
                None
            }

            fn required(&self) -> Option<&'static str> {
                None$(.or(Some($required)))?
            }
        }
    };
}
pub(in crate::aws) use decoded_by_member;

/// A field by the type of its value. `null` is the same as no member.
pub enum Field<'a> {
    /// A string.
    Text(&'a mut Option<String>),
    /// A count.
    Count(&'a mut Option<u32>),
    /// A time.
    Time(&'a mut Option<SystemTime>),
    /// A list of strings.
    Texts(&'a mut Vec<String>),
    /// A list of objects.
    Objects(&'a mut dyn Objects),
    /// Any value.
    Json(&'a mut dyn ReadJson),
}

/// A value that is read from its JSON.
pub trait ReadJson {
    /// Reads a value. What cannot be read is left out.
    fn read_json(&mut self, json: &str);
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Field")
    }
}

impl<'a> From<&'a mut Option<String>> for Field<'a> {
    fn from(field: &'a mut Option<String>) -> Self {
        Self::Text(field)
    }
}

impl<'a> From<&'a mut Option<u32>> for Field<'a> {
    fn from(field: &'a mut Option<u32>) -> Self {
        Self::Count(field)
    }
}

impl<'a> From<&'a mut Option<SystemTime>> for Field<'a> {
    fn from(field: &'a mut Option<SystemTime>) -> Self {
        Self::Time(field)
    }
}

impl<'a> From<&'a mut Vec<String>> for Field<'a> {
    fn from(field: &'a mut Vec<String>) -> Self {
        Self::Texts(field)
    }
}

impl<'a, T: Table + Default> From<&'a mut Vec<T>> for Field<'a> {
    fn from(field: &'a mut Vec<T>) -> Self {
        Self::Objects(field)
    }
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
pub(super) struct InPlace<'a>(pub(super) &'a mut dyn Table);

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
