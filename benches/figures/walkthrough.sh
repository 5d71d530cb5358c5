# The walkthrough's page as a script; the release's version is looked up as it says, and each upgrade is waited for.
export KUBECONFIG=$TESTBED_KUBECONFIG
openssl req -newkey rsa:2048 -nodes -keyout MyOrg1MSP.key -subj "/O=MyOrg1MSP/CN=substra.org-1.example.org" -out MyOrg1MSP.csr 2>/dev/null
openssl x509 -req -days 365 -in MyOrg1MSP.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out MyOrg1MSP.crt -sha256 2>/dev/null
kubectl create secret tls orchestrator-client-cert -n "org-$ID" --cert=MyOrg1MSP.crt --key=MyOrg1MSP.key
edit() { python3 -c '
import sys, re
path, old, new = sys.argv[1:4]
text = open(path).read()
assert old in text
open(path, "w").write(text.replace(old, new.encode().decode("unicode_escape"), 1))' "$@"; }
edit backend-values.yaml "    cacert: orchestrator-cacert" '    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert'
"$HELM_BIN" list -n "org-$ID"
"$HELM_BIN" upgrade backend "$TESTBED_CHARTS/substra-backend" -n "org-$ID" --version 26.15.3 --values backend-values.yaml
for workload in $(kubectl get deployments,statefulsets -n "org-$ID" -o name); do
  kubectl rollout status -n "org-$ID" "$workload" --timeout=60s
done
edit orchestrator-values.yaml "    enabled: true" '    enabled: true\n    mtls:\n      enabled: true\n      clientCACerts:\n        orchestrator:\n          - orchestrator-tls-cacert'
"$HELM_BIN" list -n "orc-$ID"
"$HELM_BIN" upgrade orchestrator "$TESTBED_CHARTS/orchestrator" -n "orc-$ID" --version 8.8.0 --values orchestrator-values.yaml
for workload in $(kubectl get deployments -n "orc-$ID" -o name); do
  kubectl rollout status -n "orc-$ID" "$workload" --timeout=60s
done
