//! Filters as people type them: `cloud:aws phase:failed gpu<10 age>2h text`.
//!
//! Terms are joined by *and*; `!` turns one round. A word without a field looks into every column. A filter
//! that cannot be understood says why and filters nothing: a row must not vanish by a slip.

use std::fmt;

use super::value::{Value, is_number};
use crate::fleet::Age;

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

    /// The filter over these fields: where each stands is found once for all rows.
    pub fn over<'f>(&'f self, fields: &[Field<'_>]) -> Over<'f> {
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        let words = (0..fields.len()).filter(|at| fields[*at].holds == Holds::Words).collect();
        let terms = self.terms.iter().map(|term| (place(&term.field), term)).collect();
        Over { terms, words, fields: fields.len() }
    }

    /// What it wants to find in any word of a row, with the numbers of these terms.
    pub fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.terms.iter().enumerate().filter_map(|(at, term)| match &term.test {
            Test::Contains(wanted) if term.field.is_empty() && !is_number(wanted) => {
                Some((at, wanted.as_str()))
            }
            _ => None,
        })
    }

    /// Whether it asks for one of these fields, by name or with a number that any of them may hold.
    pub fn asks_for(&self, is_one: impl Fn(&str) -> bool) -> bool {
        self.terms.iter().any(|term| match &term.test {
            Test::Contains(wanted) if term.field.is_empty() => is_number(wanted),
            _ => is_one(&term.field),
        })
    }

    /// Whether it lets nothing through that the other does not, as far as its words tell: while somebody types, only
    /// what passed before is looked into.
    pub fn narrows(&self, other: &Self) -> bool {
        !other.terms.is_empty()
            && other.terms.iter().all(|wide| self.terms.iter().any(|term| term.implies(wide)))
    }
}

/// A field that rows can be filtered by.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub name: &'a str,
    pub holds: Holds,
}

/// What a word without a field can find in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Words,
    /// Only what begins with a digit.
    Numbers,
    /// Words that another column has too.
    Again,
}

/// A [`Filter`] that knows its fields by their places.
pub struct Over<'f> {
    terms: Vec<(Option<usize>, &'f Term)>,
    words: Vec<usize>,
    fields: usize,
}

impl Over<'_> {
    /// Whether a row passes; `value` gives what stands in one of its fields, `found` whether the word of a term was found
    /// in it, if it was looked for.
    pub fn passes<'a>(
        &self,
        value: impl Fn(usize) -> Value<'a>,
        found: impl Fn(usize) -> Option<bool>,
    ) -> bool {
        self.terms.iter().enumerate().all(|(at, (place, term))| {
            let own = || place.map_or(Value::None, &value);
            let holds = match &term.test {
                Test::Contains(wanted) if term.field.is_empty() && is_number(wanted) => {
                    (0..self.fields).any(|at| value(at).contains(wanted))
                }
                Test::Contains(wanted) if term.field.is_empty() => {
                    found(at).unwrap_or_else(|| self.words.iter().any(|at| value(*at).contains(wanted)))
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

    fn fields() -> [Field<'static>; 5] {
        use Holds::{Numbers, Words};
        let holds = [Words, Words, Words, Numbers, Numbers];
        std::array::from_fn(|at| Field { name: FIELDS[at], holds: holds[at] })
    }

    fn passes(filter: &str) -> bool {
        let row = |field: &str| match field {
            "name" => Value::text("bert-finetune-7"),
            "cloud" => Value::text("aws"),
            "phase" => Value::Ranked(0, "Failed".into()),
            "gpus" => Value::Number(8.0),
            "age" => Value::Age(Age(3 * 3600)),
            _ => Value::None,
        };
        Filter::parse(filter, &FIELDS).unwrap().over(&fields()).passes(|at| row(FIELDS[at]), |_| None)
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
                        "cloud" => Value::Texts(&[]),
                        "phase" => Value::Ranked(1, cloud.into()),
                        "gpus" => Value::Number((*gpus).into()),
                        _ => Value::None,
                    };
                    let passes = |filter: &Filter| filter.over(&fields()).passes(value, |_| None);
                    prop_assert!(!passes(&filter) || passes(&wide), "`{}` in `{}`", filter, wide);
                }
            }
        }

        #[test]
        fn nothing_that_is_typed_makes_it_panic(text in any::<String>()) {
            if let Ok(filter) = Filter::parse(&text, &FIELDS) {
                filter.over(&fields()).passes(
                    |at| if at == 0 { Value::text("x") } else { Value::Number(1.0) },
                    |_| None,
                );
            }
        }
    }
}
