"""What a check finds: how it stands, what was seen, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004

from membus.errors import MembusError, UnavailableError
from scripts.doctor.deployment import DeployedEnvironment


class FindingStatus(StrEnum):
    """In the order of what an operator should look at first."""

    FAIL = "fail"
    WARN = "warn"
    SKIPPED = "skipped"
    OK = "ok"


@dataclass(frozen=True)
class Finding:
    """`about` names the thing, `page` the runbook below docs/runbooks that says what to do."""

    about: str
    status: FindingStatus
    found: str
    remedy: str | None = None
    page: str | None = None


APPLY_AGAIN = "make plan shows what was changed by hand, make apply puts it back"
Check = Callable[[DeployedEnvironment], Iterator[Finding]]
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
UNKNOWN = {
    "InvalidAction",
    "UnknownOperation",
    "UnknownOperationException",
    "UnsupportedOperation",
    "NotImplemented",
    "NotImplementedException",
    "404",
    "501",
}


def ok(about: str, found: str) -> Finding:
    return Finding(about, FindingStatus.OK, found)


def warn(about: str, found: str, remedy: str, page: str | None = None) -> Finding:
    return Finding(about, FindingStatus.WARN, found, remedy, page)


def fail(about: str, found: str, remedy: str, page: str | None = None) -> Finding:
    return Finding(about, FindingStatus.FAIL, found, remedy, page)


def skipped(about: str, why: str) -> Finding:
    return Finding(about, FindingStatus.SKIPPED, f"skipped: {why}")


def judge(about: str, wrong: list[str], *, well: str, remedy: str, page: str | None = None) -> Finding:
    """Return one finding of a thing with several properties.

    All that is wrong with it, or that it is well.
    """
    return fail(about, "; ".join(wrong), remedy, page) if wrong else ok(about, well)


def run_check(name: str, check: Check, deployment: DeployedEnvironment) -> list[Finding]:
    """Run a check; what it may not see, or cannot, is a finding too and no other check's concern.

    Raises:
        UnavailableError: there is no local stack to look at.
    """
    found: list[Finding] = []
    try:
        found.extend(check(deployment))
    except ClientError as error:
        found.append(_client_error(name, error, deployment))
    except (ConnectionError, HTTPClientError) as error:
        if deployment.is_local:
            raise UnavailableError(str(error)) from error
        found.append(_unreachable(name, str(error)))
    except BotoCoreError as error:
        why = f"{type(error).__name__}: {error}"
        found.append(
            skipped(name, f"the emulator answers otherwise ({why})")
            if deployment.is_local
            else _unreachable(name, why)
        )
    except MembusError as error:
        found.append(_unreachable(name, error.detail))
    return found


def _client_error(name: str, error: ClientError, deployment: DeployedEnvironment) -> Finding:
    code, operation = error.response["Error"]["Code"], error.operation_name
    if code in DENIED:
        return fail(name, f"you may not {operation}", "take an operator's role that may read the account")
    if code in UNKNOWN and deployment.is_local:
        return skipped(name, f"the emulator knows no {operation}")
    return fail(
        name, f"{operation}: {code}: {error.response['Error'].get('Message', '')}", "deploy: make apply"
    )


def _unreachable(name: str, why: str) -> Finding:
    return fail(name, why, "see whether the part is up, and whether this machine reaches it")
