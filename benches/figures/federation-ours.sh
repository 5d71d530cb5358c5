# All of it, checked, logged and awaited, the gate closed with the identity check.
export KUBECONFIG=$TESTBED_KUBECONFIG
"$SUBSTRA_MTLS" bootstrap federation.yaml --yes --parallel 10
