//! The list of rules, for the documentation and for a test that counts the cases of each.

use crate::failure::Code;

/// One rule of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The code of its findings.
    pub code: Code,
    /// What it stops.
    pub stops: &'static str,
}

const fn rule(code: Code, stops: &'static str) -> Rule {
    Rule { code, stops }
}

/// All rules, in the order in which they apply.
pub const RULES: &[Rule] = &[
    rule(Code::RequestHoldsPrivateKey, "a private key sent by mail: it is compromised"),
    rule(Code::RequestNotOnePem, "a person reading one thing and the machine signing another"),
    rule(Code::RequestNotStrictDer, "encodings that two programs read in different ways"),
    rule(Code::ProofForm, "a proof of a renewal that two programs read in different ways"),
    rule(Code::ProofOfAnotherRequest, "a proof that was cut out of another mail"),
    rule(Code::ProofSignature, "a proof by somebody who does not have the key of the certificate in it"),
    rule(Code::RequestKey, "weak keys, and kinds of key that one of the servers refuses"),
    rule(Code::RequestSignature, "a request for somebody else's key, and altered requests"),
    rule(
        Code::RequestSubject,
        "a second O, which gives the rights of a second organization, and fields that nobody checks",
    ),
    rule(Code::RequestTextType, "names that look alike and differ for the servers"),
    rule(Code::RequestOrganization, "names that break the chart's manifest or meet another organization's"),
    rule(Code::MspId, "acting under the name that every backend has whose values name no organization"),
    rule(Code::RequestAttribute, "passwords in mails, and a second list of extensions"),
    rule(Code::RequestExtension, "a client that asks to be a CA or a server"),
    rule(Code::RequestHost, "posing as the orchestrator or as another organization's backend"),
    rule(Code::RequestKeyOfAnother, "two identities on one key, and the use of a lost key"),
    rule(Code::RequestKeyUsed, "a renewal that prolongs the life of a leaked key"),
    rule(Code::RequestNotAMember, "admitting a stranger"),
    rule(Code::RequestFingerprint, "a request swapped in the mail"),
    rule(Code::ProofSigner, "a proof by a certificate that was not issued here, or whose CA is not accepted any more"),
    rule(Code::ProofOrganization, "an organization that vouches for another"),
    rule(Code::ProofSecondSuccessor, "the use of a stolen key: a certificate vouches for one successor"),
    rule(Code::ProofAlarm, "renewals of an organization whose key may be in two hands"),
    rule(Code::ProofEnded, "a proof by a certificate that expired or was replaced"),
    rule(Code::ProofHosts, "more or other hosts than those that were approved"),
    rule(Code::ProofUnverified, "a swapped first request that renews itself forever"),
    rule(Code::RequestAnswered, "a second certificate for one request"),
];
