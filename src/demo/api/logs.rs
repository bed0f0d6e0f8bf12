//! stub
use super::Server;
use super::route::{Call, Params};
use crate::demo::refusal::{Outcome, Refusal};
use axum::response::Response;
pub fn answer(_s: &std::sync::Arc<Server>, _c: &Call, _p: &Params) -> Outcome<Response> {
    Err(Refusal::no_such_resource())
}
