//! Which CAs may sign: whatever passes makes certificates that OpenSSL takes, and what a server would refuse is refused.

use substra_mtls::pki::{authority::Authority, issue::issue, key::PrivateKey, policy::check_request, server};
use time::OffsetDateTime;

use crate::{
    forge::{HOST, World, good},
    openssl::{Bench, openssl},
};

/// More lines of a CA's extensions, and the code by which it is refused; none for one that may sign.
const CAS: [(&str, Option<&str>); 10] = [
    ("", None),
    ("nsComment=hello", None),
    ("1.2.3.4.5=DER:0500", None),
    ("certificatePolicies=critical,1.2.3.4", None),
    ("extendedKeyUsage=clientAuth", None),
    ("extendedKeyUsage=clientAuth,anyExtendedKeyUsage", None),
    ("1.2.3.4.5=critical,DER:0500", Some("authority-extension")),
    // Go before 1.22, by which the orchestrator may be built, does not know it.
    ("policyConstraints=critical,requireExplicitPolicy:5", Some("authority-extension")),
    // Go takes it, OpenSSL and BoringSSL do not.
    ("extendedKeyUsage=anyExtendedKeyUsage", Some("authority-usage")),
    ("extendedKeyUsage=serverAuth", Some("authority-usage")),
];

fn made(bench: &Bench, extensions: &str) -> (Vec<u8>, PrivateKey) {
    let ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash";
    bench.put(
        "ca.cnf",
        format!(
            "[req]\ndistinguished_name=name\nprompt=no\nx509_extensions=ca\n[name]\nCN=Root\n[ca]\n{ca}\n{extensions}\n"
        ),
    );
    bench.run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 1000 -config ca.cnf");
    (bench.get("ca.crt"), PrivateKey::from_pem(&bench.get("ca.key"), None).unwrap())
}

#[test]
fn a_ca_that_passes_signs_what_openssl_takes_and_what_a_server_would_refuse_is_refused() {
    let bench = Bench::new();
    // The CAs are made after this.
    let now = OffsetDateTime::now_utc() + time::Duration::MINUTE;
    let request = check_request("a.csr", &good().pem(), &World::default().around()).unwrap();
    for (extensions, code) in CAS {
        let (pem, key) = made(&bench, extensions);
        let loaded = Authority::load(&pem, key, now);
        let Some(code) = code else {
            let (authority, _) = loaded.unwrap_or_else(|findings| panic!("{extensions}: {findings:?}"));
            bench.put("a.crt", issue(&authority, &request, "90d".parse().unwrap(), now).unwrap().pem);
            let (taken, said) = openssl(bench.0.path(), "verify -x509_strict -purpose sslclient -CAfile ca.crt a.crt");
            assert!(taken, "{extensions}: {said}");
            continue;
        };
        let codes: Vec<&str> = loaded.unwrap_err().iter().map(|finding| finding.code.id()).collect();
        assert_eq!(codes, [code], "{extensions}");
    }
}

/// `ca init` makes the server's pair under it, and no backend would trust that.
#[test]
fn a_ca_for_clients_alone_makes_no_server_pair() {
    let bench = Bench::new();
    // The CAs are made after this.
    let now = OffsetDateTime::now_utc() + time::Duration::MINUTE;
    let hosts = [HOST.parse().unwrap()];
    let (pem, key) = made(&bench, "extendedKeyUsage=clientAuth");
    let (authority, _) = Authority::load(&pem, key, now).unwrap();
    assert_eq!(
        server::make(&authority, &hosts, now).err().map(|failure| failure.code.id()),
        Some("authority-does-not-fit")
    );
    let (pem, key) = made(&bench, "extendedKeyUsage=clientAuth,serverAuth");
    let (authority, _) = Authority::load(&pem, key, now).unwrap();
    assert!(server::make(&authority, &hosts, now).is_ok());
}
