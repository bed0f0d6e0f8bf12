//! What a server was asked: one entry a request, so that those who count can count, and the words to say
//! which requests are meant.
//!
//! A request that only tries (`dryRun=All`), one that only asks (an access review) and one that changes
//! something are told apart, whatever their method is.

use axum::http::{HeaderMap, Method, Uri, header};

/// One request, as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `PUT`, …
    pub method: String,
    pub path: String,
    /// Without the question mark; empty if there is none.
    pub query: String,
    /// The `User-Agent`; a change of the console names itself there: `skydeck/VERSION change/ID`.
    pub agent: String,
    pub nature: Nature,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Nothing changes.
    Read,
    /// A SelfSubjectAccessReview: posted, and kept nowhere.
    Review,
    /// `dryRun=All`: everything but the change.
    DryRun,
    Write,
}

impl Asked {
    pub(super) fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Asked {
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        let nature = if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
            Nature::Read
        } else if path.ends_with("accessreviews") {
            Nature::Review
        } else if query.split('&').any(|pair| pair == "dryRun=All") {
            Nature::DryRun
        } else {
            Nature::Write
        };
        Asked {
            method: method.to_string(),
            path: path.to_owned(),
            query: query.to_owned(),
            agent: agent.unwrap_or_default().to_owned(),
            nature,
        }
    }

    /// Path and query as they stood in the request.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The id of the change this request belongs to, if it names one.
    pub fn change(&self) -> Option<&str> {
        self.agent.split_whitespace().find_map(|word| word.strip_prefix("change/"))
    }
}

/// Which requests are meant: all that fit every wish.
#[must_use]
#[derive(Debug, Clone, Default)]
pub struct Which {
    part: String,
    method: Option<String>,
    nature: Option<Nature>,
    change: Option<String>,
}

impl Which {
    /// Every request.
    pub fn any() -> Which {
        Which::default()
    }

    /// Those that change something: no dry run, no review.
    pub fn write() -> Which {
        Which::any().nature(Nature::Write)
    }

    pub fn dry_run() -> Which {
        Which::any().nature(Nature::DryRun)
    }

    /// Those with this part in their path and query.
    pub fn at(self, part: &str) -> Which {
        Which { part: part.to_owned(), ..self }
    }

    pub fn method(self, method: &str) -> Which {
        Which { method: Some(method.to_owned()), ..self }
    }

    pub fn nature(self, nature: Nature) -> Which {
        Which { nature: Some(nature), ..self }
    }

    /// Those that name this change in their user agent.
    pub fn of_change(self, id: &str) -> Which {
        Which { change: Some(id.to_owned()), ..self }
    }

    pub fn fits(&self, asked: &Asked) -> bool {
        (self.part.is_empty() || asked.target().contains(&self.part))
            && self.method.as_ref().is_none_or(|method| *method == asked.method)
            && self.nature.is_none_or(|nature| nature == asked.nature)
            && self.change.as_ref().is_none_or(|id| asked.change() == Some(id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, uri: &str, agent: &str) -> Asked {
        let headers = HeaderMap::from_iter([(header::USER_AGENT, agent.parse().unwrap())]);
        Asked::of(method, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn a_request_is_what_it_does_and_not_what_its_method_is() {
        let nature = |method: Method, uri| asked(&method, uri, "").nature;
        assert_eq!(nature(Method::GET, "/a?dryRun=All"), Nature::Read);
        assert_eq!(nature(Method::PUT, "/a/scale?fieldManager=x&dryRun=All"), Nature::DryRun);
        assert_eq!(nature(Method::PUT, "/a/scale?fieldManager=x"), Nature::Write);
        let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        assert_eq!(nature(Method::POST, review), Nature::Review);
    }

    #[test]
    fn every_wish_must_fit() {
        let one = asked(&Method::PUT, "/a/scale?x=1", "skydeck/0.1.0 change/01ABC");
        assert_eq!(one.change(), Some("01ABC"));
        assert!(Which::any().fits(&one));
        assert!(Which::write().at("/scale?x").method("PUT").of_change("01ABC").fits(&one));
        assert!(!Which::write().at("/scale").method("PATCH").fits(&one));
        assert!(!Which::dry_run().fits(&one));
        assert!(!Which::any().of_change("01AB").fits(&one));
        assert!(!Which::any().of_change("").fits(&asked(&Method::GET, "/", "curl/8")));
    }
}
