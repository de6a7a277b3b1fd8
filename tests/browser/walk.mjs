// What walks share: one server, one app and one browser for a file, and a test for each way to come.

import { after, before, test } from 'node:test'
import { RelyingParty } from './relying_party.mjs'
import { Server } from './server.mjs'
import { CHINESE, ENGLISH, Visitor, WITHOUT_SCRIPT, launch } from './visitor.mjs'

/** For the tests of one file. */
export const world = {}

/** Starts what the file needs; the app is registered with these options of `gatehouse client create`. */
export function prepare(...registration) {
  before(async () => {
    world.server = await Server.start()
    world.app = await RelyingParty.start(world.server, ...registration)
    world.browser = await launch()
  })
  after(async () => {
    await world.browser?.close()
    world.app?.stop()
    world.server?.stop()
  })
}

/** A test for each way to come; `walk` gets a visitor. */
export function walk(name, act, ways = [ENGLISH, CHINESE, WITHOUT_SCRIPT]) {
  for (const how of ways) {
    test(`${name}, ${how.name}`, { timeout: 120_000 }, async () => {
      const visitor = await Visitor.arrive(world.browser, world.server, how)
      try {
        await act(visitor)
      } catch (error) {
        const seen = await visitor.text('body').catch(() => '')
        console.log([`at ${visitor.page.url()}`, seen.replaceAll('\n', ' ').slice(0, 400), ...visitor.complaints].join('\n'))
        await visitor.context.close()
        throw error
      }
      await visitor.leave()
    })
  }
}

export const SCRIPTED = [ENGLISH, CHINESE]
export { WITHOUT_SCRIPT }
