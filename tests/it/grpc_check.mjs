// Asks a running gatewayd over its admin socket with grpc-js, a client that shares no code with the daemon's or Python's.
//
//     node grpc_check.mjs SOCKET PROTO_DIR check    checks health, calls and streams; prints one JSON document
//     node grpc_check.mjs SOCKET PROTO_DIR stop     stops the daemon; prints the steps and health changes it saw, in order
//
// PROTO_DIR is the folder that holds gateway/admin/v1/admin.proto. Needs @grpc/grpc-js, @grpc/proto-loader and
// grpc-health-check, beside this file or in NODE_PATH. Exits with 1 and a sentence when something is not as it should be.

import { createRequire } from 'node:module';
import { once } from 'node:events';
import { promisify } from 'node:util';

// Unlike import, require looks into NODE_PATH.
const require = createRequire(import.meta.url);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const health = require('grpc-health-check');

const LIMIT_MS = 10_000;

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

function demand(condition, sentence) {
  if (!condition) fail(sentence);
}

function connect(socket, protoDir) {
  const options = { keepCase: true, longs: Number, enums: String, defaults: true, includeDirs: [protoDir] };
  const loaded = grpc.loadPackageDefinition(loader.loadSync('gateway/admin/v1/admin.proto', options));
  const Health = grpc.makeClientConstructor(health.service, 'grpc.health.v1.Health');
  const credentials = grpc.credentials.createInsecure();
  return {
    admin: new loaded.gateway.admin.v1.Admin(`unix:${socket}`, credentials),
    health: new Health(`unix:${socket}`, credentials),
  };
}

function ask(client, method, request) {
  const call = promisify(client[method]).bind(client);
  return call(request, { deadline: Date.now() + LIMIT_MS });
}

async function first(stream) {
  const [message] = await once(stream, 'data', { signal: AbortSignal.timeout(LIMIT_MS) });
  stream.on('error', () => {});
  stream.cancel();
  return message;
}

async function check({ admin, health }) {
  const overall = await ask(health, 'check', { service: '' });
  demand(overall.status === 'SERVING', `the overall health is ${overall.status}`);
  const status = await ask(admin, 'Status', {});
  demand(status.phase === 'PHASE_SERVING', `the phase is ${status.phase}`);
  const parts = (await ask(admin, 'Health', {})).parts.map((part) => part.name);
  demand(parts.includes('store'), `the parts are ${parts}`);
  const call = await ask(admin, 'Call', { method: 'health', params_json: '{}' });
  demand(call.ok, `the method health failed: ${JSON.stringify(call.error)}`);
  const logs = await first(admin.Logs({ tail: 1, follow: true }));
  const refused = await ask(admin, 'Call', { method: '' }).then(
    () => fail('a call of no method is not an error'),
    (error) => [error.code, error.metadata.get('gateway-reason')[0]],
  );
  demand(refused[0] === grpc.status.INVALID_ARGUMENT && refused[1] === 'invalid-request', `it answers ${refused}`);
  console.log(JSON.stringify({ health: overall.status, status, parts, call, logs }, null, 2));
}

async function stop({ admin, health }) {
  const seen = [];
  const ended = (stream) => new Promise((done) => stream.on('end', done).on('error', (error) => fail(error.message)));
  const watch = health.watch({ service: '' });
  watch.on('data', ({ status }) => seen.push(`health ${status}`));
  const watchEnded = ended(watch);
  await once(watch, 'data');
  const steps = admin.Shutdown({ mode: 'SHUTDOWN_MODE_STOP', reason: 'grpc_check.mjs' });
  steps.on('data', ({ step, state }) => seen.push(`step ${step} ${state}`));
  await Promise.all([ended(steps), watchEnded]);
  demand(seen[0] === 'health SERVING', `the health began with ${seen[0]}`);
  demand(seen.includes('health NOT_SERVING'), 'the health did not turn to NOT_SERVING');
  console.log(JSON.stringify(seen, null, 2));
}

const [socket, protoDir, what] = process.argv.slice(2);
const action = { check, stop }[what];
demand(action && protoDir, 'usage: node grpc_check.mjs SOCKET PROTO_DIR check|stop');
const clients = connect(socket, protoDir);
await action(clients).catch((error) => fail(`a call failed: ${error.message}`));
clients.admin.close();
clients.health.close();
