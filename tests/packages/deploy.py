"""The examples for containers: right by their own schemas, and right about what they show."""

import importlib.util
import re

from checks import ROOT, check, is_absent

COMPOSE = ROOT / "assets/deploy/compose/compose.yaml"
KUBERNETES = ROOT / "assets/deploy/kubernetes/routeros-mcp.yaml"
# Older and newer clusters.
VERSIONS = ["1.28", "1.34"]


def all_of_it(config):
    if not importlib.util.find_spec("yaml"):
        return is_absent("PyYAML", "no example for containers was checked")
    if importlib.util.find_spec("kubernetes_validate"):
        for version in VERSIONS:
            check(f"deploy: Kubernetes {version} takes the example, and refuses it with a wrong word", kubernetes, version)
    else:
        is_absent("kubernetes-validate", "the Kubernetes example was not checked by its schema")
    if importlib.util.find_spec("compose_pydantic"):
        check("deploy: the compose example is right by the specification's schema", compose)
    else:
        is_absent("compose-pydantic", "the compose example was not checked by its schema")
    check("deploy: one replica, replaced and not rolled, with a volume and probes on /health/live", shape)
    check("deploy: both run as the image does", as_the_image, config)


def documents():
    import yaml

    return {document["kind"]: document for document in yaml.safe_load_all(KUBERNETES.read_text())}


def service():
    import yaml

    return yaml.safe_load(COMPOSE.read_text())["services"]["routeros-mcp"]


def kubernetes(version):
    import kubernetes_validate

    for document in documents().values():
        kubernetes_validate.validate(document, version, strict=True)
    wrong = documents()["Deployment"]
    wrong["spec"]["replica"] = 1
    try:
        kubernetes_validate.validate(wrong, version, strict=True)
    except kubernetes_validate.ValidationError:
        return
    raise AssertionError("a wrong word was taken, so nothing was checked")


def compose():
    import compose_pydantic
    import yaml

    whole = yaml.safe_load(COMPOSE.read_text())
    compose_pydantic.ComposeSpecification(**whole)
    whole["services"]["routeros-mcp"]["imge"] = "x"
    try:
        compose_pydantic.ComposeSpecification(**whole)
    except ValueError:
        return
    raise AssertionError("a wrong word was taken, so nothing was checked")


def shape():
    spec = documents()["Deployment"]["spec"]
    assert spec["replicas"] == 1 and spec["strategy"] == {"type": "Recreate"}
    (container,) = spec["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] == "/health/live"
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/var/lib/routeros-mcp", "/run/routeros-mcp", "/tmp"} <= mounts
    one = service()
    assert one["volumes"] == ["state:/var/lib/routeros-mcp"] and one["healthcheck"]["test"] == ["CMD", "/usr/bin/routeros-mcp", "health"]


def as_the_image(config):
    uid, _, gid = config["User"].partition(":")
    pod = documents()["Deployment"]["spec"]["template"]["spec"]
    assert (str(pod["securityContext"]["runAsUser"]), str(pod["securityContext"]["runAsGroup"])) == (uid, gid)
    (port,) = config["ExposedPorts"]
    assert port == f"{pod['containers'][0]['ports'][0]['containerPort']}/tcp"
    one = service()
    assert one["user"] == config["User"] and one["ports"] == [f"{port[:-4]}:{port[:-4]}"] and one["healthcheck"]["test"] == config["Healthcheck"]["Test"]
    # The version in the examples is the one of this source.
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    assert pod["containers"][0]["image"].endswith(f":{version}") and f":-{version}}}" in one["image"]
