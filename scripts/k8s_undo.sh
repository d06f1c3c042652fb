#!/usr/bin/env bash
# The parts as they were before the last deployment. Usage: k8s_undo.sh KUBECTL REVISIONS
# The schema stays: every version runs on a newer one.
set -euo pipefail
kubectl=$1 revisions=$2
in_ours=("$kubectl" --namespace battlescope)

while read -r name revision; do
    now=$("${in_ours[@]}" get deployment "$name" --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')
    if [[ $now != "$revision" ]]; then
        "${in_ours[@]}" rollout undo "deployment/$name" --to-revision="$revision"
        "${in_ours[@]}" rollout status --timeout=600s "deployment/$name"
    fi
done < "$revisions"
