"""Queues: one contract, kept by memory, a folder and SQS."""
