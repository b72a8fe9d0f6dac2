// Files of packages for Python: gzip of one line of JSON, [[path, bytes], ...], and their contents (see live/bundle.py).

export async function unzipped(answer) {
  const plain = answer.body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

// Put them where Python looks for them.
export function install(py, packages) {
  const end = packages.indexOf(10); // the end of the first line
  const files = JSON.parse(new TextDecoder().decode(packages.subarray(0, end)));
  const folders = new Set();
  let at = end + 1;
  for (const [path, size] of files) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!folders.has(folder)) py.FS.mkdirTree(folder);
    folders.add(folder);
    py.FS.writeFile(path, packages.subarray(at, at + size), { canOwn: true });
    at += size;
  }
}
