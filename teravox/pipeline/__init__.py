"""The machinery: boxes, jobs, messages, queues, workers, ledger, layers, storage."""
