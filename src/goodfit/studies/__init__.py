"""Studies: the chosen model is trained again, without a regularizer or on fewer rows, to say what they are worth."""

from goodfit.studies.ablation import ablate
from goodfit.studies.asked import asked_studies
from goodfit.studies.chosen import Chosen, chosen_model
from goodfit.studies.learning_curve import learning_curve

__all__ = ["Chosen", "ablate", "asked_studies", "chosen_model", "learning_curve"]
