//! Members: decodes an object of a response as a whole, member by member into a default value.
//!
//! The code that serde derives for a type of a dozen members takes 8 KB of wasm, and V8 optimizes it
//! during the first report, which takes longer than the decoding. Here the members are a table.

use std::fmt;
use std::marker::PhantomData;
use std::time::SystemTime;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::scalar::optional_time;

/// An object whose members have default values. [`decoded_by_member`] implements it.
pub trait Table: Default {
    /// The names of the members.
    const NAMES: &'static [&'static str];

    /// Reads the value of the member of this index.
    fn set<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;
}

/// Implements [`Table`] for a type by the names of its members, and the fields that they are read into. Of several members of one name the last one counts.
macro_rules! decoded_by_member {
    ($type:ty { $($name:literal => $field:ident),+ $(,)? }) => {
        impl $crate::aws::lenient::members::Table for $type {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn set<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                index: usize,
                map: &mut A,
            ) -> Result<(), A::Error> {
                let mut fields = 0..;
                $(
                    if fields.next() == Some(index) {
                        self.$field = $crate::aws::lenient::members::member(map)?;
                    }
                )+
                Ok(())
            }
        }
    };
}
pub(in crate::aws) use decoded_by_member;

/// Deserializes an object. An array of its members' values, which the code that serde derives takes as
/// well, is none.
pub(super) fn table<'de, D: Deserializer<'de>, T: Table>(deserializer: D) -> Result<T, D::Error> {
    struct TableVisitor<T>(PhantomData<T>);

    impl<'de, T: Table> Visitor<'de> for TableVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
            let mut object = T::default();
            while let Some(index) = next_index(&mut map, T::NAMES)? {
                object.set(index, &mut map)?;
            }
            Ok(object)
        }
    }

    deserializer.deserialize_map(TableVisitor(PhantomData))
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

/// A type of a member's value.
pub(in crate::aws) trait Member: Sized {
    /// Deserializes the value; `null` is the same as no member.
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Member for Option<String> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer)
    }
}

impl Member for Option<u32> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer)
    }
}

impl Member for Option<SystemTime> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional_time(deserializer)
    }
}

impl Member for Vec<String> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Self>::deserialize(deserializer)?.unwrap_or_default())
    }
}

/// The value of the current member. One function for each type of value, whatever the object.
#[inline(never)]
pub(in crate::aws) fn member<'de, A: MapAccess<'de>, T: Member>(
    map: &mut A,
) -> Result<T, A::Error> {
    struct Value<T>(PhantomData<T>);

    impl<'de, T: Member> DeserializeSeed<'de> for Value<T> {
        type Value = T;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            T::decode(deserializer)
        }
    }

    map.next_value_seed(Value(PhantomData))
}
