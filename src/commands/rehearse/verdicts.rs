//! What the closed gate makes of good and bad clients, one verdict each: right only with the answer that is the right one.

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    ca::RehearsalCa,
    contact::Contact,
    federation::{SimulatedFederation, SimulatedOrganization},
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    pki::{
        authority::create_root,
        inspect,
        key::{KeyType, PrivateKey},
        log::IssueLog,
        policy::{self, PolicyContext},
    },
    substra::{
        forged_certificates::{self, CertificateRecipe, LeafUsage},
        kebab::kebab_case,
        servers::{BackendClient, CallOutcome, PemPair, call, call_impostor},
    },
    text::{Line, Tone},
};

/// The rule that keeps a second O out.
const TWO_ORGANIZATIONS: Code = Code::RequestSubject;

/// One verdict.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Verdict {
    /// Who asked, and how.
    who: String,
    /// What came of it.
    answer: String,
    /// What should have come of it.
    #[serde(skip)]
    meant: String,
    /// What people should know of it.
    #[serde(skip)]
    note: Option<&'static str>,
    /// Whether it was accepted.
    accepted: bool,
    /// Whether that is the answer that should have come.
    right: bool,
}

impl Verdict {
    /// Right is the very answer that is meant: refused for another reason is as wrong as accepted.
    fn new(who: impl Into<String>, answer: &CallOutcome, meant: &CallOutcome) -> Self {
        Self {
            who: who.into(),
            answer: answer.to_string(),
            meant: meant.to_string(),
            note: None,
            accepted: answer.is_accepted(),
            right: answer == meant,
        }
    }

    /// Somebody was accepted and is not any more.
    pub(super) fn cut_off(org: &str, command: &str, answer: &str) -> Self {
        let (who, meant) = (format!("{org} after {command}"), CallOutcome::Accepted.to_string());
        Self { who, answer: answer.to_owned(), meant, note: None, accepted: false, right: false }
    }

    /// Whether the right answer was given.
    pub(super) fn is_right(&self) -> bool {
        self.right
    }

    /// The verdict and who got it; the reason, which is long, below.
    pub(super) fn lines(&self) -> Vec<Line> {
        let (tone, word) = if self.accepted { (Tone::Good, "accepted") } else { (Tone::Doubtful, "refused") };
        let mark = if self.right { (Tone::Quiet, "(expected)") } else { (Tone::Bad, "(NOT EXPECTED)") };
        let first = Line::marked(tone, word, format!(" {} ", self.who)).toned(mark.0, mark.1).hanging(10);
        let below = |text: &str| Line::from(text).hanging(0).indented(10);
        let reason = self.answer.trim_start_matches(word).trim_start_matches([':', ' ']);
        let reason = (!reason.is_empty()).then(|| below(reason));
        let meant = (!self.right).then(|| below(&format!("expected: {}", self.meant)));
        [first].into_iter().chain(reason).chain(meant).chain(self.note.map(below)).collect()
    }

    /// What is wrong, in a line.
    pub(super) fn wrong(&self) -> String {
        format!("{}: {}; expected: {}", self.who, self.answer, self.meant)
    }
}

/// Every verdict, in the order in which they are shown.
///
/// # Errors
/// A server that does not answer has no verdict.
pub(super) fn all(federation: &SimulatedFederation, ca: &RehearsalCa, now: OffsetDateTime) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for ((org, contact), file) in
        federation.contacts(now).into_iter().zip(federation.organizations.iter().map(|org| &org.file))
    {
        let Contact::Answered(answer) = contact else {
            let failure = no_answer(&org, &contact);
            return Err(failure.next(format!(
                "look at orchestrator.host and orchestrator.tls in {file}, and at the orchestrator's values"
            )));
        };
        verdicts.push(Verdict::new(format!("{org} as itself"), &answer, &CallOutcome::Accepted));
    }
    let Some(first) = federation.organizations.first() else { return Ok(verdicts) };
    let bench = BadClients {
        federation,
        ca,
        host: federation.trusted_host(now)?,
        key: PrivateKey::generate(KeyType::EcdsaP256)?,
        now,
    };
    for (n, org) in federation.organizations.iter().enumerate() {
        let other = &federation.organizations[(n + 1) % federation.organizations.len()];
        let name =
            if federation.organizations.len() > 1 { other.msp_id.to_string() } else { "SomebodyElseMSP".to_owned() };
        let meant = denied(format!("cannot find MSPID {name} in client TLS certificate Subject Organizations"));
        let answer = bench.ask(BadClients::live(org), &name)?;
        verdicts.push(Verdict::new(format!("{} under the name of {name}", org.msp_id), &answer, &meant));
    }
    verdicts.extend(bench.bad_clients(first)?);
    verdicts.push(bench.two_organizations(first)?);
    verdicts.extend(bench.impostors(first)?);
    let walkthrough = bench.signed(&CertificateRecipe::walkthrough(first.msp_id.as_str(), &first.host))?;
    let answer = bench.ask(Some(walkthrough), first.msp_id.as_str())?;
    let meant = denied(format!("invalid issuer for MSPID {}", first.msp_id));
    verdicts.push(Verdict::new("for comparison: the walkthrough's recipe, to the letter", &answer, &meant));
    Ok(verdicts)
}

fn denied(why: String) -> CallOutcome {
    CallOutcome::PermissionDenied(why)
}

fn refused(why: &str) -> CallOutcome {
    CallOutcome::HandshakeRefused(why.to_owned())
}

fn no_answer(org: &str, contact: &Contact) -> Failure {
    Failure::new(
        Exit::CheckFailed,
        Code::NoAnswer,
        format!("nothing can be said of {org}: the orchestrator gives it no answer"),
    )
    .why(contact.to_string())
    .next("look at the orchestrator's values")
}

/// Tools for making bad clients.
struct BadClients<'a> {
    federation: &'a SimulatedFederation,
    ca: &'a RehearsalCa,
    /// The name under which they dial: one that the server's certificate has, so that they are refused for themselves.
    host: String,
    key: PrivateKey,
    now: OffsetDateTime,
}

impl BadClients<'_> {
    /// The pair that is live in an organization's namespace.
    fn live(org: &SimulatedOrganization) -> Option<PemPair> {
        org.cluster.backend(&org.release)?.pair().cloned()
    }

    fn client(&self, pair: Option<PemPair>, header: &str) -> BackendClient {
        BackendClient::new(self.ca.pem.clone().into_bytes(), pair, header, &self.host)
    }

    fn ask(&self, pair: Option<PemPair>, header: &str) -> Result<CallOutcome> {
        let client = self.client(pair, header);
        let (cluster, release) = (&self.federation.orchestrator, &self.federation.release);
        let answer = cluster.with_server(release, |server| call(&client, server, self.now));
        answer.ok_or_else(|| no_answer(header, &Contact::Silent))
    }

    fn signed(&self, recipe: &CertificateRecipe) -> Result<PemPair> {
        Ok(self.pair(recipe.sign(self.key.spki(), &self.ca.certificate, &self.ca.key, self.now)?))
    }

    fn pair(&self, certificate: String) -> PemPair {
        PemPair {
            certificate: certificate.into_bytes(),
            key: zeroize::Zeroizing::new(self.key.to_pem().as_bytes().to_vec()),
        }
    }

    fn proper(org: &SimulatedOrganization) -> CertificateRecipe {
        CertificateRecipe {
            organizations: vec![org.msp_id.to_string()],
            common_name: org.host.clone(),
            usage: Some(LeafUsage::Client),
            v3: true,
            ..CertificateRecipe::default()
        }
    }

    fn bad_clients(&self, org: &SimulatedOrganization) -> Result<Vec<Verdict>> {
        let name = org.msp_id.as_str();
        let (other_key, other_pem) = create_root(KeyType::EcdsaP256, self.now)?;
        let other = inspect::certificates(other_pem.as_bytes())?.swap_remove(0);
        let foreign = self.pair(Self::proper(org).sign(self.key.spki(), &other, &other_key, self.now)?);
        let expired = self.signed(&CertificateRecipe { expired: true, ..Self::proper(org) })?;
        [
            ("without a certificate", None, "certificate required"),
            ("with another CA's certificate", Some(foreign), "unknown certificate authority"),
            ("with an expired certificate", Some(expired), "expired certificate"),
        ]
        .into_iter()
        .map(|(how, pair, why)| Ok(Verdict::new(format!("{name} {how}"), &self.ask(pair, name)?, &refused(why))))
        .collect()
    }

    /// The server would let such a certificate in as both: the policy must not let it come into being.
    fn two_organizations(&self, org: &SimulatedOrganization) -> Result<Verdict> {
        let request = forged_certificates::request(&[org.msp_id.as_str(), "SomebodyElseMSP"], &org.host, &self.key)?;
        let members: Vec<String> = self.federation.organizations.iter().map(|org| org.msp_id.to_string()).collect();
        let log = IssueLog::default();
        let policy_context = PolicyContext {
            members: &members,
            client_ca_keys: &[],
            orchestrator_names: &[],
            burnt: &[],
            kebab: kebab_case,
            log: &log,
            now: self.now,
        };
        let judged = policy::check_request("two.csr", request.as_bytes(), &policy_context);
        let accepted = judged.is_ok();
        let findings = judged.err().unwrap_or_default();
        let finding = findings.iter().find(|finding| finding.code == TWO_ORGANIZATIONS).or(findings.first());
        let answer = match finding {
            None => "signed: the server would let it in as both".to_owned(),
            Some(finding) => format!("refused by approve: {}", finding.why),
        };
        let right = finding.is_some_and(|finding| finding.code == TWO_ORGANIZATIONS);
        let meant = format!("refused by approve: [{TWO_ORGANIZATIONS}]");
        Ok(Verdict { who: "a request with two O".to_owned(), answer, meant, note: None, accepted, right })
    }

    /// Somebody serves with a client's pair under the orchestrator's name.
    fn impostors(&self, org: &SimulatedOrganization) -> Result<Vec<Verdict>> {
        let victim = self.client(None, org.msp_id.as_str());
        let mut verdicts = Vec::new();
        if let Some(live) = Self::live(org) {
            let answer = call_impostor(&victim, &live, self.now);
            let meant = CallOutcome::ServerNotTrusted("unsupported certificate purpose".to_owned());
            let who = format!("{}'s certificate posing as the orchestrator", org.msp_id);
            verdicts.push(Verdict::new(who, &answer, &meant));
        }
        let posing = self.signed(&CertificateRecipe::walkthrough(org.msp_id.as_str(), &self.host))?;
        let answer = call_impostor(&victim, &posing, self.now);
        let who = "for comparison: the walkthrough's, with the orchestrator's CN, posing as it";
        let note = Some("certificates of that recipe can do this, those that approve signs cannot");
        verdicts.push(Verdict { note, ..Verdict::new(who, &answer, &CallOutcome::Accepted) });
        Ok(verdicts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_begins_with_the_answer_and_says_after_it_whether_that_was_expected() {
        let shown = |answer: &CallOutcome, meant: &CallOutcome| -> Vec<String> {
            let lines = Verdict::new("A as itself", answer, meant).lines();
            lines.iter().map(|line| line.painted(|tone, words| format!("<{tone:?} {words}>"))).collect()
        };
        let refused = refused("certificate required");
        let (accepted, because) = (CallOutcome::Accepted, "          in the handshake: certificate required");
        assert_eq!(shown(&accepted, &accepted), ["<Good accepted>  A as itself <Quiet (expected)>"]);
        assert_eq!(shown(&refused, &refused), ["<Doubtful refused>   A as itself <Quiet (expected)>", because]);
        let wrong = ["<Doubtful refused>   A as itself <Bad (NOT EXPECTED)>", because, "          expected: accepted"];
        assert_eq!(shown(&refused, &accepted), wrong);
        assert_eq!(shown(&accepted, &refused)[0], "<Good accepted>  A as itself <Bad (NOT EXPECTED)>");
    }
}
