//! `--live` against real listeners: a server with the gate closed, one with it open, and those that are none.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use substra_mtls::{
    cluster::{Kubernetes, ObjectRef},
    pki::{
        authority::create_root,
        inspect::certificates,
        key::{KeyType, PrivateKey},
    },
    substra::{
        forged_certificates::{CertificateRecipe, LeafUsage},
        servers::{OrchestratorServer, PemPair, TrustedCa, serve},
    },
};

use super::world::Scene;

/// Serves every client that comes, for as long as the test runs; without a server each is sent away.
pub(super) fn listen(scene: &Scene, server: Option<OrchestratorServer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (now, server) = (scene.federation.now, server.map(Arc::new));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if let (Some(server), Ok(stream)) = (server.clone(), stream) {
                std::thread::spawn(move || serve(&server, stream, now));
            }
        }
    });
    address
}

/// The orchestrator with what is in its namespace.
pub(super) fn server(scene: &Scene, mtls: bool, verify: bool) -> OrchestratorServer {
    let secret = |name: &str| scene.federation.orc.get(&[ObjectRef::secret(name)]).unwrap().remove(0);
    let pair = secret("orchestrator-tls-server-pair");
    let pair = PemPair { certificate: pair.data("tls.crt").unwrap().to_vec(), key: pair.data("tls.key").unwrap() };
    start(scene, pair, mtls, verify)
}

fn start(scene: &Scene, pair: PemPair, mtls: bool, verify: bool) -> OrchestratorServer {
    let ca = scene.federation.world.read("ca.crt").into_bytes();
    let trusted = TrustedCa { organization: "MyOrg1MSP".into(), pem: ca.clone() };
    OrchestratorServer::start(pair, &ca, &[trusted], mtls, verify).unwrap()
}

/// Status and words of the three checks.
fn verdicts(scene: &mut Scene, side: &str, address: &str) -> [String; 3] {
    scene.more = format!("--live --connect {address}");
    let mut found = scene.check(side);
    let live: Vec<String> =
        found.iter().filter(|(id, _)| id.starts_with("live-")).map(|(_, found)| found.next.clone()).collect();
    live.iter().for_each(|next| super::run::tried(scene, next));
    ["live-own", "live-without", "live-other"].map(|id| {
        let found = found.remove(id).unwrap();
        assert!(found.status != "failed" || !found.next.is_empty(), "{found:?}");
        format!("{} {}", found.status, found.seen)
    })
}

#[track_caller]
fn come_to(found: &[String; 3], expected: [&str; 3]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
}

#[test]
fn a_closed_gate_answers_the_pair_and_nobody_else() {
    let mut scene = Scene::new();
    let address = listen(&scene, Some(server(&scene, true, true)));
    let refused = ["ok refused: certificate required", "ok refused: cannot find MSPID SomebodyElseMSP"];
    let own = format!("ok {address} answers");
    come_to(&verdicts(&mut scene, "backend", &address), [&own, refused[0], refused[1]]);
    come_to(&verdicts(&mut scene, "orchestrator", &address), [&own, refused[0], refused[1]]);
}

#[test]
fn an_open_gate_and_a_missing_identity_check_are_told() {
    let mut scene = Scene::new();
    let open = listen(&scene, Some(server(&scene, false, false)));
    let nobody = "skipped the gate is open";
    come_to(&verdicts(&mut scene, "backend", &open), ["ok", "warning", nobody]);
    come_to(&verdicts(&mut scene, "orchestrator", &open), ["ok", "failed", nobody]);
    let lax = listen(&scene, Some(server(&scene, true, false)));
    come_to(&verdicts(&mut scene, "backend", &lax), ["ok", "ok", "failed accepted: every organization can act"]);
}

#[test]
fn a_refused_pair_a_stranger_and_an_expired_server_are_told() {
    let mut scene = Scene::new();
    let address = listen(&scene, Some(server(&scene, true, true)));
    let recipe = |usage| CertificateRecipe {
        organizations: vec!["MyOrg1MSP".into()],
        usage: Some(usage),
        v3: true,
        ..CertificateRecipe::default()
    };
    scene.put_pair(&scene.federation.org, "orchestrator-client-cert", &recipe(LeafUsage::Server));
    let handshake = format!("failed {address}: refused in the handshake: bad certificate");
    come_to(&verdicts(&mut scene, "backend", &address), [&handshake, "ok", "skipped refused in the handshake"]);
    let other = CertificateRecipe { organizations: vec!["MyOrg2MSP".into()], ..recipe(LeafUsage::Client) };
    scene.put_pair(&scene.federation.org, "orchestrator-client-cert", &other);
    let denied = format!("failed {address}: refused: PERMISSION_DENIED");
    come_to(&verdicts(&mut scene, "backend", &address), [&denied, "ok", "ok"]);

    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let (ca_key, ca) = create_root(KeyType::EcdsaP256, scene.federation.now).unwrap();
    let ca = certificates(ca.as_bytes()).unwrap().remove(0);
    let names = CertificateRecipe {
        dns_names: vec!["orchestrator.example.org".into()],
        usage: Some(LeafUsage::Both),
        v3: true,
        ..CertificateRecipe::default()
    };
    let (own_ca, own_key) = scene.ca();
    for (certificate, words) in [
        (names.sign(key.spki(), &ca, &ca_key, scene.federation.now).unwrap(), "unable to get local issuer certificate"),
        (
            CertificateRecipe { expired: true, ..names.clone() }
                .sign(key.spki(), &own_ca, &own_key, scene.federation.now)
                .unwrap(),
            "certificate has expired",
        ),
    ] {
        let pair = PemPair { certificate: certificate.into_bytes(), key: key.to_pem().as_bytes().to_vec().into() };
        let address = listen(&scene, Some(start(&scene, pair, true, true)));
        let words = format!("failed {address}: refused: the server is not trusted: {words}");
        come_to(&verdicts(&mut scene, "backend", &address), [&words, "skipped", "skipped"]);
    }
}

#[test]
fn who_does_not_answer_is_not_waited_for() {
    let mut scene = Scene::new();
    let start = Instant::now();
    let closing = listen(&scene, None);
    let closed = "the connection was closed without an answer";
    come_to(
        &verdicts(&mut scene, "backend", &closing),
        [&format!("failed {closed}"), &format!("skipped {closed}"), "skipped"],
    );
    // A socket that is bound and not served accepts nobody's bytes.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    come_to(&verdicts(&mut scene, "backend", &address), ["failed no answer came in time", "skipped", "skipped"]);
    drop(silent);
    come_to(
        &verdicts(&mut scene, "backend", &address),
        [&format!("failed {address} cannot be reached from here: connection refused"), "skipped", "skipped"],
    );
    assert!(start.elapsed() < Duration::from_secs(9));
    // From where its own namespace is reached there is another way in.
    let forward = "kubectl -n orchestrator port-forward deployment/orchestrator-server 9000; then run this again with --connect localhost:9000";
    verdicts(&mut scene, "orchestrator", &address);
    assert_eq!(scene.check("orchestrator").remove("live-own").unwrap().next, forward);
}

#[test]
fn without_a_pair_only_the_door_is_tried() {
    let mut scene = Scene::new();
    let address = listen(&scene, Some(server(&scene, true, true)));
    scene.federation.org.remove_object(&ObjectRef::secret("orchestrator-client-cert"));
    let none = "skipped there is no pair in the cluster";
    come_to(&verdicts(&mut scene, "backend", &address), [none, "ok refused: certificate required", none]);
}

/// A server that lets everybody in and gives one gRPC status with one message, whoever asks for what.
fn answers(scene: &Scene, status: &'static str, message: &'static str) -> String {
    let secret = scene.federation.orc.get(&[ObjectRef::secret("orchestrator-tls-server-pair")]).unwrap().remove(0);
    let chain = CertificateDer::pem_slice_iter(&secret.data("tls.crt").unwrap()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(&secret.data("tls.key").unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut tls = rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let mut asked = [0; 4096];
            // A client that goes away is no matter.
            drop(
                tls.read(&mut asked).and_then(|_| tls.write_all(&trailers(status, message))).and_then(|()| tls.flush()),
            );
        }
    });
    address
}

/// Settings and one header block, each field spelt out (RFC 7541, 6.2.2).
fn trailers(status: &str, message: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let field = |name: &str, value: &str| [vec![0], text(name), text(value)].concat();
    let block = [field(":status", "200"), field("grpc-status", status), field("grpc-message", message)].concat();
    let length = u8::try_from(block.len()).unwrap();
    [vec![0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, length, 1, 5, 0, 0, 0, 1], block].concat()
}

#[test]
fn only_what_an_orchestrator_answers_is_fine() {
    let mut scene = Scene::new();
    for (status, message) in [("0", ""), ("2", "missing or invalid header 'channel'")] {
        let address = answers(&scene, status, message);
        come_to(&verdicts(&mut scene, "backend", &address), ["ok", "warning", "skipped"]);
    }
    for status in ["14", "16", "12", "2", "banana", ""] {
        let address = answers(&scene, status, "no%1B[2J%E2%80%AEhealthy upstream");
        let found = verdicts(&mut scene, "backend", &address);
        come_to(&found, ["failed grpc-status", "skipped grpc-status", "skipped grpc-status"]);
        assert!(found[0].contains("healthy upstream") && !found[0].contains('\u{1b}'), "{found:?}");
    }
}
