//! Worlds that are not as the verbs need them: each has its message, and nothing is written.

use crate::site::chart;

both! {
    fn the_ca_in_the_wrong_kind_or_without_its_item(site) {
        site.approved();
        site.admin(&site.org, "delete secret orchestrator-cacert");
        let before = site.state(&site.org);
        site.enroll("--certificate MyOrg1MSP.crt").refused(3, "ca-missing");
        assert_eq!(site.state(&site.org), before);
        site.admin(&site.org, "create configmap orchestrator-cacert --from-file=ca.crt=ca.crt");
        let ran = site.enroll("--certificate MyOrg1MSP.crt").refused(3, "ca-kind");
        assert!(ran.stderr.contains("mounts a Secret"), "{}", ran.stderr);
        site.admin(&site.org, "create secret generic orchestrator-cacert --from-file=tls.crt=ca.crt");
        site.enroll("--certificate MyOrg1MSP.crt").refused(3, "ca-key-missing");
    }

    fn a_wrong_namespace_and_a_wrong_release(site) {
        let chart = chart("substra-backend");
        site.plugin(&site.org, &format!("enroll -f backend-values.yaml --release nothing --chart {chart}")).refused(3, "no-release");
        let ran = site.plugin(&site.orc, &format!("enroll -f backend-values.yaml --release orchestrator --chart {chart}"));
        ran.refused(3, "release-chart");
        site.plugin(&site.orc, "enroll -f backend-values.yaml").refused(3, "which-release");
    }

    fn drift_both_ways_is_shown_and_needs_consent(site) {
        site.approved();
        site.helm(&site.org, &format!("upgrade backend {} -f backend-values.yaml --set worker.replicaCount=0,database.auth.password=secret1", chart("substra-backend")));
        site.sh("printf 'scheduler:\\n  enabled: true\\n' >> backend-values.yaml");
        let before = site.state(&site.org);
        let ran = site.enroll("--certificate MyOrg1MSP.crt").refused(3, "drift");
        for shown in ["worker.replicaCount: deployed only", "scheduler.enabled: in the files only", "database.auth.password: differs"] {
            assert!(ran.stderr.contains(shown), "{shown}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("secret1"));
        assert_eq!(site.state(&site.org), before);
        site.enroll("--certificate MyOrg1MSP.crt --accept-drift").ok();
    }

    fn a_release_that_failed_is_upgraded_again(site) {
        site.approved();
        let line = format!("upgrade backend {} -f backend-values.yaml --set server.replicaCount=-1", chart("substra-backend"));
        assert!(!site.helm_command(&site.org, &line).output().unwrap().status.success());
        assert!(site.helm(&site.org, "status backend").contains("STATUS: failed"));
        site.enroll("--certificate MyOrg1MSP.crt --accept-drift").ok();
        assert!(site.helm(&site.org, "status backend").contains("STATUS: deployed"));
    }

    fn a_release_that_is_pending_stops_the_verb(site) {
        site.approved();
        site.upgrade_is_cut_short();
        let before = site.state(&site.org);
        let ran = site.enroll("--certificate MyOrg1MSP.crt --timeout 3s").refused(124, "release-pending");
        assert!(ran.stderr.contains(" rollback backend REVISION"), "{}", ran.stderr);
        assert_eq!(site.state(&site.org), before);
    }

    fn a_time_out_of_helm_s_own_is_one(site) {
        site.approved();
        // The Job of the chart's hook gets no pod.
        site.admin(&site.org, "create quota none --hard=pods=0");
        let ran = site.enroll("--certificate MyOrg1MSP.crt --timeout 5s").stopped(124, "time-limit");
        assert!(ran.stderr.contains("within 5 s") && ran.stderr.contains("may be half done: upgrade"), "{}", ran.stderr);
        site.admin(&site.org, "delete quota none");
        site.enroll("--certificate MyOrg1MSP.crt").ok();
    }

    fn missing_rights_name_the_role(site) {
        site.admin(&site.org, "delete rolebinding substra-mtls-backend");
        let ran = site.enroll("").refused(6, "forbidden");
        assert!(ran.stderr.contains("`helm substra-mtls role backend`"), "{}", ran.stderr);
    }

    fn a_chart_of_another_version_is_refused_before_anything_is_written(site) {
        site.approved();
        let before = site.state(&site.org);
        let chart = chart("substra-backend-old");
        let ran = site.plugin(&site.org, &format!("enroll -f backend-values.yaml --release backend --chart {chart} --yes --certificate MyOrg1MSP.crt"));
        ran.refused(3, "chart");
        let ran = site.plugin(&site.org, "enroll -f backend-values.yaml --release backend --yes --certificate MyOrg1MSP.crt");
        ran.refused(3, "chart");
        assert_eq!(site.state(&site.org), before);
    }

    fn a_secret_with_a_copy_of_its_old_key_loses_the_copy_and_keeps_the_rest(site) {
        site.approved();
        site.sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout old.key -out old.crt -days 9 -subj /CN=old 2>/dev/null");
        let made = site.admin(&site.org, "create secret tls orchestrator-client-cert --cert=old.crt --key=old.key --dry-run=client -o yaml");
        site.write("pair.yaml", &made);
        site.admin(&site.org, "apply -f pair.yaml");
        site.admin(&site.org, "annotate secret orchestrator-client-cert owner=me");
        site.enroll("--certificate MyOrg1MSP.crt").ok();
        let annotations = site.object(&site.org, "secret/orchestrator-client-cert")["metadata"]["annotations"].clone();
        assert_eq!(annotations, serde_json::json!({"owner": "me"}));
    }

    fn tls_that_is_not_set_up_comes_first(site) {
        site.approved();
        site.sh("sed 's/    enabled: true/    enabled: false/' backend-values.yaml > off.yaml");
        site.helm(&site.org, &format!("upgrade backend {} -f off.yaml", chart("substra-backend")));
        site.enroll("--certificate MyOrg1MSP.crt").refused(3, "tls-off");
    }
}
