"""Lua scripts are assembled from shared files, without the definitions that they do not use."""

from __future__ import annotations

import re
from importlib import resources

import pytest
import redis as redis_py

from django_rqlite.engine import lua_loader
from django_rqlite.engine.lua_loader import assemble

FOLDER = resources.files("django_rqlite.engine") / "lua"
SCRIPTS = sorted(
    entry.name.removesuffix(".lua") for entry in FOLDER.iterdir() if entry.name.endswith(".lua")
)
PARTS = sorted(entry.name for entry in (FOLDER / "shared").iterdir())


def functions(text: str) -> list[str]:
    return re.findall(r"^ *local function (\w+)", text, re.MULTILINE)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_server_understands_it(name: str, redis: redis_py.Redis) -> None:
    redis.script_load(assemble(name))


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_function_that_is_called_is_there_before_it_is_called(name: str) -> None:
    text = assemble(name)
    known = set(functions((FOLDER / f"{name}.lua").read_text()))
    for part in PARTS:
        known |= set(functions((FOLDER / "shared" / part).read_text()))
    there: set[str] = set()
    for line in text.splitlines():
        there |= set(functions(line))
        code = re.sub(r"'[^']*'|--.*", "", line)
        called = set(re.findall(r"(?<![.:\w])(\w+)\(", code)) & known
        assert called <= there, line


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_is_there_that_is_not_used(name: str) -> None:
    text = assemble(name)
    assert text.count("local prefix") <= 1
    for function in functions(text):
        assert len(re.findall(rf"\b{function}\b", text)) > 1, function


def test_a_statement_goes_on_where_it_is_indented_or_closed() -> None:
    text = """\
-- A comment
local a, b = 1,
  2
local function f(x)
  if x then
    return {
      x
    }
  end
end

local T = {
  c = 1,
}
if a then
  g()
else
  h()
end
return b"""
    assert list(lua_loader._statements(text)) == [
        "local a, b = 1,\n  2",
        "local function f(x)\n  if x then\n    return {\n      x\n    }\n  end\nend",
        "local T = {\n  c = 1,\n}",
        "if a then\n  g()\nelse\n  h()\nend",
        "return b",
    ]


def test_what_is_defined_and_not_needed_goes_and_what_acts_stays() -> None:
    statements = [
        "local unused = redis.call('TIME')",
        "local function needed() return 1 end",
        "local function needless() return needed() end",
        "redis.call('SET', 'a', needed())",
        "return 1",
    ]
    assert lua_loader._used(statements) == [statements[1], *statements[3:]]


def test_what_only_a_rare_function_needs_is_made_when_that_is_called(redis: redis_py.Redis) -> None:
    statements = [
        "local function innermost() return 'deep' end",
        "local function often() return 'often' end",
        "local function inner() return innermost() .. ' and ' .. often() end",
        "local function rare()\n  return inner()\nend",
        "if ARGV[1] == '1' then\n  return rare()\nend",
        "return often()",
    ]
    assert lua_loader._with_helpers_inside(statements, "not there") == statements
    nested = lua_loader._with_helpers_inside(statements, "rare")
    assert nested == [
        statements[1],
        f"local function rare()\n  {statements[0]}\n  {statements[2]}\n  return inner()\nend",
        *statements[4:],
    ]
    assert redis.eval("\n".join(nested), 0, "1") == b"deep and often"
    assert redis.eval("\n".join(nested), 0, "0") == b"often"


def test_a_usual_end_of_a_job_makes_no_functions_for_others() -> None:
    made = set(re.findall(r"^local function (\w+)", assemble("finish"), re.MULTILINE))
    assert made >= {"holds", "notify_dependents", "claim_next"}
    assert not made & {"release_dependent", "delete_job_keys", "remove_from_places"}
