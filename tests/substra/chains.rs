//! Chains and names as Go 1.26 and grpcio 1.66.2 were measured to judge them, beyond the table.

use std::{path::Path, process::Command, sync::LazyLock};

use substra_mtls::substra::{
    forged_certificates::CertificateRecipe,
    servers::{BackendClient, CallOutcome, OrchestratorServer, PemPair, call, call_impostor},
};

use super::world::{HOST, WORLD, now, pair, proper, trusted};

const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n";
const LEAF: &str = "basicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=clientAuth\n";

/// Makes a certificate with `openssl`; `issuer` is another's name, or its own for a root.
struct Maker(tempfile::TempDir);

static MAKER: LazyLock<Maker> = LazyLock::new(|| Maker(tempfile::tempdir().unwrap()));

impl Maker {
    fn run(folder: &Path, arguments: &[&str]) {
        let out = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    fn make(name: &str, subject: &str, issuer: &str, extensions: &str) -> PemPair {
        let key = format!("{name}.key");
        Self::run(
            MAKER.0.path(),
            &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &key],
        );
        Self::certify(name, subject, issuer, extensions)
    }

    /// A root with the key of another.
    fn with_key(name: &str, subject: &str, other: &str, extensions: &str) -> PemPair {
        let file = |name: &str| MAKER.0.path().join(format!("{name}.key"));
        std::fs::copy(file(other), file(name)).unwrap();
        Self::certify(name, subject, name, extensions)
    }

    fn certify(name: &str, subject: &str, issuer: &str, extensions: &str) -> PemPair {
        let folder = MAKER.0.path();
        let file = |end: &str| format!("{name}.{end}");
        std::fs::write(folder.join(file("ext")), extensions).unwrap();
        let (key, csr, crt) = (file("key"), file("csr"), file("crt"));
        Self::run(folder, &["req", "-new", "-key", &key, "-subj", subject, "-out", &csr]);
        let (ca, ca_key, serial) = (format!("{issuer}.crt"), format!("{issuer}.key"), file("srl"));
        let mut line = vec!["x509", "-req", "-in", &csr, "-out", &crt, "-sha256", "-days", "30"];
        let by = if issuer == name {
            vec!["-signkey", &key]
        } else {
            vec!["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-CAserial", &serial]
        };
        line.extend(by);
        let ext = file("ext");
        if !extensions.is_empty() {
            line.extend(["-extfile", &ext]);
        }
        Self::run(folder, &line);
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        PemPair { certificate: read(&crt), key: zeroize::Zeroizing::new(read(&key)) }
    }
}

fn soon() -> time::OffsetDateTime {
    now() + time::Duration::MINUTE
}

/// What a server that takes client certificates of these roots says to a client of the federation.
fn server_says(roots: &[u8], pair: PemPair) -> CallOutcome {
    let cas = [trusted("MyOrg1MSP", std::str::from_utf8(roots).unwrap())];
    let server = OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), &cas, true, false).unwrap();
    call(&BackendClient::new(WORLD.ca.pem.clone().into_bytes(), Some(pair), "MyOrg1MSP", HOST), &server, soon())
}

/// What a client that trusts these roots says to a server with this pair.
fn client_says(roots: &[u8], pair: &PemPair) -> CallOutcome {
    call_impostor(&BackendClient::new(roots.to_vec(), None, "MyOrg1MSP", HOST), pair, soon())
}

fn refused(text: &str) -> CallOutcome {
    CallOutcome::HandshakeRefused(text.into())
}

fn followed_by(mut pair: PemPair, others: &[&PemPair]) -> PemPair {
    others.iter().for_each(|other| pair.certificate.extend_from_slice(&other.certificate));
    pair
}

#[test]
fn two_roots_of_one_name_work_in_either_order_where_the_leaf_names_its_issuer_s_key() {
    let one = Maker::make("same-1", "/CN=same", "same-1", CA);
    let two = Maker::make("same-2", "/CN=same", "same-2", CA);
    let client = Maker::make("same-client", "/O=MyOrg1MSP", "same-1", LEAF);
    let server = Maker::make("same-server", &format!("/CN={HOST}"), "same-1", "authorityKeyIdentifier=keyid\n");
    for order in [[&one, &two], [&two, &one]] {
        let bundle = order.map(|ca| ca.certificate.clone()).concat();
        assert_eq!(server_says(&bundle, client.clone()), CallOutcome::Accepted);
        assert_eq!(client_says(&bundle, &server), CallOutcome::Accepted);
    }
    assert_eq!(server_says(&two.certificate, client), refused("unknown certificate authority"));
    assert!(matches!(client_says(&two.certificate, &server), CallOutcome::ServerNotTrusted(_)));
}

/// Measured over all orders of two to four such roots: which of them grpcio takes cannot be foreseen, and it tries no other.
#[test]
fn two_roots_of_one_name_are_too_many_for_a_client_where_the_leaf_names_no_key() {
    let one = Maker::make("anon-1", "/CN=anon", "anon-1", CA);
    let two = Maker::make("anon-2", "/CN=anon", "anon-2", CA);
    let client = Maker::make("anon-client", "/O=MyOrg1MSP", "anon-1", "");
    let server = Maker::make("anon-server", &format!("/CN={HOST}"), "anon-1", "");
    for order in [[&one, &two], [&two, &one]] {
        let bundle = order.map(|ca| ca.certificate.clone()).concat();
        assert_eq!(server_says(&bundle, client.clone()), CallOutcome::Accepted, "Go tries every root");
        assert!(matches!(client_says(&bundle, &server), CallOutcome::ServerNotTrusted(_)));
    }
    assert_eq!(client_says(&one.certificate, &server), CallOutcome::Accepted);
}

#[test]
fn a_key_identifier_of_another_issuer_stops_the_client_and_not_the_server() {
    let root = Maker::make("id", "/CN=id", "id", CA);
    // The same name and key, so that only the identifier tells them apart.
    let renamed = Maker::with_key("id-2", "/CN=id", "id", &CA.replace("=hash", "=0102030405"));
    let server = Maker::make("id-server", &format!("/CN={HOST}"), "id", "authorityKeyIdentifier=keyid\n");
    let client = Maker::make("id-client", "/O=MyOrg1MSP", "id", LEAF);
    assert_eq!(client_says(&root.certificate, &server), CallOutcome::Accepted);
    assert!(matches!(client_says(&renamed.certificate, &server), CallOutcome::ServerNotTrusted(_)));
    assert_eq!(server_says(&renamed.certificate, client), CallOutcome::Accepted);
}

#[test]
fn a_path_length_binds_on_both_sides_a_root_s_only_at_the_server() {
    let short = CA.replace("CA:TRUE", "CA:TRUE,pathlen:0");
    let root = Maker::make("short", "/CN=short", "short", &short);
    let first = Maker::make("short-1", "/CN=short1", "short", &short);
    let second = Maker::make("short-2", "/CN=short2", "short-1", CA);
    let server = |issuer: &str| Maker::make(&format!("{issuer}-server"), &format!("/CN={HOST}"), issuer, "");
    let client = Maker::make("short-client", "/O=MyOrg1MSP", "short-1", LEAF);
    assert_eq!(server_says(&root.certificate, followed_by(client, &[&first])), refused("bad certificate"));
    assert_eq!(client_says(&root.certificate, &followed_by(server("short-1"), &[&first])), CallOutcome::Accepted);
    let deep = followed_by(server("short-2"), &[&second, &first]);
    assert!(matches!(client_says(&root.certificate, &deep), CallOutcome::ServerNotTrusted(_)));
}

#[test]
fn a_critical_extension_that_nobody_understands_is_refused() {
    let root = Maker::make("odd", "/CN=odd", "odd", CA);
    let unknown = "1.2.3.4.5=critical,DER:0500\n";
    let client = Maker::make("odd-client", "/O=MyOrg1MSP", "odd", &format!("{LEAF}{unknown}"));
    assert_eq!(server_says(&root.certificate, client), refused("bad certificate"));
    let server = Maker::make("odd-server", &format!("/CN={HOST}"), "odd", unknown);
    assert!(matches!(client_says(&root.certificate, &server), CallOutcome::ServerNotTrusted(_)));
}

#[test]
fn a_server_s_usages_are_read_narrowly_by_the_client() {
    let root = Maker::make("uses", "/CN=uses", "uses", CA);
    for (name, extension, accepted) in [
        ("any", "extendedKeyUsage=anyExtendedKeyUsage", false),
        ("server", "extendedKeyUsage=serverAuth", true),
        ("signs", "keyUsage=digitalSignature", true),
        ("agrees", "keyUsage=keyAgreement", false),
    ] {
        let server = Maker::make(&format!("uses-{name}"), &format!("/CN={HOST}"), "uses", &format!("{extension}\n"));
        assert_eq!(client_says(&root.certificate, &server).is_accepted(), accepted, "{name}");
    }
    let middle = Maker::make("uses-mid", "/CN=mid", "uses", &format!("{CA}extendedKeyUsage=clientAuth\n"));
    let server = Maker::make("uses-end", &format!("/CN={HOST}"), "uses-mid", "");
    assert!(matches!(
        client_says(&root.certificate, &followed_by(server, &[&middle])),
        CallOutcome::ServerNotTrusted(_)
    ));
}

#[test]
fn a_root_s_own_usage_binds_the_server_and_not_the_client() {
    let root = Maker::make("usage-ca", "/CN=usage", "usage-ca", &format!("{CA}extendedKeyUsage=serverAuth\n"));
    let client = Maker::make("usage-client", "/O=MyOrg1MSP", "usage-ca", LEAF);
    assert_eq!(server_says(&root.certificate, client), refused("bad certificate"));
    let other = Maker::make("usage-ca-2", "/CN=usage2", "usage-ca-2", &format!("{CA}extendedKeyUsage=clientAuth\n"));
    let server = Maker::make("usage-server", &format!("/CN={HOST}"), "usage-ca-2", "");
    assert_eq!(client_says(&other.certificate, &server), CallOutcome::Accepted);
}

#[test]
fn a_root_without_basic_constraints_is_none_for_the_server_and_one_for_the_client() {
    let root = Maker::make("plain-ca", "/CN=plain", "plain-ca", "subjectKeyIdentifier=hash\n");
    let client = Maker::make("plain-client", "/O=MyOrg1MSP", "plain-ca", LEAF);
    assert_eq!(server_says(&root.certificate, client), refused("unknown certificate authority"));
    let server = Maker::make("plain-server", &format!("/CN={HOST}"), "plain-ca", "");
    assert_eq!(client_says(&root.certificate, &server), CallOutcome::Accepted);
}

#[test]
fn intermediates_that_are_sent_lead_to_the_root_and_missing_ones_do_not() {
    let root = Maker::make("deep", "/CN=deep", "deep", CA);
    let first = Maker::make("deep-1", "/CN=deep1", "deep", CA);
    let second = Maker::make("deep-2", "/CN=deep2", "deep-1", CA);
    let client = Maker::make("deep-client", "/O=MyOrg1MSP", "deep-2", LEAF);
    assert_eq!(server_says(&root.certificate, followed_by(client.clone(), &[&second, &first])), CallOutcome::Accepted);
    assert_eq!(
        server_says(&root.certificate, followed_by(client, &[&second])),
        refused("unknown certificate authority")
    );
}

#[test]
fn a_leaf_that_is_no_ca_signs_nothing() {
    let root = Maker::make("leafy", "/CN=leafy", "leafy", CA);
    let leaf = Maker::make("leafy-1", "/O=MyOrg1MSP/CN=leaf", "leafy", LEAF);
    let forged = Maker::make("leafy-2", "/O=MyOrg2MSP", "leafy-1", LEAF);
    assert_eq!(server_says(&root.certificate, followed_by(forged, &[&leaf])), refused("unknown certificate authority"));
}

#[test]
fn any_alternative_name_closes_the_fallback_to_the_first_common_name() {
    let root = Maker::make("names", "/CN=names", "names", CA);
    for (name, subject, san, accepted) in [
        ("dns", "/CN=x".to_owned(), format!("DNS:{}", HOST.to_uppercase()), true),
        ("wild", "/CN=x".to_owned(), "DNS:*.example.org".to_owned(), true),
        ("wilder", "/CN=x".to_owned(), "DNS:*.org".to_owned(), false),
        ("none", format!("/CN={HOST}"), String::new(), true),
        ("first", format!("/CN={HOST}/CN=x"), String::new(), true),
        ("last", format!("/CN=x/CN={HOST}"), String::new(), false),
        ("ip", format!("/CN={HOST}"), "IP:10.1.1.1".to_owned(), false),
        ("email", format!("/CN={HOST}"), "email:a@example.org".to_owned(), false),
        ("rid", format!("/CN={HOST}"), "RID:1.2.3.4".to_owned(), false),
    ] {
        let san = if san.is_empty() { san } else { format!("subjectAltName={san}\n") };
        let server = Maker::make(&format!("names-{name}"), &subject, "names", &san);
        assert_eq!(client_says(&root.certificate, &server).is_accepted(), accepted, "{name}");
    }
}

#[test]
fn the_server_looks_at_the_leaf_s_end_before_it_looks_for_an_issuer() {
    let recipe = CertificateRecipe { expired: true, ..proper("MyOrg1MSP") };
    let key = &WORLD.leaf_key;
    let stranger = &WORLD.other;
    let leaf = pair(&recipe.sign(key.spki(), &stranger.certificate, &stranger.key, now()).unwrap(), key);
    assert_eq!(server_says(WORLD.ca.pem.as_bytes(), leaf), refused("expired certificate"));
}
