//! Which settings of the charts are ours: those that the verbs write, and no other.

use super::{backend, orchestrator};
use crate::values::KeyPath;

/// Whether a chart's value at this place is one that a verb may have written: it is shown, as nobody else's is.
#[must_use]
pub fn is_own(place: &KeyPath) -> bool {
    let admitted = || {
        let [above @ .., Some(_), None] = place else { return false };
        above.len() == orchestrator::CLIENT_CAS.len() && begins(above, orchestrator::CLIENT_CAS)
    };
    let exact = |path: &&[&str]| *path != orchestrator::CLIENT_CAS && place.len() == path.len() && begins(place, path);
    let mut all = backend::OWN_PATHS.iter().chain(orchestrator::OWN_PATHS).chain(orchestrator::TLS_PATHS);
    all.any(exact) || admitted()
}

fn begins(place: &KeyPath, path: &[&str]) -> bool {
    place.iter().map(Option::as_deref).take(path.len()).eq(path.iter().copied().map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(path: &str) -> bool {
        let part = |word: &str| (word != "-").then(|| word.to_owned());
        is_own(&path.split('.').map(part).collect::<Vec<_>>())
    }

    #[test]
    fn what_the_verbs_write_is_ours_and_what_stands_beside_or_below_it_is_not() {
        for ours in ["tls.cacert", "tls.secrets.pair", "tls.mtls.clientCertificate", "tls.mtls.clientCACerts.A.-"] {
            assert!(own(&format!("orchestrator.{ours}")), "{ours}");
        }
        for other in [
            "mspID",
            "tls.cacert.x",
            "tls.secrets",
            "tls.mtls.clientCACerts",
            "tls.mtls.clientCACerts.A",
            "tls.mtls.clientCACerts.A.b",
            "tls.mtls.clientCACerts.A.-.-",
            "tls.mtls.clientCACerts.-.-",
        ] {
            assert!(!own(&format!("orchestrator.{other}")), "{other}");
        }
        assert!(!own("x.orchestrator.tls.cacert") && !own(""));
    }
}
