#!/usr/bin/env bash
# The contract's own lines by curl: exact status, exact members, exact messages.
# Run by `run`, which sets ISSUER and GATEHOUSE (the binary; its environment names the database).
set -euo pipefail
base=$ISSUER
answer=$(mktemp) headers=$(mktemp)
trap 'rm -f "$answer" "$headers"' EXIT

# check NAME STATUS CONDITION CURL-ARGUMENTS…
# The condition is Python over `it` (the answer's JSON) and `head` (its headers, names in lower case).
check() {
  local name=$1 status=$2 condition=$3 got
  shift 3
  got=$(curl -sS -o "$answer" -D "$headers" -w '%{http_code}' "$@") || got="curl's exit code $?"
  python3 - "$name" "$status" "$condition" "$got" "$answer" "$headers" <<'PYTHON'
import json, sys
name, status, condition, got, answer, headers = sys.argv[1:]
body = open(answer, errors="replace").read()
head = dict(line.lower().split(": ", 1) for line in open(headers).read().splitlines() if ": " in line)
def members(what, *names):
    return set(what) == set(names)
try:
    it = json.loads(body)
    holds = got == status and eval(f"({condition})")
except Exception as error:
    body, holds = f"{error!r} {body}", False
if holds:
    print(f"ok  {name}")
else:
    print(f"NOT {name}: got {got} {body[:300]}, expected {status} {condition}")
PYTHON
}

# value EXPRESSION: from the last answer; nothing if it is not there, so that what follows says so too.
value() { python3 -c 'import json, sys; it = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$answer" "$1" 2>/dev/null || true; }
json() { check "$1" "$2" "$3" -H 'Content-Type: application/json' "${@:4}"; }
bearer() { printf 'Authorization: Bearer %s' "$1"; }
gatehouse() { "$GATEHOUSE" "$@" --json; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

check "GET /health" 200 'it == {"status": "ok"}' "$base/health"
check "GET /readyz" 200 'True' "$base/readyz"

# Tenants
json "tenant: created" 201 'members(it, "id", "name", "public_key", "secret_key", "created_at") and it["name"] == "Acme"
  and it["id"].startswith("tnt_") and it["public_key"].startswith("pub_") and it["secret_key"].startswith("sec_")' \
  "$base/v1/tenants" -d '{"name":"Acme"}'
tenant=$(value 'it["id"]') public=$(value 'it["public_key"]') secret=$(value 'it["secret_key"]')
json "tenant: without a name" 400 'it == {"error": "\"name\" is required"}' "$base/v1/tenants" -d '{}'
json "tenant: malformed JSON" 400 'members(it, "error")' "$base/v1/tenants" -d '{"name":'
check "tenant: shown" 200 'members(it, "id", "name", "api_secret_key_hash", "api_public_key", "created_at")
  and it["api_public_key"] == "'"$public"'"' "$base/v1/tenants/$tenant"
check "tenant: unknown" 404 'it == {"error": "tenant not found"}' "$base/v1/tenants/tnt_unknown"
json "tenant: another" 201 'True' "$base/v1/tenants" -d '{"name":"Other"}'
other=$(value 'it["secret_key"]')

# Users of a tenant
alice='{"email":"alice@example.org","password":"secret1","profile":{"team":"blue"}}'
json "register" 201 'members(it, "id", "email", "profile", "created_at") and it["id"].startswith("usr_")
  and it["profile"] == {"team": "blue"}' "$base/v1/auth/register" -H "$(bearer "$public")" -d "$alice"
user=$(value 'it["id"]')
register() { json "register: $1" "$2" "it == {'error': '$3'}" "$base/v1/auth/register" -H "$(bearer "$4")" -d "$5"; }
register "the address again" 409 'email already registered' "$secret" "$alice"
register "no address" 400 '"email" is required' "$public" '{"password":"secret1"}'
register "no password" 400 '"password" is required' "$public" '{"email":"bob@example.org"}'
register "short password" 400 '"password" must be at least 6 characters' "$public" '{"email":"bob@example.org","password":"12345"}'
register "not an address" 400 '"email" is not a valid email' "$public" '{"email":"bob","password":"secret1"}'
register "unknown key" 401 'tenant not found' pub_unknown "$alice"
json "register: no key" 401 'it == {"error": "tenant not found"}' "$base/v1/auth/register" -d "$alice"
json "login" 200 'members(it, "user", "token") and members(it["user"], "id", "email", "profile", "created_at")
  and it["user"]["id"] == "'"$user"'"' "$base/v1/auth/login" -H "$(bearer "$public")" -d "$alice"
token=$(value 'it["token"]')
json "login: wrong password" 401 'it == {"error": "invalid email or password"}' "$base/v1/auth/login" \
  -H "$(bearer "$public")" -d '{"email":"alice@example.org","password":"wrong-password"}'
json "login: unknown person" 401 'it == {"error": "invalid email or password"}' "$base/v1/auth/login" \
  -H "$(bearer "$public")" -d '{"email":"nobody@example.org","password":"wrong-password"}'
json "login: in another tenant" 401 'it == {"error": "invalid email or password"}' "$base/v1/auth/login" -H "$(bearer "$other")" -d "$alice"
check "me" 200 'members(it, "id", "email", "profile", "created_at") and it["id"] == "'"$user"'"' "$base/v1/users/me" -H "$(bearer "$token")"
check "me: no token" 401 'it == {"error": "user not authenticated"}' "$base/v1/users/me"
check "me: bad token" 401 'it == {"error": "user not authenticated"}' "$base/v1/users/me" -H "$(bearer "${token}x")"
json "register: another" 201 'True' "$base/v1/auth/register" -H "$(bearer "$public")" -d '{"email":"carol@example.org","password":"secret1"}'
check "users" 200 'len(it["users"]) == 2 and "next_cursor" not in it' "$base/v1/users" -H "$(bearer "$secret")"
check "users: a page" 200 'len(it["users"]) == 1 and it["next_cursor"]' "$base/v1/users?limit=1" -H "$(bearer "$secret")"
cursor=$(value 'it["next_cursor"]')
check "users: the next page" 200 'len(it["users"]) == 1 and not it.get("next_cursor")' -G "$base/v1/users" \
  --data-urlencode limit=1 --data-urlencode "cursor=$cursor" -H "$(bearer "$secret")"
check "users: with the public key" 401 'it == {"error": "tenant not found"}' "$base/v1/users" -H "$(bearer "$public")"
check "user" 200 'members(it, "id", "email", "profile", "created_at")' "$base/v1/users/$user" -H "$(bearer "$secret")"
check "user: of another tenant" 404 'it == {"error": "user not found"}' "$base/v1/users/$user" -H "$(bearer "$other")"

# Services
json "service: registered" 201 'members(it, "client_id", "client_secret", "service_name", "description", "created_at", "message", "warning")
  and it["client_id"].startswith("svc_") and it["message"] == "Service registered successfully"
  and it["warning"] == "Please save the client_secret securely. It will not be shown again."' \
  "$base/v1/internal/services/register" -d '{"service_name":"billing","description":"Invoices"}'
service=$(value 'it["client_id"]') service_secret=$(value 'it["client_secret"]')
check "token: Basic" 200 'it["token_type"] == "Bearer" and it["expires_in"] == 300 and it["access_token"]
  and head["cache-control"] == "no-store" and head["content-type"].startswith("application/json")' \
  -u "$service:$service_secret" "$base/oauth/token" -d grant_type=client_credentials
service_token=$(value 'it["access_token"]')
check "token: unknown client" 401 'it == {"error": "invalid_client", "error_description": "Client not found"} and "basic" in head["www-authenticate"]' \
  -u "svc_unknown:$service_secret" "$base/oauth/token" -d grant_type=client_credentials
check "token: wrong secret" 401 'it["error"] == "invalid_client" and "basic" in head["www-authenticate"]' \
  -u "$service:wrong" "$base/oauth/token" -d grant_type=client_credentials
check "token: two methods" 400 'it["error"] == "invalid_request"' -u "$service:$service_secret" "$base/oauth/token" \
  -d grant_type=client_credentials -d "client_id=$service" -d "client_secret=$service_secret"
check "token: a parameter twice" 400 'it["error"] == "invalid_request"' -u "$service:$service_secret" "$base/oauth/token" \
  -d grant_type=client_credentials -d grant_type=client_credentials
check "token: unknown grant type" 400 'it["error"] == "unsupported_grant_type"' -u "$service:$service_secret" "$base/oauth/token" -d grant_type=magic
check "token: no grant type" 400 'it["error"] == "invalid_request"' -u "$service:$service_secret" "$base/oauth/token" -d scope=x
json "authenticate" 200 'members(it, "access_token", "token_type", "expires_in", "scopes") and it["token_type"] == "Bearer"
  and it["expires_in"] == 300 and it["scopes"] == []' \
  "$base/v1/internal/services/authenticate" -d '{"client_id":"'"$service"'","client_secret":"'"$service_secret"'"}'
json "authenticate: unknown client" 401 'it == {"error": "Client not found"}' \
  "$base/v1/internal/services/authenticate" -d '{"client_id":"svc_unknown","client_secret":"wrong"}'
json "authenticate: wrong secret" 401 'it == {"error": "Invalid client credentials"}' \
  "$base/v1/internal/services/authenticate" -d '{"client_id":"'"$service"'","client_secret":"wrong"}'
json "validate-token" 200 'members(it, "valid", "client_id", "scopes", "exp") and it["valid"] is True
  and it["client_id"] == "'"$service"'"' "$base/v1/internal/services/validate-token" -d '{"token":"'"$service_token"'"}'
json "validate-token: a bad one" 200 'it == {"valid": False}' "$base/v1/internal/services/validate-token" -d '{"token":"nonsense"}'

admin=$(gatehouse client create --name admin --grant client_credentials --scope internal:admin || true)
admin_id=$(field client_id <<<"$admin" || true) admin_secret=$(field client_secret <<<"$admin" || true)
sleep 1 # a running server sees what the command line did within a second
check "admin: token" 200 '"internal:admin" in it.get("scope", "").split()' -u "$admin_id:$admin_secret" "$base/oauth/token" \
  -d grant_type=client_credentials -d scope=internal:admin
admin_token=$(value 'it["access_token"]')
internal=$base/v1/internal/services
scope='{"client_id":"'"$service"'","scope_name":"user:read"}'
for again in first again; do
  json "grant-scope: $again" 200 'it == {"message": "Scope granted successfully"}' "$internal/grant-scope" -H "$(bearer "$admin_token")" -d "$scope"
done
json "grant-scope: unknown client" 404 'members(it, "error")' "$internal/grant-scope" -H "$(bearer "$admin_token")" \
  -d '{"client_id":"svc_unknown","scope_name":"user:read"}'
json "grant-scope: unknown scope" 400 'members(it, "error")' "$internal/grant-scope" -H "$(bearer "$admin_token")" \
  -d '{"client_id":"'"$service"'","scope_name":"no:such"}'
json "grant-scope: no token" 401 'members(it, "error")' "$internal/grant-scope" -d "$scope"
json "grant-scope: not an administrator" 403 'members(it, "error")' "$internal/grant-scope" -H "$(bearer "$service_token")" -d "$scope"
json "check-permission: itself" 200 'it == {"has_permission": True}' "$internal/check-permission" -H "$(bearer "$service_token")" -d "$scope"
json "check-permission: not held" 200 'it == {"has_permission": False}' "$internal/check-permission" -H "$(bearer "$service_token")" \
  -d '{"client_id":"'"$service"'","scope_name":"user:write"}'
json "check-permission: about another" 403 'members(it, "error")' "$internal/check-permission" -H "$(bearer "$service_token")" \
  -d '{"client_id":"'"$admin_id"'","scope_name":"user:read"}'
json "check-permission: about another, as administrator" 200 'it == {"has_permission": True}' "$internal/check-permission" \
  -H "$(bearer "$admin_token")" -d "$scope"
check "token: with the scope" 200 'it["scope"] == "user:read"' -u "$service:$service_secret" "$base/oauth/token" -d grant_type=client_credentials
scoped=$(value 'it["access_token"]')
json "validate-token: with the scope" 200 'it["valid"] and it["scopes"] == ["user:read"]' "$internal/validate-token" -d '{"token":"'"$scoped"'"}'
for again in first again; do
  json "revoke-scope: $again" 200 'it == {"message": "Scope revoked successfully"}' "$internal/revoke-scope" -H "$(bearer "$admin_token")" -d "$scope"
done
sleep 1
json "revoke-scope: gone from issued tokens" 200 'not it["valid"] or it["scopes"] == []' "$internal/validate-token" -d '{"token":"'"$scoped"'"}'
json "check-permission: no longer" 200 'it == {"has_permission": False}' "$internal/check-permission" -H "$(bearer "$admin_token")" -d "$scope"
check "services" 200 '"'"$service"'" in [each["client_id"] for each in it["services"]]
  and all(members(each, "client_id", "service_name", "description", "created_at") for each in it["services"])' \
  "$internal" -H "$(bearer "$admin_token")"
check "services: not an administrator" 403 'members(it, "error")' "$internal" -H "$(bearer "$service_token")"
sleep 1 # the access log is written behind the requests
check "logs" 200 'len(it) == 3 and it[0]["id"] > it[-1]["id"] and all(members(row, "id", "client_id", "endpoint", "method",
  "status_code", "response_time_ms", "ip_address", "user_agent", "created_at") for row in it)' \
  "$internal/$service/logs?limit=3&offset=0" -H "$(bearer "$admin_token")"
for since in 30m 24h 7d 2020-01-01T00:00:00Z; do
  check "statistics since $since" 200 'members(it, "client_id", "since", "total_requests", "avg_response_time", "error_count", "success_rate")
    and it["total_requests"] >= it["error_count"] > 0 and 0 <= it["success_rate"] <= 100' \
    "$internal/$service/statistics?since=$since" -H "$(bearer "$admin_token")"
done
check "statistics: bad since" 400 'members(it, "error")' "$internal/$service/statistics?since=yesterday" -H "$(bearer "$admin_token")"
check "cleanup-tokens" 200 'it == {"message": "Expired tokens cleaned up successfully"}' -X POST "$internal/cleanup-tokens" -H "$(bearer "$admin_token")"

# /api/internal: a service's door to the installation
control=$base/api/internal
holder=$(gatehouse client create --name control --grant client_credentials --scope user:read --scope user:write \
  --scope tenant:read --scope auth:token --scope internal:admin || true)
holder_id=$(field client_id <<<"$holder" || true) holder_secret=$(field client_secret <<<"$holder" || true)
sleep 1
check "control: token" 200 'set(it["scope"].split()) == {"user:read", "user:write", "tenant:read", "auth:token", "internal:admin"}' \
  -u "$holder_id:$holder_secret" "$base/oauth/token" -d grant_type=client_credentials
control_token=$(value 'it["access_token"]')
check "control: a service without scopes, token" 200 'it["access_token"]' -u "$service:$service_secret" "$base/oauth/token" -d grant_type=client_credentials
plain_token=$(value 'it["access_token"]')
for path in users "users/$user" tenants admin/services; do
  check "GET /api/internal/${path/$user/ID}: no token" 401 '"www-authenticate" in head' "$control/$path"
  check "GET /api/internal/${path/$user/ID}: bad token" 401 '"invalid_token" in head["www-authenticate"]' "$control/$path" -H "$(bearer nonsense)"
  check "GET /api/internal/${path/$user/ID}: no scope" 403 'it == {"error": "Forbidden"} and "insufficient_scope" in head["www-authenticate"]' \
    "$control/$path" -H "$(bearer "$plain_token")"
done
json "POST /api/internal/users: no token" 401 '"www-authenticate" in head' "$control/users" -d '{"email":"erin@example.org"}'
json "POST /api/internal/users: no scope" 403 'it == {"error": "Forbidden"} and "insufficient_scope" in head["www-authenticate"]' \
  "$control/users" -H "$(bearer "$plain_token")" -d '{"email":"erin@example.org"}'
json "POST /api/internal/auth/token: no scope" 403 'it == {"error": "Forbidden"} and "insufficient_scope" in head["www-authenticate"]' \
  "$control/auth/token" -H "$(bearer "$plain_token")" -d '{"user_id":"'"$user"'"}'

with_control() { local name=$1; shift; json "/api/internal/$name" "$@" -H "$(bearer "$control_token")"; }
with_control "users: created" 201 'it["id"].startswith("usr_") and it["email"] == "erin@example.org" and it["name"] == "Erin" and it["created_at"]' \
  "$control/users" -d '{"email":"erin@example.org","password":"a long enough password","name":"Erin"}'
erin=$(value 'it["id"]')
with_control "users: created in a tenant" 201 'it["profile"] == {"team": "red"}' \
  "$control/users" -d '{"email":"frank@example.org","password":"secret1","tenant_id":"'"$tenant"'","profile":{"team":"red"}}'
frank=$(value 'it["id"]')
with_control "users: created without a password" 201 'it["email"] == "grace@example.org"' "$control/users" -d '{"email":"grace@example.org"}'
with_control "users: the address again" 409 'members(it, "error")' "$control/users" -d '{"email":"Erin@example.org"}'
with_control "users: no address" 400 'it == {"error": "\"email\" is required"}' "$control/users" -d '{}'
with_control "users: in no such tenant" 404 'it == {"error": "tenant not found"}' "$control/users" -d '{"email":"x@example.org","tenant_id":"tnt_unknown"}'
json "/api/internal/users: who was created signs in" 200 'it["user"]["id"] == "'"$frank"'"' "$base/v1/auth/login" \
  -H "$(bearer "$public")" -d '{"email":"frank@example.org","password":"secret1"}'
with_control "users" 200 'members(it, "users", "total", "page", "per_page") and it["page"] == 1 and it["per_page"] == 20
  and it["total"] >= len(it["users"]) and all(members(each, "id", "email", "name", "role", "is_active", "created_at") for each in it["users"])
  and {"'"$erin"'", "'"$user"'"} <= {each["id"] for each in it["users"]}' "$control/users"
with_control "users: of a tenant, a page" 200 'it["total"] == 3 and it["page"] == 2 and it["per_page"] == 1 and len(it["users"]) == 1' \
  "$control/users?tenant_id=$tenant&page=2&per_page=1"
with_control "users: by name" 200 '[each["id"] for each in it["users"]] == ["'"$erin"'"]' "$control/users?search=erin"
with_control "users: by role" 200 '"admin@example.org" in [each["email"] for each in it["users"]]
  and all(each["role"] == "super_admin" for each in it["users"])' "$control/users?role=super_admin"
with_control "users: who may not sign in" 200 'it["users"] == [] and it["total"] == 0' "$control/users?is_active=false"
with_control "users: a hundred to a page at most" 200 'it["per_page"] == 100' "$control/users?per_page=101"
with_control "user" 200 'it == {"id": "'"$erin"'", "email": "erin@example.org", "name": "Erin", "role": "user", "workspaces": []}' "$control/users/$erin"
with_control "user: of another tenant" 200 'it["email"] == "frank@example.org"' "$control/users/$frank"
with_control "user: unknown" 404 'it == {"error": "user not found"}' "$control/users/usr_unknown"
with_control "tenants" 200 'members(it, "tenants", "total", "page", "per_page") and it["total"] >= 3
  and all(members(each, "id", "name", "api_public_key", "created_at") for each in it["tenants"])
  and "'"$public"'" in [each["api_public_key"] for each in it["tenants"]]' "$control/tenants?per_page=100"
with_control "admin/services" 200 '"'"$service"'" in [each["client_id"] for each in it["services"]]
  and all(members(each, "client_id", "service_name", "description", "created_at") for each in it["services"])' "$control/admin/services"
with_control "auth/token" 200 'members(it, "access_token", "token_type", "expires_in", "scope") and it["token_type"] == "Bearer"
  and 0 < it["expires_in"] <= 3600 and it["scope"] == "user:read"' "$control/auth/token" -d '{"user_id":"'"$erin"'","scope":"user:read"}'
acting=$(value 'it["access_token"]')
check "/api/internal/auth/token: names who acts" 200 'it["active"] and it["sub"] == "'"$erin"'" and it["act"] == {"sub": "'"$holder_id"'"}' \
  -u "$holder_id:$holder_secret" "$base/oauth/introspect" -d "token=$acting"
check "/api/internal/auth/token: speaks for the user" 200 'it["id"] == "'"$erin"'"' "$base/v1/users/me" -H "$(bearer "$acting")"
with_control "auth/token: an hour at most" 200 'it["expires_in"] == 3600' "$control/auth/token" -d '{"user_id":"'"$erin"'","expires_in":7200}'
with_control "auth/token: nothing that the service does not hold" 200 'it["scope"] == "user:read"' "$control/auth/token" \
  -d '{"user_id":"'"$erin"'","scope":"user:read system:admin"}'
with_control "auth/token: for a user of another tenant" 200 'it["access_token"]' "$control/auth/token" -d '{"user_id":"'"$frank"'"}'
check "/api/internal/auth/token: speaks for that user, too" 200 'it["id"] == "'"$frank"'" and it["profile"] == {"team": "red"}' \
  "$base/v1/users/me" -H "$(bearer "$(value 'it["access_token"]')")"
with_control "auth/token: no user" 400 'members(it, "error")' "$control/auth/token" -d '{}'
with_control "auth/token: unknown user" 404 'it == {"error": "user not found"}' "$control/auth/token" -d '{"user_id":"usr_unknown"}'
sleep 1
check "/api/internal: in the access log" 200 'any(row["endpoint"].startswith("/api/internal/auth/token") and row["method"] == "POST" for row in it)' \
  "$internal/$holder_id/logs?limit=50" -H "$(bearer "$admin_token")"

# Introspection and revocation
check "introspect" 200 'it["active"] is True and it["client_id"] == "'"$service"'" and it["iss"] == "'"$base"'"' \
  -u "$service:$service_secret" "$base/oauth/introspect" -d "token=$service_token"
check "introspect: unknown token" 200 'it == {"active": False}' -u "$service:$service_secret" "$base/oauth/introspect" -d token=nonsense
check "introspect: no client" 401 'it["error"] == "invalid_client"' "$base/oauth/introspect" -d "token=$service_token"
check "introspect: no token" 400 'it["error"] == "invalid_request"' -u "$service:$service_secret" "$base/oauth/introspect" -d x=y
status() { # status NAME STATUS CURL-ARGUMENTS…: for answers without a JSON body
  local name=$1 status=$2 got
  shift 2
  got=$(curl -sS -o /dev/null -w '%{http_code}' "$@")
  if [ "$got" = "$status" ]; then echo "ok  $name"; else echo "NOT $name: got $got, expected $status"; fi
}
status "revoke" 200 -u "$service:$service_secret" "$base/oauth/revoke" -d "token=$service_token"
status "revoke: unknown token" 200 -u "$service:$service_secret" "$base/oauth/revoke" -d token=nonsense
check "revoke: then introspection" 200 'it == {"active": False}' -u "$service:$service_secret" "$base/oauth/introspect" -d "token=$service_token"
json "revoke: then validate-token" 200 'it == {"valid": False}' "$internal/validate-token" -d '{"token":"'"$service_token"'"}'
json "revoke: then as a bearer" 401 'members(it, "error")' "$internal/check-permission" -H "$(bearer "$service_token")" -d "$scope"

# Metadata and keys, of the default tenant and of another
check "discovery" 200 'it["issuer"] == "'"$base"'" and it["token_endpoint"] == "'"$base"'/oauth/token" and head["access-control-allow-origin"] == "*"' \
  "$base/.well-known/openid-configuration" -H 'Origin: https://app.example.org'
check "metadata (RFC 8414)" 200 'it["issuer"] == "'"$base"'"' "$base/.well-known/oauth-authorization-server"
issuer=$base/t/$tenant
for path in "/t/$tenant/.well-known/openid-configuration" "/.well-known/openid-configuration/t/$tenant" \
  "/t/$tenant/.well-known/oauth-authorization-server" "/.well-known/oauth-authorization-server/t/$tenant"; do
  check "tenant issuer: ${path/$tenant/ID}" 200 'it["issuer"] == "'"$issuer"'" and it["jwks_uri"] == "'"$issuer"'/.well-known/jwks.json"' "$base$path"
done
check "tenant issuer: unknown" 404 'True' "$base/t/tnt_unknown/.well-known/openid-configuration"
for of in "$issuer" "$base"; do
  check "keys of ${of/$tenant/ID}" 200 'it["keys"] and all(key["kid"] and not set(key) & {"d", "p", "q", "k"} for key in it["keys"])
    and len({key["kid"] for key in it["keys"]}) == len(it["keys"]) and "etag" in head and "max-age" in head["cache-control"]' \
    "$of/.well-known/jwks.json"
done
etag=$(sed -n 's/^etag: *\(.*\)\r$/\1/Ip' "$headers")
# A new tenant gets its next keys within a minute; those of the default one are there.
status "keys: not modified" 304 "$base/.well-known/jwks.json" -H "If-None-Match: $etag"
