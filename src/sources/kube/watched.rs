//! From events of a watch to facts: pure, so that every kind of event can be tested.

use super::census::Census;
use super::convert::{self, Cx};
use super::kinds::Resource;
use super::plan::WatchEnd;
use crate::clients::kube::wire::Encoding;
use crate::clients::kube::wire::stream::Event;
use crate::fleet::{Clean, Fault, FaultKind, ObjectKey, SourceFact, Step};

/// A watch that runs: the version it has reached, and what it told.
pub struct Watched<'a> {
    pub resource: &'a Resource,
    pub encoding: Encoding,
    pub version: String,
    pub facts: Vec<SourceFact>,
    /// The server said: everything up to here has been told.
    pub is_whole: bool,
}

impl Watched<'_> {
    /// Takes one event; gives the end of the watch when it is one.
    pub fn take(&mut self, event: Event, cx: &mut Cx, census: &mut Census) -> Option<WatchEnd> {
        match event {
            Event::Applied(bytes) => match self.resource.read(self.encoding, &bytes, cx) {
                Ok(read) => {
                    if self.is_turned_back(&read.resource_version) {
                        return Some(WatchEnd::TurnedBack);
                    }
                    census.holds(&read.key, &read.resource_version);
                    self.reach(read.resource_version);
                    self.facts.push(match read.object {
                        Some(object) => SourceFact::Item(object),
                        None => SourceFact::Gone(read.key),
                    });
                }
                Err(why) => {
                    let named = convert::name_of(self.encoding, &bytes);
                    if named.as_ref().is_some_and(|(_, version)| self.is_turned_back(version)) {
                        return Some(WatchEnd::TurnedBack);
                    }
                    let told = undecodable(named.as_ref(), why);
                    match &named {
                        Some((key, version)) => census.holds(key, version),
                        None => census.lost_count(),
                    }
                    // What was known of it is not so any more.
                    self.gone(named);
                    self.facts.push(told);
                }
            },
            Event::Deleted(bytes) => {
                let named = convert::name_of(self.encoding, &bytes);
                match &named {
                    Some((key, version)) => census.lost(key, version),
                    None => census.lost_count(),
                }
                self.gone(named);
            }
            Event::Bookmark(version) => {
                if self.is_turned_back(&version) {
                    return Some(WatchEnd::TurnedBack);
                }
                census.told_all(&version);
                self.reach(version);
                self.is_whole = true;
            }
            // Which object it is stands in what was passed over: all are listed anew, without it.
            Event::TooLarge => return Some(WatchEnd::Expired),
            Event::Error(status) if status.code == 410 => return Some(WatchEnd::Expired),
            Event::Error(status) => {
                let code = u16::try_from(status.code).unwrap_or(500);
                let fault = Fault::new(Step::Watch, FaultKind::Status(code), status.message);
                return Some(WatchEnd::Broken { version: self.version.clone(), fault });
            }
        }
        census.difference().map(WatchEnd::Missed)
    }

    /// Some servers give what is deleted with the version that it had last: the watch does not go back to that.
    fn gone(&mut self, named: Option<(ObjectKey, String)>) {
        if let Some((key, version)) = named {
            self.facts.push(SourceFact::Gone(key));
            if !self.is_turned_back(&version) {
                self.reach(version);
            }
        }
    }

    fn reach(&mut self, version: String) {
        // Watching from no version at all would begin with everything there is.
        if !version.is_empty() {
            self.version = version;
        }
    }

    /// Versions are numbers that only grow, on every server that says anything about them; of others nothing is said.
    fn is_turned_back(&self, version: &str) -> bool {
        let number = |version: &str| version.parse::<u64>().ok();
        number(version).zip(number(&self.version)).is_some_and(|(now, before)| now < before)
    }
}

/// An object that could not be understood, by name if that could be read.
pub fn undecodable(named: Option<&(ObjectKey, String)>, why: String) -> SourceFact {
    let name = named.map(|(key, _)| Clean::from(key.to_string()));
    SourceFact::Undecodable { name, why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::super::convert::test_cx;
    use super::super::kinds;
    use super::*;
    use crate::clients::kube::wire::messages::meta::Status;
    use crate::fleet::{Kind, Object};
    use bytes::Bytes;

    fn pods() -> Resource {
        kinds::built_in().into_iter().find(|it| it.kind == Kind::Pod).unwrap()
    }

    fn take(event: Event) -> (Option<WatchEnd>, String, Vec<SourceFact>) {
        let resource = pods();
        let mut watched = Watched {
            resource: &resource,
            encoding: Encoding::Json,
            version: "6".into(),
            facts: Vec::new(),
            is_whole: false,
        };
        let end = watched.take(event, &mut test_cx(), &mut Census::default());
        (end, watched.version, watched.facts)
    }

    fn json(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn objects_come_and_go_and_move_the_version() {
        let (_, version, facts) =
            take(Event::Applied(json(r#"{"metadata":{"name":"p","namespace":"ml","resourceVersion":"7"}}"#)));
        assert_eq!(version, "7");
        assert!(matches!(&facts[..], [SourceFact::Item(Object::Pod(pod))] if pod.key.name == "p"));
        let (_, version, facts) =
            take(Event::Deleted(json(r#"{"metadata":{"name":"p","namespace":"ml","resourceVersion":"8"}}"#)));
        assert_eq!((version.as_str(), &facts[..]), ("8", &[SourceFact::Gone(ObjectKey::new("ml", "p"))][..]));
        assert_eq!(take(Event::Bookmark("9".into())).1, "9");
    }

    #[test]
    fn an_object_that_cannot_be_understood_is_counted_and_its_old_row_goes() {
        let bytes =
            json(r#"{"metadata":{"name":"p","namespace":"ml","resourceVersion":"7"},"status":{"phase":3}}"#);
        let (end, version, facts) = take(Event::Applied(bytes));
        assert_eq!((end, version.as_str()), (None, "7"));
        assert_eq!(facts[0], SourceFact::Gone(ObjectKey::new("ml", "p")));
        assert!(matches!(&facts[1], SourceFact::Undecodable { name: Some(name), .. } if *name == "ml/p"));
        let (_, version, facts) = take(Event::Applied(json("[]")));
        assert_eq!((version.as_str(), facts.len()), ("6", 1), "what has no name only counts");
    }

    #[test]
    fn a_version_of_long_ago_ends_the_watch_and_none_at_all_is_not_taken() {
        assert_eq!(take(Event::Bookmark("5".into())).0, Some(WatchEnd::TurnedBack));
        let old = json(r#"{"metadata":{"name":"p","namespace":"ml","resourceVersion":"5"}}"#);
        let (end, _, facts) = take(Event::Applied(old));
        assert_eq!((end, facts.len()), (Some(WatchEnd::TurnedBack), 0));
        let old = json(r#"{"metadata":{"name":"p","namespace":"ml","resourceVersion":"5"}}"#);
        let (end, version, facts) = take(Event::Deleted(old));
        assert_eq!((end, version.as_str(), facts.len()), (None, "6", 1), "deleted, with its own version");
        let old = json(r#"{"metadata":{"name":"p","resourceVersion":"5"},"status":{"phase":3}}"#);
        let (end, _, facts) = take(Event::Applied(old));
        assert_eq!((end, facts.len()), (Some(WatchEnd::TurnedBack), 0), "of what could not be understood");
        assert_eq!(take(Event::Bookmark("opaque".into())).0, None);
        let (end, version, _) = take(Event::Applied(json(r#"{"metadata":{"name":"p","namespace":"ml"}}"#)));
        assert_eq!((end, version.as_str()), (None, "6"));
    }

    #[test]
    fn errors_end_the_watch() {
        let status = |code| Status { code, message: "too old".into(), ..Status::default() };
        assert_eq!(take(Event::Error(status(410))).0, Some(WatchEnd::Expired));
        assert!(matches!(take(Event::Error(status(500))).0, Some(WatchEnd::Broken { .. })));
    }
}
