//! How strongly a plan must be confirmed, and with which words.

use serde::{Deserialize, Serialize};

use crate::fleet::Clean;

/// The more can go wrong, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// One key: reversible, not production, one cluster.
    Key,
    /// The name, typed: production, or several clusters.
    Name,
    /// Cluster, name and number, typed: to zero, the last capacity, a large shift, several clouds.
    Full,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    pub strength: Strength,
    /// What must be typed; empty for a key.
    pub phrase: Clean,
    /// Why, in words: `production`, `2 clouds`, `to zero`.
    pub because: Vec<Clean>,
    pub is_production: bool,
}

impl Confirm {
    /// Whether these words confirm it. The phrase is compared letter by letter; spaces around it do not count.
    pub fn accepts(&self, words: &str) -> bool {
        self.strength == Strength::Key || (!self.phrase.is_empty() && words.trim() == self.phrase.as_str())
    }
}

/// Gathers reasons while a plan is made.
#[derive(Debug, Clone, Default)]
pub struct Reasons {
    strength: Option<Strength>,
    because: Vec<Clean>,
    is_production: bool,
}

impl Reasons {
    pub fn add(&mut self, strength: Strength, why: impl Into<Clean>) {
        self.strength = self.strength.max(Some(strength));
        let why = why.into();
        if !self.because.contains(&why) {
            self.because.push(why);
        }
    }

    pub fn production(&mut self, why: impl Into<Clean>) {
        self.is_production = true;
        self.add(Strength::Name, why);
    }

    /// `name` alone, or with the place and the number in front and behind; rules that are set aside are named first.
    pub fn confirm(self, place: &str, name: &str, number: &str, overrides: &[super::Override]) -> Confirm {
        let strength = if overrides.is_empty() { self.strength } else { Some(Strength::Full) };
        let strength = strength.unwrap_or(Strength::Key);
        let set_aside: Vec<_> = overrides.iter().map(|rule| rule.name()).collect();
        let override_words =
            if set_aside.is_empty() { String::new() } else { format!("override {} ", set_aside.join(" ")) };
        let phrase = match strength {
            Strength::Key => Clean::default(),
            Strength::Name => name.into(),
            Strength::Full => Clean::from(format!("{override_words}{place}/{name} {number}").trim()),
        };
        Confirm { strength, phrase, because: self.because, is_production: self.is_production }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Override;

    #[test]
    fn the_phrase_grows_with_the_danger() {
        let mut reasons = Reasons::default();
        let confirm = reasons.clone().confirm("aws", "web", "6", &[]);
        assert_eq!((confirm.strength, confirm.phrase.as_str()), (Strength::Key, ""));
        assert!(confirm.accepts(""));
        reasons.production("production");
        let confirm = reasons.clone().confirm("aws", "web", "6", &[]);
        assert_eq!((confirm.strength, confirm.phrase.as_str()), (Strength::Name, "web"));
        assert!(confirm.accepts(" web ") && !confirm.accepts("") && !confirm.accepts("Web"));
        reasons.add(Strength::Full, "to zero");
        let confirm = reasons.clone().confirm("aws", "web", "0", &[]);
        assert_eq!(confirm.phrase, "aws/web 0");
        let confirm = reasons.confirm("aws", "web", "0", &[Override::Floor]);
        assert_eq!(confirm.phrase, "override floor aws/web 0");
        assert!(!confirm.accepts("aws/web 0"));
    }
}
