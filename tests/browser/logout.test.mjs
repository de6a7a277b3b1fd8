// Signing out: by the app, which is told in a frame; at our own page.

import assert from 'node:assert/strict'
import { until } from './server.mjs'
import { prepare, walk, world } from './walk.mjs'

prepare('--first-party')

async function signedIn(visitor) {
  const { app, server } = world
  const person = await server.person()
  await visitor.open(app.start())
  await visitor.signIn(person)
  await visitor.arrives(app, 'Signed in', person.email)
  return person
}

walk('an app signs the person out', async (visitor) => {
  const { app } = world
  await signedIn(visitor)
  await visitor.follow('a[href="/sign-out"]')
  await visitor.arrives(app, 'Signed out', 'bye')
  await visitor.open('/account')
  await visitor.at('/login')
})

walk('an app that hears of it in a frame', async (visitor) => {
  const { app, server } = world
  await server.cli(['client', 'update', app.client.client_id, '--frontchannel-logout-uri', `${app.url}/front-channel`])
  await new Promise((resolve) => setTimeout(resolve, 1100)) // a running server sees it within a second
  app.heard = []
  await signedIn(visitor)
  const { sid } = app.tokens.claims()
  await visitor.page.locator('a[href="/sign-out"]').click()
  await visitor.at('/oauth/logout')
  await until('the frame', () => app.heard.length)
  assert.deepEqual(app.heard, [{ iss: server.issuer, sid }])
  await visitor.arrives(app, 'Signed out', 'bye')
  await server.cli(['client', 'update', app.client.client_id, '--frontchannel-logout-uri', ''])
})

walk('an app that shows nothing, or somebody else, has to wait for the person\'s word', async (visitor) => {
  const { app, server } = world
  await signedIn(visitor)
  await visitor.open(`/oauth/logout?${new URLSearchParams({ client_id: app.client.client_id })}`)
  await visitor.look('logout-app')
  await visitor.press('stay')
  await visitor.look('logout-stayed')
  await visitor.follow('main a.button')
  await visitor.at('/account')

  await visitor.context.clearCookies()
  await visitor.open('/login')
  await visitor.signIn(await server.person('Grace Hopper'))
  await visitor.open(`${app.url}/sign-out`)
  await visitor.at('/oauth/logout')
  await visitor.press('sign-out')
  await visitor.arrives(app, 'Signed out', 'bye')
})

walk('at our own page', async (visitor) => {
  await signedIn(visitor)
  await visitor.open('/logout')
  await visitor.look('logout')
  await visitor.press('sign-out')
  await visitor.look('signed-out')
  await visitor.open('/account')
  await visitor.at('/login')
})
