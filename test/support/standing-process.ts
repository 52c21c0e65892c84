import { digestOf, isDigest } from '../../src/domain/digest.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { moveChannels } from '../../src/flows/channel-moves.ts';
import { takeVersion } from '../../src/flows/versions.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { createHttp } from '../../src/lib/http.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';

/**
 * Another ingot on the same registry and Redis.
 * `version REDIS REPOSITORY KEY` prints the version it was given.
 * `move REDIS REPOSITORY VERSION DIGEST STOP` moves the channels 12.0 and 12; it stops itself (SIGSTOP) right before
 * the PUT of STOP: a channel, `mark`, or nothing. Prints what became of the moves.
 */
const [verb = '', redis = '', name = '', ...rest] = process.argv.slice(2);
const http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 30_000 });
const registry = createRegistry({ http });
const ledger = createRedisLedger({ connection: redisOptions({ path: redis }), prefix: 'test' });
const repository = parseReference(name);
const signal = new AbortController().signal;
const now = () => new Date();

if (verb === 'version') {
  const request = { line: '12', channels: ['stable'], key: rest[0]!, reasons: [{ kind: 'never-released' }] } as const;
  console.log(await takeVersion(repository, request, { registry, ledger, now }, signal));
} else {
  const [version = '', digest = '', stop = ''] = rest;
  const to = { version, digest: isDigest(digest) ? digest : digestOf(digest) };
  const moves = ['12.0', '12'].map((channel) => ({ channel, ...to }));
  const deps = { registry: stoppingBefore(stop), ledger: shortLocks(), now };
  console.log(JSON.stringify(await moveChannels(repository, { moves, by: 'ingot' }, deps, signal)));
}
await Promise.all([ledger.close(), http.close()]);

/** So that a test does not wait long for a process that sleeps. */
function shortLocks(): Pick<typeof ledger, 'lock'> {
  return { lock: (options) => ledger.lock({ ...options, ttlMs: 400 }) };
}

function stoppingBefore(what: string): Registry {
  let stopped = what === '';
  return {
    ...registry,
    async putManifest(reference, manifest, call) {
      const isMark = reference.tag === undefined;
      if (!stopped && (reference.tag === what || (what === 'mark' && isMark))) {
        stopped = true;
        console.log('stopping');
        await new Promise((resolve) => process.stdout.write('', resolve));
        process.kill(process.pid, 'SIGSTOP');
      }
      return registry.putManifest(reference, manifest, call);
    },
  };
}
