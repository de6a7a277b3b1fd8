"""What Authlib's runs share: the server's command line, checks, and what a client knows of an issuer.

The environment has ISSUER and GATEHOUSE (the binary; its environment names the database).
"""

import json
import os
import subprocess
import time
import traceback
import warnings

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on loopback
warnings.filterwarnings("ignore", message="EdDSA is deprecated")

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oidc.discovery import get_well_known_url as discovery_url
from joserfc import jwk, jws, jwt

HERE = os.path.dirname(__file__)
BASE = os.environ["ISSUER"]
PASSWORD = "a long enough password"


def cli(*args, stdin=""):
    """The command line of the server, on the same database."""
    done = subprocess.run([os.environ["GATEHOUSE"], *args, "--json"], input=stdin, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"gatehouse {' '.join(args)}: {done.stderr}")
    return json.loads(done.stdout)


def client_create(*args):
    return cli("client", "create", "--name", "authlib", *args)


def check(name):
    """Runs the decorated check at once and prints one line about it."""
    def run(act):
        try:
            act()
            print(f"ok  {name}", flush=True)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)
            line = next((frame.line for frame in reversed(place) if os.path.dirname(frame.filename) == HERE), "")
            print(f"NOT {name}: {error!r} at `{line}`", flush=True)
        return act
    return run


class Issuer:
    """What a client knows of an issuer: its metadata and its keys."""

    def __init__(self, issuer):
        self.url = issuer
        self.metadata = requests.get(discovery_url(issuer, external=True)).json()
        self.keys = requests.get(self.metadata["jwks_uri"]).json()

    def session(self, client, method="client_secret_basic", key=None, scope=None):
        session = OAuth2Session(client["client_id"], key or client.get("client_secret"), scope=scope,
                                token_endpoint_auth_method=method, revocation_endpoint_auth_method=method,
                                token_endpoint=self.metadata["token_endpoint"])
        return session

    def header(self, token):
        return jws.extract_compact(token.encode()).headers()

    def validate(self, token, algorithm, audience=None, blank_scope=False):
        """A resource server's checks (RFC 9068 §4)."""
        keys = self.keys

        class Validator(JWTBearerTokenValidator):
            def get_jwks(self):
                return jwk.KeySet.import_key_set(keys)

        header = self.header(token)
        assert header["typ"].lower() == "at+jwt", header
        assert header["alg"] == algorithm, header
        if algorithm == "EdDSA":  # which this validator does not take
            claims = jwt.decode(token, jwk.KeySet.import_key_set(keys), algorithms=["EdDSA"]).claims
            assert claims["iss"] == self.url and claims["exp"] > time.time(), claims
        else:
            validator = Validator(issuer=self.url, resource_server=audience or self.url)
            claims = validator.authenticate_token(token)
            if blank_scope:
                claims.options["scope"]["allow_blank"] = True
            validator.validate_token(claims, None, None)
        assert 0 <= time.time() - claims["iat"] < 60, claims
        return claims


def validate_metadata(kind, metadata):
    """Authlib's own check of a metadata document."""
    if "authorization_endpoint" not in metadata:
        # Then there is no response type to name, but RFC 8414 §2 wants one named and Authlib with it.
        metadata = metadata | {"response_types_supported": ["code"]}
    kind(metadata).validate()


def expect_error(code, act):
    try:
        act()
    except OAuthError as error:
        assert error.error == code, f"{error.error}, expected {code}"
    else:
        raise AssertionError(f"succeeded, expected {code}")
