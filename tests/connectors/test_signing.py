"""P18, P19: what a signature check accepts, in tables."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from connectors.signing import Secret, Secrets, base64_matches, hex_matches, keys, same

BODY = b'{"object":"whatsapp_business_account","entry":[]}'
SPACED = b'{"object": "whatsapp_business_account", "entry": []}'
GOOD = "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
LIVE = (b"test_app_secret",)


def test_the_known_vectors_of_meta() -> None:
    """The two vectors of sheet A1: a re-encoded body has another signature."""
    assert hex_matches(GOOD, BODY, LIVE)
    assert hex_matches("56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a", SPACED, LIVE)
    assert not hex_matches(GOOD, SPACED, LIVE)


@pytest.mark.parametrize(
    "given",
    [None, "", GOOD.upper(), GOOD[:-1], GOOD + "0", "0" * 64, "sha256=" + GOOD, GOOD[:-1] + "g", GOOD[:-1] + "é",
     GOOD[:-1] + "٣", "\ud800" * 64, " " + GOOD[1:]],
)  # fmt: skip
def test_anything_but_the_signature_fails(given: str | None) -> None:
    """Upper case, truncated, longer, prefixed, foreign digits, half surrogates."""
    assert not hex_matches(given, BODY, LIVE)
    assert not base64_matches(given, BODY, LIVE)


def test_an_empty_or_missing_secret_proves_nothing() -> None:
    """T18: the HMAC under an empty key is a valid HMAC; it must not open the door."""
    empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert not hex_matches(empty, BODY, (b"",))
    assert not hex_matches(empty, BODY, ())
    assert not same("", [b""])
    for wrong in ([], [SecretStr("")], [SecretStr("a"), SecretStr("")]):
        with pytest.raises(ValueError, match="secret"):
            keys(wrong)


def test_several_secrets_live_at_once() -> None:
    """P19: old and new prove while one is replaced; a stranger's does not."""
    assert hex_matches(GOOD, BODY, (b"new", b"test_app_secret"))
    assert hex_matches(GOOD, BODY, (b"test_app_secret", b"old"))
    assert not hex_matches(GOOD, BODY, (b"new", b"old"))


class Model(BaseModel):
    """Settings with secrets."""

    one: Secret
    many: Secrets


@pytest.mark.parametrize("mask", ["********", "••••••••", "xxxxxxxx", "", "   ", "*"])
def test_a_mask_is_no_secret(mask: str) -> None:
    """T32: an editor that shows ******** and saves it back is told so."""
    with pytest.raises(ValidationError, match=r"mask|empty"):
        Model.model_validate({"one": mask, "many": ["real"]})
    with pytest.raises(ValidationError, match=r"mask|empty"):
        Model.model_validate({"one": "real", "many": ["real", mask]})


def test_no_secret_list_is_empty_and_none_is_shown() -> None:
    """P19: a channel without secret does not start; repr hides what there is."""
    with pytest.raises(ValidationError, match="many"):
        Model.model_validate({"one": "real", "many": []})
    assert "hidden-value" not in repr(Model.model_validate({"one": "hidden-value", "many": ["hidden-value"]}))
