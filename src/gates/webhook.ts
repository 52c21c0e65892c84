import { createHmac } from 'node:crypto';
import type { Gate, GateTest } from '../domain/fleet/settings-gates.ts';
import { type Http, HttpError } from '../lib/http.ts';
import { factsOf, type GateAnswer, GateError, type GateRunner, lastWords } from './gates.ts';

export interface WebhookGateOptions {
  readonly http: Http;
  /** Of the fleet: one service may be the gate of several. */
  readonly fleet: string;
  /** A secret by the name of its variable. */
  readonly secret: (name: string) => string | undefined;
}

const MAX_ANSWER_BYTES = 64 * 1024;

/** A service of the organisation: an answer of 2xx passes. */
export function createWebhookGate(options: WebhookGateOptions): GateRunner {
  return {
    async ask(gate, subject, { signal }) {
      const { url, secretVariable } = gate.test as Extract<GateTest, { kind: 'webhook' }>;
      const body = JSON.stringify({ fleet: options.fleet, ...factsOf(gate, subject) });
      const headers = {
        'content-type': 'application/json',
        ...(secretVariable === undefined ? {} : signatureOf(body, secretOf(gate, secretVariable, options))),
      };
      const call = { method: 'POST', headers, body, signal, timeoutMs: gate.timeoutSeconds * 1000 };
      try {
        const answer = await options.http.request(url, call);
        return judge(gate, answer.status, await answer.text(MAX_ANSWER_BYTES));
      } catch (error) {
        if (error instanceof HttpError) throw unavailable(gate, error.message, error);
        throw error;
      }
    },
  };
}

/** GitHub's form, which receivers have libraries for. */
function signatureOf(body: string, secret: string): Record<string, string> {
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

function secretOf(gate: Gate, name: string, { secret }: WebhookGateOptions): string {
  const found = secret(name);
  if (found) return found;
  throw new GateError(`the gate ${gate.name} signs with ${name}, which is empty`, { code: 'configuration' });
}

function judge(gate: Gate, status: number, text: string): GateAnswer {
  const words = lastWords(text);
  if (status >= 200 && status < 300) return { passed: true, message: words };
  if (status >= 500 || status === 429 || status === 408) throw unavailable(gate, `it answered ${status}`);
  return { passed: false, message: `answered ${status}${words === '' ? '' : `: ${words}`}` };
}

function unavailable(gate: Gate, why: string, cause?: HttpError): GateError {
  const code = cause?.code === 'cancelled' ? 'cancelled' : 'unavailable';
  return new GateError(`the gate ${gate.name} could not be asked: ${why}`, {
    code,
    retryable: code === 'unavailable',
    cause,
  });
}
