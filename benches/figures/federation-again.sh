# A second run that finds nothing to do.
export KUBECONFIG=$TESTBED_KUBECONFIG
"$SUBSTRA_MTLS" -v bootstrap federation.yaml --yes --parallel 10 2> children
