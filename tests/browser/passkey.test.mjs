// Passkeys, with the authenticator that DevTools provide: added, used in every place, removed.

import assert from 'node:assert/strict'
import { until } from './server.mjs'
import { SCRIPTED, WITHOUT_SCRIPT, prepare, walk, world } from './walk.mjs'

prepare('--first-party')

/** An authenticator that verifies its owner; it presents a passkey by itself where that is asked for. */
async function authenticator(visitor) {
  await visitor.devtools.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await visitor.devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  const present = (enabled) => visitor.devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })
  return { present }
}

/** An account with a passkey; the browser is left signed out. */
async function enrolled(visitor, look = () => {}) {
  const person = await world.server.person()
  const { present } = await authenticator(visitor)
  await visitor.open('/login')
  await visitor.signIn(person)
  await visitor.open('/account/passkeys')
  await look('account-passkeys-none')
  await visitor.fill({ 'passkey-name': 'The blue key' })
  await visitor.follow('[data-passkey=enrol] button')
  await visitor.has('.codes')
  await look('account-passkeys-recovery-codes')
  await visitor.open('/account/passkeys')
  await visitor.has('text=The blue key')
  await look('account-passkeys')
  await visitor.context.clearCookies()
  await present(false) // until a button asks for it
  return { person, present }
}

walk('a passkey is added and signs in alone, from the button', async (visitor) => {
  const { app } = world
  const { person, present } = await enrolled(visitor, (name) => visitor.look(name))
  await visitor.open(app.start())
  await visitor.at('/login')
  await visitor.look('login-passkey')
  await present(true)
  await visitor.page.locator('[data-passkey=sign-in] button').click()
  await visitor.arrives(app, 'Signed in', person.email)
  const { acr, amr } = app.tokens.claims()
  assert.equal(acr, 'phr')
  assert.ok(amr.includes('mfa'), amr)
}, SCRIPTED)

walk('a passkey signs in from the suggestions of the name field', async (visitor) => {
  const { app } = world
  const { person, present } = await enrolled(visitor)
  await present(true)
  await visitor.open(app.start({ acr_values: 'urn:gatehouse:acr:multi' }))
  await visitor.arrives(app, 'Signed in', person.email)
}, SCRIPTED)

walk('a passkey as the second factor', async (visitor) => {
  const { app } = world
  const { person, present } = await enrolled(visitor)
  await visitor.open(app.start())
  await visitor.signIn(person)
  await visitor.at('/login/mfa')
  await visitor.look('mfa-passkey')
  await present(true)
  await visitor.page.locator('[data-passkey=second-factor] button').click()
  await visitor.arrives(app, 'Signed in', person.email)
}, SCRIPTED)

walk('a passkey that the person does not present', async (visitor) => {
  const { app } = world
  await visitor.open(app.start())
  await visitor.at('/login')
  const { present } = await authenticator(visitor) // holds none
  await present(true)
  await visitor.page.locator('[data-passkey=sign-in] button').click()
  await until('a word about it', () => visitor.page.locator('[data-passkey] [role=alert]').isVisible())
  await visitor.look('login-passkey-failed')
}, SCRIPTED)

walk('a passkey gets another name, and is removed', async (visitor) => {
  const { person, present } = await enrolled(visitor)
  await present(true)
  await visitor.open('/login')
  await visitor.at('/account')
  await visitor.open('/account/passkeys')
  await visitor.page.locator('summary').click()
  await visitor.look('account-passkeys-rename')
  await visitor.fill({ name: 'The red key' })
  await visitor.press('rename')
  await visitor.has('text=The red key')
  await visitor.press('remove')
  await visitor.has('.alert.good')
  await visitor.context.clearCookies()
  await present(false)
  await visitor.open('/login')
  await visitor.signIn(person)
  await visitor.at('/account')
}, SCRIPTED)

walk('the page for passkeys says what they need', async (visitor) => {
  const person = await world.server.person()
  await visitor.open('/login')
  await visitor.signIn(person)
  await visitor.open('/account/passkeys')
  await visitor.look('account-passkeys')
  await visitor.has('noscript')
}, [WITHOUT_SCRIPT])
