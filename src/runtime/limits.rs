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

    /// Tells the process that it is the one whose limit is lowered.
    const LOWERED: &str = "SKYDECK_TEST_LOWERED_LIMIT";
    const LOW: Option<u64> = Some(256);

    /// In a process of its own: the limit is one of the whole process.
    #[test]
    fn a_low_limit_is_raised_to_what_it_may_be() {
        if std::env::var_os(LOWERED).is_none() {
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let name = "runtime::limits::tests::a_low_limit_is_raised_to_what_it_may_be";
            let output = alone.args([name, "--exact"]).env(LOWERED, "").output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
            assert!(told.contains("1 passed"), "it was run: {told}");
            return;
        }
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: LOW, maximum }).unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, LOW);
        for _ in 0..2 {
            raise_open_files();
            let after = getrlimit(Resource::Nofile);
            assert_eq!(after.maximum, maximum);
            // Where the system says that there is none it may not mean it.
            let plenty = maximum.is_none() && after.current == Some(PLENTY);
            assert!(after.current == maximum || plenty, "{after:?}");
        }
    }
}
