//! `skydeck init`: a configuration to begin with, from the kubeconfig and from what the clusters tell.

use std::io::{Write, stdout};
use std::path::PathBuf;

use color_eyre::eyre::{Result, WrapErr, eyre};

use super::complain;
use crate::config::args::{Global, Init};
use crate::config::default_path;
use crate::effects::desk;
use crate::fleet::{Age, Clean, Unix};
use crate::runtime::headless::Headless;
use crate::runtime::reload::Setup;
use crate::sources::inventory::Member;
use crate::state::State;
use crate::state::select::clusters::{ClusterRow, rows};

/// What is not told by then is not waited for: the cluster is written down without it.
const AT_MOST: Age = Age(10);

pub async fn run(global: &Global, args: &Init, setup: Setup) -> Result<u8> {
    let place = if args.print { None } else { Some(place(global)?) };
    if let Some(place) = place.as_ref().filter(|place| place.exists() && !args.force) {
        let place = place.display();
        complain(&format!("{place} is there already: `--force` writes it anew, `--print` only shows it"));
        return Ok(1);
    }
    for reason in &setup.inventory.broken {
        complain(reason);
    }
    let contexts: Vec<_> = setup.inventory.members.iter().map(context).collect();
    let mut session = Headless::start(&setup.config, setup.inventory);
    session.settle(AT_MOST).await;
    let text = text(&session.state, &contexts, session.state.now.unix);
    match &place {
        None => stdout().write_all(text.as_bytes())?,
        Some(place) => {
            desk::replace_private(place, &text).wrap_err_with(|| place.display().to_string())?;
            writeln!(stdout(), "{}: {} clusters", place.display(), contexts.len())?;
        }
    }
    Ok(0)
}

fn place(global: &Global) -> Result<PathBuf> {
    let place = global.config.clone().or_else(default_path);
    let place = place.ok_or_else(|| eyre!("there is no home folder: name a file with --config"))?;
    // A link to a file that is kept elsewhere stays a link.
    Ok(place.canonicalize().unwrap_or(place))
}

fn context(member: &Member) -> String {
    member.target.as_ref().map(|target| target.context.clone()).unwrap_or_default()
}

/// The file: what must be said is set, what was found out is a comment beside it.
fn text(state: &State, contexts: &[String], at: Unix) -> String {
    let mut text = format!(
        "# Skydeck's configuration, written by `skydeck init` at {}. It is read again whenever it changes.\n\
         # Every key with its default: config.example.toml of the project.\n\n\
         # The name in the header.\n#fleet = \"acme-ml\"\n",
        at.rfc3339()
    );
    for (row, context) in rows(state).iter().zip(contexts) {
        text.push_str(&entry(row, context));
    }
    text
}

fn entry(row: &ClusterRow, context: &str) -> String {
    let cloud = row.cloud.as_ref().map(|cloud| Clean::new(cloud.name()));
    let known = [
        Some(row.version.clone()).filter(|version| !version.is_empty()),
        cloud.clone(),
        row.region.clone(),
        row.nodes.is_known().then(|| Clean::from(format!("{} nodes", row.nodes_total))),
        Some(row.problem.clone()).filter(|problem| !problem.is_empty()),
    ];
    let known: Vec<_> = known.iter().flatten().map(Clean::as_str).collect();
    let found = if known.is_empty() { "it has not answered" } else { &known.join(", ") };
    let key = |name: &str, value: Option<&Clean>, example: &str| {
        let remark = if value.is_some() { "" } else { " # an example" };
        format!("#{name} = {}{remark}\n", quoted(value.map_or(example, Clean::as_str)))
    };
    format!(
        "\n[[cluster]]\nname = {}\ncontext = {}\n# Found out: {found}. These would override it.\n{}{}{}#namespaces = []\n#read_only = true\n",
        quoted(&row.name),
        quoted(context),
        key("cloud", cloud.as_ref(), "aws"),
        key("region", row.region.as_ref(), "us-east-1"),
        key("environment", None, "production"),
    )
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::fleet::ClusterId;
    use crate::state::{ClusterSpec, Settings};

    #[test]
    fn what_is_written_can_be_read_whatever_the_clusters_are_called() {
        let names = ["aws-east", "with \"quotes\" and \\", "a#b\ny=1"];
        let contexts = ["arn:aws:eks:us-east-1:1:cluster/ml", "x\"y", "new\nline"].map(str::to_owned);
        let mut state = State::new(Settings::default());
        for (id, name) in names.into_iter().enumerate() {
            let region = Some(Clean::from("eu\nregion = \"elsewhere\""));
            let spec = ClusterSpec { name: name.into(), region, ..ClusterSpec::default() };
            state.add_cluster(ClusterId(id as u16), spec);
        }
        let text = text(&state, &contexts, Unix(0));
        let config = Config::parse(Path::new("config.toml"), &text)
            .unwrap_or_else(|report| panic!("{report}\n{text}"));
        let read: Vec<_> =
            config.clusters.iter().map(|it| (it.spec.name.as_str(), it.context.clone())).collect();
        let meant: Vec<_> = state.clusters().map(|it| it.spec.name.as_str()).zip(contexts).collect();
        assert_eq!(read, meant);
        assert!(config.clusters.iter().all(|it| it.spec.region.is_none()), "what was found out is a comment");
        // What is offered in comments is right too.
        let uncommented = text.replace("\n#", "\n");
        let lines = uncommented.lines().filter(|line| !line.starts_with([' ', '#']));
        let all = lines.collect::<Vec<_>>().join("\n");
        assert!(Config::parse(Path::new("config.toml"), &all).is_ok(), "{all}");
    }
}
