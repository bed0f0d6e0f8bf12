//! Every fault at every place, for every verb: what the operation says, and what the server counted.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use skydeck::demo::api::Failure;
use skydeck::gate::StepState;
use skydeck::gate::operation::{Outcome, Phase};

use super::bed::{Bed, VERBS, Verb};
use super::sitting::{No, Sitting, told};

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    /// The write ends so.
    Write(Failure),
    DryRun(Failure),
    /// Somebody else does something to the object…
    Other(Deed, Moment),
    /// …after the write was done, and before its answer, which is lost.
    OtherAfter(Deed),
    /// Another cluster answers at the address.
    Replaced,
    /// The account may only read.
    Viewer,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Edits,
    Deletes,
    Recreates,
}

/// After this was done.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Looked,
    Planned,
    Checked,
    /// Between the last look at it and the request that changes it.
    JustBefore,
}

/// How it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Refused,
    /// Nothing was sent, and somebody must say what next.
    Stands,
    In(Outcome, StepState),
}

use Ends::{In, Refused, Stands};
use Failure as F;
use Wrong::{DryRun, Other, OtherAfter, Write};

const DONE: Ends = In(Outcome::Done, StepState::Verified);
const FAILED: Ends = In(Outcome::Failed, StepState::Refused);
const CONFLICT: Ends = In(Outcome::Conflict, StepState::Refused);
const DRIFTED: Ends = In(Outcome::Drifted, StepState::Drifted);

/// Fault, end, a part of the words, requests.
const TABLE: &[(&str, Wrong, Ends, &str, usize)] = &[
    ("504, applied", Write(F::StatusAfter(504)), DONE, "", 1),
    ("504, not applied", Write(F::Status(504)), FAILED, "never applied", 1),
    ("500, not applied", Write(F::Status(500)), FAILED, "never applied", 1),
    ("503, not applied", Write(F::Status(503)), FAILED, "never applied", 1),
    ("reset, applied", Write(F::ResetAfter), DONE, "", 1),
    ("reset, not applied", Write(F::Reset), FAILED, "never applied", 1),
    ("answer cut, applied", Write(F::Cut), DONE, "", 1),
    ("a proxy's page", Write(F::Garbage), FAILED, "never applied", 1),
    ("hangs, applied", Write(F::HangAfter), DONE, "", 1),
    ("hangs, not applied", Write(F::Hang), FAILED, "never applied", 1),
    ("hangs, applied late", Write(F::Late), DONE, "", 1),
    ("409", Write(F::Status(409)), FAILED, "nothing of it has changed", 1),
    ("403 at the write", Write(F::Status(403)), FAILED, "forbidden", 1),
    ("401 at the write", Write(F::Status(401)), FAILED, "Unauthorized", 1),
    ("429 at the write", Write(F::RetryAfter(429, 1)), FAILED, "Too Many Requests", 1),
    ("webhook at the write", Write(F::Webhook(400, "not on Fridays")), FAILED, "not on Fridays", 1),
    ("webhook in the dry run", DryRun(F::Webhook(400, "not on Fridays")), Refused, "not on Fridays", 0),
    ("504 in the dry run", DryRun(F::Status(504)), Refused, "504", 0),
    ("read-only account", Wrong::Viewer, Refused, "this account may not", 0),
    ("changed after the look", Other(Deed::Edits, Moment::Looked), Refused, "changed since", 0),
    ("changed after the plan", Other(Deed::Edits, Moment::Planned), Refused, "changed since", 0),
    ("changed after the dry run", Other(Deed::Edits, Moment::Checked), CONFLICT, "changed since", 1),
    ("changed just before", Other(Deed::Edits, Moment::JustBefore), CONFLICT, "changed since", 1),
    ("deleted after the plan", Other(Deed::Deletes, Moment::Planned), Refused, "not there any more", 0),
    ("deleted after the dry run", Other(Deed::Deletes, Moment::Checked), CONFLICT, "not there any more", 1),
    ("deleted just before", Other(Deed::Deletes, Moment::JustBefore), CONFLICT, "not there any more", 1),
    ("made anew after the plan", Other(Deed::Recreates, Moment::Planned), Refused, "changed since", 0),
    ("made anew after the dry run", Other(Deed::Recreates, Moment::Checked), CONFLICT, "changed since", 1),
    ("made anew just before", Other(Deed::Recreates, Moment::JustBefore), CONFLICT, "changed since", 1),
    ("applied, lost, overwritten", OtherAfter(Deed::Edits), DRIFTED, "is 9", 1),
    ("applied, lost, deleted", OtherAfter(Deed::Deletes), FAILED, "gone", 1),
    ("another cluster answers", Wrong::Replaced, CONFLICT, "", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_every_verb_is_told_as_it_is_and_sent_at_most_once() {
    let cases = TABLE.iter().flat_map(|row| VERBS.map(|verb| (row, verb)));
    let runs = cases.map(|((name, wrong, ends, words, sent), verb)| async move {
        let seen = run(*wrong, verb).await;
        let words = if verb == Verb::Route && *words == "is 9" { "is 90" } else { words };
        let is_right = seen.ends == *ends && seen.words.contains(words) && seen.sent == *sent;
        let wrong = !is_right && !seen.is_as_safe_as(*ends);
        (*name, verb, seen, wrong)
    });
    // In the order of the table, some at a time.
    let seen: Vec<_> = futures::stream::iter(runs).buffered(16).collect().await;
    let mut wrong = 0;
    println!("| fault | verb | says | requests | the server has |\n|---|---|---|---|---|");
    for (name, verb, it, is_wrong) in &seen {
        wrong += usize::from(*is_wrong);
        let mark = if *is_wrong { " ← WRONG" } else { "" };
        println!("| {name} | {verb:?} | {} | {} | {}{mark} |", it.words, it.sent, it.value);
    }
    assert_eq!(wrong, 0, "of {}", seen.len());
}

struct Seen {
    ends: Ends,
    words: String,
    sent: usize,
    value: String,
}

impl Seen {
    /// Whether a conflict is noticed before the request is made or by its refusal is a question of milliseconds.
    fn is_as_safe_as(&self, ends: Ends) -> bool {
        ends == CONFLICT && (self.ends == CONFLICT || self.ends == Stands && self.sent == 0)
    }
}

/// One operation from look to end, with one thing going wrong; what is true in any case is looked at here.
async fn run(wrong: Wrong, verb: Verb) -> Seen {
    let mut bed = Bed::new(&["one"]);
    let kubeconfig = if matches!(wrong, Wrong::Viewer) { bed.viewers_kubeconfig() } else { bed.kubeconfig() };
    let mut sitting = Sitting::new(&kubeconfig, super::bed::quick()).await;
    let (ends, words, mark) = match operate(wrong, verb, &mut bed, &mut sitting).await {
        Err(no) => (Refused, no.words(), String::new()),
        Ok(id) => {
            let operation = sitting.operation(&id);
            let mark = format!("{id}-1");
            match &operation.phase {
                Phase::Ended(outcome) => (In(*outcome, operation.steps[0].state), told(operation), mark),
                Phase::Paused(why) => {
                    (Stands, format!("{}: {}", told(operation), why.words(&operation.plan)), mark)
                }
                other => panic!("{other:?}"),
            }
        }
    };
    let sent = bed.sent(&mark);
    // To the server a request that hangs is under way for as long as it likes; the console has given it up.
    let hangs = matches!(wrong, Write(F::Hang | F::HangAfter | F::Late));
    let at_once = bed.most_writes_at_once();
    assert!(sent <= 1 && (hangs || at_once <= 1), "{wrong:?} {verb:?}: {sent} requests, {at_once} at once");
    let store = Arc::clone(bed.store(0));
    let value = verb.value(&store);
    match ends {
        DONE => assert_eq!(value, verb.after(), "{wrong:?} {verb:?}: {words}"),
        Refused | Stands | In(_, StepState::Refused) => {
            assert_ne!(value, verb.after(), "{wrong:?} {verb:?}: {words}");
            // Nothing lands after it was called failed.
            bed.seam(0).mend();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(verb.value(&store), value, "{wrong:?} {verb:?}: it landed after {words}");
        }
        In(..) => {}
    }
    Seen { ends, words, sent, value: value.to_string() }
}

async fn operate(
    wrong: Wrong,
    verb: Verb,
    bed: &mut Bed,
    sitting: &mut Sitting,
) -> Result<skydeck::fleet::ChangeId, No> {
    let intent = verb.intent(sitting, 1);
    let sight = sitting.driver.look(&intent.wish).await.map_err(No::Look)?;
    other(wrong, verb, bed, |it| matches!(it, Moment::Looked));
    let plan = sitting.driver.plan(&intent, &sight).map_err(No::Plan)?;
    other(wrong, verb, bed, |it| matches!(it, Moment::Planned));
    if let DryRun(failure) = wrong {
        bed.seam(0).strike(verb.dry_run(), 1, failure);
    }
    let id = sitting.check(plan).await?;
    other(wrong, verb, bed, |it| matches!(it, Moment::Checked));
    let store = Arc::clone(bed.store(0));
    match wrong {
        Write(failure) => bed.seam(0).strike(verb.write(), 1, failure),
        Other(deed, Moment::JustBefore) => bed.seam(0).before(verb.write(), move || deed.do_it(verb, &store)),
        OtherAfter(deed) => {
            bed.seam(0).strike(verb.write(), 1, F::ResetAfter);
            bed.seam(0).after(verb.write(), move || deed.do_it(verb, &store));
        }
        Wrong::Replaced => {
            bed.clusters[0].restart_as("another").unwrap();
            super::bed::furnish(bed.clusters[0].store());
            // Servers of tests draw the same uids one after the other; those of two clusters are never the same.
            verb.recreate(bed.clusters[0].store());
        }
        _ => {}
    }
    sitting.yes(&id);
    if matches!(wrong, Write(F::Late)) {
        sitting.until(&id, "lost", |it| it.steps[0].state == StepState::Unknown).await;
        assert_eq!(verb.value(bed.store(0)), verb.before(), "it hangs");
        bed.seam(0).mend();
    }
    sitting.rest(&id).await;
    Ok(id)
}

fn other(wrong: Wrong, verb: Verb, bed: &Bed, now: impl Fn(Moment) -> bool) {
    if let Other(deed, moment) = wrong
        && now(moment)
    {
        deed.do_it(verb, bed.store(0));
    }
}

impl Deed {
    fn do_it(self, verb: Verb, store: &skydeck::demo::store::Store) {
        match self {
            Self::Edits => verb.somebody_elses(store),
            Self::Deletes => verb.delete(store),
            Self::Recreates => verb.recreate(store),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_cluster_that_dies_leaves_the_first_done_and_itself_unknown_until_it_is_back() {
    let bed = Bed::new(&["one", "two"]);
    let mut sitting = bed.sitting().await;
    let verb = Verb::Hpa;
    let intent = verb.intent(&sitting, 2);
    let id = sitting.asked(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    // It takes the request, and never says another word.
    bed.seam(1).strike(verb.write(), 1, F::HangAfter);
    let dying = Arc::clone(bed.seam(1));
    bed.seam(1).after(verb.write(), move || dying.pause());
    sitting.yes(&id);
    sitting.until(&id, "unreadable", |it| it.steps[1].words.contains("cannot be read back")).await;
    let operation = sitting.operation(&id);
    println!("{}", told(operation));
    assert_eq!(
        (operation.steps[0].state, operation.steps[1].state),
        (StepState::Verified, StepState::Unknown)
    );
    assert_eq!(operation.words(), "UNKNOWN, reading back");
    // It never becomes known by waiting.
    let far_beyond = operation.steps[1].since.plus_secs(super::bed::quick().settle.0 + 15);
    while sitting.driver.session.state.now.mono < far_beyond {
        sitting.driver.turn().await;
    }
    assert_eq!(sitting.operation(&id).steps[1].state, StepState::Unknown);
    assert_eq!((verb.value(bed.store(0)), verb.value(bed.store(1))), (verb.after(), verb.after()));
    bed.seam(1).resume();
    bed.seam(1).mend();
    sitting.until(&id, "done", |it| it.phase == Phase::Ended(Outcome::Done)).await;
    assert_eq!([1, 2].map(|step| bed.sent(&format!("{id}-{step}"))), [1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_cluster_that_is_dead_before_is_refused_before_the_first_is_touched() {
    let bed = Bed::new(&["one", "two"]);
    let mut sitting = bed.sitting().await;
    let intent = Verb::Hpa.intent(&sitting, 2);
    let plan = sitting.plan(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    bed.seam(1).pause();
    let no = sitting.check(plan).await.expect_err("nobody answers").words();
    println!("{no}");
    assert!(no.contains("no answer"), "{no}");
    // It dies while the question is on the screen: the announcement finds out, and nothing is sent to anybody.
    bed.seam(1).resume();
    let id = sitting.asked(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    bed.seam(1).pause();
    sitting.yes(&id);
    sitting.rest(&id).await;
    let operation = sitting.operation(&id);
    let Phase::Paused(why) = &operation.phase else { panic!("{:?}", operation.phase) };
    println!("{}: {}", told(operation), why.words(&operation.plan));
    assert!(why.words(&operation.plan).contains("could not be announced in c1"));
    assert_eq!([1, 2].map(|step| bed.sent(&format!("{id}-{step}"))), [0, 0]);
    assert_eq!(Verb::Hpa.value(bed.store(0)), Verb::Hpa.before());
}

/// Between two steps on one object somebody changes another rule of it: the next step is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_ramp_notices_what_somebody_else_does_to_its_object() {
    let bed = Bed::new(&["one"]);
    let policy = skydeck::gate::Policy { step_every: skydeck::fleet::Age(1), ..super::bed::quick() };
    let mut sitting = Sitting::new(&bed.kubeconfig(), policy).await;
    let mut intent = Verb::Route.intent(&sitting, 1);
    let skydeck::gate::Wish::Weights(wish) = &mut intent.wish else { unreachable!() };
    wish.ramp = Some(skydeck::gate::intent::Ramp { by: 5, every: skydeck::fleet::Age(1) });
    // After the first write was done, and before it is read again.
    let store = Arc::clone(bed.store(0));
    let (kind, key) = Verb::Route.target();
    bed.seam(0).after(Verb::Route.write(), move || {
        super::bed::edit(&store, kind, &key, |object| object["spec"]["http"][1]["timeout"] = "1s".into());
    });
    let id = sitting.through(&intent).await.unwrap_or_else(|no| panic!("{}", no.words()));
    let operation = sitting.operation(&id);
    println!("{}", told(operation));
    assert_eq!(
        (operation.steps[0].state, operation.steps[1].state),
        (StepState::Verified, StepState::Refused)
    );
    assert!(operation.steps[1].words.contains("changed since"), "{}", operation.steps[1].words);
    assert_eq!(Verb::Route.value(bed.store(0)), serde_json::json!([55, 45]));
}
