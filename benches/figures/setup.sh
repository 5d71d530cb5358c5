# TLS as in the walkthrough, in two namespaces: a CA, the server's pair, both releases.
export KUBECONFIG=$TESTBED_KUBECONFIG
openssl genrsa 2048 > ca.key 2>/dev/null && chmod 600 ca.key
openssl req -x509 -new -nodes -key ca.key -sha256 -days 365 -subj '/CN=Orchestrator Root CA' -out ca.crt
openssl req -newkey rsa:2048 -nodes -keyout server.key -subj '/CN=orchestrator.example.org' -out server.csr 2>/dev/null
printf 'subjectAltName=DNS:orchestrator.example.org\nextendedKeyUsage=serverAuth,clientAuth\n' > ext
openssl x509 -req -days 365 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -sha256 -extfile ext 2>/dev/null
cat > backend-values.yaml <<'Y'
# Hospital 1
orchestrator:
  host: orchestrator.example.org
  mspID: MyOrg1MSP
  tls:
    enabled: true
    cacert: orchestrator-cacert
server:
  ingress:
    hostname: substra.org-1.example.org
Y
cat > orchestrator-values.yaml <<'Y'
ingress:
  hostname: orchestrator.example.org
channels:
  - name: mychannel
    organizations: [MyOrg1MSP]
orchestrator:
  tls:
    enabled: true
Y
kubectl create namespace "org-$ID"
kubectl create namespace "orc-$ID"
kubectl create secret generic orchestrator-cacert -n "org-$ID" --from-file=ca.crt=ca.crt
kubectl create secret generic orchestrator-tls-cacert -n "orc-$ID" --from-file=ca.crt=ca.crt
kubectl create secret tls orchestrator-tls-server-pair -n "orc-$ID" --cert=server.crt --key=server.key
"$HELM_BIN" install backend "$TESTBED_CHARTS/substra-backend" -n "org-$ID" -f backend-values.yaml --wait
"$HELM_BIN" install orchestrator "$TESTBED_CHARTS/orchestrator" -n "orc-$ID" -f orchestrator-values.yaml --wait
