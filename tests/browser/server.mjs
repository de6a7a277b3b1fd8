// A gatehouse of one's own on loopback: SQLite in a folder that goes with it, mails as files.

import { execFile, spawn } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const PASSWORD = 'a quiet harbour at dawn'

/** Asks again and again until there is an answer. */
export async function until(what, ask, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
    const answer = await ask()
    if (answer) return answer
  }
  throw new Error(`${what}: not within ${seconds} s`)
}

const isTaken = (port) =>
  new Promise((resolve) => {
    const probe = connect({ port, host: '127.0.0.1' }, () => resolve(true)).on('error', () => resolve(false))
    probe.on('close', () => probe.destroy())
  })

/** Below the range of outgoing connections, so that nobody takes it meanwhile. */
export async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    if (!(await isTaken(port))) return port
  }
}

export class Server {
  /** With these settings besides its own. */
  static async start(more = {}) {
    const server = new Server()
    server.folder = mkdtempSync(join(tmpdir(), 'gatehouse-browser-'))
    const port = await freePort()
    server.issuer = `http://localhost:${port}` // by name: browsers know no passkeys at a bare address
    const settings = {
      BIND: `127.0.0.1:${port}`,
      ISSUER: server.issuer,
      DATABASE_URL: `sqlite://${server.folder}/gatehouse.db`,
      DATA_DIR: `${server.folder}/data`,
      ADMIN__EMAIL: 'admin@example.org',
      ADMIN__PASSWORD: 'correct horse battery staple',
      PASSWORDS__ARGON2_MEMORY: '7168', // the least that is allowed: hashing is tested elsewhere
      PASSWORDS__ARGON2_ITERATIONS: '5',
      ...more,
    }
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_') && name !== 'DATABASE_URL')
    server.env = Object.fromEntries([...own, ...Object.entries(settings).map(([name, value]) => [`GATEHOUSE_${name}`, value])])
    const log = openSync(join(server.folder, 'log'), 'a')
    server.process = spawn(process.env.GATEHOUSE, ['serve'], { cwd: server.folder, env: server.env, stdio: ['ignore', log, log] })
    await until('ready', async () => {
      if (server.process.exitCode !== null) throw new Error(server.log())
      return (await fetch(`${server.issuer}/readyz`).catch(() => undefined))?.ok
    })
    return server
  }

  log() {
    return readFileSync(join(this.folder, 'log'), 'utf8')
  }

  stop() {
    this.process.kill()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** The command line on the same database. A running server sees what it did within a second. */
  cli(args, input = '') {
    return new Promise((resolve, reject) => {
      const done = (error, output, complaint) => (error ? reject(new Error(`${args.join(' ')}: ${complaint}`)) : resolve(JSON.parse(output)))
      execFile(process.env.GATEHOUSE, [...args, '--json'], { cwd: this.folder, env: this.env }, done).stdin.end(input)
    })
  }

  /** A new account, and what signs it in. */
  async person(name = 'Ada Lovelace', ...more) {
    const email = `${randomUUID().slice(0, 8)}@example.org`
    await this.cli(['user', 'create', '--name', name, '--email', email, '--email-verified', '--password-stdin', ...more], PASSWORD)
    return { email, name, password: PASSWORD }
  }

  /** The link in the newest mail to somebody that has one, once it is there. */
  async mailedLink(to, path) {
    const folder = join(this.folder, 'data', 'outbox')
    return until(`a mail to ${to} with ${path}`, () => {
      if (!existsSync(folder)) return undefined
      const files = readdirSync(folder, { withFileTypes: false }).filter((name) => name.endsWith('.eml')).sort().reverse()
      for (const file of files) {
        // Quoted-printable (RFC 2045 §6.7), as far as links need it.
        const text = readFileSync(join(folder, file), 'utf8').replace(/=\r?\n/g, '').replace(/=3D/g, '=')
        const link = text.includes(to) && new RegExp(`${this.issuer}${path}\\?[^\\s"<>]+`).exec(text)
        if (link) return link[0].replaceAll('&amp;', '&')
      }
      return undefined
    })
  }
}
