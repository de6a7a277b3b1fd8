// Signing in to an app: password, choice of account, consent, how the answer comes back.

import assert from 'node:assert/strict'
import { prepare, walk, world } from './walk.mjs'

prepare('--tos-uri', 'https://harbour.example/terms', '--policy-uri', 'https://harbour.example/privacy')

walk('sign-in with a wrong password, then the right one, and consent', async (visitor) => {
  const { app, server } = world
  const person = await server.person()
  await visitor.open(app.start({ scope: 'openid profile email address phone offline_access', prompt: 'consent' }))
  await visitor.at('/login')
  await visitor.look('login')
  await visitor.fill({ identifier: person.email, password: 'not the password' })
  await visitor.press()
  await visitor.has('.alert.bad')
  await visitor.look('login-wrong')
  assert.equal(await visitor.page.inputValue('input[name=identifier]'), person.email)
  await visitor.signIn(person)
  await visitor.at('/consent')
  await visitor.look('consent')
  await visitor.press('allow')
  await visitor.arrives(app, 'Signed in', person.email)
  const { auth_time: authTime, amr, acr } = app.tokens.claims()
  assert.deepEqual([amr, acr], [['pwd'], 'urn:gatehouse:acr:single'])
  assert.ok(Math.abs(authTime - Date.now() / 1000) < 60)
  assert.ok((await app.refresh()).access_token)

  // What was allowed is not asked again, nor who it is.
  await visitor.open(app.start())
  await visitor.arrives(app, 'Signed in', person.email)
})

walk('consent denied, sign-in given up', async (visitor) => {
  const { app, server } = world
  const person = await server.person()
  await visitor.open(app.start())
  await visitor.at('/login')
  await visitor.press('cancel')
  await visitor.arrives(app, 'Not signed in', 'access_denied')
  await visitor.open(app.start())
  await visitor.signIn(person)
  await visitor.at('/consent')
  await visitor.press('deny')
  await visitor.arrives(app, 'Not signed in', 'access_denied')
  await visitor.open(app.start({ prompt: 'none' }))
  await visitor.arrives(app, 'Not signed in', 'consent_required')
})

walk('the answer as a form', async (visitor) => {
  const { app, server } = world
  const person = await server.person()
  await visitor.open(app.start({ response_mode: 'form_post' }))
  await visitor.signIn(person)
  await visitor.at('/consent')
  await visitor.press('allow')
  if (!visitor.how.script) {
    await visitor.look('form-post')
    await visitor.press()
  }
  await visitor.arrives(app, 'Signed in', person.email)
  assert.equal(app.method, 'POST')
})

walk('a choice of accounts', async (visitor) => {
  const { app, server } = world
  const [first, second] = [await server.person('Ada Lovelace'), await server.person('Grace Hopper')]
  await visitor.open(app.start({ login_hint: first.email }))
  await visitor.at('/login')
  assert.equal(await visitor.page.inputValue('input[name=identifier]'), first.email)
  await visitor.signIn(first)
  await visitor.follow('main a[href*="/login/select-account"]')
  await visitor.press('continue')
  await visitor.press('allow')
  await visitor.arrives(app, 'Signed in', first.email)
  await visitor.open(app.start({ prompt: 'select_account' }))
  await visitor.at('/login/select-account')
  await visitor.look('select-account')
  await visitor.press('continue')
  await visitor.arrives(app, 'Signed in', first.email)
  await visitor.open(app.start({ prompt: 'select_account' }))
  await visitor.at('/login/select-account')
  await visitor.press('another')
  await visitor.fill({ identifier: second.email, password: second.password })
  await visitor.press()
  await visitor.press('allow')
  await visitor.arrives(app, 'Signed in', second.email)
})

walk('the same person once more (prompt=login)', async (visitor) => {
  const { app, server } = world
  const person = await server.person()
  await visitor.open(app.start())
  await visitor.signIn(person)
  await visitor.press('allow')
  await visitor.arrives(app, 'Signed in', person.email)
  await visitor.open(app.start({ prompt: 'login' }))
  await visitor.at('/login')
  await visitor.look('login-again')
  await visitor.fill({ password: person.password })
  await visitor.press()
  await visitor.arrives(app, 'Signed in', person.email)
})

walk('an app that is not known, or sends people elsewhere', async (visitor) => {
  const { app, server } = world
  for (const wrong of [{ redirect_uri: 'https://evil.example/' }, { client_id: 'app_unknown' }]) {
    const parameters = new URLSearchParams({ client_id: app.client.client_id, redirect_uri: `${app.url}/callback`, response_type: 'code', ...wrong })
    await visitor.open(`${server.issuer}/oauth/authorize?${parameters}`)
    await visitor.at('/oauth/authorize')
    await visitor.look(wrong.client_id ? 'error-client' : 'error-redirect')
    await visitor.has('code')
  }
})
