"""How often to retrain: the past is lived through again, and a model's age is read against what it costs."""

from goodfit.backtesting.history import Lived, live_through, periods_of
from goodfit.backtesting.policies import Advice, advise

__all__ = ["Advice", "Lived", "advise", "live_through", "periods_of"]
