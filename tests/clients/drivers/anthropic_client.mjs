// Anthropic's Bedrock SDK: the library through which Claude Code talks to Bedrock.
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import { attempt, MODEL } from "./attempt.mjs";

await attempt("invoke", () =>
  new AnthropicBedrock({ baseURL: process.env.AWS_ENDPOINT_URL, maxRetries: 0 }).messages.create({
    model: MODEL,
    max_tokens: 9,
    messages: [{ role: "user", content: "hello" }],
  }),
);
