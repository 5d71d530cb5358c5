//! Every check: its stable id, its group, on which side it looks, what it looks at, why, and what helps.

use std::fmt;

use crate::{ids::ids, substra::Side};

/// Groups, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands) enum Group {
    /// helm and kubectl.
    Tools,
    /// What this account may do.
    Rights,
    /// The release and its rollout.
    Release,
    /// The values files.
    Values,
    /// Secrets and ConfigMaps that are mounted.
    Objects,
    /// Keys and certificates.
    Keys,
    /// Who can act as whom.
    Identity,
    /// What has to come before what.
    Order,
    /// Real handshakes.
    Live,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tools => "tools",
            Self::Rights => "rights",
            Self::Release => "release",
            Self::Values => "values",
            Self::Objects => "objects",
            Self::Keys => "keys and certificates",
            Self::Identity => "identity",
            Self::Order => "order",
            Self::Live => "live",
        })
    }
}

/// In which order problems are solved: that of the exchange. What would be refused for something else comes after that, and
/// what something else brings about comes after it too.
const TURNS: [Check; Check::ALL.len()] = [
    Check::Tools,
    Check::Rights,
    Check::Release,
    Check::ReleasePending,
    Check::Values,
    Check::ValuesOddWords,
    Check::KeyForm,
    Check::KeyCollision,
    Check::Drift,
    // TLS, and what the pods mount for it.
    Check::Tls,
    Check::MountMissing,
    Check::MountCa,
    Check::MountSki,
    Check::MountExpired,
    Check::MountBundle,
    Check::ServerPair,
    Check::ServerExpired,
    Check::ServerAuth,
    Check::ServerClientAuth,
    Check::ServerName,
    Check::ServerChain,
    // The backend's own pair.
    Check::Pair,
    Check::PairHalves,
    Check::PairExpired,
    Check::PairChain,
    Check::PairKeyId,
    Check::PairOrganization,
    Check::PairTwoOrganizations,
    Check::PairUsage,
    Check::PairName,
    Check::MtlsWithoutPair,
    // What keeps the server from its start, or would cut somebody off.
    Check::MtlsEmpty,
    Check::MemberCutOff,
    // What was begun.
    Check::HalfWay,
    Check::ReleaseFailed,
    Check::PodsWaiting,
    Check::Rollout,
    Check::RestartObjects,
    Check::RestartChannels,
    // Who is let in, and as whom.
    Check::Passthrough,
    Check::IdentityCheck,
    Check::LiveOwn,
    Check::LiveWithout,
    Check::LiveOther,
    Check::IssuedName,
    Check::IssuedRefused,
    Check::RenewalAlarm,
    Check::KeyAdmitsNobody,
    Check::ForeignCa,
    Check::IssuerAnyOrganization,
    // What expires soon.
    Check::MemberOverdue,
    Check::ServerEnds,
    Check::PairEnds,
    Check::Renewal,
    Check::CaEnds,
];

/// What is said of a check.
#[derive(Debug)]
struct CheckDoc {
    group: Group,
    side: Option<Side>,
    what: &'static str,
    why: &'static str,
    helps: &'static str,
}

/// `Name "id" Group SIDE, "what it looks at", "why that matters", "what helps when it fails";`, in the order of the groups.
macro_rules! catalogue {
    ($($name:ident $id:literal $group:ident $side:ident, $what:literal, $why:literal, $helps:literal;)*) => {
        ids! {
            /// One check.
            pub enum Check { $(#[doc = $what] $name = $id,)* }
        }

        impl Check {
            const fn about(self) -> &'static CheckDoc {
                match self {
                    $(Self::$name => &CheckDoc { group: Group::$group, side: $side, what: $what, why: $why, helps: $helps },)*
                }
            }
        }
    };
}

impl Check {
    /// The check of an id.
    #[must_use]
    pub(in crate::commands) fn of(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|check| check.id() == id)
    }

    /// Its place in the order in which problems are solved.
    #[must_use]
    pub(super) fn turn(self) -> usize {
        TURNS.iter().position(|check| *check == self).unwrap_or(TURNS.len())
    }

    /// Its group.
    #[must_use]
    pub(in crate::commands) fn group(self) -> Group {
        self.about().group
    }

    /// On which side it looks; `None` for both.
    #[must_use]
    pub(in crate::commands) fn side(self) -> Option<Side> {
        self.about().side
    }

    /// What it looks at.
    #[must_use]
    pub(in crate::commands) fn what(self) -> &'static str {
        self.about().what
    }

    /// Why that matters.
    #[must_use]
    pub(in crate::commands) fn why(self) -> &'static str {
        self.about().why
    }

    /// What helps when it fails.
    #[must_use]
    pub(in crate::commands) fn helps(self) -> &'static str {
        self.about().helps
    }
}

const BOTH: Option<Side> = None;
const ORG: Option<Side> = Some(Side::Backend);
const ORC: Option<Side> = Some(Side::Orchestrator);

catalogue! {
    Tools "tools" Tools BOTH, "helm and kubectl are there",
        "everything about the cluster is read through them", "install them, or put their folder on PATH";
    Rights "rights" Rights BOTH, "this account may do what the next verbs do",
        "a verb that is refused half-way leaves work undone", "the Role that `helm substra-mtls role backend` (or orchestrator) prints";

    Release "release" Release BOTH, "the release is there and can be read",
        "everything else depends on it", "name it with --release, --namespace and --kube-context";
    ReleasePending "release-pending" Release BOTH, "no helm operation holds the release",
        "a helm that was killed leaves it pending, and every upgrade fails from then on",
        "run the verb again: it waits, or goes on with --recover; by hand helm rollback, when no helm is running";
    ReleaseFailed "release-failed" Release BOTH, "the last upgrade did not fail",
        "what is deployed may be half of what the values say", "run the verb again: it upgrades once more";
    Rollout "rollout" Release BOTH, "every workload is new and ready, no old pod is left",
        "helm says success before the pods run; the old pod goes on while the new one cannot start",
        "kubectl describe the pods that are not ready";
    Drift "drift" Release BOTH, "the values files and the deployed values are equal, mutual TLS aside",
        "an upgrade would change more than mutual TLS, so the verbs stop", "bring the files up to what is deployed, or --accept-drift";
    HalfWay "half-way" Release BOTH, "what the files say of mutual TLS is deployed",
        "a run that was interrupted leaves the file ahead of the release", "run the same verb again: it continues where it stopped";

    Values "values" Values BOTH, "names and switches in the values can be used",
        "Helm reads an unquoted 0123, no or on as something else, and a default of the chart is nobody's name",
        "fix the value in the file, with quotes";
    ValuesOddWords "values-odd-words" Values BOTH, "no word is read by Helm otherwise than it looks",
        "Helm reads YAML 1.1: yes, no, on, off, y and n are booleans, as keys too, and 0123 is 83", "quote the word, or write true, false or the number";
    Tls "tls" Values BOTH, "TLS to the orchestrator is on",
        "mutual TLS requires TLS", "ca init at the orchestrator, then ca trust --backend --enable-tls at each backend";

    MountMissing "mount-missing" Objects BOTH, "every mounted object is there, in the kind that the chart mounts",
        "pods wait in ContainerCreating forever; charts mount Secrets since orchestrator 8.6 and backend 26.0, ConfigMaps before", "ca trust at a backend, ca init at the orchestrator: they make it in the kind that is mounted";
    MountCa "mount-ca" Objects BOTH, "each ca.crt is there and begins with a CA's certificate",
        "the server reads the first PEM block of every client CA, and crashes on anything else", "ca trust at a backend, ca init at the orchestrator: they make it again";
    MountBundle "mount-bundle" Objects ORC, "an object under clientCACerts holds one CA",
        "all of a bundle count for TLS, only its first for the identity check", "one object for each CA";
    PodsWaiting "pods-waiting" Objects BOTH, "no pod waits for a mount, an image or its next crash",
        "a StatefulSet's pod that hung on a mount does not recover by itself", "kubectl describe it, fix what it waits for, delete it if it stays";

    MountSki "mount-ski" Keys BOTH, "every CA has a subjectKeyIdentifier",
        "without one the identity check compares empty identifiers: anybody's leaf without authorityKeyIdentifier fits", "a CA with that extension";
    MountExpired "mount-expired" Keys BOTH, "no CA has expired",
        "both servers look at the CA's own dates: everybody is refused at once", "a new CA, rolled out to all";
    CaEnds "ca-ends" Keys BOTH, "no CA expires soon (--warn-before)",
        "a new CA takes every organization's operator", "plan its rotation";
    ServerPair "server-pair" Keys ORC, "the server's pair can be read and its halves fit",
        "else the server exits when it starts", "ca init, which renews it and restarts the server";
    ServerExpired "server-expired" Keys ORC, "the server's certificate has not expired",
        "every backend refuses it, and so does the probe", "ca init, which renews it and restarts the server";
    ServerEnds "server-ends" Keys ORC, "the server's certificate does not expire soon (--warn-before)",
        "everybody is cut off at once when it expires", "ca init, which renews it and restarts the server";
    ServerAuth "server-auth" Keys ORC, "the server's certificate may be a server",
        "every backend refuses it otherwise", "ca init, which makes one with serverAuth and clientAuth";
    ServerClientAuth "server-client-auth" Keys ORC, "the server's certificate may be a client too",
        "with mutual TLS the health probe dials with the server's own pair", "ca init, which makes one with serverAuth and clientAuth";
    ServerName "server-name" Keys ORC, "the server's certificate covers the name that the probe asks for",
        "the kubelet would restart the pod forever", "ca init, which makes one with that name";
    ServerChain "server-chain" Keys ORC, "the server's certificate comes from a CA of the client pool",
        "the probe would be refused as a client", "ca init, which makes one from that CA";
    Pair "pair" Keys ORG, "the client pair is there and can be read",
        "with an empty half the backend connects without a certificate, and with one that does not load not at all", "enroll again";
    PairHalves "pair-halves" Keys ORG, "certificate and key belong together",
        "grpcio says no more than \"empty address list\"", "enroll again";
    PairChain "pair-chain" Keys ORG, "the certificate comes from the CA that this cluster trusts",
        "the orchestrator trusts its own CA and those under clientCACerts", "a certificate from the federation's CA";
    PairExpired "pair-expired" Keys ORG, "the certificate is valid now",
        "the next connection is refused", "enroll, which asks for a new one";
    PairEnds "pair-ends" Keys ORG, "the certificate does not expire soon (--warn-before)",
        "a renewal takes two people", "enroll, which asks for a new one while the old one serves";
    Renewal "renewal" Keys ORG, "the certificate's renewal is on schedule: asked for in its last third, answered within 7 days and before its last sixth",
        "a renewal that nobody answers cuts the organization off on its certificate's last day", "enroll, then a call to the orchestrator's operator";

    PairKeyId "pair-key-id" Identity ORG, "the certificate is X.509 v3 and names its CA by key identifier",
        "the identity check finds the CA only by it; the walkthrough's openssl x509 -req writes v1 without it", "a certificate from approve";
    PairUsage "pair-usage" Identity ORG, "the certificate is only for clients",
        "with serverAuth, or without any extended key usage, its holder can pose as the orchestrator", "a certificate from approve";
    PairOrganization "pair-organization" Identity ORG, "its O is orchestrator.mspID, byte for byte",
        "the identity check refuses every call otherwise", "a certificate for that name, or the right mspID";
    PairTwoOrganizations "pair-two-organizations" Identity ORG, "it has one O",
        "with two it may act as either", "a certificate with one O";
    PairName "pair-name" Identity ORG, "it carries no name of the orchestrator",
        "its holder could serve as the orchestrator to every backend", "a certificate with the backend's own host";
    KeyAdmitsNobody "key-admits-nobody" Identity ORC, "every key of clientCACerts is a member's name",
        "under the identity check a key admits the organization of exactly its name: the walkthrough's key orchestrator admits nobody", "approve each organization, then take the key out";
    KeyCollision "key-collision" Identity ORC, "no two keys of clientCACerts have the same kebab form",
        "they would be one volume, and the API server refuses the manifest", "another spelling for one of them";
    KeyForm "key-form" Identity ORC, "every key of clientCACerts makes a good volume name and path",
        "the kebab form may have 32 characters, and the key is printed unquoted into a path", "a shorter name, of letters and digits";
    IdentityCheck "identity-check" Identity ORC, "verifyClientMSPID is on where mutual TLS is",
        "without it any holder of any certificate can act as any organization", "gate close";
    ForeignCa "foreign-ca" Identity ORC, "no CA but the orchestrator's own is in the client pool",
        "anyone who has the key of any CA in the pool can act as every organization", "certificates from the federation's CA for that organization";
    IssuerAnyOrganization "issuer-any-organization" Identity ORC, "no cert-manager issuer gives any namespace any O",
        "a ClusterIssuer with the CA's key signs what every namespace asks for", "an Issuer in the orchestrator's namespace";
    IssuedName "issued-name" Identity ORC, "no certificate of the issue log can pose as the orchestrator",
        "a client certificate with a name of the orchestrator, or for servers too, serves as it", "wait for its end, or rotate the CA";
    IssuedRefused "issued-refused" Identity ORC, "no certificate of the issue log would be refused",
        "one without authorityKeyIdentifier fails on the day the identity check is turned on", "a new request and approve";
    RenewalAlarm "renewal-alarm" Identity ORC, "no certificate vouched for two requests",
        "the first was lost, or the key is in two hands", "a call, then approve --settle ORG --keep SERIAL";
    MemberOverdue "member-overdue" Identity ORC, "no member's certificate expires soon without a newer one",
        "it is cut off on that day", "enroll, by that member's operator";

    MtlsEmpty "mtls-empty" Order ORC, "clientCACerts has a key where mutual TLS is on",
        "the folder is not mounted then, and the server exits when it starts", "approve the first organization, then gate close";
    MemberCutOff "member-cut-off" Order ORC, "every member of channels has a key of its own where mutual TLS is on",
        "a member without one is cut off by the identity check", "approve its request";
    MtlsWithoutPair "mtls-without-pair" Order ORG, "the pair is there where mutual TLS is on",
        "the pods hang on its mount, and the organization is cut off", "enroll";
    Passthrough "passthrough" Order ORC, "an Ingress in front passes TLS through",
        "mutual TLS ends in the orchestrator's own process: an Ingress that ends it takes every certificate away", "nginx.ingress.kubernetes.io/ssl-passthrough: \"true\" under ingress.annotations";
    RestartObjects "restart-objects" Order ORC, "no mounted pair or CA is newer than the pods",
        "the orchestrator reads them once, at its start", "kubectl rollout restart";
    RestartChannels "restart-channels" Order ORC, "the channels are not newer than the pods",
        "they are mounted by subPath without a checksum: a change of the members restarts nothing", "kubectl rollout restart";

    LiveOwn "live-own" Live BOTH, "the orchestrator answers the pair that is in the cluster",
        "the proof that nothing in between is wrong", "the answer says which part";
    LiveWithout "live-without" Live BOTH, "the orchestrator refuses a client without a certificate",
        "mutual TLS is on when it does", "gate close, by the orchestrator's operator";
    LiveOther "live-other" Live BOTH, "the orchestrator refuses the pair under another organization's name",
        "the identity check is on when it does", "gate close, by the orchestrator's operator";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::kebab;

    #[test]
    fn each_id_is_its_name_and_stands_once_in_the_order_of_the_groups() {
        assert!(Check::ALL.is_sorted_by_key(|check| check.group()));
        for check in Check::ALL {
            assert_eq!(kebab(&format!("{check:?}")), check.id());
            assert_eq!(Check::of(check.id()), Some(*check));
            assert!(TURNS.contains(check), "{check:?} has no turn");
        }
    }
}
