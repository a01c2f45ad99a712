"""A transformer over the columns of a row."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from goodfit.errors import Fault
from goodfit.models.base import MODELS, HiddenBlocks, Inputs
from goodfit.models.encoding import EncodedModel
from goodfit.models.initialization import initialize_branch, initialize_hidden, initialize_output
from goodfit.models.layers import LayerNorm, Linear, Residual
from goodfit.models.numeric_embeddings import AS_TOKENS, NUMERIC_EMBEDDINGS, LinearEmbedding
from goodfit.registry import Section

NEVER = -1
"""Levels up to which a categorical column would be one-hot: each is a token instead."""


@MODELS.register("ft_transformer", vectorizes=True, hidden_layers=True)
class FTTransformer(EncodedModel):
    """Each column becomes a token, and layers of attention let the tokens look at each other.

    The FT-Transformer of "Revisiting Deep Learning Models for Tabular Data" (Gorishniy et al., NeurIPS 2021,
    arXiv:2106.11959, section 3.3): feature tokenizer, a token of its own for the answer, layers of attention and of a
    gated feed-forward network (ReGLU), normalised before each but the first. Its cost grows with the square of the
    number of columns. What regularizers put around hidden layers is put into the feed-forward networks; `shake_shake`,
    `shake_drop` and `stochastic_depth` act on every branch, through `skip_connections`, which by itself adds nothing.

    Options:
        layers: of attention, each with a feed-forward network behind it.
        width: numbers per token; a multiple of `heads`.
        heads: of attention.
        expansion: neurons inside a feed-forward network, as a multiple of `width`, rounded down.
        numeric_embeddings: what makes a token of a number.
    """

    stacks = True

    def __init__(
        self,
        inputs: Inputs,
        outputs: int,
        blocks: HiddenBlocks,
        *,
        layers: Annotated[int, Field(ge=1, le=64)] = 2,
        width: Annotated[int, Field(ge=1, le=4096)] = 64,
        heads: Annotated[int, Field(ge=1, le=256)] = 4,
        expansion: Annotated[float, Field(ge=0.5, le=16)] = 1.5,
        numeric_embeddings: NUMERIC_EMBEDDINGS.section() = AS_TOKENS,  # type: ignore[valid-type]
    ) -> None:
        numbers = numeric_embeddings.model_copy(update={"width": width})
        super().__init__(inputs, max_one_hot=NEVER, embedding=width, numeric_embeddings=numbers)
        plain = len(self.encoding.plain_columns) if self.encoding.numbers is not None else inputs.numeric
        self.flags = LinearEmbedding(plain, width=width) if plain else None
        self.answer = nn.Parameter(torch.randn(width) * width**-0.5)
        self.tokens = 1 + inputs.numeric + len(inputs.cardinalities)
        self._embedded = (inputs.numeric - plain) * width
        layer = _Layers(self.tokens, width, heads, int(width * expansion), layers, blocks)
        self.body = nn.Sequential(*layer.every())
        last = Linear(width, outputs)
        initialize_output(last)
        self.head = nn.Sequential(LayerNorm(width), nn.ReLU(), last)

    @staticmethod
    def check_options(options: Section) -> Iterable[Fault]:
        """Return what cannot be: heads of unequal width, numbers that are no tokens or tokens of another width."""
        chosen = options.model_dump()
        numbers, width = chosen["numeric_embeddings"], chosen["width"]
        if width % chosen["heads"]:
            yield Fault("heads", f"do not divide the width {width}", chosen["heads"], "Take a divisor of model.width.")
        if numbers["kind"] == "none":
            rule = "make each number a token, and kind none makes it none"
            yield Fault("numeric_embeddings", rule, None, "Take linear, piecewise_linear or periodic.")
        elif numbers["width"] not in (None, width):
            rule = f"make tokens, which have the width of all of them, {width}"
            yield Fault("numeric_embeddings", rule, numbers["width"], "Leave its width out; set model.width.")

    @staticmethod
    def hidden_widths(options: Section) -> Sequence[int]:
        """Return the number of neurons inside each feed-forward network, both halves of the gate."""
        chosen = options.model_dump()
        return [2 * int(chosen["width"] * chosen["expansion"])] * (chosen["layers"] + 1)

    @property
    def widest(self) -> int:
        """Return the most numbers per row in any layer: all tokens go through each."""
        return max(self.encoding.widest, self.tokens * super().widest)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] and [n, categorical], raw or prepared, to [n, outputs] logits."""
        rows = self._tokenized(self.encoding(numeric, categorical))
        answer: Tensor = self.body(rows)[..., : self.answer.shape[-1]]
        logits: Tensor = self.head(answer)
        return logits

    def _tokenized(self, encoded: Tensor) -> Tensor:
        """Return [n, tokens x width], the answer's token first."""
        flags = encoded.shape[-1] - self._embedded - self._coded
        numbers, plain, codes = torch.split(encoded, [self._embedded, flags, self._coded], dim=-1)
        parts = [numbers, *([] if self.flags is None else [self.flags(plain).flatten(start_dim=-2)]), codes]
        answer = self.answer.unsqueeze(-2)  # of a stack [k, 1, width], even where no other token differs in it
        shape = *max((part.shape[:-2] for part in (answer, *parts)), key=len), encoded.shape[-2]
        return torch.cat([part.expand(*shape, -1) for part in (answer, *parts)], dim=-1)

    @property
    def _coded(self) -> int:
        return self.encoding.embedding * self.encoding.categorical


class _Layers:
    """What the layers of a transformer are made of; all take and give rows [n, tokens x width]."""

    def __init__(self, tokens: int, width: int, heads: int, hidden: int, count: int, blocks: HiddenBlocks) -> None:
        self.tokens, self.width, self.heads, self.hidden = tokens, width, heads, hidden
        self.count, self.blocks = count, blocks

    def every(self) -> list[nn.Module]:
        """Return the modules of all layers."""
        makers: list[Callable[[int], nn.Module]] = [self._attention, self._feed_forward]
        branches = [partial(make, index) for index in range(self.count) for make in makers]
        return [module for place, branch in enumerate(branches) for module in self._added(place, branch)]

    def _added(self, place: int, branch: Callable[[], nn.Module]) -> list[nn.Module]:
        """Return a branch with the path around it: that of regularizers where they have one, to act on it."""
        if self.blocks.shortcuts:
            row = self.tokens * self.width
            return self.blocks.hidden_layer(place + 1, 2 * self.count + 1, row, row, lambda: [branch()])
        return [Residual(branch())]

    def _attention(self, index: int) -> nn.Module:
        looking = _Attention(self.tokens, self.width, self.heads)
        initialize_branch(looking.out, None, 2 * self.count)
        return _OfTokens(nn.Sequential(LayerNorm(self.width), looking) if index else looking, self.width)

    def _feed_forward(self, index: int) -> nn.Module:
        into = Linear(self.width, 2 * self.hidden, bias=not self.blocks.recentres)
        out = Linear(self.hidden, self.width)
        initialize_hidden(into)
        initialize_branch(out, "relu", 2 * self.count)
        body = nn.Sequential(
            LayerNorm(self.width),
            self.blocks.linear_map(into),
            *self.blocks.before_activation(index, self.count, 2 * self.hidden),
            _Gate(),
            *self.blocks.after_activation(index, self.count, self.hidden),
            self.blocks.linear_map(out),
        )
        return _OfTokens(body, self.width)


class _OfTokens(nn.Module):
    """Let modules for rows [n, width] see each token as a row.

    Args:
        body: the modules.
        width: of a token.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, body: nn.Module, width: int) -> None:
        super().__init__()
        self.body = body
        self.width = width

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, tokens x width]; of a stack [k, n, tokens x width]."""
        found: Tensor = self.body(values.reshape(*values.shape[:-2], -1, self.width))
        return found.reshape(values.shape)


class _Gate(nn.Module):
    """One half of the neurons, times the other half through a ReLU."""

    stacks: ClassVar[bool] = True

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width] from [n, 2 x width]."""
        passed, gate = values.chunk(2, dim=-1)
        return passed * functional.relu(gate)


class _Attention(nn.Module):
    """The tokens of a row look at each other, in several heads.

    "Attention Is All You Need" (Vaswani et al., NeurIPS 2017, arXiv:1706.03762, equation 1). Written out: with as few
    tokens as columns a fused kernel gains nothing, and it has no rule for `torch.func.vmap`.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, tokens: int, width: int, heads: int) -> None:
        super().__init__()
        self.tokens, self.heads = tokens, heads
        self.into = Linear(width, 3 * width)
        self.out = Linear(width, width)
        initialize_hidden(self.into)

    def forward(self, values: Tensor) -> Tensor:
        """Return [n x tokens, width]; of a stack [k, n x tokens, width]."""
        asked, offered, said = self._by_head(self.into(values))
        scores = asked @ offered.mT * asked.shape[-1] ** -0.5
        heard = (scores.softmax(dim=-1) @ said).transpose(-3, -2)
        result: Tensor = self.out(heard.reshape(values.shape))
        return result

    def _by_head(self, values: Tensor) -> Iterable[Tensor]:
        """Return queries, keys and values [n, heads, tokens, width / heads]."""
        parts = values.reshape(-1, self.tokens, 3, self.heads, values.shape[-1] // (3 * self.heads))
        return parts.permute(2, 0, 3, 1, 4)
