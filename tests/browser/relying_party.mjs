// An app on another site that signs people in with openid-client, and says on its pages what it got.

import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import * as oidc from 'openid-client'

const page = (title, text = '') =>
  `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1><p>${text}</p><a href="/sign-out">Sign out</a>`

export class RelyingParty {
  /** Clients that differ by what they are registered with. */
  static async start(server, ...registration) {
    const app = new RelyingParty()
    app.server = server
    app.pending = new Map()
    app.heard = []
    app.http = createServer((request, response) => {
      app.answer(request).then(
        ([status, headers, body]) => response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body),
        (error) => response.writeHead(200, { 'content-type': 'text/html' }).end(page('Not signed in', error.error ?? error.message)),
      )
    })
    await new Promise((resolve) => app.http.listen(0, '127.0.0.1', resolve))
    app.url = `http://127.0.0.1:${app.http.address().port}`
    app.client = await server.cli(['client', 'create', '--name', 'Harbour Weather',
      '--redirect-uri', `${app.url}/callback`, '--post-logout-redirect-uri', `${app.url}/signed-out`, ...registration])
    await sleep(1000)
    app.config = await oidc.discovery(new URL(server.issuer), app.client.client_id, app.client.client_secret, undefined, {
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks], // http, on loopback
    })
    return app
  }

  stop() {
    this.http.close()
    this.http.closeAllConnections()
  }

  /** Where a sign-in begins. */
  start(parameters = {}) {
    return `${this.url}/start?${new URLSearchParams(parameters)}`
  }

  async answer(request) {
    const url = new URL(request.url, this.url)
    switch (url.pathname) {
      case '/start':
        return [303, { location: (await this.begin(Object.fromEntries(url.searchParams))).href }]
      case '/callback':
        return [200, {}, await this.finish(request, url)]
      case '/front-channel':
        this.heard.push(Object.fromEntries(url.searchParams))
        return [200, {}, 'heard']
      case '/sign-out': {
        const parameters = { post_logout_redirect_uri: `${this.url}/signed-out`, id_token_hint: this.tokens.id_token, state: 'bye' }
        return [303, { location: oidc.buildEndSessionUrl(this.config, parameters).href }]
      }
      case '/signed-out':
        return [200, {}, page('Signed out', url.searchParams.get('state'))]
      default:
        return [404, {}, '']
    }
  }

  async begin(parameters) {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
    const state = oidc.randomState()
    const nonce = oidc.randomNonce()
    this.pending.set(state, { pkceCodeVerifier, expectedState: state, expectedNonce: nonce })
    return oidc.buildAuthorizationUrl(this.config, {
      redirect_uri: `${this.url}/callback`,
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...parameters,
    })
  }

  async finish(request, url) {
    let answer = url
    let state = url.searchParams.get('state')
    if (request.method === 'POST') { // form_post
      let body = ''
      for await (const chunk of request) body += chunk
      state = new URLSearchParams(body).get('state')
      answer = new Request(url, { method: 'POST', body, headers: { 'content-type': request.headers['content-type'] } })
    }
    const pending = this.pending.get(state)
    if (!pending) throw new Error('an answer that nobody waits for')
    this.pending.delete(state)
    this.tokens = await oidc.authorizationCodeGrant(this.config, answer, pending)
    this.method = request.method
    const { sub } = this.tokens.claims()
    const about = await oidc.fetchUserInfo(this.config, this.tokens.access_token, sub)
    return page('Signed in', about.email)
  }

  /** Rotates the refresh token. */
  async refresh() {
    return oidc.refreshTokenGrant(this.config, this.tokens.refresh_token)
  }
}
