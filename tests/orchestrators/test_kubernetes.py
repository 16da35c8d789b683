"""The manifest of docs/orchestrators.md is one that Kubernetes' own schema takes, and says what the document says."""

from __future__ import annotations

from typing import Any

import pytest

from finra_cli.commands.run import command as finra_run
from support.orchestration import EXAMPLES

_REASON = "kubernetes-validate is installed by the tox environment manifests"
kubernetes_validate: Any = pytest.importorskip("kubernetes_validate", reason=_REASON)
yaml: Any = pytest.importorskip("yaml", reason=_REASON)

DOCUMENTS = list(yaml.safe_load_all((EXAMPLES / "kubernetes" / "cronjob.yaml").read_text(encoding="utf-8")))
VERSION = "1.31"
"""The first one in which all that the manifest uses is stable."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document["kind"] for document in DOCUMENTS])
def test_each_object_is_valid_and_has_no_field_that_kubernetes_does_not_know(document: Any) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_slip_is_noticed() -> None:
    wrong = {**DOCUMENTS[1], "spec": {**DOCUMENTS[1]["spec"], "concurencyPolicy": "Forbid"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_a_run_is_made_once_alone_and_with_no_more_rights_than_it_needs() -> None:
    claim, cronjob = DOCUMENTS
    job = cronjob["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]

    assert cronjob["spec"]["concurrencyPolicy"] == "Forbid"
    assert (job["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_the_store_lies_on_the_volume() -> None:
    (container,) = DOCUMENTS[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    _finra, _run, *arguments = container["command"]
    path = finra_run.settings(arguments).store.removeprefix("sqlite:///")
    assert path.startswith(container["volumeMounts"][0]["mountPath"] + "/")
