// The account console: profile, password, sessions, connected applications, the end of the account.

import assert from 'node:assert/strict'
import { prepare, walk, world } from './walk.mjs'

prepare()

async function signedIn(visitor) {
  const person = await world.server.person()
  await visitor.open('/account')
  await visitor.signIn(person)
  await visitor.at('/account')
  return person
}

walk('profile', async (visitor) => {
  const { app } = world
  const person = await signedIn(visitor)
  await visitor.look('account')
  await visitor.page.keyboard.press('Tab')
  await visitor.page.keyboard.press('Enter')
  await visitor.page.keyboard.press('Tab')
  await visitor.has('main a[href*="/account/profile"]:focus')
  await visitor.follow('main a[href*="/account/profile"]')
  await visitor.look('account-profile')
  await visitor.fill({ given_name: 'Ada', birthdate: 'in December' })
  await visitor.follow('main form button[type=submit]')
  await visitor.has('#birthdate-error')
  await visitor.look('account-profile-wrong')
  await visitor.fill({ birthdate: '1815-12-10', website: 'https://ada.example/', nickname: 'Countess' })
  await visitor.follow('main form button[type=submit]')
  await visitor.has('.alert.good')
  await visitor.look('account-profile-saved')
  assert.equal(await visitor.page.inputValue('input[name=nickname]'), 'Countess')
  await visitor.open(app.start())
  await visitor.press('allow')
  await visitor.arrives(app, 'Signed in', person.email)
  const about = await (await fetch(`${world.server.issuer}/oauth/userinfo`, { headers: { authorization: `Bearer ${app.tokens.access_token}` } })).json()
  assert.deepEqual([about.nickname, about.website], ['Countess', 'https://ada.example/'])
})

walk('another password', async (visitor) => {
  const person = await signedIn(visitor)
  await visitor.open('/account/password')
  await visitor.look('account-password')
  await visitor.fill({ current: 'not the password', password: 'another harbour at dusk' })
  await visitor.press()
  await visitor.has('#current-error')
  await visitor.look('account-password-wrong')
  await visitor.fill({ current: person.password, password: 'another harbour at dusk' })
  await visitor.press()
  await visitor.has('.alert.good')
  await visitor.context.clearCookies()
  await visitor.open('/login')
  await visitor.signIn({ ...person, password: 'another harbour at dusk' })
  await visitor.at('/account')
})

walk('sessions: one ended, all others ended', async (visitor) => {
  const person = await signedIn(visitor)
  const others = []
  for (let n = 0; n < 3; n += 1) {
    const other = await visitor.elsewhere()
    await other.open('/login')
    await other.signIn(person)
    await other.at('/account')
    others.push(other)
  }
  await visitor.open('/account/sessions')
  assert.equal(await visitor.page.locator('main li').count(), 4)
  await visitor.look('account-sessions')
  await visitor.press('end')
  await visitor.has('.alert.good')
  assert.equal(await visitor.page.locator('main li').count(), 3)
  await visitor.press('end-others')
  await visitor.has('.alert.good')
  assert.equal(await visitor.page.locator('main li').count(), 1)
  for (const other of others) {
    await other.open('/account')
    await other.at('/login')
    await other.leave()
  }
})

walk('connected applications: one removed is asked for again', async (visitor) => {
  const { app } = world
  const person = await signedIn(visitor)
  await visitor.open('/account/applications')
  await visitor.look('account-applications-none')
  await visitor.open(app.start({ scope: 'openid profile email offline_access', prompt: 'consent' }))
  await visitor.at('/consent')
  await visitor.press('allow')
  await visitor.arrives(app, 'Signed in', person.email)
  await visitor.open('/account/applications')
  await visitor.look('account-applications')
  await visitor.press('remove')
  await visitor.has('.alert.good')
  await assert.rejects(app.refresh(), (error) => error.error === 'invalid_grant')
  await visitor.open(app.start())
  await visitor.at('/consent')
})

walk('the end of the account', async (visitor) => {
  const person = await signedIn(visitor)
  await visitor.open('/account/delete')
  await visitor.look('account-delete')
  await visitor.fill({ confirm: 'yes' })
  await visitor.press()
  await visitor.has('#confirm-error')
  await visitor.fill({ confirm: person.email })
  await visitor.press()
  await visitor.look('account-deleted')
  await visitor.open('/account')
  await visitor.signIn(person)
  await visitor.has('.alert.bad')
})

walk('the address that password managers know', async (visitor) => {
  await signedIn(visitor)
  await visitor.open('/.well-known/change-password')
  await visitor.at('/account/password')
})
