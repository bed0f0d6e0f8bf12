//! The verbs that change something, as data: what is meant, and how it is confirmed.

use clap::{Args, Subcommand, ValueEnum};

use super::age;
use crate::fleet::Age;
use crate::gate::Override;

/// Options of every verb that changes something.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Changing")]
pub struct ChangeOptions {
    /// Have every server asked, print the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Say yes beforehand, for scripts; what is dangerous or production wants --confirm too
    #[arg(short, long)]
    pub yes: bool,
    /// The words that the plan asks for; for production alone the name
    #[arg(long, value_name = "WORDS")]
    pub confirm: Option<String>,
    /// Set a rule aside (may be given more than once): step-size, last-destination, unknown-capacity, floor,
    /// last-capacity, owner
    #[arg(long = "override", value_name = "RULE", value_parser = rule)]
    pub overrides: Vec<Override>,
    /// Why, for the journal and for colleagues
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
    /// How long to read back an answer that was lost [default: 30s longer than it may take to land]
    #[arg(long, value_name = "DURATION", value_parser = age)]
    pub timeout: Option<Age>,
    /// How to print what became of it
    #[arg(short, long, default_value = "table")]
    pub output: Output,
}

/// Where to look for what is named.
#[derive(Debug, Clone, Default, Args)]
pub struct Whereabouts {
    /// The namespace [default: that of the context, else the only one that has it]
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// The cluster (may be given more than once)
    #[arg(long = "cluster", value_name = "NAME")]
    pub clusters: Vec<String>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  skydeck scale deploy/ml-inference -n ml-platform --cluster aws-east --replicas 6
  skydeck scale ml-inference --cluster aws-east --cluster gcp-central --replicas +2 --dry-run
  skydeck scale sts/cache --cluster aws-east --replicas 3 --yes --confirm cache -o json

Without --cluster it is refused when several clusters have the workload. Where an autoscaler decides, \
its range is changed instead: 6 raises its minimum, 3-20 sets both ends.")]
pub struct Scale {
    /// Name of a workload, with its kind in front if need be: deploy/ml-inference, sts/, rs/, rollout/, lws/
    #[arg(value_name = "[KIND/]NAME")]
    pub workload: String,
    #[command(flatten)]
    pub whereabouts: Whereabouts,
    /// How many: 6, +2, -1, x2, or the range 3-20 of an autoscaler
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub replicas: String,
    #[command(flatten)]
    pub options: ChangeOptions,
}

#[derive(Debug, Clone, Args)]
pub struct Restart {
    /// Name of a workload, with its kind in front if need be: deploy/ml-inference, sts/, rollout/
    #[arg(value_name = "[KIND/]NAME")]
    pub workload: String,
    #[command(flatten)]
    pub whereabouts: Whereabouts,
    #[command(flatten)]
    pub options: ChangeOptions,
}

/// A rule of a route.
#[derive(Debug, Clone, Args)]
pub struct RuleOf {
    /// Name of a route, with its kind in front if need be: virtualservice/ml-inference, httproute/, grpcroute/,
    /// dnsendpoint/
    #[arg(value_name = "[KIND/]NAME")]
    pub route: String,
    #[command(flatten)]
    pub whereabouts: Whereabouts,
    /// Which rule, counted as `traffic show` does [default: the only one with several destinations]
    #[arg(long, value_name = "NUMBER")]
    pub rule: Option<usize>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  skydeck traffic set virtualservice/ml-inference-multicloud -n ml-platform aws=50 gcp=50
  skydeck traffic set ml-inference-multicloud --rule 2 ml-inference/canary=10 ml-inference/stable=90 --dry-run

The left side is a destination's host, host/subset, or any part that fits exactly one. Destinations \
that are not named keep their weight. Without --cluster every cluster that holds the route is changed; \
one that cannot be read now is told and left out, and the exit code is 5.")]
pub struct TrafficSet {
    #[command(flatten)]
    pub of: RuleOf,
    /// Weights by destination
    #[arg(value_name = "DEST=WEIGHT", required = true, value_parser = weight)]
    pub weights: Vec<Weight>,
    #[command(flatten)]
    pub options: ChangeOptions,
}

#[derive(Debug, Clone, Args)]
pub struct TrafficDrain {
    #[command(flatten)]
    pub of: RuleOf,
    /// The destination that gets nothing any more; the others share it as they share the rest
    #[arg(value_name = "DEST")]
    pub destination: String,
    /// In steps of so many percent of the traffic instead of at once
    #[arg(long, value_name = "PERCENT")]
    pub step: Option<u32>,
    /// Time between two steps [default: the least that the policy allows]
    #[arg(long, value_name = "DURATION", value_parser = age, requires = "step")]
    pub every: Option<Age>,
    #[command(flatten)]
    pub options: ChangeOptions,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Example:
  skydeck traffic ramp virtualservice/ml-inference-multicloud -n ml-platform aws=20 gcp=80 --step 10 --every 60s

Each step is verified before the next. When a destination loses its readiness or Kubernetes warns of \
it, the ramp stops and goes back to the weights before it (exit code 5). Ctrl-C stops it where it is; \
`skydeck journal resume ID` goes on.")]
pub struct TrafficRamp {
    #[command(flatten)]
    pub of: RuleOf,
    /// Weights by destination, at the end
    #[arg(value_name = "DEST=WEIGHT", required = true, value_parser = weight)]
    pub weights: Vec<Weight>,
    /// Percent of the traffic that moves in one step, at most
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    pub step: u32,
    /// Time between two steps [default: the least that the policy allows]
    #[arg(long, value_name = "DURATION", value_parser = age)]
    pub every: Option<Age>,
    #[command(flatten)]
    pub options: ChangeOptions,
}

#[derive(Debug, Clone, Subcommand)]
pub enum JournalChange {
    /// Take back what a change did, as far as it is still as that left it
    Undo(JournalUndo),
    /// Go on with a change that stands still, or end it as it is
    Resume(JournalResume),
}

#[derive(Debug, Clone, Args)]
pub struct JournalUndo {
    /// Id of the change, or a beginning of it that no other has
    pub id: String,
    #[command(flatten)]
    pub options: ChangeOptions,
}

#[derive(Debug, Clone, Args)]
pub struct JournalResume {
    /// Id of the change, or a beginning of it that no other has
    pub id: String,
    /// Do nothing more: record it as it stands
    #[arg(long)]
    pub leave: bool,
    #[command(flatten)]
    pub options: ChangeOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Table,
    Json,
}

/// `aws=50`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    pub destination: String,
    pub weight: u32,
}

fn weight(text: &str) -> Result<Weight, String> {
    let wrong = || "write it as DEST=WEIGHT, for example aws=50".to_owned();
    let (destination, weight) = text.rsplit_once('=').ok_or_else(wrong)?;
    let plain = !weight.is_empty() && weight.bytes().all(|byte| byte.is_ascii_digit());
    let weight = weight.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    if destination.is_empty() {
        return Err(wrong());
    }
    Ok(Weight { destination: destination.to_owned(), weight })
}

fn rule(name: &str) -> Result<Override, String> {
    let known = || Override::ALL.map(Override::name).join(", ");
    Override::named(name).ok_or_else(|| format!("the rules that can be set aside are {}", known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_plain_numbers() {
        assert_eq!(weight("a.b=c=5"), Ok(Weight { destination: "a.b=c".into(), weight: 5 }));
        for wrong in ["aws", "=5", "aws=", "aws=+5", "aws=-1", "aws=5%", "aws=0.5", "aws=99999999999"] {
            assert!(weight(wrong).is_err(), "{wrong}");
        }
        assert!(rule("everything").unwrap_err().contains("step-size, last-destination"));
    }
}
