//! Members: the table by which an object of a response is decoded as a whole, member by member into a
//! default value.

use std::fmt;
use std::time::SystemTime;

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
