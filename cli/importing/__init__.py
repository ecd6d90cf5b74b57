"""`governor import`: from the account as it is to a policy that passes the check.

`naming` says which workload a key is of, `proposal` what the policy lacks (both pure), `entries` writes that as YAML,
`merging` puts it into the file, `command` is the command.
"""
