import type { Telemetry } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';

export type QueueTracing = Telemetry;

/** Lets BullMQ carry traces from who adds a job to who does it. Load this file only where traces are sent. */
export function createQueueTracing(): QueueTracing {
  return new BullMQOtel({ tracerName: 'ingot.queue' });
}
