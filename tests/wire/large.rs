//! Objects and answers that are larger than anybody expects: one is passed over and told, and no other is lost.

use serde_json::json;
use skydeck::demo::resource::Kind;

use crate::cluster::{Api, Console, deployment};

const MEBIBYTE: usize = 1 << 20;
const TOLD: &str = "1 object not understood among those of kind Deployment";

fn put(api: &Api, name: &str, annotation: usize) {
    let mut object = deployment(name, &json!(1));
    object["metadata"]["annotations"] = json!({"note": "x".repeat(annotation)});
    api.store.put(Kind::Deployments, object);
}

fn is_told(console: &Console) -> bool {
    console.causes().iter().any(|cause| cause.contains(TOLD))
}

fn shown(console: &Console) -> usize {
    console.cluster().objects.workloads.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_that_is_too_large_is_told_and_hurts_no_other() {
    for only_json in [false, true] {
        let api = Api::start("one", None);
        api.seam().only_json(only_json);
        (0..5).for_each(|number| api.deployment(&format!("service-{number}"), 1));
        put(&api, "large", 70 * MEBIBYTE);
        let mut console = Console::of(&api);
        console.until("the others are here", |it| shown(it) == 5 && it.liveness().is_live()).await;
        assert!(is_told(&console), "JSON: {only_json}: {:?}", console.causes());
        api.deployment("service-5", 1);
        console.until("the others are watched", |it| shown(it) == 6).await;
        put(&api, "large", 10);
        console.until("it is small", |it| it.equals(&api)).await;
        // In a watch it takes the place of what was known; a little too large is enough.
        put(&api, "large", 9 * MEBIBYTE);
        console.until("it is not shown as it was", |it| shown(it) == 6 && is_told(it)).await;
        api.delete(Kind::Deployments, "large");
        console.until("it is gone", |it| it.equals(&api)).await;
    }
}

/// Objects of 140 KiB are large and nothing special.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_objects_is_read_whole() {
    let api = Api::start("one", None);
    api.seam().only_json(true);
    (0..500).for_each(|number| put(&api, &format!("service-{number}"), MEBIBYTE / 7));
    let mut console = Console::of(&api);
    console.until("all of the page", |it| it.equals(&api)).await;
    assert_eq!(shown(&console), 500);
}
