//! Lenient reading: decodes a response as a whole and, where that fails, value by value, so that one
//! odd value does not take the others with it.
//!
//! | expected | JSON | read as |
//! |---|---|---|
//! | anything | `null` | absent |
//! | anything | several members of one name | the last one |
//! | text | a number, `true`, `false` | its characters |
//! | text | a string with half of a surrogate pair | `U+FFFD` in its place |
//! | a word, such as a status | anything but a string | unreadable |
//! | a count | a negative number, one that is too large | 0, the largest count |
//! | a count | `3.0`, `3e0`, `"3"` | 3 |
//! | a count | a fraction, any other string, `true`, `false` | unreadable |
//! | a time | a number of seconds since 1970, a string of RFC 3339 | that time |
//! | a time | a negative number, one beyond the year 9999, any other value | unreadable |
//! | anything | an object or an array in place of another type | unreadable |
//!
//! A value of a list that cannot be read leaves the others of the list.

pub(super) mod members;
mod object;
mod scalar;

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use members::Table;
pub(super) use members::{Field, ReadJson, decoded_by_member};
use object::read;
use scalar::{Text, count, string, text, time};

/// The bytes that a value of a list hardly ever exceeds.
const USUAL_VALUE: usize = 1024;

/// A type of a response that is an object.
pub trait Lenient: Table + Default {
    /// Reads the value member by member. `None` if it lacks what it cannot be read without.
    fn from_members(members: &mut Members<'_>) -> Option<Self>;

    /// Whether a value that was decoded as a whole is what ECS usually sends. The others are read
    /// member by member as well.
    #[must_use]
    fn is_usual(&self) -> bool {
        true
    }
}

/// Decodes `body`. What is no UTF-8 is replaced at first, so that not every string has to be examined,
/// and one set of decoders serves all of it.
///
/// # Errors
/// If the body is not JSON, or lacks what the response cannot be read without.
pub fn decode<T: Lenient>(body: &[u8]) -> serde_json::Result<T> {
    let body = utf8(body);
    match decode_whole::<T>(&body) {
        Ok(whole) if whole.is_usual() => Ok(whole),
        whole => from_members(&body).map_or(whole, Ok),
    }
}

/// Decodes `json` as a whole.
///
/// # Errors
/// If any of its values is odd.
pub fn decode_whole<T: Lenient>(json: &str) -> serde_json::Result<T> {
    let mut whole = T::default();
    read(json, &mut whole)?;
    Ok(whole)
}

/// Decodes `body` member by member: slower, and the same for a body without oddities.
#[must_use]
pub fn decode_by_member<T: Lenient>(body: &[u8]) -> Option<T> {
    from_members(&utf8(body))
}

/// `bytes` with `U+FFFD` in place of what is no UTF-8. `String::from_utf8_lossy` alone takes several times as
/// long where there is nothing to replace.
fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn from_members<T: Lenient>(json: &str) -> Option<T> {
    T::from_members(&mut Members::of_body(json).ok()?)
}

/// The members of an object as the body has them.
#[derive(Debug, Default)]
pub struct Members<'a> {
    members: Vec<(String, &'a RawValue)>,
    unreadable: Vec<&'static str>,
}

impl<'a> Members<'a> {
    /// The members of the object that a body is. Names are read as bytes, as they may hold half of a
    /// surrogate pair, and then may hold control characters too, which are no JSON.
    ///
    /// # Errors
    /// If the body is not JSON, or no object.
    pub(super) fn of_body(json: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str::<IgnoredAny>(json)?;
        serde_json::from_str(json)
    }

    /// The names of the members so far that could not be read, or not as a whole.
    #[must_use]
    pub fn unreadable(&self) -> &[&'static str] {
        &self.unreadable
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.read(name, text)
    }

    /// A word of a fixed set.
    pub fn word(&mut self, name: &'static str) -> Option<String> {
        self.read(name, string)
    }

    /// A count.
    pub fn count(&mut self, name: &'static str) -> Option<u32> {
        self.read(name, |value| {
            let quoted = string(value);
            count(quoted.as_deref().unwrap_or_else(|| value.get()))
        })
    }

    /// A time.
    pub fn time(&mut self, name: &'static str) -> Option<SystemTime> {
        self.read(name, |value| time(value.get()))
    }

    /// The JSON of a member, unless it is `null`.
    pub(super) fn json(&mut self, name: &'static str) -> Option<&'a str> {
        self.read(name, |value| Some(value.get()))
    }

    /// A list of strings. `None` if it is absent, or no list.
    pub fn strings(&mut self, name: &'static str) -> Option<Vec<String>> {
        let values = self.list(name)?;
        let strings: Vec<String> = values.iter().filter_map(|value| string(value)).collect();
        if strings.len() < values.len() {
            self.unreadable.push(name);
        }
        Some(strings)
    }

    /// A list of objects. `None` if it is absent, or no list.
    pub fn objects<T: Lenient>(&mut self, name: &'static str) -> Option<Vec<T>> {
        let values = self.list(name)?;
        let mut is_whole = true;
        let mut objects = Vec::with_capacity(values.len());
        for value in values {
            let (object, unreadable) = object(value);
            is_whole &= !unreadable;
            objects.extend(object);
        }
        if !is_whole {
            self.unreadable.push(name);
        }
        Some(objects)
    }

    /// The members of an object. `None` if it is absent, or no object.
    pub fn members(&mut self, name: &'static str) -> Option<Self> {
        self.read(name, |value| serde_json::from_str(value.get()).ok())
    }

    fn list(&mut self, name: &'static str) -> Option<Vec<&'a RawValue>> {
        self.read(name, |value| serde_json::from_str(value.get()).ok())
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&'a RawValue) -> Option<T>,
    ) -> Option<T> {
        let mut members = self.members.iter().rev();
        let (_, value) = members.find(|(known, _)| known == name)?;
        if value.get() == "null" {
            return None;
        }
        let read = read(value);
        if read.is_none() {
            self.unreadable.push(name);
        }
        read
    }
}

/// The object in `value`, and whether it cannot be read, or not as a whole.
fn object<T: Lenient>(value: &RawValue) -> (Option<T>, bool) {
    if let Ok(whole) = decode_whole::<T>(value.get())
        && whole.is_usual()
    {
        return (Some(whole), false);
    }
    let Ok(mut members) = serde_json::from_str::<Members<'_>>(value.get()) else {
        return (None, true);
    };
    let object = T::from_members(&mut members);
    let unreadable = object.is_none() || !members.unreadable.is_empty();
    (object, unreadable)
}

/// The objects among the first `count` values of `array`, as far as they can be read. What follows is
/// not examined.
pub(super) fn first_objects<T: Lenient>(array: &[u8], count: usize) -> Vec<T> {
    if let Some(usual) = array.get(..count.saturating_mul(USUAL_VALUE)) {
        let objects = objects_at_start(usual, count);
        if objects.len() == count {
            return objects;
        }
    }
    objects_at_start(array, count)
}

/// Those in `start`, which may end within a value.
fn objects_at_start<T: Lenient>(start: &[u8], count: usize) -> Vec<T> {
    struct First<'a, T> {
        left: usize,
        objects: &'a mut Vec<T>,
    }

    impl<'de, T: Lenient> Visitor<'de> for First<'_, T> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut values: A) -> Result<(), A::Error> {
            while self.left > 0
                && let Some(value) = values.next_element::<&RawValue>()?
            {
                self.left -= 1;
                self.objects.extend(object(value).0);
            }
            Ok(())
        }
    }

    let start = utf8(start);
    let mut objects = Vec::new();
    let first = First {
        left: count,
        objects: &mut objects,
    };
    // Values that are left over are an error to the deserializer.
    let _ = serde_json::Deserializer::from_str(&start).deserialize_seq(first);
    objects
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.members.push((name, value));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Thing {
        text: Option<String>,
        word: Option<String>,
        count: Option<u32>,
        time: Option<SystemTime>,
        things: Vec<Self>,
        unreadable: Vec<&'static str>,
    }

    decoded_by_member!(Thing {
        "text" => text,
        "word" => word,
        "count" => count,
        "time" => time,
        "things" => things,
    });

    impl Lenient for Thing {
        fn from_members(members: &mut Members<'_>) -> Option<Self> {
            Some(Self {
                text: members.text("text"),
                word: members.word("word"),
                count: members.count("count"),
                time: members.time("time"),
                things: members.objects("things").unwrap_or_default(),
                unreadable: members.unreadable().to_vec(),
            })
        }
    }

    fn thing(json: &str) -> Thing {
        decode(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_control_character_in_a_name_is_no_json() {
        for (name, is_json) in [
            ("a", true),
            (r"\n\ud800", true),
            ("\n", false),
            ("\0", false),
        ] {
            for json in [
                format!("{{\"text\":3,\"{name}\":1}}"),
                format!("{{\"text\":3,\"x\":[{{\"{name}\":1}}]}}"),
            ] {
                let decoded = decode::<Thing>(json.as_bytes()).is_ok();
                let by_member = decode_by_member::<Thing>(json.as_bytes()).is_some();
                assert_eq!([decoded, by_member], [is_json; 2], "{json}");
            }
        }
    }

    #[test]
    fn a_count_is_read_from_every_number_without_a_fraction() {
        for (json, expected) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("30e-1", Some(3)),
            ("\"3\"", Some(3)),
            ("-2", Some(0)),
            ("-0.0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", Some(u32::MAX)),
            ("1e400", Some(u32::MAX)),
            ("-1e400", Some(0)),
            ("2.5", None),
            ("true", None),
            ("\"\"", None),
            ("\"three\"", None),
            ("\"inf\"", None),
            ("[3]", None),
            ("{}", None),
        ] {
            let thing = thing(&format!("{{\"count\":{json}}}"));
            assert_eq!(thing.count, expected, "{json}");
            assert_eq!(thing.unreadable.is_empty(), expected.is_some(), "{json}");
        }
    }

    #[test]
    fn a_time_is_read_from_seconds_and_from_rfc_3339() {
        for (json, expected) in [
            ("0", Some(0)),
            ("1795376400", Some(1_795_376_400_000)),
            ("1795376400.123", Some(1_795_376_400_123)),
            ("1795376400.1", Some(1_795_376_400_100)),
            ("1795376400.029", Some(1_795_376_400_029)),
            ("1795376400.0000001", Some(1_795_376_400_000)),
            ("9999999999.999", Some(9_999_999_999_999)),
            ("10000000000", Some(10_000_000_000_000)),
            ("1.7953764e9", Some(1_795_376_400_000)),
            ("253402300799", Some(253_402_300_799_000)),
            ("\"2026-11-22T19:40:00Z\"", Some(1_795_376_400_000)),
            ("\"2026-11-22T19:40:00.5Z\"", Some(1_795_376_400_000)),
            ("\"2026-11-22T19:40:00+00:00\"", Some(1_795_376_400_000)),
            ("-1", None),
            ("253402300800", None),
            ("1e400", None),
            ("true", None),
            ("[1795376400]", None),
            ("{}", None),
            ("\"\"", None),
            ("\"yesterday\"", None),
            ("\"1795376400\"", None),
        ] {
            let thing = thing(&format!("{{\"time\":{json}}}"));
            let expected = expected
                .map(|millis| std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis));
            assert_eq!(thing.time, expected, "{json}");
            assert_eq!(thing.unreadable.is_empty(), expected.is_some(), "{json}");
        }
        assert_eq!(thing("{\"time\":null}"), Thing::default());
    }

    #[test]
    fn the_first_objects_of_an_array_are_read_up_to_where_it_is_no_json() {
        let counts = |array: &str, count| -> Vec<Option<u32>> {
            let things: Vec<Thing> = first_objects(array.as_bytes(), count);
            things.iter().map(|thing| thing.count).collect()
        };
        let array = r#"[{"count":1},7,{"count":"2"},{"count":[]},{"count":3}]"#;
        assert_eq!(counts(array, 9), [Some(1), Some(2), None, Some(3)]);
        assert_eq!(counts(array, 3), [Some(1), Some(2)]);
        assert_eq!(counts(r#"[{"count":1},{"count":"#, 9), [Some(1)]);
        for array in ["", "7", "{}", "[", "[]"] {
            assert_eq!(counts(array, 9), [], "{array}");
        }
        // Values that are longer than usual.
        let long = format!(r#"{{"text":"{}","count":1}}"#, "ö".repeat(USUAL_VALUE));
        let array = format!("[{long},{long},{long}]");
        assert_eq!(counts(&array, 1), [Some(1)]);
        assert_eq!(counts(&array, 2), [Some(1); 2]);
        assert_eq!(counts(&array, 9), [Some(1); 3]);
    }

    #[test]
    fn a_text_is_read_from_every_scalar_and_a_word_from_strings() {
        for (json, text, word) in [
            (r#""a""#, Some("a"), Some("a")),
            (
                r#""a\ud800""#,
                Some("a\u{fffd}\u{fffd}\u{fffd}"),
                Some("a\u{fffd}\u{fffd}\u{fffd}"),
            ),
            ("7", Some("7"), None),
            ("1e400", Some("1e400"), None),
            ("true", Some("true"), None),
            ("null", None, None),
            ("[\"a\"]", None, None),
            ("{}", None, None),
        ] {
            let thing = thing(&format!("{{\"text\":{json},\"word\":{json}}}"));
            let read = (thing.text.as_deref(), thing.word.as_deref());
            assert_eq!(read, (text, word), "{json}");
        }
    }

    #[test]
    fn the_last_of_several_members_of_one_name_counts() {
        let thing = thing(r#"{"count":1,"text":"a","count":2,"text":[],"\ud800":1}"#);
        assert_eq!((thing.count, thing.text), (Some(2), None));
        assert_eq!(thing.unreadable, ["text"]);
    }

    #[test]
    fn an_odd_value_of_a_list_leaves_the_others() {
        let thing = thing(r#"{"things":[{"count":1},7,[],null,{"count":[]},{"count":2}]}"#);
        let counts: Vec<_> = thing.things.iter().map(|thing| thing.count).collect();
        assert_eq!(counts, [Some(1), None, Some(2)]);
        assert_eq!(thing.unreadable, ["things"]);
        assert_eq!(thing.things[1].unreadable, ["count"]);
    }

    #[test]
    fn bytes_that_are_no_json_are_an_error() {
        for body in ["", "{", "<html>", "{\"count\":1}x", "{\"count\":NaN}"] {
            assert!(decode::<Thing>(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_not_utf_8_is_read_around_it() {
        let thing: Thing = decode(b"{\"text\":\"a\xff\",\"count\":3}").unwrap();
        assert_eq!(thing.text.as_deref(), Some("a\u{fffd}"));
        assert_eq!(thing.count, Some(3));
    }
}
