//! A kubeconfig that is edited while it is watched: by `kubens`, `kubectx`, whoever renews a token, and whoever moves a
//! cluster elsewhere. What is known of a cluster stays as long as it is that cluster, and no other's is mixed with it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use skydeck::config::Config;
use skydeck::demo::api::Failure;
use skydeck::fleet::Clean;
use skydeck::runtime::headless::Headless;
use skydeck::sources::inventory::{self, Inventory, Places};
use skydeck::state::select::clusters::{Liveness, rows};
use tokio::time::{Instant, timeout};

use crate::cluster::{Api, TOKEN};
use crate::day::virtually;
use crate::proxy::Proxy;

/// A console and the kubeconfig that it reads.
struct Desk {
    folder: tempfile::TempDir,
    kubeconfig: Value,
    config: Config,
    console: Headless,
}

impl Desk {
    /// Two contexts, `view` and `admin`, that lead to one server.
    fn at(address: SocketAddr) -> Desk {
        Desk::configured(address, "")
    }

    fn configured(address: SocketAddr, text: &str) -> Desk {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "view",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "v", "user": {"token": TOKEN}}, {"name": "a", "user": {"token": TOKEN}}],
            "contexts": [
                {"name": "view", "context": {"cluster": "c", "user": "v", "namespace": "a"}},
                {"name": "admin", "context": {"cluster": "c", "user": "a"}},
            ],
        });
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse(&folder.path().join("config.toml"), text).unwrap();
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
        let console = Headless::start(&config, found(&folder, &config));
        Desk { folder, kubeconfig, config, console }
    }

    /// The file is written anew and read again; what the operator is told of it.
    fn edit(&mut self, edit: impl FnOnce(&mut Value)) -> String {
        edit(&mut self.kubeconfig);
        std::fs::write(self.folder.path().join("kubeconfig"), self.kubeconfig.to_string()).unwrap();
        let inventory = found(&self.folder, &self.config);
        self.console.session.rewatch(&self.config, inventory, &mut self.console.state).to_string()
    }

    /// The account has another token from now on, in a file.
    fn renew_token(&mut self) {
        std::fs::write(self.folder.path().join("token"), TOKEN).unwrap();
        self.edit(|it| it["users"][0]["user"] = json!({"tokenFile": "token"}));
    }

    /// Time goes by; every look is checked.
    async fn pass(&mut self, seconds: u64, check: impl Fn(&Desk)) {
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end {
            let _ = timeout(Duration::from_secs(1), self.console.fold()).await;
            self.console.tick();
            check(self);
        }
    }

    /// Number, name and liveness of the only cluster, and the names of its workloads.
    fn shown(&self) -> (u16, String, Liveness, BTreeSet<String>) {
        let mut rows = rows(&self.console.state);
        assert_eq!(rows.len(), 1);
        let row = rows.remove(0);
        let cluster = self.console.state.clusters().next().unwrap();
        let names = cluster.objects.workloads.values().map(|it| it.key.name.to_string());
        (cluster.id.0, cluster.spec.name.to_string(), row.liveness, names.collect())
    }

    fn namespaces_read(&self) -> String {
        let cluster = self.console.state.clusters().next().unwrap();
        cluster.namespaces_read.iter().map(Clean::as_str).collect::<Vec<_>>().join(" ")
    }

    fn context(&self) -> String {
        let cluster = self.console.state.clusters().next().unwrap();
        cluster.connection.as_ref().unwrap().context.to_string()
    }
}

fn found(folder: &tempfile::TempDir, config: &Config) -> Inventory {
    let places = Places { kubeconfig_files: vec![folder.path().join("kubeconfig")] };
    inventory::find(config, &places, &[]).unwrap()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

fn live(name: &str, workloads: &[&str]) -> (u16, String, Liveness, BTreeSet<String>) {
    (0, name.to_owned(), Liveness::Live, names(workloads))
}

/// A cluster that is live, and whoever looks at it.
async fn watched() -> (Api, Desk) {
    let api = Api::start("one", None);
    api.deployment("web", 3);
    let mut desk = Desk::at(api.address);
    desk.pass(20, |_| {}).await;
    assert_eq!(desk.shown(), live("view", &["web"]));
    (api, desk)
}

#[test]
fn another_namespace_or_another_current_context_disturbs_nothing() {
    virtually(1, async {
        let (api, mut desk) = watched().await;
        api.seam().forget();
        let namespace = |it: &mut Value| it["contexts"][0]["context"]["namespace"] = "team".into();
        assert_eq!(desk.edit(namespace), "", "kubens");
        desk.pass(5, |desk| assert_eq!(desk.shown(), live("view", &["web"]))).await;
        assert_eq!(desk.edit(|it| it["current-context"] = "admin".into()), "", "kubectx");
        desk.pass(5, |desk| assert_eq!(desk.shown(), live("view", &["web"]))).await;
        assert_eq!(desk.context(), "view", "the account is the one that was asked for");
        assert_eq!(desk.edit(|it| it["contexts"].as_array_mut().unwrap().reverse()), "", "in another order");
        desk.pass(5, |desk| assert_eq!(desk.shown(), live("view", &["web"]))).await;
        assert_eq!(api.seam().asked("resourceVersion=0"), 0, "nothing is listed anew");
        // What goes on is heard.
        api.deployment("more", 1);
        desk.pass(2, |_| {}).await;
        assert_eq!(desk.shown(), live("view", &["more", "web"]));
        // The context in use goes; the other leads there too.
        let removed =
            |it: &mut Value| it["contexts"].as_array_mut().unwrap().retain(|it| it["name"] == "admin");
        assert_eq!(desk.edit(removed), ": 1 cluster connected anew");
        desk.pass(20, |desk| assert_eq!(desk.shown().3, names(&["more", "web"]))).await;
        assert_eq!((desk.shown(), desk.context()), (live("admin", &["more", "web"]), "admin".into()));
    });
}

#[test]
fn a_credential_that_is_renewed_on_disk_takes_no_row_away() {
    virtually(1, async {
        let (api, mut desk) = watched().await;
        let token =
            |token: &'static str| move |it: &mut Value| it["users"][0]["user"]["token"] = token.into();
        let kept = |desk: &Desk| {
            let (id, _, _, workloads) = desk.shown();
            assert_eq!((id, workloads), (0, names(&["web"])));
        };
        assert_eq!(desk.edit(token("expired")), ": 1 cluster connected anew");
        desk.pass(90, kept).await;
        let row = rows(&desk.console.state).remove(0);
        assert!(
            row.liveness != Liveness::Live && row.problem.contains("401"),
            "{:?} {}",
            row.liveness,
            row.problem
        );
        assert_eq!(desk.edit(token(TOKEN)), ": 1 cluster connected anew");
        desk.pass(20, kept).await;
        assert_eq!(desk.shown(), live("view", &["web"]));
        // The next one is as good as the last: nobody sees more than a moment of it.
        desk.renew_token();
        desk.pass(10, kept).await;
        assert_eq!(desk.shown(), live("view", &["web"]));
        api.deployment("more", 1);
        desk.pass(2, |_| {}).await;
        assert_eq!(desk.shown(), live("view", &["more", "web"]));
        // Half of an edit changes nothing.
        assert_eq!(
            desk.edit(|it| it["users"][0]["user"] = json!({"exec": {"command": ""}})),
            ": 1 cluster connected anew"
        );
        desk.pass(10, |desk| assert_eq!(desk.shown().3, names(&["more", "web"]))).await;
        desk.edit(token(TOKEN));
        desk.edit(|it| it["users"][0]["user"] = json!({"token": TOKEN}));
        desk.pass(30, |_| {}).await;
        assert_eq!(desk.shown(), live("view", &["more", "web"]));
    });
}

/// The account and the cluster at the address change at one moment.
#[test]
fn another_cluster_that_answers_the_new_account_is_not_mixed_with_the_old() {
    virtually(1, async {
        let (one, other) = (Api::start("one", None), Api::start("other", None));
        one.deployment("of-one", 1);
        other.deployment("of-other", 1);
        let proxy = Proxy::start(one.address).await;
        let mut desk = Desk::at(proxy.address);
        desk.pass(20, |_| {}).await;
        proxy.lead_to(other.address);
        desk.edit(|it| it["clusters"][0]["cluster"]["disable-compression"] = true.into());
        desk.pass(30, |desk| assert!(desk.shown().3.len() < 2, "mixed: {:?}", desk.shown())).await;
        assert_eq!(desk.shown(), live("view", &["of-other"]));
        assert!(desk.console.state.clusters().next().unwrap().replaced.is_some());
        // An account that may not ask who it is: nothing says that it is the same, and nothing is kept.
        other.seam().fail("/namespaces/kube-system", usize::MAX, Failure::Status(403));
        desk.renew_token();
        proxy.lead_to(one.address);
        one.seam().fail("/namespaces/kube-system", usize::MAX, Failure::Status(403));
        desk.pass(30, |desk| assert!(desk.shown().3.len() < 2, "mixed: {:?}", desk.shown())).await;
        assert_eq!(desk.shown(), live("view", &["of-one"]));
    });
}

#[test]
fn another_address_is_another_cluster() {
    virtually(1, async {
        let (one, other) = (Api::start("one", None), Api::start("other", None));
        one.deployment("of-one", 1);
        other.deployment("of-other", 1);
        let mut desk = Desk::at(one.address);
        desk.pass(20, |_| {}).await;
        let moved = |it: &mut Value| {
            it["clusters"][0]["cluster"]["server"] = format!("http://{}", other.address).into();
        };
        assert_eq!(desk.edit(moved), ": 1 cluster added, 1 removed");
        assert!(desk.shown().3.is_empty(), "nothing of the one before");
        desk.pass(20, |_| {}).await;
        let (id, _, liveness, workloads) = desk.shown();
        assert_eq!((id, liveness, workloads), (1, Liveness::Live, names(&["of-other"])));
    });
}

#[test]
fn an_account_of_one_namespace_follows_the_namespace_that_is_at_hand() {
    virtually(1, async {
        let api = Api::start("one", None);
        api.deployment("web", 3);
        let denied = |api: &Api| {
            for part in ["/api/v1/pods?", "/apis/apps/v1/deployments?"] {
                api.seam().fail(part, usize::MAX, Failure::Status(403));
            }
        };
        denied(&api);
        let mut desk = Desk::at(api.address);
        desk.pass(30, |_| {}).await;
        assert_eq!((desk.namespaces_read().as_str(), desk.shown().3), ("a", names(&["web"])));
        let namespace = |name: &'static str| {
            move |it: &mut Value| it["contexts"][0]["context"]["namespace"] = name.into()
        };
        assert_eq!(desk.edit(namespace("b")), "");
        desk.pass(10, |_| {}).await;
        assert_eq!(
            (desk.namespaces_read().as_str(), desk.shown().3),
            ("b", names(&[])),
            "what is read is told"
        );
        desk.edit(namespace("a"));
        desk.pass(20, |_| {}).await;
        assert_eq!((desk.namespaces_read().as_str(), desk.shown().3), ("a", names(&["web"])));
        // A new token of the same account: its rows stay.
        desk.renew_token();
        desk.pass(20, |desk| assert_eq!(desk.shown().3, names(&["web"]))).await;
        assert_eq!(desk.namespaces_read(), "a");
        // One that may read everything.
        api.seam().mend();
        desk.edit(|it| it["users"][0]["user"] = json!({"token": TOKEN}));
        desk.pass(40, |_| {}).await;
        assert_eq!((desk.namespaces_read().as_str(), desk.shown()), ("", live("view", &["web"])));
    });
}

/// No namespace was named when the account was denied.
#[test]
fn a_namespace_that_is_named_later_is_read_at_once() {
    virtually(1, async {
        let api = Api::start("one", None);
        api.deployment("web", 3);
        for part in ["/api/v1/pods?", "/apis/apps/v1/deployments?"] {
            api.seam().fail(part, usize::MAX, Failure::Status(403));
        }
        let mut desk = Desk::configured(api.address, "[[cluster]]\nname='own'\ncontext='admin'");
        desk.pass(20, |_| {}).await;
        assert_eq!((desk.namespaces_read().as_str(), desk.shown().3), ("", names(&[])));
        desk.edit(|it| it["contexts"][1]["context"]["namespace"] = "a".into());
        desk.pass(10, |_| {}).await;
        assert_eq!((desk.namespaces_read().as_str(), desk.shown().3), ("a", names(&["web"])));
    });
}

/// Namespaces that are configured stay those, whoever reads them.
#[test]
fn configured_namespaces_are_kept_by_a_new_credential() {
    virtually(1, async {
        let api = Api::start("one", None);
        api.deployment("web", 3);
        let mut desk =
            Desk::configured(api.address, "[[cluster]]\nname='own'\ncontext='view'\nnamespaces=['a']");
        desk.pass(20, |_| {}).await;
        let read = (0, "own".to_owned(), Liveness::Partial, names(&["web"]));
        assert_eq!((desk.namespaces_read().as_str(), desk.shown()), ("a", read.clone()));
        desk.renew_token();
        desk.pass(20, |desk| assert_eq!(desk.shown().3, names(&["web"]))).await;
        assert_eq!((desk.namespaces_read().as_str(), desk.shown()), ("a", read.clone()));
    });
}

/// P14: whoever writes the kubeconfig again and again does not make the console ask more.
#[test]
fn a_kubeconfig_that_is_rewritten_ten_times_a_minute_stays_within_the_budget_of_its_server() {
    virtually(1, async {
        let api = Api::start("one", None);
        api.deployment("web", 3);
        let mut desk = Desk::at(api.address);
        std::fs::write(desk.folder.path().join("token"), TOKEN).unwrap();
        desk.pass(90, |_| {}).await;
        let mut asked = Vec::new();
        for second in 0..90 {
            if second % 6 == 0 && second < 60 {
                let user = [json!({"tokenFile": "token"}), json!({"token": TOKEN})];
                desk.edit(|it| it["users"][0]["user"] = user[second / 6 % 2].clone());
            }
            api.seam().forget();
            desk.pass(1, |_| {}).await;
            asked.push(api.seam().asked("/"));
        }
        let most = |seconds: usize| asked.windows(seconds).map(|it| it.iter().sum::<usize>()).max().unwrap();
        println!("at most {} in a second, {} in ten, {} in a minute", most(1), most(10), most(60));
        for seconds in [1, 10, 60] {
            assert!(most(seconds) <= 5 * seconds + 10, "{} in {seconds} s: {asked:?}", most(seconds));
        }
        desk.pass(60, |_| {}).await;
        assert_eq!(desk.shown(), live("view", &["web"]));
    });
}
