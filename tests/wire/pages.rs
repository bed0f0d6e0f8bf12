//! Lists that come in pages: whole or not at all, whatever happens between two pages.

use std::sync::Arc;
use std::time::Duration;

use skydeck::demo::api::{Failure, Which};
use skydeck::demo::resource::Kind;

use crate::cluster::{Api, Console};

const MANY: usize = 600;

/// What happens before the second page of the list that follows.
type Between = fn(&Api);

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_whole_whatever_happens_between_its_pages() {
    let rows: [(&str, Between); 3] = [
        ("its history is gone", |api| {
            let store = Arc::clone(&api.store);
            api.seam().before(Which::any().at("continue="), move || store.compact());
        }),
        ("an error", |api| api.seam().fail("continue=", 1, Failure::Status(500))),
        ("an answer that is cut", |api| api.seam().fail("continue=", 1, Failure::Cut)),
    ];
    for (what, between) in rows {
        let api = Api::start("one", None);
        api.seam().only_json(true);
        (0..MANY).for_each(|number| api.deployment(&format!("service-{number}"), 1));
        let mut console = Console::of(&api);
        console.settled().await;
        api.unheard(|| {
            api.delete(Kind::Deployments, "service-7");
            api.deployment("new", 1);
            between(&api);
        });
        api.seam().forget();
        console
            .until(what, |it| {
                let known = it.cluster().objects.workloads.len();
                assert!((MANY..=MANY + 1).contains(&known), "{what}: half a list, {known}");
                it.equals(&api)
            })
            .await;
        let pages = api.seam().record(&Which::any().at("/deployments?limit=500"));
        assert!(pages.iter().any(|it| it.query.contains("continue=")), "{what}: it came whole: {pages:?}");
        console.for_a_while(Duration::from_secs(1)).await;
        assert!(pages.len() < 10, "{what}: {} requests", pages.len());
    }
}
