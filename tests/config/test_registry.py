from typing import Annotated, Literal

import pytest
from pydantic import Field

from goodfit.errors import ConfigurationError
from goodfit.params import check, dotted
from goodfit.registry import Registry, Section, option_names

SHAPES: Registry[object] = Registry("shape")


@SHAPES.register("circle", corners=0)
class Circle:
    """A circle.

    Options:
        radius: its radius.
    """

    def __init__(self, colour: str, *, radius: Annotated[float, Field(gt=0)] = 1.0) -> None:
        self.colour, self.radius = colour, radius


@SHAPES.register("polygon", corners=None)
class Polygon:
    """A polygon.

    Options:
        corners: how many.
        style: of the line.
        closed: whether the last corner meets the first.
        sides: lengths.
    """

    def __init__(
        self,
        colour: str,
        *,
        corners: Annotated[int, Field(ge=3)],
        style: Literal["solid", "dashed"] = "solid",
        closed: bool = True,
        sides: list[float] = [],  # noqa: B006
    ) -> None:
        self.colour, self.corners, self.style = colour, corners, style


class Drawing(Section):
    shape: SHAPES.section()  # type: ignore[valid-type]
    scale: float | None = None


def faults(tree: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        check(tree, Drawing, "params.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_build_takes_runtime_values_and_checked_options() -> None:
    drawing = check({"shape": {"kind": "circle", "radius": 2}}, Drawing, "params.yaml")
    circle = SHAPES.build(drawing.shape, "red")
    assert isinstance(circle, Circle)
    assert (circle.colour, circle.radius) == ("red", 2.0)


def test_defaults_are_resolved() -> None:
    drawing = check({"shape": {"kind": "polygon", "corners": 4}}, Drawing, "params.yaml")
    assert dotted(drawing)["shape.style"] == "solid"
    assert dotted(drawing)["scale"] is None


def test_every_fault_is_listed_at_once_with_place_value_and_way_out() -> None:
    found = faults({"shape": {"kind": "polygon", "corners": 2, "style": "dasehd", "cornrs": 1}, "scael": 1})
    assert found == [
        "params.yaml: shape.corners: should be greater than or equal to 3 (it is 2).",
        "params.yaml: shape.style: should be 'solid' or 'dashed' (it is 'dasehd').",
        "params.yaml: shape.cornrs: unknown option. Did you mean 'corners'? "
        "Known: closed, corners, kind, sides, style.",
        "params.yaml: scael: unknown option. Did you mean 'scale'? Known: scale, shape.",
    ]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"kind": "cirlce"}, "Did you mean 'circle'? Known: circle, polygon."),
        ({}, "shape.kind: is missing"),
        ({"kind": 3}, "unknown kind"),
        ({"kind": "polygon"}, "shape.corners: is missing"),
        ({"kind": "polygon", "corners": True}, "needs a number, not a truth value"),
        ({"kind": "polygon", "corners": "3"}, "needs a number, not text"),
        ({"kind": "polygon", "corners": 3.0}, "needs a whole number"),
        ({"kind": "polygon", "corners": 3, "closed": "no"}, "needs true or false, not text"),
        ({"kind": "polygon", "corners": 3, "closed": 1}, "needs true or false"),
        ({"kind": "polygon", "corners": 3, "sides": ["1e-3"]}, "needs a number, not text"),
        ({"kind": "circle", "radius": float("nan")}, "should be"),
        ({"kind": "circle", "radius": float("inf")}, "finite number"),
        ({"kind": "circle", "radius": [1]}, "valid number"),
    ],
)
def test_a_wrong_value_is_refused_and_never_converted(shape: dict[str, object], message: str) -> None:
    assert message in "\n".join(faults({"shape": shape}))


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'circle' is registered twice"):
        SHAPES.register("circle")(Circle)


def test_the_registry_lists_its_members() -> None:
    assert list(SHAPES) == ["circle", "polygon"]
    assert len(SHAPES) == 2
    assert "circle" in SHAPES
    assert SHAPES["circle"].facts == {"corners": 0}
    assert option_names(Circle) == ["radius"]
