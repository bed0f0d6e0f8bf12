//! Does a plugin ask for a person? Told by what the plugins of the clouds say when a session is over, and by
//! what a prompt looks like. The words themselves go no further.

/// In small letters.
const TELLING: [&str; 28] = [
    // aws, gcloud, kubelogin (Azure and OIDC), and what the programs below them say.
    "sso login",
    "sso session",
    "sso token",
    "gcloud auth login",
    "application-default login",
    "reauthenticat",
    "az login",
    "devicelogin",
    "device code",
    "login required",
    "not logged in",
    "please log in",
    "please login",
    "log in again",
    "re-run login",
    "your browser",
    "following url",
    "interaction_required",
    "non-interactive",
    // A terminal was looked for.
    "/dev/tty",
    "not a terminal",
    "not a tty",
    "inappropriate ioctl",
    // Something is asked.
    "password:",
    "passphrase",
    "passcode",
    "mfa code",
    "username:",
];

pub fn ask_for_somebody(printed: &[u8]) -> bool {
    let text = String::from_utf8_lossy(printed).to_lowercase();
    // A credential is no question, whatever stands in it.
    if text.trim_start().starts_with('{') {
        return false;
    }
    TELLING.iter().any(|telling| text.contains(telling)) || is_prompt(&text)
}

/// A last line that was not ended, and ends as questions do.
fn is_prompt(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    last.trim_end_matches(' ').ends_with([':', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_plugins_say_when_they_need_somebody() {
        for said in [
            "Error loading SSO Token: Token for team does not exist",
            "The SSO session associated with this profile has expired. To refresh run aws sso login",
            "ERROR: (gcloud.config.config-helper) There was a problem refreshing your current auth tokens: \
             Reauthentication failed. cannot prompt during non-interactive execution.",
            "Please run: $ gcloud auth login",
            "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code X",
            "ERROR: Please run 'az login' to setup account.",
            "sh: 1: cannot create /dev/tty: No such device or address",
            "Enter token? ",
            "Touch your key:",
        ] {
            assert!(ask_for_somebody(said.as_bytes()), "{said}");
        }
        for said in ["", "exit\n", "error: connection refused\n", "{\"kind\": \"not a tty\"}\n"] {
            assert!(!ask_for_somebody(said.as_bytes()), "{said}");
        }
    }
}
