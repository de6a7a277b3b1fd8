// openid-client and jose against a running gatehouse: discovery, tokens by every client
// authentication, their validation, the password grant, refresh, introspection, revocation.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as jose from 'jose'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { PASSWORD as password, check, cli, issuers, seen } from './issuer.mjs'

/** An OAuth error with this code, from the token endpoint. */
const refused = (code) => (error) => error.error === code

for (const { where, issuer, of } of await issuers('openid-client')) {
  const create = (...args) => cli(['client', 'create', '--name', 'openid-client', ...of, ...args])
  const machine = ['--grant', 'client_credentials']

  /** A client that has discovered the issuer. */
  const discover = (client, authentication, algorithm = 'oidc') =>
    oidc.discovery(new URL(issuer), client.client_id, client.client_secret, authentication, {
      algorithm,
      execute: [oidc.allowInsecureRequests], // http, on loopback
    })

  /** A resource server's checks (RFC 9068 §4). */
  const validate = async (config, token, algorithm = 'ES256') => {
    const request = new Request('http://localhost/resource', { headers: { authorization: `Bearer ${token}` } })
    const claims = await oauth.validateJwtAccessToken(config.serverMetadata(), request, issuer, {
      signingAlgorithms: [algorithm],
      [oauth.allowInsecureRequests]: true,
    })
    assert.equal(jose.decodeProtectedHeader(token).typ, 'at+jwt')
    return claims
  }

  const basic = create(...machine, '--scope', 'user:read')
  const post = create(...machine, '--auth-method', 'client_secret_post')
  const secretJwt = create(...machine, '--auth-method', 'client_secret_jwt')
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-interop-'))
  const keyed = {}
  for (const alg of ['RS256', 'ES256']) {
    const pair = await jose.generateKeyPair(alg, { extractable: true })
    const file = join(folder, `${alg}.json`)
    writeFileSync(file, JSON.stringify({ keys: [{ ...(await jose.exportJWK(pair.publicKey)), alg, use: 'sig', kid: alg }] }))
    keyed[alg] = {
      key: { key: pair.privateKey, kid: alg },
      client: create(...machine, '--auth-method', 'private_key_jwt', '--jwks-file', file),
    }
  }
  rmSync(folder, { recursive: true })
  const signing = Object.fromEntries(['ES256', 'RS256', 'EdDSA'].map((alg) => [alg, create(...machine, '--signing-alg', alg)]))
  const email = `${randomUUID()}@example.org`
  cli(['user', 'create', ...of, '--email', email, '--password-stdin', '--email-verified'], password)
  const forPeople = create('--grant', 'password', '--grant', 'refresh_token', '--scope', 'openid', '--scope', 'email', '--scope', 'offline_access')
  await seen()

  await check(`${where}: discovery, OpenID`, async () => {
    assert.equal((await discover(basic)).serverMetadata().issuer, issuer)
  })
  await check(`${where}: discovery, RFC 8414`, async () => {
    assert.equal((await discover(basic, undefined, 'oauth2')).serverMetadata().issuer, issuer)
  })

  const authentications = {
    client_secret_basic: [basic, oidc.ClientSecretBasic(basic.client_secret)],
    client_secret_post: [post, oidc.ClientSecretPost(post.client_secret)],
    client_secret_jwt: [secretJwt, oidc.ClientSecretJwt(secretJwt.client_secret)],
    'private_key_jwt RS256': [keyed.RS256.client, oidc.PrivateKeyJwt(keyed.RS256.key)],
    'private_key_jwt ES256': [keyed.ES256.client, oidc.PrivateKeyJwt(keyed.ES256.key)],
  }
  for (const [method, [client, authentication]] of Object.entries(authentications)) {
    await check(`${where}: client credentials, ${method}`, async () => {
      const config = await discover(client, authentication)
      const token = await oidc.clientCredentialsGrant(config)
      const claims = await validate(config, token.access_token)
      assert.equal(claims.sub, client.client_id)
      assert.equal(claims.client_id, client.client_id)
      assert.equal(claims.exp - claims.iat, token.expires_in)
    })
  }
  await check(`${where}: private_key_jwt with another's key is refused`, async () => {
    const { privateKey } = await jose.generateKeyPair('ES256')
    const config = await discover(keyed.ES256.client, oidc.PrivateKeyJwt(privateKey))
    await assert.rejects(oidc.clientCredentialsGrant(config), refused('invalid_client'))
  })
  await check(`${where}: a wrong secret is invalid_client`, async () => {
    const config = await discover(basic, oidc.ClientSecretBasic('wrong'))
    await assert.rejects(oidc.clientCredentialsGrant(config), (error) =>
      error.error === 'invalid_client' || error.code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE')
  })
  await check(`${where}: an unknown scope is invalid_scope`, async () => {
    const config = await discover(basic, oidc.ClientSecretBasic(basic.client_secret))
    await assert.rejects(oidc.clientCredentialsGrant(config, { scope: 'no:such' }), refused('invalid_scope'))
  })

  for (const [alg, client] of Object.entries(signing)) {
    await check(`${where}: access token signed with ${alg}`, async () => {
      const config = await discover(client, oidc.ClientSecretBasic(client.client_secret))
      const { access_token } = await oidc.clientCredentialsGrant(config)
      await validate(config, access_token, alg)
      const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri))
      const { protectedHeader } = await jose.jwtVerify(access_token, keys, { issuer, audience: issuer, typ: 'at+jwt', algorithms: [alg] })
      assert.ok(protectedHeader.kid)
    })
  }

  await check(`${where}: introspection and revocation`, async () => {
    const config = await discover(basic, oidc.ClientSecretBasic(basic.client_secret))
    const { access_token } = await oidc.clientCredentialsGrant(config, { scope: 'user:read' })
    const before = await oidc.tokenIntrospection(config, access_token)
    assert.equal(before.active, true)
    assert.equal(before.scope, 'user:read')
    await oidc.tokenRevocation(config, access_token, { token_type_hint: 'access_token' })
    assert.deepEqual(await oidc.tokenIntrospection(config, access_token), { active: false })
  })

  const signIn = (config, scope) => oidc.genericGrantRequest(config, 'password', { username: email, password, scope })
  await check(`${where}: password grant`, async () => {
    const config = await discover(forPeople, oidc.ClientSecretBasic(forPeople.client_secret))
    oidc.enableNonRepudiationChecks(config) // the ID token's signature, too
    const token = await signIn(config, 'openid email')
    const claims = await validate(config, token.access_token)
    if (token.id_token) assert.equal(token.claims().sub, claims.sub) // there is none without a sign-in through a browser
  })
  await check(`${where}: password grant with a wrong password`, async () => {
    const config = await discover(forPeople, oidc.ClientSecretBasic(forPeople.client_secret))
    await assert.rejects(oidc.genericGrantRequest(config, 'password', { username: email, password: 'wrong-password' }), refused('invalid_grant'))
  })
  await check(`${where}: refresh rotates, and the grace window gives the same successor`, async () => {
    const config = await discover(forPeople, oidc.ClientSecretBasic(forPeople.client_secret))
    oidc.enableNonRepudiationChecks(config)
    const first = await signIn(config, 'openid offline_access')
    const [second, again] = await Promise.all([0, 1].map(() => oidc.refreshTokenGrant(config, first.refresh_token)))
    assert.notEqual(second.refresh_token, first.refresh_token)
    assert.equal(again.refresh_token, second.refresh_token)
    assert.notEqual(again.access_token, second.access_token)
    await validate(config, second.access_token)
    await validate(config, (await oidc.refreshTokenGrant(config, second.refresh_token)).access_token)
  })
  await check(`${where}: a revoked refresh token is invalid_grant`, async () => {
    const config = await discover(forPeople, oidc.ClientSecretBasic(forPeople.client_secret))
    const token = await signIn(config, 'openid offline_access')
    await oidc.tokenRevocation(config, token.refresh_token)
    await assert.rejects(oidc.refreshTokenGrant(config, token.refresh_token), refused('invalid_grant'))
    assert.deepEqual(await oidc.tokenIntrospection(config, token.access_token), { active: false })
  })
}
