"""The identity provider's file: what it has to say, where the secret comes from, what is refused."""

import httpx
import pytest

from workbench.decisions.provider import SECRET, read_provider
from workbench.errors import AccessError, ParameterError

LOGIN = "https://login.firm.example"
GOOD = f"issuer: {LOGIN}\nclient_id: desk\ndesk: https://desk.firm.example\n"
ADDRESSES = {
    "issuer": LOGIN,
    "authorization_endpoint": f"{LOGIN}/a",
    "token_endpoint": f"{LOGIN}/t",
    "jwks_uri": f"{LOGIN}/k",
}


def answering(status=200, **changed):
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, json=ADDRESSES | changed)))


def read(tmp_path, text=GOOD, http=None, environment=None):
    path = tmp_path / "provider.yml"
    path.write_text(text, "utf-8")
    return read_provider(path, {SECRET: "hush hush"} if environment is None else environment, http or answering())


def test_a_file_and_a_secret_make_a_provider(tmp_path):
    provider = read(tmp_path)
    assert provider.redirect_uri == "https://desk.firm.example/sign-in/back"
    assert provider.token_endpoint == f"{LOGIN}/t"
    assert provider.client_secret == "hush hush"
    assert "hush" not in repr(provider)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no file of"),
        ("- a\n", "no file of"),
        ("issuer: [", "YAML"),
        ("!!python/object/apply:os.system ['true']", "YAML"),
        ("x" * 20_000, "no file of"),
        (GOOD + "client_secret: in a file\n", "not a field"),
        (GOOD.replace("client_id: desk", "client_id: 5"), "client_id"),
        (GOOD.replace("https://desk", "http://desk"), "https"),
        (GOOD.replace(LOGIN, "http://login.firm.example"), "https"),
        (GOOD.replace("desk.firm.example", "desk.firm.example/else?x=1"), "without a path"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "not a field"),
    ],
)
def test_anything_else_is_refused_by_name(tmp_path, text, said):
    with pytest.raises(ParameterError, match=said):
        read(tmp_path, text)


def test_the_secret_comes_from_the_environment(tmp_path):
    with pytest.raises(ParameterError, match=SECRET):
        read(tmp_path, environment={})


def test_a_provider_that_is_another_or_does_not_answer_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="calls itself"):
        read(tmp_path, http=answering(issuer="https://evil.example"))
    with pytest.raises(ParameterError, match="https"):
        read(tmp_path, http=answering(token_endpoint="http://login.firm.example/t"))
    with pytest.raises(AccessError):
        read(tmp_path, http=answering(status=503))
