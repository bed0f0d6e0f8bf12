//! From keys to actions: the default chords with the configuration over them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::action::{ACTIONS, Action, Context, Row};
use super::chord::{Chord, Key};

/// As data: the chords of every action by its name, as in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Named", try_from = "Named")]
pub struct Keymap {
    chords: BTreeMap<Context, BTreeMap<Chord, Action>>,
}

/// What keys pressed so far mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    Action(Action),
    /// A chord has begun: what may follow, and what it would do.
    Pending(Vec<(Chord, Action)>),
    Unknown,
}

/// Two actions that want the same chord in the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    pub chord: Chord,
    pub first: Action,
    pub second: Action,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self { chords: BTreeMap::new() };
        for row in ACTIONS {
            for key in row.keys {
                if let Ok(chord) = key.parse() {
                    keymap.chords.entry(row.context).or_default().insert(chord, row.action);
                }
            }
        }
        keymap
    }
}

/// Names of actions and chords.
type Named = BTreeMap<String, Vec<String>>;

impl From<Keymap> for Named {
    fn from(keymap: Keymap) -> Self {
        let chords = |row: &Row| keymap.all(row).iter().map(ToString::to_string).collect();
        ACTIONS.iter().map(|row| (row.name.to_owned(), chords(row))).collect()
    }
}

impl TryFrom<Named> for Keymap {
    type Error = String;

    fn try_from(named: Named) -> Result<Self, String> {
        let mut keymap = Self { chords: BTreeMap::new() };
        for (name, chords) in named {
            let action = Action::named(&name).ok_or_else(|| format!("there is no action `{name}`"))?;
            let chords = chords.iter().map(|chord| chord.parse()).collect::<Result<Vec<Chord>, _>>()?;
            keymap.rebind(action, chords).map_err(|clash| format!("`{}` stands twice", clash.chord))?;
        }
        Ok(keymap)
    }
}

impl Keymap {
    /// Gives an action other chords; none at all takes it off the keys.
    pub fn rebind(&mut self, action: Action, chords: Vec<Chord>) -> Result<(), Clash> {
        let context = self.chords.entry(action.row().context).or_default();
        context.retain(|_, bound| *bound != action);
        for chord in chords {
            if let Some(first) = context.get(&chord) {
                return Err(Clash { chord, first: *first, second: action });
            }
            context.insert(chord, action);
        }
        Ok(())
    }

    /// `contexts` from the innermost out; `Everywhere` is always the last.
    pub fn resolve(&self, contexts: &[Context], pressed: &[Key]) -> Resolved {
        let places = contexts.iter().chain([&Context::Everywhere]);
        for map in places.filter_map(|context| self.chords.get(context)) {
            if let Some(action) = map.iter().find(|(chord, _)| chord.0 == pressed) {
                return Resolved::Action(*action.1);
            }
            let begun: Vec<_> = map
                .iter()
                .filter(|(chord, _)| chord.0.len() > pressed.len() && chord.0.starts_with(pressed))
                .map(|(chord, action)| (chord.clone(), *action))
                .collect();
            if !begun.is_empty() {
                return Resolved::Pending(begun);
            }
        }
        Resolved::Unknown
    }

    /// The chord to show for an action: the default's first when it still holds, else any.
    pub fn shown(&self, action: Action) -> Option<Chord> {
        let row = action.row();
        let context = self.chords.get(&row.context)?;
        let bound = |chord: &Chord| context.get(chord) == Some(&action);
        let default = row.keys.iter().filter_map(|key| key.parse().ok()).find(bound);
        default.or_else(|| context.iter().find(|(_, it)| **it == action).map(|(it, _)| it.clone()))
    }

    /// All chords of an action.
    pub fn all(&self, row: &Row) -> Vec<Chord> {
        let shown = self.shown(row.action);
        let context = self.chords.get(&row.context).into_iter().flatten();
        let others = context.filter(|(_, action)| **action == row.action).map(|(chord, _)| chord);
        let others = others.filter(|chord| Some(*chord) != shown.as_ref()).cloned();
        shown.clone().into_iter().chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Key> {
        text.parse::<Chord>().unwrap().0
    }

    #[test]
    fn no_two_default_actions_clash() {
        let bound: usize = Keymap::default().chords.values().map(BTreeMap::len).sum();
        let wanted: usize = ACTIONS.iter().map(|row| row.keys.len()).sum();
        assert_eq!(bound, wanted, "a chord stands twice in one context of ACTIONS");
    }

    #[test]
    fn the_innermost_context_decides() {
        let keymap = Keymap::default();
        let resolve = |contexts: &[Context], text| keymap.resolve(contexts, &keys(text));
        assert_eq!(resolve(&[Context::Panel], "/"), Resolved::Action(Action::Filter));
        let inspect = [Context::Logs, Context::Inspect, Context::Text];
        assert_eq!(resolve(&inspect, "/"), Resolved::Action(Action::Search));
        assert_eq!(resolve(&[Context::Picker], "space"), Resolved::Action(Action::Toggle));
        assert_eq!(resolve(&[Context::Panel], "space"), Resolved::Action(Action::Freeze));
        assert_eq!(resolve(&[], "q"), Resolved::Action(Action::Quit));
        assert_eq!(resolve(&[], "ctrl-t"), Resolved::Unknown);
    }

    #[test]
    fn a_begun_chord_tells_what_may_follow() {
        let keymap = Keymap::default();
        let Resolved::Pending(next) = keymap.resolve(&[Context::Panel], &keys("g")) else {
            panic!("g begins a chord")
        };
        assert_eq!(next[0].1, Action::Top);
        assert_eq!(keymap.resolve(&[Context::Panel], &keys("g g")), Resolved::Action(Action::Top));
        assert_eq!(keymap.resolve(&[Context::Panel], &keys("g x")), Resolved::Unknown);
    }

    #[test]
    fn rebinding_replaces_and_clashes_are_told() {
        let mut keymap = Keymap::default();
        keymap.rebind(Action::Quit, vec!["ctrl-q".parse().unwrap()]).unwrap();
        assert_eq!(keymap.resolve(&[], &keys("q")), Resolved::Unknown);
        assert_eq!(keymap.resolve(&[], &keys("ctrl-q")), Resolved::Action(Action::Quit));
        assert_eq!(keymap.shown(Action::Quit).unwrap().to_string(), "ctrl-q");
        let clash = keymap.rebind(Action::Help, vec!["ctrl-q".parse().unwrap()]).unwrap_err();
        assert_eq!((clash.first, clash.second), (Action::Quit, Action::Help));
        keymap.rebind(Action::Mouse, Vec::new()).unwrap();
        assert_eq!(keymap.shown(Action::Mouse), None);
    }

    #[test]
    fn as_data_it_is_the_same() {
        let mut keymap = Keymap::default();
        keymap.rebind(Action::Quit, vec!["ctrl-q".parse().unwrap(), "g q".parse().unwrap()]).unwrap();
        keymap.rebind(Action::Mouse, Vec::new()).unwrap();
        let text = serde_json::to_string(&keymap).unwrap();
        assert_eq!(serde_json::from_str::<Keymap>(&text).unwrap(), keymap);
        assert!(serde_json::from_str::<Keymap>(r#"{"fly": ["f"]}"#).is_err());
        assert!(serde_json::from_str::<Keymap>(r#"{"up": ["f"], "down": ["f"]}"#).is_err());
    }
}
