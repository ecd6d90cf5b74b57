"""`python -m cli`: the same as `governor`."""

from cli.main import main

main()
