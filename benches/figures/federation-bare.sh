# What no tool can leave out: the upgrades themselves, all backends side by side and the orchestrator after them, awaited.
export KUBECONFIG=$TESTBED_KUBECONFIG
for n in $(seq 1 10); do
  openssl req -x509 -newkey rsa:2048 -nodes -keyout key -subj "/O=MyOrg${n}MSP" -out crt -days 9 2>/dev/null
  kubectl create secret tls orchestrator-client-cert -n "org-$ID-$n" --cert=crt --key=key
done
set_mtls() { "$HELM_BIN" upgrade "$1" "$TESTBED_CHARTS/$2" -n "$3" --version "$4" --values "$5" --set "$6" --wait; }
start=$EPOCHREALTIME
for n in $(seq 1 10); do
  set_mtls backend substra-backend "org-$ID-$n" 26.15.3 "org-$n.yaml" \
    orchestrator.tls.mtls.enabled=true,orchestrator.tls.mtls.clientCertificate=orchestrator-client-cert &
done
wait
set_mtls orchestrator orchestrator "orc-$ID" 8.8.0 orchestrator-values.yaml \
  'orchestrator.tls.mtls.enabled=true,orchestrator.tls.mtls.clientCACerts.MyOrg1MSP={orchestrator-tls-cacert}'
echo "$start $EPOCHREALTIME" > took
