//! The table of messages: read once, and never written.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A message and its fields, by their numbers.
#[derive(Debug)]
pub struct Message(pub Vec<Field>);

#[derive(Debug)]
pub struct Field {
    pub tag: u32,
    /// Its name in JSON.
    pub name: &'static str,
    pub of: Of,
    pub how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Text,
    Number,
    Flag,
    Bytes,
    Time,
    MicroTime,
    Quantity,
    IntOrString,
    Fields,
    Message(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// When it is there.
    Maybe,
    /// Also when it is empty.
    Always,
    List,
    Map,
    /// Its fields stand among those of the message around it.
    Inline,
}

static TABLE: LazyLock<HashMap<&'static str, Message>> =
    LazyLock::new(|| include_str!("../../../assets/messages.txt").lines().filter_map(line).collect());

impl Message {
    pub fn named(name: &str) -> Option<&'static Message> {
        TABLE.get(name)
    }
}

/// `Name: 1 field type, 2 field type*`
fn line(text: &'static str) -> Option<(&'static str, Message)> {
    let (name, fields) = text.split_once(':').filter(|_| !text.starts_with('#'))?;
    let fields = fields.split(',').filter(|it| !it.trim().is_empty());
    Some((name, Message(fields.map(field).collect::<Option<_>>()?)))
}

fn field(text: &'static str) -> Option<Field> {
    let mut words = text.split_whitespace();
    let (tag, name, of) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let bare = of.trim_end_matches(['!', '*', '{', '}', '=']);
    let how = match &of[bare.len()..] {
        "" => How::Maybe,
        "!" => How::Always,
        "*" => How::List,
        "{}" => How::Map,
        "=" => How::Inline,
        _ => return None,
    };
    let of = match bare {
        "string" => Of::Text,
        "int" => Of::Number,
        "bool" => Of::Flag,
        "bytes" => Of::Bytes,
        "Time" => Of::Time,
        "MicroTime" => Of::MicroTime,
        "Quantity" => Of::Quantity,
        "IntOrString" => Of::IntOrString,
        "FieldsV1" => Of::Fields,
        name => Of::Message(name),
    };
    Some(Field { tag, name, of, how })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        let text = include_str!("../../../assets/messages.txt").lines();
        let lines = text.filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(TABLE.len(), lines, "two of one name, or one that cannot be read");
        for (name, message) in TABLE.iter() {
            let tags: Vec<u32> = message.0.iter().map(|field| field.tag).collect();
            assert!(tags.is_sorted_by(|one, other| one < other), "{name}: {tags:?}");
            for field in &message.0 {
                if let Of::Message(of) = field.of {
                    assert!(TABLE.contains_key(of), "{name}.{}: no message {of}", field.name);
                }
            }
        }
    }
}
