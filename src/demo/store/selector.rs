//! Label and field selectors: parsing with the errors Kubernetes gives, and matching on an object's head.

use std::fmt;

use super::object::Object;
use crate::demo::{json, refusal::Refusal, resource::Kind};
use serde_json::Value;

/// What a list or watch asks for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub namespace: Option<String>,
    pub labels: LabelSelector,
    pub fields: FieldSelector,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldSelector(Vec<(String, bool, String)>);

#[derive(Debug, Clone, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Query {
    pub fn all() -> Query {
        Query::default()
    }

    pub fn within(namespace: &str) -> Query {
        Query { namespace: Some(namespace.to_owned()), ..Query::default() }
    }

    /// Does the object belong to the answer?
    pub fn matches(&self, object: &Object) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| &*object.key.namespace == namespace)
            && self.labels.matches(|key| object.label(key))
            && self.fields.matches(object)
    }

    pub fn is_selective(&self) -> bool {
        !self.labels.0.is_empty() || !self.fields.0.is_empty()
    }
}

impl LabelSelector {
    /// `a=b,c!=d,e in (f,g),h,!i`
    pub fn parse(text: &str) -> Result<LabelSelector, Refusal> {
        let mut tokens = Tokens { rest: text };
        let mut all = Vec::new();
        if tokens.peek() == Token::End {
            return Ok(LabelSelector(all));
        }
        loop {
            all.push(tokens.requirement()?);
            match tokens.next() {
                Token::End => return Ok(LabelSelector(all)),
                Token::Symbol(",") => {}
                other => return Err(unexpected(&other, "',' or 'end of string'")),
            }
        }
    }

    /// From a `metav1.LabelSelector`.
    pub fn of(selector: &Value) -> LabelSelector {
        let equal = json::pairs(selector, "/matchLabels")
            .map(|(key, value)| Requirement::In(key.into(), vec![value.into()]));
        let rules = json::list(selector, "/matchExpressions").iter().map(|rule| {
            let key = json::text(rule, "/key").to_owned();
            let values =
                json::list(rule, "/values").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            match json::text(rule, "/operator") {
                "In" => Requirement::In(key, values),
                "NotIn" => Requirement::NotIn(key, values),
                "Exists" => Requirement::Exists(key),
                _ => Requirement::Missing(key),
            }
        });
        LabelSelector(equal.chain(rules).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => {
                label(key).is_some_and(|own| values.iter().any(|value| value == own))
            }
            Requirement::NotIn(key, values) => {
                !label(key).is_some_and(|own| values.iter().any(|value| value == own))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Missing(key) => label(key).is_none(),
        })
    }
}

impl FieldSelector {
    /// `status.phase=Running,spec.nodeName!=node-1`, with the fields the kind has.
    pub fn parse(text: &str, kind: Kind) -> Result<FieldSelector, Refusal> {
        let terms = text.split(',').filter(|term| !term.is_empty()).map(|term| {
            let (field, equal, value) = if let Some((field, value)) = term.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (field, true, value)
            } else {
                return Err(Refusal::bad_request(format!(
                    "invalid selector: '{text}'; can't understand '{term}'"
                )));
            };
            let known = kind.row().fields.contains(&field)
                || ["metadata.name", "metadata.namespace"].contains(&field);
            if known {
                Ok((field.to_owned(), equal, value.to_owned()))
            } else {
                Err(unknown_field(field, kind))
            }
        });
        terms.collect::<Result<_, _>>().map(FieldSelector)
    }

    fn matches(&self, object: &Object) -> bool {
        self.0.iter().all(|(field, equal, value)| (object.field(field) == Some(value)) == *equal)
    }
}

fn unknown_field(field: &str, kind: Kind) -> Refusal {
    if kind.row().fields.is_empty() {
        let message = format!(
            "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        return Refusal::bad_request(message);
    }
    Refusal::bad_request(format!("field label not supported: {field}"))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Symbol(&'a str),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(text) | Token::Symbol(text) => f.write_str(text),
            Token::End => Ok(()),
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> Token<'a> {
        Tokens { rest: self.rest }.next()
    }

    fn next(&mut self) -> Token<'a> {
        let text = self.rest.trim_start();
        let symbol =
            ["==", "!=", "=", "!", ",", "(", ")"].into_iter().find(|symbol| text.starts_with(symbol));
        let end = match symbol {
            Some(symbol) => symbol.len(),
            None => text.find(['=', '!', ',', '(', ')', ' ', '\t']).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(end);
        self.rest = rest;
        match (symbol, token) {
            (None, "") => Token::End,
            (None, word) => Token::Word(word),
            (Some(_), symbol) => Token::Symbol(symbol),
        }
    }

    fn requirement(&mut self) -> Result<Requirement, Refusal> {
        if self.peek() == Token::Symbol("!") {
            self.next();
            return Ok(Requirement::Missing(self.word()?));
        }
        let key = self.word()?;
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(Requirement::Exists(key));
        }
        match self.next() {
            Token::Symbol("=" | "==") => Ok(Requirement::In(key, vec![self.value()])),
            Token::Symbol("!=") => Ok(Requirement::NotIn(key, vec![self.value()])),
            Token::Word("in") => Ok(Requirement::In(key, self.values()?)),
            Token::Word("notin") => Ok(Requirement::NotIn(key, self.values()?)),
            other => Err(unexpected(&other, "in, notin, =, ==, !=, gt, lt")),
        }
    }

    fn word(&mut self) -> Result<String, Refusal> {
        match self.next() {
            Token::Word(word) => Ok(word.to_owned()),
            other => Err(unexpected(&other, "!, identifier, or 'end of string'")),
        }
    }

    /// What is right of an equals sign: a word or nothing.
    fn value(&mut self) -> String {
        match self.peek() {
            Token::Word(word) => {
                self.next();
                word.to_owned()
            }
            _ => String::new(),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, Refusal> {
        match self.next() {
            Token::Symbol("(") => {}
            other => return Err(unexpected(&other, "'('")),
        }
        let mut values = Vec::new();
        loop {
            values.push(self.value());
            match self.next() {
                Token::Symbol(",") => {}
                Token::Symbol(")") => return Ok(values),
                other => return Err(unexpected(&other, "',' or ')'")),
            }
        }
    }
}

fn unexpected(found: &Token<'_>, expected: &str) -> Refusal {
    Refusal::bad_request(format!("unable to parse requirement: found '{found}', expected: {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, labels: &[(&'static str, &'static str)]) -> bool {
        let selector = LabelSelector::parse(selector).unwrap();
        selector.matches(|key| labels.iter().find(|(own, _)| *own == key).map(|(_, value)| *value))
    }

    #[test]
    fn equality_and_sets() {
        let labels = [("app", "web"), ("tier", "prod")];
        for selector in [
            "",
            "app=web",
            "app==web",
            "app!=db",
            "other!=x",
            "app in (web,db)",
            "app in (web), tier notin (dev)",
            "app",
            "!other",
            " app = web , tier ",
            "other notin (a)",
        ] {
            assert!(matches(selector, &labels), "{selector:?}");
        }
        for selector in
            ["app=db", "app!=web", "app in (a,b)", "tier notin (prod)", "other", "!app", "other=", "app="]
        {
            assert!(!matches(selector, &labels), "{selector:?}");
        }
    }

    #[test]
    fn nonsense_is_told_as_kubernetes_tells_it() {
        let message = |text| LabelSelector::parse(text).unwrap_err().message;
        assert_eq!(
            message("a b c"),
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
        );
        assert_eq!(message("a in (b"), "unable to parse requirement: found '', expected: ',' or ')'");
        for text in ["=", "a=b=c", "a in b", ",", "a,", "!"] {
            assert_eq!(LabelSelector::parse(text).unwrap_err().code, 400, "{text:?}");
        }
    }

    #[test]
    fn fields_are_those_of_the_kind() {
        assert!(FieldSelector::parse("status.phase!=Failed,spec.nodeName=a", Kind::Pods).is_ok());
        assert!(FieldSelector::parse("involvedObject.uid=a", Kind::Events).is_ok());
        let refused = FieldSelector::parse("spec.replicas=1", Kind::Deployments).unwrap_err();
        assert_eq!(
            refused.message,
            "\"spec.replicas\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(FieldSelector::parse("nonsense", Kind::Pods).unwrap_err().code, 400);
        assert_eq!(FieldSelector::parse("spec.color=red", Kind::Pods).unwrap_err().code, 400);
    }
}
