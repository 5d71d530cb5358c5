//! OpenSSL as the other party: it reads what we write, we read what it writes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::ValueEnum;
use substra_mtls::pki::{
    authority::{Authority, create_root},
    issue::{issue, preflight},
    key::{KeyError, KeyType, PrivateKey},
    policy::check_request,
    request,
};
use time::OffsetDateTime;

use crate::forge::{HOST, ORG, World};

/// A folder of its own in which `openssl` runs.
pub(crate) struct Bench(pub(crate) tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `openssl` with the words of `line`; it has to succeed. Returns what it printed.
    pub(crate) fn run(&self, line: &str) -> String {
        let output = openssl(self.0.path(), line);
        assert!(output.0, "openssl {line}: {}", output.1);
        output.1
    }
}

pub(crate) fn openssl(folder: &Path, line: &str) -> (bool, String) {
    let words = line.split_whitespace();
    let output = Command::new("openssl").args(words).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn openssl_reads_every_kind_of_key_request_and_certificate() {
    let bench = Bench::new();
    let now = OffsetDateTime::now_utc();
    let mut requests = Vec::new();
    for &kind in KeyType::value_variants() {
        let key = PrivateKey::generate(kind).unwrap();
        let csr = request::create(&key, &ORG.parse().unwrap(), &HOST.parse().unwrap()).unwrap();
        bench.put("a.key", key.to_pem().as_bytes());
        bench.put("a.csr", &csr);
        bench.run("pkey -in a.key -check -noout");
        bench.run("req -in a.csr -verify -noout");
        let public = bench.run("pkey -in a.key -pubout");
        requests.push((check_request("a.csr", csr.as_bytes(), &World::default().around()).unwrap(), public));
    }
    for ca_kind in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Rsa2048] {
        let (key, ca) = create_root(ca_kind, now).unwrap();
        bench.put("ca.crt", &ca);
        let (authority, _) = Authority::load(ca.as_bytes(), key, now).unwrap();
        for (request, public) in &requests {
            bench.put("a.crt", issue(&authority, request, "90d".parse().unwrap(), now).unwrap().pem);
            bench.run("verify -x509_strict -purpose sslclient -CAfile ca.crt a.crt");
            let posing = openssl(bench.0.path(), "verify -purpose sslserver -CAfile ca.crt a.crt");
            assert!(!posing.0, "it could pose as a server");
            assert_eq!(*public, bench.run("x509 -in a.crt -pubkey -noout"));
        }
        is_of_the_client_profile(&bench.run("x509 -in a.crt -noout -text -nameopt RFC2253"));
    }
}

fn is_of_the_client_profile(text: &str) {
    for part in [
        "Version: 3 (0x2)",
        &format!("Subject: CN={HOST},O={ORG}"),
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        &format!("X509v3 Subject Alternative Name: \n                DNS:{HOST}\n"),
        "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn openssl_finds_the_same_fingerprint() {
    let bench = Bench::new();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    bench.put("a.key", key.to_pem().as_bytes());
    bench.run("pkey -in a.key -pubout -outform DER -out a.pub");
    let printed = bench.run("dgst -sha256 a.pub");
    let digits = printed.rsplit(' ').next().unwrap().trim();
    assert_eq!(key.fingerprint().to_string(), format!("SHA256:{digits}"));
}

/// Every form in which OpenSSL keeps a key, as the commands that make `k.key`.
const FORMS: [&str; 9] = [
    "genrsa -traditional -out k.key 2048",
    "genrsa -out k.key 3072",
    "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k.key",
    "ecparam -name prime256v1 -genkey -out k.key",
    "ecparam -name secp384r1 -genkey -noout -out k.key",
    "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out k.key",
    "genrsa -aes256 -passout pass:secret -out k.key 2048",
    "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -pass pass:secret -out k.key",
    "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-128-cbc -pass pass:secret -out k.key",
];

#[test]
fn reads_every_form_of_key_that_openssl_writes() {
    let bench = Bench::new();
    for form in FORMS {
        bench.run(form);
        let (pem, secret) = (bench.get("k.key"), Some(&b"secret"[..]));
        let key = PrivateKey::from_pem(&pem, secret).unwrap_or_else(|error| panic!("{form}: {error}"));
        let crlf = String::from_utf8(pem.clone()).unwrap().replace('\n', "\r\n");
        let wrapped = format!("Bag attributes\r\n{crlf}trailing\r\n");
        assert_eq!(PrivateKey::from_pem(wrapped.as_bytes(), secret).unwrap().spki(), key.spki());
        bench.put("ours.key", key.to_pem().as_bytes());
        let ours = bench.run("pkey -in ours.key -pubout");
        assert_eq!(ours, bench.run("pkey -in k.key -passin pass:secret -pubout"), "{form}");
        if form.contains("pass:secret") {
            let error = |passphrase| PrivateKey::from_pem(&pem, passphrase).unwrap_err();
            assert_eq!(error(None), KeyError::PassphraseNeeded);
            assert_eq!(error(Some(b"wrong")), KeyError::PassphraseWrong);
        }
    }
}

#[test]
fn opens_every_encryption_that_openssl_writes() {
    let bench = Bench::new();
    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain.key");
    let plain = PrivateKey::from_pem(&bench.get("plain.key"), None).unwrap();
    for options in ["-scrypt", "-v2 aes-256-cbc -v2prf hmacWithSHA512", "-v2 aes-192-cbc -iter 1000"] {
        bench.run(&format!("pkcs8 -topk8 -in plain.key -passout pass:secret -out k.key {options}"));
        let key = PrivateKey::from_pem(&bench.get("k.key"), Some(b"secret"));
        assert_eq!(key.unwrap_or_else(|error| panic!("{options}: {error}")).spki(), plain.spki());
    }
    // The encryption of long ago: its key derivation is too weak to keep.
    bench.run("pkcs8 -topk8 -in plain.key -passout pass:secret -out k.key -v1 PBE-SHA1-3DES");
    assert_eq!(PrivateKey::from_pem(&bench.get("k.key"), Some(b"secret")).unwrap_err(), KeyError::Unsupported);
}

#[test]
fn refuses_keys_that_a_server_would_refuse() {
    let bench = Bench::new();
    for form in [
        "genpkey -algorithm ED25519 -out k.key",
        "ecparam -name secp521r1 -genkey -noout -out k.key",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out k.key",
        "genrsa -traditional -out k.key 1024",
    ] {
        bench.run(form);
        assert_eq!(PrivateKey::from_pem(&bench.get("k.key"), None).unwrap_err(), KeyError::Unsupported, "{form}");
    }
}

/// The walkthrough's CA, with each kind of key that an operator may have.
const AUTHORITIES: [&str; 4] = [FORMS[0], FORMS[2], FORMS[3], FORMS[6]];

#[test]
fn signs_the_walkthroughs_requests_under_the_walkthroughs_ca() {
    let bench = Bench::new();
    // Some patience for CAs that OpenSSL made "now".
    let now = OffsetDateTime::now_utc() + time::Duration::minutes(10);
    bench.run(&format!("req -newkey rsa:2048 -nodes -subj /O={ORG}/CN={HOST} -keyout org.key -out org.csr"));
    let request = check_request("org.csr", &bench.get("org.csr"), &World::default().around()).unwrap();
    assert_eq!((request.msp_id.as_str(), request.hosts[0].as_str()), (ORG, HOST));
    for form in AUTHORITIES {
        bench.run(form);
        let subject = "/DC=org/DC=example/OU=one/OU=two/CN=Orchestrator";
        bench.run(&format!(
            "req -x509 -new -key k.key -passin pass:secret -sha256 -days 1825 -subj {subject} -out ca.crt"
        ));
        let key = PrivateKey::from_pem(&bench.get("k.key"), Some(b"secret")).unwrap();
        let (authority, warnings) =
            Authority::load(&bench.get("ca.crt"), key, now).unwrap_or_else(|f| panic!("{form}: {f:?}"));
        assert!(warnings.is_empty(), "{warnings:?}");
        let issued = issue(&authority, &request, "90d".parse().unwrap(), now).unwrap();
        bench.put("org.crt", &issued.pem);
        bench.run("verify -purpose sslclient -CAfile ca.crt org.crt");
        assert_eq!(
            bench.run("x509 -in ca.crt -noout -subject -nameopt RFC2253").replace("subject", ""),
            bench.run("x509 -in org.crt -noout -issuer -nameopt RFC2253").replace("issuer", "")
        );
    }
}

#[test]
fn refuses_a_ca_that_the_orchestrator_could_not_use() {
    let bench = Bench::new();
    let now = OffsetDateTime::now_utc() + time::Duration::minutes(10);
    bench.run("ecparam -name prime256v1 -genkey -noout -out k.key");
    let make = "req -x509 -new -key k.key -days 100 -subj /CN=CA -out ca.crt";
    for (options, code) in [
        ("-sha1", "authority-weak-signature"),
        ("-sha256 -addext basicConstraints=CA:FALSE", "authority-not-a-ca"),
        ("-sha256 -addext keyUsage=critical,digitalSignature", "authority-key-usage"),
        ("-sha256 -addext extendedKeyUsage=serverAuth", "authority-usage"),
        ("-sha256 -addext subjectKeyIdentifier=none", "authority-no-key-id"),
    ] {
        let config = "[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\n";
        let defaults = if options.contains("subjectKeyIdentifier") { "" } else { "subjectKeyIdentifier=hash\n" };
        let basic = if options.contains("basicConstraints") { "" } else { "basicConstraints=critical,CA:TRUE\n" };
        bench.put("ca.cnf", format!("{config}{defaults}{basic}"));
        bench.run(&format!("{make} -config ca.cnf {options}"));
        let key = PrivateKey::from_pem(&bench.get("k.key"), None).unwrap();
        let findings = Authority::load(&bench.get("ca.crt"), key, now).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code.id() == code), "{options}: {findings:?}");
    }
}

#[test]
fn refuses_intermediate_nameless_and_old_cas() {
    let bench = Bench::new();
    let now = OffsetDateTime::now_utc() + time::Duration::minutes(10);
    bench.run("ecparam -name prime256v1 -genkey -noout -out root.key");
    bench.run("ecparam -name prime256v1 -genkey -noout -out k.key");
    bench.run("req -x509 -new -key root.key -days 100 -subj /CN=Root -out root.crt");
    bench.run("req -new -key k.key -subj /CN=CA -out ca.csr");
    for (line, code) in [
        (
            "req -x509 -new -key k.key -CA root.crt -CAkey root.key -days 99 -subj /CN=CA -out ca.crt",
            "authority-not-self-signed",
        ),
        ("req -x509 -new -key k.key -days 99 -subj / -out ca.crt", "authority-no-name"),
        ("x509 -req -in ca.csr -signkey k.key -days 99 -out ca.crt", "authority-version"),
    ] {
        bench.run(line);
        let key = PrivateKey::from_pem(&bench.get("k.key"), None).unwrap();
        let findings = Authority::load(&bench.get("ca.crt"), key, now).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code.id() == code), "{line}: {findings:?}");
    }
}

#[test]
fn refuses_to_issue_outside_of_the_name_constraints_of_the_ca() {
    let bench = Bench::new();
    let now = OffsetDateTime::now_utc() + time::Duration::minutes(10);
    let request = |host: &str| {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let pem = request::create(&key, &ORG.parse().unwrap(), &host.parse().unwrap()).unwrap();
        check_request("a.csr", pem.as_bytes(), &World::default().around()).unwrap()
    };
    bench.run("ecparam -name prime256v1 -genkey -noout -out k.key");
    let constraints = "-addext nameConstraints=critical,permitted;DNS:org-1.com";
    bench.run(&format!("req -x509 -new -key k.key -days 1000 -subj /CN=CA -out ca.crt {constraints}"));
    let key = PrivateKey::from_pem(&bench.get("k.key"), None).unwrap();
    let (authority, _) = Authority::load(&bench.get("ca.crt"), key, now).unwrap();
    let validity = "90d".parse().unwrap();
    // What is foreseen before anybody agrees is what comes.
    let within = request("backend.org-1.com");
    let issued = issue(&authority, &within, validity, now).unwrap();
    assert_eq!(preflight(&authority, &within, validity, now).unwrap(), issued.window());
    let outside = request("backend.org-2.com");
    assert_eq!(issue(&authority, &outside, validity, now).unwrap_err().code.id(), "authority-does-not-fit");
    let foreseen = preflight(&authority, &outside, validity, now).unwrap_err();
    assert_eq!(foreseen.code.id(), "authority-does-not-fit");
    assert!(foreseen.what.ends_with("backend.org-2.com"), "{foreseen}");
}
