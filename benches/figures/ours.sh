# The same with the tool, its checks and waits included, and the gate closed with the identity check.
export KUBECONFIG=$TESTBED_KUBECONFIG
run() { "$SUBSTRA_MTLS" -v "$@" 2>>children; }
backend="-n org-$ID -f backend-values.yaml --release backend --chart $TESTBED_CHARTS/substra-backend --yes"
orchestrator="-n orc-$ID -f orchestrator-values.yaml --release orchestrator --chart $TESTBED_CHARTS/orchestrator --yes"
fingerprint=$(run enroll $backend | sed -n 's/^fingerprint: //p')
run approve MyOrg1MSP.csr $orchestrator --ca-cert ca.crt --ca-key ca.key --fingerprint "MyOrg1MSP=$fingerprint"
run enroll $backend --certificate MyOrg1MSP.crt
run gate close $orchestrator --installed MyOrg1MSP
