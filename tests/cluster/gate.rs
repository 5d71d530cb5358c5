//! The gate: refused while somebody is missing, closed, opened.

both! {
    fn it_is_refused_then_closed_then_opened(site) {
        let before = site.state(&site.orc);
        site.gate("close", "--installed MyOrg1MSP").refused(3, "not-admitted");
        site.gate("close", "--installed MyOrg1MPS").refused(3, "not-admitted");
        assert_eq!(site.state(&site.orc), before);
        site.enrolled();
        let before = site.state(&site.orc);
        site.gate("close", "").refused(3, "not-installed");
        assert_eq!(site.state(&site.orc), before);

        let closed = site.gate("close", "--installed MyOrg1MSP --ca-cert ca.crt").ok();
        assert!(closed.stderr.contains(&format!("the way back: helm substra-mtls gate open -n {} -f orchestrator-values.yaml --release orchestrator", site.orc)), "{}", closed.stderr);
        let server = site.object(&site.orc, "deployment/orchestrator-server");
        assert!(server["spec"]["template"]["spec"]["volumes"].to_string().contains("orchestrator-tls-client-cacert-my-org1-msp"));
        let before = site.state(&site.orc);
        assert!(site.gate("close", "").ok().stderr.contains("already  "));
        assert_eq!(site.state(&site.orc), before);

        site.gate("open", "").ok();
        assert!(site.read("orchestrator-values.yaml").contains("      enabled: false\n"));
        let server = site.object(&site.orc, "deployment/orchestrator-server");
        assert!(!server["spec"]["template"]["spec"]["volumes"].to_string().contains("client-cacert"));
    }

    fn a_member_may_be_given_up_by_name(site) {
        site.enrolled();
        site.sh("sed -i 's/\\[MyOrg1MSP\\]/[MyOrg1MSP, MyOrg2MSP]/' orchestrator-values.yaml");
        site.gate("close", "--installed MyOrg1MSP --accept-drift").refused(3, "not-admitted");
        let ran = site.gate("close", "--installed MyOrg1MSP --cut-off MyOrg2MSP --accept-drift").ok();
        assert!(ran.stderr.contains("warning: MyOrg2MSP is given up"), "{}", ran.stderr);
    }

    fn a_server_pair_that_fails_its_own_probe_keeps_it_open(site) {
        site.enrolled();
        for (extensions, code) in [
            ("subjectAltName=DNS:orchestrator.example.org\\nextendedKeyUsage=serverAuth", "server-client-auth"),
            ("subjectAltName=DNS:other.example.org", "server-name"),
        ] {
            site.sh(&format!("printf '{extensions}\\n' > e; openssl x509 -req -days 9 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -sha256 -extfile e 2>/dev/null"));
            site.admin(&site.orc, "delete secret orchestrator-tls-server-pair");
            site.admin(&site.orc, "create secret tls orchestrator-tls-server-pair --cert=server.crt --key=server.key");
            let before = site.state(&site.orc);
            site.gate("close", "--installed MyOrg1MSP").refused(3, code);
            assert_eq!(site.state(&site.orc), before);
        }
    }

    fn a_client_ca_that_would_crash_the_server_keeps_it_open(site) {
        site.enrolled();
        site.admin(&site.orc, "delete secret orchestrator-tls-cacert");
        site.gate("close", "--installed MyOrg1MSP").refused(3, "server-chain");
        site.sh("(echo hello; cat server.key) > spoilt");
        site.admin(&site.orc, "create secret generic orchestrator-tls-cacert --from-file=ca.crt=spoilt");
        let ran = site.gate("close", "--installed MyOrg1MSP");
        assert_eq!(ran.status, 3);
        assert!(ran.stderr.contains("[mount-ca]"), "{}", ran.stderr);
    }
}
