"""Authlib signs a person in: code with PKCE, the ID token, userinfo, refresh, sign-out.

A form-filling person stands for the browser, which `tests/browser` has a real one for.
"""

import time
import uuid

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jwt

from issuer import BASE, PASSWORD, Issuer, check, cli, client_create, expect_error
from person import Person

APP = "http://127.0.0.1:9"  # nobody listens: what comes there is read off the address
SCOPE = "openid profile email offline_access"

tenant = requests.post(f"{BASE}/v1/tenants", json={"name": "Authlib signs in"}).json()["id"]

for issuer_url, tenant_args in ((BASE, ()), (f"{BASE}/t/{tenant}", ("--tenant", tenant))):
    where = "tenant issuer" if tenant_args else "issuer"
    app = client_create(*tenant_args, "--redirect-uri", f"{APP}/callback", "--post-logout-redirect-uri", f"{APP}/bye")
    public = client_create(*tenant_args, "--public", "--redirect-uri", f"{APP}/callback")
    email = f"{uuid.uuid4().hex}@example.org"
    user = cli("user", "create", *tenant_args, "--email", email, "--password-stdin", "--email-verified", stdin=PASSWORD)
    time.sleep(1)  # a running server sees what the command line did within a second
    issuer = Issuer(issuer_url)
    person = Person(email, PASSWORD, APP)

    def sign_in(client, **parameters):
        """All of it; the session, the tokens and the claims of the ID token."""
        method = "client_secret_basic" if client.get("client_secret") else "none"
        session = OAuth2Session(client["client_id"], client.get("client_secret"), scope=SCOPE, redirect_uri=f"{APP}/callback",
                                code_challenge_method="S256", token_endpoint_auth_method=method,
                                revocation_endpoint_auth_method=method)
        verifier, nonce = generate_token(48), generate_token()
        address, state = session.create_authorization_url(
            issuer.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **parameters)
        answer = person.open(address)
        tokens = session.fetch_token(issuer.metadata["token_endpoint"], authorization_response=answer, state=state,
                                     code_verifier=verifier)
        return session, tokens, verified(client, tokens, nonce)

    def verified(client, tokens, nonce=None):
        parsed = jwt.decode(tokens["id_token"], jwk.KeySet.import_key_set(issuer.keys), algorithms=["RS256"])
        claims = CodeIDToken(parsed.claims, parsed.header, {
            "iss": {"essential": True, "value": issuer_url},
            "aud": {"essential": True, "value": client["client_id"]},
        }, {"nonce": nonce, "access_token": tokens["access_token"], "client_id": client["client_id"]})
        claims.validate()
        return claims

    for kind, client in (("with a secret", app), ("public", public)):
        @check(f"{where}: a person signs in to an app {kind}")
        def _():
            session, tokens, claims = sign_in(client)
            assert issuer.validate(tokens["access_token"], "ES256")["sub"] == claims["sub"]
            about = session.get(issuer.metadata["userinfo_endpoint"]).json()
            assert about["sub"] == claims["sub"] and about["email"] == email and about["email_verified"] is True, about

        @check(f"{where}: an app {kind} refreshes")
        def _():
            session, tokens, claims = sign_in(client)
            tokens = dict(tokens)
            renewed = session.refresh_token(issuer.metadata["token_endpoint"], refresh_token=tokens["refresh_token"])
            assert renewed["refresh_token"] != tokens["refresh_token"]
            again = verified(client, renewed)
            assert (again["sub"], again["auth_time"]) == (claims["sub"], claims["auth_time"]), again
            assert session.get(issuer.metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]

    @check(f"{where}: a code works once, and its tokens end with the second try")
    def _():
        session = OAuth2Session(app["client_id"], app["client_secret"], scope="openid", redirect_uri=f"{APP}/callback",
                                code_challenge_method="S256")
        verifier = generate_token(48)
        address, state = session.create_authorization_url(issuer.metadata["authorization_endpoint"], code_verifier=verifier)
        answer = person.open(address)
        redeem = lambda: session.fetch_token(issuer.metadata["token_endpoint"], authorization_response=answer, state=state,
                                             code_verifier=verifier)
        token = redeem()["access_token"]
        expect_error("invalid_grant", redeem)
        bearer = {"authorization": f"Bearer {token}"}
        assert requests.get(issuer.metadata["userinfo_endpoint"], headers=bearer).status_code == 401

    @check(f"{where}: an app signs the person out")
    def _():
        session, tokens, claims = sign_in(app)
        query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{APP}/bye", "state": "s1"}
        request = requests.Request("GET", issuer.metadata["end_session_endpoint"], params=query).prepare()
        assert person.open(request.url) == f"{APP}/bye?state=s1"
        address, _ = session.create_authorization_url(issuer.metadata["authorization_endpoint"], prompt="none",
                                                      code_verifier=generate_token(48))
        assert "error=login_required" in person.open(address)
