// The authenticator app and recovery codes: set up, used at sign-in, asked for by an app, removed.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { prepare, walk, world } from './walk.mjs'

prepare('--first-party')

const MULTI = 'urn:gatehouse:acr:multi'

/** What an authenticator app shows (RFC 6238), `steps` of thirty seconds from now. */
function code(secret, steps = 0) {
  const bits = [...secret.replace(/[\s=]/g, '').toUpperCase()]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** Sets the app up, and says its secret and the recovery codes. A code counts once, so this uses the
 * one before the present one. */
async function enrol(visitor, look = () => {}) {
  await visitor.open('/account/totp')
  await look('account-totp')
  await visitor.press('begin')
  await look('account-totp-enrol')
  const secret = await visitor.text('code.secret')
  await visitor.fill({ code: '000000' })
  await visitor.press()
  await visitor.has('#code-error')
  await look('account-totp-wrong')
  await visitor.fill({ code: code(secret, -1) })
  await visitor.press()
  await look('account-recovery-codes-shown')
  const recovery = await visitor.page.locator('.codes code').allInnerTexts()
  assert.ok(recovery.length >= 8)
  return { secret, recovery }
}

async function signedIn(visitor) {
  const person = await world.server.person()
  await visitor.open('/login')
  await visitor.signIn(person)
  await visitor.at('/account')
  return person
}

walk('authenticator app: set up, asked for at sign-in, removed', async (visitor) => {
  const { app } = world
  const person = await signedIn(visitor)
  const { secret } = await enrol(visitor, (name) => visitor.look(name))
  await visitor.context.clearCookies()
  await visitor.open(app.start({ acr_values: MULTI }))
  await visitor.signIn(person)
  await visitor.at('/login/mfa')
  await visitor.look('mfa')
  await visitor.fill({ code: '000000' })
  await visitor.press()
  await visitor.has('#code-error')
  await visitor.look('mfa-wrong')
  await visitor.fill({ code: code(secret) })
  await visitor.press()
  await visitor.arrives(app, 'Signed in', person.email)
  const { acr, amr } = app.tokens.claims()
  assert.deepEqual([acr, [...amr].sort()], [MULTI, ['mfa', 'otp', 'pwd']])

  await visitor.open('/account/totp')
  await visitor.look('account-totp-on')
  await visitor.press('remove')
  await visitor.has('.alert.good')
  await visitor.context.clearCookies()
  await visitor.open('/login')
  await visitor.signIn(person)
  await visitor.at('/account')
})

walk('a browser that is trusted', async (visitor) => {
  const { app } = world
  const person = await signedIn(visitor)
  const { secret } = await enrol(visitor)
  await visitor.context.clearCookies()
  await visitor.open(app.start())
  await visitor.signIn(person)
  await visitor.page.locator('input[name=trust]').check()
  await visitor.fill({ code: code(secret) })
  await visitor.press()
  await visitor.arrives(app, 'Signed in', person.email)
  await visitor.context.clearCookies({ name: 'gatehouse_session' })
  await visitor.open(app.start())
  await visitor.signIn(person)
  await visitor.arrives(app, 'Signed in', person.email)
})

walk('recovery codes: one used, new ones', async (visitor) => {
  const { app } = world
  const person = await signedIn(visitor)
  const { recovery } = await enrol(visitor)
  await visitor.open('/account/recovery-codes')
  await visitor.look('account-recovery-codes')
  await visitor.context.clearCookies()
  for (const expected of ['/account', '/login/mfa']) {
    await visitor.open('/login')
    await visitor.signIn(person)
    await visitor.at('/login/mfa')
    await visitor.follow('a[href*="method=recovery"]')
    await visitor.look('mfa-recovery')
    await visitor.fill({ code: recovery[0] })
    await visitor.press()
    await visitor.at(expected)
    if (expected === '/account') await visitor.context.clearCookies()
  }
  await visitor.has('#code-error')
  await visitor.fill({ code: recovery[1] })
  await visitor.press()
  await visitor.at('/account')
  await visitor.open('/account/recovery-codes')
  await visitor.press('renew')
  const renewed = await visitor.page.locator('.codes code').allInnerTexts()
  assert.equal(renewed.length, recovery.length)
  assert.ok(!renewed.includes(recovery[2]))
  await visitor.open(app.start())
  await visitor.arrives(app, 'Signed in', person.email)
})

walk('an app that wants more than the password was', async (visitor) => {
  const { app } = world
  const person = await signedIn(visitor)
  await visitor.open(app.start())
  await visitor.arrives(app, 'Signed in', person.email)
  assert.equal(app.tokens.claims().acr, 'urn:gatehouse:acr:single')
  const { secret } = await enrol(visitor)
  await visitor.context.clearCookies()
  await visitor.open('/login')
  await visitor.signIn(person)
  await visitor.page.locator('input[name=trust]').check()
  await visitor.fill({ code: code(secret) })
  await visitor.press()
  await visitor.at('/account')
  // On a trusted browser the password is enough, until somebody wants more.
  await visitor.context.clearCookies({ name: 'gatehouse_session' })
  await visitor.open(app.start())
  await visitor.signIn(person)
  await visitor.arrives(app, 'Signed in', person.email)
  await visitor.open(app.start({ claims: JSON.stringify({ id_token: { acr: { essential: true, values: [MULTI] } } }) }))
  await visitor.at('/login/mfa')
  await visitor.fill({ code: code(secret, 1) })
  await visitor.press()
  await visitor.arrives(app, 'Signed in', person.email)
  assert.equal(app.tokens.claims().acr, MULTI)
})

walk('recovery codes without a factor', async (visitor) => {
  await signedIn(visitor)
  await visitor.open('/account/recovery-codes')
  await visitor.look('account-recovery-codes-none')
})
