//! How long a version of Kubernetes gets fixes upstream. Clouds may support their own for longer.
//!
//! Dates: <https://kubernetes.io/releases/>, end of life. What is newer than this table is not judged.

use super::Unix;

/// Minor of version 1, and the day of its end of life.
const END_OF_LIFE: [(u32, &str); 5] =
    [(32, "2026-02-28"), (33, "2026-06-28"), (34, "2026-10-27"), (35, "2027-02-28"), (36, "2027-06-28")];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Until(Unix),
    /// Older than everything in the table.
    TooOld,
    NotKnown,
}

impl Support {
    /// Of a gitVersion: `v1.34.2-eks-3025e55`.
    pub fn of(git_version: &str) -> Self {
        let mut numbers = git_version.trim_start_matches('v').split('.');
        let (Some("1"), Some(minor)) = (numbers.next(), numbers.next()) else { return Self::NotKnown };
        let Ok(minor) = minor.trim_end_matches('+').parse::<u32>() else { return Self::NotKnown };
        let end = END_OF_LIFE.iter().find(|(known, _)| *known == minor);
        match end.and_then(|(_, day)| Unix::parse(&format!("{day}T23:59:59Z"))) {
            Some(end) => Self::Until(end),
            None if minor < END_OF_LIFE[0].0 => Self::TooOld,
            None => Self::NotKnown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_clouds_write_them() {
        let until = |version| match Support::of(version) {
            Support::Until(end) => end.rfc3339(),
            other => format!("{other:?}"),
        };
        assert_eq!(until("v1.34.2-eks-3025e55"), "2026-10-27T23:59:59Z");
        assert_eq!(until("v1.33+"), "2026-06-28T23:59:59Z");
        assert_eq!((until("v1.21.0").as_str(), until("v1.99.0").as_str()), ("TooOld", "NotKnown"));
        assert_eq!((until("").as_str(), until("2.0").as_str()), ("NotKnown", "NotKnown"));
        for (_, day) in END_OF_LIFE {
            assert!(Unix::parse(&format!("{day}T00:00:00Z")).is_some(), "{day}");
        }
    }
}
