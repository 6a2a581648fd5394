"""The fields that KEDA 2.18 to 2.20 has for the two kinds that we use, and what its SQS trigger understands.

Written after its CRDs (config/crd/bases) and after pkg/scalers/aws_sqs_queue_scaler.go; our manifests were held to the CRDs
themselves, closed against unknown fields, when this was written. The CRDs take any metadata of a trigger, and this does not.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]  # Any: a JSON schema

TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 0}
COUNT = {"type": "string", "pattern": "^[0-9]+$"}  # triggers take texts alone
FLAG = {"enum": ["true", "false"]}


def closed(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def some(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


SQS_TRIGGER = closed(
    {
        "type": {"const": "aws-sqs-queue"},
        "name": TEXT,
        "metricType": {"enum": ["AverageValue", "Value"]},
        "useCachedMetrics": {"type": "boolean"},
        "authenticationRef": closed(
            {"name": TEXT, "kind": {"enum": ["TriggerAuthentication", "ClusterTriggerAuthentication"]}}, "name"
        ),
        "metadata": closed(
            {
                "queueURL": TEXT,
                "queueURLFromEnv": TEXT,
                "awsRegion": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)+-[0-9]$"},
                "awsEndpoint": TEXT,
                "queueLength": COUNT,
                "activationQueueLength": COUNT,
                "scaleOnInFlight": FLAG,
                "scaleOnDelayed": FLAG,
            },
            "awsRegion",
        ),
    },
    "type",
    "metadata",
)
SCALED_OBJECT = closed(
    {
        "scaleTargetRef": closed(
            {"name": TEXT, "kind": TEXT, "apiVersion": TEXT, "envSourceContainerName": TEXT}, "name"
        ),
        **dict.fromkeys(
            [
                *("minReplicaCount", "maxReplicaCount", "idleReplicaCount"),
                *("pollingInterval", "cooldownPeriod", "initialCooldownPeriod"),
            ],
            NUMBER,
        ),
        "triggers": some(SQS_TRIGGER),
    },
    "scaleTargetRef",
    "triggers",
)
TRIGGER_AUTHENTICATION = closed(
    {
        "podIdentity": closed(
            {"provider": {"const": "aws"}, "identityOwner": {"enum": ["keda", "workload"]}, "roleArn": TEXT}, "provider"
        ),
        "secretTargetRef": some(
            closed(
                {"parameter": {"enum": ["awsAccessKeyID", "awsSecretAccessKey"]}, "name": TEXT, "key": TEXT},
                *("parameter", "name", "key"),
            )
        ),
    }
)
SPECS = {"ScaledObject": SCALED_OBJECT, "TriggerAuthentication": TRIGGER_AUTHENTICATION}


def schema_of(kind: str) -> Schema:
    """The schema of a whole manifest."""
    head = {"apiVersion": {"const": "keda.sh/v1alpha1"}, "kind": {"const": kind}}
    metadata = closed({"name": TEXT, "namespace": TEXT, "labels": {"type": "object"}, "annotations": {}}, "name")
    return closed({**head, "metadata": metadata, "spec": SPECS[kind]}, "apiVersion", "kind", "metadata", "spec")
