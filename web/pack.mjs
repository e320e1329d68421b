// Puts a .gz twin beside every file worth it, and holds the page to its budget.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const out = process.env.VEDETTE_WEB_OUT || '../build/web';
const BUDGET = 300 * 1000;
let total = 0;

function walk(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) {
      walk(path);
      continue;
    }
    if (name.endsWith('.gz')) {
      rmSync(path);
      continue;
    }
    const bytes = readFileSync(path);
    const gz = gzipSync(bytes, { level: 9 });
    const worth = gz.length < bytes.length * 0.95;
    if (worth) writeFileSync(`${path}.gz`, gz);
    total += worth ? gz.length : bytes.length;
  }
}

walk(out);
console.log(`web page: ${(total / 1000).toFixed(1)} kB gzipped in all`);
if (total > BUDGET) {
  console.error(`web page: over the budget of ${BUDGET / 1000} kB`);
  process.exit(1);
}
