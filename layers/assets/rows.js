/* Owns: reading the columns that layers/columns.py wrote. A column is inflated with its pack,
   but turned into numbers or words only when somebody asks for them. */
"use strict";
(function (atlas) {
  const utf8 = new TextDecoder();

  function fromBase64(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const letters = atob(text), bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
  }

  async function inflate(text) {
    const { readable, writable } = new DecompressionStream("deflate-raw");
    const inflated = new Response(readable).arrayBuffer(), writer = writable.getWriter();
    const ignore = () => {}; // what is broken, the reader hears of
    writer.write(fromBase64(text)).catch(ignore);
    writer.close().catch(ignore);
    return new Uint8Array(await inflated);
  }

  /* Whole numbers that stand byte by byte: the lowest of all rows, then the next. */
  function whole(bytes, n, width) {
    const values = new (width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array)(n);
    for (let plane = 0; plane < width; plane++) {
      const start = plane * n, shift = 8 * plane;
      for (let i = 0; i < n; i++) values[i] |= bytes[start + i] << shift;
    }
    return values;
  }

  function floats(bytes, n) {
    const turned = new Uint8Array(8 * n);
    for (let plane = 0; plane < 8; plane++) for (let i = 0; i < n; i++) turned[8 * i + plane] = bytes[plane * n + i];
    return new Float64Array(turned.buffer);
  }

  /* What is worked out once, when it is first asked for. */
  function lazy(make) {
    let made = null;
    return () => (made === null ? (made = make()) : made);
  }

  /* Each kind gives `text(row)`, and what can be compared fast: `numbers()` or `codes()`; a column
     of long texts gives them all in one, `whole()`, parted by NUL. */
  const KINDS = {
    steps(about, bytes) {
      const units = lazy(() => {
        const steps = whole(bytes, about.n, about.width), values = new Int32Array(about.n);
        let sum = 0;
        for (let i = 0; i < about.n; i++) { sum += (steps[i] >>> 1) ^ -(steps[i] & 1); values[i] = sum; }
        return values;
      });
      const numbers = lazy(() => {
        const values = new Float64Array(units()), scale = 10 ** about.decimals;
        for (let i = 0; i < about.n; i++) values[i] /= scale;
        return values;
      });
      return { numbers, text: (row) => String(numbers()[row]) };
    },
    number(about, bytes) {
      const scale = 10 ** about.decimals;
      const numbers = lazy(() => {
        const stored = whole(bytes, about.n, about.width), values = new Float64Array(about.n);
        for (let i = 0; i < about.n; i++) values[i] = stored[i] ? (stored[i] - 1 + about.least) / scale : NaN;
        return values;
      });
      return { numbers, text: (row) => (Number.isNaN(numbers()[row]) ? "" : String(numbers()[row])) };
    },
    float(about, bytes) {
      const numbers = lazy(() => floats(bytes, about.n));
      return { numbers, text: (row) => (Number.isNaN(numbers()[row]) ? "" : String(numbers()[row])) };
    },
    words(about, bytes) {
      const size = about.n * about.width;
      const codes = lazy(() => whole(bytes, about.n, about.width));
      const words = lazy(() => utf8.decode(bytes.subarray(size, size + about.size)).split("\0"));
      return { codes, words, text: (row) => words()[codes()[row]] };
    },
    numbered(about, bytes) {
      const codes = lazy(() => whole(bytes, about.n, about.width));
      return { codes, text: (row) => about.prefix + String(codes()[row]).padStart(about.digits, "0") };
    },
    text(about, bytes) {
      const ends = lazy(() => {
        const found = new Uint32Array(about.n);
        for (let i = 0, row = 0; i < about.size; i++) if (!bytes[i]) found[row++] = i;
        found[about.n - 1] = about.size;
        return found;
      });
      const whole = () => utf8.decode(bytes);
      return { whole, text: (row) => utf8.decode(bytes.subarray(row ? ends()[row - 1] + 1 : 0, ends()[row])) };
    },
  };

  const size = (about) => (about.kind === "text" ? about.size : about.n * about.width + (about.size || 0));

  /* Columns in their order; of one that is not there, every text is empty. */
  async function unpack(pack) {
    const bytes = await inflate(pack.bytes), list = [], named = new Map();
    let at = 0;
    for (const about of pack.columns) {
      const column = { name: about.name, n: about.n, ...KINDS[about.kind](about, bytes.subarray(at, at + size(about))) };
      at += size(about);
      list.push(column);
      named.set(about.name, column);
    }
    const column = (name) => named.get(name) || null;
    return { list, column, text: (name, row) => (named.has(name) ? named.get(name).text(row) : "") };
  }

  atlas.unpack = unpack;
})(window.CompoundAtlas);
