//! Routes and endpoints through a real connection: as they are listed, and as they change.

use serde_json::{Value, json};
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Key;
use skydeck::fleet::Kind as Known;
use skydeck::state::Freshness;
use skydeck::state::select::routes::rows::rows;

use crate::cluster::{Api, Console};

fn route(weights: [i64; 2]) -> Value {
    let to = |host: &str, weight: i64| json!({"destination": {"host": host}, "weight": weight});
    json!({"metadata": {"name": "split", "namespace": "a"}, "spec": {"hosts": ["x.example.com"],
        "http": [{"route": [to("one", weights[0]), to("two", weights[1])], "timeout": "5s"}]}})
}

fn serve(api: &Api, name: &str, ready: usize) {
    api.store.put(
        Kind::Services,
        json!({"metadata": {"name": name, "namespace": "a"}, "spec": {"selector": {"app": name}}}),
    );
    let endpoints: Vec<Value> = (0..3).map(|at| json!({"conditions": {"ready": at < ready}})).collect();
    api.store.put(
        Kind::EndpointSlices,
        json!({"metadata": {"name": format!("{name}-x"), "namespace": "a", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4", "endpoints": endpoints}),
    );
}

fn told(console: &Console) -> Vec<String> {
    let rows = rows(&console.session.state);
    rows.iter()
        .map(|row| {
            let destination = row.destination().unwrap();
            let share = row.share.map_or("?".into(), |share| format!("{:.0}%", share * 100.0));
            format!("{} {share} {}/{}", destination.name(), row.ready.ready, row.ready.total)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_and_endpoints_are_listed_and_followed() {
    let api = Api::start("one", None);
    serve(&api, "one", 3);
    serve(&api, "two", 1);
    api.store.put(Kind::VirtualServices, route([60, 40]));
    let mut console = Console::of(&api);
    console.settled().await;
    assert_eq!(told(&console), ["one 60% 3/3", "two 40% 1/3"]);
    api.store.put(Kind::VirtualServices, route([25, 75]));
    serve(&api, "two", 2);
    console.until("both changed", |it| told(it) == ["one 25% 3/3", "two 75% 2/3"]).await;
    api.delete(Kind::EndpointSlices, "two-x");
    console.until("nothing stands behind it", |it| told(it) == ["one 25% 3/3", "two 75% 0/0"]).await;
    api.store.remove(Kind::VirtualServices, &Key::new("a", "split")).unwrap();
    console.until("the route is gone", |it| told(it).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_are_not_served_are_absent_and_do_not_hold_up() {
    let api = Api::start("one", None);
    let mut console = Console::of(&api);
    console.settled().await;
    let cluster = console.cluster();
    let state = &console.session.state;
    for (kind, freshness) in [
        (Known::VirtualService, Freshness::Live),
        (Known::EndpointSlice, Freshness::Live),
        (Known::Application, Freshness::Absent),
    ] {
        assert_eq!(cluster.freshness(kind, state.now, state.settings.stale_after), freshness, "{kind}");
    }
}
