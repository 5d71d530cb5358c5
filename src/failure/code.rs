//! The codes of failures: stable words that scripts may match, each with what it means.

use crate::ids::ids;

/// `Name "id" "meaning";` for each code, on one line: there are many.
macro_rules! codes {
    ($($name:ident $id:literal $meaning:literal;)+) => {
        ids! {
            /// Which failure it is. Scripts match the id: a code is never renamed, and goes only with its failure.
            pub enum Code {
                $(#[doc = $meaning] $name = $id,)+
            }
        }

        impl Code {
            /// What it means, in one line.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                }
            }
        }
    };
}

codes! {
    // The tool itself and its terminal.
    Bug "bug" "A mistake of this tool: please report it.";
    Usage "usage" "The command line is wrong.";
    NoTerminal "no-terminal" "A question has to be asked, and there is no terminal to ask it at.";
    Declined "declined" "The answer to a question was no.";
    Interrupted "interrupted" "Stopped by Ctrl-C or a termination signal.";
    Signals "signals" "Signals cannot be listened to.";
    Stdout "stdout" "The result could not be written to stdout.";
    Descriptor "descriptor" "The file descriptor of --passphrase-fd gives no passphrase.";
    NoRandomness "no-randomness" "The system gives no random numbers.";
    NoSuchCheck "no-such-check" "`check --explain` was given an id that no check has.";
    WhichSide "which-side" "The values do not tell whether they are the orchestrator's or a backend's.";

    // Files.
    FileUnreadable "file-unreadable" "A file cannot be read.";
    FileUnwritable "file-unwritable" "A file or folder cannot be written.";
    FileUnsynced "file-unsynced" "A file was written, and it is not certain that it outlives a crash.";
    FileChanged "file-changed" "Somebody changed a file while we worked on it.";
    FileExists "file-exists" "A file that would be created is there already.";
    FileKind "file-kind" "It is not a plain file.";
    FileSize "file-size" "A file is too large.";
    FileTorn "file-torn" "A file has half a line at its end, which could not be taken back.";
    HardLinks "hard-links" "A file has several names, and replacing it would change one of them only.";
    Locked "locked" "Another run uses the file.";
    KeyFileNoKey "key-file-no-key" "The file that should hold a private key holds none.";
    KeyFileOpen "key-file-open" "Other users can read the private key's file.";
    TargetForeign "target-foreign" "The file that a result would replace is not one of ours.";
    TargetInUse "target-in-use" "The file that a result would be written to is one that this run reads.";

    // helm, kubectl, sops and the cluster.
    ToolMissing "tool-missing" "`helm`, `kubectl` or `sops` is not there or cannot be used.";
    Child "child" "A child process could not be started.";
    ChildOutput "child-output" "A child process said more than any answer that is needed.";
    TimeLimit "time-limit" "A child process took too long, or Helm says that its own `--timeout` ran out.";
    KubeToken "kube-token" "A bearer token was given to Helm by flag or environment.";
    Helm "helm" "`helm` failed, or its answer is not understood.";
    Kubectl "kubectl" "`kubectl` failed, or its answer is not understood.";
    Sops "sops" "`sops` failed; or an encrypted file would have to be edited without it.";
    Forbidden "forbidden" "The cluster does not allow this to the account, or the namespace is not the right one.";
    Exists "exists" "Somebody else made the object meanwhile.";
    Conflict "conflict" "Somebody else changed the object meanwhile.";
    NotFound "not-found" "The object is gone.";
    Pending "pending" "A helm operation holds the release; or the Secret of the pending request is not one of ours.";
    NotAsWritten "not-as-written" "What this run wrote was changed or did not stay.";
    LastCopy "last-copy" "An object stays because it has the last copy of a key.";
    Simulated "simulated" "A file is not one of a simulated cluster.";
    Fault "fault" "A call that a test makes fail.";

    // Releases and charts.
    Chart "chart" "The chart cannot be had, or it is another chart or version than the release's.";
    ChartFolder "chart-folder" "The name of a repository's chart is that of a folder here too.";
    Render "render" "The chart does not render with these values.";
    Manifest "manifest" "The release's manifest cannot be read.";
    NoRelease "no-release" "There is no release of this name.";
    WhichRelease "which-release" "There is none or more than one release of the chart, or its name cannot be used.";
    ReleaseChart "release-chart" "The release is of another chart.";
    ReleasePending "release-pending" "Another helm works on the release, or was killed and left it so.";
    Drift "drift" "The values files and the deployed values differ in more than mutual TLS.";
    NotDeployed "not-deployed" "After the upgrade the release is not as the upgrade meant it.";
    UpgradedByOthers "upgraded-by-others" "Somebody else upgraded the release during this run.";
    Rollout "rollout" "The workloads are not rolled out within the time limit.";

    // Values: which files, and what they say.
    Value "value" "A value cannot be used.";
    ValuesKey "values-key" "The values of an umbrella chart need --values-key, or the chart renders nothing below it.";
    ValuesMerge "values-merge" "Several values files cannot be edited together safely.";
    ValuesReading "values-reading" "Helm reads a values file otherwise than this tool, so it is not edited.";
    ValuesShared "values-shared" "A values file that would be edited is another party's too.";
    ValuesSide "values-side" "These are the other side's values.";
    SopsUnproven "sops-unproven" "It could not be proven that sops changes nothing else in the file.";
    MspId "msp-id" "No MSP ID, or the chart's default, which names no organization.";
    Host "host" "The values name no host of this backend.";
    TlsOff "tls-off" "TLS is not on, and mutual TLS needs it.";
    NoCacert "no-cacert" "The values name no CA of the orchestrator.";

    // Values: a text that is not read or not edited.
    NotUtf8 "not-utf8" "The file is not UTF-8.";
    ControlCharacter "control-character" "A character that some programs take for a line end, or that Helm cannot read.";
    Directive "directive" "A `%` directive, which Helm 4 cannot read.";
    TextAfterDashes "text-after-dashes" "Text after `---`, which Helm 3 and Helm 4 read differently.";
    Documents "documents" "More than one document, or one that Helm 4 cannot read.";
    Tab "tab" "A tab where Helm wants blanks.";
    BlockTextEnd "block-text-end" "A block text ends with the file, without a line end.";
    Yaml "yaml" "The file is not YAML.";
    Depth "depth" "Maps and lists stand too deep in each other.";
    Top "top" "The top of the file is not a map.";
    Key "key" "A key that is not a single word or text, or that Helm cannot use.";
    KeyTwice "key-twice" "A key stands twice in its map.";
    Number "number" "Infinity or not-a-number, which Helm cannot hold.";
    Tag "tag" "A tag that is not understood, or where an edit would be.";
    AnchorName "anchor-name" "An anchor's name has other signs than letters, digits, `_` and `-`.";
    Anchor "anchor" "An alias refers to the place that would be edited.";
    Alias "alias" "An alias where an edit would be, or one inside its own anchor.";
    AliasBomb "alias-bomb" "Aliases multiply the file beyond reason.";
    Merge "merge" "`<<` merges something else than maps, or a map that would be edited.";
    FlowColon "flow-colon" "A colon between brackets that Helm takes for a part of the key.";
    FlowNull "flow-null" "A value is missing at the end of a collection between brackets.";
    FlowComment "flow-comment" "A comment stands where an entry between brackets would be taken out.";
    ListForm "list-form" "A list that is not written as one `- item` a line.";
    KeyForm "key-form" "A key that is not written as `key:` on a line of its own.";
    SeveralLines "several-lines" "The value to edit has several lines.";
    NotAList "not-a-list" "Something else stands where a list must be.";
    NotAMap "not-a-map" "Something else stands where a map must be.";
    NotAValue "not-a-value" "A map or list stands where a single value must be.";
    Unproven "unproven" "The edit could not be proven to change nothing else.";

    // federation.yaml.
    FederationYaml "federation-yaml" "The federation file is not YAML, or not UTF-8.";
    FederationVersion "federation-version" "The federation file has a version that this tool does not know.";
    FederationKey "federation-key" "A key of the federation file is unknown or stands twice.";
    FederationMissing "federation-missing" "Something that the federation file needs is missing.";
    FederationType "federation-type" "A value of the federation file is of the wrong type.";
    FederationValue "federation-value" "A value of the federation file cannot be used.";
    FederationCa "federation-ca" "It is not clear where the federation file has its CA.";
    FederationClash "federation-clash" "Two parties of the federation file have the same release.";
    FederationCutOff "federation-cut-off" "cutOff without `gate: close`, or an organization in it twice.";

    // Keys.
    KeyNotMade "key-not-made" "No private key could be made.";
    KeyNotEncrypted "key-not-encrypted" "The private key could not be encrypted.";
    NotSigned "not-signed" "Signing failed.";
    PemNotWritten "pem-not-written" "A PEM block could not be written.";
    KeyFile "key-file" "The file cannot be used as the private key.";
    PassphraseDiffers "passphrase-differs" "The two passphrases that were typed differ.";
    PassphraseEmpty "passphrase-empty" "The passphrase is empty.";

    // The certificate authority.
    AuthorityNotMade "authority-not-made" "The new CA could not be made.";
    AuthorityKeyMismatch "authority-key-mismatch" "The CA's key does not belong to its certificate.";
    AuthorityVersion "authority-version" "The CA certificate is not of version 3.";
    AuthorityNotACa "authority-not-a-ca" "The certificate is not that of a CA.";
    AuthorityKeyUsage "authority-key-usage" "The CA must not sign certificates.";
    AuthorityNoKeyId "authority-no-key-id" "The CA has no subject key identifier.";
    AuthorityUsage "authority-usage" "The CA is not meant for client certificates.";
    AuthorityExtension "authority-extension" "The CA has a critical extension that the servers do not know.";
    AuthorityNoName "authority-no-name" "The CA has no name.";
    AuthorityWeakSignature "authority-weak-signature" "The CA is signed over SHA-1 or MD5.";
    AuthorityNotSelfSigned "authority-not-self-signed" "The CA is not a root.";
    AuthorityNotYetValid "authority-not-yet-valid" "The CA is not valid yet.";
    AuthorityEnds "authority-ends" "The CA ends too soon.";
    AuthorityDoesNotFit "authority-does-not-fit" "A server would refuse what this CA signs for these names.";
    CaElsewhere "ca-elsewhere" "The cluster trusts a CA already, and it is not where it was looked for.";
    CaNotTheClusters "ca-not-the-clusters" "The CA that would sign is not the one that the cluster trusts.";
    CaMissing "ca-missing" "The CA's object or file is not there.";
    CaKey "ca-key" "The CA's private key cannot be used.";
    CaKeyMissing "ca-key-missing" "The CA's private key is not there; or an object lacks its item ca.crt.";
    CaKind "ca-kind" "The CA is in an object of another kind than the chart mounts.";
    CaObject "ca-object" "The object with the client CA is not there, or has no certificate.";
    CaSecret "ca-secret" "The Secret does not hold a certificate authority.";
    CaSecretName "ca-secret-name" "The CA's key must not be kept in an object that pods mount.";
    CaFingerprint "ca-fingerprint" "The fingerprint that was given is not that of the CA.";
    CacertOther "cacert-other" "The backend's object holds another CA than the federation's.";
    CacertUnreadable "cacert-unreadable" "The backend's object holds something that no CA can be added to.";
    TrustBundle "trust-bundle" "The file of a CA to trust holds more than one certificate.";
    TrustOrganization "trust-organization" "The organization cannot be given a CA of its own.";
    Organization "organization" "No organization is named.";
    ObjectName "object-name" "No object can be named after the organization.";
    ObjectTaken "object-taken" "The object is there and holds something else.";

    // The server's certificate; `check` has checks of these ids.
    ServerPair "server-pair" "The server's pair is missing, cannot be read, or its halves do not fit.";
    ServerExpired "server-expired" "The server's certificate has expired.";
    ServerNotYetValid "server-not-yet-valid" "The server's certificate is not valid yet.";
    ServerAuth "server-auth" "The server's certificate must not be a server.";
    ServerClientAuth "server-client-auth" "The server's certificate must not be a client, and its own probe is one.";
    ServerName "server-name" "The server's certificate does not cover a name that it is asked for.";
    ServerChain "server-chain" "The server's certificate comes from no CA that the orchestrator trusts.";
    ServerHost "server-host" "A name cannot stand in the server's certificate.";

    // What the orchestrator's pods mount; `check` has checks of these ids.
    MountMissing "mount-missing" "An object that the pods mount is not there, or is of the other kind.";
    MountCa "mount-ca" "An object that the pods mount does not begin with the certificate of a CA.";
    MountSki "mount-ski" "A CA that the pods mount has no subject key identifier.";
    MountExpired "mount-expired" "A CA that the pods mount has expired.";

    // Requests, in the order of the policy.
    RequestHoldsPrivateKey "request-holds-private-key" "The file of the request holds a private key.";
    RequestNotOnePem "request-not-one-pem" "The file is not one request in PEM form.";
    RequestNotStrictDer "request-not-strict-der" "The request is not in strict DER.";
    RequestKey "request-key" "The request's key is weak or of a kind that a server refuses.";
    RequestSignature "request-signature" "The request's signature does not hold.";
    RequestSubject "request-subject" "The request's subject is not one O and at most one CN.";
    RequestTextType "request-text-type" "A name of the request is in a type of text that the servers do not compare alike.";
    RequestOrganization "request-organization" "The request's O is no MSP ID, unfit for the chart, or not whose fingerprint was given.";
    RequestAttribute "request-attribute" "The request has an attribute that it must not have.";
    RequestExtension "request-extension" "The request asks for something that a client must not have.";
    RequestHost "request-host" "The request's hosts are missing, unfit, too many, the orchestrator's, or another's.";
    RequestKeyOfAnother "request-key-of-another" "The request's key is another party's.";
    RequestKeyUsed "request-key-used" "The request's key has a certificate already.";
    RequestNotAMember "request-not-a-member" "The request's organization is not a member.";
    RequestFingerprint "request-fingerprint" "The request's fingerprint was not confirmed, or is another one.";
    RequestAnswered "request-answered" "The request was answered before.";
    RequestNotMade "request-not-made" "The request could not be made.";
    ProofForm "proof-form" "The proof of a renewal is damaged, or has another form than the one that is read.";
    ProofOfAnotherRequest "proof-of-another-request" "The proof is over another request than the one that it came with.";
    ProofSignature "proof-signature" "The signature of the proof does not verify.";
    ProofSigner "proof-signer" "The proof's certificate is not in the issue log, or its CA is not accepted.";
    ProofOrganization "proof-organization" "The proof's certificate is another organization's.";
    ProofSecondSuccessor "proof-second-successor" "The proof's certificate has vouched for another request before: its key may be stolen.";
    ProofAlarm "proof-alarm" "Two requests came signed by one key of the organization, and nobody has said yet which is its own.";
    NoAlarm "no-alarm" "There is no such alarm to settle, or the certificate to keep is not one of the organization's.";
    ProofEnded "proof-ended" "The proof's certificate is not valid now, or was replaced by a newer one.";
    ProofHosts "proof-hosts" "The request has other hosts than the proof's certificate.";
    ProofUnverified "proof-unverified" "The organization's first certificate was issued without a compared fingerprint.";
    ProofNotMade "proof-not-made" "The proof of a renewal could not be made.";
    Fingerprint "fingerprint" "What was typed is not a fingerprint.";
    OrganizationTwice "organization-twice" "Two requests or values files are of one organization.";
    Refused "refused" "The request is refused, and no rule said why.";

    // Certificates that are issued, and the issue log.
    CertificateNotBuilt "certificate-not-built" "The certificate could not be built.";
    CertificateCheck "certificate-check" "The new certificate did not pass the checks and was dropped.";
    IssueLogDamaged "issue-log-damaged" "The issue log cannot be read or was altered.";
    IssueLogNewer "issue-log-newer" "The issue log was written by a newer version of this tool.";

    // Certificates that are read and installed.
    CertificateDamaged "certificate-damaged" "A certificate cannot be read.";
    CertificateFileDamaged "certificate-file-damaged" "The file with certificates is not PEM.";
    CertificateFileEmpty "certificate-file-empty" "There is no certificate in the file.";
    CertificateFileHoldsKey "certificate-file-holds-key" "A private key stands where only certificates may.";
    CertificateFileOtherBlock "certificate-file-other-block" "Something other than certificates stands in the file.";
    CertificateKey "certificate-key" "The certificate is not for the key of this backend's request.";
    CertificateOrganization "certificate-organization" "The certificate's O is not exactly the organization.";
    CertificateUsage "certificate-usage" "The certificate is not only for clients.";
    CertificateTimes "certificate-times" "The certificate is not valid yet, or ends too soon.";
    CertificateAuthority "certificate-authority" "The certificate was not signed by a CA that the cluster trusts.";
    CertificateAuthorityTimes "certificate-authority-times" "The certificate's CA is not valid now.";
    CertificateAuthorityKeyId "certificate-authority-key-id" "The certificate does not name its CA by key identifier.";
    CertificateOfAnotherKey "certificate-of-another-key" "A valid certificate of the organization is for a key that its backend does not have: an alarm.";
    NoLivePair "no-live-pair" "There is no live pair that could be renewed.";
    RenewalOverdue "renewal-overdue" "The renewal is not on schedule, or the certificate has ended.";
    NoRequest "no-request" "There is no key that the certificate could be for.";
    PendingOther "pending-other" "The request that waits is for other names than the values have now.";
    PairKind "pair-kind" "The chart mounts the pair as a ConfigMap.";
    PairNotMounted "pair-not-mounted" "The chart does not mount the pair's Secret.";
    PairType "pair-type" "The pair's Secret is of another type, and a type cannot be changed.";
    PairOfAnotherCa "pair-of-another-ca" "A pair of another CA is in use, and is not replaced.";
    PairByCertManager "pair-by-cert-manager" "cert-manager makes the server pair.";
    PairShared "pair-shared" "Two organizations have one Secret for their pairs.";

    // The gate and its members.
    NoMembers "no-members" "The values name no member of any channel.";
    NotAMember "not-a-member" "The organization is not a member of any channel.";
    NotAdmitted "not-admitted" "A member would be cut off: clientCACerts has no key of its name.";
    NotInstalled "not-installed" "A member would be cut off: nobody has confirmed that its pair is installed.";
    NotDescribed "not-described" "A member would be cut off: the federation file does not have it.";
    KeyClash "key-clash" "A key of clientCACerts is in the way of a member's.";
    GateHalfWay "gate-half-way" "The values files and the release disagree on the gate.";
    OrganizationOther "organization-other" "The values under an organization are another's.";

    // Rehearsals.
    NoAnswer "no-answer" "The orchestrator gives no answer, so nothing can be said.";
    Verdict "verdict" "Somebody was accepted or refused otherwise than it should be.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meaning_is_one_sentence() {
        for code in Code::ALL {
            let meaning = code.meaning();
            assert!(meaning.ends_with('.') && !meaning.contains('\n') && meaning.len() > 10, "{code}: {meaning}");
        }
    }
}
