//! Filters as people type them: `cloud:aws phase:failed gpu<10 age>2h text`.
//!
//! Terms are joined by *and*; `!` turns one round. A word without a field looks into every column. A filter
//! that cannot be understood says why and filters nothing: a row must not vanish by a slip.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use crate::fleet::{Age, Clean};

/// What stands in a column, for sorting and filtering: borrowed from the row, since every key may ask it of all.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Not known, or not there.
    None,
    Text(Cow<'a, str>),
    /// Several words, each of which can be looked for.
    Texts(Vec<Cow<'a, str>>),
    Number(f64),
    /// Seconds.
    Age(Age),
    /// Words with an order that is not that of the alphabet.
    Ranked(u32, Cow<'a, str>),
}

impl<'a> Value<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Several words of a row.
    pub fn texts(texts: &'a [Clean]) -> Self {
        Self::Texts(texts.iter().map(Into::into).collect())
    }

    pub fn maybe<T>(value: Option<T>, of: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::None, of)
    }

    /// As it is shown where nothing better is known; empty for what is not known.
    pub fn words(&self) -> Clean {
        match self {
            Self::None => Clean::default(),
            Self::Text(text) | Self::Ranked(_, text) => Clean::new(text),
            Self::Texts(texts) => texts.join(" ").into(),
            Self::Number(number) => number.to_string().into(),
            Self::Age(age) => age.to_string().into(),
        }
    }

    /// Ascending; what is not known stands at the end in both directions, which callers see to.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Ranked(a, x), Self::Ranked(b, y)) => a.cmp(b).then_with(|| x.cmp(y)),
            (Self::Text(a), Self::Text(b)) => natural(a, b),
            (Self::Texts(a), Self::Texts(b)) => a.cmp(b),
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => Ordering::Equal,
            },
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Age(age) => Some(age.0 as f64),
            Self::Ranked(rank, _) => Some(f64::from(*rank)),
            Self::None | Self::Text(_) | Self::Texts(_) => None,
        }
    }

    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::None => false,
            Self::Text(text) | Self::Ranked(_, text) => holds(text, wanted),
            Self::Texts(texts) => texts.iter().any(|text| holds(text, wanted)),
            Self::Number(number) => is_number(wanted) && number.to_string() == wanted,
            Self::Age(age) => is_number(wanted) && age.to_string() == wanted,
        }
    }
}

/// What is written with digits is not made into words for every letter that somebody types.
fn is_number(wanted: &str) -> bool {
    wanted.starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

/// Whether a text holds a word in small letters, whatever letters the text is written in.
fn holds(text: &str, wanted: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(wanted);
    }
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let (Some(first), Some(last)) = (wanted.first(), text.len().checked_sub(wanted.len())) else {
        return wanted.is_empty();
    };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), &text[..=last])
        .any(|at| text[at..at + wanted.len()].eq_ignore_ascii_case(wanted))
}

/// Digits by their value: `node-9` stands before `node-10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (digits(&mut a), digits(&mut b));
                match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                }
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            // In UTF-8 the order of bytes is that of characters.
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

/// Takes digits off the front; gives them without leading zeros.
fn digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    *text = rest;
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    &digits[zeros..]
}

/// A filter as it was typed, and what it means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq)]
struct Term {
    negated: bool,
    /// Empty: any column.
    field: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Contains(String),
    Compare(Comparison, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

/// Longest first, so that `<=` is not read as `<`.
const OPERATORS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

impl Filter {
    /// Understands a filter over these fields.
    pub fn parse(text: &str, fields: &[&str]) -> Result<Self, String> {
        let mut terms = Vec::new();
        for word in words(text)? {
            terms.push(term(&word, fields)?);
        }
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The filter over these columns: where each field stands is found once for all rows.
    pub fn over<'f>(&'f self, names: &[&str]) -> Over<'f> {
        let place = |field: &str| names.iter().position(|name| *name == field);
        Over {
            terms: self.terms.iter().map(|term| (place(&term.field), term)).collect(),
            columns: names.len(),
        }
    }

    /// Whether it lets nothing through that the other does not, as far as its words tell: while somebody types, only
    /// what passed before is looked into.
    pub fn narrows(&self, other: &Self) -> bool {
        !other.terms.is_empty()
            && other.terms.iter().all(|wide| self.terms.iter().any(|term| term.implies(wide)))
    }
}

/// A [`Filter`] that knows its columns by their places.
pub struct Over<'f> {
    terms: Vec<(Option<usize>, &'f Term)>,
    columns: usize,
}

impl Over<'_> {
    /// Whether a row passes; `value` gives what stands in one of its columns.
    pub fn passes<'a>(&self, value: impl Fn(usize) -> Value<'a>) -> bool {
        self.terms.iter().all(|(place, term)| {
            let own = || place.map_or(Value::None, &value);
            let holds = match &term.test {
                Test::Contains(wanted) if term.field.is_empty() => {
                    (0..self.columns).any(|at| value(at).contains(wanted))
                }
                Test::Contains(wanted) => own().contains(wanted),
                Test::Compare(comparison, wanted) => {
                    own().number().is_some_and(|number| comparison.holds(number, *wanted))
                }
            };
            holds != term.negated
        })
    }
}

impl Term {
    /// Whether what passes this term passes the other for certain.
    fn implies(&self, wide: &Self) -> bool {
        match (&self.test, &wide.test) {
            // A number is equal to what is typed or it is not: `1` says nothing about `10`.
            (Test::Contains(text), Test::Contains(part))
                if !self.negated && !wide.negated && !is_number(text) =>
            {
                text.contains(part.as_str()) && (wide.field.is_empty() || wide.field == self.field)
            }
            _ => self == wide,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Comparison {
    fn holds(self, number: f64, wanted: f64) -> bool {
        match self {
            Self::Less => number < wanted,
            Self::AtMost => number <= wanted,
            Self::Greater => number > wanted,
            Self::AtLeast => number >= wanted,
            Self::Equal => (number - wanted).abs() < f64::EPSILON,
        }
    }
}

/// Words, with quotes around what has spaces: `message:"no space left"`.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for character in text.chars() {
        match character {
            '"' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            other => {
                word.push(other);
                begun = true;
            }
        }
    }
    if quoted {
        return Err("a quote is not closed".into());
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

fn term(word: &str, fields: &[&str]) -> Result<Term, String> {
    let (negated, rest) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
    if let Some((field, wanted)) = rest.split_once(':')
        && !field.is_empty()
        && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    {
        let test = Test::Contains(wanted.to_lowercase());
        return Ok(Term { negated, field: known(field, fields)?, test });
    }
    let operator =
        OPERATORS.iter().filter_map(|(sign, it)| Some((rest.find(sign)?, *sign, *it))).min_by_key(|it| it.0);
    if let Some((at, sign, comparison)) = operator
        && at > 0
    {
        let (field, number) = (&rest[..at], &rest[at + sign.len()..]);
        let field = known(field, fields)?;
        let number = amount(number)
            .ok_or_else(|| format!("`{number}` is not a number, a percentage or an age such as 2h"))?;
        return Ok(Term { negated, field, test: Test::Compare(comparison, number) });
    }
    Ok(Term { negated, field: String::new(), test: Test::Contains(rest.to_lowercase()) })
}

fn known(field: &str, fields: &[&str]) -> Result<String, String> {
    let field = field.to_ascii_lowercase();
    if fields.contains(&&*field) {
        return Ok(field);
    }
    // The beginning of a name is enough when it fits only one.
    let mut fitting = fields.iter().filter(|name| name.starts_with(&field));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok((*only).to_owned()),
        _ => Err(format!("there is no field `{field}` here: {}", fields.join(", "))),
    }
}

/// `10`, `0.5`, `50%`, `2h`, `1.5k`.
fn amount(text: &str) -> Option<f64> {
    if let Some(percent) = text.strip_suffix('%') {
        return percent.parse::<f64>().ok().map(|number| number / 100.0);
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.or_else(|| Age::parse(text).map(|age| age.0 as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: [&str; 5] = ["name", "cloud", "phase", "gpus", "age"];

    fn passes(filter: &str) -> bool {
        let row = |field: &str| match field {
            "name" => Value::text("bert-finetune-7"),
            "cloud" => Value::text("aws"),
            "phase" => Value::Ranked(0, "Failed".into()),
            "gpus" => Value::Number(8.0),
            "age" => Value::Age(Age(3 * 3600)),
            _ => Value::None,
        };
        Filter::parse(filter, &FIELDS).unwrap().over(&FIELDS).passes(|at| row(FIELDS[at]))
    }

    #[test]
    fn terms_are_joined_by_and() {
        for (filter, shown) in [
            ("", true),
            ("bert", true),
            ("BERT", true),
            ("llama", false),
            ("!llama", true),
            ("cloud:aws phase:failed", true),
            ("cloud:aws phase:running", false),
            ("!phase:running", true),
            ("gpus<10", true),
            ("gpus>=8 gpus<=8 gpus=8", true),
            ("gpus>8", false),
            ("age>2h", true),
            ("age<2h", false),
            ("ph:fail", true),
            ("name:\"bert-f\"", true),
            ("\"two words\"", false),
        ] {
            assert_eq!(passes(filter), shown, "{filter}");
        }
    }

    #[test]
    fn a_slip_is_told_and_hides_nothing() {
        for (filter, told) in [
            ("clowd:aws", "there is no field `clowd` here: name, cloud"),
            ("gpus<many", "`many` is not a number"),
            ("\"open", "a quote is not closed"),
        ] {
            let error = Filter::parse(filter, &FIELDS).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_longer_word_narrows_and_a_number_does_not() {
        for (filter, wide, narrows) in [
            ("bert", "ber", true),
            ("bert", "er", true),
            ("name:bert", "ber", true),
            ("cloud:aws be", "cloud:aw", true),
            ("gpus<10 be", "gpus<10", true),
            ("bert", "", false),
            ("ber", "bert", false),
            ("bert", "name:ber", false),
            ("!bert", "!ber", false),
            ("gpus<9", "gpus<10", false),
            ("10", "1", false),
        ] {
            let parsed = |text| Filter::parse(text, &FIELDS).unwrap();
            assert_eq!(parsed(filter).narrows(&parsed(wide)), narrows, "{filter} in {wide}");
        }
    }

    #[test]
    fn numbers_in_names_count_by_their_value() {
        assert_eq!(natural("node-9", "node-10"), Ordering::Less);
        assert_eq!(natural("node-010", "node-10"), Ordering::Equal);
        assert_eq!(natural("a", "ab"), Ordering::Less);
    }

    /// Filters over few values, so that they often say something about each other.
    fn filters() -> impl Strategy<Value = String> {
        proptest::collection::vec("!?(name:|cloud:|gpus:)?[ab1]{0,3}|gpus[<>=][12]", 0..4)
            .prop_map(|terms| terms.join(" "))
    }

    proptest! {
        #[test]
        fn what_narrows_lets_nothing_new_through(
            (wide, more) in (filters(), "[ab1 ]{0,3}"), other in filters(),
            rows in proptest::collection::vec(("[abAB1]{0,4}", "[ab]{0,2}", 0u8..13), 20),
        ) {
            let wide = Filter::parse(&wide, &FIELDS).unwrap();
            for text in [format!("{wide}{more}"), format!("{other} {wide}"), other] {
                // What is typed on may make no sense: `gpus<1a`.
                let filter = Filter::parse(&text, &FIELDS).unwrap_or_default();
                if !filter.narrows(&wide) {
                    continue;
                }
                for (name, cloud, gpus) in &rows {
                    let value = |at: usize| match FIELDS[at] {
                        "name" => Value::text(name),
                        "cloud" => Value::texts(&[]),
                        "phase" => Value::Ranked(1, cloud.into()),
                        "gpus" => Value::Number((*gpus).into()),
                        _ => Value::None,
                    };
                    let passes = |filter: &Filter| filter.over(&FIELDS).passes(value);
                    prop_assert!(!passes(&filter) || passes(&wide), "`{}` in `{}`", filter, wide);
                }
            }
        }

        #[test]
        fn letters_of_either_size_are_found(text in "[a-cA-Cäß ]{0,8}", wanted in "[a-cäß]{0,3}") {
            prop_assert_eq!(holds(&text, &wanted), text.to_lowercase().contains(&wanted));
        }

        #[test]
        fn nothing_that_is_typed_makes_it_panic(text in any::<String>()) {
            if let Ok(filter) = Filter::parse(&text, &FIELDS) {
                filter.over(&FIELDS).passes(|at| if at == 0 { Value::text("x") } else { Value::Number(1.0) });
            }
        }
    }
}
