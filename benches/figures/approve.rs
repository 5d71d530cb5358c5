//! (a) `approve --offline` of 1,000 requests against 1,000 bare signatures of the same CA key.

use std::{fs, process::Command};

use substra_mtls::pki::{
    authority::create_root,
    key::{KeyType, PrivateKey},
    request,
};

use crate::{median, timed};

const REQUESTS: usize = 1000;

pub(crate) fn figures() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (ca, certificate) = create_root(KeyType::Rsa2048, time::OffsetDateTime::now_utc()).unwrap();
    let orgs: Vec<String> = (0..REQUESTS).map(|n| format!("Org{n}MSP")).collect();
    let mut values = "channels:\n  - name: mychannel\n    organizations:\n".to_owned();
    for org in &orgs {
        values.push_str(&format!("      - {org}\n"));
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let host = format!("substra.{}.example.org", org.to_lowercase()).parse().unwrap();
        fs::write(path(&format!("{org}.csr")), request::create(&key, &org.parse().unwrap(), &host).unwrap()).unwrap();
    }
    values.push_str("orchestrator:\n  tls:\n    enabled: true\n");
    let bare = median(|| {
        timed(|| {
            for org in &orgs {
                ca.sign(org.as_bytes()).unwrap();
            }
        })
    });
    let mut round = 0;
    let ours = median(|| {
        fs::write(path("values.yaml"), &values).unwrap();
        fs::write(path("ca.crt"), &certificate).unwrap();
        fs::write(path("ca.key"), ca.to_pem().as_bytes()).unwrap();
        fs::set_permissions(path("ca.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        drop(fs::remove_file(path("ca.issued.jsonl")));
        // A folder of its own for each round: what is measured is the first approval, not the replacing of files.
        round += 1;
        let out = path(&format!("out-{round}"));
        fs::create_dir(&out).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.arg("approve").args(orgs.iter().map(|org| format!("{org}.csr"))).current_dir(folder.path());
        command.args("-f values.yaml --ca-cert ca.crt --ca-key ca.key --offline --unverified-mail --yes".split(' '));
        command.arg("--out-dir").arg(out);
        timed(|| assert!(command.output().unwrap().status.success()))
    });
    assert_eq!(fs::read_to_string(path("ca.issued.jsonl")).unwrap().lines().count(), REQUESTS);
    println!(
        "approve of {REQUESTS} requests: {ours:.0} ms, {REQUESTS} bare signatures (one thread): {bare:.0} ms, ratio {:.2}",
        ours / bare
    );
}
