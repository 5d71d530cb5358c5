//! Whoever searches `docs/troubleshooting.md` for what a server said finds an entry.

use substra_mtls::substra::{
    forged_certificates::{CertificateRecipe, LeafUsage},
    servers::{CallOutcome, OrchestratorServer, PemPair, call},
};

use super::world::{WORLD, answer, client, now, proper, signed, trusted};

const PAGE: &str = include_str!("../../docs/troubleshooting.md");

/// What the orchestrator and the backend say, each from a real handshake.
fn said() -> Vec<String> {
    let of = |recipe: &CertificateRecipe, header: &str| answer(Some(signed(recipe, &WORLD.ca)), header, true);
    let own = proper("MyOrg1MSP");
    let torn = PemPair { key: WORLD.server.key.clone(), ..signed(&own, &WORLD.ca) };
    let nobody = OrchestratorServer::start(
        WORLD.server.clone(),
        WORLD.ca.pem.as_bytes(),
        &[trusted("Other", &WORLD.ca.pem)],
        true,
        true,
    );
    let half = PemPair { key: signed(&own, &WORLD.ca).key, ..WORLD.server.clone() };
    let crashed = OrchestratorServer::start(half, WORLD.ca.pem.as_bytes(), &[], true, true).err();
    let answers = [
        answer(Some(torn), "MyOrg1MSP", true),
        answer(None, "MyOrg1MSP", true),
        answer(Some(signed(&own, &WORLD.other)), "MyOrg1MSP", true),
        of(&CertificateRecipe { usage: Some(LeafUsage::Server), ..own.clone() }, "MyOrg1MSP"),
        of(&CertificateRecipe { expired: true, ..own.clone() }, "MyOrg1MSP"),
        of(&CertificateRecipe::walkthrough("MyOrg1MSP", "x.example.org"), "MyOrg1MSP"),
        of(&own, "MyOrg2MSP"),
        call(&client(Some(signed(&own, &WORLD.ca)), "MyOrg1MSP"), &nobody.unwrap(), now()),
    ];
    let words = |answer: &CallOutcome| match answer {
        CallOutcome::HandshakeRefused(why) | CallOutcome::PermissionDenied(why) | CallOutcome::CannotLoad(why) => {
            why.clone()
        }
        other => panic!("{other}"),
    };
    answers.iter().map(words).chain(crashed).collect()
}

#[test]
fn every_text_of_a_server_is_found_in_a_heading() {
    assert_eq!(answer(Some(signed(&proper("MyOrg1MSP"), &WORLD.ca)), "MyOrg1MSP", true), CallOutcome::Accepted);
    let headings: Vec<Vec<&str>> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|line| line.split('`').skip(1).step_by(2).collect())
        .collect();
    let said = said();
    assert_eq!(said.len(), 9);
    for text in said {
        assert!(headings.iter().flatten().any(|heading| text.contains(heading)), "{text}: {headings:?}");
    }
}
