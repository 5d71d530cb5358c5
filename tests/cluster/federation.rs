//! A federation on the control plane: several backends and their orchestrator, each in a namespace of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::site::{HelmVersion, Ran, Site, chart};

pub(crate) struct Fed {
    pub(crate) site: Site,
    /// The backends' namespaces.
    pub(crate) orgs: Vec<String>,
    backend: &'static str,
    orchestrator: &'static str,
}

pub(crate) fn backend_values(n: usize) -> String {
    format!(
        "# Hospital {n}\nserver:\n  ingress:\n    hostname: substra.org-{n}.example.org\norchestrator:\n  host: orchestrator.example.org   # told by the federation\n  mspID: MyOrg{n}MSP\n  tls:\n    enabled: true\n    cacert: orchestrator-cacert\n"
    )
}

pub(crate) fn orchestrator_values(count: usize) -> String {
    let members: Vec<String> = (1..=count).map(|n| format!("MyOrg{n}MSP")).collect();
    format!(
        "ingress:\n  hostname: orchestrator.example.org\nchannels:\n  - name: mychannel\n    organizations: [{}]\norchestrator:\n  tls:\n    enabled: true # by hand\n",
        members.join(", ")
    )
}

impl Fed {
    /// TLS is set up as in the walkthrough, mutual TLS is not.
    pub(crate) fn new(helm: HelmVersion, count: usize) -> Self {
        Self::with_charts(helm, count, "substra-backend", "orchestrator")
    }

    pub(crate) fn with_charts(
        helm: HelmVersion,
        count: usize,
        backend: &'static str,
        orchestrator: &'static str,
    ) -> Self {
        let fed = Self::files(helm, count, backend, orchestrator);
        let site = &fed.site;
        site.authority();
        let kind = |chart: &str| if chart.ends_with("-old") { "configmap" } else { "secret generic" };
        let make = format!("create {} orchestrator-tls-cacert --from-file=ca.crt=ca.crt", kind(orchestrator));
        site.admin(&site.orc, &make);
        site.admin(&site.orc, "create secret tls orchestrator-tls-server-pair --cert=server.crt --key=server.key");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                site.helm(
                    &site.orc,
                    &format!("install orchestrator {} -f orchestrator-values.yaml", chart(orchestrator)),
                )
            });
            for n in 1..=count {
                let fed = &fed;
                scope.spawn(move || fed.install(n));
            }
        });
        fed
    }

    /// Namespaces, accounts and files; nothing is installed.
    pub(crate) fn files(helm: HelmVersion, count: usize, backend: &'static str, orchestrator: &'static str) -> Self {
        let site = Site::empty(helm);
        let orgs: Vec<String> = (1..=count).map(|n| format!("{}-{n}", site.org)).collect();
        let fed = Self { site, orgs, backend, orchestrator };
        std::thread::scope(|scope| {
            for org in &fed.orgs {
                scope.spawn(|| fed.site.account(org, "backend"));
            }
        });
        fed.site.write("orchestrator-values.yaml", &orchestrator_values(count));
        (1..=count).for_each(|n| fed.site.write(&format!("org-{n}.yaml"), &backend_values(n)));
        fed.site.write("federation.yaml", &fed.federation("{cert: ca.crt, key: ca.key}", "close"));
        fed
    }

    pub(crate) fn install(&self, n: usize) {
        let (site, org) = (&self.site, &self.orgs[n - 1]);
        let kind = if self.backend.ends_with("-old") { "configmap" } else { "secret generic" };
        site.admin(org, &format!("create {kind} orchestrator-cacert --from-file=ca.crt=ca.crt"));
        site.helm(org, &format!("install backend {} -f org-{n}.yaml", chart(self.backend)));
    }

    /// The federation file of all organizations that have a namespace.
    pub(crate) fn federation(&self, ca: &str, gate: &str) -> String {
        let orc = &self.site.orc;
        let mut text = format!(
            "apiVersion: substra-mtls/v1\nkind: Federation\norchestrator:\n  kubeconfig: {orc}.kubeconfig\n  namespace: {orc}\n  release: orchestrator\n  chart: {}\n  values: [orchestrator-values.yaml]\n  ca: {ca}\n  gate: {gate}\norganizations:\n",
            chart(self.orchestrator)
        );
        for (n, org) in self.orgs.iter().enumerate() {
            let n = n + 1;
            text += &format!(
                "  MyOrg{n}MSP:\n    kubeconfig: {org}.kubeconfig\n    namespace: {org}\n    release: backend\n    chart: {}\n    values: [org-{n}.yaml]\n",
                chart(self.backend)
            );
        }
        text
    }

    /// `helm substra-mtls bootstrap`, with Helm pointed somewhere else.
    pub(crate) fn bootstrap(&self, more: &str) -> Ran {
        let mut command =
            self.site.helm_command("default", &format!("substra-mtls bootstrap federation.yaml --yes {more}"));
        command.env("HELM_KUBEAPISERVER", "https://127.0.0.1:1").env("HELM_KUBECONTEXT", "elsewhere");
        Ran::of(&mut command)
    }

    /// `helm substra-mtls check`.
    pub(crate) fn check(&self, more: &str) -> Ran {
        self.site.plugin("default", &format!("check federation.yaml {more}"))
    }

    /// Mutual TLS with the identity check, as the pods of the orchestrator have it.
    pub(crate) fn is_closed(&self) -> bool {
        let server = self.site.object(&self.site.orc, "deployment/orchestrator-server").to_string();
        server.contains("client-cacert")
    }

    /// Each organization has a pair of the federation's CA in its own name, and every workload mounts it.
    #[track_caller]
    pub(crate) fn is_enrolled(&self, n: usize) {
        let org = &self.orgs[n - 1];
        let secret = self.site.object(org, "secret/orchestrator-client-cert");
        assert_eq!(secret["type"], "kubernetes.io/tls");
        let text = secret["data"]["tls.crt"].as_str().unwrap();
        let ca = if self.site.path("ca.crt").exists() { "ca.crt" } else { "orchestrator-ca.crt" };
        let subject = self.site.sh(&format!(
            "echo {text} | base64 -d > pair-{n}.crt; openssl verify -purpose sslclient -CAfile {ca} pair-{n}.crt >&2; openssl x509 -in pair-{n}.crt -noout -subject"
        ));
        assert!(subject.contains(&format!("O = MyOrg{n}MSP,")), "{subject}");
        let server = self.site.object(org, "deployment/backend-substra-backend-server");
        assert!(server.to_string().contains("orchestrator-client-cert"));
        assert_eq!(server["status"]["readyReplicas"], 1);
        assert_eq!(server["metadata"]["generation"], server["status"]["observedGeneration"]);
    }

    /// resourceVersions and files of all.
    pub(crate) fn state(&self) -> BTreeMap<String, String> {
        let mut all = self.site.state(&self.site.orc);
        for org in &self.orgs {
            all.extend(self.site.state(org).into_iter().map(|(key, value)| (format!("{org} {key}"), value)));
        }
        all
    }

    /// Values that are deployed.
    pub(crate) fn deployed(&self, namespace: &str, release: &str) -> Value {
        serde_json::from_str(&self.site.helm(namespace, &format!("get values {release} -o json"))).unwrap()
    }
}

/// The children of a run with `-v`, by what they were pointed at.
pub(crate) fn children(ran: &Ran, namespace: &str) -> Vec<String> {
    let flag = format!("--namespace={namespace} ");
    let lines = ran.stderr.lines().filter_map(|line| line.strip_prefix("+ "));
    lines.filter(|line| format!("{line} ").contains(&flag)).map(str::to_owned).collect()
}
