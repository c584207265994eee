"""Which account is meant, and where its key is kept."""

from __future__ import annotations

import pytest
from cli_running import one_line, run


def written(folder, text, name="accounts.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def flexprice(box, key, name="berlin"):
    return f'[accounts.{name}]\nprovider = "flexprice"\nbase_url = "{box.flexprice.base_url}"\napi_key = {key}\n'


def test_a_key_comes_from_a_variable(box, tmp_path):
    """`{ env = "NAME" }`."""
    path = written(tmp_path, flexprice(box, '{ env = "BERLIN_KEY" }'))
    done = run("count", "berlin", "--accounts", str(path), BERLIN_KEY=box.flexprice.api_key)
    assert (done.stdout, done.stderr, done.returncode) == (b"60\n", b"", 0)


def test_a_key_comes_from_a_file_beside_the_accounts(box, tmp_path):
    """`{ file = "PATH" }`, relative to the TOML file, without its last newline."""
    path = written(tmp_path, flexprice(box, '{ file = "keys/berlin" }'))
    (tmp_path / "keys").mkdir()
    written(tmp_path / "keys", box.flexprice.api_key + "\n", "berlin")
    assert run("--accounts", str(path), "count", "berlin", cwd="/").stdout == b"60\n"


def test_the_file_in_the_working_folder_is_found(box, tmp_path):
    """`unified-customers.toml`, without being named."""
    written(tmp_path, flexprice(box, '{ env = "BERLIN_KEY" }'), "unified-customers.toml")
    assert run("count", "berlin", cwd=tmp_path, BERLIN_KEY=box.flexprice.api_key).stdout == b"60\n"


@pytest.mark.parametrize("field", ["api_key", "bearer_token", "client_secret"])
def test_a_key_in_the_file_itself_is_refused_and_not_shown(tmp_path, field):
    """The error says how to write it."""
    path = written(tmp_path, f'[accounts.berlin]\nprovider = "flatpeak"\n{field} = "sk_live_123"\n')
    done = run("list", "berlin", "--accounts", str(path))
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert f"{field} must not stand in the file" in line
    assert "sk_live_123" not in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[accounts.berlin\n", "not valid TOML (line 1"),
        ("accounts = 3\n", "[accounts.berlin]"),
        ("accounts.berlin = 3\n", "names no provider"),
        ('[accounts.berlin]\nprovider = "flexprize"\n', "did you mean flexprice"),
        ('[accounts.berlin]\nprovider = "flexprice"\n', 'api_key = { env = "NAME" }'),
        ('[accounts.berlin]\nprovider = "flexprice"\napi_key = { env = "NOT_SET" }\n', "NOT_SET"),
        ('[accounts.berlin]\nprovider = "flexprice"\napi_key = { file = "none" }\n', "No such file"),
        ('[accounts.berlin]\nprovider = "flexprice"\napi_key = { vault = "x" }\n', "{ env ="),
        ('[accounts.berlin]\nprovider = "flexprice"\napi_kee = { env = "PATH" }\n', "does not know api_kee"),
    ],
)
def test_a_faulty_file_is_told_in_one_line(tmp_path, text, says):
    """With exit code 1."""
    done = run("list", "berlin", "--accounts", str(written(tmp_path, text)))
    assert done.returncode == 1
    assert says in one_line(done.stderr)


def test_a_file_that_is_not_there_is_told(tmp_path):
    """If it was named."""
    done = run("list", "berlin", "--accounts", str(tmp_path / "none.toml"))
    assert done.returncode == 1
    assert "No such file" in one_line(done.stderr)


def test_an_unknown_account_is_told_with_the_known_ones_and_the_nearest(box, tmp_path):
    """Those of the file, and the providers."""
    path = written(tmp_path, flexprice(box, '{ env = "X" }') + flexprice(box, '{ env = "X" }', "hamburg"))
    done = run("list", "Berlim", "--accounts", str(path))
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert "did you mean berlin?" in line
    for name in ("flexportal", "flexprice", "flatpeak", "hamburg"):
        assert name in line


def test_an_account_does_not_take_settings_from_the_environment(box, tmp_path):
    """A base URL that happens to be set must not be sent the account's key."""
    text = '[accounts.berlin]\nprovider = "flexprice"\nregion = "nowhere"\napi_key = { env = "BERLIN_KEY" }\n'
    done = run("count", "berlin", "--accounts", str(written(tmp_path, text)), box=box, BERLIN_KEY="k")
    assert done.returncode == 1
    assert "region='nowhere'" in one_line(done.stderr)
    assert box.flexprice.requests == []


def test_a_file_in_the_working_folder_cannot_take_a_providers_name(box, tmp_path):
    """The key of the environment would go wherever that file says; one that was named may."""
    path = written(tmp_path, flexprice(box, '{ env = "FLEXPRICE_API_KEY" }', "flexprice"), "unified-customers.toml")
    done = run("count", "flexprice", cwd=tmp_path, box=box)
    assert done.returncode == 1
    assert "rename the account" in one_line(done.stderr)
    key = box.flexprice.api_key
    assert run("count", "flexprice", "--accounts", str(path), FLEXPRICE_API_KEY=key).stdout == b"60\n"
    assert run("count", "flexprice", box=box).stdout == b"60\n"
