"""The `evaluate.card` section of params.yaml: what no figure can say about a model."""

from goodfit.registry import Section


class CardSection(Section):
    """What the model card says in words ("Model Cards for Model Reporting", Mitchell et al., 2019).

    Options:
        use: what the model is for, and who uses it.
        limits: what it must not be used for, and which rows the data do not represent.
        owner: whom to ask.
    """

    use: str = ""
    limits: str = ""
    owner: str = ""
