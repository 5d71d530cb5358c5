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
        site.approve("--ca-cert ca.crt --ca-key ca.key").ok();
        site.enroll("--certificate MyOrg1MSP.crt").ok();
        assert!(!site.admin(&site.org, "get secrets -o name").contains("pending"));
    }

    fn cron_renews_unattended(site) {
        site.enroll("--auto").refused(3, "no-live-pair");
        site.enrolled();
        let (revision, state) = (site.helm(&site.org, "history backend"), site.state(&site.org));
        assert!(site.enroll("--auto").ok().stdout.contains("nothing to do until: "));
        assert_eq!(site.state(&site.org), state);
        let old = site.read("MyOrg1MSP.crt");
        site.enroll("--auto --renew").ok();
        assert_eq!(site.enroll("--auto").ok().fact("request"), "MyOrg1MSP.csr", "it waits");
        site.approve("--renewals --ca-cert ca.crt --ca-key ca.key").ok();
        assert_ne!(site.read("MyOrg1MSP.crt"), old);
        assert!(site.enroll("--auto").ok().stdout.contains("proven: "));
        assert!(site.enroll("--auto").ok().stdout.contains("nothing to do until: "));
        assert_eq!(site.helm(&site.org, "history backend"), revision, "no upgrade");
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
