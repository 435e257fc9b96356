"""The gate before the archive's engine.

Of SQL, only what is listed here, over one table, written anew from its tree.

What runs is never the text that came but what the tree of it says: comments, odd quotation and spelling end
here.
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

_STRUCTURE = (
    exp.Select,
    exp.Union,
    exp.Intersect,
    exp.Except,
    exp.Subquery,
    exp.With,
    exp.CTE,
    exp.From,
    exp.Join,
    exp.Table,
    exp.TableAlias,
    exp.Where,
    exp.Group,
    exp.Having,
    exp.Qualify,
    exp.Order,
    exp.Ordered,
    exp.Limit,
    exp.Offset,
    exp.Distinct,
    exp.Column,
    exp.Identifier,
    exp.Star,
    exp.Alias,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Paren,
    exp.Tuple,
    exp.Var,
    exp.DataType,
    exp.Interval,
    exp.Window,
    exp.WindowSpec,
    exp.Filter,
    exp.WithinGroup,
    exp.IgnoreNulls,
    exp.RespectNulls,
    exp.Bracket,
    exp.Exists,
    exp.In,
    exp.Between,
    exp.Is,
    exp.Not,
    exp.And,
    exp.Or,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Like,
    exp.ILike,
    exp.Escape,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.IntDiv,
    exp.Mod,
    exp.Neg,
    exp.DPipe,
    exp.Case,
    exp.If,
    exp.Cast,
    exp.TryCast,
    exp.DataTypeParam,
    exp.Cube,
    exp.Rollup,
    exp.GroupingSets,
    exp.JSONPath,
    exp.JSONPathRoot,
    exp.JSONPathKey,
    exp.JSONPathSubscript,
    exp.JSONExtract,
    exp.JSONExtractScalar,
)
_FUNCTIONS = (
    exp.Count,
    exp.CountIf,
    exp.Sum,
    exp.Avg,
    exp.Min,
    exp.Max,
    exp.Median,
    exp.Mode,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
    exp.Variance,
    exp.VariancePop,
    exp.ArgMax,
    exp.ArgMin,
    exp.PercentileCont,
    exp.PercentileDisc,
    exp.Quantile,
    exp.ApproxDistinct,
    exp.GroupConcat,
    exp.AnyValue,
    exp.LogicalAnd,
    exp.LogicalOr,
    exp.First,
    exp.Last,
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.PercentRank,
    exp.CumeDist,
    exp.Ntile,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Coalesce,
    exp.Nullif,
    exp.Greatest,
    exp.Least,
    exp.Abs,
    exp.Round,
    exp.Floor,
    exp.Ceil,
    exp.Sqrt,
    exp.Ln,
    exp.Log,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.Length,
    exp.Substring,
    exp.Left,
    exp.Right,
    exp.StrPosition,
    exp.Contains,
    exp.StartsWith,
    exp.EndsWith,
    exp.Concat,
    exp.ConcatWs,
    exp.Reverse,
    exp.SplitPart,
    exp.RegexpLike,
    exp.RegexpExtract,
    exp.DateTrunc,
    exp.TimestampTrunc,
    exp.DateDiff,
    exp.Extract,
    exp.TimeToStr,
    exp.Year,
    exp.Quarter,
    exp.Month,
    exp.Week,
    exp.Day,
    exp.Hour,
    exp.Minute,
    exp.DayOfWeek,
    exp.Date,
    exp.DayOfMonth,
    exp.DayOfYear,
    exp.DayOfWeekIso,
    exp.WeekOfYear,
    exp.JSONType,
    exp.JSONKeys,
    exp.Second,
    exp.Dayname,
    exp.Monthname,
    exp.DateAdd,
    exp.DateSub,
    exp.DateBin,
    exp.LastDay,
    exp.TimeToUnix,
    exp.Exp,
    exp.Pow,
    exp.Replace,
    exp.ArrayAgg,
)
_NAMED = frozenset(
    {"arbitrary", "date_part", "json_array_length", "json_exists", "json_valid", "strlen", "weekday"}
)
"""Functions that the parser knows by name alone."""
_TODAY = frozenset({"now", "today", "get_current_timestamp"})
_NOW = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime)
_ALLOWED = frozenset((*_STRUCTURE, *_FUNCTIONS, *_NOW))
_WORD = re.compile(r"[A-Za-z_]+")
_TYPES = {
    exp.DType.VARCHAR,
    exp.DType.TEXT,
    exp.DType.CHAR,
    exp.DType.INT,
    exp.DType.BIGINT,
    exp.DType.SMALLINT,
    exp.DType.TINYINT,
    exp.DType.DOUBLE,
    exp.DType.FLOAT,
    exp.DType.DECIMAL,
    exp.DType.BOOLEAN,
    exp.DType.DATE,
    exp.DType.TIME,
    exp.DType.TIMESTAMP,
    exp.DType.TIMESTAMPNTZ,
    exp.DType.INT128,
    exp.DType.JSON,
    exp.DType.INTERVAL,
}


def validate_sql(sql: str, now: datetime) -> str:
    """Return the statement as it may run, with `now` (UTC) written out.

    Raises:
        InvalidError: `sql_rejected`, and why, in words that help to write it better.
    """
    if len(sql) > CHARACTERS_MAX:
        raise _rejected(f"a statement has at most {CHARACTERS_MAX} characters")
    try:
        written = _written(_checked(sql).transform(_replace_clock, now))
        # What was written must read as what was checked: a slip in writing a literal would show here.
        if _written(_checked(written)) != written:
            raise _rejected("it cannot be written safely")
    except (SqlglotError, RecursionError, ValueError) as error:
        raise _rejected("it cannot be read as DuckDB's SQL") from error
    return written


def _checked(sql: str) -> exp.Query:
    statements = sqlglot.parse(sql, read="duckdb")
    root = statements[0] if len(statements) == 1 else None
    if not isinstance(root, exp.Select | exp.SetOperation):
        raise _rejected("send one SELECT and nothing else")
    for count, node in enumerate(root.walk(), 1):
        if count > NODES_MAX:
            raise _rejected("it is too long")
        _check_node(node)
    _resolve(root)
    return root


def _check_node(node: exp.Expr) -> None:
    """Refuse what is not listed, wherever in the statement it stands."""
    if isinstance(node, exp.Anonymous):
        if not isinstance(node.this, str) or node.name.lower() not in _NAMED | _TODAY:
            raise _rejected(f"the function {node.name[:40]} is not allowed")
    elif type(node) not in _ALLOWED:
        what = "function" if isinstance(node, exp.Func) else "clause"
        raise _rejected(f"the {what} {node.key.upper()} is not allowed")
    elif isinstance(node, exp.DataType) and (node.this not in _TYPES or node.args.get("nested")):
        raise _rejected("this type is not allowed")
    elif isinstance(node, exp.Var) and not _WORD.fullmatch(node.name):
        raise _rejected("a word stands where none is allowed")
    elif isinstance(node, exp.With) and node.recursive:
        raise _rejected("WITH RECURSIVE is not allowed")


def _resolve(root: exp.Query) -> None:
    """Refuse every table but `episodes` and what the first WITH has named before.

    The engine has no name to look for.

    A WITH further inside names nothing that may be asked.
    """
    tables = list(root.find_all(exp.Table))
    if len(tables) > TABLES_MAX:
        raise _rejected(f"it names more than {TABLES_MAX} tables")
    known = {EPISODES_TABLE}
    parts = list(root.ctes)
    inside = {id(table): place for place, part in enumerate(parts) for table in part.find_all(exp.Table)}
    for place, part in enumerate([*parts, None]):
        for table in tables:
            if inside.get(id(table), len(parts)) == place:
                _named(table, known)
        if part is not None:
            known.add(part.alias.lower())


def _named(table: exp.Table, known: set[str]) -> None:
    said = {name for name, value in table.args.items() if value} - {"this", "alias", "joins"}
    if said or not isinstance(table.this, exp.Identifier) or table.name.lower() not in known:
        raise _rejected(
            f"there is one table, {EPISODES_TABLE}, and nothing may stand beside its name but an alias"
        )


def _replace_clock(node: exp.Expr, now: datetime) -> exp.Expr:
    """Write the moment of the question where the statement asks the clock."""
    asks = isinstance(node, exp.Anonymous) and node.name.lower() in _TODAY
    if not asks and not isinstance(node, _NOW):
        return node
    day = isinstance(node, exp.CurrentDate) or node.name.lower() == "today"
    moment = exp.Literal.string(f"{now:%Y-%m-%d}" if day else f"{now:%Y-%m-%d %H:%M:%S}")
    return exp.cast(moment, "DATE" if day else "TIMESTAMP")


def _written(statement: exp.Expr) -> str:
    return statement.sql(dialect="duckdb", comments=False, identify=True)


def _rejected(why: str) -> InvalidError:
    return InvalidError(why, code="sql_rejected")
