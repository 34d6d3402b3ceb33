//! Objects: lists of them, as serde decodes a response as a whole.

use serde::{Deserialize, Deserializer};

use super::members::{Table, table};

/// An object that is decoded by its table, for lists of it.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Table> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table(deserializer).map(Self)
    }
}

/// Deserializes a list of objects; `null` is an empty one.
pub(in crate::aws) fn objects<'de, D: Deserializer<'de>, T: Table>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Option::<Vec<Object<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(objects.into_iter().map(|Object(object)| object).collect())
}

/// Deserializes a list of objects that the response cannot be read without.
pub(in crate::aws) fn required_objects<'de, D: Deserializer<'de>, T: Table>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(object)| object).collect())
}
