"""The OpenRouter account as functions use it.

`connection`: under the management key. `inference`: under workloads' own keys. `pace` and `backlog`: the requests a
second that all functions share. `leases`: readings that one process shares for a short time. `workspaces`: which one is
meant.
"""
