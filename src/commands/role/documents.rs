//! The two objects, as scripts read them and as the YAML that kubectl applies.

use serde::Serialize;

use super::rules::{self, Rule};
use crate::{
    names::{Namespace, ObjectName},
    substra::Side,
    values,
};

const GROUP: &str = "rbac.authorization.k8s.io";
const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// The account where none is named. None of Kubernetes' own: `default` is what every pod without an account runs as.
const ACCOUNT: &str = "substra-mtls";

/// What `role` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Rights {
    side: Side,
    /// The account that gets them.
    pub(super) service_account: String,
    role: Role,
    role_binding: RoleBinding,
}

/// The Role.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Role {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    rules: Vec<PolicyRule>,
}

/// What binds it to the account.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct RoleBinding {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    role_ref: RoleRef,
    subjects: [Subject; 1],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Metadata {
    name: String,
    /// Absent where none was given: kubectl then uses the namespace of its context.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<Namespace>,
}

/// One rule, as Kubernetes writes it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PolicyRule {
    api_groups: [&'static str; 1],
    resources: &'static [&'static str],
    /// Absent where it is for any name.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    resource_names: &'static [&'static str],
    verbs: &'static [&'static str],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct RoleRef {
    api_group: &'static str,
    kind: &'static str,
    name: String,
}

/// The account; without a namespace it is one of the binding's.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Subject {
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<Namespace>,
}

impl From<&Rule> for PolicyRule {
    fn from(rule: &Rule) -> Self {
        let Rule { group, resources, names, verbs, .. } = *rule;
        Self { api_groups: [group], resources, resource_names: names, verbs }
    }
}

impl Rights {
    /// The Role of a side, for an account of the namespace.
    pub(super) fn new(side: Side, namespace: Option<&Namespace>, account: Option<&ObjectName>) -> Self {
        let service_account = account.map_or(ACCOUNT, ObjectName::as_str).to_owned();
        let name = format!("substra-mtls-{side}");
        let metadata = || Metadata { name: name.clone(), namespace: namespace.cloned() };
        let (role, binding) = (metadata(), metadata());
        let subject = Subject { kind: "ServiceAccount", name: service_account.clone(), namespace: namespace.cloned() };
        Self {
            side,
            service_account,
            role: Role {
                api_version: API_VERSION,
                kind: "Role",
                metadata: role,
                rules: rules::of(side).map(PolicyRule::from).collect(),
            },
            role_binding: RoleBinding {
                api_version: API_VERSION,
                kind: "RoleBinding",
                metadata: binding,
                role_ref: RoleRef { api_group: GROUP, kind: "Role", name },
                subjects: [subject],
            },
        }
    }

    /// Two documents, with what each rule is for.
    pub(super) fn yaml(&self) -> Vec<String> {
        let side = self.side;
        let mut lines = vec![
            format!("# What substra-mtls and helm need in {} namespace.", whose(side)),
            "# Creating that namespace (bootstrap --install) needs more.".to_owned(),
        ];
        lines.extend(head(self.role.api_version, self.role.kind, &self.role.metadata));
        lines.push("rules:".to_owned());
        lines.extend(rules::of(side).flat_map(in_yaml));
        let RoleBinding { api_version, kind, metadata, role_ref, subjects: [subject] } = &self.role_binding;
        lines.push("---".to_owned());
        lines.extend(head(api_version, kind, metadata));
        lines.push("roleRef:".to_owned());
        lines.push(format!("  apiGroup: {}", role_ref.api_group));
        lines.push(format!("  kind: {}", role_ref.kind));
        lines.push(format!("  name: {}", values::plain_or_quoted(&role_ref.name)));
        lines.push("subjects:".to_owned());
        lines.push(format!("  - kind: {}", subject.kind));
        lines.push(format!("    name: {}", values::plain_or_quoted(&subject.name)));
        lines.extend(subject.namespace.iter().map(|name| format!("    {}", of_namespace(name))));
        lines
    }
}

fn whose(side: Side) -> &'static str {
    match side {
        Side::Backend => "a backend's",
        Side::Orchestrator => "the orchestrator's",
    }
}

fn head(api_version: &str, kind: &str, metadata: &Metadata) -> Vec<String> {
    let mut lines = vec![
        format!("apiVersion: {api_version}"),
        format!("kind: {kind}"),
        "metadata:".to_owned(),
        format!("  name: {}", values::plain_or_quoted(&metadata.name)),
    ];
    lines.extend(metadata.namespace.iter().map(|name| format!("  {}", of_namespace(name))));
    lines
}

fn of_namespace(name: &Namespace) -> String {
    format!("namespace: {}", values::plain_or_quoted(name.as_str()))
}

fn in_yaml(rule: &Rule) -> Vec<String> {
    let Rule { why, group, resources, names, verbs } = rule;
    let mut lines: Vec<String> = why.iter().map(|line| format!("  # {line}")).collect();
    let group = if group.is_empty() { r#""""# } else { group };
    lines.push(format!("  - apiGroups: [{group}]"));
    lines.push(format!("    resources: [{}]", resources.join(", ")));
    if !names.is_empty() {
        lines.push("    resourceNames:".to_owned());
        lines.extend(names.iter().map(|name| format!("      - {name}")));
    }
    lines.push(format!("    verbs: [{}]", verbs.join(", ")));
    lines
}
