"""What `make drift` compares, so that no copy of a fact goes its own way unnoticed.

Each part gives a :class:`~tools.drift.findings.Part`::

    contract     openapi/compute-api-contract.json      against  openapi/compute.yaml
    recordings   cassettes/                             against  openapi/compute.yaml
    sdk          the newest SDK that the index offers   against  the SDK that was recorded
    wire         what that newest SDK says, recorded    against  cassettes/

    parts ──► explained.yaml: reasons ──► one report, one exit status

The first part has its reasons in `openapi/deviations.yaml`, where it has its own language for them.
"""
