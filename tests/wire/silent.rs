//! A hundred clusters of which thirty swallow every packet. In virtual time it can be seen to the millisecond whether
//! anybody waits for them: neither the others nor whoever draws.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use skydeck::config::Config;
use skydeck::panels::PanelId;
use skydeck::runtime::unattended::Unattended;
use skydeck::sources::inventory::{self, Places};
use skydeck::state::select::clusters::rows;
use tokio::time::Instant;

use crate::cluster::{Api, TOKEN};
use crate::day::virtually;
use crate::proxy::{Mode, Proxy};
use crate::unattended::unattended;

const HEALTHY: usize = 70;
const SILENT: usize = 30;
/// Looked so often when something is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// Changes in every healthy cluster, one after the other; meanwhile the silent ones are given up and asked again.
const CHANGES: u32 = 4;
const BETWEEN: Duration = Duration::from_secs(13);
/// A watch that is being made anew tells a little later; whoever waits for a silent server waits ten seconds.
const A_WATCH_LATER: Duration = Duration::from_secs(2);

struct Fleet {
    apis: Vec<Api>,
    _proxies: Vec<Proxy>,
    console: Unattended,
    began: Instant,
    /// So long it has lived.
    lived: Duration,
}

/// When something was seen of each healthy cluster, since the console began or the change happened.
type Seen = BTreeMap<String, Duration>;

impl Fleet {
    /// The silent ones come first, as rows and as tasks.
    async fn start(silent: usize) -> Fleet {
        let apis: Vec<Api> = (0..HEALTHY).map(|number| Api::start(&format!("c{number}"), None)).collect();
        let mut proxies = Vec::new();
        let mut servers = Vec::new();
        for number in 0..silent {
            let proxy = Proxy::start(apis[0].address).await;
            proxy.set(Mode::Swallow);
            servers.push((format!("silent{number}"), proxy.address));
            proxies.push(proxy);
        }
        servers.extend(apis.iter().map(|api| (api.uid.clone(), api.address)));
        let each = |make: &dyn Fn(&str, String) -> serde_json::Value| {
            servers.iter().map(|(name, address)| make(name, format!("http://{address}"))).collect::<Vec<_>>()
        };
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": each(&|name, server| json!({"name": name, "cluster": {"server": server}})),
            "users": [{"name": "u", "user": {"token": TOKEN}}],
            "contexts": each(&|name, _| json!({"name": name, "context": {"cluster": name, "user": "u"}})),
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        std::fs::write(&file, kubeconfig.to_string()).unwrap();
        let config = Config::parse(&folder.path().join("config.toml"), "").unwrap();
        let inventory = inventory::find(&config, &Places { kubeconfig_files: vec![file] }, &[]).unwrap();
        let began = Instant::now();
        let mut console = unattended(&config, inventory, None);
        console.app.go_to(PanelId::Clusters);
        Fleet { apis, _proxies: proxies, console, began, lived: Duration::ZERO }
    }

    async fn pass(&mut self, time: Duration) {
        self.console.live(time).await;
        self.lived += time;
        // Whoever draws waits for nothing but its time: the virtual clock would have gone on.
        assert_eq!(self.began.elapsed(), self.lived, "the drawing side waited");
    }

    /// Looks until something is so of every healthy cluster.
    async fn seen(&mut self, what: &str, so: impl Fn(&Fleet, &Api) -> bool) -> Seen {
        let (mut took, mut seen) = (Duration::ZERO, Seen::new());
        while seen.len() < HEALTHY {
            self.pass(LOOK).await;
            took += LOOK;
            let now = self.apis.iter().filter(|api| !seen.contains_key(&api.uid) && so(self, api));
            let now: Vec<_> = now.map(|api| api.uid.clone()).collect();
            seen.extend(now.into_iter().map(|uid| (uid, took)));
            assert!(took < Duration::from_mins(1), "{what}: only in {} of {HEALTHY}", seen.len());
        }
        seen
    }

    /// From the first moment on: when each healthy cluster was live, and when each of many changes was seen.
    async fn story(&mut self) -> Vec<Seen> {
        let is_live = |fleet: &Fleet, api: &Api| {
            rows(&fleet.console.app.state).iter().any(|row| *row.name == *api.uid && row.liveness.is_live())
        };
        let mut story = vec![self.seen("live", is_live).await];
        for change in 1..=CHANGES {
            self.pass(BETWEEN).await;
            self.apis.iter().for_each(|api| api.deployment("d", change));
            let is_seen = |fleet: &Fleet, api: &Api| {
                let cluster = fleet.console.app.state.cluster_named(&api.uid).unwrap();
                cluster.objects.workloads.values().any(|it| it.desired == change)
            };
            story.push(self.seen("a change", is_seen).await);
        }
        story
    }
}

#[test]
fn the_others_are_as_fast_as_without_them_and_nobody_who_draws_waits() {
    virtually(1, async {
        let mut without = Fleet::start(0).await;
        let before = without.story().await;
        drop(without);
        let mut with = Fleet::start(SILENT).await;
        let after = with.story().await;
        let longest = |seen: &Seen| seen.values().max().copied().unwrap_or_default();
        let all = |story: &[Seen]| story.iter().map(longest).collect::<Vec<_>>();
        println!("without: {:?}\nwith:    {:?}", all(&before), all(&after));
        assert_eq!(before[0], after[0], "live at the same moment");
        assert!(longest(&after[0]) < Duration::from_secs(1), "live within {:?}", longest(&after[0]));
        let middle = |seen: &Seen| {
            let mut all: Vec<_> = seen.values().copied().collect();
            all.sort_unstable();
            all[HEALTHY / 2]
        };
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(middle(before), middle(after), "most see a change at the same moment");
            assert!(longest(after) <= A_WATCH_LATER, "a change is seen after {:?}", longest(after));
        }
        // The silent ones are told, and nothing is invented of them.
        let rows = rows(&with.console.app.state);
        assert_eq!(
            (rows.len(), rows.iter().filter(|row| row.liveness.is_live()).count()),
            (HEALTHY + SILENT, HEALTHY)
        );
        let silent = rows.iter().filter(|row| row.problem.contains("no answer within 10s")).count();
        assert_eq!(silent, SILENT);
    });
}
