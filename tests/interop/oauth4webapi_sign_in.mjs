// oauth4webapi signs a person in: discovery, code with PKCE, every check of its own on the answers,
// userinfo, refresh, revocation, sign-out.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import * as oauth from 'oauth4webapi'
import { APP, PASSWORD, check, cli, issuers, seen } from './issuer.mjs'
import { Person } from './person.mjs'

const http = { [oauth.allowInsecureRequests]: true } // on loopback

for (const { where, issuer, of } of await issuers('oauth4webapi')) {
  const email = `${randomUUID()}@example.org`
  cli(['user', 'create', ...of, '--email', email, '--password-stdin', '--email-verified'], PASSWORD)
  const create = (...args) =>
    cli(['client', 'create', '--name', 'oauth4webapi', ...of, '--redirect-uri', `${APP}/callback`, '--post-logout-redirect-uri', `${APP}/bye`, ...args])
  const post = create('--auth-method', 'client_secret_post')
  const clients = [
    ['with a secret', post, oauth.ClientSecretPost(post.client_secret ?? '')],
    ['public, with opaque tokens', create('--public', '--access-token-format', 'opaque'), oauth.None()],
  ]
  await seen()
  const url = new URL(issuer)
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, http))

  for (const [kind, client, authentication] of clients) {
    await check(`${where}: a person signs in to an app ${kind}, which reads userinfo, refreshes, revokes and signs out`, async () => {
      const person = new Person(email, PASSWORD, APP)
      const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()]
      const request = new URL(server.authorization_endpoint)
      request.search = new URLSearchParams({
        client_id: client.client_id,
        redirect_uri: `${APP}/callback`,
        response_type: 'code',
        scope: 'openid email offline_access',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        max_age: '300',
      })
      const answer = oauth.validateAuthResponse(server, client, await person.open(request), state)
      const redeemed = await oauth.authorizationCodeGrantRequest(server, client, authentication, answer, `${APP}/callback`, verifier, http)
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, redeemed, { expectedNonce: nonce, maxAge: 300, requireIdToken: true })
      await oauth.validateApplicationLevelSignature(server, redeemed, http)
      const { sub } = oauth.getValidatedIdTokenClaims(tokens)

      const about = async (token) =>
        oauth.processUserInfoResponse(server, client, sub, await oauth.userInfoRequest(server, client, token, http))
      assert.equal((await about(tokens.access_token)).email, email)
      const refreshed = await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, http)
      const renewed = await oauth.processRefreshTokenResponse(server, client, refreshed)
      assert.equal((await about(renewed.access_token)).sub, sub)
      await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, renewed.refresh_token, http))
      await assert.rejects(about(renewed.access_token), (error) => error.cause[0].parameters.error === 'invalid_token')

      const end = new URL(server.end_session_endpoint)
      end.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: `${APP}/bye` })
      assert.equal((await person.open(end)).href, `${APP}/bye`)
    })
  }
}
