//! `skydeck traffic show`: the document of the Traffic panel, of some routes only.

use color_eyre::eyre::Result;

use crate::cli::status::document::traffic::{TrafficItem, table, traffic};
use crate::cli::status::{Form, exit_code, settle, write};
use crate::cli::{complain, kinds};
use crate::config::args::TrafficShow;
use crate::fleet::Kind;
use crate::runtime::headless::Headless;
use crate::runtime::reload::Setup;
use crate::state::State;
use crate::state::select::routes::ROUTE_KINDS;

pub async fn run(args: &TrafficShow, setup: Setup) -> Result<u8> {
    let wanted = match Wanted::new(args) {
        Ok(wanted) => wanted,
        Err(why) => {
            complain(&why);
            return Ok(2);
        }
    };
    let broken = setup.inventory.broken.clone();
    for reason in &broken {
        complain(reason);
    }
    let mut session = Headless::start(&setup.config, setup.inventory);
    settle(&mut session, args.timeout).await;
    if let Some(unknown) = wanted.unknown_cluster(&session.state) {
        complain(&format!("there is no cluster {unknown}"));
        return Ok(2);
    }
    let mut document = traffic(&session.state);
    document.items.retain_mut(|item| wanted.takes(item));
    document
        .clusters
        .retain(|it| wanted.clusters.is_empty() || wanted.clusters.contains(&it.name.to_string()));
    let found = !document.items.is_empty();
    let form = Form { output: args.output, one_line: false };
    write(&form.print(&document, table)?.text)?;
    if !found && let Some(name) = &wanted.name {
        complain(&format!("no route {name} is known"));
        return Ok(exit_code(&session.state, broken.is_empty()).max(1));
    }
    Ok(exit_code(&session.state, broken.is_empty()))
}

/// What was asked for.
struct Wanted {
    kind: Option<Kind>,
    name: Option<String>,
    namespace: Option<String>,
    clusters: Vec<String>,
}

impl Wanted {
    fn new(args: &TrafficShow) -> Result<Self, String> {
        let route = args.route.as_deref();
        let (kind, name) = match route.map(|it| it.split_once('/').ok_or(it)) {
            None => (None, None),
            Some(Ok((kind, name))) => (Some(kind_named(kind)?), Some(name.to_owned())),
            Some(Err(name)) => (None, Some(name.to_owned())),
        };
        Ok(Self { kind, name, namespace: args.namespace.clone(), clusters: args.clusters.clone() })
    }

    fn unknown_cluster(&self, state: &State) -> Option<&String> {
        self.clusters.iter().find(|name| state.cluster_named(name).is_none())
    }

    /// Also takes the other clusters out of it.
    fn takes(&self, item: &mut TrafficItem) -> bool {
        let wants = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|it| it == own);
        if !self.clusters.is_empty() {
            item.cells.retain(|cell| self.clusters.contains(&cell.cluster.to_string()));
        }
        self.kind.is_none_or(|kind| kind == item.kind)
            && wants(&self.name, &item.name)
            && wants(&self.namespace, &item.namespace)
            && !item.cells.is_empty()
    }
}

/// A kind of route, as kubectl takes it.
pub fn kind_named(name: &str) -> Result<Kind, String> {
    kinds::named(name, &ROUTE_KINDS, "route")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_as_kubectl_takes_them() {
        for (name, kind) in [
            ("vs", Kind::VirtualService),
            ("VirtualServices", Kind::VirtualService),
            ("httproute", Kind::HttpRoute),
            ("grpcroutes", Kind::GrpcRoute),
            ("DNSEndpoint", Kind::DnsEndpoint),
        ] {
            assert_eq!(kind_named(name), Ok(kind));
        }
        assert!(kind_named("deploy").unwrap_err().contains("virtualservice, httproute"));
    }
}
