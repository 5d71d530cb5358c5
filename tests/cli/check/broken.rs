//! The table: one broken world a line, and the check that fires there.
#![allow(clippy::semicolon_if_nothing_returned, reason = "a table of one-liners")]

use serde_json::{Value, json};
use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef},
    pki::{authority::create_root, key::KeyType, key::PrivateKey},
    substra::forged_certificates::{CertificateRecipe, LeafUsage},
};
use time::Duration;

use super::world::{Scene, annotate, at, entry_is, put};

const ORG: &str = "backend";
const ORC: &str = "orchestrator";
const PAIR: &str = "orchestrator-client-cert";
const SERVER: &str = "orchestrator-tls-server-pair";

/// The check, the side, how it comes out, a part of what it says, and how the world is broken.
pub(super) type Case = (&'static str, &'static str, &'static str, &'static str, fn(&mut Scene));

fn client() -> CertificateRecipe {
    CertificateRecipe {
        organizations: vec!["MyOrg1MSP".into()],
        common_name: "substra.org-1.example.org".into(),
        usage: Some(LeafUsage::Client),
        v3: true,
        ..CertificateRecipe::default()
    }
}

fn server() -> CertificateRecipe {
    CertificateRecipe {
        dns_names: vec!["orchestrator.example.org".into()],
        usage: Some(LeafUsage::Both),
        v3: true,
        ..CertificateRecipe::default()
    }
}

fn pair(scene: &mut Scene, recipe: &CertificateRecipe) {
    scene.put_pair(&scene.federation.org, PAIR, recipe);
}

fn server_pair(scene: &mut Scene, recipe: &CertificateRecipe) {
    scene.put_pair(&scene.federation.orc, SERVER, recipe);
}

fn ca(scene: &mut Scene, text: &str) {
    let orc = &scene.federation.orc;
    put(orc, &ObjectRef::secret("orchestrator-tls-cacert"), &[("ca.crt", text.as_bytes())]);
}

fn key_of_client_cas(scene: &mut Scene, key: &str) {
    scene.deploy(ORC, "clientCACerts:\n", &format!("clientCACerts:\n        {key}: [orchestrator-tls-cacert]\n"));
}

fn touched(scene: &mut Scene, name: &'static str) {
    let time = at(scene.federation.now, 10);
    scene.view.objects = Box::new(move |all| {
        for object in all.as_array_mut().unwrap().iter_mut().filter(|object| object["metadata"]["name"] == name) {
            object["metadata"]["managedFields"][0]["time"] = json!(time);
        }
    });
}

fn without_v3_root(scene: &mut Scene) -> String {
    // A leaf of the walkthrough's form is a certificate without subjectKeyIdentifier, and without basicConstraints.
    let (ca, key) = scene.ca();
    CertificateRecipe::walkthrough("X", "x").sign(&ca.spki, &ca, &key, scene.federation.now).unwrap()
}

pub(super) const CASES: &[Case] = &[
    ("rights", ORG, "failed", "create secrets", |s| {
        s.view.rules =
            Some(json!({"resourceRules": [{"verbs": ["get", "list"], "apiGroups": ["*"], "resources": ["*"]}]}))
    }),
    ("rights", ORG, "failed", "could not read release", |s| s.view.forbidden = vec!["release"]),
    ("rights", ORG, "failed", "could not read objects", |s| s.view.forbidden = vec!["objects"]),
    ("rights", ORC, "skipped", "cannot list all", |s| s.view.rules = Some(json!({"incomplete": true}))),
    ("release", ORG, "failed", "no release nothing", |s| s.release = Some("nothing")),
    ("release-pending", ORG, "failed", "pending-upgrade", |s| s.view.status = Some("pending-upgrade")),
    ("release-failed", ORC, "failed", "failed", |s| s.view.status = Some("failed")),
    ("rollout", ORG, "failed", "0 of 1 pods are ready", |s| {
        s.federation.org.remove_object(&ObjectRef::secret(PAIR));
        s.reinstall(ORG);
    }),
    ("drift", ORG, "failed", "worker.replicas: in the files only", |s| {
        let text = s.federation.world.read("backend-values.yaml");
        s.federation.world.write("backend-values.yaml", &format!("{text}worker: {{replicas: 2}}\n"));
    }),
    ("drift", ORC, "failed", "a CA in evil-ca can act as every organization", |s| {
        let text = s.federation.world.read("orchestrator-values.yaml");
        let text = text.replace("        MyOrg1MSP:\n", "        Other: [evil-ca]\n        MyOrg1MSP:\n");
        s.federation.world.write("orchestrator-values.yaml", &text);
    }),
    ("drift", ORG, "failed", "a CA in other-ca can pose as the orchestrator", |s| {
        let text = s.federation.world.read("backend-values.yaml");
        s.federation
            .world
            .write("backend-values.yaml", &text.replace("cacert: orchestrator-cacert", "cacert: other-ca"));
    }),
    ("half-way", ORC, "warning", "verifyClientMSPID", |s| {
        let text = s.federation.world.read("orchestrator-values.yaml");
        s.federation
            .world
            .write("orchestrator-values.yaml", &text.replace("verifyClientMSPID: true", "verifyClientMSPID: false"));
    }),
    ("values", ORG, "failed", "orchestrator.mspID", |s| {
        let text = s.federation.world.read("backend-values.yaml");
        s.federation.world.write("backend-values.yaml", &text.replace("mspID: MyOrg1MSP", "mspID: 0123"));
    }),
    ("values-odd-words", ORG, "warning", "orchestrator.mspID is written so that Helm reads another number", |s| {
        let text = s.federation.world.read("backend-values.yaml");
        s.federation.world.write("backend-values.yaml", &text.replace("mspID: MyOrg1MSP", "mspID: 0123"));
    }),
    ("tls", ORC, "failed", "not true", |s| s.deploy(ORC, "enabled: true # by hand", "enabled: false # by hand")),
    ("mount-missing", ORG, "failed", "nothing of that name is there", |s| {
        s.federation.org.remove_object(&ObjectRef::secret("orchestrator-cacert"))
    }),
    ("mount-missing", ORC, "failed", "Secret orchestrator-tls-server-pair is not there", |s| {
        s.federation.orc.remove_object(&ObjectRef::secret(SERVER))
    }),
    ("mount-missing", ORC, "failed", "there is a ConfigMap of that name", |s| {
        s.federation.orc.remove_object(&ObjectRef::secret("orchestrator-tls-cacert"));
        s.federation.orc.create(&Object::config_map("orchestrator-tls-cacert", &[], &[("ca.crt", "x")])).unwrap();
    }),
    ("mount-ca", ORG, "failed", "no item ca.crt; it has: tls.crt", |s| {
        s.federation.org.remove_object(&ObjectRef::secret("orchestrator-cacert"));
        s.federation.org.create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("tls.crt", b"x")])).unwrap();
    }),
    ("mount-ca", ORC, "failed", "first PEM block", |s| ca(s, "-----BEGIN X-----\nQUJD\n-----END X-----\n")),
    ("mount-ca", ORC, "failed", "no CA", |s| {
        let leaf = without_v3_root(s);
        ca(s, &leaf);
    }),
    ("mount-bundle", ORC, "warning", "holds 2 certificates", |s| {
        let both = s.federation.world.read("ca.crt") + &create_root(KeyType::EcdsaP256, s.federation.now).unwrap().1;
        ca(s, &both);
    }),
    ("pods-waiting", ORG, "failed", "CrashLoopBackOff", |s| waits(s, "CrashLoopBackOff", 30)),
    ("pods-waiting", ORG, "failed", "ContainerCreating", |s| waits(s, "ContainerCreating", 30)),
    ("pods-waiting", ORG, "warning", "ContainerCreating", |s| waits(s, "ContainerCreating", 0)),
    ("mount-ski", ORC, "failed", "without subjectKeyIdentifier", |s| {
        ca(s, include_str!("old-root.crt"));
    }),
    ("mount-expired", ORC, "failed", "expired on", |s| s.federation.now += Duration::days(2000)),
    ("ca-ends", ORG, "warning", "days left", |s| s.federation.now += Duration::days(1700)),
    ("server-pair", ORC, "failed", "do not fit", |s| {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        put(&s.federation.orc, &ObjectRef::secret(SERVER), &[("tls.key", key.to_pem().as_bytes())]);
    }),
    ("server-pair", ORC, "failed", "cannot be read", |s| {
        put(&s.federation.orc, &ObjectRef::secret(SERVER), &[("tls.key", b"x")])
    }),
    ("server-expired", ORC, "failed", "expired on", |s| {
        server_pair(s, &CertificateRecipe { expired: true, ..server() })
    }),
    ("server-ends", ORC, "warning", "until", |s| s.federation.now += Duration::days(300)),
    ("server-auth", ORC, "failed", "without serverAuth", |s| {
        server_pair(s, &CertificateRecipe { usage: Some(LeafUsage::Client), ..server() })
    }),
    ("server-expired", ORC, "failed", "not valid before", |s| s.federation.now -= Duration::days(2)),
    ("server-client-auth", ORC, "failed", "without clientAuth", |s| {
        server_pair(s, &CertificateRecipe { usage: Some(LeafUsage::Server), ..server() })
    }),
    ("server-name", ORC, "failed", "does not cover orchestrator.example.org", |s| {
        server_pair(s, &CertificateRecipe { dns_names: vec!["a.b".into()], ..server() })
    }),
    ("server-chain", ORC, "failed", "none of the CAs", |s| {
        let root = create_root(KeyType::EcdsaP256, s.federation.now).unwrap().1;
        ca(s, &root);
    }),
    ("pair", ORG, "failed", "is not there", |s| s.federation.org.remove_object(&ObjectRef::secret(PAIR))),
    ("pair", ORG, "failed", "connects without a certificate", |s| {
        put(&s.federation.org, &ObjectRef::secret(PAIR), &[("tls.key", b"")])
    }),
    ("pair", ORG, "failed", "cannot be read", |s| {
        put(&s.federation.org, &ObjectRef::secret(PAIR), &[("tls.crt", b"\xef\xbb\xbfx")])
    }),
    ("pair-halves", ORG, "failed", "another key", |s| {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        put(&s.federation.org, &ObjectRef::secret(PAIR), &[("tls.key", key.to_pem().as_bytes())]);
    }),
    ("pair-chain", ORG, "failed", "this cluster trusts", |s| {
        let root = create_root(KeyType::EcdsaP256, s.federation.now).unwrap().1;
        put(&s.federation.org, &ObjectRef::secret("orchestrator-cacert"), &[("ca.crt", root.as_bytes())]);
    }),
    ("pair-expired", ORG, "failed", "valid from", |s| pair(s, &CertificateRecipe { expired: true, ..client() })),
    ("pair-ends", ORG, "warning", "until", |s| s.federation.now += Duration::days(61)),
    ("renewal", ORG, "failed", "less than a sixth of its life is left", |s| s.federation.now += Duration::days(76)),
    ("renewal", ORG, "failed", "it ended on", |s| s.federation.now += Duration::days(91)),
    ("renewal", ORG, "failed", "within 8 days", |s| {
        s.federation.now += Duration::days(61);
        s.federation.enroll("").unwrap();
        s.federation.now += Duration::days(8);
    }),
    ("pair-key-id", ORG, "failed", "X.509 v1", |s| {
        pair(s, &CertificateRecipe::walkthrough("MyOrg1MSP", "substra.org-1.example.org"))
    }),
    ("pair-usage", ORG, "warning", "no extended key usage", |s| {
        pair(s, &CertificateRecipe { usage: None, ..client() })
    }),
    ("pair-usage", ORG, "warning", "serverAuth", |s| {
        pair(s, &CertificateRecipe { usage: Some(LeafUsage::Both), ..client() })
    }),
    ("pair-usage", ORG, "failed", "lacks clientAuth", |s| {
        pair(s, &CertificateRecipe { usage: Some(LeafUsage::Server), ..client() })
    }),
    ("pair-organization", ORG, "failed", "\"MyOrg2MSP\"", |s| {
        pair(s, &CertificateRecipe { organizations: vec!["MyOrg2MSP".into()], ..client() })
    }),
    ("pair-two-organizations", ORG, "failed", "MyOrg1MSP and MyOrg2MSP", |s| {
        pair(s, &CertificateRecipe { organizations: vec!["MyOrg1MSP".into(), "MyOrg2MSP".into()], ..client() })
    }),
    ("pair-name", ORG, "failed", "orchestrator.example.org", |s| {
        pair(s, &CertificateRecipe { common_name: "Orchestrator.example.org".into(), ..client() })
    }),
    ("pair-name", ORG, "failed", "orchestrator.example.org", |s| {
        pair(s, &CertificateRecipe { dns_names: vec!["*.example.org".into()], ..client() })
    }),
    ("key-admits-nobody", ORC, "warning", "orchestrator is the walkthrough's key for everybody", |s| {
        key_of_client_cas(s, "orchestrator")
    }),
    ("key-admits-nobody", ORC, "warning", "Somebody is no member", |s| key_of_client_cas(s, "Somebody")),
    ("key-collision", ORC, "failed", "my-org1-msp", |s| key_of_client_cas(s, "My-Org1-MSP")),
    ("key-form", ORC, "failed", "32 fit", |s| key_of_client_cas(s, "AVeryLongNameOfAnOrganizationIndeed")),
    ("key-form", ORC, "failed", "the API server refuses", |s| key_of_client_cas(s, "a.b")),
    ("identity-check", ORC, "failed", "any organization can act as any other", |s| {
        s.deploy(ORC, "verifyClientMSPID: true", "verifyClientMSPID: false")
    }),
    ("foreign-ca", ORC, "warning", "can act as every organization", |s| {
        let root = create_root(KeyType::EcdsaP256, s.federation.now).unwrap().1;
        s.federation.orc.create(&Object::secret("their-ca", "Opaque", &[], &[("ca.crt", root.as_bytes())])).unwrap();
        s.deploy(
            ORC,
            "          - orchestrator-tls-cacert\n",
            "          - orchestrator-tls-cacert\n          - their-ca\n",
        );
    }),
    ("issuer-any-organization", ORC, "warning", "ClusterIssuer federation", |s| {
        s.deploy(
            ORC,
            "  tls:\n    enabled: true",
            "  tls:\n    createCertificates: {enabled: true, issuer: federation}\n    enabled: true",
        );
    }),
    ("issuer-any-organization", ORC, "warning", "ClusterIssuer federation", |s| {
        s.view.issuers =
            json!([{"kind": "ClusterIssuer", "metadata": {"name": "federation"}, "spec": {"ca": {"secretName": "x"}}}]);
        s.view.objects = Box::new(|all| {
            annotate(
                all,
                SERVER,
                &json!({"cert-manager.io/issuer-kind": "ClusterIssuer", "cert-manager.io/issuer-name": "federation"}),
            )
        });
    }),
    ("issuer-any-organization", ORC, "ok", "holds no CA's key", |s| {
        s.view.issuers = json!([{"kind": "ClusterIssuer", "metadata": {"name": "acme"}, "spec": {"acme": {}}}]);
        s.view.objects = Box::new(|all| {
            annotate(
                all,
                SERVER,
                &json!({"cert-manager.io/issuer-kind": "ClusterIssuer", "cert-manager.io/issuer-name": "acme"}),
            )
        });
    }),
    ("issued-name", ORC, "failed", "orchestrator.example.org, a name of the orchestrator: only its usage keeps", |s| {
        logged(s, &CertificateRecipe { common_name: "orchestrator.example.org".into(), ..client() })
    }),
    ("issued-name", ORC, "failed", "a name of the orchestrator: its holder can pose as it", |s| {
        logged(s, &CertificateRecipe { common_name: "orchestrator.example.org".into(), usage: None, ..client() })
    }),
    ("issued-name", ORC, "warning", "may be a server", |s| logged(s, &CertificateRecipe { usage: None, ..client() })),
    ("issued-refused", ORC, "failed", "would be refused", |s| {
        logged(s, &CertificateRecipe::walkthrough("MyOrg1MSP", "a.b"))
    }),
    ("renewal-alarm", ORC, "failed", "its key may be stolen", |s| {
        entry_is(s, |log, entry| {
            let alarm = json!({
                "kind": "alarm", "time": entry["time"], "organization": "MyOrg1MSP", "predecessor": entry["serial"],
                "successor": "01ff", "request": entry["request"], "fingerprint": entry["fingerprint"]
            });
            log.push_str(&format!("{alarm}\n"));
        });
    }),
    ("member-overdue", ORC, "warning", "MyOrg1MSP has not renewed its certificate", |s| {
        let (from, to) = (at(s.federation.now, 60 * 24 * 80), at(s.federation.now, -60 * 24 * 10));
        entry_is(s, |log, entry| {
            let entry = [("notBefore", from), ("notAfter", to)].into_iter().fold(entry, |mut entry, (key, time)| {
                entry[key] = json!(time);
                entry
            });
            *log = format!("{entry}\n");
        });
    }),
    ("mtls-empty", ORC, "failed", "the server exits when it starts", |s| {
        s.deploy(
            ORC,
            "clientCACerts:\n        MyOrg1MSP:\n          - orchestrator-tls-cacert\n",
            "clientCACerts: {}\n",
        );
    }),
    ("member-cut-off", ORC, "failed", "MyOrg2MSP has no key of its own", |s| {
        s.deploy(ORC, "[MyOrg1MSP]", "[MyOrg1MSP, MyOrg2MSP]")
    }),
    ("member-cut-off", ORC, "warning", "would be cut off by the identity check, which is off", |s| {
        s.deploy(ORC, "verifyClientMSPID: true", "verifyClientMSPID: false");
        s.deploy(ORC, "[MyOrg1MSP]", "[MyOrg1MSP, MyOrg2MSP]");
    }),
    ("mtls-without-pair", ORG, "failed", "is not there", |s| s.federation.org.remove_object(&ObjectRef::secret(PAIR))),
    ("passthrough", ORC, "failed", "Ingress front ends TLS itself", |s| s.view.ingress = json!({})),
    ("restart-objects", ORC, "failed", "secret/orchestrator-tls-server-pair was changed", |s| touched(s, SERVER)),
    ("restart-objects", ORC, "failed", "secret/orchestrator-tls-cacert was changed", |s| {
        touched(s, "orchestrator-tls-cacert")
    }),
    ("restart-objects", ORC, "skipped", "does not tell", |s| {
        s.view.objects = Box::new(|all| {
            all.as_array_mut().unwrap().iter_mut().for_each(|o| o["metadata"]["managedFields"] = json!([]))
        });
    }),
    ("restart-objects", ORC, "skipped", "may not be listed", |s| s.view.forbidden = vec!["pods"]),
    ("restart-channels", ORC, "failed", "configmap/orchestrator-server-config was changed", |s| {
        touched(s, "orchestrator-server-config")
    }),
];

fn waits(scene: &mut Scene, reason: &'static str, minutes: i64) {
    let made = at(scene.federation.now, minutes);
    scene.view.pods = Box::new(move |all| {
        all[0]["metadata"]["creationTimestamp"] = json!(made);
        all[0]["status"]["containerStatuses"] = json!([{"state": {"waiting": {"reason": reason}}}]);
    });
}

/// The last entry of the issue log gets another certificate.
pub(crate) fn logged(scene: &mut Scene, recipe: &CertificateRecipe) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let (ca, key) = scene.ca();
    let leaf = recipe.sign(&ca.spki, &ca, &key, scene.federation.now).unwrap();
    let leaf = substra_mtls::pki::inspect::certificates(leaf.as_bytes()).unwrap().remove(0);
    let log = scene.federation.world.read("ca.issued.jsonl");
    let mut entry: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    entry["certificate"] = json!(STANDARD.encode(&leaf.der));
    scene.federation.world.write("ca.issued.jsonl", &format!("{entry}\n"));
}
