"""The worker: a supervisor that owns leases, and children that run tasks."""
