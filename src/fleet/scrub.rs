//! Credentials in texts of others: servers and libraries put addresses with passwords in them, and tokens, into what they
//! complain of. What looks like one is left out before the text goes anywhere.
//!
//! It is no licence to pass secrets around: what is known to be secret is a `Secret`, and never a text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Credentials in addresses, and tokens as they travel: whoever wrote them into a message, they go no further.
static TELLTALE: LazyLock<[(Option<Regex>, &str); 4]> = LazyLock::new(|| {
    [
        (r#"://[^/\s"\\@<>]{1,512}@"#, "://(left out)@"),
        (r"(?i)\b(bearer|authorization:? basic)(?:\s|%20)+[a-z0-9._~+/=\-]{8,}", "$1 (left out)"),
        (
            r#"(?i)([?&;](?:[a-z0-9_.\-]*(?:token|signature|secret|password|passwd|credential|apikey|api_key|accesskeyid)|sig|key|code)=)[^&\s"\\<>]+"#,
            "$1(left out)",
        ),
        (r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*", "(left out)"),
    ]
    .map(|(pattern, instead)| (Regex::new(pattern).ok(), instead))
});

/// The same text without what looks like a credential. It takes nothing that ends a JSON string, so that a line of JSON
/// stays one.
pub fn scrub<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    TELLTALE.iter().fold(text.into(), |text, (pattern, instead)| {
        let Some(pattern) = pattern else { return text };
        match pattern.replace_all(&text, *instead) {
            Cow::Borrowed(_) => text,
            Cow::Owned(scrubbed) => scrubbed.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_looks_like_a_credential_is_left_out_of_any_text() {
        for (text, scrubbed) in [
            ("dial https://me:canary@proxy:3128/x failed", "dial https://(left out)@proxy:3128/x failed"),
            ("Authorization: Bearer canary-canary", "Authorization: Bearer (left out)"),
            ("Authorization: Basic Y2FuYXJ5OmNhbmFyeQ==", "Authorization: Basic (left out)"),
            ("GET /o?X-Amz-Signature=canary&X-Amz-Date=1", "GET /o?X-Amz-Signature=(left out)&X-Amz-Date=1"),
            ("https://h/b?sv=1&sig=canary%3D", "https://h/b?sv=1&sig=(left out)"),
            ("got eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "got (left out)"),
            (
                "an at@sign, a monkey=banana and basic training",
                "an at@sign, a monkey=banana and basic training",
            ),
            ("registry.example.com/ml/server@sha256:0123", "registry.example.com/ml/server@sha256:0123"),
        ] {
            assert_eq!(scrub(text), scrubbed);
        }
    }

    proptest! {
        #[test]
        fn a_line_of_json_stays_one(texts in proptest::collection::vec(".{0,20}(://|Bearer |[?]token=|eyJ)?[\"\\\\@ -~]{0,40}", 1..5)) {
            let line = scrub(serde_json::to_string(&texts).unwrap());
            let read: Vec<String> = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read.len(), texts.len());
        }
    }
}
