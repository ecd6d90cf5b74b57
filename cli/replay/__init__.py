"""The account's past, played through the product's own decisions: what a policy would have done.

`history` is what was spent, `past` the account as it stood at a minute of it, `stage` the account as the kill switch
sees it, `play` the minutes, and `outcome` what came of them.
"""
