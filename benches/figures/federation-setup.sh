# Ten backends and their orchestrator with TLS as in the walkthrough, each in a namespace of its own.
export KUBECONFIG=$TESTBED_KUBECONFIG
openssl genrsa 2048 > ca.key 2>/dev/null && chmod 600 ca.key
openssl req -x509 -new -nodes -key ca.key -sha256 -days 365 -subj '/CN=Orchestrator Root CA' -out ca.crt
openssl req -newkey rsa:2048 -nodes -keyout server.key -subj '/CN=orchestrator.example.org' -out server.csr 2>/dev/null
printf 'subjectAltName=DNS:orchestrator.example.org\nextendedKeyUsage=serverAuth,clientAuth\n' > ext
openssl x509 -req -days 365 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -sha256 -extfile ext 2>/dev/null
cat > orchestrator-values.yaml <<Y
ingress:
  hostname: orchestrator.example.org
channels:
  - name: mychannel
    organizations: [$(seq -s ', ' -f 'MyOrg%gMSP' 1 10)]
orchestrator:
  tls:
    enabled: true
Y
cat > federation.yaml <<Y
apiVersion: substra-mtls/v1
kind: Federation
orchestrator:
  namespace: orc-$ID
  release: orchestrator
  chart: $TESTBED_CHARTS/orchestrator
  values: [orchestrator-values.yaml]
  ca: {cert: ca.crt, key: ca.key}
  gate: close
organizations:
Y
kubectl create namespace "orc-$ID"
kubectl create secret generic orchestrator-tls-cacert -n "orc-$ID" --from-file=ca.crt=ca.crt
kubectl create secret tls orchestrator-tls-server-pair -n "orc-$ID" --cert=server.crt --key=server.key
"$HELM_BIN" install orchestrator "$TESTBED_CHARTS/orchestrator" -n "orc-$ID" -f orchestrator-values.yaml --wait &
for n in $(seq 1 10); do
  cat > "org-$n.yaml" <<Y
# Hospital $n
orchestrator:
  host: orchestrator.example.org
  mspID: MyOrg${n}MSP
  tls:
    enabled: true
    cacert: orchestrator-cacert
server:
  ingress:
    hostname: substra.org-$n.example.org
Y
  cat >> federation.yaml <<Y
  MyOrg${n}MSP:
    namespace: org-$ID-$n
    release: backend
    chart: $TESTBED_CHARTS/substra-backend
    values: [org-$n.yaml]
Y
  kubectl create namespace "org-$ID-$n"
  kubectl create secret generic orchestrator-cacert -n "org-$ID-$n" --from-file=ca.crt=ca.crt
  "$HELM_BIN" install backend "$TESTBED_CHARTS/substra-backend" -n "org-$ID-$n" -f "org-$n.yaml" --wait &
done
wait
