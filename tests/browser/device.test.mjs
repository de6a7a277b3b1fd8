// A device without a keyboard (RFC 8628): the person types its code elsewhere and compares it.

import assert from 'node:assert/strict'
import * as oidc from 'openid-client'
import { prepare, walk, world } from './walk.mjs'

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

prepare('--grant', 'authorization_code', '--grant', 'refresh_token', '--grant', DEVICE)

const waiting = () => oidc.initiateDeviceAuthorization(world.app.config, { scope: 'openid profile email offline_access' })

walk('a device is connected', async (visitor) => {
  const { app, server } = world
  const person = await server.person()
  const device = await waiting()
  await visitor.open(device.verification_uri)
  await visitor.signIn(person)
  await visitor.at('/device')
  await visitor.look('device')
  await visitor.fill({ user_code: 'BBBB-BBBB' })
  await visitor.press()
  await visitor.has('#user_code-error')
  await visitor.look('device-unknown')
  await visitor.fill({ user_code: device.user_code.toLowerCase() })
  await visitor.press()
  assert.equal(await visitor.text('.usercode'), device.user_code)
  await visitor.look('device-confirm')
  await visitor.press('allow')
  await visitor.look('device-done')
  const tokens = await oidc.pollDeviceAuthorizationGrant(app.config, device)
  const about = await oidc.fetchUserInfo(app.config, tokens.access_token, tokens.claims().sub)
  assert.equal(about.email, person.email)
  assert.ok((await oidc.refreshTokenGrant(app.config, tokens.refresh_token)).access_token)
})

walk('a device is refused, by the address that it shows as a picture', async (visitor) => {
  const { app, server } = world
  const person = await server.person()
  const device = await waiting()
  await visitor.open(device.verification_uri_complete)
  await visitor.signIn(person)
  await visitor.at('/device')
  assert.equal(await visitor.page.inputValue('input[name=user_code]:visible'), device.user_code)
  await visitor.press()
  await visitor.press('deny')
  await visitor.look('device-denied')
  await assert.rejects(oidc.pollDeviceAuthorizationGrant(app.config, device), (error) => error.error === 'access_denied')
})
