// What an answer costs at least: a body that stands ready, with this status and these headers.

export default {
  fetch: (_request, env) => new Response(env.BODY, env.INIT),
};
