//! What must never be seen: tokens, passwords, keys.
//!
//! It has neither `Debug` nor `Display` nor `Serialize`, so that whatever would print it does not compile; its bytes
//! are wiped when it goes.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// For the one that sends it, and nobody else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// The value of `Authorization`; `None` when no header can hold it.
    pub fn bearer(&self) -> Option<HeaderValue> {
        header(&format!("Bearer {}", self.expose()))
    }
}

impl From<&SecretString> for Secret {
    fn from(secret: &SecretString) -> Self {
        Self(secret.clone())
    }
}

/// `Authorization` of a name and a password.
pub fn basic(user: &str, password: &Secret) -> Option<HeaderValue> {
    use base64::Engine;
    let both = format!("{user}:{}", password.expose());
    header(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both)))
}

/// Marked, so that what prints headers leaves it out.
fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_made_of_it_does_not_print_it() {
        let secret = Secret::new("canary".into());
        let headers = [secret.bearer().unwrap(), basic("me", &secret).unwrap()];
        assert_eq!(headers[0].to_str().unwrap(), "Bearer canary");
        assert_eq!(headers[1].to_str().unwrap(), "Basic bWU6Y2FuYXJ5");
        let printed = format!("{headers:?}");
        assert!(!printed.contains("canary") && !printed.contains("bWU6"), "{printed}");
        assert!(Secret::new("two\nlines".into()).bearer().is_none());
    }
}
