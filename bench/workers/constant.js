// Constant Worker: the least cost of an answer, as its body, status and headers are prepared.

export default {
  fetch: (_request, env) => new Response(env.BODY, env.INIT),
};
