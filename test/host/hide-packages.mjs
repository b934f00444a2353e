/**
 * Makes packages look as if they were not installed: `HIDDEN_PACKAGES=koffi,@koromix/ node --import hide-packages.mjs …`
 * hides those whose names begin so.
 */
import { registerHooks } from 'node:module';

const hidden = process.env.HIDDEN_PACKAGES.split(',');

registerHooks({
  resolve(name, context, next) {
    if (hidden.some((start) => name.startsWith(start))) throw new Error(`there is no package ${name}`);
    return next(name, context);
  },
});
