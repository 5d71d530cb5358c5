//! What an upgrade would bring beside this run's own settings: each difference in a line, and whom a new CA lets in.

use serde_json::Value;

use crate::{
    plan::drift::{self, Difference},
    substra::{
        Side, backend,
        orchestrator::{self, CACERT, CLIENT_CAS, MTLS_ENABLED, Orchestrator, VERIFY},
    },
    values::{self, Setting, ValuesKey},
};

/// What is deployed, what will be, and what of that this run sets.
pub(crate) struct DriftGuard<'a> {
    pub(crate) side: Side,
    /// Where the chart's values stand among all.
    pub(crate) key: &'a ValuesKey,
    /// All values that are deployed.
    pub(crate) deployed: &'a Value,
    /// All values that will be.
    pub(crate) will: &'a Value,
    /// The settings that this run brings about, as the chart sees them.
    pub(crate) own: &'a [Setting],
    /// A file is encrypted: no value is shown.
    pub(crate) is_encrypted: bool,
}

struct DriftLine {
    path: Vec<String>,
    line: String,
    is_danger: bool,
}

impl DriftGuard<'_> {
    /// One line for each difference that this run does not make; it goes live all the same.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.differences().into_iter().map(|one| one.line).collect()
    }

    /// Those by which somebody else would be accepted or trusted: the path of each, and its line.
    pub(crate) fn dangers(&self) -> Vec<(Vec<String>, String)> {
        let all = self.differences().into_iter().filter(|one| one.is_danger);
        all.map(|one| (one.path, one.line)).collect()
    }

    fn differences(&self) -> Vec<DriftLine> {
        let own: Vec<Setting> = self.own.iter().map(|setting| self.key.setting(setting)).collect();
        let meant = values::apply(self.deployed, &own);
        let trust = match self.side {
            Side::Orchestrator => Some(TrustedCas::of(self, &meant)),
            Side::Backend => None,
        };
        let found = drift::between(&meant, self.will, &[]);
        let inside = |one: &Difference| one.path.get(self.key.depth()..).unwrap_or_default().to_vec();
        let waits = |one: &&Difference| trust.as_ref().is_some_and(|trust| trust.waits(one, &inside(one)));
        let line = |one: &Difference| {
            let told = one.masked_line(self.key, self.is_encrypted);
            let danger = match &trust {
                Some(trust) => trust.danger(one, &inside(one)),
                None => pose(one, &inside(one)),
            };
            let (path, is_danger) = (one.path.clone(), danger.is_some());
            DriftLine {
                path,
                is_danger,
                line: danger.map_or_else(|| told.clone(), |danger| format!("{told}: {danger}")),
            }
        };
        found.iter().filter(|one| !waits(one)).map(line).collect()
    }
}

/// Another CA of a backend vouches for anyone who claims to be the orchestrator.
fn pose(one: &Difference, path: &[String]) -> Option<String> {
    let name = one.file.as_ref().filter(|_| path == backend::TLS_CACERT)?.as_str()?;
    Some(format!("anyone who has the key of a CA in {name} can pose as the orchestrator"))
}

/// Whom an orchestrator trusts.
struct TrustedCas {
    /// The objects whose CAs it knows already.
    pool: Vec<String>,
    /// The members that will be.
    members: Vec<String>,
    was_on: bool,
    will_be_on: bool,
}

impl TrustedCas {
    fn of(guard: &DriftGuard<'_>, meant: &Value) -> Self {
        let read = |values: &Value| Orchestrator::read(&guard.key.below(values)).ok();
        let is_on = |values: &Value| at(&guard.key.below(values), MTLS_ENABLED) == Some(&Value::Bool(true));
        let (deployed, will) = (read(guard.deployed), read(guard.will));
        let admitting = deployed.iter().flat_map(|deployed| deployed.client_cas.values().flatten().cloned());
        let own = read(meant).map(|meant| meant.cacert.to_string());
        Self {
            pool: admitting.chain(own).collect(),
            members: will.map(|will| will.members).unwrap_or_default(),
            was_on: is_on(guard.deployed),
            will_be_on: is_on(guard.will),
        }
    }

    /// Whether a difference is what is left of an earlier run of ours: while mutual TLS is off, `approve` edits the file
    /// alone. A member by a CA that is known already; nothing at all once the gate stays open.
    fn waits(&self, one: &Difference, path: &[String]) -> bool {
        if path == VERIFY {
            return !self.will_be_on;
        }
        let Some((org, deployed, file)) = admitted(one, path) else { return false };
        let is_more = deployed.iter().all(|object| file.contains(object));
        let is_member = self.members.iter().any(|member| member == org);
        let is_known = !file.is_empty() && file.iter().all(|object| self.knows(object));
        !(self.was_on && self.will_be_on) && is_more && is_member && is_known
    }

    fn knows(&self, object: &str) -> bool {
        self.pool.iter().any(|known| known == object)
    }

    /// A CA that was not there before is said as `ca trust` says it.
    fn danger(&self, one: &Difference, path: &[String]) -> Option<String> {
        if path == CACERT {
            let name = one.file.as_ref()?.as_str().filter(|name| !self.knows(name))?;
            return Some(orchestrator::danger(&format!("a CA in {name}"), None));
        }
        let (org, _, file) = admitted(one, path)?;
        let new: Vec<&str> = file.into_iter().filter(|object| !self.knows(object)).collect();
        (!new.is_empty()).then(|| orchestrator::danger(&format!("a CA in {}", new.join(", ")), Some(org)))
    }
}

/// Of a difference in `clientCACerts` the organization and its objects, deployed and in the files.
fn admitted<'a>(one: &'a Difference, path: &'a [String]) -> Option<(&'a str, Vec<&'a str>, Vec<&'a str>)> {
    let [above @ .., org] = path else { return None };
    let list = |value: &'a Option<Value>| match value {
        None => Some(Vec::new()),
        Some(value) => value.as_array()?.iter().map(Value::as_str).collect(),
    };
    (above == CLIENT_CAS).then_some(())?;
    Some((org, list(&one.deployed)?, list(&one.file)?))
}

fn at<'a>(values: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(values, |node, key| node.get(key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(key: &str, is_encrypted: bool, (deployed, will): (Value, Value), own: &[Setting]) -> Vec<String> {
        let key: ValuesKey = key.parse().unwrap_or_default();
        let (side, deployed, will) = (Side::Orchestrator, &deployed, &will);
        DriftGuard { side, key: &key, deployed, will, own, is_encrypted }.lines()
    }

    fn values(on: bool, admitted: &Value) -> Value {
        let mtls = json!({"enabled": on, "clientCACerts": admitted});
        json!({"channels": [{"name": "c", "organizations": ["A", "B"]}], "orchestrator": {"tls": {"enabled": true, "mtls": mtls}}})
    }

    #[test]
    fn a_member_by_a_known_ca_waits_for_the_gate_and_nothing_else_does() {
        let ca = "orchestrator-tls-cacert";
        let none = json!({});
        let on = [Setting::set(MTLS_ENABLED, true)];
        let closes = |admitted: Value| lines("", false, (values(false, &none), values(true, &admitted)), &on);
        assert_eq!(closes(json!({"A": [ca], "B": [ca]})), [""; 0]);
        for (other, word) in [
            (json!({"X": [ca]}), "clientCACerts.X"),
            (json!({"A": []}), "clientCACerts.A"),
            (json!({"A": [ca, "new"]}), "in new can act as every organization"),
        ] {
            let lines = closes(other);
            assert!(lines.len() == 1 && lines[0].contains(word), "{lines:?}");
        }
        // Behind a closed gate each goes live at once, and who is lost is cut off.
        let behind = |one: Value, two: Value| lines("", false, (values(true, &one), values(true, &two)), &on).len();
        assert_eq!((behind(json!({}), json!({"A": [ca]})), behind(json!({"A": [ca]}), json!({}))), (1, 1));
        let own = [Setting::include(&[CLIENT_CAS, &["A"]].concat(), ca)];
        assert_eq!(lines("", false, (values(true, &none), values(true, &json!({"A": [ca]}))), &own), [""; 0]);
        assert_eq!(
            lines("", false, (values(true, &none), values(false, &json!({"A": [ca]}))), &[]).len(),
            1,
            "the gate itself"
        );
    }

    #[test]
    fn below_a_key_and_of_an_encrypted_file_a_new_ca_is_named_too() {
        let both = || (json!({"x": values(true, &json!({}))}), json!({"x": values(true, &json!({"A": ["new"]}))}));
        let danger =
            "anyone who has the key of a CA in new can act as every organization of the federation, not only as A";
        let path = "x.orchestrator.tls.mtls.clientCACerts.A";
        assert_eq!(lines("x", false, both(), &[]), [format!("{path}: deployed nothing, files [\"new\"]: {danger}")]);
        assert_eq!(lines("x", true, both(), &[]), [format!("{path}: in the files only: {danger}")]);
        let own = [Setting::include(&[CLIENT_CAS, &["A"]].concat(), "new")];
        assert_eq!(lines("x", false, both(), &own), [""; 0]);
    }
}
