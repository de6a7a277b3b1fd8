"""An identity provider made with pysaml2 (and xmlsec1) signs people in to a workspace."""

import base64
import datetime
import html
import json
import os
import re
import shlex
import subprocess
import tempfile
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
from saml2.sigver import verify_redirect_signature
from saml2.xmldsig import DIGEST_SHA256, DIGEST_SHA512, SIG_RSA_SHA256, SIG_RSA_SHA512

from issuer import BASE, check, cli

PROVIDER = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
HERE = f"http://127.0.0.1:{PROVIDER.server_port}"
IDP, APP = f"{HERE}/pysaml2", f"{HERE}/app"


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
                "endpoints": {
                    "single_sign_on_service": [(f"{IDP}/sso", BINDING_HTTP_REDIRECT)],
                    "single_logout_service": [(f"{IDP}/slo", BINDING_HTTP_REDIRECT)],
                },
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
            "--domain", DOMAIN,
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
        return self.asked(urlsplit(answer.headers["location"]).query)

    def asked(self, query):
        """What we were asked, with its signature verified."""
        sent = {name: values[0] for name, values in parse_qs(query).items()}
        request = self.idp.parse_authn_request(
            sent["SAMLRequest"], BINDING_HTTP_REDIRECT,
            relay_state=sent["RelayState"], sigalg=sent["SigAlg"], signature=sent["Signature"],
        )
        return request.message, sent["RelayState"]

    def answer(self, *said, **how):
        return requests.post(self.acs, data=self.form(*said, **how), allow_redirects=False)

    def form(self, request, relay_state, person, idp=None, **how):
        told = self.idp.response_args(request, [BINDING_HTTP_POST])
        response = (idp or self.idp).create_authn_response(
            {"mail": [f"{person}@{DOMAIN}"], "displayName": ["Somebody Else"], "title": ["boss"]},
            in_response_to=told["in_response_to"],
            destination=told["destination"],
            sp_entity_id=told["sp_entity_id"],
            name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=f"pysaml2-{person}"),
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": IDP},
            **{"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256, **how},
        )
        return {"SAMLResponse": base64.b64encode(str(response).encode()).decode(), "RelayState": relay_state}

    def sign_in(self, person, **how):
        return me(self.token(person, **how))

    def token(self, person, **how):
        landed = self.answer(*self.set_out(), person, **how)
        assert landed.status_code == 302, landed.text
        return token_at(landed.headers["location"])


def token_at(landed):
    address, fragment = landed.split("#")
    assert address == APP, address
    return parse_qs(fragment)["access_token"][0]


def me(token):
    return requests.get(f"{BASE}/api/auth/me", headers={"Authorization": f"Bearer {token}"}).json()


class Pages(BaseHTTPRequestHandler):
    """The provider's pages: one that asks who it is, and one that posts what it says to whom it concerns."""

    def do_GET(self):
        at = urlsplit(self.path)
        if at.path == "/app":
            return self.show("<title>The front end</title>")
        self.show(f'<form method="post" action="/said?{html.escape(at.query)}"><input name="person"></form>')

    def do_POST(self):
        typed = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        asked = workspace.asked(urlsplit(self.path).query)
        form = workspace.form(*asked, typed["person"][0], sign_assertion=True)
        fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in form.items())
        script = "<script>document.forms[0].submit()</script>"
        self.show(f'<form method="post" action="{workspace.acs}">{fields}</form>{script}')

    def show(self, text):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def visit(*how):
    """What somebody sees in the end who comes in a real Chromium."""
    command = [*shlex.split(os.environ["IN_NODE"] + "/visit.mjs"), *how]
    done = subprocess.run(command, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


DOMAIN = f"pysaml2-{PROVIDER.server_port}.example"
folder = tempfile.mkdtemp()
keys = key_pair(folder, "idp")
workspace = Workspace("Interop pysaml2", keys, folder)
PROVIDER.RequestHandlerClass = Pages
threading.Thread(target=PROVIDER.serve_forever, daemon=True).start()

if os.environ.get("CHROMIUM"):

    @check("pysaml2: signs a person in in a real Chromium")
    def in_a_browser():
        seen = visit(workspace.metadata_url.replace("/metadata/", "/login/"), APP, "person=gus")
        assert seen["title"] == "The front end", seen
        assert me(token_at(seen["url"]))["email"] == f"gus@{DOMAIN}", seen

    @check("pysaml2: an address leads from the sign-in page there and back, in a real Chromium")
    def from_the_page():
        address = f"hal@{DOMAIN}"
        seen = visit(f"{BASE}/login?next=/account", f"{BASE}/account", f"identifier={address}", "person=hal")
        assert address in seen["text"], seen


@check("pysaml2: reads our metadata, verifies our request, signs the assertion")
def assertion_signed():
    ann = workspace.sign_in("ann", sign_assertion=True, sign_response=False)
    assert (ann["email"], ann["name"]) == (f"ann@{DOMAIN}", "Somebody Else"), ann
    assert ann["workspaces"][0]["role"] == "admin", ann


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


def redirected(message, relay_state, response=False):
    """The address that brings a message to the workspace, signed."""
    slo = workspace.metadata_url.replace("/metadata/", "/slo/")
    how = workspace.idp.apply_binding(
        BINDING_HTTP_REDIRECT, str(message), slo, relay_state, response=response, sign=True, sigalg=SIG_RSA_SHA256,
    )
    return dict(how["headers"])["Location"]


@check("pysaml2: is told who signs out, and answers")
def signed_out():
    token = workspace.token("flo", sign_assertion=True)
    bearer = {"Authorization": f"Bearer {token}"}
    out = requests.post(workspace.metadata_url.replace("/metadata/", "/logout/"), headers=bearer)
    assert out.status_code == 200, out.text
    assert requests.get(f"{BASE}/api/auth/me", headers=bearer).status_code == 401
    sent = {name: values[0] for name, values in parse_qs(urlsplit(out.json()["location"]).query).items()}
    request = workspace.idp.parse_logout_request(
        sent["SAMLRequest"], BINDING_HTTP_REDIRECT,
        relay_state=sent["RelayState"], sigalg=sent["SigAlg"], signature=sent["Signature"],
    )
    assert request.message.name_id.text == "pysaml2-flo" and request.message.name_id.format == NAMEID_FORMAT_PERSISTENT
    response = workspace.idp.create_logout_response(request.message, [BINDING_HTTP_REDIRECT])
    back = requests.get(redirected(response, sent["RelayState"], response=True), allow_redirects=False)
    assert (back.status_code, back.headers.get("location")) == (302, APP), back.text


@check("pysaml2: signs somebody out, and reads our answer")
def signs_out():
    token = workspace.token("gil", sign_assertion=True)
    name = NameID(format=NAMEID_FORMAT_PERSISTENT, text="pysaml2-gil")
    slo = workspace.entity_id.replace("/metadata/", "/slo/")
    request_id, request = workspace.idp.create_logout_request(slo, workspace.entity_id, name_id=name)
    answer = requests.get(redirected(request, "ours"), allow_redirects=False)
    assert answer.status_code == 302 and answer.headers["location"].startswith(f"{IDP}/slo?"), answer.text
    sent = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    certificate = re.search("X509Certificate>([^<]+)<", requests.get(workspace.metadata_url).text)[1]
    assert verify_redirect_signature(sent, workspace.idp.sec.sec_backend, certificate)
    response = workspace.idp.parse_logout_request_response(sent["SAMLResponse"], BINDING_HTTP_REDIRECT)
    assert response.status_ok() and response.in_response_to == request_id and sent["RelayState"] == "ours"
    assert requests.get(f"{BASE}/api/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@check("pysaml2: connection test finds nothing wrong but http")
def tested():
    command = [os.environ["GATEHOUSE"], "connection", "test", workspace.connection, "--json"]
    findings = json.loads(subprocess.run(command, text=True, capture_output=True).stdout)
    assert [finding["what"] for finding in findings if finding["verdict"] != "ok"] == ["sign-in"], findings
