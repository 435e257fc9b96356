"""What a SELECT over archived episodes may be made of: the clauses, functions and types that are listed here.

The statement that runs is written anew from its syntax tree, so comments, odd quotation and spelling are
gone.
"""

import re
from datetime import datetime

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from membus.core.errors import InvalidError

EPISODES_TABLE = "episodes"
CHARACTERS_MAX = 4_000
NODES_MAX = 1_000
TABLES_MAX = 6

_CLAUSES = """
    Select Union Intersect Except Subquery With CTE From Join Table TableAlias Where Group Having Qualify
    Order Ordered Limit Offset Distinct Column Identifier Star Alias Literal Null Boolean Paren Tuple Var
    DataType DataTypeParam Interval Window WindowSpec Filter WithinGroup IgnoreNulls RespectNulls Bracket
    Cube Rollup GroupingSets Case If Cast TryCast
"""
_OPERATORS = """
    Exists In Between Is Not And Or EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Like ILike Escape
    Add Sub Mul Div IntDiv Mod Neg DPipe
    JSONPath JSONPathRoot JSONPathKey JSONPathSubscript JSONExtract JSONExtractScalar
"""
_AGGREGATES = """
    Count CountIf Sum Avg Min Max Median Mode Stddev StddevPop StddevSamp Variance VariancePop ArgMax ArgMin
    PercentileCont PercentileDisc Quantile ApproxDistinct GroupConcat AnyValue LogicalAnd LogicalOr First Last
    ArrayAgg RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue
"""
_FUNCTIONS = """
    Coalesce Nullif Greatest Least Abs Round Floor Ceil Sqrt Ln Log Exp Pow
    Lower Upper Trim Length Substring Left Right StrPosition Contains StartsWith EndsWith Concat ConcatWs
    Reverse Replace SplitPart RegexpLike RegexpExtract JSONType JSONKeys
    DateTrunc TimestampTrunc DateDiff DateAdd DateSub DateBin LastDay Extract TimeToStr TimeToUnix Date
    Year Quarter Month Week Day Hour Minute Second DayOfWeek DayOfMonth DayOfYear DayOfWeekIso WeekOfYear
    Dayname Monthname
"""
_TYPES = """
    VARCHAR TEXT CHAR INT BIGINT SMALLINT TINYINT INT128 DOUBLE FLOAT DECIMAL BOOLEAN DATE TIME TIMESTAMP
    TIMESTAMPNTZ INTERVAL JSON
"""
_FUNCTIONS_BY_NAME = frozenset(
    {"arbitrary", "date_part", "json_array_length", "json_exists", "json_valid", "strlen", "weekday"}
)
"""Functions for which the parser has no class of its own."""
_CLOCK_FUNCTIONS = frozenset({"now", "today", "get_current_timestamp"})
_CLOCK_NODES = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime)
_ALLOWED_NODES = frozenset(
    [getattr(exp, name) for name in (_CLAUSES + _OPERATORS + _AGGREGATES + _FUNCTIONS).split()]
).union(_CLOCK_NODES)
_ALLOWED_TYPES = frozenset(exp.DType[name] for name in _TYPES.split())
_WORD = re.compile(r"[A-Za-z_]+")


def validate_sql(sql: str, now: datetime) -> str:
    """Return the statement as it may run, with `now` (UTC) in the place of the clock.

    Raises:
        InvalidError: `sql_rejected`; its text says why, so that a model can correct the statement.
    """
    if len(sql) > CHARACTERS_MAX:
        raise _rejected(f"a statement has at most {CHARACTERS_MAX} characters")
    try:
        written = _write(_parse(sql).transform(_replace_clock, now))
        # What was written must read as what was checked: an error in writing a literal would show here.
        if _write(_parse(written)) != written:
            raise _rejected("it cannot be written safely")
    except (SqlglotError, RecursionError, ValueError) as error:
        raise _rejected("it cannot be read as DuckDB's SQL") from error
    return written


def _parse(sql: str) -> exp.Query:
    """Return the syntax tree of one SELECT in which nothing stands that is not listed."""
    statements = sqlglot.parse(sql, read="duckdb")
    root = statements[0] if len(statements) == 1 else None
    if not isinstance(root, exp.Select | exp.SetOperation):
        raise _rejected("send one SELECT and nothing else")
    for count, node in enumerate(root.walk(), 1):
        if count > NODES_MAX:
            raise _rejected("it is too long")
        _check_node(node)
    _check_tables(root)
    return root


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.Anonymous):
        if not isinstance(node.this, str) or node.name.lower() not in _FUNCTIONS_BY_NAME | _CLOCK_FUNCTIONS:
            raise _rejected(f"the function {node.name[:40]} is not allowed")
    elif type(node) not in _ALLOWED_NODES:
        what = "function" if isinstance(node, exp.Func) else "clause"
        raise _rejected(f"the {what} {node.key.upper()} is not allowed")
    elif isinstance(node, exp.DataType) and (node.this not in _ALLOWED_TYPES or node.args.get("nested")):
        raise _rejected("this type is not allowed")
    elif isinstance(node, exp.Var) and not _WORD.fullmatch(node.name):
        raise _rejected("a word stands where none is allowed")
    elif isinstance(node, exp.With) and node.recursive:
        raise _rejected("WITH RECURSIVE is not allowed")


def _check_tables(root: exp.Query) -> None:
    """Refuse every table but `episodes` and those that the outermost WITH names before it.

    So the engine never looks up a name. A WITH further inside names nothing that may be queried.
    """
    tables = list(root.find_all(exp.Table))
    if len(tables) > TABLES_MAX:
        raise _rejected(f"it names more than {TABLES_MAX} tables")
    known = {EPISODES_TABLE}
    parts = list(root.ctes)
    part_of = {id(table): number for number, part in enumerate(parts) for table in part.find_all(exp.Table)}
    for number, part in enumerate([*parts, None]):
        for table in tables:
            if part_of.get(id(table), len(parts)) == number:
                _check_table(table, known)
        if part is not None:
            known.add(part.alias.lower())


def _check_table(table: exp.Table, known: set[str]) -> None:
    extras = {name for name, value in table.args.items() if value} - {"this", "alias", "joins"}
    if extras or not isinstance(table.this, exp.Identifier) or table.name.lower() not in known:
        raise _rejected(
            f"there is one table, {EPISODES_TABLE}, and nothing may stand beside its name but an alias"
        )


def _replace_clock(node: exp.Expr, now: datetime) -> exp.Expr:
    """Write the moment of the query where the statement asks the clock."""
    by_name = isinstance(node, exp.Anonymous) and node.name.lower() in _CLOCK_FUNCTIONS
    if not by_name and not isinstance(node, _CLOCK_NODES):
        return node
    is_day = isinstance(node, exp.CurrentDate) or node.name.lower() == "today"
    moment = exp.Literal.string(f"{now:%Y-%m-%d}" if is_day else f"{now:%Y-%m-%d %H:%M:%S}")
    return exp.cast(moment, "DATE" if is_day else "TIMESTAMP")


def _write(statement: exp.Expr) -> str:
    return statement.sql(dialect="duckdb", comments=False, identify=True)


def _rejected(why: str) -> InvalidError:
    return InvalidError(why, code="sql_rejected")
