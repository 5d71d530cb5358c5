//! What no single value shows: two releases that are one, a values file of two organizations, a gate without a plan.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use serde_saphyr::{Location, Spanned};

use super::{Federation, Gate, Site, fault::Source, shape};
use crate::failure::Result;

/// A release with the places of what it may share with nobody.
struct Party<'a> {
    who: &'a str,
    site: &'a Site,
    release: Location,
    values: Vec<Location>,
}

/// Checks the whole federation; `organizations` are in the same order in both forms.
pub(super) fn check(
    federation: &Federation,
    orchestrator: &Spanned<shape::Orchestrator>,
    organizations: &[(Spanned<String>, Spanned<shape::Organization>)],
    source: &Source<'_>,
) -> Result<()> {
    let raw = orchestrator.value.site();
    let mut parties = vec![party("orchestrator", &federation.orchestrator.site, &raw)];
    parties.extend(
        federation
            .organizations
            .iter()
            .zip(organizations)
            .map(|(checked, (_, map))| party(checked.msp_id.as_str(), &checked.site, &map.value.site())),
    );
    releases(&parties, source)?;
    values(&parties, source)?;
    cut_off(federation, &orchestrator.value, source)
}

fn party<'a>(who: &'a str, site: &'a Site, raw: &shape::Site<'_>) -> Party<'a> {
    Party {
        who,
        site,
        release: raw.release.map_or(Location::UNKNOWN, |release| release.referenced),
        values: raw.values.iter().flat_map(|list| &list.value).map(|one| one.referenced).collect(),
    }
}

fn releases(parties: &[Party<'_>], source: &Source<'_>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for Party { who, site, release, .. } in parties {
        let cluster = (&site.context, site.kubeconfig.as_deref().map(plain));
        if let Some(other) = seen.insert((cluster, &site.namespace, &site.release), who) {
            let what = format!("{who} has the same release as {other}");
            let why =
                format!("release {} of namespace {} in one context is one party's only", site.release, site.namespace);
            return Err(source.fault("federation-clash", *release, what, why));
        }
    }
    Ok(())
}

fn values(parties: &[Party<'_>], source: &Source<'_>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for party in parties {
        for (path, place) in party.site.values.iter().zip(&party.values) {
            if let Some(other) = seen.insert(plain(path), party.who) {
                let what = format!("{} is a values file of {other} already", path.display());
                let why = "each party's settings are edited in its own files: one edit would change the other, too";
                return Err(source.fault("federation-clash", *place, what, why));
            }
        }
    }
    Ok(())
}

fn cut_off(federation: &Federation, raw: &shape::Orchestrator, source: &Source<'_>) -> Result<()> {
    let places = raw.cut_off.iter().flat_map(|list| &list.value).map(|one| one.referenced);
    let mut seen = BTreeSet::new();
    for (msp_id, place) in federation.orchestrator.cut_off.iter().zip(places) {
        if federation.orchestrator.gate == Gate::Leave {
            let why = "nobody is cut off while the gate is left as it is: write gate: close, or leave cutOff out";
            return Err(source.fault("federation-cut-off", place, "cutOff without gate: close", why));
        }
        if !seen.insert(msp_id) {
            let what = format!("{msp_id} stands in cutOff already");
            return Err(source.fault("federation-cut-off", place, what, "each organization is named once"));
        }
    }
    Ok(())
}

/// The path without `.` and `x/..`, for comparison only: links are not followed.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            other => plain.push(other),
        }
        plain
    })
}
