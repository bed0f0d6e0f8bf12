//! An operation by what somebody types of its id: the whole of it, or a beginning that no other has.

use crate::gate::Operation;

/// More than a few say no more than that there are many.
const SHOWN: usize = 5;

/// The one operation whose id begins so.
pub fn operation_named<'a>(
    operations: impl IntoIterator<Item = &'a Operation>,
    text: &str,
) -> Result<&'a Operation, String> {
    let wanted = text.trim().to_ascii_uppercase();
    let begins = |it: &&Operation| it.id().as_clean().as_str().starts_with(&wanted);
    let fitting: Vec<&Operation> = operations.into_iter().filter(begins).collect();
    match &fitting[..] {
        [only] if !wanted.is_empty() => Ok(only),
        [] => Err(format!("there is no change {text} in the journal: `skydeck journal list` names them")),
        several => {
            let ids: Vec<_> = several.iter().take(SHOWN).map(|it| it.id().to_string()).collect();
            let more = if several.len() > SHOWN { ", …" } else { "" };
            Err(format!("{text} fits {} changes: {}{more}", several.len(), ids.join(", ")))
        }
    }
}
