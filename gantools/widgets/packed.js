// What Python packs (packing.py): a frame for Live, a whole run for Replay, data for a figure.
const TYPES = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, f4: Float32Array };

// Bytes of packing.pack as an object: the header's entries, and each array with its shape in `shapes`.
export function unpack(data) {
  const bytes = data.buffer
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  let at = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const { arrays, ...found } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, at)));
  found.shapes = {};
  for (const [name, type, shape] of arrays) {
    const size = shape.reduce((a, b) => a * b, 1) * TYPES[type].BYTES_PER_ELEMENT;
    found[name] = new TYPES[type](bytes.slice(at, at + size).buffer);
    found.shapes[name] = shape;
    at += size;
  }
  return found;
}

async function inflate(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

// What a block brings with it, unpacked.
export const handed = async (root) => unpack(await inflate(root.querySelector(".gan-data").textContent));
