import { Parser } from 'htmlparser2';
import { ArchiveError } from './archives.ts';

/** What is told of a document while it is read; names are as written, with their prefix. */
export interface XmlEvents {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  /** The text between the last two tags, at the end of an element that has no other inside. */
  close?(name: string, text: string): void;
}

/** Unpacked; the largest of Fedora has some 250 MiB. */
const MAX_BYTES = 4 * 1024 ** 3;

/**
 * Reads a document as it comes; nothing of it is kept here. The parser forgives what is not well-formed: whether a
 * document is whole must be known before.
 */
export async function readXml(chunks: AsyncIterable<Uint8Array>, what: string, events: XmlEvents): Promise<void> {
  let text = '';
  let elements = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        text = '';
        elements++;
        events.open?.(name, attributes);
      },
      ontext(data) {
        text += data;
      },
      onclosetag(name) {
        events.close?.(name, text);
        text = '';
      },
    },
    { xmlMode: true, decodeEntities: true, recognizeSelfClosing: true },
  );
  const decoder = new TextDecoder();
  let total = 0;
  try {
    for await (const chunk of chunks) {
      total += chunk.length;
      if (total > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
      parser.write(decoder.decode(chunk, { stream: true }));
    }
    parser.end(decoder.decode());
  } catch (cause) {
    throw new ArchiveError(`${what} cannot be read: ${(cause as Error).message}`, { code: 'protocol', cause });
  }
  if (elements === 0) throw new ArchiveError(`${what} is no XML`, { code: 'protocol' });
}

export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
