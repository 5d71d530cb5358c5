//! A renewal: whether the key of the live pair vouches for the request, whether it is on schedule, and the alarm where
//! somebody else has renewed.

use std::{collections::BTreeSet, path::Path};

use time::{Duration, OffsetDateTime};

use super::{
    enrolment::{Enrolment, LivePair},
    installation::CertificateSource,
};
use crate::{
    cluster::Object,
    failure::{Code, Exit, Failure, Result},
    files,
    pki::{
        inspect::{self, Certificate},
        request,
        verify_returned::{self, ExpectedCertificate},
    },
    plain::excerpt,
    times,
};

/// When the request was made, on the Secret in which it waits.
pub(crate) const REQUESTED: &str = "substra-mtls/requested";

/// For how long a request may wait for its certificate.
const PATIENCE: Duration = Duration::days(7);

/// Once less than this part of a certificate's life is left, its renewal is overdue.
const LAST_PART: i32 = 6;

/// Nothing that answers a request is larger: bytes of a certificate with its chain.
const LARGEST: u64 = 64 * 1024;

/// A request that waits for its certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    /// When it was made, where that is known.
    pub(crate) since: Option<OffsetDateTime>,
}

/// How a renewal stands: what `enroll --auto` goes by, and `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// It is not due before then.
    Early(OffsetDateTime),
    /// It is due, and nothing has been asked for.
    Due,
    /// A request waits, and there is time.
    Waits,
    /// It is late, and why it is.
    Overdue(String),
    /// The certificate has ended.
    Ended,
}

impl Waiting {
    /// What the Secret says in which the request waits. An older version wrote no time there: then it is as old as the
    /// Secret.
    pub(crate) fn of(pending: &Object) -> Self {
        let made = || times::parsed(pending.json()["metadata"]["creationTimestamp"].as_str()?);
        Self { since: pending.annotation(REQUESTED).and_then(times::parsed).or_else(made) }
    }

    /// ` of 2026-11-24T16:30:00Z`, where that is known.
    pub(crate) fn dated(self) -> String {
        self.since.map(|since| format!(" of {}", times::rfc3339(since))).unwrap_or_default()
    }
}

impl Schedule {
    /// Of this live certificate, with or without a request that waits.
    pub(crate) fn of(live: &Certificate, waiting: Option<Waiting>, now: OffsetDateTime) -> Self {
        let life = live.not_after - live.not_before;
        if now > live.not_after {
            return Self::Ended;
        }
        let days = waiting.and_then(|waiting| waiting.since).map(|since| now - since);
        if let (Some(waiting), Some(days)) = (waiting, days.filter(|days| *days >= PATIENCE)) {
            return Self::Overdue(format!(
                "no certificate has come for the request{} within {} days",
                waiting.dated(),
                days.whole_days()
            ));
        }
        if live.not_after - now < life / LAST_PART {
            return Self::Overdue(match waiting {
                Some(waiting) => format!(
                    "less than a sixth of its life is left, and no certificate has come for the request{}",
                    waiting.dated()
                ),
                None => "less than a sixth of its life is left, and no new certificate was asked for".to_owned(),
            });
        }
        match waiting {
            Some(_) => Self::Waits,
            None if live.is_in_last_third(now) => Self::Due,
            None => Self::Early(live.not_before + life * 2 / 3),
        }
    }

    /// Whether somebody has to do something now.
    pub(crate) fn is_late(&self) -> bool {
        matches!(self, Self::Overdue(_) | Self::Ended)
    }
}

/// What lies where the certificate is to come, in a folder that others may write to.
pub(crate) enum Answer {
    /// Nothing that is new: no file, the live certificate, or one of an earlier renewal.
    Nothing,
    /// Something that is not read any further, and why.
    Ignored(String),
    /// A certificate for a key of this backend.
    Certificate(CertificateSource<'static>),
}

/// Whether somebody has to read the fingerprint of a request out.
pub(crate) enum Vouching<'a> {
    /// The key of this pair vouches for it.
    By(&'a LivePair),
    /// There is no pair yet: the first certificate.
    First,
    /// The pair that is there cannot vouch: why.
    Cannot(String),
}

impl Vouching<'_> {
    /// The request with the proof behind it, where the live key vouches; with the proof that it has, where that is the
    /// live key's already.
    pub(crate) fn add_to(&self, csr: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::By(live) if request::voucher(csr).as_ref() != Some(&live.certificate) => {
                request::vouched(csr, &live.key, &live.certificate).map(String::into_bytes)
            }
            _ => Ok(csr.to_vec()),
        }
    }
}

impl Enrolment<'_> {
    /// The request that waits for its certificate.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        self.pending.as_ref().filter(|_| !self.pending_is_live()).map(Waiting::of)
    }

    /// Looks at a file that answers the request, or that somebody has put there.
    ///
    /// # Errors
    /// The alarm; the CAs cannot be read.
    pub(crate) fn answer(
        &self,
        live: &LivePair,
        path: &Path,
        authorities: impl FnOnce() -> Result<Vec<Certificate>>,
    ) -> Result<Answer> {
        let name = path.display().to_string();
        let ignored = |failure: Failure| Ok(Answer::Ignored(format!("{}: {}", failure.what, failure.why)));
        let pem = match files::plain::read_of_others(path, LARGEST) {
            Ok(None) => return Ok(Answer::Nothing),
            Ok(Some(pem)) => pem,
            Err(failure) => return ignored(failure),
        };
        let first = match inspect::certificates(&pem) {
            Ok(all) => all.into_iter().next(),
            Err(failure) => return ignored(Failure { what: format!("{name}: {}", failure.what), ..failure }),
        };
        let Some(first) = first else { return Ok(Answer::Ignored(format!("{name}: it holds no certificate"))) };
        if first.der == live.certificate.der || first.not_before < live.certificate.not_before {
            return Ok(Answer::Nothing);
        }
        let source = CertificateSource::Read { name: name.clone(), pem: pem.clone() };
        if self.keys(&source)?.iter().any(|key| key.spki() == first.spki) {
            return Ok(Answer::Certificate(source));
        }
        match self.alarm(&name, &pem, &authorities()?) {
            Some(alarm) => Err(alarm),
            None => Ok(Answer::Ignored(format!(
                "{name}: it is for no key of this backend, and no valid certificate of {} from a CA that this cluster trusts",
                self.backend().msp_id
            ))),
        }
    }

    /// The alarm where a certificate would be good for this backend, but for its key: somebody else has asked for it. One
    /// that is older than the live one is of an earlier renewal, whose key is gone.
    pub(super) fn alarm(&self, name: &str, pem: &[u8], authorities: &[Certificate]) -> Option<Failure> {
        let first = inspect::certificates(pem).ok()?.into_iter().next()?;
        let (live, org) = (self.live.as_ref().map(|live| &live.certificate), &self.backend().msp_id);
        if live.is_some_and(|live| first.not_before < live.not_before) {
            return None;
        }
        let now = self.state.session.now;
        let expected = ExpectedCertificate { spki: &first.spki, msp_id: org, authorities, now };
        let found = verify_returned::verify(name, pem, &expected).ok()?;
        let (from, to) = (times::rfc3339(found.not_before), times::rfc3339(found.not_after));
        let own = match live {
            Some(live) => format!("the live certificate {} has the key {}", live.serial, live.fingerprint()),
            None => "there is no live certificate".to_owned(),
        };
        let (serial, key) = (&found.serial, found.fingerprint());
        let what = format!("{name} is a valid certificate of {org} for a key that this backend does not have");
        Some(
            Failure::new(Exit::Refused, Code::CertificateOfAnotherKey, what)
                .why(format!("certificate {serial}, valid from {from} to {to}, has the key {key}; {own}"))
                .next(format!(
                    "call the orchestrator's operator: if the request was made here and its key was lost since, ask again with `enroll --new-request` and read that fingerprint out; if not, somebody else acts as {org}: take certificate {serial} and the live key for stolen, and have nothing approved without a fingerprint"
                ))
                .unchanged("nothing was written"),
        )
    }

    /// Whether the live pair vouches for a request that this backend makes now.
    pub(crate) fn vouching(&self) -> Vouching<'_> {
        let name = &self.backend().client_certificate;
        match &self.live {
            Some(live) => self.vouches(live).map_or_else(Vouching::Cannot, |()| Vouching::By(live)),
            None if self.pair.is_some() => Vouching::Cannot(format!("certificate and key in Secret {name} do not fit")),
            None if self.presents_pair() => Vouching::Cannot(format!("Secret {name}, with the live pair, is lost")),
            None => Vouching::First,
        }
    }

    /// What `approve` holds a proof against too, as far as a backend knows it.
    fn vouches(&self, live: &LivePair) -> Result<(), String> {
        let (live, backend, now) = (&live.certificate, self.backend(), self.state.session.now);
        if !(live.not_before..=live.not_after).contains(&now) {
            let [from, to, now] = [live.not_before, live.not_after, now].map(times::rfc3339);
            return Err(format!("certificate {} is valid from {from} to {to}, now is {now}", live.serial));
        }
        if live.organizations != [backend.msp_id.as_str()] {
            return Err(format!("certificate {} is not of {}", live.serial, backend.msp_id));
        }
        let (had, host) = (live.dns_names.iter().map(String::as_str).collect::<BTreeSet<_>>(), backend.host.as_str());
        if had == BTreeSet::from([host]) {
            return Ok(());
        }
        let had: Vec<String> = had.into_iter().map(excerpt).collect();
        let had = if had.is_empty() { "no host".to_owned() } else { had.join(", ") };
        Err(format!("certificate {} has {had}, and the request names {host}", live.serial))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{
        pki::{
            authority::create_root,
            key::{KeyType, PrivateKey},
        },
        substra::forged_certificates::CertificateRecipe,
    };

    #[test]
    fn a_renewal_is_on_schedule_until_it_waits_for_a_week_or_a_sixth_of_the_life_is_left() {
        let start = datetime!(2026-11-24 12:00 UTC);
        let (ca_key, ca) = create_root(KeyType::EcdsaP256, start).unwrap();
        let ca = inspect::certificates(ca.as_bytes()).unwrap().remove(0);
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let pem = CertificateRecipe::default().sign(key.spki(), &ca, &ca_key, start).unwrap();
        let mut live = inspect::certificates(pem.as_bytes()).unwrap().remove(0);
        (live.not_before, live.not_after) = (start, start + Duration::days(90));
        let day = |day: i64| start + Duration::days(day);
        let at = |since: Option<i64>, now: i64| {
            let waiting = since.map(|since| Waiting { since: Some(day(since)) });
            match Schedule::of(&live, waiting, day(now)) {
                Schedule::Early(until) => format!("early, until day {}", (until - start).whole_days()),
                Schedule::Due => "due".to_owned(),
                Schedule::Waits => "waits".to_owned(),
                Schedule::Overdue(why) => why.split(' ').take(2).collect::<Vec<_>>().join(" "),
                Schedule::Ended => "ended".to_owned(),
            }
        };
        for (since, now, seen) in [
            (None, 0, "early, until day 60"),
            (None, 60, "early, until day 60"),
            (None, 61, "due"),
            (None, 75, "due"),
            (None, 76, "less than"),
            (None, 91, "ended"),
            (Some(61), 61, "waits"),
            (Some(61), 67, "waits"),
            (Some(61), 68, "no certificate"),
            (Some(61), 69, "no certificate"),
            (Some(75), 75, "waits"),
            (Some(75), 76, "less than"),
            (Some(1), 8, "no certificate"),
            (Some(61), 91, "ended"),
        ] {
            assert_eq!(at(since, now), seen, "{since:?}, {now}");
        }
        assert_eq!(Schedule::of(&live, Some(Waiting { since: None }), day(70)), Schedule::Waits);
        let late = Schedule::of(&live, Some(Waiting { since: None }), day(80));
        assert!(late.is_late() && !Schedule::Waits.is_late());
    }
}
