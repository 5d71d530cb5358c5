//! What this account may do, against what the next verbs do.

use serde_json::Value;

use super::super::{
    catalogue::Check,
    finding::Findings,
    observe::{ObservedRelease, SideValues},
};
use crate::{
    cluster::ClusterTarget,
    command_line::CommandLine,
    failure::{Code, Next},
    release::find,
};

/// One thing that has to be allowed: verbs, API group, resource, and the names; without names, any of them.
type NeededRight = (&'static [&'static str], &'static str, &'static str, Vec<String>);

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    let next = grant(observed);
    let reads = [observed.release.as_ref().err(), observed.objects.as_ref().err()];
    for failure in reads.into_iter().flatten().filter(|failure| failure.code == Code::Forbidden) {
        let next = if find::is_unnamed(&observed.target) { find::add_namespace() } else { next.clone() };
        findings.failed(Check::Rights, format!("{}: {}", failure.what, failure.why), next);
    }
    let (Ok(rules), Ok(party)) = (&observed.rules, &observed.party) else {
        return findings.skip(Check::Rights, "what this account may do could not be asked");
    };
    let missing: Vec<String> = needs(party).iter().flat_map(|need| lacking(rules, need)).collect();
    if missing.is_empty() {
        findings.ok(Check::Rights, "all that the next verb and helm upgrade do is allowed");
    } else if rules["incomplete"] == true {
        // A webhook may allow what the API server cannot list.
        findings
            .skip(Check::Rights, format!("the API server cannot list all rights; not listed: {}", missing.join(", ")));
    } else {
        findings.failed(Check::Rights, format!("not allowed: {}", missing.join(", ")), next);
    }
}

/// The two documents name the namespace; kubectl needs to be told which cluster.
fn grant(observed: &ObservedRelease) -> Next {
    let role = CommandLine::ours("role").word(observed.side).option("-n", &observed.target.namespace);
    let cluster = ClusterTarget { namespace: None, ..observed.target.clone() };
    let kubectl = CommandLine::kubectl().at(&cluster).with("apply -f -");
    Next::from("ask the cluster's administrator to run, with --service-account NAME for the account that you use: ")
        .command(role.with(&format!("| {kubectl}")))
}

/// What `enroll` or `approve` and `gate` do, and `helm upgrade` under them: it keeps each revision in a Secret.
fn needs(party: &SideValues) -> Vec<NeededRight> {
    let any = Vec::new;
    let mut needs: Vec<NeededRight> = vec![
        (&["get", "list", "create", "update"], "", "secrets", any()),
        (&["get", "patch"], "apps", "deployments", any()),
    ];
    match party {
        SideValues::Backend(backend) => {
            let pair = backend.client_certificate.to_string();
            needs.push((&["get", "update", "delete"], "", "secrets", vec![format!("{pair}-pending"), pair]));
            needs.push((&["get", "patch"], "apps", "statefulsets", any()));
        }
        SideValues::Orchestrator(orchestrator) => {
            let named = vec![orchestrator.cacert.to_string(), orchestrator.server_pair.to_string()];
            needs.push((&["get"], "", "secrets", named));
        }
    }
    needs
}

fn lacking(rules: &Value, (verbs, group, resource, names): &NeededRight) -> Vec<String> {
    let lacks = |name: Option<&str>| -> Vec<String> {
        let lacking = verbs.iter().filter(|verb| !allows(rules, verb, group, resource, name));
        let what = name.map_or_else(|| (*resource).to_owned(), |name| format!("{resource}/{name}"));
        lacking.map(|verb| format!("{verb} {what}")).collect()
    };
    if names.is_empty() { lacks(None) } else { names.iter().flat_map(|name| lacks(Some(name))).collect() }
}

/// Whether a rule allows it (`k8s.io/api/authorization/v1`, ResourceRule): `*` stands for all, no names mean any name.
pub(in crate::commands::check) fn allows(
    rules: &Value,
    verb: &str,
    group: &str,
    resource: &str,
    name: Option<&str>,
) -> bool {
    let all = rules["resourceRules"].as_array();
    all.into_iter().flatten().any(|rule| {
        let has = |field: &str, wanted: &str| {
            rule[field].as_array().is_some_and(|items| items.iter().any(|item| item == wanted || item == "*"))
        };
        let names = rule["resourceNames"].as_array().filter(|names| !names.is_empty());
        let named = names.is_none_or(|names| name.is_some_and(|name| names.iter().any(|one| one == name)));
        has("verbs", verb) && has("apiGroups", group) && has("resources", resource) && named
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_for_some_names_allows_nothing_else() {
        let rules = json!({"resourceRules": [
            {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["pair"]},
            {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]},
        ]});
        assert!(allows(&rules, "get", "", "secrets", Some("pair")));
        for (verb, name) in [("get", Some("other")), ("get", None), ("update", Some("pair"))] {
            assert!(!allows(&rules, verb, "", "secrets", name), "{verb} {name:?}");
        }
        assert!(allows(&rules, "patch", "apps", "deployments", None));
        assert!(!allows(&json!({}), "get", "", "secrets", None));
    }
}
