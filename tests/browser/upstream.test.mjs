// Sign-in by a provider elsewhere: a second gatehouse, a button, an address that leads there, linked accounts.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RelyingParty } from './relying_party.mjs'
import { PASSWORD, Server } from './server.mjs'
import { launch } from './visitor.mjs'
import { SCRIPTED, walk, world } from './walk.mjs'

before(async () => {
  world.upstream = await Server.start()
  world.server = await Server.start({ OUTBOUND__ALLOW_NETWORKS: '127.0.0.1/32' })
  const connection = await world.server.cli(['connection', 'add-oidc', '--name', 'Northern Lighthouse', '--userinfo',
    '--issuer-url', world.upstream.issuer, '--client-id', 'weather', '--scope', 'email', '--scope', 'profile',
    '--domain', 'lighthouse.example'])
  await world.upstream.cli(['client', 'create', '--name', 'Harbour', '--id', 'weather', '--public',
    '--redirect-uri', connection.redirect_uri])
  // Of a company, so without a button.
  const company = await world.server.cli(['catalog', 'add-company', '--name', 'Dry dock'])
  world.nobody = await world.server.cli(['connection', 'add-oidc', '--name', 'Dry Dock', '--organization', company.key,
    '--issuer-url', 'http://127.0.0.1:1', '--client-id', 'weather'])
  const findings = await world.server.cli(['connection', 'test', connection.connection_id])
  assert.ok(findings.length > 5 && findings.every((finding) => finding.verdict === 'ok'), JSON.stringify(findings))
  world.app = await RelyingParty.start(world.server)
  world.browser = await launch()
  await sleep(1000)
})

after(async () => {
  await world.browser?.close()
  world.app?.stop()
  world.server?.stop()
  world.upstream?.stop()
})

const BUTTON = 'a[href*="/login/with/"]'

/** Signs in at the other gatehouse, which asks for consent, and comes back. */
async function elsewhere(visitor, person) {
  await visitor.page.waitForURL((url) => url.origin === world.upstream.issuer && url.pathname === '/login')
  await visitor.signIn(person)
  await visitor.at('/consent')
  await visitor.press('allow')
}

walk('by a button, for the first time and again', async (visitor) => {
  const person = await world.upstream.person('Grace Hopper')
  await visitor.open(world.app.start())
  await visitor.at('/login')
  await visitor.look('login-elsewhere')
  await visitor.follow(BUTTON)
  await elsewhere(visitor, person)
  await visitor.page.waitForURL((url) => url.origin === world.server.issuer && url.pathname === '/consent')
  await visitor.press('allow')
  await visitor.arrives(world.app, 'Signed in', person.email)
  await visitor.open('/account/sign-ins')
  await visitor.look('account-sign-ins')
})

walk('an address that leads there', async (visitor) => {
  const email = `${crypto.randomUUID().slice(0, 8)}@lighthouse.example`
  await world.upstream.cli(['user', 'create', '--name', 'Ada', '--email', email, '--email-verified', '--password-stdin'], PASSWORD)
  await visitor.open('/login')
  await visitor.fill({ identifier: email })
  await visitor.press()
  await elsewhere(visitor, { email, password: PASSWORD })
  await visitor.page.waitForURL((url) => url.origin === world.server.issuer && url.pathname === '/account')
})

walk('an address that has an account here is linked after a sign-in here', async (visitor) => {
  const person = await world.upstream.person('Joan Clarke')
  await world.server.cli(['user', 'create', '--name', 'Joan', '--email', person.email, '--email-verified', '--password-stdin'], PASSWORD)
  await visitor.open('/login')
  await visitor.follow(BUTTON)
  await elsewhere(visitor, person)
  await visitor.page.waitForURL((url) => url.origin === world.server.issuer && url.pathname.endsWith('/callback'))
  await visitor.look('upstream-offered')
  visitor.forgive(/409/)
  await visitor.follow('main a.button')
  await visitor.signIn(person)
  await visitor.at('/account/sign-ins')
  await visitor.look('account-sign-ins-offered')
  await visitor.press('accept')
  await visitor.has('.alert.good')
  await visitor.press('unlink')
  await visitor.has('.alert.good')
}, SCRIPTED)

walk('who says no there, or finds nobody there, is told so', async (visitor) => {
  const person = await world.upstream.person('Mary Sears')
  await visitor.open('/login')
  await visitor.follow(BUTTON)
  await visitor.page.waitForURL((url) => url.origin === world.upstream.issuer && url.pathname === '/login')
  await visitor.signIn(person)
  await visitor.at('/consent')
  await visitor.press('deny')
  await visitor.page.waitForURL((url) => url.origin === world.server.issuer && url.pathname.endsWith('/callback'))
  await visitor.look('upstream-declined')
  await visitor.open(`/login/with/${world.nobody.connection_id}`)
  await visitor.look('upstream-unreachable')
  visitor.forgive(/503/)
  await visitor.follow('main a.button')
  await visitor.at('/login')
  await visitor.has('[name=password]')
}, SCRIPTED)
