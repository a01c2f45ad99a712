"""Groups P1 to P32 of the fault plan as far as they concern reading the file; ranges belong to each section's tests."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import parse_yaml
from hypothesis import given
from hypothesis import strategies as st

from goodfit.errors import ConfigurationError
from goodfit.params import MAX_BYTES, InsidePath, Seed, dotted, load_params, overlay, read_yaml
from goodfit.registry import Section


class Tracking(Section):
    experiment: str = "x"


class Params(Section):
    seed: Seed = 0
    tracking: Tracking = Tracking()


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "params.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


AMBIGUOUS = [
    "1e-3",
    "1E5",
    "no",
    "off",
    "Yes",
    "010",
    "0o10",
    "1:30",
    "NaN",
    ".nan",
    ".inf",
    "2024-01-02",
    "1.10",
    "~",
    "0x1F",
]


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_values_are_read_as_dvc_reads_them(tmp_path: Path, text: str) -> None:
    ours = read_yaml(written(tmp_path, f"v: {text}"))["v"]
    theirs = parse_yaml(f"v: {text}", "params.yaml")["v"]
    assert type(ours) is type(theirs)
    assert repr(ours) == repr(theirs)


def test_pyyaml_would_have_read_eight_of_them_otherwise() -> None:
    differing = [
        text for text in AMBIGUOUS if repr(yaml.safe_load(f"v: {text}")) != repr(parse_yaml(f"v: {text}", "p"))
    ]
    assert len(differing) >= 7, differing


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("- 1\n- 2\n", "is a list"),
        ("just text\n", "is a str"),
        ("seed: 1\nseed: 2\n", 'duplicate key "seed"'),
        ("seed:\n\t- 1\n", "not valid YAML"),
        ("seed: \x01\n", "not valid YAML"),
        ("seed: 1\n---\nseed: 2\n", "not valid YAML"),
        ("seed: !!python/object/apply:os.system ['true']\n", "not valid YAML"),
        ("seed: [1\n", "not valid YAML"),
        ("seed: 1".encode("utf-16"), "is not UTF-8"),
        (b"seed: '\xff'", "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match="params.yaml") as caught:
        read_yaml(written(tmp_path, content))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfseed: 7\n", b"seed: 7\r\n"])
def test_a_byte_order_mark_and_carriage_returns_are_accepted(tmp_path: Path, content: bytes) -> None:
    assert read_yaml(written(tmp_path, content)) == {"seed": 7}


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    with pytest.raises(ConfigurationError, match="unfolds to more than"):
        read_yaml(written(tmp_path, "\n".join(lines)))


def test_an_endless_alias_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unfolds to more than"):
        read_yaml(written(tmp_path, "a: &a [1, *a]"))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    with path.open("wb") as stream:
        stream.truncate(200 * MAX_BYTES)
    with pytest.raises(ConfigurationError, match="larger than 1,000,000 bytes"):
        read_yaml(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "params.yaml")


@pytest.mark.parametrize("seed", ["-1", "4294967296", "abc", "true", "1.5", ".nan", "100000000000000000000000"])
def test_a_wrong_seed_is_refused(tmp_path: Path, seed: str) -> None:
    with pytest.raises(ConfigurationError, match="params.yaml: seed"):
        load_params(written(tmp_path, f"seed: {seed}\n"), Params)


def test_an_unknown_section_is_refused_by_every_stage(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"params.yaml: trainning: unknown section. Did you mean 'training'\?"):
        load_params(written(tmp_path, "seed: 1\ntrainning: {}\n"), Params)


def test_sections_of_other_stages_are_left_alone(tmp_path: Path) -> None:
    assert load_params(written(tmp_path, "seed: 1\nmodel: {kind: whatever}\n"), Params).seed == 1


def test_overrides_are_checked_like_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "seed: 1\n")
    assert load_params(path, Params, {"tracking.experiment": "y"}).tracking.experiment == "y"
    with pytest.raises(ConfigurationError, match="tracking.experimnt: unknown option. Did you mean 'experiment'"):
        load_params(path, Params, {"tracking.experimnt": "y"})


trees: st.SearchStrategy[Any] = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.text("abc", min_size=1), inner, min_size=1), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


@given(trees)
def test_dotted_and_overlay_are_inverse(tree: dict[str, Any]) -> None:
    assert overlay({}, dotted(tree)) == tree


@given(trees, trees)
def test_overlay_changes_neither_argument(tree: dict[str, Any], other: dict[str, Any]) -> None:
    before = repr(tree)
    overlay(tree, dotted(other))
    assert repr(tree) == before


class Place(Section):
    path: InsidePath


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "~/x", "a/../../b", "a\\0b".replace("\\0", "\0")])
def test_a_path_out_of_the_project_is_refused(path: str) -> None:
    from goodfit.params import check

    with pytest.raises(ConfigurationError, match="params.yaml: path"):
        check({"path": path}, Place, "params.yaml")


@pytest.mark.parametrize("path", ["input/rows.csv", "s3://bucket/rows.csv", "file:///srv/rows.csv", "input/a..b.csv"])
def test_a_path_inside_and_a_url_are_accepted(path: str) -> None:
    assert Place(path=path).path == path
