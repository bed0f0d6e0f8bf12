//! The command line, as data.

mod change;
pub mod journal;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use change::{
    ChangeOptions, JournalChange, JournalResume, JournalUndo, Output, Restart, RuleOf, Scale, TrafficDrain,
    TrafficRamp, TrafficSet, Weight, Whereabouts,
};

/// Every Kubernetes cluster of a machine-learning platform, live, on one screen.
#[derive(Debug, Clone, Parser)]
#[command(name = "skydeck", version, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Options of the console and of every verb.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Show a small fleet of real servers on loopback, inside this program
    #[arg(long, global = true)]
    pub demo: bool,
    /// Size of the demo fleet: clusters and pods in each
    #[arg(long, global = true, value_name = "CLUSTERSxPODS", value_parser = demo_scale, requires = "demo")]
    pub demo_scale: Option<(usize, usize)>,
    /// The same seed gives the same day in the demo fleet
    #[arg(long, global = true, value_name = "NUMBER", requires = "demo")]
    pub demo_seed: Option<u64>,
    /// Write the demo fleet's kubeconfig to this file, for kubectl
    #[arg(long, global = true, value_name = "FILE", requires = "demo")]
    pub demo_kubeconfig: Option<PathBuf>,
    /// Configuration file [default: config.toml in the XDG configuration folder]
    #[arg(long, global = true, value_name = "FILE", env = "SKYDECK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Read only these contexts of the kubeconfig (may be given more than once)
    #[arg(long = "context", global = true, value_name = "NAME")]
    pub contexts: Vec<String>,
    /// Theme: dark, light, contrast, plain, or a file of yours
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long)]
    pub ascii: bool,
    /// Begin with this panel
    #[arg(long, value_name = "NAME", value_parser = ["fleet", "clusters", "jobs", "replicas", "traffic", "journal"])]
    pub panel: Option<String>,
    /// Connect, draw one screen to the standard output and end; with --replay, a screen of the recording
    #[arg(long, value_name = "FORMAT")]
    pub snapshot: Option<SnapshotFormat>,
    /// Size of that screen
    /// [default: 120x36; of a recording, that of its terminal]
    #[arg(long, value_name = "COLUMNSxLINES", value_parser = snapshot_size, requires = "snapshot")]
    pub size: Option<(u16, u16)>,
    /// Write everything that the console is told to a new file, to show it again later; without a file to one in the
    /// state folder. It holds names and states, and no secret
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["replay", "snapshot"])]
    pub record: Option<Option<PathBuf>>,
    /// Show a recording again; no server is asked, nothing is changed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["demo", "contexts"])]
    pub replay: Option<PathBuf>,
    /// Begin the replay at this moment, or take the snapshot of it: 1m30s, 1m30.25s
    #[arg(long, value_name = "DURATION", value_parser = moment, requires = "replay")]
    pub at: Option<Duration>,
    /// Show it so many times as fast
    #[arg(long, value_name = "TIMES", value_parser = speed, requires = "replay", conflicts_with = "snapshot")]
    pub speed: Option<f64>,
    /// Show it step by step: `.` goes on by a message, `]` by a second
    #[arg(long, requires = "replay", conflicts_with = "snapshot")]
    pub step: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Connect to all clusters, print what is known, and end
    Status(Status),
    /// Change how many replicas a workload has, or the range of what scales it
    Scale(Scale),
    /// Restart a workload as `kubectl rollout restart` does
    Restart(Restart),
    /// Look at routes, and shift their traffic
    #[command(subcommand)]
    Traffic(Traffic),
    /// Write a configuration to begin with, from the kubeconfig and what the clusters tell
    Init(Init),
    /// Look at everything between here and each cluster, and say what is broken and what to do
    Doctor {
        /// How to print it
        #[arg(short, long, default_value = "table")]
        output: Format,
    },
    /// Pack what somebody needs who is to mend a mistake into one file, say what is in it, and send nothing
    Bugreport(Bugreport),
    /// Look at what was changed from this machine; take it back, or go on with it
    Journal(journal::Journal),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete in
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of one verb
    Man {
        /// The verb, with those of its own if it has some; without it the page of the program
        verb: Vec<String>,
    },
}

#[derive(Debug, Clone, Args)]
pub struct Status {
    /// What to print
    #[arg(default_value = "clusters")]
    pub what: Subject,
    /// How to print it
    #[arg(short, long, default_value = "table")]
    pub output: Format,
    /// Print again whenever something changed, until interrupted
    #[arg(short, long)]
    pub watch: bool,
    /// How long to wait for clusters that do not answer
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = age)]
    pub timeout: crate::fleet::Age,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Traffic {
    /// Print routes with their rules, destinations, weights and shares
    Show(TrafficShow),
    /// Set weights of a rule
    Set(TrafficSet),
    /// Let a destination get nothing any more
    Drain(TrafficDrain),
    /// Move weights step by step, each verified before the next
    Ramp(TrafficRamp),
}

#[derive(Debug, Clone, Args)]
pub struct TrafficShow {
    /// Name of a route, with its kind in front if need be: virtualservice/ml-inference
    #[arg(value_name = "[KIND/]NAME")]
    pub route: Option<String>,
    /// Only of this namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Only of this cluster (may be given more than once)
    #[arg(long = "cluster", value_name = "NAME")]
    pub clusters: Vec<String>,
    /// How to print it
    #[arg(short, long, default_value = "table")]
    pub output: Format,
    /// How long to wait for clusters that do not answer
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = age)]
    pub timeout: crate::fleet::Age,
}

#[derive(Debug, Clone, Args)]
pub struct Bugreport {
    /// A new file [default: skydeck-bugreport-TIME.tar.gz here]
    pub file: Option<PathBuf>,
    /// Pack this recording instead of a short one that is made now; without a file, the newest in the state folder
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub recording: Option<Option<PathBuf>>,
    /// Pack no recording: no names of what is in the clusters
    #[arg(long, conflicts_with = "recording")]
    pub no_recording: bool,
    /// Say what would be in it, and write nothing
    #[arg(long, visible_alias = "dry-run")]
    pub list: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Init {
    /// Write it anew although it is there
    #[arg(long)]
    pub force: bool,
    /// Print it instead of writing it
    #[arg(long, conflicts_with = "force")]
    pub print: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    Clusters,
    Replicas,
    Jobs,
    Traffic,
    Attention,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
    Yaml,
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SnapshotFormat {
    Text,
    Svg,
    Json,
}

fn age(text: &str) -> Result<crate::fleet::Age, String> {
    crate::fleet::Age::parse(text).ok_or_else(|| "write it as 30s, 2m or 1h".into())
}

/// Like an age, and down to the millisecond, of which recordings tell.
fn moment(text: &str) -> Result<Duration, String> {
    let (seconds, part) = match text.trim().strip_suffix('s').and_then(|text| text.split_once('.')) {
        Some((seconds, part)) => (format!("{seconds}s"), part),
        None => (text.to_owned(), "0"),
    };
    let seconds = crate::fleet::Age::parse(&seconds).map(|age| Duration::from_secs(age.0));
    let is_part = (1..=3).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
    let millis = format!("{part:0<3}").parse().ok().filter(|_| is_part).map(Duration::from_millis);
    seconds.zip(millis).map(|(a, b)| a + b).ok_or_else(|| "write it as 30s, 1m30s or 12.25s".into())
}

fn speed(text: &str) -> Result<f64, String> {
    let times = text.trim_start_matches('x').parse().ok().filter(|times| (0.01..=1000.0).contains(times));
    times.ok_or_else(|| "a number from 0.01 to 1000".into())
}

fn demo_scale(text: &str) -> Result<(usize, usize), String> {
    let (clusters, pods) = pair(text, "write it as CLUSTERSxPODS, for example 5x1000")?;
    if clusters > 200 || pods > 150_000 {
        return Err("at most 200 clusters of 150000 pods".into());
    }
    Ok((clusters, pods))
}

fn snapshot_size(text: &str) -> Result<(u16, u16), String> {
    let (columns, lines) = pair(text, "write it as COLUMNSxLINES, for example 120x36")?;
    if columns > 500 || lines > 300 {
        return Err("at most 500x300".into());
    }
    Ok((columns as u16, lines as u16))
}

fn pair(text: &str, hint: &str) -> Result<(usize, usize), String> {
    let (first, second) = text.split_once('x').ok_or(hint)?;
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0).ok_or_else(|| hint.to_owned());
    Ok((number(first)?, number(second)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_and_times() {
        assert_eq!(demo_scale("5x1000"), Ok((5, 1000)));
        for wrong in ["5", "x", "0x1", "5x", "-1x5", "999999x1"] {
            assert!(demo_scale(wrong).is_err(), "{wrong}");
        }
        assert!(snapshot_size("80x24").is_ok());
        assert!(age("soon").is_err());
        let millis = |text: &str| moment(text).ok().map(|at| at.as_millis());
        assert_eq!(["30s", "1m30s", "1m30.25s", "0.007s"].map(millis), [30_000, 90_000, 90_250, 7].map(Some));
        assert_eq!(["1.5", "1.s", ".5s", "1.2345s", "1.-5s", "1.5m", "soon"].map(millis), [None; 7]);
    }
}
