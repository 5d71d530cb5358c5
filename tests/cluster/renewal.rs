//! Renewals on the control plane: with a proof by the live key, and by fingerprint where no key can vouch.

use crate::site::Site;

/// What openssl says of the proof in the file.
fn verified(site: &Site) -> String {
    site.sh("openssl req -in MyOrg1MSP.csr -outform der -out request.der
        openssl cms -verify -inform PEM -in MyOrg1MSP.csr -binary -content request.der -CAfile ca.crt -purpose sslclient -out /dev/null 2>&1")
}

both! {
    fn a_renewal_vouches_for_itself(site) {
        site.enrolled();
        let requested = site.enroll("--renew").ok();
        assert!(requested.stderr.contains("no phone call is needed"), "{}", requested.stderr);
        let said = verified(site);
        assert!(said.contains("CMS Verification successful"), "{said}");
        site.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={}", requested.fact("fingerprint"))).ok();
        site.enroll("--certificate MyOrg1MSP.crt").ok();
        assert!(!site.admin(&site.org, "get secrets -o name").contains("pending"));
    }

    fn after_a_lost_pair_the_fingerprint_is_read_out(site) {
        site.enrolled();
        site.admin(&site.org, "delete secret orchestrator-client-cert");
        let requested = site.enroll("").ok();
        assert!(requested.stderr.contains("with the live pair, is lost"), "{}", requested.stderr);
        assert!(!site.read("MyOrg1MSP.csr").contains("CMS"));
        site.approve("--ca-cert ca.crt --ca-key ca.key").refused(5, "request-fingerprint");
        site.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={}", requested.fact("fingerprint"))).ok();
        site.enroll("--certificate MyOrg1MSP.crt").ok();
    }
}
