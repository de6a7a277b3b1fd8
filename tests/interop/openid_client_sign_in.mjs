// openid-client signs a person in: code with PKCE in each way that an answer comes back, pushed and
// signed requests, the ID token, userinfo, refresh, sign-out.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import * as jose from 'jose'
import * as oidc from 'openid-client'
import { APP, PASSWORD, check, cli, issuers, seen } from './issuer.mjs'
import { Person } from './person.mjs'

for (const { where, issuer, of } of await issuers('openid-client signs in')) {
  const email = `${randomUUID()}@example.org`
  cli(['user', 'create', ...of, '--email', email, '--password-stdin', '--email-verified'], PASSWORD)
  const create = (...args) =>
    cli(['client', 'create', '--name', 'openid-client', ...of, '--redirect-uri', `${APP}/callback`, '--post-logout-redirect-uri', `${APP}/bye`, ...args])
  const key = await jose.generateKeyPair('ES256', { extractable: true })
  const file = `jwks-${randomUUID()}.json`
  writeFileSync(file, JSON.stringify({ keys: [{ ...(await jose.exportJWK(key.publicKey)), alg: 'ES256', use: 'sig', kid: 'k' }] }))
  const withSecret = create('--id-token-alg', 'ES256')
  const clients = {
    'with a secret': [withSecret, oidc.ClientSecretBasic(withSecret.client_secret), 'ES256'],
    public: [create('--public'), oidc.None(), 'RS256'],
    'with a key': [create('--auth-method', 'private_key_jwt', '--jwks-file', file, '--userinfo-alg', 'EdDSA', '--id-token-alg', 'EdDSA'),
      oidc.PrivateKeyJwt({ key: key.privateKey, kid: 'k' }), 'EdDSA'],
  }
  await seen()

  const discover = async ([client, authentication, algorithm]) => {
    const config = await oidc.discovery(new URL(issuer), client.client_id,
      { id_token_signed_response_alg: algorithm, userinfo_signed_response_alg: algorithm === 'EdDSA' ? algorithm : undefined }, authentication,
      { execute: [oidc.allowInsecureRequests] }) // http, on loopback
    oidc.enableNonRepudiationChecks(config) // the ID token's signature, too
    return config
  }

  /** All of it; the tokens. */
  const signIn = async (config, person, more = {}, address = (parameters) => oidc.buildAuthorizationUrl(config, parameters)) => {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
    const answer = await person.open(await address({
      redirect_uri: `${APP}/callback`,
      scope: 'openid profile email offline_access',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
      ...more,
    }))
    return oidc.authorizationCodeGrant(config, answer, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true })
  }

  for (const [kind, client] of Object.entries(clients)) {
    await check(`${where}: a person signs in to an app ${kind}, which reads userinfo, refreshes and signs out`, async () => {
      const config = await discover(client)
      const person = new Person(email, PASSWORD, APP)
      const tokens = await signIn(config, person)
      const { sub, auth_time: authTime } = tokens.claims()
      const about = await oidc.fetchUserInfo(config, tokens.access_token, sub)
      assert.deepEqual([about.email, about.email_verified], [email, true])
      const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
      assert.notEqual(renewed.refresh_token, tokens.refresh_token)
      assert.deepEqual([renewed.claims().sub, renewed.claims().auth_time], [sub, authTime])
      await oidc.fetchUserInfo(config, renewed.access_token, sub)
      const end = oidc.buildEndSessionUrl(config, { post_logout_redirect_uri: `${APP}/bye`, id_token_hint: tokens.id_token, state: 's' })
      assert.equal((await person.open(end)).href, `${APP}/bye?state=s`)
      await assert.rejects(signIn(config, person, { prompt: 'none' }), (error) => error.error === 'login_required')
    })
  }

  const config = await discover(clients['with a secret'])
  await check(`${where}: the answer as a form`, async () => {
    assert.ok((await signIn(config, new Person(email, PASSWORD, APP), { response_mode: 'form_post' })).id_token)
  })
  await check(`${where}: a pushed request (RFC 9126)`, async () => {
    const push = (parameters) => oidc.buildAuthorizationUrlWithPAR(config, parameters)
    assert.ok((await signIn(config, new Person(email, PASSWORD, APP), {}, push)).id_token)
  })
  await check(`${where}: a signed request (RFC 9101), by value and pushed`, async () => {
    const config = await discover(clients['with a key'])
    const sign = (parameters) => oidc.buildAuthorizationUrlWithJAR(config, parameters, { key: key.privateKey, kid: 'k' })
    assert.ok((await signIn(config, new Person(email, PASSWORD, APP), {}, sign)).id_token)
    const both = async (parameters) => {
      const { searchParams } = await sign(parameters)
      return oidc.buildAuthorizationUrlWithPAR(config, searchParams)
    }
    assert.ok((await signIn(config, new Person(email, PASSWORD, APP), {}, both)).id_token)
  })
  await check(`${where}: max_age, claims and login_hint`, async () => {
    const person = new Person(email, PASSWORD, APP)
    const claims = JSON.stringify({ userinfo: { email: { essential: true } }, id_token: { email: null } })
    const tokens = await signIn(config, person, { scope: 'openid', max_age: 0, claims, login_hint: email })
    assert.equal(tokens.claims().email, email)
    assert.ok(tokens.claims().auth_time)
  })
  await check(`${where}: the wrong verifier is invalid_grant`, async () => {
    await assert.rejects(signIn(config, new Person(email, PASSWORD, APP), { code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()) }),
      (error) => error.error === 'invalid_grant')
  })
}
