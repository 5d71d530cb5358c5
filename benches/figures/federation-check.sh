# Every release judged; then the same children without the judgement, eight releases at a time as well.
export KUBECONFIG=$TESTBED_KUBECONFIG
start=$EPOCHREALTIME
"$SUBSTRA_MTLS" check federation.yaml > checked
middle=$EPOCHREALTIME
"$SUBSTRA_MTLS" -v check federation.yaml 2>&1 >/dev/null | grep '^+ ' | cut -c3- > calls
namespaces=$(grep -o 'namespace=[^ ]*' calls | sort -u | cut -d= -f2)
release() {
  grep -- "--namespace=$1 " <(sed 's/$/ /' calls) > "calls-$1"
  local rules='{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","spec":{"namespace":"'$1'"}}'
  # The release's two, then the others, as check itself does it.
  while read -r call; do eval "$call" >/dev/null & done < <(grep -E '/helm[34]? ' "calls-$1")
  wait
  while read -r call; do eval "$call" <<<"$rules" >/dev/null & done < <(grep -vE '/helm[34]? ' "calls-$1")
  wait
}
export -f release
before=$EPOCHREALTIME
xargs -P 8 -I{} bash -c 'release {}' <<<"$namespaces"
echo "$start $middle $before $EPOCHREALTIME" > took
