//! No bytes that stand in an object or in a manifest make a party panic.

use proptest::{collection::vec, prelude::*, sample::Index};
use substra_mtls::substra::{
    kebab::{kebab_case, volume_of},
    manifest::Manifest,
    servers::{BackendClient, OrchestratorServer, PemPair, call},
};

use super::world::{HOST, WORLD, now, proper, server, signed, trusted};

/// One stretch of a file, and what stands in its place.
#[derive(Debug)]
struct Damage {
    start: Index,
    length: usize,
    bytes: Vec<u8>,
}

fn damage() -> impl Strategy<Value = Damage> {
    (any::<Index>(), 0..40_usize, vec(any::<u8>(), 0..20)).prop_map(|(start, length, bytes)| Damage {
        start,
        length,
        bytes,
    })
}

impl Damage {
    fn of(&self, file: &[u8]) -> Vec<u8> {
        let start = self.start.index(file.len());
        let end = file.len().min(start + self.length);
        [&file[..start], &self.bytes, &file[end..]].concat()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn spoilt_files_are_refused_or_work(in_certificate in damage(), in_key in damage(), in_ca in damage()) {
        let good = signed(&proper("MyOrg1MSP"), &WORLD.ca);
        let says = |ca: &[u8], pair: &PemPair| {
            let client = BackendClient::new(ca.to_vec(), Some(pair.clone()), "MyOrg1MSP", HOST);
            call(&client, &server(true), now()).to_string()
        };
        let certificate = in_certificate.of(&good.certificate);
        let key = zeroize::Zeroizing::new(in_key.of(&good.key));
        let ca = in_ca.of(WORLD.ca.pem.as_bytes());
        for pair in [PemPair { certificate, ..good.clone() }, PemPair { key, ..good.clone() }] {
            prop_assert!(!says(WORLD.ca.pem.as_bytes(), &pair).is_empty());
            drop(OrchestratorServer::start(pair, &ca, &[], false, false));
        }
        let cas = [trusted("MyOrg1MSP", &String::from_utf8_lossy(&ca))];
        drop(OrchestratorServer::start(WORLD.server.clone(), &ca, &cas, true, true));
        prop_assert!(!says(&ca, &good).is_empty());
    }

    #[test]
    fn any_text_is_a_manifest_or_refused(in_manifest in damage()) {
        let text = in_manifest.of(include_bytes!("fixtures/orchestrator.yaml"));
        if let Ok(manifest) = Manifest::parse(&String::from_utf8_lossy(&text)) {
            prop_assert!(manifest.workloads().len() <= 2);
        }
    }

    #[test]
    fn a_kebab_form_has_no_capitals_and_no_ascii_letter_is_lost(name in "[ -~]{0,40}") {
        let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let kebab = kebab_case(&name);
        prop_assert_eq!(letters(&kebab), letters(&name).to_lowercase());
        prop_assert!(volume_of(&name).ends_with(&kebab));
    }
}
