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
    /// What it would take if it were about one cluster: whoever names several on a command line knows that they are
    /// several.
    #[serde(default = "Strength::greatest")]
    pub alone: Strength,
    /// What it is about; production is confirmed with it when nothing else is to be feared.
    #[serde(default)]
    pub name: Clean,
}

impl Strength {
    const fn greatest() -> Self {
        Self::Full
    }
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
    /// Without there being several clusters.
    alone: Option<Strength>,
    because: Vec<Clean>,
    is_production: bool,
}

impl Reasons {
    pub fn add(&mut self, strength: Strength, why: impl Into<Clean>) {
        self.alone = self.alone.max(Some(strength));
        self.several(strength, why);
    }

    /// That it is about more than one cluster or cloud.
    pub fn several(&mut self, strength: Strength, why: impl Into<Clean>) {
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
        let at_least = |strength: Option<Strength>| {
            if overrides.is_empty() { strength.unwrap_or(Strength::Key) } else { Strength::Full }
        };
        let (strength, alone) = (at_least(self.strength), at_least(self.alone));
        let set_aside: Vec<_> = overrides.iter().map(|rule| rule.name()).collect();
        let override_words =
            if set_aside.is_empty() { String::new() } else { format!("override {} ", set_aside.join(" ")) };
        let phrase = match strength {
            Strength::Key => Clean::default(),
            Strength::Name => name.into(),
            Strength::Full => Clean::from(format!("{override_words}{place}/{name} {number}").trim()),
        };
        let (because, is_production) = (self.because, self.is_production);
        Confirm { strength, phrase, because, is_production, alone, name: name.into() }
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

    #[test]
    fn that_there_are_several_clusters_is_told_apart_from_what_is_to_be_feared() {
        let mut reasons = Reasons::default();
        reasons.several(Strength::Full, "2 clouds");
        let confirm = reasons.clone().confirm("2 clusters", "web", "6", &[]);
        assert_eq!((confirm.strength, confirm.alone), (Strength::Full, Strength::Key));
        reasons.production("production");
        let confirm = reasons.clone().confirm("2 clusters", "web", "6", &[]);
        assert_eq!(
            (confirm.strength, confirm.alone, confirm.name.as_str()),
            (Strength::Full, Strength::Name, "web")
        );
        let confirm = reasons.confirm("2 clusters", "web", "6", &[Override::Owner]);
        assert_eq!(confirm.alone, Strength::Full);
    }
}
