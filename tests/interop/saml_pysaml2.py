"""An identity provider made with pysaml2 (and xmlsec1) signs people in to a workspace."""

import base64
import datetime
import json
import os
import subprocess
import tempfile
import warnings
from urllib.parse import parse_qs, urlsplit

warnings.filterwarnings("ignore", message="CFB has been moved")

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import create_metadata_string
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, DIGEST_SHA512, SIG_RSA_SHA256, SIG_RSA_SHA512

from issuer import BASE, check, cli

IDP = "http://127.0.0.1:9/pysaml2"
APP = "http://127.0.0.1:9/app"


def key_pair(folder, name):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    paths = (f"{folder}/{name}.key", f"{folder}/{name}.crt")
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for path, text in zip(paths, (pem, certificate.public_bytes(serialization.Encoding.PEM))):
        with open(path, "wb") as file:
            file.write(text)
    return paths


def server(folder, keys, sp_metadata=None):
    key_file, cert_file = keys
    config = {
        "entityid": IDP,
        "key_file": key_file,
        "cert_file": cert_file,
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [(f"{IDP}/sso", BINDING_HTTP_REDIRECT)]},
                "want_authn_requests_signed": True,
                "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                "subject_data": f"{folder}/subjects",
            }
        },
    }
    if sp_metadata:
        config["metadata"] = {"inline": [sp_metadata]}
    return Server(config=IdPConfig().load(config))


class Workspace:
    """A workspace with a connection to the provider, and the provider that knows it."""

    def __init__(self, name, keys, folder):
        self.keys, self.folder = keys, folder
        company = cli("catalog", "add-company", "--name", name)
        self.key = company["key"]
        path = f"{folder}/{self.key}.xml"
        with open(path, "w") as file:
            file.write(create_metadata_string(None, server(folder, keys).config).decode())
        made = cli(
            "connection", "add-saml", "--name", name, "--organization", self.key, "--metadata", path,
            "--return-to", APP, "--map", "role=urn:oid:2.5.4.12", "--map", "member:boss=admin",
        )
        self.connection = made["connection_id"]
        self.metadata_url = made["metadata"]
        metadata = requests.get(self.metadata_url)
        assert metadata.status_code == 200, metadata.text
        self.idp = server(folder, keys, metadata.text)
        self.entity_id = self.metadata_url
        self.acs = self.metadata_url.replace("/metadata/", "/acs/")

    def set_out(self):
        answer = requests.get(self.metadata_url.replace("/metadata/", "/login/"), allow_redirects=False)
        assert answer.status_code == 302, answer.text
        location = urlsplit(answer.headers["location"])
        sent = {name: values[0] for name, values in parse_qs(location.query).items()}
        request = self.idp.parse_authn_request(
            sent["SAMLRequest"], BINDING_HTTP_REDIRECT,
            relay_state=sent["RelayState"], sigalg=sent["SigAlg"], signature=sent["Signature"],
        )
        return request.message, sent["RelayState"]

    def answer(self, request, relay_state, person, idp=None, **how):
        told = self.idp.response_args(request, [BINDING_HTTP_POST])
        response = (idp or self.idp).create_authn_response(
            {"mail": [f"{person}@example.com"], "displayName": ["Somebody Else"], "title": ["boss"]},
            in_response_to=told["in_response_to"],
            destination=told["destination"],
            sp_entity_id=told["sp_entity_id"],
            name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=f"pysaml2-{person}"),
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": IDP},
            **{"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256, **how},
        )
        form = {"SAMLResponse": base64.b64encode(str(response).encode()).decode(), "RelayState": relay_state}
        return requests.post(self.acs, data=form, allow_redirects=False)

    def sign_in(self, person, **how):
        landed = self.answer(*self.set_out(), person, **how)
        assert landed.status_code == 302, landed.text
        address, fragment = landed.headers["location"].split("#")
        assert address == APP, address
        token = parse_qs(fragment)["access_token"][0]
        return requests.get(f"{BASE}/api/auth/me", headers={"Authorization": f"Bearer {token}"}).json()


folder = tempfile.mkdtemp()
keys = key_pair(folder, "idp")
workspace = Workspace("Interop pysaml2", keys, folder)


@check("pysaml2: reads our metadata, verifies our request, signs the assertion")
def assertion_signed():
    me = workspace.sign_in("ann", sign_assertion=True, sign_response=False)
    assert (me["email"], me["name"]) == ("ann@example.com", "Somebody Else"), me
    assert me["workspaces"][0]["role"] == "admin", me


@check("pysaml2: signs the response alone, and both")
def response_signed():
    first = workspace.sign_in("ben", sign_assertion=False, sign_response=True)
    again = workspace.sign_in("ben", sign_assertion=True, sign_response=True)
    assert first["id"] == again["id"], (first, again)


@check("pysaml2: SHA-512")
def sha512():
    workspace.sign_in("cat", sign_assertion=True, sign_alg=SIG_RSA_SHA512, digest_alg=DIGEST_SHA512)


@check("pysaml2: what it signs with another key, or not at all, is refused")
def refused():
    other = server(folder, key_pair(folder, "other"), requests.get(workspace.metadata_url).text)
    answer = workspace.answer(*workspace.set_out(), "dan", idp=other, sign_assertion=True)
    assert answer.status_code == 400 and answer.json()["error_code"] == "BAD_REQUEST", answer.text
    answer = workspace.answer(*workspace.set_out(), "dan", sign_assertion=False, sign_response=False)
    assert answer.status_code == 400, answer.text


@check("pysaml2: an answer counts once")
def replayed():
    request, relay_state = workspace.set_out()
    assert workspace.answer(request, relay_state, "eve", sign_assertion=True).status_code == 302
    assert workspace.answer(request, relay_state, "eve", sign_assertion=True).status_code == 400


@check("pysaml2: connection test finds nothing wrong but http")
def tested():
    command = [os.environ["GATEHOUSE"], "connection", "test", workspace.connection, "--json"]
    findings = json.loads(subprocess.run(command, text=True, capture_output=True).stdout)
    assert [finding["what"] for finding in findings if finding["verdict"] != "ok"] == ["sign-in"], findings
