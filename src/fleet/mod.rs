//! The nouns: what a fleet consists of, as plain data.
//!
//! A noun never draws, fetches or decides. Everything textual in it came through [`text::sanitize`], every
//! number says its unit, and what is not known is an `Option`, never a zero.

pub mod amounts;
pub mod autoscaler;
pub mod budget;
pub mod cluster;
pub mod event;
pub mod fact;
pub mod fault;
pub mod gpu;
pub mod health;
pub mod ids;
pub mod inference;
pub mod job;
pub mod log;
pub mod marks;
pub mod mesh;
pub mod needs;
pub mod node;
pub mod placement;
pub mod pod;
pub mod quantity;
pub mod reconciler;
pub mod queue;
pub mod rollout;
pub mod route;
pub mod scrub;
pub mod service;
pub mod support;
pub mod text;
pub mod time;
pub mod workload;

pub use amounts::{Amounts, AmountsInterner, Asked, PodSum};
pub use autoscaler::Autoscaler;
pub use budget::Budget;
pub use cluster::{Cloud, Distribution, Namespace, Place};
pub use event::Event;
pub use fact::{ClusterFact, Fact, Object, SourceFact, SourceState};
pub use fault::{Fault, FaultKind, Step};
pub use gpu::GpuCount;
pub use health::{Finding, Rule, Severity, Subject};
pub use ids::{ChangeId, ClusterId, Kind, ObjectId, ObjectKey, Slot, SourceId};
pub use inference::InferenceService;
pub use job::{Admission, CronJob, Job, JobPhase};
pub use log::{LogLine, LogRequest, LogTarget};
pub use marks::Marks;
pub use mesh::{HostPolicy, ServiceEntry};
pub use needs::{PodNeeds, ReplicaNeeds};
pub use node::Node;
pub use placement::{Placement, Taint};
pub use pod::{Owner, Pod, PodPhase, Trouble, TroubleKind};
pub use queue::{ClusterQueue, LocalQueue};
pub use reconciler::Reconciler;
pub use rollout::Rollout;
pub use route::Route;
pub use service::{Endpoints, Service};
pub use support::Support;
pub use text::{Clean, Interner};
pub use time::{Age, Mono, Now, Unix};
pub use workload::{Labels, Revision, Version, Workload};
