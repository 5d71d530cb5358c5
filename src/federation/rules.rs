//! What no single value shows: two releases that are one, a values file named twice, a gate without a plan.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use serde_saphyr::{Location, Spanned};

use super::{Federation, GateSpec, Site, fault::FederationFile, shape};
use crate::{
    failure::{Code, Result},
    plain::excerpt,
};

/// A release, and how it is written.
struct NamedSite<'a> {
    who: &'a str,
    site: &'a Site,
    raw: shape::RawSite<'a>,
}

/// Checks the whole federation; `organizations` are in the same order in both forms.
pub(super) fn check(
    federation: &Federation,
    orchestrator: &Spanned<shape::RawOrchestrator>,
    organizations: &[(Spanned<String>, Spanned<shape::RawOrganization>)],
    source: &FederationFile<'_>,
) -> Result<()> {
    let first = NamedSite { who: "orchestrator", site: &federation.orchestrator.site, raw: orchestrator.value.site() };
    let rest = federation.organizations.iter().zip(organizations).map(|(checked, (_, map))| NamedSite {
        who: checked.msp_id.as_str(),
        site: &checked.site,
        raw: map.value.site(),
    });
    let parties: Vec<NamedSite<'_>> = std::iter::once(first).chain(rest).collect();
    releases(&parties, source)?;
    values(&parties, source)?;
    cut_off(federation, &orchestrator.value, source)
}

fn releases(parties: &[NamedSite<'_>], source: &FederationFile<'_>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for NamedSite { who, site, raw } in parties {
        let cluster = (&site.context, site.kubeconfig.as_deref().map(plain));
        if let Some(other) = seen.insert((cluster, &site.namespace, &site.release), who) {
            let place = raw.release.map_or(Location::UNKNOWN, |release| release.referenced);
            let what = format!("{who} has the same release as {other}");
            let why =
                format!("release {} of namespace {} in one context is one party's only", site.release, site.namespace);
            return Err(source.fault(Code::FederationClash, place, what, why));
        }
    }
    Ok(())
}

/// Files that several parties share are theirs to read; whether two would edit one is seen when their plans are made.
fn values(parties: &[NamedSite<'_>], source: &FederationFile<'_>) -> Result<()> {
    for NamedSite { site, raw, .. } in parties {
        let mut seen = BTreeSet::new();
        for (path, written) in site.values.iter().zip(raw.values.iter().flat_map(|list| &list.value)) {
            if !seen.insert(plain(path)) {
                let what = format!("{} is named already", excerpt(&written.value));
                return Err(source.fault(Code::FederationValue, written.referenced, what, "Helm would read it twice"));
            }
        }
    }
    Ok(())
}

fn cut_off(federation: &Federation, raw: &shape::RawOrchestrator, source: &FederationFile<'_>) -> Result<()> {
    let places = raw.cut_off.iter().flat_map(|list| &list.value).map(|one| one.referenced);
    let mut seen = BTreeSet::new();
    for (msp_id, place) in federation.orchestrator.cut_off.iter().zip(places) {
        if federation.orchestrator.gate == GateSpec::Leave {
            let why = "nobody is cut off while the gate is left as it is: write gate: close, or leave cutOff out";
            return Err(source.fault(Code::FederationCutOff, place, "cutOff without gate: close", why));
        }
        if !seen.insert(msp_id) {
            let what = format!("{msp_id} stands in cutOff already");
            return Err(source.fault(Code::FederationCutOff, place, what, "each organization is named once"));
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
