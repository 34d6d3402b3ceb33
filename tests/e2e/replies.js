// The built Worker, whose objects tell how many bytes they reply to the edge.

import * as built from "./index.js";

export class SnapshotObject extends built.SnapshotObject {
  async fetch(request) {
    const reply = await super.fetch(request);
    const bytes = await reply.arrayBuffer();
    console.log(JSON.stringify({ level: "debug", event: "objectReply", bytes: bytes.byteLength }));
    return new Response(bytes, reply);
  }
}

export default built.default;
