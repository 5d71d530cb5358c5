//! The list of rules, for the documentation and for a test that counts the cases of each.

/// One rule of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The code of its findings.
    pub code: &'static str,
    /// What it stops.
    pub stops: &'static str,
}

const fn rule(code: &'static str, stops: &'static str) -> Rule {
    Rule { code, stops }
}

/// All rules, in the order in which they apply.
pub const RULES: &[Rule] = &[
    rule("request-holds-private-key", "a key sent by mail, which is burnt from then on"),
    rule("request-not-one-pem", "a person reading one thing and the machine signing another"),
    rule("request-not-strict-der", "two programs reading the same bytes in two ways"),
    rule("request-key", "weak keys, and kinds of key that one of the servers refuses"),
    rule("request-signature", "a request for somebody else's key, and altered requests"),
    rule("request-subject", "a second O, which admits as a second organization, and fields that nobody checks"),
    rule("request-text-type", "names that look alike and differ for the servers"),
    rule("request-organization", "names that break the chart's manifest or meet another organization's"),
    rule("msp-id", "acting under the name that every backend has whose values name no organization"),
    rule("request-attribute", "passwords in mails, and a second list of extensions"),
    rule("request-extension", "a client that asks to be a CA or a server"),
    rule("request-host", "posing as the orchestrator or as another organization's backend"),
    rule("request-key-of-another", "two identities on one key, and the use of a lost key"),
    rule("request-key-used", "a renewal that prolongs the life of a leaked key"),
    rule("request-not-a-member", "admitting a stranger"),
    rule("request-fingerprint", "a request swapped in the mail"),
    rule("request-answered", "a second certificate for one request"),
];
