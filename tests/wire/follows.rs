//! What changes on a server changes here, also when its history is gone and its streams break.

use serde_json::json;
use skydeck::demo::api::{Failure, Mangled, Which};
use skydeck::demo::resource::Kind;

use crate::cluster::{Api, Console, deployment};

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_on_the_server_changes_here() {
    let api = Api::start("one", None);
    api.deployment("serving", 3);
    let mut console = Console::of(&api);
    console.settled().await;
    assert!(console.equals(&api));
    api.deployment("more", 2);
    api.deployment("serving", 5);
    api.store.put(Kind::Nodes, json!({"metadata": {"name": "node-1"}}));
    console.until("created and changed", |it| it.equals(&api)).await;
    api.delete(Kind::Deployments, "serving");
    console.until("deleted", |it| it.equals(&api)).await;
    assert_eq!(console.cluster().objects.workloads.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_is_gone_leads_to_one_new_list_in_both_forms() {
    for (as_http, only_json) in [(false, false), (true, false), (false, true), (true, true)] {
        let api = Api::start("one", None);
        api.seam().only_json(only_json);
        api.server.answer_expired_watches_with_http_410(as_http);
        for count in 0..40 {
            api.deployment(&format!("service-{count}"), 1);
        }
        let mut console = Console::of(&api);
        console.settled().await;
        api.unheard(|| {
            api.delete(Kind::Deployments, "service-7");
            api.deployment("new", 1);
        });
        api.seam().forget();
        console
            .until("the list was read anew", |it| {
                let known = it.cluster().objects.workloads.len();
                assert!(known >= 39, "a new list replaces the old at once: {known}");
                it.equals(&api)
            })
            .await;
        let asked = api.seam().asked("/deployments?");
        assert!((2..6).contains(&asked), "a watch that is refused, a list, a watch: {asked}");
        let of_a_version = api.seam().record(&Which::any().at("resourceVersion="));
        let mut lists = of_a_version.iter().filter(|it| !it.query.contains("watch=1")).peekable();
        assert!(lists.peek().is_some(), "nothing was listed");
        assert!(
            lists.all(|it| it.query.contains("resourceVersionMatch=NotOlderThan")),
            "a list of just that version is asked for: {of_a_version:?}"
        );
    }
}

/// A server that speaks JSON gives a list in pages, which are one list.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_several_pages_is_one_list() {
    const MANY: usize = 1_200;
    let api = Api::start("one", None);
    api.seam().only_json(true);
    let name = |count: usize| format!("service-{count:04}");
    for count in 0..MANY {
        api.deployment(&name(count), 1);
    }
    let mut console = Console::of(&api);
    console.settled().await;
    assert!(console.equals(&api), "{} of {MANY}", console.cluster().objects.workloads.len());
    // Listed anew: what has gone from every page is gone, and nothing else is missing meanwhile.
    api.unheard(|| {
        for count in [7, 607, 1_107] {
            api.delete(Kind::Deployments, &name(count));
        }
    });
    api.seam().forget();
    console
        .until("the pages were read anew", |it| {
            let known = it.cluster().objects.workloads.len();
            assert!(known >= MANY - 3, "{known} of {MANY}");
            it.equals(&api)
        })
        .await;
    assert_eq!(api.seam().asked("/deployments?limit=500&continue="), 2, "each page once");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_break_are_opened_again_where_they_were() {
    let api = Api::start("one", None);
    api.deployment("serving", 0);
    let mut console = Console::of(&api);
    console.settled().await;
    for round in 1..=4 {
        api.seam().cut();
        api.deployment("serving", round);
        console.until("what was missed is here", |it| it.equals(&api)).await;
    }
    let relists: u32 = console.cluster().sources.values().map(|source| source.relists).sum();
    assert_eq!(relists, 0, "a watch goes on where it was; nothing was listed again");
}

/// Some servers tell of what is deleted with the version that it had last. No watch goes back there: it would be told
/// once more of all that was changed and deleted since.
#[tokio::test(flavor = "multi_thread")]
async fn a_delete_of_an_old_version_turns_no_watch_back() {
    for only_json in [false, true] {
        let api = Api::start("one", None);
        api.seam().only_json(only_json);
        api.server.tell_deletes_with_old_versions(true);
        api.seam().fail("watch=", usize::MAX, Failure::Body(Mangled::Without("BOOKMARK")));
        api.deployment("old", 1);
        api.age(50);
        api.deployment("kept", 1);
        let mut console = Console::of(&api);
        console.settled().await;
        api.deployment("kept", 2);
        console.until("changed", |it| it.equals(&api)).await;
        let reached = api.store.version();
        api.delete(Kind::Deployments, "old");
        console.until("deleted", |it| it.equals(&api)).await;
        api.seam().forget();
        api.seam().cut();
        api.deployment("kept", 3);
        console.until("changed again", |it| it.equals(&api)).await;
        let asked = api.seam().record(&Which::any().at("/deployments?watch=1"));
        let from = asked.iter().map(|it| {
            let version = it.query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion="));
            version.unwrap().parse::<u64>().unwrap()
        });
        assert!(!asked.is_empty() && from.min() >= Some(reached), "not from {reached} on: {asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_understood_hurts_no_other_and_is_told() {
    for only_json in [false, true] {
        cannot_be_understood(only_json).await;
    }
}

async fn cannot_be_understood(only_json: bool) {
    let api = Api::start("one", None);
    api.seam().only_json(only_json);
    api.deployment("serving", 3);
    api.store.put(Kind::Deployments, deployment("odd", &json!("three")));
    let mut console = Console::of(&api);
    console.settled().await;
    assert_eq!(console.cluster().objects.workloads.len(), 1);
    assert!(console.causes().iter().any(|cause| cause.contains("odd")), "{:?}", console.causes());
    // The same in a watch; and what is mended is no finding any more.
    api.deployment("odd", 2);
    api.store.put(Kind::Deployments, deployment("worse", &json!({"of": "the wrong type"})));
    console
        .until("the one is here, the other told", |it| {
            let told = it.causes().join("; ");
            it.cluster().objects.workloads.len() == 2 && told.contains("a/worse") && !told.contains("a/odd")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_at_the_same_address_is_never_mixed_with_the_one_before() {
    let first = Api::start("one", None);
    first.deployment("of-the-first", 3);
    first.deployment("same-name", 1);
    let mut console = Console::of(&first);
    console.settled().await;
    let address = first.end().await;
    let second = Api::start("two", Some(address));
    second.deployment("same-name", 9);
    console
        .until("only the second is shown", |it| {
            let replicas =
                it.cluster().objects.workloads.values().map(|it| (it.key.name.to_string(), it.desired));
            let replicas: Vec<_> = replicas.collect();
            assert!(
                !replicas.contains(&("same-name".into(), 9)) || replicas.len() == 1,
                "both clusters at once: {replicas:?}"
            );
            it.equals(&second)
        })
        .await;
    assert!(
        console.causes().iter().any(|cause| cause.contains("a different cluster answers")),
        "{:?}",
        console.causes()
    );
}
