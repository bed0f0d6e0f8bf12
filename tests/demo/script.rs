//! What a writer hears, request by request: one script for the demo's server and for a real one. Each line
//! says what is asked, the code that comes back and words that are in the answer; what both servers answer is
//! written down so that it can be compared whole.

use serde_json::{Value, json};

use crate::wire::{Answer, Client};

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/a/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/a/deployments/web";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/a/leases";
const JOBS: &str = "/apis/ml.example.com/v1/namespaces/a/trainingjobs";

pub const BAD_REQUEST: &str = "the server rejected our request due to an error in our request";
pub const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

/// One server with the namespace `a`, and what it answered so far.
pub struct Talk<'a> {
    admin: &'a Client,
    viewer: &'a Client,
    viewer_token: Option<&'a str>,
    heard: Vec<(String, Value)>,
    /// Lines that were answered in another way than they say.
    wrong: Vec<String>,
}

impl<'a> Talk<'a> {
    /// The viewer is another client, or the same with another token.
    pub fn with(admin: &'a Client, viewer: &'a Client, viewer_token: Option<&'a str>) -> Talk<'a> {
        Talk { admin, viewer, viewer_token, heard: Vec::new(), wrong: Vec::new() }
    }

    pub fn whole(mut self) -> Vec<(String, Value)> {
        self.scale_of_a_deployment();
        for (path, version, kind) in [
            ("/apis/apps/v1/namespaces/a/statefulsets", "apps/v1", "StatefulSet"),
            ("/apis/apps/v1/namespaces/a/replicasets", "apps/v1", "ReplicaSet"),
            ("/apis/argoproj.io/v1alpha1/namespaces/a/rollouts", "argoproj.io/v1alpha1", "Rollout"),
            (
                "/apis/leaderworkerset.x-k8s.io/v1/namespaces/a/leaderworkersets",
                "leaderworkerset.x-k8s.io/v1",
                "LeaderWorkerSet",
            ),
        ] {
            self.scale_of(path, version, kind);
        }
        self.patches();
        self.strictness();
        self.custom();
        self.status();
        self.autoscaler();
        self.leases();
        self.events();
        self.viewer();
        self.deletions();
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        self.heard
    }

    /// Asks, holds the answer against code and words, and writes it down.
    fn ask(
        &mut self,
        (method, path, media): (&str, &str, &str),
        body: &Value,
        (code, words): (u16, &str),
    ) -> Value {
        let headers = [("Content-Type", media), ("User-Agent", "probe/1.0")];
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.admin.call(method, path, &headers, &text);
        self.note(method, path, &answer, (code, words))
    }

    fn note(&mut self, method: &str, path: &str, answer: &Answer, (code, words): (u16, &str)) -> Value {
        let name = format!("{}. {method} {path}", self.heard.len() + 1);
        let body = answer.json();
        let message = body["message"].as_str().unwrap_or(&answer.body);
        if answer.code != code || !message.contains(words) {
            self.wrong.push(format!("{name}: {code} {words:?}, not {} {}", answer.code, answer.body));
        }
        let warning = answer.header("warning").to_owned();
        self.heard.push((name, json!({"code": code, "warning": warning, "body": settled(body.clone())})));
        body
    }

    fn get(&mut self, path: &str) -> Value {
        self.ask(("GET", path, JSON), &Value::Null, (200, ""))
    }

    fn scale_of_a_deployment(&mut self) {
        self.ask(
            ("POST", &format!("{DEPLOYMENTS}?fieldManager=helm"), JSON),
            &workload("apps/v1", "Deployment", "web"),
            (201, ""),
        );
        let scale = format!("{WEB}/scale");
        let by = format!("{scale}?fieldManager=skydeck");
        let mut wish = self.get(&scale);
        wish["spec"]["replicas"] = 5.into();
        self.ask(("PUT", &format!("{by}&dryRun=All"), JSON), &wish, (200, "\"replicas\":5"));
        self.get(WEB);
        self.ask(("PUT", &by, JSON), &wish, (200, "\"replicas\":5"));
        self.get(WEB);
        let modified = format!("Operation cannot be fulfilled on deployments.apps \"web\": {MODIFIED}");
        self.ask(("PUT", &by, JSON), &wish, (409, &modified));
        let mut other = wish.clone();
        other["metadata"]["resourceVersion"] = "".into();
        // Nothing changes: no version, no new owner.
        self.ask(("PUT", &format!("{scale}?fieldManager=other"), JSON), &other, (200, ""));
        self.get(WEB);
        other["metadata"]["uid"] = "x".into();
        self.ask(
            ("PUT", &scale, JSON),
            &other,
            (409, "Precondition failed: UID in precondition: x, UID in object meta: "),
        );
        self.ask(
            ("PATCH", &scale, MERGE),
            &json!({"metadata": {"uid": "x"}, "spec": {"replicas": 9}}),
            (409, "deployments/scale.apps"),
        );
        self.ask(
            ("PATCH", &scale, MERGE),
            &json!({"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 9}}),
            (409, MODIFIED),
        );
        self.odd_scales();
    }

    fn odd_scales(&mut self) {
        let scale = format!("{WEB}/scale");
        let named = |spec: Value| json!({"metadata": {"name": "web", "namespace": "a"}, "spec": spec});
        self.ask(
            ("PUT", &scale, JSON),
            &named(json!({"replicas": -1})),
            (422, "Scale.autoscaling \"web\" is invalid"),
        );
        self.ask(("PUT", &scale, JSON), &named(json!({"replicas": "x"})), (400, "cannot unmarshal string"));
        self.ask(
            ("PUT", &format!("{scale}?fieldValidation=Strict"), JSON),
            &named(json!({"replicas": 3, "foo": 1})),
            (400, "unknown field \"spec.foo\""),
        );
        self.ask(
            ("PUT", &scale, JSON),
            &json!({"metadata": {"name": "other", "namespace": "a"}}),
            (400, "does not match the name on the URL"),
        );
        self.ask(("PUT", &scale, JSON), &json!({}), (400, "undeterminable"));
        self.ask(
            ("PUT", &scale, JSON),
            &json!({"kind": "Deployment", "apiVersion": "apps/v1"}),
            (400, "unknown conversion"),
        );
        self.ask(
            ("PATCH", &scale, PATCH),
            &json!([{"op": "test", "path": "/spec/replicas", "value": 99}]),
            (422, BAD_REQUEST),
        );
        self.ask(("PATCH", &scale, PATCH), &json!([
            {"op": "test", "path": "/spec/replicas", "value": 5}, {"op": "replace", "path": "/spec/replicas", "value": 0},
        ]), (200, ""));
        self.get(&scale);
        let missing = json!({"metadata": {"name": "nope", "namespace": "a"}});
        self.ask(
            ("PUT", &format!("{DEPLOYMENTS}/nope/scale"), JSON),
            &missing,
            (404, "deployments.apps \"nope\" not found"),
        );
    }

    fn scale_of(&mut self, path: &str, version: &str, kind: &str) {
        self.ask(
            ("POST", &format!("{path}?fieldManager=helm"), JSON),
            &workload(version, kind, "w"),
            (201, ""),
        );
        let scale = format!("{path}/w/scale?fieldManager=skydeck");
        let mut wish = self.get(&scale);
        wish["spec"]["replicas"] = 4.into();
        self.ask(("PUT", &format!("{scale}&dryRun=All"), JSON), &wish, (200, "\"replicas\":4"));
        self.ask(("PUT", &scale, JSON), &wish, (200, "\"replicas\":4"));
        self.get(&format!("{path}/w"));
        self.ask(("PUT", &scale, JSON), &wish, (409, MODIFIED));
        wish["metadata"]["resourceVersion"] = "".into();
        wish["metadata"]["uid"] = "x".into();
        self.ask(("PUT", &scale, JSON), &wish, (409, "StorageError: invalid object, Code: 4"));
    }

    fn patches(&mut self) {
        let by = format!("{WEB}?fieldManager=skydeck");
        let web = self.get(WEB);
        let meta = &web["metadata"];
        let tests = |name: &str, value: &Value| json!({"op": "test", "path": format!("/metadata/{name}"), "value": value});
        let mut patch = json!([
            tests("uid", &meta["uid"]), tests("resourceVersion", &meta["resourceVersion"]), tests("generation", &meta["generation"]),
            {"op": "add", "path": "/metadata/annotations", "value": {"skydeck.dev/change-id": "1"}},
        ]);
        self.ask(
            ("PATCH", &format!("{by}&dryRun=All&fieldValidation=Strict"), PATCH),
            &patch,
            (200, "skydeck.dev/change-id"),
        );
        let same = self.get(WEB);
        assert_eq!(same["metadata"]["resourceVersion"], meta["resourceVersion"], "a dry run stores nothing");
        let done = self.ask(("PATCH", &format!("{by}&fieldValidation=Strict"), PATCH), &patch, (200, ""));
        let counted = |object: &Value| object["metadata"]["generation"].as_i64().unwrap();
        assert_eq!(counted(&done), counted(&web) + 1, "of a Deployment alone, annotations count as spec");
        // It was made for the version before.
        self.ask(("PATCH", &by, PATCH), &patch, (422, BAD_REQUEST));
        for (line, field) in [(1, "resourceVersion"), (2, "generation")] {
            patch[line]["value"] = done["metadata"][field].clone();
        }
        let again = self.ask(("PATCH", &format!("{WEB}?fieldManager=other"), PATCH), &patch, (200, ""));
        assert_eq!(
            again["metadata"]["resourceVersion"], done["metadata"]["resourceVersion"],
            "nothing changed"
        );
        for operation in [
            json!({"op": "test", "path": "/metadata/generation", "value": 99}),
            json!({"op": "test", "path": "/spec/nothing", "value": 1}),
            json!({"op": "remove", "path": "/spec/nothing"}),
            json!({"op": "odd", "path": "/spec"}),
            json!({"op": "replace", "path": "", "value": 7}),
        ] {
            self.ask(("PATCH", WEB, PATCH), &json!([operation]), (422, BAD_REQUEST));
        }
        self.ask(
            ("PATCH", WEB, PATCH),
            &json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]),
            (409, MODIFIED),
        );
        self.ask(("PATCH", WEB, MERGE), &json!({"metadata": {"resourceVersion": "1"}}), (409, MODIFIED));
        self.ask(
            ("PATCH", WEB, MERGE),
            &json!({"metadata": {"name": "b"}}),
            (400, "does not match the name on the URL"),
        );
        self.ask(
            ("PATCH", WEB, MERGE),
            &json!({"spec": {"replicas": -1}}),
            (422, "must be greater than or equal to 0"),
        );
        self.ask(("PATCH", &format!("{DEPLOYMENTS}/nope"), MERGE), &json!({}), (404, "not found"));
        let restart = json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}});
        let restarted = self.ask(("PATCH", &by, MERGE), &restart, (200, ""));
        assert_eq!(counted(&restarted), counted(&web) + 2);
        let mut web = restarted.clone();
        web["metadata"]["uid"] = "x".into();
        self.ask(
            ("PUT", WEB, JSON),
            &web,
            (409, "StorageError: invalid object, Code: 4, Key: /registry/deployments/a/web"),
        );
        web["metadata"]["uid"] = restarted["metadata"]["uid"].clone();
        web["metadata"]["resourceVersion"] = "1".into();
        self.ask(("PUT", WEB, JSON), &web, (409, MODIFIED));
        self.get(WEB);
    }

    fn strictness(&mut self) {
        let strict = format!("{WEB}?fieldValidation=Strict");
        let unknown = "strict decoding error: unknown field \"spec.foo\"";
        self.ask(
            ("PATCH", &strict, PATCH),
            &json!([{"op": "add", "path": "/spec/foo", "value": 1}]),
            (422, unknown),
        );
        self.ask(("PATCH", &strict, MERGE), &json!({"spec": {"foo": 1}}), (422, unknown));
        self.ask(("PATCH", &format!("{WEB}?dryRun=All"), MERGE), &json!({"spec": {"foo": 1}}), (200, ""));
        self.ask(
            ("PATCH", &format!("{WEB}?dryRun=All&fieldValidation=Ignore"), MERGE),
            &json!({"spec": {"foo": 1}}),
            (200, ""),
        );
        self.ask(
            ("PATCH", WEB, MERGE),
            &json!({"spec": {"replicas": "x"}}),
            (422, "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas"),
        );
        let mut new = workload("apps/v1", "Deployment", "new");
        new["foo"] = 1.into();
        self.ask(
            ("POST", &format!("{DEPLOYMENTS}?fieldValidation=Strict"), JSON),
            &new,
            (400, "unknown field \"foo\""),
        );
        self.ask(
            ("PATCH", &format!("{WEB}?dryRun=Some"), MERGE),
            &json!({}),
            (422, "PatchOptions.meta.k8s.io \"\" is invalid: dryRun"),
        );
        self.ask(
            ("PATCH", &format!("{WEB}?fieldValidation=Some"), MERGE),
            &json!({}),
            (422, "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""),
        );
        let long = "x".repeat(130);
        self.ask(
            ("PATCH", &format!("{WEB}?fieldManager={long}"), MERGE),
            &json!({}),
            (422, "may not be more than 128 bytes"),
        );
    }

    /// A custom resource with a schema.
    fn custom(&mut self) {
        let job = |framework: &str| {
            json!({
                "apiVersion": "ml.example.com/v1", "kind": "TrainingJob", "metadata": {"name": "t"},
                "spec": {"modelType": "llm", "framework": framework, "resources": {"gpus": 1}},
            })
        };
        let made = self.ask(("POST", &format!("{JOBS}?fieldManager=argocd"), JSON), &job("jax"), (201, ""));
        let path = format!("{JOBS}/t");
        let by = format!("{path}?fieldManager=skydeck&fieldValidation=Strict");
        self.ask(
            ("PATCH", &by, PATCH),
            &json!([
                {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]},
                {"op": "test", "path": "/metadata/generation", "value": 1},
                {"op": "test", "path": "/spec/resources", "value": {"gpus": 1}},
                {"op": "add", "path": "/spec/resources/gpus", "value": 2},
            ]),
            (200, ""),
        );
        let marked =
            self.ask(("PATCH", &path, MERGE), &json!({"metadata": {"annotations": {"x": "y"}}}), (200, ""));
        assert_eq!(marked["metadata"]["generation"], 2, "annotations keep the generation");
        self.ask(
            ("PATCH", &by, MERGE),
            &json!({"spec": {"wrong": 1}}),
            (422, "unknown field \"spec.wrong\""),
        );
        self.ask(("PATCH", &format!("{path}?dryRun=All"), MERGE), &json!({"spec": {"wrong": 1}}), (200, ""));
        self.ask(
            ("PATCH", &path, MERGE),
            &json!({"spec": {"resources": {"gpus": "x"}}}),
            (422, "spec.resources.gpus in body must be of type integer: \"string\""),
        );
        self.ask(
            ("PATCH", &path, MERGE),
            &json!({"spec": {"resources": {"gpus": -1}}}),
            (422, "spec.resources.gpus in body should be greater than or equal to 0"),
        );
        self.ask(
            ("PATCH", &path, MERGE),
            &json!({"spec": {"framework": "caffe"}}),
            (422, "spec.framework: Unsupported value: \"caffe\""),
        );
        self.ask(
            ("PATCH", &path, MERGE),
            &json!({"metadata": {"uid": "x"}}),
            (422, "metadata.uid: Invalid value: \"x\": field is immutable"),
        );
        self.ask(
            ("PUT", &path, JSON),
            &job("jax"),
            (422, "metadata.resourceVersion: Invalid value: 0: must be specified for an update"),
        );
        self.get(&path);
    }

    /// A custom resource with a status of its own.
    fn status(&mut self) {
        let path = "/apis/argoproj.io/v1alpha1/namespaces/a/rollouts/w";
        let before = self.get(path);
        let by = format!("{path}/status?fieldManager=operator");
        let told = self.ask(("PATCH", &by, MERGE), &json!({"status": {"phase": "Healthy"}}), (200, ""));
        assert_eq!(told["metadata"]["generation"], before["metadata"]["generation"], "a status keeps it");
        let ignored = self.ask(("PATCH", path, MERGE), &json!({"status": {"phase": "Degraded"}}), (200, ""));
        assert_eq!(ignored["status"]["phase"], "Healthy", "the status has its own path");
        let ignored = self.ask(("PATCH", &by, MERGE), &json!({"spec": {"replicas": 9}}), (200, ""));
        assert_eq!(ignored["spec"], before["spec"], "and nothing else goes that way");
    }

    fn autoscaler(&mut self) {
        let path = "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers";
        let hpa = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
            "spec": {
                "minReplicas": 1, "maxReplicas": 3,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}],
            },
        });
        let made = self.ask(("POST", &format!("{path}?fieldManager=helm"), JSON), &hpa, (201, ""));
        assert!(
            made["metadata"].get("generation").is_none(),
            "an autoscaler has no generation: only its version tells"
        );
        let own = format!("{path}/web");
        self.ask(
            ("PATCH", &format!("{own}?fieldManager=skydeck"), MERGE),
            &json!({"spec": {"minReplicas": 2, "maxReplicas": 5}}),
            (200, ""),
        );
        self.ask(
            ("PATCH", &own, MERGE),
            &json!({"spec": {"minReplicas": 9}}),
            (422, "spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"),
        );
        self.ask(
            ("PATCH", &own, MERGE),
            &json!({"spec": {"minReplicas": -1}}),
            (422, "spec.minReplicas: Invalid value: -1"),
        );
        self.ask(
            ("PATCH", &own, MERGE),
            &json!({"spec": {"maxReplicas": 0}}),
            (422, "spec.maxReplicas: Required value: must be set and greater than 0"),
        );
    }

    fn leases(&mut self) {
        let lease = |name: &str, holder: &str| {
            json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name},
                "spec": {
                    "holderIdentity": holder, "leaseDurationSeconds": 15,
                    "acquireTime": "2026-03-04T09:12:30.000000Z", "renewTime": "2026-03-04T09:12:30.123456Z",
                },
            })
        };
        let mut own =
            self.ask(("POST", &format!("{LEASES}?fieldManager=skydeck"), JSON), &lease("l", "me"), (201, ""));
        self.ask(
            ("POST", LEASES, JSON),
            &lease("l", "you"),
            (409, "leases.coordination.k8s.io \"l\" already exists"),
        );
        let path = format!("{LEASES}/l");
        own["spec"]["holderIdentity"] = "you".into();
        self.ask(("PUT", &format!("{path}?fieldManager=other"), JSON), &own, (200, ""));
        self.ask(("PUT", &path, JSON), &own, (409, MODIFIED));
        self.ask(
            ("PUT", &path, JSON),
            &lease("l", "me"),
            (422, "leases.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion"),
        );
        self.ask(("PUT", &format!("{LEASES}/made"), JSON), &lease("made", "me"), (201, ""));
        let mut odd = lease("odd", "me");
        odd["spec"]["renewTime"] = "2026-03-04T09:12:30Z".into();
        self.ask(("POST", LEASES, JSON), &odd, (400, "cannot parse \"Z\" as \".000000\""));
        odd["spec"]["renewTime"] = "yesterday".into();
        self.ask(("POST", LEASES, JSON), &odd, (400, "cannot parse \"yesterday\" as \"2006\""));
        odd["spec"] = json!({"leaseDurationSeconds": -1});
        self.ask(
            ("POST", LEASES, JSON),
            &odd,
            (422, "spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0"),
        );
        self.ask(
            ("DELETE", &path, JSON),
            &json!({"preconditions": {"uid": "x"}}),
            (409, "the UID in the precondition (x) does not match the UID in record"),
        );
        self.ask(
            ("DELETE", &path, JSON),
            &json!({"preconditions": {"resourceVersion": "1"}}),
            (409, "the ResourceVersion in the precondition (1) does not match"),
        );
        self.ask(
            ("DELETE", &path, JSON),
            &json!({"preconditions": {"uid": own["metadata"]["uid"]}}),
            (200, ""),
        );
        self.ask(("DELETE", &path, JSON), &json!({}), (404, "leases.coordination.k8s.io \"l\" not found"));
    }

    fn events(&mut self) {
        let event = |name: &str, about: &str| {
            json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": name},
                "involvedObject": {"kind": "Deployment", "namespace": about, "name": "web", "apiVersion": "apps/v1"},
                "reason": "Scaled", "message": "m", "type": "Normal", "source": {"component": "skydeck"}, "count": 1,
                "firstTimestamp": "2026-03-04T09:12:30Z", "lastTimestamp": "2026-03-04T09:12:30Z", "eventTime": null,
                "reportingComponent": "skydeck", "reportingInstance": "here",
            })
        };
        let path = "/api/v1/namespaces/a/events";
        self.ask(("POST", &format!("{path}?fieldManager=skydeck"), JSON), &event("e", "a"), (201, ""));
        self.ask(("POST", path, JSON), &event("e", "a"), (409, "events \"e\" already exists"));
        self.ask(
            ("POST", path, JSON),
            &event("f", "b"),
            (422, "involvedObject.namespace: Invalid value: \"b\": does not match event.namespace"),
        );
        self.ask(("PATCH", &format!("{path}/e"), MERGE), &json!({"count": 2}), (200, ""));
        self.ask(("DELETE", &format!("{path}/e"), JSON), &json!({}), (200, ""));
    }

    fn as_viewer(&mut self, (method, path, media): (&str, &str, &str), body: &Value, expected: (u16, &str)) {
        let bearer = self.viewer_token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", media), ("User-Agent", "probe/1.0")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let answer = self.viewer.call(method, path, &headers, &body.to_string());
        self.note(method, path, &answer, expected);
    }

    fn viewer(&mut self) {
        let scale = format!("{WEB}/scale");
        let wish = json!({"metadata": {"name": "web", "namespace": "a"}, "spec": {"replicas": 4}});
        let cannot = "deployments.apps \"web\" is forbidden: User \"viewer\" cannot update resource \"deployments/scale\" in API \
                      group \"apps\" in the namespace \"a\"";
        self.as_viewer(("PUT", &scale, JSON), &wish, (403, cannot));
        self.as_viewer(("PUT", &format!("{scale}?dryRun=All"), JSON), &wish, (403, cannot));
        self.as_viewer(
            ("PATCH", &format!("{WEB}?dryRun=All"), MERGE),
            &json!({}),
            (403, "cannot patch resource \"deployments\""),
        );
        self.as_viewer(
            ("PATCH", &format!("{WEB}/status"), MERGE),
            &json!({}),
            (403, "resource \"deployments/status\""),
        );
        self.as_viewer(
            ("POST", DEPLOYMENTS, JSON),
            &json!({}),
            (403, "deployments.apps is forbidden: User \"viewer\" cannot create"),
        );
        self.as_viewer(("DELETE", WEB, JSON), &json!({}), (403, "cannot delete resource"));
        self.as_viewer(("DELETE", DEPLOYMENTS, JSON), &json!({}), (403, "cannot deletecollection resource"));
        self.as_viewer(
            ("PATCH", "/api/v1/nodes/x", MERGE),
            &json!({}),
            (403, "in API group \"\" at the cluster scope"),
        );
        self.as_viewer(
            ("POST", "/api/v1/namespaces/a/events", JSON),
            &json!({}),
            (403, "events is forbidden"),
        );
        self.as_viewer(("POST", LEASES, JSON), &json!({}), (403, "leases.coordination.k8s.io is forbidden"));
        let reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let question = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "namespace": "a", "verb": "update", "group": "apps", "resource": "deployments", "subresource": "scale", "name": "web",
            }},
        });
        self.ask(("POST", reviews, JSON), &question, (201, "\"allowed\":true"));
        self.as_viewer(("POST", reviews, JSON), &question, (201, "\"allowed\":false"));
        self.ask(
            ("POST", reviews, JSON),
            &json!({"spec": {}}),
            (422, "exactly one of nonResourceAttributes or resourceAttributes must be specified"),
        );
    }

    fn deletions(&mut self) {
        self.ask(
            ("DELETE", WEB, JSON),
            &json!({"preconditions": {"uid": "x"}}),
            (409, "Operation cannot be fulfilled on Deployment.apps \"web\""),
        );
        self.ask(
            ("DELETE", WEB, JSON),
            &json!({"dryRun": ["Some"]}),
            (422, "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun"),
        );
        self.ask(("DELETE", WEB, JSON), &json!({"dryRun": ["All"]}), (200, ""));
        self.get(WEB);
        self.ask(("DELETE", WEB, JSON), &json!({}), (200, ""));
        self.ask(("GET", WEB, JSON), &Value::Null, (404, "deployments.apps \"web\" not found"));
    }
}

/// A workload of two replicas, or of one where another number would say nothing.
fn workload(version: &str, kind: &str, name: &str) -> Value {
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i:v1"}]}});
    let mut spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template});
    match kind {
        "StatefulSet" => spec["serviceName"] = name.into(),
        "Rollout" => spec["strategy"] = json!({"canary": {}}),
        "LeaderWorkerSet" => {
            spec = json!({"replicas": 2, "leaderWorkerTemplate": {"size": 2, "workerTemplate": {"spec": template["spec"]}}});
        }
        _ => {}
    }
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Without what is another one in every cluster: uids, versions, times. That they are there is kept.
fn settled(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                let own = ["uid", "resourceVersion", "creationTimestamp", "time"].contains(&name.as_str());
                *value = if own && value.is_string() { "…".into() } else { settled(value.take()) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = settled(item.take())),
        Value::String(text) => *text = plain(text),
        _ => {}
    }
    value
}

/// A sentence without uids, versions and whole objects in it.
fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    if let (Some(start), Some(end)) = (text.find("Invalid value: \"{"), text.rfind("}\": ")) {
        text.replace_range(start..end + 2, "Invalid value: …");
    }
    for mark in ["UID in object meta: ", "UID in record (", "ResourceVersion in record ("] {
        if let Some(start) = text.find(mark) {
            let start = start + mark.len();
            let end = text[start..].find([')', ' ']).map_or(text.len(), |end| start + end);
            text.replace_range(start..end, "…");
        }
    }
    text
}

/// The definitions of the custom kinds of the script, as the test bed has them.
pub fn definitions() -> Vec<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/crds");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let lists =
        ["argo-rollouts.json", "lws.json"].map(|name| serde_json::from_str::<Value>(&read(name)).unwrap());
    let mut all: Vec<Value> =
        lists.iter().flat_map(|list| list["items"].as_array().unwrap().clone()).collect();
    all.push(serde_saphyr::from_str(&read("trainingjob.yaml")).unwrap());
    all
}
