//! As many connections as the system allows.
//!
//! Shells hand on a limit of 1024 open files for the sake of old programs; a hundred clusters with a watch for every
//! kind come close to it over HTTP/1.1. This program asks for all that it may have, and goes on with less.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is asked for where the system says that there is no limit, which it then may not mean.
const PLENTY: u64 = 10_240;

/// Raises the limit of open files as far as it may be.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    for wanted in [maximum, Some(PLENTY)] {
        let is_more = match (current, wanted) {
            (Some(current), Some(wanted)) => wanted > current,
            (current, _) => current.is_some(),
        };
        if is_more && setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum }).is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_it_may_be_and_never_less_than_it_was() {
        let before = getrlimit(Resource::Nofile);
        raise_open_files();
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.maximum, before.maximum);
        assert!(after.current == before.maximum || after.current >= before.current.min(Some(PLENTY)));
        raise_open_files();
        assert_eq!(getrlimit(Resource::Nofile).current, after.current);
    }
}
