#!/usr/bin/env bash
# Applies rendered manifests and waits until all of it runs. Usage: k8s_deploy.sh KUBECTL MANIFESTS REVISIONS
# The migration is applied with the rest, which waits for it: new pods are ready only once the schema is theirs, and
# old ones go on until then. REVISIONS is a file that notes what ran before, for k8s_undo.sh.
set -euo pipefail
kubectl=$1 manifests=$2 revisions=$3
in_ours=("$kubectl" --namespace battlescope)

"${in_ours[@]}" get deployment api clusterer ingest --ignore-not-found --output \
    'jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations.deployment\.kubernetes\.io/revision}{"\n"}{end}' \
    > "$revisions"

# A Job cannot be changed, so the last one goes.
"${in_ours[@]}" delete job migrate --ignore-not-found --wait
"$kubectl" apply --server-side --force-conflicts --filename "$manifests"
"${in_ours[@]}" wait --for=condition=complete --timeout=1800s job/migrate
for name in api clusterer ingest; do
    "${in_ours[@]}" rollout status --timeout=600s "deployment/$name"
done
