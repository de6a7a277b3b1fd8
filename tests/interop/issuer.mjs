// What the runs for Node share: the server's command line, and checks.

import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export const BASE = process.env.ISSUER
export const PASSWORD = 'a long enough password'
/** The apps' own address: nobody listens, what comes there is read off the address. */
export const APP = 'http://127.0.0.1:9'

/** The command line of the server, on the same database. */
export const cli = (args, input = '') =>
  JSON.parse(execFileSync(process.env.GATEHOUSE, [...args, '--json'], { input, stdio: ['pipe', 'pipe', 'pipe'] }))

/** A running server sees what the command line did within a second. */
export const seen = () => sleep(1000)

/** Runs a check and prints one line about it. */
export async function check(name, act) {
  try {
    await act()
    console.log(`ok  ${name}`)
  } catch (error) {
    const cause = error.cause ? ` ${JSON.stringify(error.cause)}` : ''
    console.log(`NOT ${name}: ${error.code ?? ''} ${error.error ?? ''} ${error.message}${cause}`.replaceAll('\n', ' '))
  }
}

/** The issuer of the default tenant and that of another, with what the command line needs for each. */
export async function issuers(name) {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name }) }
  const { id } = await (await fetch(`${BASE}/v1/tenants`, request)).json()
  return [
    { where: 'issuer', issuer: BASE, of: [] },
    { where: 'tenant issuer', issuer: `${BASE}/t/${id}`, of: ['--tenant', id] },
  ]
}
