//! Judgements that `check` and `gate close` share: the objects that hold CAs, and the server's own pair.

use time::OffsetDateTime;

use super::catalogue::{CA_EXPIRED, CA_KEY_ID, Check, MOUNT_CA, MOUNT_MISSING};
use crate::{
    cluster::{Object, ObjectRef},
    commands::release::Found,
    failure::{Exit, Failure},
    pki::{
        inspect::{self, Certificate},
        server::Pair,
    },
    substra::kind::ObjectKind,
};

/// Where an object's message points.
pub(in crate::commands) struct Mounts<'a> {
    pub(in crate::commands) found: &'a Found,
    pub(in crate::commands) objects: &'a [Object],
    pub(in crate::commands) now: OffsetDateTime,
    /// `kubectl -n orchestrator`, for the commands that help.
    pub(in crate::commands) kubectl: String,
}

impl Mounts<'_> {
    pub(in crate::commands) fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        wanted.among(self.objects)
    }

    /// A CA's object that is or will be mounted as `kind`: there, in the right kind, and beginning with the certificate of
    /// a CA that can be told by its key identifier and has not ended.
    pub(in crate::commands) fn judge_ca(&self, kind: ObjectKind, name: &str) -> Option<Failure> {
        let fail = |check: &Check, what: String| Failure::new(Exit::CheckFailed, check.id, what);
        let Some(object) = self.object(&ObjectRef::of_kind(kind, name)) else { return Some(self.absent(kind, name)) };
        let first = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()?.into_iter().next());
        let Some(first) = first else {
            let why = match object.data("ca.crt") {
                None => format!("it has no item ca.crt; it has: {}", object.keys().join(", ")),
                Some(_) => "the server reads the first PEM block of every client CA".to_owned(),
            };
            let what =
                format!("the orchestrator would crash: {kind} {name} has no certificate at the start of its ca.crt");
            return Some(fail(&MOUNT_CA, what).why(why).next(self.make_again(kind, name)));
        };
        if !first.is_ca {
            let fail = fail(&MOUNT_CA, format!("{kind} {name} begins with a certificate that is no CA"));
            return Some(fail.why("no client certificate can chain to it").next(self.make_again(kind, name)));
        }
        if first.subject_key_id.as_ref().is_none_or(Vec::is_empty) {
            return Some(
                fail(&CA_KEY_ID, format!("{kind} {name} holds a CA without subjectKeyIdentifier"))
                    .why("the identity check would compare against an empty key identifier")
                    .next("use a CA with that extension"),
            );
        }
        (first.not_after < self.now).then(|| {
            fail(&CA_EXPIRED, format!("the CA in {kind} {name} ended on {}", first.not_after.date()))
                .why("everybody would be refused")
                .next("renew the CA first")
        })
    }

    /// Not there, or only in the other kind.
    pub(in crate::commands) fn absent(&self, kind: ObjectKind, name: &str) -> Failure {
        let other = if kind == ObjectKind::Secret { ObjectKind::ConfigMap } else { ObjectKind::Secret };
        let chart = &self.found.chart;
        let why = if self.object(&ObjectRef::of_kind(other, name)).is_some() {
            format!("there is a {other} of that name, and chart {} {} mounts a {kind}", chart.name, chart.version)
        } else {
            "nothing of that name is there, and the pods that mount it wait for ever".to_owned()
        };
        Failure::new(
            Exit::CheckFailed,
            MOUNT_MISSING.id,
            format!("{} would not start: {kind} {name} is not there", chart.name),
        )
        .why(why)
        .next(self.make(kind, name))
    }

    fn make(&self, kind: ObjectKind, name: &str) -> String {
        let words = if kind == ObjectKind::Secret { "secret generic" } else { "configmap" };
        format!("{} create {words} {name} --from-file=ca.crt=orchestrator-ca.crt", self.kubectl)
    }

    fn make_again(&self, kind: ObjectKind, name: &str) -> String {
        let delete = format!("{} delete {} {name}", self.kubectl, kind.to_string().to_lowercase());
        format!("make it again from the CA's certificate alone: {delete}; {}", self.make(kind, name))
    }

    /// Every certificate that the server trusts for clients.
    pub(in crate::commands) fn pool(&self) -> Vec<Certificate> {
        let objects = self.objects.iter().filter_map(|object| object.data("ca.crt"));
        objects.filter_map(|pem| inspect::certificates(&pem).ok()).flatten().collect()
    }

    /// The server's own pair, with which its health probe dials (chart `orchestrator`, probes of the server); `None` where
    /// it is missing or cannot be read.
    pub(in crate::commands) fn server(&self, name: &str) -> Option<Pair> {
        read_pair(self.object(&ObjectRef::secret(name))?)
    }
}

/// Both halves of a pair.
pub(super) fn read_pair(object: &Object) -> Option<Pair> {
    Pair::read(&object.data("tls.crt")?, &object.data("tls.key")?)
}
