//! From the file's text to checked types.

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{
    API_VERSION, CaSpec, Federation, GateSpec, KIND, OrchestratorSpec, OrganizationSpec, Site,
    fault::FederationFile,
    rules,
    shape::{self, RawFile, RawHeader},
    value::{chart, flag, gate, name, no_option, path, word},
};
use crate::{
    failure::{Code, Result},
    plain::excerpt,
};

/// What `ca` may be.
const CA_FORMS: &str =
    "it is one of {cert: FILE, key: FILE}, {secret: NAME}, {create: true} and {create: true, cert: FILE, key: FILE}";

/// What stands in the file, with the place of its map for what is missing in it.
type Map<'a, T> = &'a Spanned<T>;

/// Reads, checks each value, then all of them against each other.
pub(super) fn federation(bytes: &[u8], source: &FederationFile<'_>) -> Result<Federation> {
    let text = source.text(bytes)?;
    head(&yaml(text, source)?, source)?;
    let file: Spanned<RawFile> = yaml(text, source)?;
    let top = file.referenced;
    let orchestrator = source.need(file.value.orchestrator.as_ref(), "orchestrator", top)?;
    let organizations = source.need(file.value.organizations.as_ref(), "organizations", top)?;
    if organizations.value.0.is_empty() {
        let why = "a federation has at least one organization: its MSP ID, and below it the keys of its backend";
        return Err(source.fault(Code::FederationMissing, organizations.referenced, "there is no organization", why));
    }
    let federation = Federation {
        orchestrator: orchestrator_of(orchestrator, source)?,
        organizations: organizations.value.0.iter().map(|one| organization_of(one, source)).collect::<Result<_>>()?,
    };
    rules::check(&federation, orchestrator, &organizations.value.0, source)?;
    Ok(federation)
}

fn yaml<'a, T: Deserialize<'a>>(text: &'a str, source: &FederationFile<'_>) -> Result<T> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 32 },
        no_schema: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| source.yaml(&error))
}

/// A file of another version may have other keys, so the version is checked before them.
fn head(head: &Spanned<RawHeader>, source: &FederationFile<'_>) -> Result<()> {
    let RawHeader { api_version, kind } = &head.value;
    for (key, given, supported) in [("apiVersion", api_version, API_VERSION), ("kind", kind, KIND)] {
        let given = source.need(given.as_ref(), key, head.referenced)?;
        if given.value != supported {
            let what = format!("the {key} `{}` is not known here", excerpt(&given.value));
            let why = format!("this version of the tool reads apiVersion: {API_VERSION}, kind: {KIND}");
            return Err(source.fault(Code::FederationVersion, given.referenced, what, why));
        }
    }
    Ok(())
}

fn orchestrator_of(map: Map<'_, shape::RawOrchestrator>, source: &FederationFile<'_>) -> Result<OrchestratorSpec> {
    let raw = &map.value;
    let named = raw.cut_off.iter().flat_map(|list| &list.value);
    Ok(OrchestratorSpec {
        site: site(&raw.site(), map.referenced, source)?,
        ca: ca(source.need(raw.ca.as_ref(), "ca", map.referenced)?, source)?,
        gate: raw.gate.as_ref().map_or(Ok(GateSpec::Leave), |given| gate(given, source))?,
        cut_off: named.map(|given| name(given, source)).collect::<Result<_>>()?,
    })
}

fn organization_of(
    (msp_id, map): &(Spanned<String>, Spanned<shape::RawOrganization>),
    source: &FederationFile<'_>,
) -> Result<OrganizationSpec> {
    Ok(OrganizationSpec {
        msp_id: name(msp_id, source)?,
        site: site(&map.value.site(), map.referenced, source)?,
        hostname: map.value.hostname.as_ref().map(|given| name(given, source)).transpose()?,
    })
}

fn site(raw: &shape::RawSite<'_>, map: Location, source: &FederationFile<'_>) -> Result<Site> {
    let values = source.need(raw.values, "values", map)?;
    if values.value.is_empty() {
        let why = "the settings are edited in a values file, so at least one is needed";
        return Err(source.fault(Code::FederationMissing, values.referenced, "no values file is named", why));
    }
    Ok(Site {
        context: raw.context.map(|given| no_option(given, source)).transpose()?,
        kubeconfig: raw.kubeconfig.map(|given| path(given, source)).transpose()?,
        namespace: name(source.need(raw.namespace, "namespace", map)?, source)?,
        release: name(source.need(raw.release, "release", map)?, source)?,
        chart: raw.chart.map(|given| chart(given, source)).transpose()?,
        version: raw.version.map(|given| word(given, source)).transpose()?,
        values: values.value.iter().map(|given| path(given, source)).collect::<Result<_>>()?,
    })
}

fn ca(map: Map<'_, shape::RawCa>, source: &FederationFile<'_>) -> Result<CaSpec> {
    let shape::RawCa { cert, key, secret, create } = &map.value;
    let made = create.as_ref().map_or(Ok(false), |given| flag(given, source))?;
    match (cert, key, secret) {
        (Some(cert), Some(key), None) => {
            let (cert, key) = (path(cert, source)?, path(key, source)?);
            Ok(if made { CaSpec::Create { cert, key } } else { CaSpec::Files { cert, key } })
        }
        (None, None, Some(secret)) if !made => name(secret, source).map(CaSpec::Secret),
        (None, None, None) if made => {
            let beside = |name| source.folder.join(name);
            Ok(CaSpec::Create { cert: beside("orchestrator-ca.crt"), key: beside("orchestrator-ca.key") })
        }
        _ => Err(source.fault(Code::FederationCa, map.referenced, "the ca is not clear", CA_FORMS)),
    }
}
