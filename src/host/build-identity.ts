/** Which build of Stele this is: what one build kept for later runs is of no use to another. */
import fs from 'node:fs';
import { join } from 'node:path';

/** The build puts a hash of the program here (scripts/build.mjs). */
declare const steleBuild: string | undefined;

/** 16 hexadecimal digits that change when anything in the program does. */
export function buildIdentity(): string {
  return typeof steleBuild === 'string' ? steleBuild : identityOfSources(join(import.meta.filename, '../../..'));
}

/** @param root the folder with the sources, which run without having been built */
export function identityOfSources(root: string): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  for (const tree of ['src', 'translators']) {
    for (const name of (fs.readdirSync(join(root, tree), { recursive: true }) as string[]).sort()) {
      if (name.endsWith('.ts')) hash.update(`${tree}/${name}\0`).update(fs.readFileSync(join(root, tree, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
