//! Files that are refused: where, and in which words.

use substra_mtls::failure::{Exit, Failure, StateAfterFailure};

use super::{refusal, shown, with};

/// `line:column` of the one place where `piece` stands.
fn place_of(text: &str, piece: &str) -> String {
    assert_eq!(text.matches(piece).count(), 1, "{piece:?} in\n{text}");
    let before = &text[..text.find(piece).unwrap()];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    format!("{}:{}", before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// The shown file with `old` replaced by `new` is refused where `at` stands, with these words.
#[track_caller]
fn refused(old: &str, new: &str, at: &str, what: &str, why: &str) -> Failure {
    refused_text(&with(old, new), at, what, why)
}

#[track_caller]
fn refused_text(text: &str, at: &str, what: &str, why: &str) -> Failure {
    let failure = refusal(text);
    assert_eq!(failure.what, format!("federation.yaml:{}: {what}", place_of(text, at)), "{failure}");
    assert!(failure.why.contains(why), "{failure}");
    assert_eq!(
        (failure.exit, failure.standing.as_ref().map(StateAfterFailure::text)),
        (Exit::Refused, Some("nothing was written"))
    );
    assert!(!failure.next.is_empty());
    failure
}

const CA: &str = "{cert: orchestrator-ca.crt, key: orchestrator-ca.key}";

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let known = "context, kubeconfig, namespace, release, chart, version, values, hostname";
    refused(
        "values: [backend-org-1",
        "valuse: [backend-org-1",
        "valuse",
        "unknown key `valuse`; did you mean `values`?",
        known,
    );
    refused(
        "organizations:",
        "organisations:",
        "organisations",
        "unknown key `organisations`; did you mean `organizations`?",
        "kind",
    );
    refused("cutOff", "cutoff", "cutoff", "unknown key `cutoff`; did you mean `cutOff`?", "cutOff");
    refused(CA, "{crt: a, key: b}", "crt", "unknown key `crt`; did you mean `cert`?", "cert, key, secret, create");
}

#[test]
fn an_unknown_key_near_to_none_gets_no_suggestion() {
    refused("hostname:", "colour:", "colour", "unknown key `colour`", "known here: context");
    let long = "values".repeat(1000);
    let failure = refusal(with("hostname:", &format!("{long}:")));
    assert!(failure.what.len() < 250 && !failure.what.contains("mean"), "{failure}");
}

#[test]
fn a_missing_key_is_refused_at_its_map() {
    refused("    namespace: org-1\n", "", "context: org1", "`namespace` is missing", "needs the key `namespace`");
    refused("    release: backend-org-1\n", "", "context: org1", "`release` is missing", "");
    refused("    values: [backend-org-1-values.yaml]\n", "", "context: org1", "`values` is missing", "");
    refused(&format!("  ca: {CA}\n"), "", "context: orc ", "`ca` is missing", "");
    refused("apiVersion: substra-mtls/v1\n", "", "kind", "`apiVersion` is missing", "");
    refused("kind: Federation\n", "", "apiVersion", "`kind` is missing", "");
    let (text, _) = shown().split_once("organizations:").unwrap();
    refused_text(text, "apiVersion", "`organizations` is missing", "");
    assert!(refusal("").what.ends_with("1:1: `apiVersion` is missing"));
}

#[test]
fn a_key_without_value_is_refused() {
    let why = "leave the key out for its default";
    refused("kubeconfig: orc.kubeconfig", "kubeconfig: ~", "~", "a value is missing", why);
    refused("hostname: api.org-1.example.org", "hostname: \"\"", "\"\"", "`` is not a host name", "labels");
}

#[test]
fn another_version_or_kind_is_refused_before_its_keys() {
    let supported = "apiVersion: substra-mtls/v1, kind: Federation";
    let text = with("substra-mtls/v1", "substra-mtls/v2").replace("values:", "files:");
    refused_text(&text, "substra-mtls/v2", "the apiVersion `substra-mtls/v2` is not known here", supported);
    refused("kind: Federation", "kind: Network", "Network", "the kind `Network` is not known here", supported);
}

#[test]
fn a_wrong_type_is_refused() {
    refused("[backend-org-1-values.yaml]", "one.yaml", "one.yaml", "a list is needed here", "[ONE, TWO]");
    refused("namespace: org-1", "namespace: {a: b}", "{a: b}", "text is needed here", "not a list or a map");
    refused("namespace: org-1", "namespace: [a, b]", "[a, b]", "text is needed here", "not a list or a map");
    refused(CA, "there", "there", "a map is needed here", "KEY: VALUE");
    for odd in ["perhaps", "\"true\"", "[true]", "~"] {
        refused(
            CA,
            &format!("{{create: {odd}}}"),
            &format!("{odd}}}"),
            "true or false is needed here",
            "not in quotes",
        );
    }
    refused("[backend-org-1-values.yaml]", "[{a: b}]", "{a: b}", "text is needed here", "");
    assert!(refusal("[a, b]").what.ends_with("1:1: a map is needed here"));
    assert!(refusal("text").what.ends_with("1:1: a map is needed here"));
}

#[test]
fn what_only_looks_like_text_must_be_quoted() {
    for odd in ["yes", "on", "No", "true", "12", "8.8", "0x1F", "1e3"] {
        let text = with("context: org1", &format!("context: {odd}"));
        let failure = refused_text(
            &text,
            &format!("{odd}\n    namespace: org-1"),
            &format!("`{odd}` is not text"),
            &format!("\"{odd}\""),
        );
        assert_eq!(failure.code.id(), "federation-type");
        assert!(super::parse(with("context: org1", &format!("context: '{odd}'"))).is_ok());
    }
    refused("MyOrg1MSP", "on", "on:\n    context: org1", "`on` is not text", "\"on\"");
}

#[test]
fn a_key_twice_is_refused() {
    refused(
        "    hostname:",
        "    release: b\n    hostname:",
        "release: b\n",
        "the key `release` is there already",
        "once",
    );
    refused("MyOrg2MSP", "MyOrg1MSP", "MyOrg1MSP:\n    context: org2", "the key `MyOrg1MSP` is there already", "once");
}

#[test]
fn a_bad_name_is_refused_with_its_rule() {
    refused("MyOrg1MSP", "My Org", "My Org", "`My Org` is not an MSP ID", "1 to 64");
    refused("namespace: org-1", "namespace: Org_1", "Org_1", "`Org_1` is not a namespace", "lower-case");
    refused("backend-org-1\n", "-x\n", "-x", "`-x` is not a release name", "53");
    refused("api.org-1.example.org", "10.0.0.1", "10.0.0.1", "`10.0.0.1` is not a host name", "IP address");
    refused("cutOff: []", "cutOff: [A, b/c]", "b/c", "`b/c` is not an MSP ID", "1 to 64");
    refused(CA, "{secret: A B}", "A B}", "`A B` is not an object name", "253");
    refused("gate: close ", "gate: closed ", "closed ", "unknown gate `closed`; did you mean `close`?", "close, leave");
}

#[test]
fn a_chart_or_version_cannot_become_a_flag() {
    let why = "one word that does not begin with -";
    refused("substra/substra-backend", "--post-renderer=x", "--post", "`--post-renderer=x` cannot be used here", why);
    refused("8.8.0", "-x", "-x", "`-x` cannot be used here", why);
    refused("substra/substra-backend", "a b", "a b", "`a b` cannot be used here", why);
    refused("context: org1", "context: \"a\\nb\"", "\"a\\nb\"", "`a\\u{a}b` cannot be used here", "one line");
}

#[test]
fn a_path_of_the_shells_is_refused() {
    refused("orc.kubeconfig", "~/.kube/config", "~/", "`~/.kube/config` begins with ~", "relative to the folder");
}

#[test]
fn an_authority_of_two_kinds_or_none_is_refused() {
    for unclear in [
        "{cert: a}",
        "{key: a}",
        "{secret: a, create: true}",
        "{cert: a, key: b, secret: c}",
        "{create: false}",
        "{cert: a, create: true}",
        "{}",
    ] {
        refused(CA, unclear, unclear, "the ca is not clear", "{create: true}");
    }
}

#[test]
fn two_parties_on_one_release_are_refused() {
    let text = with("release: backend-org-2", "release: backend-org-1").replace("namespace: org-2", "namespace: org-1");
    let text = text.replace("context: org2", "context: org1");
    let what = "MyOrg2MSP has the same release as MyOrg1MSP";
    refused_text(&text, "backend-org-1\n    values: [backend-org-2", what, "release backend-org-1 of namespace org-1");
    let text = with("    release: backend-org-2", "    release: orchestrator")
        .replace("namespace: org-2", "namespace: orchestrator");
    let text = text.replace("context: org2", "context: orc\n    kubeconfig: x/../orc.kubeconfig");
    refused_text(
        &text,
        "orchestrator\n    values: [backend-org-2",
        "MyOrg2MSP has the same release as orchestrator",
        "one party's",
    );
}

#[test]
fn a_values_file_that_is_named_twice_is_refused() {
    refused("backend-org-2-values.yaml", "a.yaml, ./a.yaml", "./a.yaml", "./a.yaml is named already", "twice");
    refused("[backend-org-2-values.yaml]", "[]", "[]\n", "no values file is named", "at least one");
}

#[test]
fn a_cut_off_that_means_nothing_is_refused() {
    refused("cutOff: []", "cutOff: [A1, B1, A1]", "A1]", "A1 stands in cutOff already", "once");
    let text = with("cutOff: []", "cutOff: [A1]").replace("gate: close ", "gate: leave ");
    refused_text(&text, "A1]", "cutOff without gate: close", "nobody is cut off");
}

#[test]
fn a_federation_without_organizations_is_refused() {
    let (text, _) = shown().split_once("organizations:").unwrap();
    refused_text(&format!("{text}organizations: {{}}\n"), "{}", "there is no organization", "at least one");
    refused_text(&format!("{text}organizations: [a]\n"), "[a]", "a map is needed here", "");
}

#[test]
fn a_second_document_is_refused() {
    refused_text(&format!("{}---\na: b\n", shown()), "a: b", "this cannot be read", "a second document begins here");
}

#[test]
fn a_tag_that_yaml_does_not_know_is_refused() {
    refused("context: org1", "context: !vault org1", "org1\n    namespace", "this cannot be read", "`!vault`");
}

#[test]
fn text_that_is_not_yaml_is_refused_at_its_place() {
    let failure = refusal(with("    context: org1", "\tcontext: org1"));
    assert!(failure.what.starts_with("federation.yaml:16:2: ") && failure.why.contains("tab"), "{failure}");
    refused("context: org1", "context: *unknown", "*unknown", "this cannot be read", "unknown");
    let mut bytes = with("context: org1", "context: #Ø").into_bytes();
    let at = bytes.windows(2).position(|two| two == "Ø".as_bytes()).unwrap();
    bytes[at + 1] = b'x';
    assert_eq!(refusal(bytes).what, "federation.yaml:16:15: a byte here is not UTF-8");
}

#[test]
fn bombs_and_depths_are_refused_in_no_time() {
    let head = "apiVersion: substra-mtls/v1\nkind: Federation\n";
    let wide = |n: char| format!("[{}]", vec![format!("*{n}"); 10].join(","));
    let levels: String =
        ('b'..='j').zip('a'..).map(|(this, last)| format!("{this}: &{this} {}\n", wide(last))).collect();
    let nested: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for text in [
        format!("{head}a: &a [x]\n{levels}"),
        "[".repeat(100_000),
        "? ".repeat(10_000),
        "{a: ".repeat(10_000),
        nested,
        format!("{head}{{"),
    ] {
        let failure = refusal(&text);
        assert_eq!(failure.code.id(), "federation-yaml", "{failure}");
        assert!(!failure.to_string().contains("depth:"), "{failure}");
    }
}

#[test]
fn nothing_of_the_file_steers_the_terminal() {
    for text in [
        with("hostname:", "\"a\\e[2J\\u202e\":"),
        with("MyOrg1MSP", "\"a\\e[2J\""),
        with("substra-mtls/v1", "\"\\e[2J\""),
    ] {
        let shown = refusal(text).to_string();
        assert!(shown.contains("\\u{1b}[2J") && !shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    }
}
