"""What is learned: outputs, loss and prediction of each learning problem."""

from goodfit.tasks.base import TASKS, Task, task_named
from goodfit.tasks.binary import Binary
from goodfit.tasks.multiclass import Multiclass
from goodfit.tasks.regression import Regression

__all__ = ["TASKS", "Binary", "Multiclass", "Regression", "Task", "task_named"]
