"""What goodfit is measured against: each fits on train rows and chooses by valid rows within a budget.

None of them sees a test row before it answers. A rival that chooses keeps the model that was best on the valid rows.
"""

import copy
import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

LEVELS = 255
SHARE_OF_ONE = 0.25
"""A search begins no trial when less time is left than this share of what its longest trial took."""
Rows = dict[str, Any]
"""By split: a frame of features, and the target as class numbers or standardised values."""
Model = Callable[[str], np.ndarray]
"""Predicts the rows of a split: [n, classes] probabilities, or [n] values."""


def loss_of(predictions: np.ndarray, target: np.ndarray) -> float:
    """Return the mean loss of predictions."""
    return float(losses(predictions, target).mean())


def losses(predictions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the loss of each row: the log loss of classes, the squared error of values."""
    if predictions.ndim == 1:
        return np.asarray((predictions - target) ** 2)
    chosen = predictions[np.arange(len(target)), target]
    return np.asarray(-np.log(np.clip(chosen, 1e-15, 1)))


def tuned(fit: Callable[[Any], Model], rows: Rows, budget: float, seed: int) -> Model:
    """Search by Optuna's default sampler until the budget is spent."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    best: list[tuple[float, Model]] = []
    longest, ends = [0.0], time.monotonic() + budget

    def objective(trial: Any) -> float:
        began = time.monotonic()
        model = fit(trial)
        found = loss_of(model("valid"), rows["valid"][1])
        if not best or found < best[0][0]:
            best[:] = [(found, model)]
        longest[0] = max(longest[0], time.monotonic() - began)
        if time.monotonic() + SHARE_OF_ONE * longest[0] > ends:
            trial.study.stop()
        return found

    optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed)).optimize(objective, timeout=budget)
    return best[0][1]


def boosted(rows: Rows, budget: float, seed: int) -> Model:
    """scikit-learn's histogram boosting, with early stopping on a part of its train rows.

    It takes at most 255 levels of a category: where there are more, they are numbers.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    train, target = rows["train"]
    many = [name for name in train.select_dtypes("category") if len(train[name].cat.categories) > LEVELS]
    cells = {
        split: frame.assign(**{name: frame[name].cat.codes for name in many}) for split, (frame, _) in rows.items()
    }
    values = target.dtype.kind == "f"
    kind = HistGradientBoostingRegressor if values else HistGradientBoostingClassifier

    def fit(trial: Any) -> Model:
        model = kind(
            learning_rate=trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            max_leaf_nodes=trial.suggest_int("max_leaf_nodes", 4, 128, log=True),
            min_samples_leaf=trial.suggest_int("min_samples_leaf", 2, 100, log=True),
            l2_regularization=trial.suggest_float("l2_regularization", 1e-6, 10.0, log=True),
            max_features=trial.suggest_float("max_features", 0.3, 1.0),
            max_iter=1000,
            early_stopping=True,
            categorical_features="from_dtype",
            random_state=seed,
        ).fit(cells["train"], target)
        said = model.predict if values else model.predict_proba
        return lambda split: said(cells[split])

    return tuned(fit, rows, budget, seed)


def lightgbm(rows: Rows, budget: float, seed: int) -> Model:
    """LightGBM, stopped early by the valid rows."""
    import lightgbm as gbm

    train, target = rows["train"]
    values = target.dtype.kind == "f"

    def fit(trial: Any) -> Model:
        model = (gbm.LGBMRegressor if values else gbm.LGBMClassifier)(
            n_estimators=4000,
            learning_rate=trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            num_leaves=trial.suggest_int("num_leaves", 4, 256, log=True),
            min_child_samples=trial.suggest_int("min_child_samples", 2, 100, log=True),
            reg_lambda=trial.suggest_float("reg_lambda", 1e-6, 10.0, log=True),
            colsample_bytree=trial.suggest_float("colsample_bytree", 0.3, 1.0),
            subsample=trial.suggest_float("subsample", 0.5, 1.0),
            subsample_freq=1,
            random_state=seed,
            verbose=-1,
        )
        judged = {"eval_X": rows["valid"][0], "eval_y": rows["valid"][1]}
        model.fit(train, target, **judged, callbacks=[gbm.early_stopping(50, verbose=False)])
        said = model.predict if values else model.predict_proba
        return lambda split: np.asarray(said(rows[split][0]))

    return tuned(fit, rows, budget, seed)


def catboost(rows: Rows, budget: float, seed: int) -> Model:
    """CatBoost with its own handling of categories, stopped early by the valid rows."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    texts = [name for name in rows["train"][0] if rows["train"][0][name].dtype == "category"]
    cells = {split: frame.assign(**as_text(frame[texts])) for split, (frame, _) in rows.items()}
    values = rows["train"][1].dtype.kind == "f"

    def fit(trial: Any) -> Model:
        model = (CatBoostRegressor if values else CatBoostClassifier)(
            iterations=2000,
            learning_rate=trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            depth=trial.suggest_int("depth", 3, 10),
            l2_leaf_reg=trial.suggest_float("l2_leaf_reg", 1.0, 30.0, log=True),
            random_strength=trial.suggest_float("random_strength", 0.01, 10.0, log=True),
            bagging_temperature=trial.suggest_float("bagging_temperature", 0.0, 1.0),
            cat_features=texts,
            early_stopping_rounds=50,
            random_seed=seed,
            allow_writing_files=False,
            verbose=False,
        )
        model.fit(cells["train"], rows["train"][1], eval_set=(cells["valid"], rows["valid"][1]))
        said = model.predict if values else model.predict_proba
        return lambda split: np.asarray(said(cells[split]))

    return tuned(fit, rows, budget, seed)


def plain_network(rows: Rows, budget: float, seed: int) -> Model:
    """A network as a tutorial builds it: three layers of 128, Adam, 100 epochs, nothing against overfitting."""
    ends = time.monotonic() + budget
    return network(rows, seed, ends, layers=3, width=128, rate=1e-3, decay=0.0, dropout=0.0, epochs=100, patience=100)


def tuned_network(rows: Rows, budget: float, seed: int) -> Model:
    """The network of the usual glue: size, rate, decay and dropout by Optuna, early stopping by the valid rows."""
    ends = time.monotonic() + budget

    def fit(trial: Any) -> Model:
        return network(
            rows,
            seed + trial.number,
            ends,
            layers=trial.suggest_int("layers", 1, 4),
            width=trial.suggest_int("width", 32, 512, log=True),
            rate=trial.suggest_float("rate", 1e-4, 1e-2, log=True),
            decay=trial.suggest_float("decay", 1e-6, 0.1, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            epochs=100,
            patience=10,
        )

    return tuned(fit, rows, budget, seed)


def network(
    rows: Rows,
    seed: int,
    ends: float,
    *,
    layers: int,
    width: int,
    rate: float,
    decay: float,
    dropout: float,
    epochs: int,
    patience: int,
) -> Model:
    """Train one network until its time `ends`; with patience below the epochs its best epoch answers, else its last."""
    import torch

    from goodfit.training import usual_batch

    torch.manual_seed(seed)
    x = {split: torch.from_numpy(_prepared(rows)[split]) for split in rows}
    y = {split: torch.from_numpy(rows[split][1].copy()) for split in rows}
    values = y["train"].is_floating_point()
    outputs = 1 if values else int(y["train"].max()) + 1
    sizes = [x["train"].shape[1], *[width] * layers]
    size = usual_batch(len(x["train"]))
    parts: list[torch.nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        parts += [torch.nn.Linear(before, after), torch.nn.ReLU(), torch.nn.Dropout(dropout)]
    net = torch.nn.Sequential(*parts, torch.nn.Linear(sizes[-1], outputs))
    rule = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=decay)
    shape = torch.optim.lr_scheduler.CosineAnnealingLR(rule, epochs)

    def loss(said: Any, right: Any) -> Any:
        if values:
            return torch.nn.functional.mse_loss(said[:, 0], right.float())
        return torch.nn.functional.cross_entropy(said, right)

    def said_of(split: str) -> np.ndarray:
        net.eval()
        with torch.inference_mode():
            said = net(x[split]).double()
        return np.asarray(said[:, 0] if values else said.softmax(1))

    def epoch() -> None:
        net.train()
        for batch in torch.randperm(len(x["train"])).split(size):
            rule.zero_grad()
            loss(net(x["train"][batch]), y["train"][batch]).backward()
            rule.step()
        shape.step()

    if patience >= epochs:
        for _ in range(epochs):
            epoch()
            if time.monotonic() > ends:
                break
    else:
        best_of(net, epoch, lambda: loss_of(said_of("valid"), rows["valid"][1]), epochs, patience, ends)
    return said_of


def best_of(
    net: Any, epoch: Callable[[], None], judged: Callable[[], float], epochs: int, patience: int, ends: float
) -> None:
    """Train until so many epochs have not helped, and go back to the best one."""
    best, waited, kept = float("inf"), 0, copy.deepcopy(net.state_dict())
    for _ in range(epochs):
        epoch()
        value = judged()
        waited = 0 if value < best else waited + 1
        if value < best:
            best, kept = value, copy.deepcopy(net.state_dict())
        if waited >= patience or time.monotonic() > ends:
            break
    net.load_state_dict(kept)


def _prepared(rows: Rows) -> dict[str, np.ndarray]:
    """Return standardised numbers and one-hot categories, as fitted on the train rows."""
    if "prepared" not in _CACHE or _CACHE["prepared"][0] is not rows:
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        train = rows["train"][0]
        numeric = list(train.select_dtypes("number"))
        texts = [name for name in train if name not in numeric]
        one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=100, sparse_output=False)
        columns = ColumnTransformer(
            [
                ("numeric", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
                ("text", make_pipeline(_AsText(), one_hot), texts),
            ]
        ).fit(train)
        made = {split: columns.transform(frame).astype(np.float32) for split, (frame, _) in rows.items()}
        _CACHE["prepared"] = (rows, made)
    found: dict[str, np.ndarray] = _CACHE["prepared"][1]
    return found


class _AsText:
    """Categories as text, a missing one as a level of its own."""

    def fit(self, frame: Any, target: Any = None) -> "_AsText":
        return self

    def transform(self, frame: Any) -> Any:
        return as_text(frame)


def as_text(frame: Any) -> Any:
    """Return categories as text, a missing one as a level of its own."""
    return frame.astype(object).where(frame.notna(), "missing").astype(str)


_CACHE: dict[str, Any] = {}
RIVALS: dict[str, Callable[[Rows, float, int], Model]] = {
    "plain network": plain_network,
    "tuned network": tuned_network,
    "sklearn boosting": boosted,
    "lightgbm": lightgbm,
    "catboost": catboost,
}
