import { startEmbedded } from '../../src/embedded/embedded.ts';

const [dataDirectory = '', ...needs] = process.argv.slice(2);
const stay = setInterval(() => undefined, 60_000);
const embedded = await startEmbedded({
  dataDirectory,
  needs: Object.fromEntries(needs.map((name) => [name, true])),
});
const { close, ...told } = embedded;
console.log(JSON.stringify(told));
process.once('SIGTERM', async () => {
  await close();
  clearInterval(stay);
});
