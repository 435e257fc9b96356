"""Login to ElastiCache as a user whose password is a request signed by the function's role."""

from urllib.parse import urlencode

from boto3.session import Session
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, NoCredentialsError
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

TOKEN_SECONDS = 900
"""ElastiCache takes no longer-lived token; a connection that stands stays for twelve hours."""


class ElastiCacheCredentials(CredentialProvider):
    """`cache` names a serverless cache and the user in it; each new connection gets a new token."""

    def __init__(self, cache: str, session: Session) -> None:
        self._cache, self._session = cache, session

    def get_credentials(self) -> tuple[str, str]:
        asked = urlencode({"Action": "connect", "User": self._cache, "ResourceType": "ServerlessCache"})
        request = AWSRequest(method="GET", url=f"http://{self._cache}/?{asked}")
        try:
            self._signer().add_auth(request)
        except BotoCoreError as error:
            raise AuthenticationError(f"the role cannot sign: {type(error).__name__}") from error
        return self._cache, str(request.url).removeprefix("http://")

    def _signer(self) -> SigV4QueryAuth:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return SigV4QueryAuth(credentials, "elasticache", self._session.region_name, expires=TOKEN_SECONDS)
