//! `skydeck restart`: new pods of the same template.

use super::scale::workloads;
use super::session::Session;
use super::{No, Wanted};
use crate::config::args::Restart;
use crate::gate::{Intent, Wish};

pub async fn wanted(args: &Restart, session: &mut Session) -> Result<Wanted, No> {
    let wish = Wish::Restart(workloads(&args.workload, &args.whereabouts, session)?);
    let sight =
        session.driver.look(&wish).await.map_err(|words| No::refused(words, "nothing was changed"))?;
    Ok(Wanted { intent: Intent::new(wish), sight, said: Vec::new(), left_out: false })
}
