import { html } from 'hono/html';
import { type Html, page } from './page.ts';

interface SchemaLike {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly items?: SchemaLike;
  readonly properties?: Readonly<Record<string, SchemaLike>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}

interface Content {
  readonly [mediaType: string]: { readonly schema?: SchemaLike };
}

interface OperationLike {
  readonly tags?: readonly string[];
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly 'x-role'?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: SchemaLike;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
}

export interface DocumentLike {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, OperationLike>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, SchemaLike>> };
}

/** The reference as one page, made from the document of the API: no script, nothing from elsewhere. */
export function referencePage({ info, paths = {}, components }: DocumentLike): Html {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags ?? []))];
  const schemas = Object.entries(components?.schemas ?? {});
  return page(
    `${info.title} ${info.version}`,
    html`<p>${info.description ?? ''} The same as <a href="/openapi.json">OpenAPI document</a>.</p>
      <nav>
        <ul>
          ${tags.map((tag) => html`<li><a href="#${tag}">${tag}</a></li>`)}
          <li><a href="#schemas">Schemas</a></li>
        </ul>
      </nav>
      ${tags.map(
        (tag) =>
          html`<h2 id="${tag}">${tag}</h2>
            ${operations.filter(({ operation }) => operation.tags?.includes(tag)).map(operationPart)}`,
      )}
      <h2 id="schemas">Schemas</h2>
      ${schemas.map(
        ([name, schema]) => html`<h3 id="schema-${name}">${name}</h3>
          <p>${schema.description ?? ''}</p>
          ${fields(schema)}`,
      )}`,
  );
}

function operationPart({ path, method, operation }: { path: string; method: string; operation: OperationLike }): Html {
  const { parameters = [], requestBody, responses, operationId, summary, description } = operation;
  return html`<section id="${operationId}">
    <h3><span class="method">${method}</span> <code>${path}</code></h3>
    <p>${summary}. ${description ?? ''} <span class="role">${operation['x-role']}</span></p>
    ${
      parameters.length === 0
        ? ''
        : html`<table>
            <caption>
              Parameters
            </caption>
            ${parameters.map(
              (each) =>
                html`<tr>
                  <td><code>${each.name}</code>${each.required ? ' (required)' : ''}</td>
                  <td>${each.in}</td>
                  <td>${typeOf(each.schema)}</td>
                  <td>${each.description ?? ''}</td>
                </tr>`,
            )}
          </table>`
    }
    ${requestBody === undefined ? '' : html`<p>Body: ${contentOf(requestBody.content)}</p>`}
    <details>
      <summary>Answers</summary>
      <table>
        ${Object.entries(responses).map(
          ([status, { description: what, content }]) =>
            html`<tr>
              <td>${status}</td>
              <td>${what ?? ''}</td>
              <td>${content === undefined ? '' : contentOf(content)}</td>
            </tr>`,
        )}
      </table>
    </details>
  </section>`;
}

function contentOf(content: Content): Html[] {
  return Object.entries(content).map(([mediaType, { schema }]) => html`<code>${mediaType}</code> ${typeOf(schema)}`);
}

function fields({ properties, required = [], ...schema }: SchemaLike): Html {
  if (properties === undefined) return html`<p>${typeOf(schema)}</p>`;
  return html`<table>
    ${Object.entries(properties).map(
      ([name, field]) =>
        html`<tr>
          <td><code>${name}</code>${required.includes(name) ? '' : ' (optional)'}</td>
          <td>${typeOf(field)}</td>
          <td>${field.description ?? ''}</td>
        </tr>`,
    )}
  </table>`;
}

function typeOf(schema: SchemaLike | undefined): Html | string {
  if (schema === undefined) return '';
  const name = schema.$ref?.split('/').at(-1);
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  if (schema.items !== undefined) return html`list of ${typeOf(schema.items)}`;
  if (schema.enum !== undefined) return html`<code>${schema.enum.map(String).join(' | ')}</code>`;
  if (schema.properties !== undefined) return html`object: ${Object.keys(schema.properties).join(', ')}`;
  return [String(schema.type ?? 'any'), schema.format, schema.pattern].filter(Boolean).join(' ');
}
