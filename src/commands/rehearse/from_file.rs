//! The federation of `bootstrap`'s own file, on the simulated cluster: the same plan, on copies of the same values files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::federation::{Federation, copied, organization};
use crate::{
    cluster::{Cluster, simulated::Simulated},
    failure::Result,
    federation::{self, Ca, Site},
    files,
    pki::{
        authority::create_root,
        inspect,
        key::{KeyType, PrivateKey},
    },
    times::Clock,
};

/// The rehearsal's world, and the file as it stands in it.
pub(super) struct FromFile {
    pub(super) federation: Federation,
    pub(super) file: federation::Federation,
    namespaces: BTreeMap<String, Simulated>,
}

impl FromFile {
    /// Reads the file and sets its releases up with the values that their files have.
    pub(super) fn read(path: &Path, clock: &Clock) -> Result<Self> {
        let now = clock.now();
        let mut file = federation::Federation::read(path)?;
        let folder = files::scratch()?;
        let (certificate, key) = (folder.path().join("orchestrator-ca.crt"), folder.path().join("orchestrator-ca.key"));
        // The user's own CA is never touched: a throw-away one takes its place.
        let (ca_key, ca_pem) = create_root(KeyType::EcdsaP256, now)?;
        let ca = inspect::certificates(ca_pem.as_bytes())?.swap_remove(0);
        let is_made = matches!(file.orchestrator.ca, Ca::Create { .. });
        if is_made {
            file.orchestrator.ca = Ca::Create { cert: certificate, key };
        } else {
            files::publish(&certificate, ca_pem.as_bytes())?;
            files::create_private(&key, ca_key.to_pem().as_bytes())?;
            file.orchestrator.ca = Ca::Files { cert: certificate, key };
        }
        let mut copies: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        let mut own = |site: &mut Site| -> Result<()> {
            for values in &mut site.values {
                // A file that several read is one file here too.
                let real = files::real(values);
                *values = match copies.get(&real) {
                    Some(copy) => copy.clone(),
                    None => copied(folder.path(), values, copies.len())?,
                };
                copies.insert(real, values.clone());
            }
            (site.chart, site.version) = (None, None);
            Ok(())
        };
        own(&mut file.orchestrator.site)?;
        file.organizations.iter_mut().try_for_each(|org| own(&mut org.site))?;
        let orchestrator = Simulated::new(file.orchestrator.site.namespace.as_str(), clock);
        let there = (!is_made).then_some(ca_pem.as_str());
        let mut namespaces = BTreeMap::from([(key_of(&file.orchestrator.site), orchestrator.clone())]);
        let mut organizations = Vec::new();
        for org in &file.organizations {
            // Two clusters may have namespaces of one name.
            let taken = namespaces.values().any(|other| other.place_name() == org.site.namespace.as_str());
            let name = if taken {
                format!("{}-{}", org.site.namespace, namespaces.len())
            } else {
                org.site.namespace.to_string()
            };
            let cluster = namespaces.entry(key_of(&org.site)).or_insert_with(|| orchestrator.namespace(&name)).clone();
            organizations.push(organization(cluster, org.site.release.as_str(), &org.site.values, there)?);
        }
        let orchestrator_file = file.orchestrator.site.values[0].display().to_string();
        let release = file.orchestrator.site.release.to_string();
        let mut federation = Federation {
            folder,
            orchestrator_file,
            orchestrator,
            release,
            organizations,
            ca,
            ca_key,
            dialled: String::new(),
        };
        federation.distinct()?;
        federation.install_orchestrator(&file.orchestrator.site.values, there, now)?;
        Ok(Self { federation, file, namespaces })
    }

    /// The cluster of a site.
    pub(super) fn open(&self, site: &Site) -> Box<dyn Cluster> {
        Box::new(self.namespaces.get(&key_of(site)).unwrap_or(&self.federation.orchestrator).clone())
    }

    /// The CA that is in use now: the plan may have made it.
    pub(super) fn take_over_ca(&mut self) -> Result<()> {
        let (Ca::Create { cert, key } | Ca::Files { cert, key }) = &self.file.orchestrator.ca else { return Ok(()) };
        self.federation.ca = inspect::certificates(&files::read(cert)?)?.swap_remove(0);
        if let Ok(key) = PrivateKey::from_pem(&files::read_private(key)?, None) {
            self.federation.ca_key = key;
        }
        Ok(())
    }
}

fn key_of(site: &Site) -> String {
    let kubeconfig = site.kubeconfig.clone().unwrap_or_default();
    format!("{}\n{}\n{}", kubeconfig.display(), site.context.as_deref().unwrap_or_default(), site.namespace)
}
