"""`python -m transcrevai_core` is the command line."""

from transcrevai_core.cli import main

main()
