"""Authlib against a running gatehouse: discovery, tokens by every client authentication, their
validation against the published keys, the password grant, refresh, introspection, revocation.
"""

import json
import tempfile
import time
import uuid

import requests
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc8414 import get_well_known_url as metadata_url
from authlib.oidc.core import IDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.discovery import get_well_known_url as discovery_url
from joserfc import jwk, jwt

from issuer import BASE, PASSWORD, Issuer, check, cli, client_create, expect_error, validate_metadata

tenant = requests.post(f"{BASE}/v1/tenants", json={"name": "Authlib"}).json()["id"]

for issuer_url, tenant_args in ((BASE, ()), (f"{BASE}/t/{tenant}", ("--tenant", tenant))):
    where = "tenant issuer" if tenant_args else "issuer"

    @check(f"{where}: OpenID discovery is valid metadata")
    def _():
        metadata = requests.get(discovery_url(issuer_url, external=True)).json()
        validate_metadata(OpenIDProviderMetadata, metadata)
        assert metadata["issuer"] == issuer_url

    @check(f"{where}: RFC 8414 metadata at the path-insert form")
    def _():
        metadata = requests.get(metadata_url(issuer_url, external=True)).json()
        validate_metadata(AuthorizationServerMetadata, metadata)
        assert metadata["issuer"] == issuer_url

    issuer = Issuer(issuer_url)
    token_endpoint = issuer.metadata["token_endpoint"]

    machine = (*tenant_args, "--grant", "client_credentials", "--scope", "user:read")
    secret_client = client_create(*machine)
    bare_client = client_create(*tenant_args, "--grant", "client_credentials")
    post_client = client_create(*machine, "--auth-method", "client_secret_post")
    jwt_client = client_create(*machine, "--auth-method", "client_secret_jwt")
    keys = {"RS256": jwk.RSAKey.generate_key(2048, auto_kid=True), "ES256": jwk.ECKey.generate_key("P-256", auto_kid=True)}
    key_clients = {}
    for algorithm, key in keys.items():
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"keys": [key.as_dict(private=False) | {"use": "sig", "alg": algorithm}]}, file)
            file.flush()
            key_clients[algorithm] = client_create(*machine, "--auth-method", "private_key_jwt", "--jwks-file", file.name)
    signing_clients = {algorithm: client_create(*machine, "--signing-alg", algorithm)
                       for algorithm in ("ES256", "RS256", "EdDSA")}
    opaque_client = client_create(*machine, "--access-token-format", "opaque")
    person = f"{uuid.uuid4().hex}@example.org"
    user = cli("user", "create", *tenant_args, "--email", person, "--password-stdin", "--email-verified", stdin=PASSWORD)
    password_client = client_create(*tenant_args, "--grant", "password", "--grant", "refresh_token",
                                    "--scope", "openid", "--scope", "email", "--scope", "offline_access")
    time.sleep(1)  # a running server sees what the command line did within a second

    @check(f"{where}: client credentials, client_secret_basic")
    def _():
        token = issuer.session(secret_client, scope="user:read").fetch_token()
        claims = issuer.validate(token["access_token"], "ES256")
        assert claims["sub"] == claims["client_id"] == secret_client["client_id"], claims
        assert claims["scope"] == "user:read" and claims["exp"] - claims["iat"] == token["expires_in"], claims

    @check(f"{where}: client credentials, a service without any scope")
    def _():
        token = issuer.session(bare_client).fetch_token()
        # `idaas.md` wants the claim also where nothing was granted; Authlib has to be told so.
        claims = issuer.validate(token["access_token"], "ES256", blank_scope=True)
        assert claims["scope"] == "", claims

    @check(f"{where}: client credentials, client_secret_post")
    def _():
        issuer.validate(issuer.session(post_client, "client_secret_post").fetch_token()["access_token"], "ES256")

    @check(f"{where}: client credentials, client_secret_jwt")
    def _():
        session = issuer.session(jwt_client, "client_secret_jwt")
        session.register_client_auth_method(ClientSecretJWT(token_endpoint))
        issuer.validate(session.fetch_token()["access_token"], "ES256")

    for algorithm, key in keys.items():
        @check(f"{where}: client credentials, private_key_jwt {algorithm}")
        def _():
            session = issuer.session(key_clients[algorithm], "private_key_jwt", key)
            session.register_client_auth_method(PrivateKeyJWT(token_endpoint, alg=algorithm))
            claims = issuer.validate(session.fetch_token()["access_token"], "ES256")
            assert claims["client_id"] == key_clients[algorithm]["client_id"], claims

        @check(f"{where}: private_key_jwt {algorithm} with another's key is refused")
        def _():
            other = jwk.RSAKey.generate_key(2048) if algorithm == "RS256" else jwk.ECKey.generate_key("P-256")
            session = issuer.session(key_clients[algorithm], "private_key_jwt", other)
            session.register_client_auth_method(PrivateKeyJWT(token_endpoint, alg=algorithm))
            expect_error("invalid_client", session.fetch_token)

    @check(f"{where}: a client assertion works once")
    def _():
        replayed = PrivateKeyJWT(token_endpoint, alg="ES256", claims={"jti": uuid.uuid4().hex})
        session = issuer.session(key_clients["ES256"], "private_key_jwt", keys["ES256"])
        session.register_client_auth_method(replayed)
        session.fetch_token()
        expect_error("invalid_client", session.fetch_token)

    for algorithm, client in signing_clients.items():
        @check(f"{where}: access token signed with {algorithm}")
        def _():
            issuer.validate(issuer.session(client).fetch_token()["access_token"], algorithm)

    @check(f"{where}: a wrong secret is invalid_client")
    def _():
        expect_error("invalid_client", issuer.session(secret_client | {"client_secret": "wrong"}).fetch_token)

    @check(f"{where}: a scope that is not the client's is invalid_scope")
    def _():
        expect_error("invalid_scope", issuer.session(secret_client, scope="user:write").fetch_token)

    @check(f"{where}: introspection and revocation of a JWT")
    def _():
        session = issuer.session(secret_client)
        token = session.fetch_token()["access_token"]
        answer = session.introspect_token(issuer.metadata["introspection_endpoint"], token).json()
        assert answer["active"] is True and answer["client_id"] == secret_client["client_id"], answer
        revoked = session.revoke_token(issuer.metadata["revocation_endpoint"], token, token_type_hint="access_token")
        assert revoked.status_code == 200, revoked.text
        answer = session.introspect_token(issuer.metadata["introspection_endpoint"], token).json()
        assert answer == {"active": False}, answer

    @check(f"{where}: introspection and revocation of an opaque token")
    def _():
        session = issuer.session(opaque_client)
        token = session.fetch_token()["access_token"]
        assert token.count(".") != 2, token
        answer = session.introspect_token(issuer.metadata["introspection_endpoint"], token).json()
        assert answer["active"] is True and answer["iss"] == issuer_url, answer
        assert session.revoke_token(issuer.metadata["revocation_endpoint"], token).status_code == 200
        assert session.introspect_token(issuer.metadata["introspection_endpoint"], token).json() == {"active": False}

    @check(f"{where}: password grant")
    def _():
        token = issuer.session(password_client, scope="openid email").fetch_token(username=person, password=PASSWORD)
        claims = issuer.validate(token["access_token"], "ES256")
        assert claims["client_id"] == password_client["client_id"], claims
        if "id_token" not in token:
            return  # there is none without a sign-in through a browser
        parsed = jwt.decode(token["id_token"], jwk.KeySet.import_key_set(issuer.keys), algorithms=["RS256"])
        IDToken(parsed.claims, parsed.header, {
            "iss": {"essential": True, "value": issuer_url},
            "aud": {"essential": True, "value": password_client["client_id"]},
            "sub": {"essential": True, "value": claims["sub"]},
        }, {"access_token": token["access_token"]}).validate()

    @check(f"{where}: password grant with a wrong password")
    def _():
        session = issuer.session(password_client)
        expect_error("invalid_grant", lambda: session.fetch_token(username=person, password="wrong-password"))

    @check(f"{where}: refresh rotates, and the grace window gives the same successor")
    def _():
        session = issuer.session(password_client, scope="openid offline_access")
        first = session.fetch_token(username=person, password=PASSWORD)
        second = dict(session.refresh_token(refresh_token=first["refresh_token"]))
        again = dict(session.refresh_token(refresh_token=first["refresh_token"]))
        assert second["refresh_token"] != first["refresh_token"]
        assert again["refresh_token"] == second["refresh_token"]
        assert again["access_token"] != second["access_token"]
        issuer.validate(second["access_token"], "ES256")

    @check(f"{where}: a revoked refresh token is invalid_grant")
    def _():
        session = issuer.session(password_client, scope="openid offline_access")
        token = dict(session.fetch_token(username=person, password=PASSWORD))
        session.revoke_token(issuer.metadata["revocation_endpoint"], token["refresh_token"], "refresh_token")
        expect_error("invalid_grant", lambda: session.refresh_token(refresh_token=token["refresh_token"]))
        answer = session.introspect_token(issuer.metadata["introspection_endpoint"], token["access_token"]).json()
        assert answer == {"active": False}, answer

    @check(f"{where}: a refresh token of another client is invalid_grant")
    def _():
        other = client_create(*tenant_args, "--grant", "password", "--grant", "refresh_token", "--scope", "openid")
        time.sleep(1)
        token = issuer.session(password_client, scope="openid offline_access").fetch_token(username=person, password=PASSWORD)
        expect_error("invalid_grant", lambda: issuer.session(other).refresh_token(refresh_token=token["refresh_token"]))
