//! The rights that suffice on each side, each with what it is for: what the tool asks for, then what `helm upgrade` needs.

use crate::substra::Side;

/// One rule of a Role.
pub(super) struct Rule {
    /// What it is for; a line each. None where it belongs to the rule before.
    pub(super) why: &'static [&'static str],
    /// The API group; empty for the core.
    pub(super) group: &'static str,
    pub(super) resources: &'static [&'static str],
    /// The objects; any where none is named.
    pub(super) names: &'static [&'static str],
    pub(super) verbs: &'static [&'static str],
}

/// What each side has.
pub(super) fn of(side: Side) -> impl Iterator<Item = &'static Rule> {
    let (own, restart, of_helm): (_, &[Rule], _) = match side {
        Side::Backend => (BACKEND, &[], HELM_AT_BACKEND),
        Side::Orchestrator => (ORCHESTRATOR, RESTART, HELM_AT_ORCHESTRATOR),
    };
    [own, WATCHED, restart, HELM, of_helm, MANIFEST].into_iter().flatten()
}

const CHANGED: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];
const SEEN: &[&str] = &["get", "list", "watch"];

const NEW: &[&str] =
    &["RBAC cannot limit `create` to names: the name of a new object", "is not known when the rights are checked."];

const BACKEND: &[Rule] = &[
    Rule {
        why: &["The pair, and the pair that waits for its certificate."],
        group: "",
        resources: &["secrets"],
        names: &["orchestrator-client-cert", "orchestrator-client-cert-pending"],
        verbs: &["get", "update", "delete"],
    },
    Rule {
        why: &["The CA that the backend trusts."],
        group: "",
        resources: &["secrets"],
        names: &["orchestrator-cacert"],
        verbs: &["get", "update"],
    },
    Rule {
        why: &["The same before chart 26.0.0."],
        group: "",
        resources: &["configmaps"],
        names: &["orchestrator-cacert"],
        verbs: &["get", "update"],
    },
    Rule { why: NEW, group: "", resources: &["secrets", "configmaps"], names: &[], verbs: &["create"] },
];

const ORCHESTRATOR: &[Rule] = &[
    Rule {
        why: &["The CA that the orchestrator mounts, and the server pair, which", "`ca init` makes and renews."],
        group: "",
        resources: &["secrets"],
        names: &["orchestrator-tls-cacert", "orchestrator-tls-server-pair"],
        verbs: &["get", "update"],
    },
    Rule { why: NEW, group: "", resources: &["secrets"], names: &[], verbs: &["create"] },
    Rule {
        why: &[
            "The issue log where the CA is in a Secret (`--ca-secret`): one",
            "ConfigMap for each request. Before chart 8.6.0 also the CAs,",
            "that of `ca trust --for` under a name of its own.",
        ],
        group: "",
        resources: &["configmaps"],
        names: &[],
        verbs: &["get", "list", "create", "update"],
    },
];

/// The tool, and `kubectl rollout status`.
const WATCHED: &[Rule] = &[
    Rule {
        why: &["What runs, and whether it is new (`kubectl rollout status`)."],
        group: "apps",
        resources: &["deployments", "statefulsets", "replicasets"],
        names: &[],
        verbs: SEEN,
    },
    Rule { why: &[], group: "", resources: &["pods"], names: &[], verbs: SEEN },
];

const RESTART: &[Rule] = &[Rule {
    why: &["A restart: the server pair, the members of a channel, or a CA", "under the same name, have changed."],
    group: "apps",
    resources: &["deployments"],
    names: &[],
    verbs: &["patch"],
}];

const HELM: &[Rule] = &[Rule {
    why: &[
        "`helm upgrade`. Helm keeps the release in Secrets whose names",
        "change with each revision, so it needs all of them: the Secret",
        "of `--ca-secret` is among them. Helm 3 creates and Helm 4",
        "patches; Helm 4 waits by `list` and `watch`.",
    ],
    group: "",
    resources: &["secrets"],
    names: &[],
    verbs: &["get", "list", "watch", "create", "update", "patch", "delete"],
}];

const WHAT_CHARTS_HAVE: &[&str] = &["What the chart has, which `helm upgrade` writes."];

const HELM_AT_BACKEND: &[Rule] = &[
    Rule { why: WHAT_CHARTS_HAVE, group: "", resources: &["configmaps", "services"], names: &[], verbs: CHANGED },
    Rule { why: &[], group: "apps", resources: &["deployments", "statefulsets"], names: &[], verbs: CHANGED },
];

const HELM_AT_ORCHESTRATOR: &[Rule] = &[
    Rule {
        why: WHAT_CHARTS_HAVE,
        group: "",
        resources: &["configmaps", "services", "serviceaccounts"],
        names: &[],
        verbs: CHANGED,
    },
    Rule { why: &[], group: "apps", resources: &["deployments"], names: &[], verbs: CHANGED },
];

const MANIFEST: &[Rule] = &[
    Rule { why: &[], group: "batch", resources: &["jobs"], names: &[], verbs: CHANGED },
    Rule { why: &[], group: "networking.k8s.io", resources: &["ingresses"], names: &[], verbs: CHANGED },
];
