//! The federation of `bootstrap`'s own file, on the simulated cluster: the same plan, on copies of the same values files.

use std::{collections::BTreeMap, path::Path};

use super::{
    ca,
    copies::Copies,
    federation::{self as rehearsed, SimulatedFederation},
};
use crate::{
    cluster::{Cluster, simulated::SimulatedCluster},
    failure::Result,
    federation::{self, CaSpec, Site},
    files,
    release::ValuesFiles,
    session::Session,
    substra::orchestrator::Orchestrator,
    values::ValuesKey,
};

/// The rehearsal's world, and the file as it stands in it.
pub(super) struct FromFile {
    pub(super) federation: SimulatedFederation,
    pub(super) file: federation::Federation,
    namespaces: BTreeMap<String, SimulatedCluster>,
}

impl FromFile {
    /// Reads the file and sets its releases up with the values that their files have.
    pub(super) fn read(path: &Path, session: &Session<'_>) -> Result<Self> {
        let clock = &session.clock;
        let mut file = federation::Federation::read(path)?;
        let mut copies = Copies::new()?;
        let sites = std::iter::once(&mut file.orchestrator.site);
        for site in sites.chain(file.organizations.iter_mut().map(|org| &mut org.site)) {
            site.values.iter_mut().try_for_each(|values| copies.add(values).map(|copy| *values = copy))?;
            (site.chart, site.version) = (None, None);
        }
        // The user's own CA is never touched: a throw-away one takes its place.
        let ca = ca::RehearsalCa::create(clock.now())?;
        let (cert, key) = (copies.file("orchestrator-ca.crt"), copies.file("orchestrator-ca.key"));
        let is_there = !matches!(&file.orchestrator.ca, CaSpec::Create { cert, .. } if !cert.exists());
        // Mutual TLS is not on before there is a CA.
        let is_assumed = !is_there && has_mutual_tls(&file.orchestrator.site, session);
        if is_there || is_assumed {
            ca.publish(&cert, &key)?;
        }
        file.orchestrator.ca = match file.orchestrator.ca {
            CaSpec::Create { .. } => CaSpec::Create { cert, key },
            _ => CaSpec::Files { cert, key },
        };
        let cluster = SimulatedCluster::new(file.orchestrator.site.namespace.as_str(), clock);
        let namespaces = namespaces(&file, &cluster);
        let site = |site: &Site| rehearsed::SimulatedSite {
            cluster: namespaces.get(&key_of(site)).unwrap_or(&cluster).clone(),
            release: site.release.to_string(),
            files: site.values.clone(),
        };
        let backends = file.organizations.iter().map(|org| site(&org.site)).collect();
        let is_made = is_there || is_assumed;
        let mut federation =
            SimulatedFederation::set_up(session, copies, (ca, is_made), site(&file.orchestrator.site), backends)?;
        // Whose values are another's is for `bootstrap` to say.
        let mut meant = file.organizations.iter().zip(&federation.organizations);
        if meant.all(|(meant, org)| meant.msp_id == org.msp_id)
            && let Some(failure) = federation.public_ca()
        {
            return Err(failure);
        }
        if is_assumed {
            federation.assumed.push("the CA that the federation file has made is there".to_owned());
        }
        Ok(Self { federation, file, namespaces })
    }

    /// The cluster of a site.
    pub(super) fn open(&self, site: &Site) -> Box<dyn Cluster> {
        Box::new(self.namespaces.get(&key_of(site)).unwrap_or(&self.federation.orchestrator).clone())
    }

    /// The CA that is in use now: the plan may have made it.
    pub(super) fn ca_in_use(&self) -> Result<ca::RehearsalCa> {
        let pem = files::read(&self.federation.copies.file("orchestrator-ca.crt"))?;
        let key = files::read_private(&self.federation.copies.file("orchestrator-ca.key"))?;
        ca::RehearsalCa::of(&pem, &key)
    }
}

/// Whether the orchestrator's files have it on; files that cannot be read are refused by who sets them up.
fn has_mutual_tls(site: &Site, session: &Session<'_>) -> bool {
    let values = ValuesFiles::read(&site.values, &ValuesKey::default(), &session.sops);
    values.and_then(|values| Orchestrator::read(&values.merged())).is_ok_and(|read| read.mtls_enabled)
}

/// One for each namespace of each cluster.
fn namespaces(file: &federation::Federation, orchestrator: &SimulatedCluster) -> BTreeMap<String, SimulatedCluster> {
    let mut namespaces = BTreeMap::from([(key_of(&file.orchestrator.site), orchestrator.clone())]);
    for site in file.organizations.iter().map(|org| &org.site) {
        // Two clusters may have namespaces of one name.
        let taken = namespaces.values().any(|other| other.namespace_name() == site.namespace.as_str());
        let name = if taken { format!("{}-{}", site.namespace, namespaces.len()) } else { site.namespace.to_string() };
        namespaces.entry(key_of(site)).or_insert_with(|| orchestrator.in_namespace(&name));
    }
    namespaces
}

fn key_of(site: &Site) -> String {
    let kubeconfig = site.kubeconfig.clone().unwrap_or_default();
    format!("{}\n{}\n{}", kubeconfig.display(), site.context.as_deref().unwrap_or_default(), site.namespace)
}
