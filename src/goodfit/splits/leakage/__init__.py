"""Does anything of valid or test reach train, or anything of the target reach the features?"""

from goodfit.splits.leakage.check import Check, find_leaks, refuse_leaks

__all__ = ["Check", "find_leaks", "refuse_leaks"]
