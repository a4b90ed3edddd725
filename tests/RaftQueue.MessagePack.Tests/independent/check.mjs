// Holds vectors.jsonl against @msgpack/msgpack: it must decode our bytes to the value and still encode the value to "theirs".
// With --write it fills in "theirs" instead.
import { readFileSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
import { decode, encode } from "@msgpack/msgpack";

const file = new URL("./vectors.jsonl", import.meta.url);
const vectors = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));

// With useBigInt64 the library writes numbers beyond 32 bits as floats and bigints as 64-bit integers.
function integer(text) {
  const value = BigInt(text);
  return value >= -(2n ** 31n) && value < 2n ** 32n ? Number(value) : value;
}

const pairs = (items) => Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i].s, fromJson(items[2 * i + 1])]);

function fromJson(node) {
  if (node === null || typeof node === "boolean") return node;
  if ("i" in node) return integer(node.i);
  if ("s" in node) return node.s;
  if ("b" in node) return new Uint8Array(Buffer.from(node.b, "hex"));
  if ("f" in node) return node.f;
  if ("a" in node) return node.a.map(fromJson);
  return Object.fromEntries(pairs(node.m));
}

// The library gives 64-bit encodings as bigint whatever their value.
function normal(value) {
  if (typeof value === "bigint") return integer(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(normal);
  if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, normal(v)]));
  return value;
}

const encodeHex = (value) => Buffer.from(encode(value, { useBigInt64: true })).toString("hex").toUpperCase();

if (process.argv.includes("--write")) {
  for (const vector of vectors) vector.theirs = encodeHex(fromJson(vector.value));
  writeFileSync(file, vectors.map((vector) => JSON.stringify(vector)).join("\n") + "\n");
  process.exit(0);
}

let passed = 0;
let failed = 0;
function check(what, actual, expected) {
  try {
    deepStrictEqual(actual(), expected);
    passed++;
  } catch (error) {
    failed++;
    console.error(`${what}: ${error.message.slice(0, 500)}`);
  }
}

for (const [line, { value, ours, theirs }] of vectors.entries()) {
  const expected = fromJson(value);
  if (ours !== undefined) {
    check(`line ${line + 1}, decoding ours`, () => normal(decode(Buffer.from(ours, "hex"), { useBigInt64: true })), expected);
  }
  check(`line ${line + 1}, encoding theirs`, () => encodeHex(expected), theirs);
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
