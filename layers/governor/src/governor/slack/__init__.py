"""Slack, one port a module, each with its adapter.

`channel`: messages. `pictures`, `replies`, `home_tab`: other things to show. `identity` and `members`: who somebody is.
`requests`: what a person did, between two functions. `signature`: whether Slack signed it. `text`: names made fit for
mrkdwn. `memory`: all ports in memory, for tests. Nothing is imported here: a function pays for the modules that it
uses.
"""
