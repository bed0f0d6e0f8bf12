//! A hundred clusters that are lost at the same moment: the console comes back to all of them, and to none of them
//! faster than its budget allows.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use skydeck::config::Config;
use skydeck::runtime::headless::Headless;
use skydeck::sources::inventory::{self, Places};
use skydeck::state::select::clusters::rows;
use tokio::time::{Instant, timeout};

use crate::cluster::{Api, TOKEN};
use crate::day::virtually;
use crate::proxy::{Mode, Proxy};

const CLUSTERS: usize = 100;
/// P14: requests to each in any second.
const RATE: usize = 5;

/// P2: so many tenths of a second after a fault everything is as it was.
const BACK: usize = 300;

struct Fleet {
    apis: Vec<Api>,
    proxies: Vec<Proxy>,
    session: Headless,
    _folder: tempfile::TempDir,
}

impl Fleet {
    async fn start() -> Fleet {
        let apis: Vec<Api> = (0..CLUSTERS).map(|number| Api::start(&format!("c{number}"), None)).collect();
        let proxies = join_all(apis.iter().map(|api| Proxy::start(api.address))).await;
        let named = |number: usize| format!("c{number}");
        let each = |make: &dyn Fn(usize) -> serde_json::Value| (0..CLUSTERS).map(make).collect::<Vec<_>>();
        let server = |number: usize| format!("http://{}", proxies[number].address);
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": each(&|it| json!({"name": named(it), "cluster": {"server": server(it)}})),
            "users": [{"name": "u", "user": {"token": TOKEN}}],
            "contexts": each(&|it| json!({"name": named(it), "context": {"cluster": named(it), "user": "u"}})),
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        std::fs::write(&file, kubeconfig.to_string()).unwrap();
        let config = Config::parse(&folder.path().join("config.toml"), "").unwrap();
        let inventory = inventory::find(&config, &Places { kubeconfig_files: vec![file] }, &[]).unwrap();
        Fleet { apis, proxies, session: Headless::start(&config, inventory), _folder: folder }
    }

    async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while timeout(end - Instant::now(), self.session.fold()).await.is_ok() {}
        self.session.tick();
    }

    fn wires(&self, mode: Mode) {
        self.proxies.iter().for_each(|proxy| proxy.set(mode));
    }

    fn live(&self) -> usize {
        rows(&self.session.state).iter().filter(|row| row.liveness.is_live()).count()
    }

    /// Requests of each of the next tenths of a second: of all clusters, and the most of one.
    async fn tenths(&mut self, count: usize) -> Vec<Vec<usize>> {
        let mut asked = Vec::new();
        for _ in 0..count {
            self.apis.iter().for_each(|api| api.seam().forget());
            self.pass(Duration::from_millis(100)).await;
            asked.push(self.apis.iter().map(|api| api.seam().asked("/")).collect());
        }
        asked
    }
}

/// What is done to all of them at one moment.
type Act = fn(&Fleet);

/// The most requests of any second, over all clusters and for one.
fn most(asked: &[Vec<usize>]) -> (usize, usize) {
    let seconds = asked.windows(10);
    let of = |second: &[Vec<usize>], cluster: usize| second.iter().map(|tenth| tenth[cluster]).sum::<usize>();
    let all = seconds.clone().map(|second| (0..CLUSTERS).map(|it| of(second, it)).sum());
    let one = seconds.flat_map(|second| (0..CLUSTERS).map(move |it| of(second, it)));
    (all.max().unwrap_or(0), one.max().unwrap_or(0))
}

#[test]
fn a_hundred_clusters_that_were_lost_at_once_come_back_within_their_budgets() {
    virtually(1, async {
        let mut fleet = Fleet::start().await;
        fleet.pass(Duration::from_secs(65)).await;
        assert_eq!(fleet.live(), CLUSTERS);
        let quiet = fleet.tenths(50).await;
        println!("quiet: at most {:?} requests in a second, of all and of one", most(&quiet));
        let reset: Act = |fleet| fleet.apis.iter().for_each(|api| api.seam().hang_up());
        let forgotten: Act = |fleet| {
            for api in &fleet.apis {
                api.store.compact();
                api.seam().cut();
            }
        };
        let hole: Act = |fleet| fleet.wires(Mode::Swallow);
        for (what, act, lasts, back) in [
            ("every connection was reset", reset, Duration::ZERO, 150),
            ("every list is read anew", forgotten, Duration::ZERO, 150),
            ("nothing went through for a minute", hole, Duration::from_mins(1), BACK),
        ] {
            act(&fleet);
            fleet.pass(lasts).await;
            assert!(lasts.is_zero() || fleet.live() == 0, "{what}: {} look live", fleet.live());
            fleet.wires(Mode::Pass);
            let asked = fleet.tenths(back).await;
            let (all, one) = most(&asked);
            let first: Vec<usize> = asked.iter().take(20).map(|tenth| tenth.iter().sum()).collect();
            println!("{what}: at most {all} requests in a second of all, {one} of one; by tenths {first:?}");
            assert!(one <= RATE, "{what}: {one} requests in a second to one cluster");
            assert!(all < CLUSTERS * RATE, "{what}: {all} requests in a second");
            let tenth = first.iter().max().copied().unwrap_or(0);
            assert!(
                tenth <= CLUSTERS * 2,
                "{what}: {tenth} requests in a tenth of a second: they come in step"
            );
            let sum: usize = asked.iter().flatten().sum();
            assert!(sum <= CLUSTERS * (asked.len() / 10 * RATE), "{what}: {sum} requests");
            assert_eq!(fleet.live(), CLUSTERS, "{what}");
        }
    });
}
