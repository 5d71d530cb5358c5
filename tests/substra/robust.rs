//! No bytes that stand in an object or in a manifest make a party panic.

use proptest::prelude::*;
use substra_mtls::substra::{
    kebab::{kebab_case, volume_of},
    manifest::Manifest,
    servers::{BackendClient, OrchestratorServer, Pair, call},
};

use super::world::{HOST, WORLD, now, proper, server, signed};

/// A file with one stretch of it replaced.
fn spoilt(file: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    (0..file.len(), 0..40_usize, prop::collection::vec(any::<u8>(), 0..20)).prop_map(move |(at, length, new)| {
        let mut file = file.clone();
        let end = file.len().min(at + length);
        file.splice(at..end, new).for_each(drop);
        file
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spoilt_files_are_refused_or_work(
        certificate in spoilt(signed(&proper("MyOrg1MSP"), &WORLD.ca).certificate),
        key in spoilt(WORLD.leaf_key.to_pem().as_bytes().to_vec()),
        ca in spoilt(WORLD.ca.pem.clone().into_bytes()),
    ) {
        let good = signed(&proper("MyOrg1MSP"), &WORLD.ca);
        let pairs = [
            Pair { certificate, key: good.key.clone() },
            Pair { certificate: good.certificate.clone(), key: zeroize::Zeroizing::new(key) },
        ];
        for pair in pairs {
            let client = BackendClient::new(WORLD.ca.pem.clone().into_bytes(), Some(pair.clone()), "MyOrg1MSP", HOST);
            prop_assert!(!call(&client, &server(true), now()).to_string().is_empty());
            drop(OrchestratorServer::start(pair, &ca, &[], false, false));
        }
        let cas = [super::world::TrustedCa { organization: "MyOrg1MSP".into(), pem: ca.clone() }];
        drop(OrchestratorServer::start(WORLD.server.clone(), &ca, &cas, true, true));
        let client = BackendClient::new(ca, Some(good), "MyOrg1MSP", HOST);
        prop_assert!(!call(&client, &server(true), now()).to_string().is_empty());
    }

    #[test]
    fn any_text_is_a_manifest_or_refused(text in spoilt(include_bytes!("fixtures/orchestrator.yaml").to_vec())) {
        if let Ok(manifest) = Manifest::parse(&String::from_utf8_lossy(&text)) {
            prop_assert!(manifest.workloads().len() <= 2);
        }
    }

    #[test]
    fn a_kebab_form_has_no_capitals_and_no_ascii_letter_is_lost(name in "[ -~]{0,40}") {
        let kebab = kebab_case(&name);
        let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        prop_assert_eq!(letters(&kebab), letters(&name).to_lowercase());
        prop_assert!(volume_of(&name).ends_with(&kebab));
    }
}
