//! Whether what stands on the command line is a yes. A flag is enough for what can be taken back and is not production;
//! for anything else the words must be there, or somebody to type them.

use crate::gate::{Confirm, Refusal, Strength};

/// What was given beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    pub yes: bool,
    pub words: Option<&'a str>,
    /// There is a terminal to ask on.
    pub can_ask: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Yes,
    Ask,
    No(Refusal),
}

/// That there are several clusters needs no words here: the command names them, or is about all of them.
pub fn answer(confirm: &Confirm, given: Given<'_>) -> Answer {
    let option = option(confirm);
    if let Some(words) = given.words {
        if suffices(confirm, words.trim()) {
            return Answer::Yes;
        }
        let words = format!("--confirm is not what this plan asks for{}", because(confirm));
        return Answer::No(Refusal::new(words, format!("read the plan, then pass {option}")));
    }
    match (given.yes, given.can_ask) {
        (true, _) if confirm.alone == Strength::Key => Answer::Yes,
        (false, true) => Answer::Ask,
        (true, _) => {
            let words = format!("--yes is not enough{}", because(confirm));
            Answer::No(Refusal::new(words, format!("read the plan, then pass {option}")))
        }
        (false, false) => {
            let words = format!("there is no terminal to ask on{}", because(confirm));
            Answer::No(Refusal::new(words, format!("read the plan, then pass {option}")))
        }
    }
}

fn suffices(confirm: &Confirm, words: &str) -> bool {
    let is_phrase = !confirm.phrase.is_empty() && words == confirm.phrase.as_str();
    let is_name =
        confirm.alone < Strength::Full && !confirm.name.is_empty() && words == confirm.name.as_str();
    is_phrase || is_name
}

/// The option that would do.
fn option(confirm: &Confirm) -> String {
    let words = match confirm.alone {
        Strength::Key => return "--yes".into(),
        Strength::Name => &confirm.name,
        Strength::Full => &confirm.phrase,
    };
    let is_plain = words.chars().all(|it| it.is_ascii_alphanumeric() || "-._/:".contains(it));
    if is_plain { format!("--confirm {words}") } else { format!("--confirm '{words}'") }
}

fn because(confirm: &Confirm) -> String {
    if confirm.because.is_empty() { String::new() } else { format!(" ({})", confirm.because.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Override;
    use crate::gate::confirm::Reasons;

    fn yes(words: Option<&str>) -> Given<'_> {
        Given { yes: true, words, can_ask: false }
    }

    fn hint(answer: Answer) -> String {
        match answer {
            Answer::No(refusal) => refusal.hint.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_flag_is_enough_for_what_can_be_taken_back_in_however_many_clusters() {
        let mut reasons = Reasons::default();
        let one = reasons.clone().confirm("aws", "web", "6", &[]);
        reasons.several(Strength::Full, "2 clouds");
        let many = reasons.confirm("2 clusters", "web", "6", &[]);
        for confirm in [one, many] {
            assert_eq!(answer(&confirm, yes(None)), Answer::Yes);
            assert_eq!(answer(&confirm, Given { can_ask: true, ..Given::default() }), Answer::Ask);
            assert_eq!(hint(answer(&confirm, Given::default())), "read the plan, then pass --yes");
            assert_eq!(answer(&confirm, yes(Some("web"))), Answer::Yes);
            assert!(hint(answer(&confirm, yes(Some("other")))).contains("--yes"));
        }
    }

    #[test]
    fn production_wants_its_name_and_danger_the_whole_phrase() {
        let mut reasons = Reasons::default();
        reasons.several(Strength::Full, "2 clouds");
        reasons.production("production");
        let production = reasons.clone().confirm("2 clusters", "web", "6", &[]);
        assert_eq!(hint(answer(&production, yes(None))), "read the plan, then pass --confirm web");
        assert_eq!(answer(&production, yes(Some(" web "))), Answer::Yes);
        assert_eq!(answer(&production, yes(Some("2 clusters/web 6"))), Answer::Yes);
        assert!(hint(answer(&production, yes(Some("")))).contains("--confirm web"));
        reasons.add(Strength::Full, "to zero");
        let zero = reasons.clone().confirm("aws", "web", "0", &[]);
        assert_eq!(hint(answer(&zero, yes(Some("web")))), "read the plan, then pass --confirm 'aws/web 0'");
        assert_eq!(answer(&zero, Given { words: Some("aws/web 0"), ..Given::default() }), Answer::Yes);
        let aside = reasons.confirm("aws", "web", "0", &[Override::Floor]);
        assert!(hint(answer(&aside, yes(Some("aws/web 0")))).contains("'override floor aws/web 0'"));
        assert_eq!(answer(&aside, Given { can_ask: true, ..yes(None) }), answer(&aside, yes(None)));
    }
}
