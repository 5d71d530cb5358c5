//! What would crash the orchestrator or lock out its own probe is found before the gate closes.

use super::Gate;
use crate::{
    cluster::{Object, ObjectRef},
    commands::release::Planned,
    failure::{Exit, Failure},
    pki::{
        inspect::{self, Certificate},
        server::{self, Pair},
    },
    substra::kind::ObjectKind,
};

impl Gate<'_> {
    /// The health probe dials with the server's pair as its client certificate (chart `orchestrator`, probes of the server).
    pub(in crate::commands) fn judge_server_pair(&self, planned: &Planned) -> Vec<Failure> {
        let name = self.orchestrator.server_pair.as_str();
        let fail = |code, why: String, next: String| {
            vec![
                Failure::new(
                    Exit::CheckFailed,
                    code,
                    format!("the orchestrator would restart for ever: its pair in Secret {name} fails its own probe"),
                )
                .why(why)
                .next(next),
            ]
        };
        let renew = format!(
            "ca init renews it; or put a new one into Secret {name} (serverAuth and clientAuth, all its names), then kubectl rollout restart"
        );
        let (release, namespace) = (self.found.name.as_str(), &self.found.release.namespace);
        let probe = planned.manifest.probe_name().unwrap_or_else(|| self.orchestrator.probe_name(release, namespace));
        let pair = self
            .object(&ObjectRef::secret(name))
            .and_then(|object| Pair::read(&object.data("tls.crt")?, &object.data("tls.key")?));
        server::fault(pair.as_ref(), [probe.as_str()], &self.authorities(), self.desk.now)
            .map_or_else(Vec::new, |fault| fail(fault.code, fault.why, renew))
    }

    /// All that will be mounted: there, in the right kind, and beginning with the CA's certificate.
    pub(in crate::commands) fn judge_mounts(&self, planned: &Planned) -> Vec<Failure> {
        let cas = self.orchestrator.client_cas.values().flatten().map(String::as_str);
        let mut names: Vec<&str> = cas.chain([self.orchestrator.cacert.as_str()]).collect();
        names.sort_unstable();
        names.dedup();
        names.iter().filter_map(|name| self.judge_mount(planned, name)).collect()
    }

    fn judge_mount(&self, planned: &Planned, name: &str) -> Option<Failure> {
        let chart = &self.found.chart;
        let kind = planned
            .manifest
            .mount_kind(name)
            .unwrap_or_else(|| crate::substra::manifest::expected_kind(&chart.name, &chart.version));
        let fail = |code, what: String| Some(Failure::new(Exit::CheckFailed, code, what));
        let Some(object) = self.object(&ObjectRef::of_kind(kind, name)) else {
            let other = if kind == ObjectKind::Secret { ObjectKind::ConfigMap } else { ObjectKind::Secret };
            let why = if self.object(&ObjectRef::of_kind(other, name)).is_some() {
                format!("there is a {other} of that name, and chart {} {} mounts a {kind}", chart.name, chart.version)
            } else {
                "nothing of that name is there".to_owned()
            };
            return fail("mount-missing", format!("the orchestrator would not start: {kind} {name} is not there"))
                .map(|f| f.why(why).next("make it from the CA's certificate, with the item ca.crt"));
        };
        let first = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()?.into_iter().next());
        match first {
            None => fail(
                "mount-ca",
                format!("the orchestrator would crash: {kind} {name} has no certificate at the start of its ca.crt"),
            )
            .map(|f| {
                f.why("the server reads the first PEM block of every client CA")
                    .next("make it again from the CA's certificate alone")
            }),
            Some(first) if !first.is_ca => {
                fail("mount-ca", format!("{kind} {name} begins with a certificate that is no CA")).map(|f| {
                    f.why("no client certificate can chain to it").next("make it again from the CA's certificate alone")
                })
            }
            Some(first) if first.subject_key_id.is_none() => {
                fail("mount-ski", format!("{kind} {name} holds a CA without subjectKeyIdentifier")).map(|f| {
                    f.why("the identity check would compare against an empty key identifier")
                        .next("use a CA with that extension")
                })
            }
            Some(first) if first.not_after < self.desk.now => {
                fail("mount-expired", format!("the CA in {kind} {name} ended on {}", first.not_after.date()))
                    .map(|f| f.why("everybody would be refused").next("renew the CA first"))
            }
            Some(_) => None,
        }
    }

    /// Every certificate that the server would trust for clients.
    fn authorities(&self) -> Vec<Certificate> {
        let objects = self.objects.iter().filter_map(|object| object.data("ca.crt"));
        objects.filter_map(|pem| inspect::certificates(&pem).ok()).flatten().collect()
    }

    fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        self.objects.iter().find(|object| object.reference() == *wanted)
    }
}
