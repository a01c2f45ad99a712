import pytest

from goodfit.errors import ConfigurationError, Fault, GoodfitError, Interrupted, printable, shorten, suggestion


def test_a_fault_reads_as_place_rule_value_and_way_out() -> None:
    assert str(Fault("file", "is wrong", 3, "Mend it.")) == "file: is wrong (it is 3). Mend it."
    assert str(Fault("file", "is wrong")) == "file: is wrong."


def test_control_characters_cannot_forge_a_line() -> None:
    assert "\n" not in str(Fault("a\nb", "c\x1b]d", "e\nf"))
    assert printable("a\x1bb\n") == "a\\x1bb\\n"


def test_long_values_are_cut() -> None:
    assert len(shorten("x" * 10_000)) == 80
    assert shorten([1, 2]) == "[1, 2]"


def test_a_suggestion_needs_something_close() -> None:
    assert suggestion("epcohs", ["epochs", "lr"]) == "Did you mean 'epochs'? Known: epochs, lr."
    assert suggestion("zzz", ["epochs"]) == "Known: epochs."


def test_an_interruption_is_no_exception() -> None:
    assert not issubclass(Interrupted, Exception)
    assert Interrupted(15).exit_code == 143


def test_every_error_has_its_own_exit_code() -> None:
    codes = [cls.exit_code for cls in GoodfitError.__subclasses__() if cls.__module__ == "goodfit.errors"]
    assert sorted(codes) == [2, 3, 4, 5, 6]
    assert str(ConfigurationError([Fault("a", "b"), Fault("c", "d")])) == "a: b.\nc: d."
    with pytest.raises(GoodfitError, match="plain"):
        raise ConfigurationError("plain")
