//! What the closed gate makes of good and bad clients, one verdict each.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::federation::{Federation, Organization};
use crate::{
    failure::Result,
    pki::{
        authority::create_root,
        inspect,
        key::{KeyType, PrivateKey},
        log::IssueLog,
        policy::{self, Circumstances},
    },
    substra::{
        kebab::kebab_case,
        servers::{Answer, BackendClient, Pair, call, call_impostor},
        specimen::{self, LeafUsage, Recipe},
    },
};

/// One verdict.
pub(super) struct Verdict {
    /// Who asked, and how.
    pub(super) who: String,
    /// What came of it.
    pub(super) answer: String,
    accepted: bool,
    should_be_accepted: bool,
}

impl Verdict {
    fn new(who: impl Into<String>, answer: &Answer, should_be_accepted: bool) -> Self {
        Self { who: who.into(), answer: answer.to_string(), accepted: answer.is_accepted(), should_be_accepted }
    }

    /// Whether the right answer was given.
    pub(super) fn is_right(&self) -> bool {
        self.accepted == self.should_be_accepted
    }

    /// The verdict and who got it; the reason, which is long, below.
    pub(super) fn lines(&self) -> String {
        let word = if self.accepted { "accepted" } else { "refused" };
        let mark = if self.is_right() { "" } else { "   <- WRONG" };
        let reason = self.answer.trim_start_matches(word).trim_start_matches([':', ' ']);
        let reason = if reason.is_empty() { String::new() } else { format!("          {reason}\n") };
        format!("{word:<8}  {}{mark}\n{reason}", self.who)
    }

    pub(super) fn json(&self) -> Value {
        json!({"who": self.who, "answer": self.answer, "accepted": self.accepted, "right": self.is_right()})
    }
}

/// Every verdict, in the order in which they are shown.
pub(super) fn all(federation: &Federation, now: OffsetDateTime) -> Result<Vec<Verdict>> {
    let mut verdicts: Vec<Verdict> = federation
        .connections(now)
        .into_iter()
        .map(|(org, answer)| Verdict::new(format!("{org} as itself"), &answer, true))
        .collect();
    let bench = Bench::new(federation, now)?;
    for (n, org) in federation.organizations.iter().enumerate() {
        let other = &federation.organizations[(n + 1) % federation.organizations.len()];
        let name =
            if federation.organizations.len() > 1 { other.msp_id.to_string() } else { "SomebodyElseMSP".to_owned() };
        let answer = bench.ask(Bench::live(org), &name);
        verdicts.push(Verdict::new(format!("{} under the name of {name}", org.msp_id), &answer, false));
    }
    if let Some(first) = federation.organizations.first() {
        verdicts.extend(bench.bad_clients(first)?);
        verdicts.push(bench.two_organizations(first)?);
        verdicts.extend(bench.impostors(first)?);
        let walkthrough = bench.signed(&Recipe::walkthrough(first.msp_id.as_str(), &first.host))?;
        let answer = bench.ask(Some(walkthrough), first.msp_id.as_str());
        verdicts.push(Verdict::new("for comparison: the walkthrough's recipe, to the letter", &answer, false));
    }
    Ok(verdicts)
}

/// Tools for making bad clients.
struct Bench<'a> {
    federation: &'a Federation,
    key: PrivateKey,
    now: OffsetDateTime,
}

impl<'a> Bench<'a> {
    fn new(federation: &'a Federation, now: OffsetDateTime) -> Result<Self> {
        Ok(Self { federation, key: PrivateKey::generate(KeyType::EcdsaP256)?, now })
    }

    /// The pair that is live in an organization's namespace.
    fn live(org: &Organization) -> Option<Pair> {
        org.cluster.backend(&org.release)?.pair().cloned()
    }

    fn client(&self, pair: Option<Pair>, header: &str) -> BackendClient {
        BackendClient::new(self.federation.ca.to_pem().into_bytes(), pair, header, &self.federation.dialled)
    }

    fn ask(&self, pair: Option<Pair>, header: &str) -> Answer {
        let client = self.client(pair, header);
        let answer = self.federation.orchestrator.with_server("orchestrator", |server| call(&client, server, self.now));
        answer.unwrap_or_else(|| Answer::HandshakeRefused("connection refused".to_owned()))
    }

    fn signed(&self, recipe: &Recipe) -> Result<Pair> {
        let pem = recipe.sign(self.key.spki(), &self.federation.ca, &self.federation.ca_key, self.now)?;
        Ok(self.pair(pem))
    }

    fn pair(&self, certificate: String) -> Pair {
        Pair {
            certificate: certificate.into_bytes(),
            key: zeroize::Zeroizing::new(self.key.to_pem().as_bytes().to_vec()),
        }
    }

    fn proper(org: &Organization) -> Recipe {
        Recipe {
            organizations: vec![org.msp_id.to_string()],
            common_name: org.host.clone(),
            usage: Some(LeafUsage::Client),
            v3: true,
            ..Recipe::default()
        }
    }

    fn bad_clients(&self, org: &Organization) -> Result<Vec<Verdict>> {
        let name = org.msp_id.as_str();
        let (other_key, other_pem) = create_root(KeyType::EcdsaP256, self.now)?;
        let other = inspect::certificates(other_pem.as_bytes())?.swap_remove(0);
        let foreign = self.pair(Self::proper(org).sign(self.key.spki(), &other, &other_key, self.now)?);
        let expired = self.signed(&Recipe { expired: true, ..Self::proper(org) })?;
        Ok(vec![
            Verdict::new(format!("{name} without a certificate"), &self.ask(None, name), false),
            Verdict::new(format!("{name} with another CA's certificate"), &self.ask(Some(foreign), name), false),
            Verdict::new(format!("{name} with an expired certificate"), &self.ask(Some(expired), name), false),
        ])
    }

    /// The server would let such a certificate in as both: the policy must not let it come into being.
    fn two_organizations(&self, org: &Organization) -> Result<Verdict> {
        let request = specimen::request(&[org.msp_id.as_str(), "SomebodyElseMSP"], &org.host, &self.key)?;
        let members: Vec<String> = self.federation.organizations.iter().map(|org| org.msp_id.to_string()).collect();
        let log = IssueLog::default();
        let circumstances = Circumstances {
            members: &members,
            client_ca_keys: &[],
            orchestrator_names: &[],
            burnt: &[],
            kebab: kebab_case,
            log: &log,
            now: self.now,
        };
        let judged = policy::judge("two.csr", request.as_bytes(), &circumstances);
        let answer = match judged {
            Ok(_) => "signed: the server would let it in as both".to_owned(),
            Err(findings) => format!(
                "refused by approve: {}",
                findings.first().map(|finding| finding.why.as_str()).unwrap_or_default()
            ),
        };
        let accepted = answer.starts_with("signed");
        Ok(Verdict { who: "a request with two O".to_owned(), answer, accepted, should_be_accepted: false })
    }

    /// Somebody serves with a client's pair under the orchestrator's name.
    fn impostors(&self, org: &Organization) -> Result<Vec<Verdict>> {
        let victim = self.client(None, org.msp_id.as_str());
        let mut verdicts = Vec::new();
        if let Some(live) = Self::live(org) {
            let answer = call_impostor(&victim, &live, self.now);
            verdicts.push(Verdict::new(
                format!("{}'s certificate posing as the orchestrator", org.msp_id),
                &answer,
                false,
            ));
        }
        let posing = self.signed(&Recipe::walkthrough(org.msp_id.as_str(), &self.federation.dialled))?;
        let answer = call_impostor(&victim, &posing, self.now);
        verdicts.push(Verdict::new(
            "for comparison: the walkthrough's, with the orchestrator's CN, posing as it",
            &answer,
            true,
        ));
        Ok(verdicts)
    }
}
