//! (c) Editing values files.

use substra_mtls::values::{Setting, edit, read};

use crate::{median, timed};

pub(crate) fn figures() {
    let settings = [
        Setting::set(&["orchestrator", "tls", "enabled"], true),
        Setting::set(&["orchestrator", "tls", "cacert"], "orchestrator-cacert"),
        Setting::set(&["orchestrator", "tls", "mtls", "enabled"], true),
        Setting::set(&["orchestrator", "tls", "mtls", "clientCertificate"], "orchestrator-client-cert"),
    ];
    let tail = "orchestrator:\n  host: x\n";
    for lines in [1_000, 100_000] {
        let text: String = (0..lines).map(|n| format!("key{n}: value{n}\n")).chain([tail.to_owned()]).collect();
        let reading = median(|| timed(|| drop(read(text.as_bytes()).unwrap())));
        let editing = median(|| timed(|| drop(edit(text.as_bytes(), &settings).unwrap())));
        println!(
            "values of {lines} lines: read {reading:.1} ms, four settings {editing:.1} ms, ratio {:.1}",
            editing / reading
        );
    }
}
