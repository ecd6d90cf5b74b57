"""`governor`: the command line for the people who run Governor. It runs on their machines and is never deployed.

Each command is a module with `register(app)`. `cli.command` gives a command its session and turns errors into exit
codes, `cli.session` reaches OpenRouter and AWS, `cli.account` reads the account, `cli.output` writes.
"""
