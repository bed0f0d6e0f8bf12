//! `skydeck scale`: how many, in absolute numbers from here on.

use super::find::Search;
use super::session::Session;
use super::{No, Wanted};
use crate::config::args::{Scale, Whereabouts};
use crate::gate::{Amount, Intent, Place, ScaleTo, Wish};

pub async fn wanted(args: &Scale, session: &mut Session) -> Result<Wanted, No> {
    // Wrong whatever there is now, so nobody is asked.
    Amount::parse(&args.replicas, u32::MAX / 2)
        .or_else(|_| Amount::parse(&args.replicas, 1))
        .map_err(wrong)?;
    let places = workloads(&args.workload, &args.whereabouts, session)?;
    let cells = |to: &dyn Fn(&Place) -> Result<Amount, No>| {
        places
            .iter()
            .map(|place| Ok(ScaleTo { place: place.clone(), to: to(place)? }))
            .collect::<Result<Vec<_>, No>>()
    };
    let looked = Wish::Scale(cells(&|_| Ok(Amount::Replicas(0)))?);
    let sight =
        session.driver.look(&looked).await.map_err(|words| No::refused(words, "nothing was changed"))?;
    let mut said = Vec::new();
    let mut wanted = Vec::new();
    for place in &places {
        // The API's default where the spec says nothing is one.
        let current = sight.of(place).map(|seen| seen.number("/spec/replicas").unwrap_or(1));
        let current = current.ok_or_else(|| No::refused(format!("{} was not read", place.object), ""))?;
        let to = Amount::parse(&args.replicas, current).map_err(wrong)?;
        if args.replicas.trim().starts_with(['+', '-', 'x', 'X', '*']) {
            let name = session.driver.session.state.cluster(place.cluster).map(|it| it.spec.name.clone());
            let name = name.unwrap_or_default();
            said.push(format!("{name}  {}  {current}, {} → {to}", place.object, args.replicas.trim()));
        }
        wanted.push(ScaleTo { place: place.clone(), to });
    }
    Ok(Wanted { intent: Intent::new(Wish::Scale(wanted)), sight, said, left_out: false })
}

fn wrong(words: String) -> No {
    No::usage(words, "--replicas takes 6, +2, -1, x2 or 3-20")
}

/// The workload that is meant, in each cluster that is meant.
pub fn workloads(named: &str, whereabouts: &Whereabouts, session: &Session) -> Result<Vec<Place>, No> {
    let state = &session.driver.session.state;
    let search = Search::workloads(state, &session.homes, named, whereabouts)?;
    let found = search.where_named()?;
    let place = |cluster| Place { cluster, object: found.object.clone() };
    Ok(found.clusters.iter().copied().map(place).collect())
}
