//! An operation by what somebody types of its id: the whole of it, or a beginning that no other has.

use crate::gate::Operation;

pub fn operation_named<'a>(operations: &'a [Operation], text: &str) -> Result<&'a Operation, String> {
    let wanted = text.trim().to_ascii_uppercase();
    if wanted.is_empty() {
        return Err("no id was given".into());
    }
    let fits: Vec<&Operation> =
        operations.iter().filter(|it| it.id().as_clean().as_str().starts_with(&wanted)).collect();
    match fits[..] {
        [only] => Ok(only),
        [] => Err(format!("the journal has no change {text}")),
        _ => {
            let ids: Vec<_> = fits.iter().map(|it| it.id().to_string()).collect();
            Err(format!("{} changes begin so: {}", ids.len(), ids.join(", ")))
        }
    }
}
