//! Certificates that must not be installed: each refused, nothing written.

use crate::site::Site;

/// Signs the pending request's key, or another, as a careless CA would.
fn careless(site: &Site, name: &str, subject: &str, extensions: &str, more: &str) {
    let script = format!(
        "printf '{extensions}\\n' > e
         openssl req -new -key other.key -subj '{subject}' -out o.csr
         openssl x509 -req -in o.csr -CA {} -out {name} -sha256 -extfile e 2>/dev/null",
        if more.is_empty() { "ca.crt -CAkey ca.key -CAcreateserial -days 90" } else { more }
    );
    site.sh(&script);
}

both! {
    fn each_is_refused_and_nothing_is_written(site) {
        // With a key file the tests can sign for the waiting key themselves.
        site.sh("openssl genrsa 2048 > other.key 2>/dev/null; chmod 600 other.key");
        site.sh("openssl req -x509 -new -nodes -newkey rsa:2048 -keyout foreign.key -days 365 -subj '/CN=Foreign' -out foreign.crt 2>/dev/null");
        let aki = "authorityKeyIdentifier=keyid\\nsubjectAltName=DNS:substra.org-1.example.org\\nextendedKeyUsage=clientAuth";
        let good = "/O=MyOrg1MSP/CN=substra.org-1.example.org";
        careless(site, "foreign-ca.crt", good, aki, "foreign.crt -CAkey foreign.key -CAcreateserial -days 90");
        careless(site, "other-org.crt", "/O=MyOrg2MSP/CN=substra.org-1.example.org", aki, "");
        careless(site, "two-orgs.crt", "/O=MyOrg1MSP/O=MyOrg2MSP/CN=x", aki, "");
        careless(site, "server.usage.crt", good, "authorityKeyIdentifier=keyid\\nextendedKeyUsage=serverAuth,clientAuth", "");
        careless(site, "plain.crt", good, "basicConstraints=CA:FALSE\\nextendedKeyUsage=clientAuth\\nauthorityKeyIdentifier=none", "");
        careless(site, "expired.crt", good, aki, "ca.crt -CAkey ca.key -CAcreateserial -days 0");
        site.sh("cat foreign-ca.crt other.key > with-key.crt; head -c 300 other-org.crt > cut.crt");
        let before = site.state(&site.org);
        for (file, code) in [
            ("foreign-ca.crt", "certificate-authority"),
            ("other-org.crt", "certificate-organization"),
            ("two-orgs.crt", "certificate-organization"),
            ("server.usage.crt", "certificate-usage"),
            ("plain.crt", "certificate-authority-key-id"),
            ("expired.crt", "certificate-times"),
            ("ca.crt", "certificate-organization"),
            ("with-key.crt", "certificate-file-holds-key"),
            ("cut.crt", "certificate-file-damaged"),
            ("backend-values.yaml", "certificate-file-empty"),
        ] {
            let ran = site.enroll(&format!("--key-file other.key --certificate {file}")).refused(5, code);
            assert!(ran.stderr.contains(file), "{}", ran.stderr);
        }
        assert_eq!(site.state(&site.org), before);
    }

    fn one_for_a_key_that_nobody_here_has_is_an_alarm(site) {
        site.approved();
        site.enroll("--new-request").ok();
        site.sh("openssl genrsa 2048 > other.key 2>/dev/null");
        careless(site, "other.crt", "/O=MyOrg1MSP/CN=substra.org-1.example.org", "authorityKeyIdentifier=keyid\\nextendedKeyUsage=clientAuth", "");
        let before = site.state(&site.org);
        site.enroll("--certificate other.crt").refused(5, "certificate-of-another-key");
        assert_eq!(site.state(&site.org), before);
    }

    fn a_ca_that_is_not_the_cluster_s_signs_nothing(site) {
        let fingerprint = site.enroll("").ok().fact("fingerprint");
        site.sh("openssl genrsa 2048 > foreign.key 2>/dev/null; chmod 600 foreign.key; openssl req -x509 -new -nodes -key foreign.key -days 365 -subj '/CN=Orchestrator Root CA' -out foreign.crt");
        let before = site.state(&site.orc);
        let ran = site.approve(&format!("--ca-cert foreign.crt --ca-key foreign.key --fingerprint MyOrg1MSP={fingerprint}"));
        ran.refused(3, "ca-not-the-clusters");
        assert_eq!(site.state(&site.orc), before);
    }

    fn a_client_ca_of_its_own_is_compared_instead(site) {
        site.sh("openssl genrsa 2048 > client.key 2>/dev/null; chmod 600 client.key; openssl req -x509 -new -nodes -key client.key -days 365 -subj '/CN=Client CA' -out client.crt");
        site.admin(&site.orc, "create secret generic client-ca --from-file=ca.crt=client.crt");
        let fingerprint = site.enroll("").ok().fact("fingerprint");
        site.approve(&format!("--ca-cert client.crt --ca-key client.key --ca-object client-ca --fingerprint MyOrg1MSP={fingerprint}")).ok();
        assert!(site.read("orchestrator-values.yaml").contains("MyOrg1MSP:\n          - client-ca\n"));
        site.enroll("--certificate MyOrg1MSP.crt").refused(5, "certificate-authority");
        site.enroll("--certificate MyOrg1MSP.crt --client-ca client.crt").ok();
    }
}
