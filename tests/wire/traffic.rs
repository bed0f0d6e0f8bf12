//! The verbs of traffic as they are called: weights there and back, steps, a way back when a destination falls away, and
//! what is refused before anything is sent.

use std::sync::Arc;

use serde_json::{Value, json};
use skydeck::demo::Standalone;
use skydeck::demo::api::Which;
use skydeck::demo::resource::Kind;
use skydeck::demo::store::Key;

use crate::gate::bed::{endpoints, furnish};
use crate::verbs::{Bed, id};

/// Two clusters with `a/split`, whose first rule sends 60 to `web` and 40 to `api`.
fn bed(config: &str) -> Bed {
    let names = ["one", "two"];
    let clusters = names.map(|name| {
        let cluster = Standalone::start(&format!("uid-of-{name}")).unwrap();
        furnish(cluster.store());
        cluster
    });
    Bed::of(&names, clusters.into(), config)
}

fn split(cluster: &Standalone) -> Value {
    cluster.store().get(Kind::VirtualServices, &Key::new("a", "split")).unwrap().value().clone()
}

fn weights(bed: &Bed) -> Vec<[u64; 2]> {
    let of = |cluster: &Standalone| {
        let rule = split(cluster)["spec"]["http"][0]["route"].clone();
        [0, 1].map(|at| rule[at]["weight"].as_u64().unwrap())
    };
    bed.clusters.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_go_to_every_cluster_that_holds_the_route_and_back() {
    let bed = bed("");
    let ran = bed.run("traffic show split -n a").await;
    ran.is(0);
    assert!(ran.out.contains("web") && ran.out.contains("60") && ran.out.contains("40"), "{}", ran.out);
    let before: Vec<_> = bed.clusters.iter().map(|it| split(it)["spec"].clone()).collect();
    let ran = bed.run("traffic set vs/split -n a web=50 api=50 --yes --reason drill -o json").await;
    ran.is(0);
    let document = ran.document();
    assert_eq!((&document["outcome"], document["steps"].as_array().unwrap().len()), (&json!("done"), 2));
    for (cluster, before) in bed.clusters.iter().zip(&before) {
        let mut wanted = before.clone();
        wanted["http"][0]["route"][0]["weight"] = 50.into();
        wanted["http"][0]["route"][1]["weight"] = 50.into();
        assert_eq!(split(cluster)["spec"], wanted, "two weights and nothing else");
    }
    bed.run("traffic set vs/split -n a web=50 api=50 --yes").await.is(0);
    bed.run(&format!("journal undo {} --yes", id(&document))).await.is(0);
    for (cluster, before) in bed.clusters.iter().zip(&before) {
        assert_eq!(split(cluster)["spec"], *before);
    }
    assert!(bed.journal().contains("drill"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_clear_is_2_and_what_is_not_safe_1() {
    let bed = bed("");
    for (line, code, words) in [
        ("traffic set split -n a --rule 1 z=50 --yes", 1, "no destination fits `z`"),
        ("traffic set split -n a --rule 7 web=50 --yes", 1, "there is no rule 7"),
        ("traffic set split -n a --rule 1 web=many --yes", 2, "many"),
        ("traffic set nothing -n a --rule 1 web=50 --yes", 1, "nothing"),
        ("traffic set split -n a --rule 1 web=90 api=10 --yes", 1, "step-size"),
        ("traffic set split -n a --rule 1 web=0 api=0 --yes", 1, "0"),
        ("traffic drain split web --rule 1 -n a --yes --override step-size", 1, "--confirm"),
    ] {
        let ran = bed.run(line).await;
        let said = format!("{line}\n{}\n{}", ran.out, ran.err);
        assert_eq!(ran.code, code, "{said}");
        assert!(said.split_once('\n').unwrap().1.contains(words), "{said}");
    }
    assert_eq!(weights(&bed), [[60, 40]; 2]);
    for cluster in &bed.clusters {
        assert_eq!(cluster.seam().count(&Which::write()), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ramp_goes_in_steps_and_one_request_each() {
    let bed = bed("step_every = \"1s\"\n");
    let ran = bed.run("traffic ramp split -n a --rule 1 web=40 api=60 --step 10 --yes -o json").await;
    ran.is(0);
    let document = ran.document();
    let done = id(&document);
    let to: Vec<_> = document["steps"].as_array().unwrap().iter().map(|it| it["after"].clone()).collect();
    assert_eq!(to.len(), 4, "{to:?}");
    assert_eq!(weights(&bed), [[40, 60]; 2]);
    for step in 1..=4 {
        let sent: usize = bed
            .clusters
            .iter()
            .map(|it| it.seam().count(&Which::write().of_change(&format!("{done}-{step}"))))
            .sum();
        assert_eq!(sent, 1, "step {step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ramp_whose_destination_falls_away_goes_back_and_says_why() {
    let bed = bed("step_every = \"4s\"\n");
    let stores: Vec<_> = bed.clusters.iter().map(|it| Arc::clone(it.store())).collect();
    // Behind the last write of the first stage nothing stands ready any more.
    bed.clusters[1].seam().after(Which::write().at("/virtualservices/split"), move || {
        for store in &stores {
            store.put(Kind::EndpointSlices, endpoints("api", 0));
        }
    });
    let ran = bed.run("traffic ramp split -n a --rule 1 web=40 api=60 --step 10 --yes -o json").await;
    ran.is(5);
    assert_eq!(weights(&bed), [[60, 40]; 2], "{}", ran.err);
    assert!(ran.err.contains("stop condition: "), "{}", ran.err);
    assert_eq!(ran.document()["outcome"], "returned", "{}", ran.out);
    assert!(bed.journal().contains("the ramp stopped: "), "why is written down with the way back");
}
