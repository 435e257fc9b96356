"""Rules of the code that no linter keeps: one name for one thing, plain verbs, vendors behind adapters."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("layers", "functions", "scripts", "localstack")
VERBS = re.compile(
    r"add|answer|apply|ask|close|commit|count|create|delete|dump|erase|fold|generate|get|insert|list|map|open|parse"
    r"|post|publish|put|query|read|remove|rename|render|require|run|search|send|start|track|transact|update|validate|view"
    r"|wait|write"
)
LIBRARY_METHODS = frozenset({"dump", "extractall", "info", "modified", "seek", "tell"})
"""Names that psycopg, fsspec and zipfile call."""
VENDORS = re.compile(
    r"anthropic|boto3|botocore|duckdb|fsspec|httpx2?|mypy_boto3_dynamodb|psycopg|redis|sqlglot"
)
ADAPTERS = re.compile(
    r"apigateway|aws|claude|container|dynamodb|erasure|eventbridge|lambda|parquet|postgres|purge|s3|sql|sqs|titan"
    r"|user_partition|valkey"
)
"""Words of the folders and files that hold adapters."""


@cache
def modules(*folders: str) -> dict[Path, ast.Module]:
    files = (file for folder in folders or PRODUCT for file in (ROOT / folder).rglob("*.py"))
    return {file.relative_to(ROOT): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def classes() -> Iterator[ast.ClassDef]:
    for tree in modules().values():
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def is_property(method: ast.FunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in method.decorator_list)


def imported_packages(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_a_class_name_is_defined_once() -> None:
    defined = Counter(each.name for each in classes() if not each.name.startswith("_"))

    assert [name for name, count in defined.items() if count > 1] == []


def test_a_public_method_of_one_word_is_a_plain_verb() -> None:
    one_word = {
        f"{owner.name}.{method.name}"
        for owner in classes()
        for method in owner.body
        if isinstance(method, ast.FunctionDef)
        and "_" not in method.name
        and not is_property(method)
        and not VERBS.fullmatch(method.name)
        and method.name not in LIBRARY_METHODS
    }

    assert one_word == set()


def test_only_adapters_and_the_container_import_a_vendors_package() -> None:
    found = {
        str(file)
        for file, tree in modules("layers", "functions").items()
        if any(map(VENDORS.fullmatch, imported_packages(tree)))
        and not ADAPTERS.search(str(file).partition("membus/python")[2])
    }

    assert found == set()


def test_only_one_module_writes_partition_keys() -> None:
    writing = {
        str(file)
        for file, tree in modules("layers", "functions", "scripts").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("T#")
    }

    assert writing == {"layers/membus/python/membus/aws/dynamodb/keys.py"}


def test_the_formatter_decides_every_line() -> None:
    marked = re.compile(r"#\s*fmt:")
    skipping = [str(file) for file in modules() if marked.search((ROOT / file).read_text(encoding="utf-8"))]

    assert skipping == []
