/** Checks values against a JSON Schema, as far as docs/inspect.md uses it. Every keyword that it does not know is an error. */

export type Schema = Readonly<Record<string, unknown>>;

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;

/** @returns what is wrong with a value, each with its place */
export function violations(root: Schema, value: unknown, schema: Schema = root, place = '$'): string[] {
  const found: string[] = [];
  const complain = (text: string): void => {
    found.push(`${place}: ${text}`);
  };
  const type = typeOf(value);
  const fields = type === 'object' ? (value as Record<string, unknown>) : {};
  const items = Array.isArray(value) ? value : [];
  const { properties = {} } = schema as { properties?: Record<string, Schema> };
  for (const [keyword, rule] of Object.entries(schema)) {
    switch (keyword) {
      case '$defs':
      case 'description':
        break;
      case '$ref': {
        const name = String(rule).replace('#/$defs/', '');
        found.push(...violations(root, value, (root.$defs as Record<string, Schema>)[name], place));
        break;
      }
      case 'type': {
        const types = Array.isArray(rule) ? rule : [rule];
        if (!types.includes(type) && !(type === 'integer' && types.includes('number')))
          complain(`${type}, not ${types}`);
        break;
      }
      case 'const':
        if (value !== rule) complain(`${value}, not ${rule}`);
        break;
      case 'enum':
        if (!(rule as unknown[]).includes(value)) complain(`${value} is not one of ${rule}`);
        break;
      case 'minimum':
        if (typeof value === 'number' && value < (rule as number)) complain(`${value} is less than ${rule}`);
        break;
      case 'maximum':
        if (typeof value === 'number' && value > (rule as number)) complain(`${value} is more than ${rule}`);
        break;
      case 'required':
        for (const name of rule as string[]) if (!(name in fields)) complain(`${name} is missing`);
        break;
      case 'properties':
        for (const [name, one] of Object.entries(properties)) {
          if (name in fields) found.push(...violations(root, fields[name], one, `${place}.${name}`));
        }
        break;
      case 'additionalProperties':
        for (const name of Object.keys(fields)) if (!(name in properties)) complain(`${name} is not documented`);
        break;
      case 'minItems':
        if (items.length < (rule as number)) complain(`${items.length} items`);
        break;
      case 'items':
        items.forEach((item, index) => {
          found.push(...violations(root, item, rule as Schema, `${place}[${index}]`));
        });
        break;
      default:
        throw new Error(`the keyword ${keyword} is not known here`);
    }
  }
  return found;
}
