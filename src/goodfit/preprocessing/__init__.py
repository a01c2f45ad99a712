"""From raw rows to arrays: fitted on training rows, kept as JSON."""

from goodfit.preprocessing.fitting import fit_preprocessor
from goodfit.preprocessing.layout import Layout
from goodfit.preprocessing.preprocessor import Arrays, Preprocessor
from goodfit.preprocessing.section import PreprocessingSection

__all__ = ["Arrays", "Layout", "PreprocessingSection", "Preprocessor", "fit_preprocessor"]
