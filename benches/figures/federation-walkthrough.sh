# The walkthrough's page for each organization in turn, and once for the orchestrator.
export KUBECONFIG=$TESTBED_KUBECONFIG
edit() { python3 -c '
import sys
path, old, new = sys.argv[1:4]
text = open(path).read()
assert old in text
open(path, "w").write(text.replace(old, new.encode().decode("unicode_escape"), 1))' "$@"; }
for n in $(seq 1 10); do
  org=MyOrg${n}MSP namespace=org-$ID-$n
  openssl req -newkey rsa:2048 -nodes -keyout "$org.key" -subj "/O=$org/CN=substra.org-$n.example.org" -out "$org.csr" 2>/dev/null
  openssl x509 -req -days 365 -in "$org.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -out "$org.crt" -sha256 2>/dev/null
  kubectl create secret tls orchestrator-client-cert -n "$namespace" --cert="$org.crt" --key="$org.key"
  edit "org-$n.yaml" "    cacert: orchestrator-cacert" '    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert'
  "$HELM_BIN" list -n "$namespace"
  "$HELM_BIN" upgrade backend "$TESTBED_CHARTS/substra-backend" -n "$namespace" --version 26.15.3 --values "org-$n.yaml"
  for workload in $(kubectl get deployments,statefulsets -n "$namespace" -o name); do
    kubectl rollout status -n "$namespace" "$workload" --timeout=60s
  done
done
edit orchestrator-values.yaml "    enabled: true" '    enabled: true\n    mtls:\n      enabled: true\n      clientCACerts:\n        orchestrator:\n          - orchestrator-tls-cacert'
"$HELM_BIN" list -n "orc-$ID"
"$HELM_BIN" upgrade orchestrator "$TESTBED_CHARTS/orchestrator" -n "orc-$ID" --version 8.8.0 --values orchestrator-values.yaml
kubectl rollout status -n "orc-$ID" deployment/orchestrator-server --timeout=60s
