//! No bytes that stand in an object or in a manifest make a party panic.

use substra_mtls::substra::{
    kebab::{kebab_case, volume_of},
    manifest::Manifest,
    servers::{BackendClient, OrchestratorServer, Pair, call},
};

use super::world::{HOST, WORLD, now, proper, server, signed, trusted};

/// The same numbers on every run (a linear congruential generator, Knuth's constants).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// A file with one stretch of it replaced.
    fn spoilt(&mut self, file: &[u8]) -> Vec<u8> {
        let start = self.below(file.len());
        let end = file.len().min(start + self.below(40));
        let new: Vec<u8> = (0..self.below(20)).map(|_| u8::try_from(self.below(256)).unwrap()).collect();
        [&file[..start], &new, &file[end..]].concat()
    }
}

#[test]
fn spoilt_files_are_refused_or_work() {
    let mut chance = Chance(1);
    let good = signed(&proper("MyOrg1MSP"), &WORLD.ca);
    let says = |ca: &[u8], pair: &Pair| {
        call(&BackendClient::new(ca.to_vec(), Some(pair.clone()), "MyOrg1MSP", HOST), &server(true), now()).to_string()
    };
    for _ in 0..100 {
        let certificate = chance.spoilt(&good.certificate);
        let key = zeroize::Zeroizing::new(chance.spoilt(&good.key));
        let ca = chance.spoilt(WORLD.ca.pem.as_bytes());
        for pair in [Pair { certificate, ..good.clone() }, Pair { key, ..good.clone() }] {
            assert!(!says(WORLD.ca.pem.as_bytes(), &pair).is_empty());
            drop(OrchestratorServer::start(pair, &ca, &[], false, false));
        }
        let cas = [trusted("MyOrg1MSP", &String::from_utf8_lossy(&ca))];
        drop(OrchestratorServer::start(WORLD.server.clone(), &ca, &cas, true, true));
        assert!(!says(&ca, &good).is_empty());
    }
}

#[test]
fn any_text_is_a_manifest_or_refused() {
    let mut chance = Chance(2);
    for _ in 0..300 {
        let text = chance.spoilt(include_bytes!("fixtures/orchestrator.yaml"));
        if let Ok(manifest) = Manifest::parse(&String::from_utf8_lossy(&text)) {
            assert!(manifest.workloads().len() <= 2);
        }
    }
}

#[test]
fn a_kebab_form_has_no_capitals_and_no_ascii_letter_is_lost() {
    let mut chance = Chance(3);
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    for _ in 0..1_000 {
        let name: String =
            (0..chance.below(40)).map(|_| char::from(b' ' + u8::try_from(chance.below(95)).unwrap())).collect();
        let kebab = kebab_case(&name);
        assert_eq!(letters(&kebab), letters(&name).to_lowercase(), "{name}");
        assert!(volume_of(&name).ends_with(&kebab), "{name}");
    }
}
