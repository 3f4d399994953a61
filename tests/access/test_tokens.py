"""Access tokens against the known ways to forge one. Forgeries are written by hand, byte by byte."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.credentials import DAY_US, Authenticator, Part, new_key, rotated, sub_key
from geoshare.access.credentials.tokens import LIFE_S, MAX_LENGTH, NAME, AccessTokens
from geoshare.errors import Unauthenticated
from geoshare.model.clock import RandomIds
from geoshare.store.governance import ApiKey
from tests.clocks import SetClock

PEPPER, ISSUER = b"p" * 32, "https://map.example.jp"
DAY_S = 86_400


class World:
    """A key, and the tokens of it."""

    def __init__(self) -> None:
        self.clock, self.keys, self.secrets = SetClock(1_767_268_800_000_000), {}, {}
        self.stored, self.text = self.make()
        self.authenticator = Authenticator(
            self, PEPPER, self.clock, lambda organisation, tiers: (tiers or (), "operator")
        )
        self.tokens = self.worker()

    def make(self) -> tuple[ApiKey, str]:
        key, text = new_key("org", ("a",), days=30, pepper=PEPPER, clock=self.clock, ids=RandomIds())
        self.keys[key.id] = key
        return key, text

    def key(self, key_id: str) -> ApiKey | None:
        return self.keys.get(key_id)

    def worker(self, issuer: str = ISSUER) -> AccessTokens:
        return AccessTokens(
            self.authenticator, issuer, self.secret, self.forget, self.clock, RandomIds()
        )

    def secret(self, name: str) -> bytes:
        return self.secrets.setdefault(
            name, hashlib.sha256(f"{name}{len(self.secrets)}".encode()).digest()
        )

    def forget(self, prefix: str, keep) -> None:
        for name in [name for name in self.secrets if name.startswith(prefix) and name not in keep]:
            del self.secrets[name]

    def issue(self, scope=None) -> str:
        return self.tokens.issue(self.authenticator.authenticate(self.text), scope).text

    def signing_key(self) -> bytes:
        return self.secrets[f"{NAME}{self.clock.us // DAY_US}"]

    def refused(self, text: str) -> bool:
        try:
            self.tokens.open(text)
        except Unauthenticated as error:
            return str(error) == "The credential is not valid."
        return False


@pytest.fixture
def world() -> World:
    return World()


def b64(raw: bytes | str) -> str:
    raw = raw.encode() if isinstance(raw, str) else raw
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts(text: str) -> tuple[dict, dict]:
    header, payload, _ = text.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload))


def signed(header: dict | str, claims: dict | str, key: bytes, digest=hashlib.sha256) -> str:
    said = [b64(item if isinstance(item, str) else json.dumps(item)) for item in (header, claims)]
    return ".".join([*said, b64(hmac.digest(key, ".".join(said).encode(), digest))])


def resigned(world: World, text: str, claims: dict | str) -> str:
    """Other claims under the header and the key of this server: what a forger does not have."""
    head = text.split(".")[0]
    said = b64(claims if isinstance(claims, str) else json.dumps(claims))
    mac = hmac.digest(world.signing_key(), f"{head}.{said}".encode(), hashlib.sha256)
    return f"{head}.{said}.{b64(mac)}"


def test_a_token_speaks_for_its_key_for_ten_minutes_and_no_longer(world):
    text = world.issue()
    header, claims = parts(text)
    assert (header["alg"], header["typ"]) == ("HS256", "at+jwt")
    assert claims["iss"] == claims["aud"] == ISSUER
    assert claims["sub"] == claims["client_id"] == world.stored.id
    assert claims["exp"] - claims["iat"] == LIFE_S <= 600
    who = world.tokens.open(text)
    assert (who.organisation, who.tiers, who.key_id, who.via) == (
        "org",
        ("a",),
        world.stored.id,
        "token",
    )
    assert who.whole
    world.clock.us += LIFE_S * 1_000_000 - 1
    assert not world.refused(text)
    world.clock.us += 1
    assert world.refused(text)


def test_a_scope_narrows_and_gives_no_role(world):
    who = world.tokens.open(world.issue(("lanes", "segments")))
    assert (who.scope, who.role, who.whole) == (("lanes", "segments"), "consumer", False)


def test_every_worker_checks_what_another_has_signed_without_reading_more_than_the_key(world):
    text, reads = world.issue(), []
    other = world.worker()
    other.open(text)
    other._secret = lambda name: reads.append(name)
    assert other.open(text).key_id == world.stored.id
    assert not reads


def test_a_token_ends_with_its_key_within_a_second(world):
    text = world.issue()
    assert not world.refused(text)
    world.keys[world.stored.id] = replace(world.stored, revoked_us=world.clock.us)
    world.clock.us += 1_000_000
    assert world.refused(text)
    world.keys[world.stored.id] = replace(world.stored, expires_us=world.clock.us)
    world.clock.us += 1_000_000
    assert world.refused(text)
    del world.keys[world.stored.id]
    world.clock.us += 1_000_000
    assert world.refused(text)


def test_a_token_ends_with_the_maker_of_its_key(world):
    child, made = sub_key(
        world.stored, Part(), label="", days=1, pepper=PEPPER, clock=world.clock, ids=RandomIds()
    )
    world.keys[child.id] = child
    text = world.tokens.issue(world.authenticator.authenticate(made), None).text
    assert world.tokens.open(text).above.key_id == world.stored.id
    world.keys[world.stored.id] = replace(world.stored, revoked_us=world.clock.us)
    world.clock.us += 1_000_000
    assert world.refused(text)


@pytest.mark.parametrize("overlap_s", [0, 60])
def test_a_token_ends_with_its_secret_when_the_overlap_does(world, overlap_s):
    before = world.issue()
    after, text = rotated(
        world.stored, overlap_us=overlap_s * 1_000_000, days=None, pepper=PEPPER, clock=world.clock
    )
    world.keys[after.id] = after
    world.authenticator.forget()
    old, world.text = world.text, text
    new = world.issue()
    assert world.refused(before) == (overlap_s == 0)
    if overlap_s:  # who still uses the old secret gets tokens that end with it
        late = world.tokens.issue(world.authenticator.authenticate(old), None).text
        world.clock.us += overlap_s * 1_000_000
        assert world.refused(late)
    assert world.refused(before)
    assert not world.refused(new)


def test_signing_keys_change_each_day_and_old_ones_are_forgotten(world):
    text = world.issue()
    world.clock.us += DAY_US // 2 - 1_000_000
    late = world.issue()
    world.clock.us += 2_000_000  # a new day: what was signed a moment ago is still good
    assert not world.refused(late)
    assert parts(world.issue())[0]["kid"] != parts(text)[0]["kid"]
    world.clock.us += DAY_US
    world.issue()
    assert len(world.secrets) == 2
    world.clock.us -= 2 * DAY_US
    world.tokens.open(world.issue())


def test_no_header_but_the_servers_own_is_taken_whatever_the_signature(world):
    header, claims = parts(world.issue())
    key = world.signing_key()
    wrong = [
        {**header, "alg": "none"},
        {**header, "alg": "NONE"},
        {**header, "alg": "HS512"},
        {**header, "alg": "RS256"},
        {**header, "typ": "JWT"},
        {name: value for name, value in header.items() if name != "typ"},
        {name: value for name, value in header.items() if name != "kid"},
        {**header, "kid": ""},
        {**header, "kid": "../../../../dev/null"},
        {**header, "kid": "1' UNION SELECT 'x"},
        {**header, "kid": str(int(header["kid"]) + 1)},
        {**header, "kid": [header["kid"]]},
        {**header, "crit": ["exp"]},
        {**header, "crit": []},
        {**header, "b64": False, "crit": ["b64"]},
        {**header, "b64": True},
        {**header, "zip": "DEF"},
        {**header, "jku": "https://evil.example/keys"},
        {**header, "x5u": "https://evil.example/cert"},
        {**header, "x5c": ["MIIB"]},
        {**header, "jwk": {"kty": "oct", "k": b64(key)}},
        {**header, "cty": "JWT"},
    ]
    for said in wrong:
        assert world.refused(signed(said, claims, key)), said
    twice = json.dumps(header)[:-1] + f', "alg": "{header["alg"]}"' + "}"
    assert world.refused(signed(twice, claims, key))
    assert not world.refused(signed(json.dumps(header, separators=(",", ":")), claims, key))


def test_a_key_that_the_token_brings_along_is_not_used(world):
    header, claims = parts(world.issue())
    own = b"k" * 32
    brought = {**header, "jwk": {"kty": "oct", "k": b64(own)}}
    assert world.refused(signed(brought, claims, own))
    assert world.refused(signed(header, claims, own))
    assert world.refused(signed(json.dumps(header, separators=(",", ":")), claims, own))


def test_no_public_key_serves_as_a_secret_and_no_signature_of_another_kind_is_taken(world):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header, claims = parts(world.issue())
    compact = json.dumps(header, separators=(",", ":"))
    assert world.refused(signed(compact, claims, public))
    for alg in ("RS256", header["alg"]):
        head = json.dumps({**header, "alg": alg}, separators=(",", ":"))
        said = f"{b64(head)}.{b64(json.dumps(claims))}"
        mark = private.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256())
        assert world.refused(f"{said}.{b64(mark)}")


def test_no_signature_is_no_signature(world):
    head, payload, mark = world.issue().split(".")
    for text in (
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{head}..{mark}",
        f"..{mark}",
        f"{head}.{payload}.{mark}.",
        f"{head}.{payload}.{mark}.{mark}.{mark}",
        f"{b64(json.dumps({'alg': 'none'}))}.{payload}.",
        f"{head}.{payload}.{mark[:-2]}",
        f"{head}.{payload}.{mark}==",
        f" {head}.{payload}.{mark}",
        f"{head}.{payload}.{mark}\n",
        ".",
        "..",
    ):
        assert world.refused(text), text


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example"},
        {"aud": "https://other.example"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": [ISSUER]},
        {"aud": ""},
        {"iss": None},
        {"sub": "0000000000000000"},
        {"client_id": "other"},
        {"exp": "9999999999"},
        {"exp": 9_999_999_999},
        {"exp": float("inf")},
        {"exp": True},
        {"iat": 9_999_999_999},
        {"iat": -1},
        {"nbf": 9_999_999_999},
        {"secret": "0" * 32},
        {"secret": ""},
        {"scope": ["lanes"]},
        {"scope": ""},
        {"scope": " "},
        {"role": "operator"},
        {"jti": 1},
    ],
)
def test_claims_that_this_server_would_not_have_made_are_refused_though_signed(world, change):
    text = world.issue()
    claims = parts(text)[1]
    found = resigned(world, text, {**claims, **change})
    if "scope" in change and isinstance(change["scope"], str):
        assert set(world.tokens.open(found).scope) == {""}  # which names no collection
    else:
        assert world.refused(found), change
    for name in claims:
        without = {key: value for key, value in claims.items() if key != name}
        assert world.refused(resigned(world, text, without)), name
    assert not world.refused(resigned(world, text, claims))


def test_members_named_twice_and_what_is_no_object_are_refused_though_signed(world):
    text = world.issue()
    claims = json.dumps(parts(text)[1])
    assert world.refused(resigned(world, text, claims[:-1] + ', "exp": 9999999999}'))
    for other in ("[]", "1", "null", '"x"', "", "{", "NaN"):
        assert world.refused(resigned(world, text, other)), other


def test_a_token_of_another_server_is_refused(world):
    other = World()
    other.tokens = other.worker("https://other.example")
    other.keys, other.secrets = world.keys, world.secrets
    foreign = other.tokens.issue(world.authenticator.authenticate(world.text), None).text
    assert world.refused(foreign)


def test_no_token_is_longer_than_what_is_read(world):
    text = world.issue()
    claims = parts(text)[1]
    large = resigned(world, text, {**claims, "scope": "x" * MAX_LENGTH})
    assert world.refused(large)
    assert world.refused("." * 5_000_000)
    assert not world.refused(world.issue(tuple(f"collection_{n}" for n in range(100))))


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_no_letter_of_a_token_can_be_changed(data):
    world = World()
    text = world.issue()
    at = data.draw(st.integers(0, len(text) - 2))  # bits of the last letter may mean nothing
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    altered = text[:at] + letter + text[at + 1 :]
    assert world.refused(altered) == (altered != text)
    assert world.refused(text[:at])


@given(st.text(max_size=300))
@settings(max_examples=50, deadline=None)
def test_any_text_is_refused_in_the_same_words(text):
    assert World().refused(f"{text}.{text}.{text}")
