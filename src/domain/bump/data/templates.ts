/** Stands for the characters of a template: nothing that people write. */
export const MASK = '\uE000';

const ACTION = /(?<!\$)\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;

/**
 * Blanks out what Helm, Jinja and the like put into YAML, so that what stands around it can be read where it stands:
 * the text keeps its length and its lines. Lines of nothing but templates become empty.
 */
export function maskTemplates(text: string): string {
  if (!text.includes('{{') && !text.includes('{%')) return text;
  const masked = text.replaceAll(ACTION, (action) => action.replaceAll(/[^\r\n]/g, MASK));
  const whole = new RegExp(`^[ \\t]*(?:-[ \\t]+)?${MASK}[${MASK} \\t,]*$`, 'gm');
  return masked.replaceAll(whole, (line) => (line.includes('-') ? line : ' '.repeat(line.length)));
}
