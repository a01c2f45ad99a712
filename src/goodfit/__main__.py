"""`python -m goodfit`: the command, where its script is not on the path."""

from goodfit.cli import main

main()
