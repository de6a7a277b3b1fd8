// Sign-in by a provider that we did not write: oidc-provider (Node), and a second gatehouse beside it.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'
import { PASSWORD, Server, freePort } from '../browser/server.mjs'
import { launch } from '../browser/visitor.mjs'
import { check, seen } from './issuer.mjs'

const attribute = (tag, name) => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1].replaceAll('&amp;', '&').replaceAll('&#38;', '&')

/** A browser without script, which does what forms want until it is at this address. */
class Visitor {
  cookies = new Map()

  async request(at, fields) {
    const jar = this.cookies.get(new URL(at).port) ?? new Map()
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    const answer = await fetch(at, { method: fields ? 'POST' : 'GET', headers: { cookie }, redirect: 'manual', body: fields && new URLSearchParams(fields) })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      jar.set(name, value)
    }
    this.cookies.set(new URL(at).port, jar)
    return answer
  }

  /** The page at the end. */
  async go(from, to, typed) {
    let at = from
    let answer = await this.request(at)
    for (let steps = 0; steps < 20; steps += 1) {
      const location = answer.headers.get('location')
      if (location) {
        at = new URL(location, at).href
        answer = await this.request(at)
        continue
      }
      const html = await answer.text()
      if (answer.status === 200 && at === to) return html
      const [text] = /<form[\s\S]*?<\/form>/.exec(html) ?? []
      if (!text) throw new Error(`no way on from ${at}: ${answer.status} ${html.slice(0, 400)}`)
      const inputs = (text.match(/<input[^>]*>/g) ?? []).filter((input) => attribute(input, 'type') !== 'checkbox')
      const fields = Object.fromEntries(inputs.map((input) => [attribute(input, 'name'), attribute(input, 'value') ?? '']))
      for (const [name, value] of Object.entries(typed)) if (name in fields) fields[name] = value
      if (/value="allow"/.test(text)) fields.action = 'allow'
      at = new URL(attribute(text, 'action'), at).href
      answer = await this.request(at, fields)
    }
    throw new Error(`no end at ${at}`)
  }
}

const SECRET = 'a secret that both of them know'
const server = await Server.start({ OUTBOUND__ALLOW_NETWORKS: '127.0.0.1/32' })
const add = (name, issuer, ...more) =>
  server.cli(['connection', 'add-oidc', '--name', name, '--issuer-url', issuer, '--client-id', 'gatehouse', '--scope', 'email',
    '--scope', 'profile', '--client-secret-stdin', ...more], SECRET)

const port = await freePort()
const issuer = `http://localhost:${port}`
const connection = await add('oidc-provider', issuer)
const provider = new Provider(issuer, {
  clients: [{ client_id: 'gatehouse', client_secret: SECRET, redirect_uris: [connection.redirect_uri] }],
  claims: { email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true, name: `${id} there` }) }),
})
const http = createServer(provider.callback()).listen(port, '127.0.0.1')
await seen()

const signIn = (visitor, of, typed) => visitor.go(`${server.issuer}/login/with/${of.connection_id}`, `${server.issuer}/account`, typed)

await check('oidc-provider: somebody comes for the first time and again, and is the same', async () => {
  const typed = { login: 'grace', password: 'anything' }
  for (const visitor of [new Visitor(), new Visitor()]) assert.match(await signIn(visitor, connection, typed), /grace there/)
  const users = (await server.cli(['user', 'list'])).filter((user) => user.email === 'grace@example.org')
  assert.equal(users.length, 1)
})

if (process.env.CHROMIUM) {
  await check('oidc-provider: signs a person in in a real Chromium', async () => {
    const browser = await launch()
    try {
      const page = await browser.newPage()
      await page.goto(`${server.issuer}/login`)
      await page.click('a[href*="/login/with/"]')
      await page.fill('[name="login"]', 'ida')
      await page.fill('[name="password"]', 'anything')
      await page.click('[type="submit"]')
      await page.waitForSelector('text=Continue')
      await page.click('[type="submit"]')
      await page.waitForURL(`${server.issuer}/account`)
      assert.match(await page.textContent('main'), /ida there/)
    } finally {
      await browser.close()
    }
  })
}

await check('oidc-provider: what can be found out before anybody comes is as it must be', async () => {
  const findings = await server.cli(['connection', 'test', connection.connection_id])
  assert.ok(findings.every((finding) => finding.verdict === 'ok'), JSON.stringify(findings))
})

await check('oidc-provider: that it does not know us is said in plain words', async () => {
  const stranger = await add('Nobody knows us', issuer)
  const told = await server.cli(['connection', 'test', stranger.connection_id]).then(JSON.stringify, String)
  await server.cli(['connection', 'remove', stranger.connection_id])
  assert.match(told, /is wrong/)
})

await check('oidc-provider: a connection that is disabled lets nobody in', async () => {
  await server.cli(['connection', 'disable', connection.connection_id])
  await seen()
  await assert.rejects(signIn(new Visitor(), connection, { login: 'grace', password: 'anything' }), /404/)
})

const other = await Server.start()
const second = await add('A second gatehouse', other.issuer, '--userinfo')
const client = await other.cli(['client', 'create', '--name', 'The first', '--redirect-uri', second.redirect_uri])
await server.cli(['connection', 'remove', second.connection_id])
const third = await server.cli(['connection', 'add-oidc', '--name', 'A second gatehouse', '--issuer-url', other.issuer, '--client-id',
  client.client_id, '--client-secret-stdin', '--scope', 'email', '--scope', 'profile', '--userinfo'], client.client_secret)
await other.cli(['client', 'update', client.client_id, '--redirect-uri', third.redirect_uri])
await seen()

await check('a second gatehouse: somebody signs in there and is in here', async () => {
  const { email } = await other.person('Ada Byron')
  assert.match(await signIn(new Visitor(), third, { identifier: email, password: PASSWORD }), /Ada Byron/)
})

http.close()
http.closeAllConnections()
server.stop()
other.stop()
