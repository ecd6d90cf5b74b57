"""`python -m cli`: the same as `governor`."""

from cli.start import main

main()
