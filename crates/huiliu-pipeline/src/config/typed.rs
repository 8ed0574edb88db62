//! From a [`Node`] to a Rust type, through serde, with every mistake told at its place.
//!
//! serde stops at the first mistake. [`from_node`] takes the mistaken entry out of a copy of the tree and
//! tries again, so that the person who mends the file gets the whole list.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::node::{Entry, Node, Value};
use crate::diagnostic::{Diagnostic, Span, suggestion, was_mistyped};

/// Most mistakes told about one node.
const MAX_PROBLEMS: usize = 50;

/// Reads a typed value out of a node; every independent mistake is told.
///
/// # Errors
/// The mistakes, each at the key or value that is wrong. Unknown keys and words get the nearest valid one.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Vec<Diagnostic>> {
    let mut tree = node.clone();
    let mut found = Vec::new();
    // Keys taken out of the mapping at a place: that they are missing now is no news.
    let mut taken: Vec<((usize, usize), String)> = Vec::new();
    for _ in 0..MAX_PROBLEMS {
        let failure = match T::deserialize(Reader(&tree)) {
            Ok(value) if found.is_empty() => return Ok(value),
            Ok(_) => return Err(found),
            Err(failure) => failure,
        };
        let span = failure.span.as_ref().unwrap_or(&node.span);
        let place = (span.start, span.end);
        let told = match &failure.fault {
            Fault::Missing(key) if taken.iter().any(|(at, name)| *at == place && name == key) => true,
            Fault::Missing(key) => was_mistyped(key, &found),
            Fault::Other => false,
        };
        if !told {
            let message = node.without_secrets(&failure.message);
            found.push(Diagnostic::new(span, message).with_maybe_help(failure.help));
        }
        match remove(&mut tree, &failure.path) {
            Some(removed) => taken.extend(removed),
            None => break,
        }
    }
    Err(found)
}

/// What was taken out of a tree: of a mapping, where it stands and the key; of a list, nothing to note.
type Removed = Option<((usize, usize), String)>;

/// Takes out what stands at a path (innermost step first); `None` if there is nothing to take out.
fn remove(tree: &mut Node, path: &[Step]) -> Option<Removed> {
    let (last, above) = path.split_first()?;
    let mut at = tree;
    for step in above.iter().rev() {
        at = match (&mut at.value, step) {
            (Value::Map(entries), Step::Key(key)) => &mut entries.iter_mut().find(|e| e.key == *key)?.value,
            (Value::Seq(items), Step::Index(index)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    let place = (at.span.start, at.span.end);
    match (&mut at.value, last) {
        (Value::Map(entries), Step::Key(key)) => {
            let index = entries.iter().position(|entry| entry.key == *key)?;
            Some(Some((place, entries.remove(index).key)))
        }
        (Value::Seq(items), Step::Index(index)) if *index < items.len() => {
            items.remove(*index);
            Some(None)
        }
        _ => None,
    }
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug)]
enum Fault {
    Missing(String),
    Other,
}

/// Why a node is not what was asked for. The place is filled in on the way out.
#[derive(Debug)]
struct Failure {
    message: String,
    help: Option<String>,
    fault: Fault,
    span: Option<Span>,
    /// The way to it, innermost step first.
    path: Vec<Step>,
}

impl Failure {
    fn says(message: String) -> Self {
        Self { message, help: None, fault: Fault::Other, span: None, path: Vec::new() }
    }

    fn not(node: &Node, wanted: &str) -> Self {
        let mut failure = Self::says(format!("{wanted} is needed here, this is {}", node.describe()));
        failure.span = Some(node.span.clone());
        failure
    }

    fn within(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    fn at(mut self, span: &Span) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::says(message.to_string())
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::says(format!("{expected} is needed here, not {found}"))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_value(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::says(format!("{expected} is needed here, not {length} items"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let mut failure = Self::says(format!("unknown key `{field}`"));
        failure.help = suggestion(field, expected.iter().copied());
        failure
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut failure = Self::says(format!("`{variant}` is not known here"));
        failure.help = suggestion(variant, expected.iter().copied());
        failure
    }

    fn missing_field(field: &'static str) -> Self {
        let mut failure = Self::says(format!("the key `{field}` is missing"));
        failure.fault = Fault::Missing(field.to_owned());
        failure
    }
}

/// Reads a node.
struct Reader<'a>(&'a Node);

impl<'de> Reader<'de> {
    fn whole<V: Visitor<'de>>(self, least: i64, greatest: i64, visitor: V) -> Result<V::Value, Failure> {
        match self.0.value {
            Value::Int(value) if (least..=greatest).contains(&value) => {
                visitor.visit_i64::<Failure>(value).map_err(|error| error.at(&self.0.span))
            }
            Value::Int(_) if greatest == i64::MAX => Err(Failure::not(self.0, "a whole number of 0 or more")),
            Value::Int(_) => Err(Failure::not(self.0, &format!("a whole number from {least} to {greatest}"))),
            _ => Err(Failure::not(self.0, "a whole number")),
        }
    }
}

macro_rules! whole_numbers {
    ($($method:ident $least:expr, $greatest:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.whole($least, $greatest, visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let node = self.0;
        let result = match &node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Str(text) => visitor.visit_borrowed_str(text),
            Value::Seq(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Map(entries) => visitor.visit_map(Entries { entries, current: None }),
        };
        result.map_err(|error: Failure| error.at(&node.span))
    }

    whole_numbers! {
        deserialize_i8 i8::MIN.into(), i8::MAX.into();
        deserialize_i16 i16::MIN.into(), i16::MAX.into();
        deserialize_i32 i32::MIN.into(), i32::MAX.into();
        deserialize_i64 i64::MIN, i64::MAX;
        deserialize_u8 0, u8::MAX.into();
        deserialize_u16 0, u16::MAX.into();
        deserialize_u32 0, u32::MAX.into();
        deserialize_u64 0, i64::MAX;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Bool(_) => self.deserialize_any(visitor),
            value => {
                let mut failure = Failure::not(self.0, "`true` or `false`");
                if let Value::Str(text) = value {
                    let word = match &*text.to_lowercase() {
                        "yes" | "on" | "y" | "是" => Some("true"),
                        "no" | "off" | "n" | "否" => Some("false"),
                        _ => None,
                    };
                    failure.help = word.map(|word| format!("did you mean `{word}`?"));
                }
                Err(failure)
            }
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0.value {
            Value::Int(_) | Value::Float(_) => self.deserialize_any(visitor),
            _ => Err(Failure::not(self.0, "a number")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0.value {
            Value::Str(_) => self.deserialize_any(visitor),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                let mut failure = Failure::not(self.0, "a text");
                failure.help = Some("put it in quotes".into());
                Err(failure)
            }
            _ => Err(Failure::not(self.0, "a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let span = &self.0.span;
        visitor.visit_newtype_struct(Reader(self.0)).map_err(|error: Failure| error.at(span))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0.value {
            Value::Seq(_) => self.deserialize_any(visitor),
            _ => Err(Failure::not(self.0, "a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0.entries() {
            Some(entries) => visitor
                .visit_map(Entries { entries, current: None })
                .map_err(|error: Failure| error.at(&self.0.span)),
            None => Err(Failure::not(self.0, "a mapping")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let help = || suggestion("", fields.iter().copied()).map(|keys| format!("keys {keys}"));
        let scalar = self.0.entries().is_none();
        self.deserialize_map(visitor).map_err(|mut error| {
            if scalar {
                error.help = error.help.or_else(help);
            }
            error
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let node = self.0;
        let result = match &node.value {
            Value::Str(word) => visitor.visit_enum(BorrowedStrDeserializer::<Failure>::new(word)),
            Value::Map(entries) if entries.len() == 1 => visitor.visit_enum(Choice(&entries[0])),
            _ => Err(Failure::not(node, "a word, or a mapping with one key,")),
        };
        result.map_err(|error| error.at(&node.span))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

struct Items<'a> {
    items: &'a [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        let value = seed.deserialize(Reader(item));
        value.map(Some).map_err(|error| error.at(&item.span).within(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Entries<'a> {
    entries: &'a [Entry],
    current: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        let Some((entry, rest)) = self.entries.split_first() else { return Ok(None) };
        (self.current, self.entries) = (Some(entry), rest);
        let key = seed.deserialize(StrDeserializer::<Failure>::new(&entry.key));
        key.map(Some).map_err(|error| error.at(&entry.key_span).within(Step::Key(entry.key.clone())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let Some(entry) = self.current.take() else {
            return Err(Failure::says("a value was asked for before its key".into()));
        };
        let value = seed.deserialize(Reader(&entry.value));
        value.map_err(|error| error.at(&entry.value.span).within(Step::Key(entry.key.clone())))
    }
}

/// `kind: value` as an enum.
struct Choice<'a>(&'a Entry);

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Failure> {
        match seed.deserialize(IntoDeserializer::<Failure>::into_deserializer(&*self.0.key)) {
            Ok(word) => Ok((word, self)),
            Err(error) => Err(error.at(&self.0.key_span)),
        }
    }
}

impl<'de> Choice<'de> {
    fn within(&self, error: Failure) -> Failure {
        error.at(&self.0.value.span).within(Step::Key(self.0.key.clone()))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.0.value.value {
            Value::Null => Ok(()),
            _ => Err(self.within(Failure::not(&self.0.value, "nothing"))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        seed.deserialize(Reader(&self.0.value)).map_err(|error| self.within(error))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Failure> {
        Reader(&self.0.value).deserialize_seq(visitor).map_err(|error| self.within(error))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        Reader(&self.0.value).deserialize_map(visitor).map_err(|error| self.within(error))
    }
}
